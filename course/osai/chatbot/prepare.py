"""What set-up prepares: the base model converted once, and the adapter that ships in its fast form.

``python -m osai.chatbot.prepare [--deep]`` returns 0, or 1 and the reason. Does only what is not done yet.
"""

from __future__ import annotations

import sys

from osai.chatbot import hanoi, llama, model
from osai.chatbot.model import ModelError


def main(argv: list[str] | None = None) -> int:
    """Prepare both; ``--deep`` also reads every byte of the converted base."""
    argv = sys.argv[1:] if argv is None else argv
    if code := model.main(["prepare", *argv]):
        return code
    adapter = hanoi.adapter()
    if llama.is_made(adapter) or not llama.fits(adapter):
        return 0
    try:
        llama.load(adapter, "finetuned")
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run the set-up again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
