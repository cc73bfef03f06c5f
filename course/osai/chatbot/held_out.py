"""How surprised is a model by replies it was not trained on? A number that tokenizers cannot change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from osai.chatbot.conversations import IGNORE, Message, encode
from osai.chatbot.tokens import syllables

if TYPE_CHECKING:
    from osai.chatbot.model import Chatbot


def nats_per_syllable(chatbot: Chatbot, conversations: Sequence[Sequence[Message]]) -> float:
    """Cross-entropy of the last replies, in nats, divided by their syllables.

    Losses per token cannot be compared between tokenizers: one that cuts a syllable into three
    tokens is surprised three times, by less. Per syllable they can. The end token counts as part of
    the reply. Each conversation holds its system turn. Raises ValueError without a syllable.
    """
    import torch
    from torch.nn import functional

    total, count = 0.0, 0
    for messages in conversations:
        example = encode(chatbot.tokenizer, messages, last_only=True)
        labels = torch.tensor(example.labels[1:], device=chatbot.device)
        with torch.inference_mode():
            ids = torch.tensor([example.ids], device=chatbot.device)
            logits = chatbot.model(input_ids=ids).logits[0, :-1].float()
        learned = labels != IGNORE
        total += functional.cross_entropy(logits[learned], labels[learned], reduction="sum").item()
        count += len(syllables(messages[-1].content))
    if not count:
        raise ValueError("The replies have no syllables.")
    return total / count
