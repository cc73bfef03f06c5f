"""How fast is a reply? Eight-bit weights against plain transformers, one customer at a time.

``int8`` is the engine that serves (CTranslate2, with the new Vietnamese tokens), ``llama_cpp`` the rival for its
place (our GGUF export as Q8_0), ``torch`` the same fine-tuned model in PyTorch, ``plain`` what one gets without any of our work: transformers' `generate` in
float32 with the base tokenizer, made to write exactly as many tokens as the same reply costs there.
Each is a fresh process; loading is not counted. Replies are judged by the same checks. Only development customers are asked.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CASES = ("customers_dev3", "customers_dev4")
TIMED = 60  # of these customers, for the clock; all are judged
SYLLABLES = 30
INPUTS = [
    "course/osai/chatbot/conversations.py",
    "course/osai/chatbot/export.py",
    "course/osai/chatbot/generation.py",
    "course/osai/chatbot/int8.py",
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


def writes(engine: str) -> dict[str, Any]:
    """Every reply of an engine, streamed one by one, with its times."""
    from osai.chatbot import systems
    from osai.chatbot.tokens import syllables

    stream = llama_cpp() if engine == "llama_cpp" else systems.generator("finetuned", engine).stream
    questions = asked()
    "".join(stream(questions[0][1]))  # warm
    found = []
    for _, turns in questions:
        started = time.perf_counter()
        first, pieces = None, []
        for piece in stream(turns):
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
    return {"replies": found, "peak_mb": round(peak())}


def llama_cpp() -> Callable[[list[Any]], Iterator[str]]:
    """llama.cpp's own server, in this process, with our GGUF export; its cache of prompts is off."""
    import xllamacpp
    from osai.chatbot import export, hanoi
    from osai.chatbot.conversations import render

    folder = Path(tempfile.mkdtemp())
    chatbot = hanoi.load("finetuned", dtype="float32")
    file = export.save_gguf(chatbot, folder / "hanoi.gguf", "q8_0")
    params = xllamacpp.CommonParams()
    params.model.path, params.verbosity = str(file), -1
    params.n_ctx, params.n_parallel = 2048, 1
    params.cpuparams.n_threads = os.cpu_count()
    server = xllamacpp.Server(params)

    def stream(turns: list[Any]) -> Iterator[str]:
        pieces: queue.Queue[str | None] = queue.Queue()
        question = {
            "prompt": render(chatbot.tokenizer, turns, generation=True),
            "n_predict": 128,
            "temperature": 0,
            "top_k": 1,
            "stream": True,
            "cache_prompt": False,
        }

        def heard(chunk: dict[str, Any]) -> bool:
            pieces.put(chunk["choices"][0]["text"] if chunk.get("choices") else "")
            return False

        def ask() -> None:
            server.handle_completions(question, heard)
            pieces.put(None)

        threading.Thread(target=ask).start()
        while (piece := pieces.get()) is not None:
            if piece:
                yield piece

    return stream


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


def child(role: str, texts: list[str] | None = None) -> dict[str, Any]:
    """One role in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        out, given = Path(folder, "out.json"), Path(folder, "in.json")
        given.write_text(json.dumps(texts or []), encoding="utf-8")
        command = [sys.executable, __file__, role, "--out", str(out), "--texts", str(given)]
        subprocess.run(command, env=os.environ, check=True)
        return json.loads(out.read_text(encoding="utf-8"))


def about(measured: dict[str, Any]) -> dict[str, Any]:
    """Medians of an engine's replies; a reply of 30 syllables is read off each one's own speed."""
    replies = measured["replies"][:TIMED]
    scaled = [
        one["first"] + (one["whole"] - one["first"]) * SYLLABLES / max(1, one["syllables"])
        for one in replies
    ]
    return {
        "first_token_seconds": round(statistics.median(one["first"] for one in replies), 3),
        "reply_seconds": round(statistics.median(one["whole"] for one in replies), 3),
        "reply_of_30_syllables_seconds": round(statistics.median(scaled), 3),
        "peak_mb": measured["peak_mb"],
    }


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
    """Measure all three and store."""
    from osai.authoring import results

    fast, rival, torch_ = child("int8"), child("llama_cpp"), child("torch")
    texts = [one["text"] for one in fast["replies"][:TIMED]]
    base = child("plain", texts)
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
            "int8": about(fast),
            "llama_cpp": about(rival) | {"same_by_the_checks": same_rival},
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
        "role", nargs="?", default="all", choices=["all", "int8", "llama_cpp", "torch", "plain"]
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--texts", type=Path)
    words = parser.parse_args()
    if words.role == "all":
        run()
        return
    if words.role == "plain":
        measured = plain(json.loads(words.texts.read_text(encoding="utf-8")))
    else:
        measured = writes(words.role)
    words.out.write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
