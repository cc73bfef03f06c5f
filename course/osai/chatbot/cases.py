"""Customers to measure on: a message, and what a right reply to it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from osai.chatbot.conversations import ConversationError, read_jsonl


@dataclass(frozen=True)
class Case:
    """A customer's message and how to judge the reply.

    ``must_include`` is a list of groups of alternatives; ``handoff`` None accepts either.
    """

    id: str
    shop: str
    message: str
    intent: str
    style: str
    must_include: tuple[tuple[str, ...], ...]
    must_not_include: tuple[str, ...]
    address_ok: tuple[str, ...]
    self_ok: tuple[str, ...]
    handoff: bool | None


def load_cases(path: Path) -> list[Case]:
    """Read cases from a JSON-lines file. Raises ConversationError with the line and the field."""
    cases = []
    for number, record in read_jsonl(path):
        try:
            cases.append(
                Case(
                    id=str(record["id"]),
                    shop=str(record["shop"]),
                    message=str(record["message"]),
                    intent=str(record["intent"]),
                    style=str(record["style"]),
                    must_include=tuple(
                        _words(group, "must_include, a group")
                        for group in _list(record["must_include"], "must_include")
                    ),
                    must_not_include=_words(record["must_not_include"], "must_not_include"),
                    address_ok=_words(record["address_ok"], "address_ok"),
                    self_ok=_words(record["self_ok"], "self_ok"),
                    handoff=_yes_no_either(record["handoff"]),
                )
            )
        except KeyError as error:
            raise ConversationError(
                f"{path}, line {number}: the field {error} is missing. Next step: add it; "
                "data/hanoi/README.md lists every field."
            ) from None
        except TypeError as error:
            raise ConversationError(
                f"{path}, line {number}: {error}. Next step: correct it; data/hanoi/README.md "
                "lists every field."
            ) from None
    if not cases:
        raise ConversationError(f"{path}: no case in it. Next step: check the file.")
    return cases


def _list(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{name} must be a list, not {value!r}")
    return value


def _words(value: object, name: str) -> tuple[str, ...]:
    words = _list(value, name)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{name} must hold texts, not {word!r}")
    return tuple(str(word) for word in words)


def _yes_no_either(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(f"handoff must be true, false or null, not {value!r}")
