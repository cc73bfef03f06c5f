"""What is exported is the same model: in transformers to the word, in llama.cpp by the checks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from osai.chatbot import export, hanoi, model
from osai.chatbot.conversations import Message, render
from osai.chatbot.evaluation import judge
from osai.chatbot.generation import TorchGenerator
from osai.chatbot.model import Chatbot, ModelError
from osai.chatbot.reply import as_prompt, as_reply, understand

SHOPS = hanoi.shops()
CASES = hanoi.customers("customers_dev") + hanoi.customers("customers_dev3")[:15]
REQUESTS = [(SHOPS[case.shop], [Message("user", case.message)]) for case in CASES]
PROMPTS = [as_prompt(request) for request in REQUESTS]


@pytest.fixture(scope="module")
def replies(served) -> list[str]:
    return TorchGenerator(served).generate(PROMPTS)


@pytest.fixture(scope="module")
def gguf(served, tmp_path_factory) -> Path:
    return export.save_gguf(served, tmp_path_factory.mktemp("export") / "hanoi.gguf")


def test_a_merged_folder_writes_the_same(served, replies, tmp_path):
    folder = export.save_merged(served, tmp_path / "merged")
    again = model.load(folder)
    assert TorchGenerator(again).generate(PROMPTS[:8]) == TorchGenerator(served).generate(
        PROMPTS[:8]
    )
    assert not list(folder.glob("adapter*"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Q4_1" in card and "apache-2.0" in card
    assert str(Path.home()) not in (folder / "config.json").read_text(encoding="utf-8")
    with pytest.raises(ModelError, match="there already"):
        export.save_merged(served, folder)


def test_transformers_rereads_the_gguf_with_identical_replies(gguf, served):
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with model.quiet_libraries():
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        reread = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            dtype="float32",
            quantization_config=GgufConfig(dequantize=True),
        )
    reread.eval()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    for prompt in PROMPTS:
        text = render(served.tokenizer, prompt, generation=True)
        assert render(tokenizer, prompt, generation=True) == text
        assert tokenizer(text)["input_ids"] == served.tokenizer(text)["input_ids"]
    for name, weight in served.model.state_dict().items():
        assert weight.equal(reread.state_dict()[name]), name
    other = Chatbot("reread", reread, tokenizer, str(gguf))
    assert TorchGenerator(other).generate(PROMPTS[:10]) == TorchGenerator(served).generate(
        PROMPTS[:10]
    )


LLAMA_CPP = """
import json, sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, texts = sys.argv[1], json.load(sys.stdin)
params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 2048, 1, 2
params.verbosity = -1
server = xllamacpp.Server(params)
print("READY", json.dumps([
    server.handle_completions({"prompt": text, "n_predict": 128, "temperature": 0, "top_k": 1})
    for text in texts
]))
"""


def test_llama_cpp_agrees_by_the_checks(gguf, served, replies):
    texts = [render(served.tokenizer, prompt, generation=True) for prompt in PROMPTS]
    done = subprocess.run(
        [sys.executable, "-c", LLAMA_CPP, str(gguf)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    answers = json.loads(done.stdout.partition("READY")[2])
    written = [answer["choices"][0]["text"].strip() for answer in answers]
    verdicts = [
        [
            tuple(
                c.passed
                for c in judge(case, SHOPS[case.shop], as_reply(text, understand(request))).checks
            )
            for case, request, text in zip(CASES, REQUESTS, texts_, strict=True)
        ]
        for texts_ in (written, replies)
    ]
    same = sum(a == b for a, b in zip(*verdicts, strict=True))
    assert same >= 0.95 * len(CASES)


def test_smaller_kinds_are_smaller(served, gguf, tmp_path):
    small = export.save_gguf(served, tmp_path / "small.gguf", "q8_0")
    assert small.stat().st_size < 0.3 * gguf.stat().st_size


def test_what_cannot_be_exported_says_why(served, tmp_path):
    with pytest.raises(ModelError, match="no kind"):
        export.save_gguf(served, tmp_path / "x.gguf", "q2")
    with pytest.raises(ModelError, match="not merged"):
        export.save_merged(model.load(hanoi.adapter()), tmp_path / "x")
    occupied = tmp_path / "file"
    occupied.write_text("mine")
    with pytest.raises(ModelError, match="could not be written"):
        export.save_gguf(served, occupied / "x.gguf")
    assert occupied.read_text() == "mine"
