"""Conversations as data, as a prompt, and as token ids with a label mask.

A conversation in a file holds the turns of customer and shop. The system turn is not stored: it is
written at the last moment from the shop file and the customer's own words, in training exactly as
in service, so that the model always sees the facts it may use.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osai.chatbot import address, facts, intents
from osai.chatbot.shops import Shop

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORE = -100  # the label that cross-entropy in PyTorch leaves out


class ConversationError(ValueError):
    """Conversation data that cannot be used; the message names the file, the line and the field."""


@dataclass(frozen=True)
class Message:
    """One turn: ``role`` is ``system``, ``user`` (the customer) or ``assistant`` (the shop)."""

    role: str
    content: str


@dataclass(frozen=True)
class Conversation:
    """A conversation of one customer with one shop (``shop`` is the stem of its file).

    ``topic`` says what its last message wants, as in ``intents.LABELS``; None where it is to be read
    from the message.
    """

    id: str
    shop: str
    intent: str
    style: str
    messages: tuple[Message, ...]
    topic: str | None = None


@dataclass(frozen=True)
class Example:
    """Token ids of a conversation and their labels; both have the same length.

    ``labels[i]`` is ``ids[i]`` where the model is to learn token ``i`` and -100 elsewhere. The
    shift by one (position ``i`` predicts token ``i + 1``) is done by the loss, not here.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]


def load(path: Path) -> list[Conversation]:
    """Read conversations from a JSON-lines file (UTF-8). Raises ConversationError with the line."""
    conversations = []
    for number, record in read_jsonl(path):
        try:
            messages = tuple(
                Message(str(turn["role"]), unicodedata.normalize("NFC", turn["content"]))
                for turn in record["messages"]
            )
            conversation = Conversation(
                id=str(record["id"]),
                shop=str(record["shop"]),
                intent=str(record["intent"]),
                style=str(record["style"]),
                messages=messages,
                topic=record.get("topic"),
            )
        except KeyError as error:
            raise ConversationError(
                f"{path}, line {number}: the field {error} is missing. Next step: add it; "
                "data/hanoi/README.md lists every field."
            ) from None
        except (TypeError, AttributeError):
            raise ConversationError(
                f"{path}, line {number}: `messages` must be a list of objects with `role` and "
                "`content` as text. Next step: correct the line."
            ) from None
        if conversation.topic not in (None, *intents.LABELS):
            raise ConversationError(
                f"{path}, line {number}: `topic` is '{conversation.topic}', which is none of "
                f"{', '.join(intents.LABELS)}. Next step: correct it, or leave the field out."
            )
        _check_turns(path, number, conversation)
        conversations.append(conversation)
    if not conversations:
        raise ConversationError(f"{path}: no conversation in it. Next step: check the file.")
    return conversations


def read_jsonl(path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON-lines file; empty lines are passed over."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConversationError(
            f"{path}, line {line}: not UTF-8. Next step: save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ConversationError(
            f"{path}: {error.strerror or error}. Next step: check the path."
        ) from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ConversationError(
                f"{path}, line {number}: not JSON ({error}). Next step: correct the line."
            ) from None
        if not isinstance(record, dict):
            raise ConversationError(f"{path}, line {number}: an object {{…}} is expected.")
        yield number, record


def _check_turns(path: Path, number: int, conversation: Conversation) -> None:
    roles = [message.role for message in conversation.messages]
    expected = ["user", "assistant"] * (len(roles) // 2)
    if not roles or roles != expected:
        raise ConversationError(
            f"{path}, line {number}: turns must go user, assistant, user, assistant …, "
            f"but they are {roles}. Next step: correct the order of the turns."
        )
    if any(not message.content.strip() for message in conversation.messages):
        raise ConversationError(f"{path}, line {number}: a turn is empty. Next step: fill it.")


def system_turn(
    shop: Shop, message: str, history: Sequence[str] = (), topic: str | None = None
) -> Message:
    """The system turn for a customer's message: shop, address terms, task, facts.

    ``history`` holds the customer's earlier messages. ``topic`` is given where it is known, as in
    training data; else it is read from the message.
    """
    terms = address.of(message, history)
    found = facts.find(shop, message, history, topic)
    lines = [
        f"{shop.name}. Gọi khách: {terms.customer}. Xưng: {terms.self_}.",
        f"Việc: {found.task}.",
        *(fact.text for fact in found.facts),
    ]
    return Message("system", "\n".join(lines))


def prompt(shop: Shop, turns: Sequence[Message], topic: str | None = None) -> list[Message]:
    """The system turn followed by the turns so far; the last turn is the customer's."""
    customer = [turn.content for turn in turns if turn.role == "user"]
    return [system_turn(shop, customer[-1], customer[:-1], topic), *turns]


def training_messages(shop: Shop, conversation: Conversation) -> list[Message]:
    """All messages of a training conversation: system turn, customer, …, the shop's last reply."""
    *before, last = conversation.messages
    return [*prompt(shop, before, conversation.topic), last]


def render(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], generation: bool = False
) -> str:
    """The conversation as one text by the tokenizer's chat template.

    ``generation`` adds the opening of the assistant's turn, where a reply is to start.
    """
    turns = [{"role": message.role, "content": message.content} for message in messages]
    return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generation)


def encode(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], last_only: bool = False
) -> Example:
    """Token ids and labels of a conversation: only the shop's replies are learned.

    Labels stand on the words of each assistant turn and on its end token, so that the model learns
    what to say and when to stop; the prompt, the role names and line ends get -100. With
    ``last_only`` only the last assistant turn is learned. Works for any chat template in which
    the text up to a turn is a prefix of the text up to the next one; raises ConversationError
    for another.
    """
    ids: list[int] = []
    labels: list[int] = []
    text = ""
    last = len(messages) - 1
    for i, message in enumerate(messages):
        if message.role != "assistant":
            continue
        opening = render(tokenizer, messages[:i], generation=True)
        closing = render(tokenizer, messages[: i + 1])
        body = opening + message.content
        if not (opening.startswith(text) and closing.startswith(body)):
            raise ConversationError(
                "This tokenizer's chat template rewrites earlier turns, so replies cannot be told "
                "from prompts. Next step: use a model whose template keeps the turns as they are."
            )
        rest = closing[len(body) :]
        end = rest.rstrip("\n") or rest
        for part, learn in (
            (opening[len(text) :], False),
            (message.content + end, i == last or not last_only),
            (rest[len(end) :], False),
        ):
            tokens = tokenizer(part, add_special_tokens=False)["input_ids"]
            ids += tokens
            labels += tokens if learn else [IGNORE] * len(tokens)
        text = closing
    tail = render(tokenizer, messages)[len(text) :]
    tokens = tokenizer(tail, add_special_tokens=False)["input_ids"] if tail else []
    return Example(tuple(ids + tokens), tuple(labels + [IGNORE] * len(tokens)))
