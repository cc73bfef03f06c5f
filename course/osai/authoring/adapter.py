"""Train the adapter that ships with the course: ``make adapter``.

All training conversations, the default settings, bfloat16 (also where float32 is faster, so that
every computer makes nearly the same adapter). Takes 17 minutes on two cores without AMX.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from osai.chatbot import adapters, hanoi, training
from osai.chatbot.model import ModelError, load

CONFIG = training.TrainingConfig(dtype="bfloat16")


def build(folder: Path) -> Path:
    """Train, and write the adapter with the hub's name for its base instead of a path of this machine."""
    result = training.train(load(dtype=CONFIG.dtype), hanoi.training_messages(), CONFIG)
    if result.ended != "done":
        raise ModelError("Stopped before the end; nothing was written. Next step: run it again.")
    adapters.save_adapter(result, folder, CONFIG)
    config = folder / "adapter_config.json"
    record = json.loads(config.read_text(encoding="utf-8"))
    record["base_model_name_or_path"] = adapters.HUB_BASE
    config.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return folder


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.authoring.adapter [FOLDER]``; 0, or 1 and the reason."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        print(build(Path(argv[0]) if argv else hanoi.adapter()))
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
