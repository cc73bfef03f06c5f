"""From customers' messages to replies: system turn from the shop's facts, then the model writes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from osai.chatbot import address, checks, facts
from osai.chatbot.address import Address
from osai.chatbot.conversations import Message, prompt
from osai.chatbot.facts import Found
from osai.chatbot.generation import LONGEST_REPLY, Generator, OnBatch, as_generator
from osai.chatbot.model import Chatbot
from osai.chatbot.shops import Shop

MOST_LETTERS = 4000  # of one message; the rest is not read
MOST_TURNS = 9  # of a conversation that the model sees; the words of all are understood
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


def clean(text: str) -> str:
    """A customer's message as the program and the model read it.

    In NFC, without control characters and marks such as ``<|im_start|>``, which would open a turn of
    their own in the prompt; spaces made single; cut after `MOST_LETTERS`.
    """
    text = unicodedata.normalize("NFC", text[:MOST_LETTERS])
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    return " ".join(re.sub(r"<\||\|>", " ", text).split())


def understand(request: Request) -> Understood:
    """Topic, facts and address terms of a request. Pure: the same request, the same result."""
    shop, turns = request
    words = tuple(clean(turn.content) for turn in turns if turn.role == "user")
    found = facts.find(shop, words[-1], words[:-1])
    return Understood(shop, found, address.of(words[-1], words[:-1]), words)


def as_prompt(request: Request) -> list[Message]:
    """What the model is given for a request: the system turn, then the last turns, cleaned."""
    shop, turns = request
    cleaned = [Message(turn.role, clean(turn.content)) for turn in turns]
    system, *_ = prompt(shop, cleaned)
    return [system, *cleaned[-MOST_TURNS:]]


def reply(
    writer: Generator | Chatbot, shop: Shop, message: str, history: Sequence[Message] = ()
) -> Reply:
    """Reply to one message; ``history`` holds the earlier turns of customer and shop."""
    return replies(writer, [(shop, [*history, Message("user", message)])])[0]


def replies(
    writer: Generator | Chatbot,
    requests: Sequence[Request],
    longest: int = LONGEST_REPLY,
    on_batch: OnBatch = None,
) -> list[Reply]:
    """Reply to many conversations, the last turn of each being the customer's."""
    prompts = [as_prompt(request) for request in requests]
    written = as_generator(writer).generate(prompts, longest, on_batch=on_batch)
    return [
        as_reply(text, understand(request)) for text, request in zip(written, requests, strict=True)
    ]


def as_reply(text: str, understood: Understood, **more: object) -> Reply:
    """A written text with what the program knows about it."""
    found = understood.found
    paths = tuple(fact.path for fact in found.facts if fact.path)
    terms = understood.terms.customer
    return Reply(text, found.intent, paths, checks.hands_off(text), terms, **more)
