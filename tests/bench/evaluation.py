"""Base and fine-tuned model on the customers that were only ever measured on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from osai.authoring import results
from osai.chatbot import hanoi
from osai.chatbot.evaluation import Judged, evaluate
from osai.chatbot.scores import difference, shares
from osai.chatbot.shops import load_shops

SETS = {"test": "shops", "unseen": "unseen"}
MODULES = ("address", "checks", "evaluation", "facts", "intents", "reply", "rules")
INPUTS = [
    *(f"course/osai/chatbot/{name}.py" for name in MODULES),
    "data/hanoi/adapter/adapter_model.safetensors",
    "data/hanoi/asks.jsonl",
    "data/hanoi/test.jsonl",
    "data/hanoi/unseen.jsonl",
]


def main() -> None:
    """Let both reply to both sets, judge, store the shares (not the replies: nobody looks at them)."""
    judged: dict[str, dict[str, list[Judged]]] = {}
    for name in ("base", "finetuned"):
        chatbot = hanoi.load(name)
        judged[name] = {
            cases: evaluate(chatbot, load_shops(hanoi.folder() / shops), hanoi.customers(cases))
            for cases, shops in SETS.items()
        }
    systems: dict[str, dict[str, Any]] = {}
    for name, sets in judged.items():
        systems[name] = {}
        for cases, found in sets.items():
            whole, *rest = shares(found)
            systems[name][cases] = asdict(whole) | {"shares": [asdict(share) for share in rest]}
    path = results.write(
        "evaluation",
        "make bench ARGS=evaluation",
        INPUTS,
        {
            "systems": systems,
            "differences": {
                cases: asdict(difference(judged["base"][cases], judged["finetuned"][cases]))
                for cases in SETS
            },
        },
    )
    for name, sets in systems.items():
        print(name, {cases: f"{one['passed']}/{one['total']}" for cases, one in sets.items()})
    print(path)


if __name__ == "__main__":
    main()
