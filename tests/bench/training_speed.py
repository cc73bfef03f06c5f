"""How long until a model is as good as what TRL's SFTTrainer makes, and in how much memory?

300 conversations, the same learning rate, LoRA of the same rank on the same layers, loss on the
replies only. Each run is a process of its own; its clock starts before it imports anything and
stops when training ends. What counts is the wall time to a held-out loss (nats per syllable, replies
only, in shops and words that training has not seen) that is no higher than the one TRL ends with.
TRL runs with its defaults (bfloat16 and checkpointing) or in float32 without: a few steps of each
tell which is faster here, and that one is run to its end. A processor without bfloat16 takes so long
over it that the second probe is stopped when it has lost.
"""

import time

STARTED = time.monotonic()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

SIZE = 300
EPOCHS = 1
PROBE_STEPS = 2
LOST = 3  # times as long as the other probe
RATE = 1e-3
SEED = 0
OURS = {"epochs": EPOCHS, "batch_tokens": 256, "pack_tokens": 256}
MODES: dict[str, dict[str, str]] = {"native": {}, "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"}}
INPUTS = [
    "course/osai/chatbot/conversations.py",
    "course/osai/chatbot/held_out.py",
    "course/osai/chatbot/packs.py",
    "course/osai/chatbot/tokens.py",
    "course/osai/chatbot/training.py",
    "tests/bench/training_speed.py",
]


def conversations() -> tuple[list[Any], list[Any]]:
    """300 training conversations, and the held-out ones: 50 in new words, 50 in new shops."""
    from osai.chatbot import hanoi

    return hanoi.training_messages()[:SIZE], hanoi.validation_messages(50)


def ours(options: dict[str, Any]) -> dict[str, Any]:
    """Our loop."""
    from osai.chatbot import training
    from osai.chatbot.model import load

    config = training.TrainingConfig(learning_rate=RATE, seed=SEED, **options)
    train, valid = conversations()
    result = training.train(load(dtype=config.dtype), train, config, progress=False)
    last = result.steps[-1]
    return finished(result.chatbot, valid) | {
        "dtype": str(result.chatbot.model.dtype).removeprefix("torch."),
        "epochs": config.epochs,
        "steps": last.step,
        "tokens": last.tokens,
        "tokens_per_second": round(last.tokens_per_second, 1),
        "options": options,
    }


def trl(bfloat16: bool, most_steps: int) -> dict[str, Any]:
    """TRL's loop with its defaults but what the comparison fixes; ``most_steps`` -1 for all."""
    import warnings

    warnings.simplefilter("ignore")
    from dataclasses import replace

    from datasets import Dataset
    from osai.chatbot.model import load
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    chatbot = load(dtype="float32")
    train, valid = conversations()
    turns = [[{"role": m.role, "content": m.content} for m in messages] for messages in train]
    data = Dataset.from_list([{"prompt": t[:-1], "completion": t[-1:]} for t in turns])
    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=chatbot.model,
            processing_class=chatbot.tokenizer,
            train_dataset=data,
            peft_config=LoraConfig(
                r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
            args=SFTConfig(
                output_dir=folder,
                num_train_epochs=EPOCHS,
                max_steps=most_steps,
                learning_rate=RATE,
                completion_only_loss=True,
                bf16=bfloat16,
                gradient_checkpointing=bfloat16,
                use_cpu=True,
                seed=SEED,
                save_strategy="no",
                report_to=[],
                disable_tqdm=True,
            ),
        )
        outcome = trainer.train()
    speed = outcome.metrics["train_runtime"] / outcome.global_step
    about = {
        "dtype": "bfloat16" if bfloat16 else "float32",
        "checkpointing": bfloat16,
        "epochs": EPOCHS,
        "steps": outcome.global_step,
        "seconds_per_step": round(speed, 2),
    }
    if most_steps > 0:
        return about
    trainer.model.eval()
    return finished(replace(chatbot, model=trainer.model), valid) | about


def finished(chatbot: Any, valid: list[Any]) -> dict[str, Any]:
    """Stop the clock, then look at memory and held-out loss."""
    seconds = time.monotonic() - STARTED
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    from osai.chatbot.held_out import nats_per_syllable

    return {
        "seconds": round(seconds, 1),
        "peak_mb": round(peak),
        "nats_per_syllable": round(nats_per_syllable(chatbot, valid), 4),
    }


def child(
    role: str, environment: dict[str, str], limit: float | None = None, **options: Any
) -> dict[str, Any]:
    """Run one role in a fresh process; returns what it measured. ``limit``: seconds it may take."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.json")
        command = [
            sys.executable,
            __file__,
            role,
            "--out",
            str(out),
            "--options",
            json.dumps(options),
        ]
        subprocess.run(command, env={**os.environ, **environment}, check=True, timeout=limit)
        return json.loads(out.read_text(encoding="utf-8"))


def probe(environment: dict[str, str]) -> list[dict[str, Any]]:
    """A few steps of TRL in float32 and in bfloat16."""
    started = time.monotonic()
    first = child("trl", environment, bfloat16=False, most_steps=PROBE_STEPS)
    limit = LOST * (time.monotonic() - started)
    try:
        second = child("trl", environment, limit, bfloat16=True, most_steps=PROBE_STEPS)
    except subprocess.TimeoutExpired:
        second = {
            "dtype": "bfloat16",
            "checkpointing": True,
            "stopped_after_seconds": round(limit, 1),
            "seconds_per_step": round(limit / PROBE_STEPS, 2),  # at least
        }
    return [first, second]


def pair(mode: str, theirs: dict[str, Any] | None) -> dict[str, Any]:
    """Both loops, one after the other, in one mode of the processor.

    ``theirs``: what was measured of TRL just before, to measure only ours again.
    """
    environment = MODES[mode]
    if theirs is None:
        probes = probe(environment)
        faster = min(probes, key=lambda one: one["seconds_per_step"])
        whole = child("trl", environment, bfloat16=faster["checkpointing"], most_steps=-1)
        theirs = {"trl_probes": probes, "trl": whole}
    mine = child("ours", environment, options=OURS)
    return {
        "environment": environment,
        "trl_probes": theirs["trl_probes"],
        "trl": theirs["trl"],
        "ours": mine,
        "times_faster": round(theirs["trl"]["seconds"] / mine["seconds"], 2),
        "as_good": mine["nats_per_syllable"] <= theirs["trl"]["nats_per_syllable"],
    }


def run(modes: list[str], keep_trl: bool) -> None:
    """Measure and store; a mode that is not named keeps what was stored."""
    import trl as library
    from osai.allocator import variables
    from osai.authoring import results

    os.environ.update(variables())
    before = (results.read("training_speed") or {}).get("modes", {})
    for mode in modes:
        before[mode] = pair(mode, before[mode] if keep_trl else None)
        about = {"conversations": SIZE, "trl_version": library.__version__, "modes": before}
        results.write("training_speed", "make bench ARGS=training_speed", INPUTS, about)
        print(json.dumps(before[mode], indent=1), flush=True)


def main() -> None:
    """Called without words by `make bench`; with a role by itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", nargs="?", default="all", choices=["all", *MODES, "ours", "trl"])
    parser.add_argument("--keep-trl", action="store_true", help="measure only ours again")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--options", type=json.loads, default={})
    words = parser.parse_args()
    if words.role in ("ours", "trl"):
        measured = {"ours": ours, "trl": trl}[words.role](**words.options)
        words.out.write_text(json.dumps(measured), encoding="utf-8")
    else:
        run(list(MODES) if words.role == "all" else [words.role], words.keep_trl)


if __name__ == "__main__":
    main()
