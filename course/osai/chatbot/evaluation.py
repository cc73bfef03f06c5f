"""How good are the replies? Held-out customers, every check on every reply, counted honestly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osai.chatbot import checks
from osai.chatbot.checks import Check
from osai.chatbot.conversations import ConversationError, Message, read_jsonl
from osai.chatbot.model import Chatbot
from osai.chatbot.reply import Reply, replies
from osai.chatbot.shops import Shop, as_json, texts


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


@dataclass(frozen=True)
class Judged:
    """A case, the reply to it, and the outcome of every check."""

    case: Case
    reply: Reply
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)


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


def judge(case: Case, shop: Shop, reply: Reply) -> Judged:
    """Run every check on a reply."""
    known = f"{as_json(shop)} {case.message}"
    spoken = checks.without_quotes(reply.text, texts(shop))
    return Judged(
        case,
        reply,
        (
            checks.facts_present(reply.text, case.must_include),
            checks.nothing_forbidden(reply.text, case.must_not_include),
            checks.numbers_known(reply.text, known),
            checks.customer_term(spoken, case.address_ok),
            checks.self_term(spoken, case.self_ok),
            checks.polite(reply.text),
            checks.hand_off(reply.text, case.handoff),
            checks.in_vietnamese(reply.text),
        ),
    )


def evaluate(
    chatbot: Chatbot,
    shops: dict[str, Shop],
    cases: Sequence[Case],
    on_batch: Callable[[int], None] | None = None,
) -> list[Judged]:
    """Let a chatbot reply to every case and judge the replies, in the order of the cases."""
    for case in cases:
        if case.shop not in shops:
            raise ConversationError(
                f"Case {case.id}: there is no shop file '{case.shop}.json'. Next step: correct "
                f"`shop`; these exist: {', '.join(sorted(shops))}."
            )
    requests = [(shops[case.shop], [Message("user", case.message)]) for case in cases]
    answers = replies(chatbot, requests, on_batch=on_batch)
    return [
        judge(case, shops[case.shop], answer) for case, answer in zip(cases, answers, strict=True)
    ]
