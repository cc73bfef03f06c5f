"""Fine-tune a chat model with LoRA on conversations: one file, top to bottom.

What is trained: a low-rank adapter on every linear layer (LoRA, Hu et al. 2021, through peft) and
the embedding rows of the new Vietnamese tokens. What is not: every weight of the base. The loss is
cross-entropy on the shop's replies only, and the large output layer is computed only where there
is a label. Conversations lie packed in rows (``packs``); a step is a few rows.

Under ``accelerate launch`` every process takes its share of a step's rows and the gradients are
added up, so that two processes learn what one would. A GPU is used where there is one.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from osai.chatbot import tokens
from osai.chatbot.conversations import IGNORE, Example, Message, encode
from osai.chatbot.model import Chatbot, ModelError, quiet_libraries
from osai.chatbot.packs import Pack, pack, use_packed_attention

if TYPE_CHECKING:
    import torch
    from accelerate import PartialState
    from peft import PeftModel

KEEP_EVERY = 300.0  # seconds between two calls of ``keep``


@dataclass(frozen=True)
class TrainingConfig:
    """What decides a training run.

    ``rank`` and ``alpha``: LoRA's r and its scale (the update is multiplied by alpha / rank).
    ``batch_tokens``: tokens a step; many small steps learn more from few conversations than few
    large ones, but several processes need a row each. Conversations are packed into rows of ``pack_tokens``, one row
    goes through the model at a time, and the gradients of a step's rows are added up: short rows
    need less memory, long ones less time. None takes 448 for 16-bit weights and 384 for 32-bit
    ones. ``recompute``: compute each layer a second time on the way back instead of keeping what it
    computed, which costs a quarter of the time and saves half of the memory; None does so for 32-bit
    weights. With these, training stays under 1.5 GB. ``minutes``: stop after that long, at the end of a step; None for all epochs.
    ``new_tokens``: how many Vietnamese merges to append before training; 0 for none.
    """

    epochs: int = 1
    learning_rate: float = 1e-3
    warmup: float = 0.05
    rank: int = 16
    alpha: int = 32
    batch_tokens: int = 448
    pack_tokens: int | None = None
    recompute: bool | None = None
    new_tokens: int = 800
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
class TrainingState:
    """All that a stopped run needs to go on as if it had never stopped.

    ``fingerprint`` tells settings, data and base apart; ``tensors`` are the float32 copies of the
    trained weights and the optimizer's two moments of each, named *kind.number*.
    """

    fingerprint: str
    steps: tuple[Step, ...]
    tensors: dict[str, torch.Tensor]


@dataclass(frozen=True)
class TrainingResult:
    """The trained chatbot (ready to reply), what every step reported, and why training ended.

    ``ended`` is ``done`` (all epochs), ``time`` (minutes used up), ``stopped`` (Ctrl-C), or
    ``running`` where it has not ended yet.
    """

    chatbot: Chatbot
    steps: tuple[Step, ...]
    ended: str
    state: TrainingState


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
    # Where the base lies, so that peft's own loader finds it; another computer knows it by its name.
    model.peft_config["default"].base_model_name_or_path = chatbot.source
    return replace(chatbot, model=model, tokenizer=tokenizer)


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
    ids, labels, positions = (
        torch.tensor([field], device=device) for field in (row.ids, row.labels, row.positions)
    )
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
        inputs_embeds=vectors, position_ids=positions, lengths=row.lengths, use_cache=False
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
    start: TrainingState | None = None,
    keep: Callable[[TrainingResult], object] | None = None,
) -> TrainingResult:
    """Fine-tune on conversations (each with its system turn); Ctrl-C ends with a usable adapter.

    ``on_step`` is called after every step, ``keep`` every five minutes with the run so far, in the
    first process only. ``start`` goes on with a stopped run; with the same settings and data its
    end is that of a run which was never stopped (if ``minutes`` did not change the learning rate).
    Raises ModelError for an empty data set, or a ``start`` that belongs to another run.
    """
    from accelerate import PartialState
    from tqdm.auto import tqdm

    if not conversations:
        raise ModelError("No conversations to train on. Next step: check the data file.")
    processes = PartialState()
    name = fingerprint(chatbot, conversations, config)
    if start is not None and start.fingerprint != name:
        raise ModelError(
            "The stopped run was made with other settings, other data or another base. Next step: "
            "repeat the command of that run with --resume, or train into a new folder."
        )
    texts = [message.content for messages in conversations for message in messages]
    chatbot = prepare(chatbot, texts, config)
    model, tokenizer = chatbot.model, chatbot.tokenizer
    model.to(processes.device)
    examples = [encode(tokenizer, messages, last_only=True) for messages in conversations]
    half = model.dtype.itemsize == 2
    row_tokens = config.pack_tokens or (448 if half else 384)
    keep_tokens = 0 if (not half if config.recompute is None else config.recompute) else row_tokens
    steps = plan(examples, config, row_tokens, tokenizer.pad_token_id)
    optimizer = Optimizer(model, config.learning_rate, start)

    history: list[Step] = list(start.steps) if start else []
    seen, before = (history[-1].tokens, history[-1].seconds) if history else (0, 0.0)
    ended, began, kept = "done", time.monotonic(), time.monotonic()
    language_model = model.base_model.model
    attention = language_model.config._attn_implementation
    use_packed_attention(language_model)
    if language_model.supports_gradient_checkpointing:
        language_model.activation_checkpointing_enable()
    model.train()

    def result(ended: str) -> TrainingResult:
        state = TrainingState(name, tuple(history), optimizer.tensors())
        return TrainingResult(chatbot, tuple(history), ended, state)

    shown = progress and processes.is_main_process
    with tqdm(total=len(steps), initial=len(history), desc="Training", disable=not shown) as bar:
        try:
            for number in range(len(history), len(steps)):
                rows = steps[number]
                gone = _first_clock(processes, time.monotonic() - began)
                if config.minutes is not None and gone > 60 * config.minutes and number:
                    ended = "time"
                    break
                rate = learning_rate(number, len(steps), config, gone / 60)
                loss = _step(model, optimizer, rows, rate, processes, keep_tokens)
                seen += sum(row.tokens for row in rows)
                seconds = before + time.monotonic() - began
                done = Step(number + 1, len(steps), loss, rate, seen, seconds)
                history.append(done)
                bar.set_postfix_str(
                    f"loss {loss:.2f}, {done.tokens_per_second:.0f} tokens/s", refresh=False
                )
                bar.update()
                if on_step is not None and processes.is_main_process:
                    on_step(done)
                if keep and processes.is_main_process and time.monotonic() - kept > KEEP_EVERY:
                    keep(result("running"))
                    kept = time.monotonic()
        except KeyboardInterrupt:
            ended = "stopped"
    model.eval()
    if language_model.supports_gradient_checkpointing:
        language_model.activation_checkpointing_disable()
    language_model.set_attn_implementation(attention)
    return result(ended)


def fingerprint(
    chatbot: Chatbot, conversations: Sequence[Sequence[Message]], config: TrainingConfig
) -> str:
    """Tells runs apart: SHA-256 of settings (but the minutes), base and data, as hexadecimal text."""
    settings = {**asdict(config), "minutes": None, "dtype": str(chatbot.model.dtype)}
    content = [[asdict(message) for message in messages] for messages in conversations]
    base = [chatbot.name, chatbot.model.num_parameters()]
    text = json.dumps([settings, base, content], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Optimizer:
    """AdamW on float32 copies of the trained weights.

    The steps are smaller than what bfloat16 can tell apart, so the copies take them and the model's
    own weights are rounded from the copies.
    """

    def __init__(self, model: PeftModel, rate: float, start: TrainingState | None = None) -> None:
        import torch

        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.copies = [weight.detach().float().clone() for weight in self.weights]
        self.adam = torch.optim.AdamW(self.copies, lr=rate, weight_decay=0.0)
        if start is not None:
            self._restore(start)

    def step(self, gradients: Sequence[torch.Tensor], rate: float) -> None:
        """Move every weight by its gradient (float32, as many as weights), clipped to norm 1."""
        import torch

        self.adam.param_groups[0]["lr"] = rate
        for copy, gradient in zip(self.copies, gradients, strict=True):
            copy.grad = gradient
        torch.nn.utils.clip_grad_norm_(self.copies, 1.0)
        self.adam.step()
        self._write_back()

    def _write_back(self) -> None:
        import torch

        with torch.no_grad():
            for copy, weight in zip(self.copies, self.weights, strict=True):
                weight.copy_(copy)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Copies and moments by name, for `TrainingState`."""
        found = {}
        for number, copy in enumerate(self.copies):
            found[f"weight.{number}"] = copy.detach()
            for kind in ("exp_avg", "exp_avg_sq", "step"):
                if copy in self.adam.state:
                    found[f"{kind}.{number}"] = self.adam.state[copy][kind]
        return found

    def _restore(self, start: TrainingState) -> None:
        import torch

        with torch.no_grad():
            for number, copy in enumerate(self.copies):
                copy.copy_(start.tensors[f"weight.{number}"])
                self.adam.state[copy] = {
                    kind: start.tensors[f"{kind}.{number}"].to(
                        copy.device if kind != "step" else "cpu"
                    )
                    for kind in ("exp_avg", "exp_avg_sq", "step")
                }
        self._write_back()


def _step(
    model: PeftModel,
    optimizer: Optimizer,
    rows: Sequence[Pack],
    rate: float,
    processes: PartialState,
    keep_tokens: int,
) -> float:
    """One step over a few packs; returns the mean loss of their labels, in nats.

    Each process takes every n-th row, and what all of them found is added up. In a row that is
    longer than ``keep_tokens`` each layer is computed a second time on the way back instead of being
    kept, so that one long conversation does not set the memory for all.
    """
    import torch
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers = [part for part in model.modules() if isinstance(part, GradientCheckpointingLayer)]

    labels = sum(row.label_count for row in rows)
    total = 0.0
    for row in rows[processes.process_index :: processes.num_processes]:
        for layer in layers:
            layer.gradient_checkpointing = len(row.ids) > keep_tokens
        loss = label_loss(model, row) / labels
        loss.backward()
        total += loss.item()
    gradients = []
    for weight in optimizer.weights:
        none = weight.grad is None  # a process without a row in this step
        gradients.append(torch.zeros_like(weight).float() if none else weight.grad.float())
        weight.grad = None
    if processes.num_processes > 1:
        total = _add_up(gradients, total)
    optimizer.step(gradients, rate)
    return total


def _add_up(gradients: list[torch.Tensor], total: float) -> float:
    """Replace gradients by their sums over all processes; return the sum of the losses."""
    import torch

    flat = torch.cat([gradients[0].new_tensor([total]), *(g.flatten() for g in gradients)])
    torch.distributed.all_reduce(flat)
    parts = flat[1:].split([gradient.numel() for gradient in gradients])
    for i, part in enumerate(parts):
        gradients[i] = part.view_as(gradients[i]).clone()
    return flat[0].item()


def is_first_process() -> bool:
    """Whether this is the one process, or the first of several, that writes files."""
    from accelerate import PartialState

    return PartialState().is_main_process


def _first_clock(processes: PartialState, seconds: float) -> float:
    """The first process's clock, so that all of them keep one learning rate and stop together."""
    if processes.num_processes == 1:
        return seconds
    import torch

    clock = torch.tensor([seconds], dtype=torch.float64, device=processes.device)
    torch.distributed.broadcast(clock, 0)
    return clock.item()
