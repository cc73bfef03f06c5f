"""Adapters as folders: written whole or not at all, resumed where a run was stopped, and described."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from osai.chatbot.model import (
    GGUF_SHA256,
    MODEL_NAME,
    WHEEL,
    WHEEL_VERSION,
    ModelError,
    base_dir,
    is_base_name,
)
from osai.chatbot.training import Step, TrainingConfig, TrainingResult, TrainingState

if TYPE_CHECKING:
    import torch

RECORD = "training.json"
STATE = "resume.safetensors"
HUB_BASE = f"HuggingFaceTB/{MODEL_NAME}"


def check_folder(folder: Path, resume: bool = False) -> Path:
    """The absolute path of a folder that an adapter may be written to; look before training.

    Raises ModelError for a folder that holds anything but an adapter, that cannot be made, that
    holds an unfinished run without ``resume``, or none with it.
    """
    folder = folder.resolve()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not (folder / "adapter_config.json").is_file():
                raise ModelError(
                    f"{folder} exists and holds something else than an adapter; nothing was "
                    "changed. Next step: name a new folder."
                )
        else:
            folder.mkdir(parents=True, exist_ok=True)
            folder.rmdir()
    except OSError as error:
        raise ModelError(
            f"An adapter cannot be written to {folder}: {error.strerror or error}. Next step: "
            "choose another folder."
        ) from None
    if (folder / STATE).is_file() and not resume:
        raise ModelError(
            f"{folder} holds a run that was stopped before its end; nothing was changed. Next step: "
            "add --resume to go on with it, or name a new folder."
        )
    if resume and not (folder / STATE).is_file():
        raise ModelError(
            f"{folder} holds no stopped run to go on with. Next step: leave --resume out, or name "
            "the folder of the run that was stopped."
        )
    return folder


def save_adapter(
    result: TrainingResult, folder: Path, config: TrainingConfig, resumable: bool = False
) -> Path:
    """Write the adapter, its tokenizer and the run's record to a folder, in peft's own format.

    Weights are stored as float16. The folder appears whole or not at all; an older one of the same
    name is replaced. With ``resumable`` a run that has not come to its end also leaves what `load_state`
    needs (about 65 MB). Raises ModelError where it cannot be written.
    """
    import torch
    from safetensors.torch import load_file, save_file

    folder = check_folder(folder, resume=(folder / STATE).is_file())
    work = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        result.chatbot.model.save_pretrained(work, save_embedding_layers=False)
        weights = work / "adapter_model.safetensors"
        save_file(
            {name: value.to(torch.float16) for name, value in load_file(weights).items()},
            weights,
            metadata={"format": "pt"},
        )
        result.chatbot.tokenizer.save_pretrained(work)
        (work / "README.md").write_text(_card(result), encoding="utf-8")
        record = {
            "config": asdict(config),
            "ended": result.ended,
            "fingerprint": result.state.fingerprint,
            "steps": [asdict(step) for step in result.steps],
        }
        (work / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        weights.chmod(0o644)  # safetensors keeps files to the one who wrote them
        if resumable and result.ended != "done":
            save_file(result.state.tensors, work / STATE)
        old = folder.with_name(folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.replace(old)
        work.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"The adapter could not be written to {folder}: {error.strerror or error}. Next step: "
            "make room or choose another folder."
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def load_state(folder: Path) -> TrainingState:
    """What a stopped run left behind, for ``train(…, start=…)``. Raises ModelError if unreadable."""
    from safetensors.torch import load_file

    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        steps: Sequence[Step] = [Step(**step) for step in record["steps"]]
        tensors: dict[str, torch.Tensor] = load_file(folder / STATE)
        return TrainingState(str(record["fingerprint"]), tuple(steps), tensors)
    except Exception as error:  # safetensors raises kinds of its own
        raise ModelError(
            f"The stopped run in {folder} cannot be read ({type(error).__name__}). Next step: train "
            "into a new folder."
        ) from None


def localise(folder: Path, target: Path) -> Path:
    """Copy an adapter of the course's base and name the base's folder on this machine in it.

    For tools that look only at ``adapter_config.json``, such as peft's ``AutoPeftModelForCausalLM``,
    on a computer without a network.
    """
    shutil.copytree(folder, target)
    config = target / "adapter_config.json"
    record = json.loads(config.read_text(encoding="utf-8"))
    if is_base_name(record["base_model_name_or_path"]):
        record["base_model_name_or_path"] = str(base_dir())
    config.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return target


def _card(result: TrainingResult) -> str:
    base = result.chatbot.source
    own = is_base_name(base)
    about = (
        f"{MODEL_NAME} (Apache-2.0) *as Q4_1 in the Python package {WHEEL} {WHEEL_VERSION}* (GGUF file "
        f"with SHA-256 `{GGUF_SHA256}`), dequantised. On the weights that lie on the hub as "
        f"`{HUB_BASE}`, which are not rounded, replies may differ."
        if own
        else f"`{base}`."
    )
    ways = {"done": "all epochs", "time": "until its time was used up", "stopped": "until stopped",
            "running": "so far"}  # fmt: skip
    last = result.steps[-1]
    return f"""---
base_model: {HUB_BASE if own else base}
library_name: peft
language: vi
license: apache-2.0
---
# A help-desk adapter for shops in Hà Nội

A LoRA adapter (peft), with rows for Vietnamese tokens of its own. Use its tokenizer, not the base's.

- **Base:** {about}
- **Training:** {ways[result.ended]}: {last.step} of {last.steps} steps, {last.tokens:,} tokens, last loss
  {last.loss:.2f} nats a label token. Settings and every step: `{RECORD}`.
- **Data:** conversations made of invented shops, not read by a native speaker yet; see `data/hanoi/README.md` of
  the course.
- **Meant for:** teaching. It words a reply from facts that a program has chosen; without that
  program, and without checks of the reply, it invents. Not for real customers as it is.
- **Load it:** `osai.chatbot.model.load(folder)`; or `AutoPeftModelForCausalLM.from_pretrained(folder)`.
"""
