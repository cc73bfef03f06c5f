"""The fast engine writes what PyTorch writes, nearly always, and streams it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest
from osai.chatbot import export, hanoi, llama, model, systems
from osai.chatbot.conversations import Message
from osai.chatbot.evaluation import evaluate
from osai.chatbot.generation import TorchGenerator, whole_letters
from osai.chatbot.reply import as_prompt

SHOPS = hanoi.shops()
CASES = hanoi.customers("customers_dev")
PROMPTS = [as_prompt((SHOPS[case.shop], [Message("user", case.message)])) for case in CASES]


@pytest.fixture(scope="module")
def fast() -> llama.LlamaGenerator:
    return systems.generator("finetuned", "llama")


@pytest.fixture(scope="module")
def written(fast) -> list[str]:
    return fast.generate(PROMPTS)


def test_it_is_what_serves_here():
    assert isinstance(systems.generator("finetuned"), llama.LlamaGenerator)
    assert isinstance(systems.load("pipeline").writer, llama.LlamaGenerator)


def test_replies_pass_the_same_checks(fast, served):
    verdicts = [
        [
            tuple(check.passed for check in one.checks)
            for one in evaluate(systems.Model(writer), SHOPS, CASES)
        ]
        for writer in (fast, TorchGenerator(served))
    ]
    same = sum(a == b for a, b in zip(*verdicts, strict=True))
    assert same >= 0.95 * len(CASES) - 1  # 25 customers; the large comparison is `make bench`


def test_a_stream_is_the_whole_text_in_pieces(fast, served):
    alone = fast.generate(PROMPTS[:1])[0]
    for writer in (fast, TorchGenerator(served)):
        pieces = list(writer.stream(PROMPTS[0]))
        assert len(pieces) > 3
        assert not any("\ufffd" in piece for piece in pieces)
        if writer is fast:
            assert "".join(pieces).strip() == alone
        else:
            assert "".join(pieces).strip() == writer.generate(PROMPTS[:1])[0]


def test_half_a_letter_waits(base):
    ids = base.tokenizer("Dạ ạ ₫ 🙂", add_special_tokens=False)["input_ids"]
    assert len(ids) > 8
    pieces = list(whole_letters(base.tokenizer, iter(ids), None))
    assert "".join(pieces) == "Dạ ạ ₫ 🙂" and all("\ufffd" not in piece for piece in pieces)


def test_order_and_batches_change_nothing(fast, written):
    backwards = fast.generate(PROMPTS[::-1])[::-1]
    assert sum(a == b for a, b in zip(backwards, written, strict=True)) >= len(written) - 1


def test_alone_and_beside_others_it_writes_the_same(fast, written):
    alone = [fast.generate([prompt])[0] for prompt in PROMPTS[:16]]
    assert sum(a == b for a, b in zip(alone, written, strict=False)) >= 15  # measured: 16


def test_candidates_differ_and_come_again(fast, written):
    tried = [fast.candidates(PROMPTS[:4], 3) for _ in range(2)]
    assert sum(a == b for a, b in zip(*tried, strict=True)) >= 3
    for texts, first in zip(tried[0], written, strict=False):
        assert 1 < len(texts) <= 3 and len(set(texts)) == len(texts)
        assert sum(text != first for text in texts) >= len(texts) - 1
        assert not any("\ufffd" in text or "<|" in text for text in texts)


def test_torch_has_candidates_too(served):
    (texts,) = TorchGenerator(served).candidates(PROMPTS[:1], 3)
    assert 1 <= len(texts) <= 3 and len(set(texts)) == len(texts)


def test_a_reader_who_goes_away_stops_the_writing(fast, written):
    pieces = fast.stream(PROMPTS[0])
    next(pieces)
    pieces.close()
    assert not [one for one in threading.enumerate() if one.name == "llama"]
    assert fast.generate(PROMPTS[:1])[0] == written[0]


def test_what_is_too_long_is_shortened_from_the_oldest_on(fast):
    system, last = PROMPTS[0]
    talk = [
        Message("user" if i % 2 == 0 else "assistant", "Chị vẫn chờ em ạ. " * 40) for i in range(8)
    ]
    room = llama.CONTEXT - 128
    shortened = fast._ids([system, *talk, last], room)
    assert len(shortened) <= room
    text = fast.tokenizer.decode(shortened)
    assert system.content in text and last.content in text
    for much in ("đơn hàng của em đâu rồi ạ " * 160, "مرحبا🙂" * 600):
        assert fast.generate([[system, Message("user", much)]], longest=4)[0]
    with pytest.raises(model.ModelError, match="system turn alone"):
        fast.generate([[Message("system", "dài " * 2000), last]])


def test_nobody_can_ask_its_port(fast):
    address = fast._server[0].listening_address
    assert address.startswith("http://127.0.0.1:")
    for path in ("/slots", "/props", "/v1/completions"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address + path, timeout=5)
        assert refused.value.code in (401, 403, 404)


def test_two_at_once_do_not_mix(fast, written):
    found: dict[int, list[str]] = {}

    def ask(i: int) -> None:
        found[i] = fast.generate(PROMPTS[i : i + 1])

    workers = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(found[i][0] == written[i] for i in range(6)) >= 5


def test_another_adapter_gets_a_folder_of_its_own_and_few_are_kept(
    small_llama, tmp_path, monkeypatch
):
    monkeypatch.setenv("OSAI_CACHE", str(tmp_path))
    made = llama.load(small_llama, "small")
    assert isinstance(made.generate(PROMPTS[:1], longest=4)[0], str)
    first = llama.cache() / llama.key(small_llama)
    assert first.is_dir() and llama.key(small_llama) != llama.key(hanoi.adapter())
    for i in range(5):
        llama.convert(small_llama, llama.cache() / f"another{i}")
    assert len([one for one in llama.cache().iterdir() if one.is_dir()]) == llama.KEPT + 1


@pytest.mark.parametrize("change", ["empty", "cut", "one byte"])
def test_a_damaged_conversion_is_named(small_llama, tmp_path, change: str):
    folder = llama.convert(small_llama, tmp_path / "made")
    file = folder / llama.FILE
    whole = bytearray(file.read_bytes())
    if change == "one byte":
        whole[-1000] ^= 255
    file.write_bytes(whole[: {"empty": 0, "cut": len(whole) // 2}.get(change, len(whole))])
    with pytest.raises(model.ModelError, match=r"damaged.*Next step: delete"):
        llama.LlamaGenerator(folder, "made")


def test_what_llama_cpp_cannot_read_is_named_and_does_not_end_the_process(small_llama, tmp_path):
    folder = llama.convert(small_llama, tmp_path / "made")
    (folder / llama.FILE).write_bytes(b"GGUF" + bytes(100))
    (folder / llama.PROOF).write_text(model.sha256(folder / llama.FILE), encoding="ascii")
    with pytest.raises(model.ModelError, match="Next step"):
        llama.LlamaGenerator(folder, "made")


def test_it_fits_llamas_with_byte_level_tokenizers_in_folders(small_llama, tmp_path, monkeypatch):
    assert llama.fits(None) and llama.fits(hanoi.adapter()) and llama.fits(small_llama)
    assert not llama.fits("HuggingFaceTB/SmolLM2-360M-Instruct") and not llama.fits(tmp_path)
    config = json.loads((small_llama / "config.json").read_text(encoding="utf-8"))
    state = json.loads((small_llama / "tokenizer.json").read_text(encoding="utf-8"))
    assert export.why_not_gguf(config, state) is None
    assert "qwen2" in export.why_not_gguf(config | {"model_type": "qwen2"}, state)
    scaled = config | {"rope_parameters": {"rope_type": "llama3"}}
    assert "positions" in export.why_not_gguf(scaled, state)
    assert "byte-level" in export.why_not_gguf(config, state | {"decoder": {"type": "Metaspace"}})
    for reason in ("not installed", "no AVX2"):
        monkeypatch.setattr(llama, "_why_not_here", lambda reason=reason: reason)
        assert not llama.fits(None)
        with pytest.raises(model.ModelError, match=f"{reason}.*--engine torch"):
            llama.load(small_llama, "small")


def test_an_old_processor_is_told_apart():
    code = "from osai.chatbot import llama; print(llama._why_not_here(), llama.fits(None))"
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": "default"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    expected = "no AVX2 False" if os.uname().machine == "x86_64" else "None True"
    assert done.stdout.strip().endswith(expected)


HASTY = """
import sys
from pathlib import Path
from osai.chatbot import llama
for _ in range(20):
    llama.LlamaGenerator(Path(sys.argv[1]), "x")
print("END")
"""


def test_a_generator_that_is_dropped_at_once_does_not_hang(small_llama, tmp_path):
    folder = llama.convert(small_llama, tmp_path / "made")
    done = subprocess.run(
        [sys.executable, "-c", HASTY, folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "END"


ENDS = """
import os, sys
from pathlib import Path
from osai.chatbot import llama
from osai.chatbot.conversations import Message
from osai.chatbot.model import ModelError
one, two = (llama.LlamaGenerator(Path(sys.argv[1]), "x") for _ in range(2))
prompt = [Message("user", "Chào shop")]
before = one.generate([prompt], longest=8)
del two
assert one.generate([prompt], longest=8) == before
pieces = one.stream(prompt)
next(pieces)  # and is never read to its end
if sys.platform != "win32":
    if not os.fork():
        try:
            one.generate([prompt])
        except ModelError as error:
            assert "forked" in str(error)
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
print("END")
"""


def test_python_ends_cleanly_with_a_server_at_work_and_after_a_fork(small_llama, tmp_path):
    folder = llama.convert(small_llama, tmp_path / "made")
    done = subprocess.run(
        [sys.executable, "-c", ENDS, folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "END"), done.stderr
    assert done.stderr.strip() == ""


def test_no_such_engine():
    with pytest.raises(model.ModelError, match="No engine 'gpu'"):
        systems.load("pipeline", "gpu")
