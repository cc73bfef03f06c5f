"""The training loop: only the adapter learns, packing changes nothing, and it can be stopped."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from osai.chatbot import hanoi, model, training
from osai.chatbot.conversations import IGNORE, Message, encode
from osai.chatbot.model import Chatbot, ModelError
from osai.chatbot.reply import reply
from osai.chatbot.training import TrainingConfig

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
    return training.save_adapter(run, tmp_path_factory.mktemp("run") / "adapter", TINY)


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
    packs = training.pack(examples, 512, chatbot.tokenizer.pad_token_id)
    assert len(packs) == 1
    # Move the new rows away from their start, so that a mix-up of rows would show.
    rows = chatbot.model.get_input_embeddings().token_adapter.trainable_tokens_delta["default"]
    with torch.no_grad():
        rows += 0.01 * torch.randn(rows.shape, generator=torch.Generator().manual_seed(1))
        alone = 0.0
        for example in examples:
            output = chatbot.model(
                input_ids=torch.tensor([example.ids]), labels=torch.tensor([example.labels])
            )
            alone += output.loss.item() * sum(label != IGNORE for label in example.labels[1:])
        return training.label_loss(chatbot.model, packs[0]).item(), alone


def test_a_pack_gives_the_loss_of_its_conversations(fresh: Callable[[], Chatbot], few):
    """Packing, positions and the split embedding are only faster: the loss is that of peft."""
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
    packs = training.pack(examples, 128, pad=0)
    assert sum(row.tokens for row in packs) == sum(len(example.ids) for example in examples)
    assert sum(row.label_count for row in packs) == sum(len(e.ids) - 1 for e in examples)
    for row in packs:
        assert len(row.ids) == len(row.labels) == len(row.positions) == len(row.owner) == 128


def test_a_conversation_longer_than_a_row_gets_a_longer_row():
    example = training.Example(tuple(range(200)), (IGNORE,) * 200)
    (row,) = training.pack([example], 128, pad=0)
    assert len(row.ids) == 256 and row.tokens == 200


def test_the_first_token_of_a_conversation_is_never_predicted_from_its_neighbour():
    examples = [training.Example((7, 8), (7, 8)), training.Example((9, 10), (9, 10))]
    (row,) = training.pack(examples, 64, pad=0)
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
    folder = training.save_adapter(result, tmp_path / "stopped", TINY)
    chatbot = model.load(folder)
    assert reply(chatbot, hanoi.shops()["lua-ha"], "Còn hàng không?").text


def test_training_twice_does_not_pile_adapters_up(run, few):
    with pytest.raises(ModelError, match="carries an adapter already"):
        training.train(run.chatbot, few, TINY, progress=False)


def test_a_folder_with_something_else_is_never_replaced(run, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Mum", encoding="utf-8")
    for check in (training.check_folder, lambda folder: training.save_adapter(run, folder, TINY)):
        with pytest.raises(ModelError, match="nothing was changed"):
            check(tmp_path)
    assert (tmp_path / "letter.txt").read_text(encoding="utf-8") == "Dear Mum"


def test_no_conversations_is_a_clear_error(base):
    with pytest.raises(ModelError, match="No conversations"):
        training.train(base, [], TINY, progress=False)


def test_an_adapter_is_small_and_names_no_folder_of_this_machine(saved):
    names = {file.name for file in saved.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= names
    assert sum(file.stat().st_size for file in saved.iterdir()) < 20_000_000
    config = json.loads((saved / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == model.MODEL_NAME
    record = json.loads((saved / training.STATE).read_text(encoding="utf-8"))
    assert record["ended"] == "done" and record["config"]["seed"] == TINY.seed


def test_a_saved_adapter_replies_as_the_trained_model_did(run, saved):
    shop = hanoi.shops()["song-hong"]
    question = "Quạt đứng Mây còn hàng không em?"
    trained = reply(run.chatbot, shop, question)
    assert reply(model.load(saved), shop, question) == trained
    assert reply(model.merge(model.load(saved)), shop, question) == trained


def test_pefts_own_loader_reads_the_adapter(saved, tmp_path, monkeypatch):
    from peft import AutoPeftModelForCausalLM

    # peft looks the base up by its recorded name: a folder of that name, or the hub.
    monkeypatch.chdir(tmp_path)
    (tmp_path / model.MODEL_NAME).symlink_to(model.base_dir(), target_is_directory=True)
    theirs = AutoPeftModelForCausalLM.from_pretrained(str(saved), dtype=torch.float32).eval()
    ours = model.load(saved)
    ids = ours.tokenizer("Dạ đơn của chị đang giao ạ", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        assert torch.allclose(theirs(ids).logits, ours.model(ids).logits, atol=1e-4)


def test_any_causal_chat_model_can_be_trained(small_llama, few, tmp_path):
    for new_tokens in (0, 40):
        chosen = replace(TINY, new_tokens=new_tokens, epochs=6)
        result = training.train(model.load(small_llama), few, chosen, progress=False)
        assert result.steps[-1].loss < result.steps[0].loss
        folder = training.save_adapter(result, tmp_path / f"adapter{new_tokens}", chosen)
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
        training.save_adapter(run, saved, TINY)
    assert sorted(file.name for file in saved.iterdir()) == before
    assert not saved.with_name(saved.name + ".part").exists()
