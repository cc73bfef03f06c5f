"""Replies to a file of messages, through the command as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from osai.chatbot import batch, hanoi, model
from osai.chatbot.conversations import Message
from osai.chatbot.generation import TorchGenerator
from osai.chatbot.reply import replies, reply

LINES = [
    {"id": 1, "shop": "bep-ho-guom", "message": "Ấm siêu tốc của chị còn hàng không em?", "x": 1},
    {"id": "2", "shop": "no-such-shop", "message": "Còn hàng không?"},
    {"id": "3", "shop": "lua-ha", "message": "   "},
    {"id": "4", "shop": "lua-ha", "message": "Đơn LH3105 tới đâu rồi?", "history": "none"},
    {"id": "5", "shop": "lua-ha"},
    {
        "id": "6",
        "shop": "lua-ha",
        "message": "LH3105",
        "history": [
            {"role": "user", "content": "Bác muốn hủy đơn hàng cháu ơi"},
            {"role": "assistant", "content": "Dạ bác cho cháu xin mã đơn ạ."},
        ],
    },
]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("batch")
    messages = folder / "messages.jsonl"
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in LINES)
    messages.write_bytes(text.encode() + b"\n\n{broken\n" + "Dạ".encode("utf-16") + b"\n")
    return messages, folder / "replies.jsonl"


@pytest.fixture(scope="module")
def done(files, small_llama) -> subprocess.CompletedProcess:
    messages, out = files
    return osai(
        "reply", "--shops", str(hanoi.folder() / "shops"), "--messages", str(messages),
        "--out", str(out), "--model", str(small_llama),
    )  # fmt: skip


def osai(*words: str) -> subprocess.CompletedProcess:
    """Run the command on a machine whose Python writes cp1252, as Windows does."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "osai.cli", *words],
        capture_output=True,
        env=environment,
        check=False,
        timeout=300,
    )


def test_bad_lines_are_named_and_the_rest_goes_on(done, files):
    told = done.stderr.decode("utf-8")
    assert done.returncode == 1
    for number in (2, 3, 4, 5, 8, 9):
        assert f"line {number}:" in told
    assert "no shop file 'no-such-shop.json'" in told and "Traceback" not in told
    lines = [json.loads(line) for line in files[1].read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["1", "6"]


def test_a_line_says_what_was_understood(done, files):
    lines = [json.loads(line) for line in files[1].read_text(encoding="utf-8").splitlines()]
    assert set(lines[0]) == {"id", "reply", "handoff", "intent", "address", "facts"}
    assert lines[0]["intent"] == "stock" and lines[0]["address"] == "chị"
    assert lines[0]["facts"] == ["products.4"]
    assert lines[1]["intent"] == "cancel" and lines[1]["address"] == "bác"
    assert lines[1]["facts"][0] == "orders.0"


def test_a_missing_file_ends_in_one_line(tmp_path):
    for words in (
        ("--shops", str(tmp_path / "none"), "--messages", "m", "--out", "o"),
        ("--shops", str(hanoi.folder() / "shops"), "--messages", str(tmp_path / "m"), "--out", "o"),
    ):
        failed = osai("reply", *words)
        told = failed.stderr.decode("utf-8").strip()
        assert failed.returncode == 1
        assert len(told.splitlines()) == 1 and "Next step" in told


def test_a_message_of_a_hundred_kilobytes_is_refused():
    shops = hanoi.shops()
    line = {"id": "1", "shop": "lua-ha", "message": "đ" * 100_000}
    with pytest.raises(ValueError, match="more than 4000"):
        batch._request(line, shops)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C in another way")
def test_ctrl_c_keeps_what_was_done(small_llama, tmp_path):
    messages, out = tmp_path / "messages.jsonl", tmp_path / "replies.jsonl"
    line = {"shop": "lua-ha", "message": "Khăn lụa thêu tay còn hàng không em?"}
    messages.write_text(
        "".join(json.dumps({"id": i, **line}, ensure_ascii=False) + "\n" for i in range(2000)),
        encoding="utf-8",
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "osai.cli", "reply", "--shops", str(hanoi.folder() / "shops"),
         "--messages", str(messages), "--out", str(out), "--model", str(small_llama)],
        stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    for _ in range(1200):
        if batch.lines(out) >= 8:
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=60)[1]
    kept = [json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert running.returncode == 130 and f"keeps the first {len(kept)} of 2000" in told
    assert 8 <= len(kept) < 2000 and kept == [str(i) for i in range(len(kept))]


def test_order_does_not_depend_on_length_or_batch(small_llama):
    chatbot = model.load(small_llama)
    shop = hanoi.shops()["lua-ha"]
    texts = ["Còn hàng không?", "Chào shop", "Phí ship về Hải Phòng bao nhiêu vậy shop ơi?"]
    requests = [(shop, [Message("user", text)]) for text in texts]
    writer = TorchGenerator(chatbot, batch_size=2)
    together = replies(writer, requests, longest=8)
    alone = [replies(chatbot, [request], longest=8)[0] for request in requests]
    assert together == alone


@pytest.mark.parametrize("text", ["🙂🙂🙂", "<script>alert(1)</script>", "\x00\x07", "a" * 3000])
def test_odd_messages_get_a_reply(small_llama, text: str):
    assert isinstance(reply(model.load(small_llama), hanoi.shops()["lua-ha"], text).text, str)


def test_train_writes_an_adapter_that_reply_can_use(small_llama, tmp_path):
    trained = osai("train", "--base", str(small_llama), "--out", str(tmp_path / "a"),
                   "--minutes", "0", "--epochs", "1")  # fmt: skip
    assert trained.returncode == 0, trained.stderr.decode("utf-8")
    assert "the minutes are used up" in trained.stdout.decode("utf-8")
    assert model.load(tmp_path / "a").tokenizer is not None


def test_bad_training_data_is_named_with_its_line(tmp_path):
    data = tmp_path / "data.jsonl"
    data.write_text('{"id": "1"}\n', encoding="utf-8")
    failed = osai("train", "--data", str(data), "--out", str(tmp_path / "a"))
    told = failed.stderr.decode("utf-8")
    assert failed.returncode == 1 and "Traceback" not in told
    assert "train_shops.jsonl" in told
    failed = osai("train", "--data", str(data), "--shops", str(hanoi.folder() / "shops"),
                  "--out", str(tmp_path / "a"))  # fmt: skip
    assert "line 1" in failed.stderr.decode("utf-8")


def test_help_and_doctor_write_utf8_whatever_python_was_told():
    assert "fine-tune" in osai("--help").stdout.decode("utf-8").lower()
    report = json.loads(osai("doctor", "--json").stdout.decode("utf-8"))
    assert report
