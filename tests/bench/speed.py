"""How fast is a reply? Eight-bit weights against plain transformers, alone and with others.

``llama`` is the engine that serves (llama.cpp, our GGUF export as Q8_0, with the new Vietnamese tokens), ``int8`` the
rival for its place (CTranslate2), ``torch`` the same fine-tuned model in PyTorch, ``plain`` what one gets without any
of our work: transformers' `generate` in float32 with the base tokenizer, made to write exactly as many tokens as the
same reply costs there. Each is a fresh process; loading is not counted, and converting happened before, so that the
peak of memory is that of serving. Replies are judged by the same checks. Only development customers are asked.

The two rivals also answer 64 customers at once, and single ones while another program keeps one processor busy, as a
browser or a notebook would.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CASES = ("customers_dev3", "customers_dev4")
TIMED = 60  # of these customers, for the clock; all are judged
SYLLABLES = 30
TOGETHER = 64  # customers who write at once
BUSY = 12  # customers asked while another program computes
RIVALS = ("llama", "int8")
INPUTS = [
    "course/osai/chatbot/conversations.py",
    "course/osai/chatbot/export.py",
    "course/osai/chatbot/generation.py",
    "course/osai/chatbot/llama.py",
    "data/hanoi/adapter/adapter_model.safetensors",
    "tests/bench/speed.py",
]


def asked() -> list[tuple[Any, list[Any]]]:
    """Each customer's case and prompt."""
    from osai.chatbot import hanoi
    from osai.chatbot.conversations import Message, prompt

    shops = hanoi.shops()
    cases = [case for name in CASES for case in hanoi.customers(name)]
    return [(case, prompt(shops[case.shop], [Message("user", case.message)])) for case in cases]


class CTranslate2:
    """See ``generation.Generator``: CTranslate2 with weights of eight bits, in batches of eight.

    A batch keeps hardly more than one processor busy, so that each processor gets batches of its own.
    """

    def __init__(self, folder: Path) -> None:
        import ctranslate2
        from osai.chatbot import llama
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = ctranslate2.Generator(
            str(folder), device="cpu", compute_type="int8",
            inter_threads=llama.threads(), intra_threads=1,
        )  # fmt: skip

    def generate(self, prompts: Sequence[Sequence[Any]]) -> list[str]:
        """A text for each prompt, in order."""
        results = self._model.generate_batch(
            [self._tokens(prompt) for prompt in prompts],
            max_batch_size=8,
            max_length=128,
            include_prompt_in_result=False,
            end_token=[self.tokenizer.eos_token_id],
        )
        ids = [result.sequences_ids[0] for result in results]
        return [text.strip() for text in self.tokenizer.batch_decode(ids, skip_special_tokens=True)]

    def stream(self, prompt: Sequence[Any]) -> Iterator[str]:
        """The text behind one prompt, in pieces."""
        from osai.chatbot.generation import whole_letters

        end = self.tokenizer.eos_token_id
        steps = self._model.generate_tokens(
            self._tokens(prompt), max_length=128, sampling_topk=1, end_token=[end]
        )
        yield from whole_letters(self.tokenizer, (step.token_id for step in steps), end)

    def _tokens(self, prompt: Sequence[Any]) -> list[str]:
        from osai.chatbot.conversations import render

        text = render(self.tokenizer, prompt, generation=True)
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self.tokenizer.convert_ids_to_tokens(ids)


def convert(folder: Path) -> None:
    """The fine-tuned model for CTranslate2."""
    from ctranslate2.converters import TransformersConverter
    from osai.chatbot import hanoi

    chatbot = hanoi.load("finetuned", dtype="float32")
    merged, made = folder / "merged", folder / "made"
    chatbot.model.save_pretrained(merged)
    chatbot.tokenizer.save_pretrained(merged)
    TransformersConverter(str(merged)).convert(str(made), quantization="int8")
    for file in [*merged.glob("*token*"), *merged.glob("*.jinja")]:
        shutil.copy(file, made)


def engine(name: str, folder: Path) -> Any:
    """What writes; ``folder``: where `convert` worked."""
    from osai.chatbot import systems

    return CTranslate2(folder / "made") if name == "int8" else systems.generator("finetuned", name)


def writes(name: str, folder: Path) -> dict[str, Any]:
    """Every reply of an engine, streamed one by one, with its times; then many at once, and beside a busy program."""
    from osai.chatbot.tokens import syllables

    writer = engine(name, folder)
    questions = asked()
    "".join(writer.stream(questions[0][1]))  # warm
    found = []
    for _, turns in questions:
        started = time.perf_counter()
        first, pieces = None, []
        for piece in writer.stream(turns):
            first = first or time.perf_counter() - started
            pieces.append(piece)
        text = "".join(pieces).strip()
        found.append(
            {
                "text": text,
                "first": first or 0.0,
                "whole": time.perf_counter() - started,
                "syllables": len(syllables(text)),
            }
        )
    measured: dict[str, Any] = {"replies": found}
    if name in RIVALS:
        prompts = [turns for _, turns in questions[:TOGETHER]]
        started = time.perf_counter()
        writer.generate(prompts)
        measured["replies_per_second"] = len(prompts) / (time.perf_counter() - started)
        measured["busy"] = beside_another(writer, [turns for _, turns in questions[:BUSY]])
    return measured | {"peak_mb": round(peak())}


def beside_another(writer: Any, prompts: Sequence[Any]) -> list[float]:
    """Seconds of single replies while another program keeps a processor busy."""
    seconds = []
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for turns in prompts:
            started = time.perf_counter()
            "".join(writer.stream(turns))
            seconds.append(time.perf_counter() - started)
    finally:
        busy.kill()
        busy.wait()
    return seconds


def plain(texts: list[str]) -> dict[str, Any]:
    """transformers as it comes, on the base tokenizer, writing as many tokens as each text has there."""
    import torch
    from osai.chatbot import model
    from osai.chatbot.conversations import render

    chatbot = model.load(dtype="float32")
    tokenizer = chatbot.tokenizer
    seconds = []
    for (_, turns), text in zip(asked(), texts, strict=False):
        size = len(tokenizer(text)["input_ids"]) + 1  # and the token that ends the turn
        batch = tokenizer(
            render(tokenizer, turns, generation=True), add_special_tokens=False, return_tensors="pt"
        )
        started = time.perf_counter()
        with torch.inference_mode():
            chatbot.model.generate(
                **batch, min_new_tokens=size, max_new_tokens=size, do_sample=False
            )
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "peak_mb": round(peak())}


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(role: str, work: Path, texts: list[str] | None = None) -> dict[str, Any]:
    """One role in a fresh process."""
    out, given = work / "out.json", work / "in.json"
    given.write_text(json.dumps(texts or []), encoding="utf-8")
    command = [sys.executable, __file__, role, "--out", out, "--texts", given, "--work", work]
    subprocess.run(command, env=os.environ, check=True)
    return json.loads(out.read_text(encoding="utf-8"))


def about(measured: dict[str, Any]) -> dict[str, Any]:
    """Medians of an engine's replies; a reply of 30 syllables is read off each one's own speed."""
    replies = measured["replies"][:TIMED]
    scaled = [
        one["first"] + (one["whole"] - one["first"]) * SYLLABLES / max(1, one["syllables"])
        for one in replies
    ]
    found = {
        "first_token_seconds": round(statistics.median(one["first"] for one in replies), 3),
        "reply_seconds": round(statistics.median(one["whole"] for one in replies), 3),
        "reply_of_30_syllables_seconds": round(statistics.median(scaled), 3),
        "peak_mb": measured["peak_mb"],
    }
    if "busy" in measured:
        found["replies_per_second_of_many"] = round(measured["replies_per_second"], 2)
        found["reply_seconds_beside_a_busy_program"] = round(statistics.median(measured["busy"]), 3)
    return found


def verdicts(measured: dict[str, Any]) -> list[tuple[tuple[str, bool], ...]]:
    """What the checks say of every reply."""
    from osai.chatbot import hanoi
    from osai.chatbot.conversations import Message
    from osai.chatbot.evaluation import judge
    from osai.chatbot.reply import as_reply, understand

    shops = hanoi.shops()
    found = []
    for (case, _), one in zip(asked(), measured["replies"], strict=True):
        shop = shops[case.shop]
        reply = as_reply(one["text"], understand((shop, [Message("user", case.message)])))
        found.append(tuple((c.name, c.passed) for c in judge(case, shop, reply).checks))
    return found


def run() -> None:
    """Measure all four and store."""
    from osai.authoring import results

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        child("convert", work)
        fast, rival, torch_ = (child(name, work) for name in (*RIVALS, "torch"))
        texts = [one["text"] for one in fast["replies"][:TIMED]]
        base = child("plain", work, texts)
    total = len(fast["replies"])
    judged = verdicts(torch_)
    same, same_rival = (
        sum(a == b for a, b in zip(verdicts(one), judged, strict=True)) for one in (fast, rival)
    )
    words = sum(
        a["text"] == b["text"] for a, b in zip(fast["replies"], torch_["replies"], strict=True)
    )
    ratios = [
        slow / one["whole"] for slow, one in zip(base["seconds"], fast["replies"], strict=False)
    ]
    results.write(
        "speed",
        "make bench ARGS=speed",
        INPUTS,
        {
            "customers_timed": TIMED,
            "customers_judged": total,
            "customers_together": TOGETHER,
            "customers_beside_a_busy_program": BUSY,
            "llama": about(fast),
            "int8": about(rival) | {"same_by_the_checks": same_rival},
            "torch": about(torch_),
            "plain": {
                "reply_seconds": round(statistics.median(base["seconds"]), 3),
                "peak_mb": base["peak_mb"],
            },
            "times_faster_than_plain": round(statistics.median(ratios), 2),
            "same_by_the_checks": same,
            "same_words": words,
        },
    )
    print((results.folder() / "speed.json").read_text(encoding="utf-8"))


def main() -> None:
    """Called without words by `make bench`; with a role by itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "role", nargs="?", default="all", choices=["all", "convert", *RIVALS, "torch", "plain"]
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--work", type=Path)
    words = parser.parse_args()
    if words.role == "all":
        run()
        return
    measured: dict[str, Any] = {}
    if words.role == "convert":
        from osai.chatbot import prepare

        convert(words.work)
        if prepare.main([]):
            raise SystemExit("The model could not be prepared; the reason stands above.")
    elif words.role == "plain":
        measured = plain(json.loads(words.texts.read_text(encoding="utf-8")))
    else:
        measured = writes(words.role, words.work)
    words.out.write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
