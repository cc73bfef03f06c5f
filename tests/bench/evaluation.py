"""Five systems on the customers that were only ever measured on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from osai.authoring import results
from osai.chatbot import hanoi, systems
from osai.chatbot.checks import without_quotes
from osai.chatbot.evaluation import Judged, evaluate
from osai.chatbot.review import orders_known
from osai.chatbot.scores import difference, shares
from osai.chatbot.shops import Shop, load_shops, texts

SETS = {"test": "shops", "unseen": "unseen"}
MODULES = ("address", "checks", "evaluation", "facts", "generation", "intents", "llama", "reply", "review",
           "rules", "scores", "systems", "templates")  # fmt: skip
SYSTEMS = ("base", "prompt", "faq", "finetuned", "pipeline")
INPUTS = [
    *(f"course/osai/chatbot/{name}.py" for name in MODULES),
    "data/hanoi/adapter/adapter_model.safetensors",
    "data/hanoi/asks.jsonl",
    "data/hanoi/replies.json",
    "data/hanoi/test.jsonl",
    "data/hanoi/unseen.jsonl",
]


def others_named(one: Judged, shop: Shop) -> bool:
    """Whether a reply names an order that the customer did not."""
    spoken = without_quotes(one.reply.text, texts(shop))
    return not orders_known(spoken, None, one.case.message).passed


def main() -> None:
    """Let all reply to both sets, judge, store the shares (not the replies: nobody looks at them)."""
    known = {cases: load_shops(hanoi.folder() / folder) for cases, folder in SETS.items()}
    judged: dict[str, dict[str, list[Judged]]] = {}
    for name in SYSTEMS:
        system = systems.load(name)
        judged[name] = {
            cases: evaluate(system, known[cases], hanoi.customers(cases)) for cases in SETS
        }
    found_by: dict[str, dict[str, Any]] = {}
    for name, sets in judged.items():
        found_by[name] = {}
        for cases, found in sets.items():
            whole, *rest = shares(found)
            found_by[name][cases] = asdict(whole) | {
                "shares": [asdict(share) for share in rest],
                "another_customers_data": sum(
                    others_named(one, known[cases][one.case.shop]) for one in found
                ),
            }
    path = results.write(
        "evaluation",
        "make bench ARGS=evaluation",
        INPUTS,
        {
            "systems": found_by,
            "differences": {
                f"{first} to {second}": {
                    cases: asdict(difference(judged[first][cases], judged[second][cases]))
                    for cases in SETS
                }
                for first, second in (("base", "finetuned"), ("faq", "pipeline"))
            },
        },
    )
    for name, sets in found_by.items():
        print(name, {cases: f"{one['passed']}/{one['total']}" for cases, one in sets.items()})
    print(path)


if __name__ == "__main__":
    main()
