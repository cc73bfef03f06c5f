"""From customers' messages to replies: system turn from the shop's facts, then the model writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osai.chatbot import address, checks, facts
from osai.chatbot.address import Address
from osai.chatbot.conversations import Message, prompt, render
from osai.chatbot.facts import Found
from osai.chatbot.shops import Shop

if TYPE_CHECKING:
    from osai.chatbot.model import Chatbot

LONGEST_REPLY = 128  # new tokens; the longest training reply has 110
Request = tuple[Shop, Sequence[Message]]  # a shop and the turns so far, the last a customer's


@dataclass(frozen=True)
class Reply:
    """A reply: its text, the intent, and the dotted paths of the facts that it was made from.

    ``handoff``: a person takes over. ``address``: the word for the customer. ``source`` says who
    wrote it: ``model``, ``second try`` or ``template``; ``problems`` why an earlier try was not sent.
    """

    text: str
    intent: str
    facts: tuple[str, ...]
    handoff: bool = False
    address: str = ""
    source: str = "model"
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understood:
    """What a program made of a request before any model wrote: topic and facts, address terms, words."""

    shop: Shop
    found: Found
    terms: Address
    words: tuple[str, ...]


def understand(request: Request) -> Understood:
    """Topic, facts and address terms of a request. Pure: the same request, the same result."""
    shop, turns = request
    words = tuple(turn.content for turn in turns if turn.role == "user")
    found = facts.find(shop, words[-1], words[:-1])
    return Understood(shop, found, address.of(words[-1], words[:-1]), words)


def reply(chatbot: Chatbot, shop: Shop, message: str, history: Sequence[Message] = ()) -> Reply:
    """Reply to one message; ``history`` holds the earlier turns of customer and shop."""
    return replies(chatbot, [(shop, [*history, Message("user", message)])])[0]


def replies(
    chatbot: Chatbot,
    requests: Sequence[Request],
    batch_size: int = 8,
    longest: int = LONGEST_REPLY,
    on_batch: Callable[[int], None] | None = None,
) -> list[Reply]:
    """Reply to many conversations, the last turn of each being the customer's."""
    prompts = [prompt(shop, turns) for shop, turns in requests]
    written = generate(chatbot, prompts, batch_size, longest, on_batch=on_batch)
    return [
        as_reply(text, understand(request)) for text, request in zip(written, requests, strict=True)
    ]


def as_reply(text: str, understood: Understood, **more: object) -> Reply:
    """A written text with what the program knows about it."""
    found = understood.found
    paths = tuple(fact.path for fact in found.facts if fact.path)
    terms = understood.terms.customer
    return Reply(text, found.intent, paths, checks.hands_off(text), terms, **more)


def generate(
    chatbot: Chatbot,
    prompts: Sequence[Sequence[Message]],
    batch_size: int = 8,
    longest: int = LONGEST_REPLY,
    temperature: float = 0.0,
    seed: int = 0,
    on_batch: Callable[[int], None] | None = None,
) -> list[str]:
    """Let the model write the assistant's turn behind each prompt, as text.

    ``temperature`` 0 is greedy decoding: always the most probable token, so the same model gives the
    same reply. Above 0 tokens are drawn, with ``seed``. ``longest`` is the most new tokens a reply
    may have; ``on_batch`` hears how many were done.
    """
    import torch

    tokenizer, model = chatbot.tokenizer, chatbot.model
    texts = [render(tokenizer, messages, generation=True) for messages in prompts]
    how = {"do_sample": False}
    if temperature:
        how = {"do_sample": True, "temperature": temperature}
        torch.manual_seed(seed)
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
                pad_token_id=tokenizer.pad_token_id,
                **how,
            )
        new = output[:, batch["input_ids"].shape[1] :]
        for i, text in zip(
            chosen, tokenizer.batch_decode(new, skip_special_tokens=True), strict=True
        ):
            found[i] = text.strip()
        if on_batch is not None:
            on_batch(len(chosen))
    return [found[i] for i in range(len(texts))]
