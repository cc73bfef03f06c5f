"""Conversations laid side by side in rows of fixed length, and attention that keeps them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from osai.chatbot.conversations import IGNORE, Example
from osai.chatbot.model import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

ATTENTION = "osai_packed"
# Attention windows are multiples of this: the matrix library keeps a kernel for every shape it has met,
# and with the true lengths of conversations its memory grew by 30 MB a step.
WINDOW = 32


@dataclass(frozen=True)
class Pack:
    """Conversations side by side in one row.

    One fixed shape is what processors like: for every new shape the matrix library compiles its
    kernels anew, which costs more than the padding. ``ids``, ``labels`` and ``positions`` have as
    many entries as the row has tokens; ``lengths`` says how many belong to each conversation, in
    order. What is left at the end is padding.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    positions: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Tokens that are not padding."""
        return sum(self.lengths)

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
            # The first token of a conversation is not predicted: before it stands its neighbour.
            labels=tuple(chain(*((IGNORE, *e.labels[1:]) for e in row), repeat(IGNORE, free))),
            positions=tuple(chain(*(range(len(e.ids)) for e in row), repeat(0, free))),
            lengths=tuple(len(e.ids) for e in row),
        )
        for row, free in zip(bins, room, strict=True)
    ]


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    lengths: Sequence[int] = (),
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attention in which every conversation of a row sees only itself, and only backwards.

    ``query`` is (1, heads, tokens, width), ``key`` and ``value`` may have fewer heads; the result is
    (1, tokens, heads, width), as transformers asks of an attention function. A row of 384 tokens
    with three conversations costs a third of what one mask over the whole row would. Padding
    attends to nothing and comes back as zeros.
    """
    import torch
    from torch.nn import functional

    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    end = query.shape[2]
    query, key, value = (functional.pad(x, (0, 0, 0, WINDOW - 1)) for x in (query, key, value))
    parts, start = [], 0
    for length in lengths:
        # A window may reach into the next conversation: nobody before it looks there.
        one = slice(start, start + math.ceil(length / WINDOW) * WINDOW)
        seen = functional.scaled_dot_product_attention(
            query[:, :, one], key[:, :, one], value[:, :, one], is_causal=True, scale=scaling
        )
        parts.append(seen[:, :, :length])
        start += length
    parts.append(torch.zeros_like(query[:, :, start:end]))
    return torch.cat(parts, dim=2).transpose(1, 2), None


def use_packed_attention(model: PreTrainedModel) -> None:
    """Let a model attend by `attend`; its forward then takes ``lengths``.

    Raises ModelError for a model whose attention cannot be replaced.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, attend)
    try:
        model.set_attn_implementation(ATTENTION)
    except ValueError as error:
        raise ModelError(
            f"A model of the kind {type(model).__name__} cannot be trained by this loop: its attention "
            f"cannot be replaced ({str(error)[:120]}). Next step: take a model of the kind of Llama, "
            "Qwen or Mistral."
        ) from None
