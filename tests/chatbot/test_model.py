"""The model: converted once, checked, and with a reason and a next step when it is not there."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
from osai.chatbot import model
from osai.chatbot.model import ModelError


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the test's own, with files linked instead of half a gigabyte copied."""
    real = model.base_dir()
    monkeypatch.setenv("OSAI_CACHE", str(tmp_path / "cache"))
    model.base_dir().parent.mkdir(parents=True)
    return real


def copied(real: Path) -> Path:
    folder = model.base_dir()
    shutil.copytree(real, folder, copy_function=os.link)
    return folder


def damaged(file: Path, content: bytes) -> None:
    file.unlink()  # a hard link: never write through it
    file.write_bytes(content)


def test_the_base_is_the_file_we_say_it_is():
    assert model.sha256(model.gguf_path()) == model.GGUF_SHA256
    model.check_base(deep=True)


def test_the_base_is_the_published_shape(base):
    assert base.name == model.MODEL_NAME
    assert base.model.num_parameters() == 134_515_008
    assert len(base.tokenizer) == 49152
    assert base.tokenizer.chat_template


def test_a_cache_that_is_not_there_says_run_set_up(cache):
    with pytest.raises(ModelError, match=r"has not been converted yet.*Next step: run the set-up"):
        model.load()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("model.safetensors", b"short", "bytes instead of"),
        ("tokenizer.json", b"{}", "bytes instead of"),
        ("manifest.json", b"{", "unreadable manifest"),
        ("manifest.json", b"[]", "unreadable manifest"),
    ],
)
def test_a_damaged_cache_is_named(cache, name: str, content: bytes, problem: str):
    damaged(copied(cache) / name, content)
    with pytest.raises(ModelError, match=problem) as error:
        model.check_base()
    assert "Next step" in str(error.value)


def test_a_changed_byte_is_found_by_the_deep_check_only(cache):
    file = copied(cache) / "config.json"
    damaged(file, file.read_bytes().replace(b"1536", b"1537"))
    model.check_base()
    with pytest.raises(ModelError, match=r"config\.json has changed"):
        model.check_base(deep=True)


def test_set_up_mends_a_damaged_cache_and_shows_one_bar(cache, capfd):
    """A real conversion, the only one of the suite (about 20 s)."""
    damaged(copied(cache) / "model.safetensors", b"short")
    folder = model.prepare_base()
    shown = capfd.readouterr().err
    assert "Converting the model: 100%" in shown and "de-quantizing" not in shown
    model.check_base(deep=True)
    ours = json.loads((folder / model.MANIFEST).read_text(encoding="utf-8"))
    theirs = json.loads((cache / model.MANIFEST).read_text(encoding="utf-8"))
    assert ours["files"] == theirs["files"], "conversion is not the same every time"
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


def test_a_missing_wheel_says_how_to_get_it(cache, monkeypatch):
    monkeypatch.setattr(model, "WHEEL", "llm-smollm3")
    with pytest.raises(ModelError, match=r"llm-smollm3, which holds the model, is not installed"):
        model.prepare_base(progress=False)


def test_another_model_file_is_refused(cache, monkeypatch):
    monkeypatch.setattr(model, "sha256", lambda path: "0" * 64)
    with pytest.raises(ModelError, match="is not the one this course was made with"):
        model.prepare_base(progress=False)


def test_a_full_disk_is_seen_before_the_work(cache, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10**6))
    with pytest.raises(ModelError, match=r"Not enough disk space.*1 MB free"):
        model.prepare_base(progress=False)


def test_a_disk_that_fills_up_on_the_way_leaves_nothing_behind(cache, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(model, "_convert", full)
    with pytest.raises(ModelError, match="No space left"):
        model.prepare_base(progress=False)
    assert list(model.base_dir().parent.iterdir()) == []


def test_a_cache_folder_that_is_a_file_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("OSAI_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="OSAI_CACHE"):
        model.prepare_base(progress=False)


def test_a_folder_without_a_model_says_what_was_expected(tmp_path):
    with pytest.raises(ModelError, match="neither a model"):
        model.load(tmp_path)


def test_a_hub_that_cannot_be_reached_is_tried_once_and_quickly(monkeypatch):
    monkeypatch.setattr(model, "hub_answers", lambda: False)
    with pytest.raises(ModelError, match="could not be fetched from the hub"):
        model.load("nobody/no-such-model")


def test_an_unreachable_hub_is_noticed(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not model.hub_answers(timeout=2)


def test_a_broken_adapter_is_named(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"unreadable adapter_config\.json"):
        model.load(tmp_path)
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": model.MODEL_NAME, "peft_type": "LORA"}),
        encoding="utf-8",
    )
    with pytest.raises(ModelError, match="does not fit its base"):
        model.load(tmp_path)


def test_a_model_without_chat_template_is_no_chat_model(tmp_path):
    folder = tmp_path / "plain"
    shutil.copytree(model.base_dir(), folder, copy_function=os.link)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="no chat template"):
        model.load(folder)


def test_the_command_ends_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OSAI_CACHE", str(tmp_path))
    monkeypatch.setattr(model, "WHEEL", "llm-smollm3")
    assert model.main(["prepare"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert model.main(["nonsense"]) == 2
