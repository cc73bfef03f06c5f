"""The fast engine writes what PyTorch writes, nearly always, and streams it."""

from __future__ import annotations

import threading

import pytest
from osai.chatbot import hanoi, int8, model, systems
from osai.chatbot.conversations import Message
from osai.chatbot.evaluation import evaluate
from osai.chatbot.generation import TorchGenerator, whole_letters
from osai.chatbot.reply import as_prompt

SHOPS = hanoi.shops()
CASES = hanoi.customers("customers_dev")
PROMPTS = [as_prompt((SHOPS[case.shop], [Message("user", case.message)])) for case in CASES]


@pytest.fixture(scope="module")
def fast() -> int8.Int8Generator:
    return systems.generator("finetuned", "int8")


@pytest.fixture(scope="module")
def written(fast) -> list[str]:
    return fast.generate(PROMPTS)


def test_it_is_what_serves_here():
    assert isinstance(systems.generator("finetuned"), int8.Int8Generator)
    assert isinstance(systems.load("pipeline").writer, int8.Int8Generator)


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


def test_beam_search_writes_the_same_again(fast):
    tried = [fast.generate(PROMPTS[:4], beams=4) for _ in range(2)]
    assert tried[0] == tried[1]


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
    made = int8.load(small_llama, "small")
    assert isinstance(made.generate(PROMPTS[:1], longest=4)[0], str)
    first = int8.cache() / int8.key(small_llama)
    assert first.is_dir() and int8.key(small_llama) != int8.key(hanoi.adapter())
    for i in range(5):
        int8.convert(small_llama, int8.cache() / f"another{i}")
    assert len([one for one in int8.cache().iterdir() if one.is_dir()]) == int8.KEPT + 1


def test_a_damaged_conversion_is_named(small_llama, tmp_path):
    folder = int8.convert(small_llama, tmp_path / "made")
    (folder / "model.bin").write_bytes(b"\x00" * 100)
    with pytest.raises(model.ModelError, match="Next step"):
        int8.Int8Generator(folder, "made")


def test_no_such_engine():
    with pytest.raises(model.ModelError, match="No engine 'gpu'"):
        systems.load("pipeline", "gpu")
