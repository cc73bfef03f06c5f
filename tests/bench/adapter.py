"""How close does `make adapter` come to the adapter that ships?

Trains anew and compares: the loss of every step with those that ship in the adapter's own record and, where
all steps are made, the weights and the replies to the development customers. The first 60 steps take
three minutes, all of them a quarter of an hour: ``make bench ARGS="adapter --all"``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from osai.authoring import adapter, results
from osai.chatbot import adapters, hanoi, model, training
from osai.chatbot.conversations import Message
from osai.chatbot.reply import replies
from safetensors.torch import load_file

WEIGHTS = "adapter_model.safetensors"
FIRST = 60
INPUTS = [
    "course/osai/authoring/adapter.py",
    "course/osai/chatbot/packs.py",
    "course/osai/chatbot/tokens.py",
    "course/osai/chatbot/training.py",
    "data/hanoi/adapter/adapter_model.safetensors",
    "data/hanoi/train.jsonl",
    "data/hanoi/train_shops.jsonl",
]


def look(folder: Path) -> list[str]:
    """Replies of an adapter to development customers."""
    chatbot = model.merge(model.load(folder, dtype="auto"))
    shops = hanoi.shops()
    cases = hanoi.customers("customers_dev4")
    asked = [(shops[case.shop], [Message("user", case.message)]) for case in cases]
    return [reply.text for reply in replies(chatbot, asked)]


def compare(ships: Path, again: Path) -> dict[str, Any]:
    """Two finished adapters: weights, bytes, replies."""
    ours, theirs = (load_file(one / WEIGHTS) for one in (ships, again))
    pairs = list(zip(look(ships), look(again), strict=True))
    return {
        "largest_difference_of_a_weight": max(
            (ours[name].float() - theirs[name].float()).abs().max().item() for name in ours
        ),
        "same_bytes": (ships / WEIGHTS).read_bytes() == (again / WEIGHTS).read_bytes(),
        "replies": len(pairs),
        "same_replies": sum(a == b for a, b in pairs),
    }


def main() -> None:
    """Train anew, compare, store."""
    whole = "--all" in sys.argv
    ships = hanoi.adapter()
    record = json.loads((ships / adapters.RECORD).read_text(encoding="utf-8"))

    def on_step(step: training.Step) -> None:
        if not whole and step.step == FIRST:
            raise KeyboardInterrupt

    run = training.train(
        model.load(dtype=adapter.CONFIG.dtype),
        hanoi.training_messages(),
        adapter.CONFIG,
        on_step=on_step,
    )
    differences = [
        abs(step.loss - known["loss"])
        for step, known in zip(run.steps, record["steps"], strict=False)
    ]
    measured = {
        "steps": len(run.steps),
        "of_steps": len(record["steps"]),
        "largest_difference_of_a_loss": max(differences),
    }
    if whole:
        with tempfile.TemporaryDirectory() as folder:
            again = adapters.save_adapter(run, Path(folder, "adapter"), adapter.CONFIG)
            measured |= compare(ships, again)
    command = "make bench ARGS=" + ('"adapter --all"' if whole else "adapter")
    print(results.write("adapter", command, INPUTS, measured).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
