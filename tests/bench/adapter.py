"""How close does `make adapter` come to the adapter that ships? Weights, held-out loss and replies."""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

from osai.authoring import adapter, results
from osai.chatbot import hanoi, model
from osai.chatbot.conversations import Message
from osai.chatbot.held_out import nats_per_syllable
from osai.chatbot.reply import replies
from safetensors.torch import load_file

WEIGHTS = "adapter_model.safetensors"
INPUTS = [
    "course/osai/authoring/adapter.py",
    "course/osai/chatbot/packs.py",
    "course/osai/chatbot/tokens.py",
    "course/osai/chatbot/training.py",
    "data/hanoi/adapter/adapter_model.safetensors",
    "data/hanoi/train.jsonl",
    "data/hanoi/train_shops.jsonl",
]


def look(folder: Path) -> dict[str, Any]:
    """Held-out loss and replies of an adapter."""
    chatbot = model.merge(model.load(folder, dtype="auto"))
    shops = hanoi.shops()
    cases = hanoi.customers("customers_dev4")
    asked = [(shops[case.shop], [Message("user", case.message)]) for case in cases]
    return {
        "nats_per_syllable": round(nats_per_syllable(chatbot, hanoi.validation_messages(50)), 4),
        "replies": [reply.text for reply in replies(chatbot, asked)],
    }


def main() -> None:
    """Train anew into a folder of its own, compare, store."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        again = adapter.build(Path(folder, "adapter"))
        seconds = time.monotonic() - start
        both = (hanoi.adapter(), again)
        ours, theirs = (load_file(one / WEIGHTS) for one in both)
        furthest = max((ours[n].float() - theirs[n].float()).abs().max().item() for n in ours)
        digests = {hashlib.sha256((one / WEIGHTS).read_bytes()).hexdigest() for one in both}
        ships, anew = (look(one) for one in both)
    same = sum(a == b for a, b in zip(ships["replies"], anew["replies"], strict=True))
    path = results.write(
        "adapter",
        "make bench ARGS=adapter",
        INPUTS,
        {
            "seconds": round(seconds),
            "same_bytes": len(digests) == 1,
            "largest_difference_of_a_weight": furthest,
            "nats_per_syllable": {
                "ships": ships["nats_per_syllable"],
                "again": anew["nats_per_syllable"],
            },
            "replies": len(ships["replies"]),
            "same_replies": same,
        },
    )
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
