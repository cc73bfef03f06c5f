"""The training loop: only the adapter learns, packing changes nothing, and it can be stopped."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from osai.chatbot import adapters, hanoi, model, packs, training
from osai.chatbot.conversations import IGNORE, Message, encode
from osai.chatbot.model import Chatbot, ModelError
from osai.chatbot.reply import reply
from osai.chatbot.training import TrainingConfig
from safetensors.torch import load_file

TINY = TrainingConfig(
    epochs=3, learning_rate=3e-3, batch_tokens=192, new_tokens=60, dtype="float32"
)


@pytest.fixture(scope="module")
def few(conversations) -> list[list[Message]]:
    return conversations[:6]


@pytest.fixture(scope="module")
def run(few) -> training.TrainingResult:
    """A tiny real run, shared by the tests that only look at it."""
    return training.train(model.load(dtype="float32"), few, TINY, progress=False)


@pytest.fixture(scope="module")
def saved(run, tmp_path_factory) -> Path:
    return adapters.save_adapter(run, tmp_path_factory.mktemp("run") / "adapter", TINY)


def test_the_loss_falls(run):
    assert run.ended == "done"
    assert run.steps[-1].step == run.steps[-1].steps == len(run.steps)
    assert run.steps[-1].loss < 0.7 * run.steps[0].loss


def test_only_adapter_weights_and_new_rows_change(base, run):
    known = dict(base.model.named_parameters())
    trained = dict(run.chatbot.model.base_model.model.named_parameters())
    rows = len(base.tokenizer)
    compared = 0
    for name, weight in known.items():
        now = trained.get(name) if name in trained else None
        for other in (name.replace(".weight", ".base_layer.weight"), _embedding(name)):
            now = trained.get(other) if now is None else now
        assert now is not None, f"{name} is not in the trained model"
        assert torch.equal(weight, now[:rows] if "embed_tokens" in name else now), name
        compared += 1
    assert compared == len(known)


def _embedding(name: str) -> str:
    return name.replace("embed_tokens.weight", "embed_tokens.token_adapter.base_layer.weight")


def losses(chatbot: Chatbot, few) -> tuple[float, float]:
    """Loss of one pack of three conversations, and the sum of peft's own losses of the three."""
    texts = [message.content for messages in few for message in messages]
    chatbot = training.prepare(chatbot, texts, TINY)
    examples = [encode(chatbot.tokenizer, messages, last_only=True) for messages in few[:3]]
    rows = packs.pack(examples, 1024, chatbot.tokenizer.pad_token_id)
    assert len(rows) == 1
    # Move the new rows away from their start, so that a mix-up of rows would show.
    trained = chatbot.model.get_input_embeddings().token_adapter.trainable_tokens_delta["default"]
    with torch.no_grad():
        trained += 0.01 * torch.randn(trained.shape, generator=torch.Generator().manual_seed(1))
        alone = 0.0
        for example in examples:
            output = chatbot.model(
                input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels])
            )
            alone += output.loss.item() * sum(label != IGNORE for label in example.labels[1:])
        packs.use_packed_attention(chatbot.model.base_model.model)
        return training.label_loss(chatbot.model, rows[0]).item(), alone


def test_a_pack_gives_the_loss_of_its_conversations(fresh: Callable[[], Chatbot], few):
    """Packing, its attention and the split embedding are only faster: the loss is that of peft."""
    packed, alone = losses(fresh(), few)
    assert packed == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("tied", [True, False])
def test_so_it_does_where_the_embedding_has_spare_rows_or_is_not_tied(
    small_llama, few, tied: bool, tmp_path
):
    if not tied:
        small_llama = Path(shutil.copytree(small_llama, tmp_path / "untied"))
        config = small_llama / "config.json"
        changed = json.loads(config.read_text(encoding="utf-8")) | {"tie_word_embeddings": False}
        config.write_text(json.dumps(changed), encoding="utf-8")
    packed, alone = losses(model.load(small_llama), few)
    assert packed == pytest.approx(alone, rel=1e-4)


def test_packs_hold_every_token_once_and_stay_full_rows():
    rng = random.Random(0)
    examples = [
        training.Example(tuple(range(n)), (IGNORE, *range(1, n)))
        for n in (rng.randrange(5, 90) for _ in range(40))
    ]
    rows = packs.pack(examples, 128, pad=0)
    assert sum(row.tokens for row in rows) == sum(len(example.ids) for example in examples)
    assert sum(row.label_count for row in rows) == sum(len(e.ids) - 1 for e in examples)
    for row in rows:
        assert len(row.ids) == len(row.labels) == len(row.positions) == 128


def test_a_conversation_longer_than_a_row_gets_a_longer_row():
    example = training.Example(tuple(range(200)), (IGNORE,) * 200)
    (row,) = packs.pack([example], 128, pad=0)
    assert len(row.ids) == 256 and row.tokens == 200


def test_the_first_token_of_a_conversation_is_never_predicted_from_its_neighbour():
    examples = [training.Example((7, 8), (7, 8)), training.Example((9, 10), (9, 10))]
    (row,) = packs.pack(examples, 64, pad=0)
    assert row.labels[0] == IGNORE and row.labels[2] == IGNORE


def test_the_learning_rate_rises_then_falls():
    config = TrainingConfig()
    rates = [training.learning_rate(step, 100, config) for step in range(100)]
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) == pytest.approx(config.learning_rate) and rates[-1] > 0


def test_on_a_slow_computer_the_clock_brings_the_learning_rate_down():
    config = TrainingConfig(minutes=10)
    rates = [training.learning_rate(20, 100, config, minutes) for minutes in (0, 1, 5, 9, 10, 12)]
    assert rates[0] == rates[1] == training.learning_rate(20, 100, TrainingConfig())
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert rates[-1] == pytest.approx(0.1 * config.learning_rate)


def test_the_same_seed_gives_the_same_steps(few, run):
    again = training.train(
        model.load(dtype="float32"), few, replace(TINY, minutes=0.0), progress=False
    )
    assert again.ended == "time" and len(again.steps) == 1
    assert again.steps[0].loss == pytest.approx(run.steps[0].loss, rel=1e-5)


def test_ctrl_c_leaves_a_usable_adapter(few, tmp_path):
    def stop(step: training.Step) -> None:
        if step.step == 2:
            raise KeyboardInterrupt

    result = training.train(model.load(dtype="float32"), few, TINY, on_step=stop, progress=False)
    assert result.ended == "stopped" and len(result.steps) == 2
    folder = adapters.save_adapter(result, tmp_path / "stopped", TINY)
    chatbot = model.load(folder)
    assert reply(chatbot, hanoi.shops()["lua-ha"], "Còn hàng không?").text


def test_training_twice_does_not_pile_adapters_up(run, few):
    with pytest.raises(ModelError, match="carries an adapter already"):
        training.train(run.chatbot, few, TINY, progress=False)


def test_a_folder_with_something_else_is_never_replaced(run, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Mum", encoding="utf-8")
    for check in (adapters.check_folder, lambda folder: adapters.save_adapter(run, folder, TINY)):
        with pytest.raises(ModelError, match="nothing was changed"):
            check(tmp_path)
    assert (tmp_path / "letter.txt").read_text(encoding="utf-8") == "Dear Mum"


def test_no_conversations_is_a_clear_error(base):
    with pytest.raises(ModelError, match="No conversations"):
        training.train(base, [], TINY, progress=False)


def test_an_adapter_is_small_and_says_what_it_is(saved):
    names = {file.name for file in saved.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= names
    assert adapters.STATE not in names  # nothing to go on with: it came to its end
    assert sum(file.stat().st_size for file in saved.iterdir()) < 20_000_000
    card = (saved / "README.md").read_text(encoding="utf-8")
    assert model.GGUF_SHA256 in card and "Q4_1" in card
    record = json.loads((saved / adapters.RECORD).read_text(encoding="utf-8"))
    assert record["ended"] == "done" and record["config"]["seed"] == TINY.seed


def test_a_saved_adapter_replies_as_the_trained_model_did(run, saved):
    shop = hanoi.shops()["song-hong"]
    question = "Quạt đứng Mây còn hàng không em?"
    trained = reply(run.chatbot, shop, question)
    assert reply(model.load(saved), shop, question) == trained
    assert reply(model.merge(model.load(saved)), shop, question) == trained


def peft_logits(folder: Path, text: str) -> torch.Tensor:
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer

    theirs = AutoPeftModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32).eval()
    with torch.inference_mode():
        ids = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")["input_ids"]
        return theirs(ids).logits


def test_pefts_own_loader_gives_the_same(saved):
    text = "Dạ đơn của chị đang giao ạ"
    ours = model.load(saved)
    with torch.inference_mode():
        ids = ours.tokenizer(text, return_tensors="pt")["input_ids"]
        assert torch.allclose(peft_logits(saved, text), ours.model(ids).logits, atol=1e-4)


def test_an_adapter_of_another_computer_finds_its_base_here(saved, tmp_path):
    moved = Path(shutil.copytree(saved, tmp_path / "moved"))
    config = moved / "adapter_config.json"
    record = json.loads(config.read_text(encoding="utf-8"))
    for name in (f"/home/jovyan/.cache/osai/models/{model.base_dir().name}", adapters.HUB_BASE):
        record["base_model_name_or_path"] = name
        config.write_text(json.dumps(record), encoding="utf-8")
        assert model.load(moved).name.startswith(model.MODEL_NAME)
    here = adapters.localise(moved, tmp_path / "here")
    assert model.base_of_adapter(here) == str(model.base_dir())


def test_any_causal_chat_model_can_be_trained(small_llama, few, tmp_path):
    for new_tokens in (0, 40):
        chosen = replace(TINY, new_tokens=new_tokens, epochs=6)
        result = training.train(model.load(small_llama), few, chosen, progress=False)
        assert result.steps[-1].loss < result.steps[0].loss
        folder = adapters.save_adapter(result, tmp_path / f"adapter{new_tokens}", chosen)
        shop = hanoi.shops()["lua-ha"]
        assert reply(model.load(folder), shop, "Chào shop") == reply(
            result.chatbot, shop, "Chào shop"
        )


def test_a_full_disk_says_so_and_keeps_the_old_adapter(run, saved, monkeypatch):
    before = sorted(file.name for file in saved.iterdir())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(run.chatbot.model), "save_pretrained", full)
    with pytest.raises(ModelError, match="No space left"):
        adapters.save_adapter(run, saved, TINY)
    assert sorted(file.name for file in saved.iterdir()) == before
    assert not saved.with_name(saved.name + ".part").exists()


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(few, run, tmp_path):
    def stop(step: training.Step) -> None:
        if step.step == 2:
            raise KeyboardInterrupt

    first = training.train(model.load(dtype="float32"), few, TINY, on_step=stop, progress=False)
    folder = adapters.save_adapter(first, tmp_path / "run", TINY, resumable=True)
    assert (folder / adapters.STATE).is_file()
    with pytest.raises(ModelError, match="add --resume"):
        adapters.check_folder(folder)
    start = adapters.load_state(adapters.check_folder(folder, resume=True))
    whole = training.train(model.load(dtype="float32"), few, TINY, progress=False, start=start)
    assert [step.step for step in whole.steps] == [step.step for step in run.steps]
    assert whole.steps[-1].loss == pytest.approx(run.steps[-1].loss, rel=1e-3)
    for name, tensor in whole.state.tensors.items():
        assert torch.allclose(tensor, run.state.tensors[name], atol=1e-4), name
    adapters.save_adapter(whole, folder, TINY)
    assert not (folder / adapters.STATE).exists()
    with pytest.raises(ModelError, match="no stopped run"):
        adapters.check_folder(folder, resume=True)


def test_a_stopped_run_is_not_mixed_with_another(few, run):
    other = replace(TINY, learning_rate=1e-4)
    with pytest.raises(ModelError, match="other settings"):
        training.train(model.load(dtype="float32"), few, other, progress=False, start=run.state)


def test_a_broken_state_says_so(run, tmp_path):
    folder = adapters.save_adapter(replace(run, ended="stopped"), tmp_path / "run", TINY, True)
    (folder / adapters.STATE).write_bytes(b"half")
    with pytest.raises(ModelError, match="cannot be read"):
        adapters.load_state(folder)


def test_a_run_is_kept_while_it_goes(few, small_llama, monkeypatch):
    monkeypatch.setattr(training, "KEEP_EVERY", 0.0)
    kept = []
    training.train(model.load(small_llama), few, TINY, progress=False, keep=kept.append)
    assert len(kept) > 1 and {result.ended for result in kept} == {"running"}


def test_computing_layers_twice_gives_the_same_gradient(small_llama, few):
    ends = [
        training.train(
            model.load(small_llama),
            few,
            replace(TINY, epochs=1, batch_tokens=4096, pack_tokens=1024, recompute=recompute),
            progress=False,
        )
        for recompute in (True, False)
    ]
    assert len(ends[0].steps) == len(ends[1].steps) == 1
    assert ends[0].steps[0].loss == pytest.approx(ends[1].steps[0].loss, rel=1e-4)
    for name, tensor in ends[0].state.tensors.items():
        if name.startswith("exp_avg."):
            assert torch.allclose(tensor, ends[1].state.tensors[name], rtol=1e-2, atol=1e-6), name


def test_two_processes_learn_what_one_does(small_llama, tmp_path):
    lines = (hanoi.folder() / "train.jsonl").read_text(encoding="utf-8").splitlines()[:24]
    data = tmp_path / "few.jsonl"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["train", "--base", str(small_llama), "--data", str(data), "--new-tokens", "40",
             "--shops", str(hanoi.folder() / "train_shops.jsonl"), "--dtype", "float32",
             "--batch-tokens", "1600"]  # fmt: skip
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2",
              "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m"]  # fmt: skip
    for name, before in (("one", ["-m"]), ("two", launch)):
        done = subprocess.run(
            [sys.executable, *before, "osai.cli", *words, "--out", str(tmp_path / name)],
            capture_output=True, encoding="utf-8", check=False, timeout=300,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (load_file(tmp_path / n / "adapter_model.safetensors") for n in ("one", "two"))
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert torch.allclose(tensor.float(), two[name].float(), atol=2e-3), name
    steps = [
        json.loads((tmp_path / n / adapters.RECORD).read_text())["steps"] for n in ("one", "two")
    ]
    assert len(steps[0]) == len(steps[1]) > 1
    for a, b in zip(*steps, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3) and a["tokens"] == b["tokens"]


def test_ctrl_c_in_a_terminal_leaves_an_adapter_and_resume_finishes_it(small_llama, tmp_path):
    lines = (hanoi.folder() / "train.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "adapter"
    command = [sys.executable, "-m", "osai.cli", "train", "--base", str(small_llama), "--data", str(data),
               "--shops", str(hanoi.folder() / "train_shops.jsonl"), "--new-tokens", "40",
               "--out", str(out)]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""
    while b"tokens/s" not in seen:  # the bar shows a first step
        piece = running.stderr.read1()
        assert piece, seen.decode(errors="replace")
        seen += piece
    running.send_signal(signal.SIGINT)
    told, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert "stopped by Ctrl-C; --resume goes on" in told.decode()
    assert model.load(out).tokenizer
    again = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=300)
    assert again.returncode == 1 and "add --resume" in again.stderr
    done = subprocess.run(
        [*command, "--resume"], capture_output=True, encoding="utf-8", check=False, timeout=300
    )
    assert done.returncode == 0 and "all epochs done" in done.stdout, done.stderr


def test_the_same_seed_gives_the_same_adapter(small_llama, few, tmp_path):
    folders = [
        adapters.save_adapter(
            training.train(model.load(small_llama), few, TINY, progress=False),
            tmp_path / name,
            TINY,
        )
        for name in ("one", "two")
    ]
    weights = [(folder / "adapter_model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]
