"""Fine-tune a chat model with LoRA on a few hundred conversations: one file, top to bottom.

What is trained: a low-rank adapter on every linear layer (LoRA, Hu et al. 2021, through peft) and
the embedding rows of the new Vietnamese tokens. What is not: every weight of the base. The loss is
cross-entropy on the shop's replies only, and the large output layer is computed only where there
is a label.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from osai.chatbot import tokens
from osai.chatbot.conversations import IGNORE, Example, Message, encode
from osai.chatbot.model import MODEL_NAME, Chatbot, ModelError, base_dir, quiet_libraries

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

STATE = "training.json"


@dataclass(frozen=True)
class TrainingConfig:
    """What decides a training run.

    ``rank`` and ``alpha``: LoRA's r and its scale (the update is multiplied by alpha / rank).
    ``batch_tokens``: tokens a step. Conversations are packed into rows of ``pack_tokens``, one row
    goes through the model at a time, and the gradients of a step's rows are added up: short rows
    need less memory, long ones less time. None takes 384 for 16-bit weights and 192 for 32-bit
    ones: measured on Linux, 1.5 and 2.1 GB at the peak, with mimalloc 1.3 and 1.7. ``minutes``: stop after that long, at the end of a step; None
    for all epochs. ``new_tokens``: how many Vietnamese merges to append before training; 0 for none.
    """

    epochs: int = 1
    learning_rate: float = 1e-3
    warmup: float = 0.05
    rank: int = 16
    alpha: int = 32
    batch_tokens: int = 768
    pack_tokens: int | None = None
    new_tokens: int = 400
    seed: int = 0
    minutes: float | None = None
    dtype: str = "auto"


@dataclass(frozen=True)
class Step:
    """What is known after one step; ``loss`` is nats per label token, ``tokens`` counts so far."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Tokens that went through the model a second, padding left out."""
        return self.tokens / max(self.seconds, 1e-9)


@dataclass(frozen=True)
class TrainingResult:
    """The trained chatbot (ready to reply), what every step reported, and why training ended.

    ``ended`` is ``done`` (all epochs), ``time`` (minutes used up) or ``stopped`` (Ctrl-C).
    """

    chatbot: Chatbot
    steps: tuple[Step, ...]
    ended: str


def prepare(chatbot: Chatbot, texts: Sequence[str], config: TrainingConfig) -> Chatbot:
    """A chatbot ready for training: Vietnamese tokens appended, LoRA layers in place.

    ``texts`` are those the new tokens are learned from (training texts only). The base weights are
    frozen; the given chatbot's model is changed in place, as peft does.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from peft.tuners.tuners_utils import BaseTunerLayer

    if any(isinstance(module, BaseTunerLayer) for module in chatbot.model.modules()):
        raise ModelError(
            f"{chatbot.name} carries an adapter already; a second one would lie on top of it. Next "
            "step: load the base model again with `model.load()`, then train."
        )
    torch.manual_seed(config.seed)
    tokenizer = chatbot.tokenizer
    new: list[int] = []
    if config.new_tokens:
        merges = tokens.learn_merges(tokenizer, texts, config.new_tokens)
        tokenizer = tokens.extend(tokenizer, merges)
        new = tokens.grow_embedding(chatbot.model, chatbot.tokenizer, tokenizer)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        trainable_token_indices={"embed_tokens": new} if new else None,
    )
    with quiet_libraries():
        model = get_peft_model(chatbot.model, lora, autocast_adapter_dtype=False)
    model.peft_config["default"].base_model_name_or_path = portable_name(chatbot)
    return replace(chatbot, model=model, tokenizer=tokenizer)


def portable_name(chatbot: Chatbot) -> str:
    """The name of the base that an adapter records: no path of this machine for the own base."""
    return MODEL_NAME if chatbot.source == str(base_dir()) else chatbot.source


@dataclass(frozen=True)
class Pack:
    """Conversations laid side by side in one row of fixed length.

    One fixed shape is what processors like: for every new shape the matrix library compiles its
    kernels anew, which costs more than the padding. ``ids``, ``labels`` and ``positions`` have
    as many entries as the row has tokens; ``owner`` says which conversation a token belongs to (-1: padding), so
    that attention stays inside each conversation.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    positions: tuple[int, ...]
    owner: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Tokens that are not padding."""
        return sum(number >= 0 for number in self.owner)

    @property
    def label_count(self) -> int:
        """Tokens to be learned."""
        return sum(label != IGNORE for label in self.labels)


def pack(examples: Sequence[Example], length: int, pad: int) -> list[Pack]:
    """Put conversations into as few rows of ``length`` tokens as first-fit finds, in their order.

    A row grows to the next multiple of 64 where a single conversation is longer than ``length``.
    """
    bins: list[list[Example]] = []
    room: list[int] = []
    for example in examples:
        size = len(example.ids)
        fits = next((i for i, free in enumerate(room) if free >= size), None)
        if fits is None:
            bins.append([])
            room.append(max(length, math.ceil(size / 64) * 64))
            fits = len(bins) - 1
        bins[fits].append(example)
        room[fits] -= size
    return [
        Pack(
            ids=tuple(chain(*(e.ids for e in row), repeat(pad, free))),
            labels=tuple(chain(*((IGNORE, *e.labels[1:]) for e in row), repeat(IGNORE, free))),
            positions=tuple(chain(*(range(len(e.ids)) for e in row), repeat(0, free))),
            owner=tuple(
                chain(*(repeat(i, len(e.ids)) for i, e in enumerate(row)), repeat(-1, free))
            ),
        )
        for row, free in zip(bins, room, strict=True)
    ]


def label_loss(model: PeftModel, row: Pack) -> torch.Tensor:
    """Sum of the cross-entropy over the labels of a pack, in nats.

    Shapes: hidden states are (1, tokens, width); only the positions before a label go on to the
    output layer, as (labels, vocabulary). The rows of new tokens are put beside the frozen
    embedding instead of into it: copying the whole matrix every step, as peft's own layer does,
    would cost a third of the time.
    """
    import torch
    from torch.nn import functional

    device = model.device
    ids, labels, positions, owner = (
        torch.tensor([field], device=device)
        for field in (row.ids, row.labels, row.positions, row.owner)
    )
    # A token sees itself and what stands before it in its own conversation.
    same = owner[:, :, None] == owner[:, None, :]
    sees = torch.tril(same)[:, None]

    embedding = model.get_input_embeddings()
    rows = getattr(embedding, "token_adapter", None)
    if rows is None:
        vectors = embedding(ids)
    else:
        frozen, trained = rows.base_layer.weight, rows.trainable_tokens_delta["default"]
        first = rows.token_indices["default"][0]
        last = first + trained.shape[0]  # some models have spare rows after it
        is_new = ((ids >= first) & (ids < last))[..., None]
        new = functional.embedding((ids - first).clamp(0, trained.shape[0] - 1), trained)
        vectors = torch.where(is_new, new, functional.embedding(ids, frozen))
    hidden = model.base_model.model.model(
        inputs_embeds=vectors, attention_mask=sees, position_ids=positions, use_cache=False
    ).last_hidden_state

    # Position i predicts token i + 1: this is the one place where the shift happens.
    places = (labels[0, 1:] != IGNORE).nonzero()[:, 0]
    wanted = labels[0, places + 1]
    spare = -len(places) % 64  # a multiple of 64 again keeps the shapes few
    places = functional.pad(places, (0, spare))
    wanted = functional.pad(wanted, (0, spare), value=IGNORE)
    before = hidden[0, places]
    if rows is None or not model.config.tie_word_embeddings:
        logits = model.get_output_embeddings()(before)
    else:
        parts = (frozen[:first], trained, frozen[last:])
        logits = torch.cat([before @ part.T for part in parts if len(part)], dim=-1)
    return functional.cross_entropy(logits.float(), wanted, reduction="sum", ignore_index=IGNORE)


def learning_rate(step: int, steps: int, config: TrainingConfig, minutes: float = 0.0) -> float:
    """Linear warm-up, then a half cosine down to a tenth; ``step`` counts from 0.

    On a computer too slow for all steps the time sets the pace: after ``minutes`` of
    ``config.minutes`` the rate is as low as after that share of the steps, so that a run which the
    clock ends has also come to rest.
    """
    rise = max(1, round(steps * config.warmup))
    if step < rise:
        return config.learning_rate * (step + 1) / rise
    progress = (step - rise) / max(1, steps - rise)
    if config.minutes:
        progress = min(1.0, max(progress, minutes / config.minutes))
    return config.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))


def plan(
    examples: Sequence[Example], config: TrainingConfig, row_tokens: int, pad: int
) -> list[list[Pack]]:
    """All steps of a run: each epoch shuffles the conversations, packs them and cuts steps."""
    steps = []
    per_step = max(1, config.batch_tokens // row_tokens)
    for epoch in range(config.epochs):
        order = list(examples)
        random.Random(f"{config.seed}-{epoch}").shuffle(order)
        rows = pack(order, row_tokens, pad)
        steps += [rows[i : i + per_step] for i in range(0, len(rows), per_step)]
    return steps


def train(
    chatbot: Chatbot,
    conversations: Sequence[Sequence[Message]],
    config: TrainingConfig = TrainingConfig(),
    on_step: Callable[[Step], None] | None = None,
    progress: bool = True,
) -> TrainingResult:
    """Fine-tune on conversations (each with its system turn); Ctrl-C ends with a usable adapter.

    ``on_step`` is called after every step. Raises ModelError for an empty data set.
    """
    import torch
    from tqdm.auto import tqdm

    if not conversations:
        raise ModelError("No conversations to train on. Next step: check the data file.")
    texts = [message.content for messages in conversations for message in messages]
    chatbot = prepare(chatbot, texts, config)
    model, tokenizer = chatbot.model, chatbot.tokenizer
    examples = [encode(tokenizer, messages, last_only=True) for messages in conversations]
    row_tokens = config.pack_tokens or (384 if model.dtype.itemsize == 2 else 192)
    steps = plan(examples, config, row_tokens, tokenizer.pad_token_id)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    # Steps are smaller than what bfloat16 can tell apart, so the optimizer keeps float32 copies.
    masters = [weight.detach().float().clone() for weight in weights]
    optimizer = torch.optim.AdamW(masters, lr=config.learning_rate, weight_decay=0.0)

    history: list[Step] = []
    ended, seen, start = "done", 0, time.monotonic()
    model.train()
    with tqdm(total=len(steps), desc="Training", disable=not progress) as bar:
        try:
            for number, rows in enumerate(steps):
                minutes = (time.monotonic() - start) / 60
                rate = learning_rate(number, len(steps), config, minutes)
                loss = _step(model, weights, optimizer, rows, rate)
                seen += sum(row.tokens for row in rows)
                done = Step(number + 1, len(steps), loss, rate, seen, time.monotonic() - start)
                history.append(done)
                bar.set_postfix_str(
                    f"loss {loss:.2f}, {done.tokens_per_second:.0f} tokens/s", refresh=False
                )
                bar.update()
                if on_step is not None:
                    on_step(done)
                late = config.minutes is not None and done.seconds > 60 * config.minutes
                if late and number + 1 < len(steps):
                    ended = "time"
                    break
        except KeyboardInterrupt:
            ended = "stopped"
    model.eval()
    return TrainingResult(chatbot, tuple(history), ended)


def _step(
    model: PeftModel,
    weights: Sequence[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    rows: Sequence[Pack],
    rate: float,
) -> float:
    """One step over a few packs; returns the mean loss of their labels, in nats.

    ``weights`` are the trainable ones of the model; the optimizer holds their float32 copies.
    """
    import torch

    labels = sum(row.label_count for row in rows)
    total = 0.0
    for row in rows:
        loss = label_loss(model, row) / labels
        loss.backward()
        total += loss.item()

    group = optimizer.param_groups[0]
    group["lr"] = rate
    for master, weight in zip(group["params"], weights, strict=True):
        master.grad, weight.grad = weight.grad.float(), None
    torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimizer.step()
    with torch.no_grad():
        for master, weight in zip(group["params"], weights, strict=True):
            weight.copy_(master)
    return total


def check_folder(folder: Path) -> Path:
    """The absolute path of a folder that an adapter may be written to; look before training.

    Raises ModelError for a folder that holds anything but an adapter, or cannot be made.
    """
    folder = folder.resolve()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not (folder / "adapter_config.json").is_file():
                raise ModelError(
                    f"{folder} exists and holds something else than an adapter; nothing was "
                    "changed. Next step: name a new folder."
                )
        else:
            folder.mkdir(parents=True, exist_ok=True)
            folder.rmdir()
    except OSError as error:
        raise ModelError(
            f"An adapter cannot be written to {folder}: {error.strerror or error}. Next step: "
            "choose another folder."
        ) from None
    return folder


def save_adapter(result: TrainingResult, folder: Path, config: TrainingConfig) -> Path:
    """Write the adapter, its tokenizer and the run's record to a folder, in peft's own format.

    Weights are stored as float16. The folder appears whole or not at all; an older one of the same
    name is replaced. Raises ModelError where it cannot be written.
    """
    import torch
    from safetensors.torch import load_file, save_file

    folder = check_folder(folder)
    work = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        result.chatbot.model.save_pretrained(work, save_embedding_layers=False)
        weights = work / "adapter_model.safetensors"
        save_file(
            {name: value.to(torch.float16) for name, value in load_file(weights).items()},
            weights,
            metadata={"format": "pt"},
        )
        result.chatbot.tokenizer.save_pretrained(work)
        record = {
            "config": asdict(config),
            "ended": result.ended,
            "steps": [asdict(step) for step in result.steps],
        }
        (work / STATE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        work.replace(folder)
    except OSError as error:
        raise ModelError(
            f"The adapter could not be written to {folder}: {error.strerror or error}. Next step: "
            "make room or choose another folder."
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder
