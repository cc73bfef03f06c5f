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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from osai.chatbot import tokens
from osai.chatbot.conversations import IGNORE, Example, Message, encode
from osai.chatbot.model import MODEL_NAME, Chatbot, ModelError, base_dir

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

STATE = "training.json"


@dataclass(frozen=True)
class TrainingConfig:
    """What decides a training run.

    ``rank`` and ``alpha``: LoRA's r and its scale (the update is multiplied by alpha / rank).
    ``batch_size``: conversations a step; ``micro_tokens``: most tokens, padding counted, that go
    through the model at once (a step adds up several such pieces, so that memory stays small).
    ``minutes``: stop after that long, at the end of a step; None for all epochs. ``new_tokens``:
    how many Vietnamese merges to append before training; 0 for none.
    """

    epochs: int = 4
    learning_rate: float = 1e-3
    warmup: float = 0.05
    rank: int = 16
    alpha: int = 32
    batch_size: int = 8
    micro_tokens: int = 320
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
    chatbot.model.config._name_or_path = portable_name(chatbot)
    model = get_peft_model(chatbot.model, lora, autocast_adapter_dtype=False)
    return replace(chatbot, model=model, tokenizer=tokenizer)


def portable_name(chatbot: Chatbot) -> str:
    """The name of the base that an adapter records: no path of this machine for the own base."""
    return MODEL_NAME if chatbot.source == str(base_dir()) else chatbot.source


def label_loss(model: PeftModel, batch: Sequence[Example], pad: int) -> tuple[torch.Tensor, int]:
    """Sum of the cross-entropy over the labels of a batch, and the number of labels.

    Shapes: ids and labels are (conversations, longest), hidden states (conversations, longest,
    width); only the positions before a label go on to the output layer, as (labels, vocabulary).
    The rows of new tokens are put beside the frozen embedding instead of into it: copying the
    whole matrix every step, as peft's own layer does, would cost a third of the time.
    """
    import torch
    from torch.nn import functional

    longest = max(len(example.ids) for example in batch)

    def padded(field: str, fill: int) -> torch.Tensor:
        rows = [getattr(example, field) for example in batch]
        return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])

    ids, labels = padded("ids", pad), padded("labels", IGNORE)
    lengths = torch.tensor([len(example.ids) for example in batch])
    mask = torch.arange(longest)[None] < lengths[:, None]
    device = model.device
    ids, labels, mask = ids.to(device), labels.to(device), mask.to(device)

    decoder, embedding = model.base_model.model.model, model.get_input_embeddings()
    head = model.get_output_embeddings()
    rows = getattr(embedding, "token_adapter", None)
    if rows is None:
        hidden = decoder(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    else:
        frozen, trained = rows.base_layer.weight, rows.trainable_tokens_delta["default"]
        first = frozen.shape[0] - trained.shape[0]
        is_new = (ids >= first)[..., None]
        new = functional.embedding((ids - first).clamp(min=0), trained)
        vectors = torch.where(is_new, new, functional.embedding(ids, frozen))
        hidden = decoder(
            inputs_embeds=vectors, attention_mask=mask, use_cache=False
        ).last_hidden_state
    # Position i predicts token i + 1: this is the one place where the shift happens.
    predicts = labels[:, 1:] != IGNORE
    before, wanted = hidden[:, :-1][predicts], labels[:, 1:][predicts]
    if rows is None:
        logits = head(before)
    else:
        logits = torch.cat([before @ frozen[:first].T, before @ trained.T], dim=-1)
    loss = functional.cross_entropy(logits.float(), wanted, reduction="sum")
    return loss, len(wanted)


def learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    """Linear warm-up, then a half cosine down to a tenth; ``step`` counts from 0."""
    rise = max(1, round(steps * config.warmup))
    if step < rise:
        return config.learning_rate * (step + 1) / rise
    progress = (step - rise) / max(1, steps - rise)
    return config.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))


def batches(
    examples: Sequence[Example], config: TrainingConfig, epoch: int
) -> Iterator[list[Example]]:
    """The conversations of an epoch in batches of like length (little padding), in random order."""
    rng = random.Random(f"{config.seed}-{epoch}")
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i].ids), rng.random()))
    starts = list(range(0, len(order), config.batch_size))
    rng.shuffle(starts)
    for start in starts:
        yield [examples[i] for i in order[start : start + config.batch_size]]


def pieces(batch: Sequence[Example], micro_tokens: int) -> Iterator[list[Example]]:
    """A batch cut into pieces of at most ``micro_tokens`` tokens, or of one conversation."""
    piece: list[Example] = []
    for example in batch:
        longest = max([len(example.ids), *(len(other.ids) for other in piece)])
        if piece and longest * (len(piece) + 1) > micro_tokens:
            yield piece
            piece = []
        piece.append(example)
    if piece:
        yield piece


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
    steps = config.epochs * math.ceil(len(examples) / config.batch_size)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=0.0)

    history: list[Step] = []
    ended, seen, start = "done", 0, time.monotonic()
    model.train()
    with tqdm(total=steps, desc="Training", disable=not progress) as bar:
        try:
            for epoch in range(config.epochs):
                for batch in batches(examples, config, epoch):
                    rate = learning_rate(len(history), steps, config)
                    loss = _step(model, optimizer, batch, rate, config, tokenizer.pad_token_id)
                    seen += sum(len(example.ids) for example in batch)
                    done = Step(len(history) + 1, steps, loss, rate, seen, time.monotonic() - start)
                    history.append(done)
                    bar.update()
                    bar.set_postfix_str(
                        f"loss {loss:.2f}, {done.tokens_per_second:.0f} tokens/s", refresh=False
                    )
                    if on_step is not None:
                        on_step(done)
                    if config.minutes is not None and done.seconds > 60 * config.minutes:
                        ended = "time"
                        raise StopIteration
        except KeyboardInterrupt:
            ended = "stopped"
        except StopIteration:
            pass
    model.eval()
    return TrainingResult(chatbot, tuple(history), ended)


def _step(
    model: PeftModel,
    optimizer: torch.optim.Optimizer,
    batch: Sequence[Example],
    rate: float,
    config: TrainingConfig,
    pad: int,
) -> float:
    import torch

    for group in optimizer.param_groups:
        group["lr"] = rate
    labels = sum(label != IGNORE for example in batch for label in example.labels[1:])
    total = 0.0
    for piece in pieces(batch, config.micro_tokens):
        loss, _ = label_loss(model, piece, pad)
        (loss / labels).backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(
        [weight for group in optimizer.param_groups for weight in group["params"]], 1.0
    )
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return total / labels


def save_adapter(result: TrainingResult, folder: Path, config: TrainingConfig) -> Path:
    """Write the adapter, its tokenizer and the run's record to a folder, in peft's own format.

    Weights are stored as float16. The folder appears whole or not at all; an older one of the same
    name is replaced. Raises ModelError where it cannot be written.
    """
    import torch
    from safetensors.torch import load_file, save_file

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
