"""From a customer's message to a reply: system turn from the shop's facts, then the model writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osai.chatbot import facts
from osai.chatbot.conversations import Message, prompt, render
from osai.chatbot.model import Chatbot
from osai.chatbot.shops import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_REPLY = 96


@dataclass(frozen=True)
class Reply:
    """A reply: its text, the intent, and the dotted paths of the facts that the model was shown."""

    text: str
    intent: str
    facts: tuple[str, ...]


def reply(chatbot: Chatbot, shop: Shop, message: str, history: Sequence[Message] = ()) -> Reply:
    """Reply to one message; ``history`` holds the earlier turns of customer and shop."""
    return replies(chatbot, [(shop, [*history, Message("user", message)])])[0]


def replies(
    chatbot: Chatbot,
    requests: Sequence[tuple[Shop, Sequence[Message]]],
    batch_size: int = 8,
    longest: int = LONGEST_REPLY,
    on_batch: Callable[[int], None] | None = None,
) -> list[Reply]:
    """Reply to many conversations, the last turn of each being the customer's.

    Greedy decoding: always the most probable token, so the same model gives the same reply.
    ``longest`` is the most new tokens a reply may have; ``on_batch`` hears how many were done.
    """
    import torch

    tokenizer, model = chatbot.tokenizer, chatbot.model
    texts = [render(tokenizer, prompt(shop, turns), generation=True) for shop, turns in requests]
    # Like lengths together: less padding. The order of the answers is restored below.
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: dict[int, str] = {}
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        batch = tokenizer(
            [texts[i] for i in chosen],
            add_special_tokens=False,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        ).to(chatbot.device)
        with torch.inference_mode():
            output = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                max_new_tokens=longest,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
        new = output[:, batch["input_ids"].shape[1] :]
        for i, text in zip(
            chosen, tokenizer.batch_decode(new, skip_special_tokens=True), strict=True
        ):
            found[i] = text.strip()
        if on_batch is not None:
            on_batch(len(chosen))
    understood = [_understood(*request) for request in requests]
    return [
        Reply(found[i], one.intent, tuple(fact.path for fact in one.facts))
        for i, one in enumerate(understood)
    ]


def _understood(shop: Shop, turns: Sequence[Message]) -> facts.Found:
    customer = [turn.content for turn in turns if turn.role == "user"]
    return facts.find(shop, customer[-1], customer[:-1])
