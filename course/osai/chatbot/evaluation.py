"""How good are the replies? Held-out customers, every check on every reply, counted honestly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from osai.chatbot import checks
from osai.chatbot.cases import Case
from osai.chatbot.checks import Check
from osai.chatbot.conversations import ConversationError, Message
from osai.chatbot.generation import TorchGenerator
from osai.chatbot.model import Chatbot
from osai.chatbot.reply import Reply
from osai.chatbot.shops import Shop, as_json, texts
from osai.chatbot.systems import Model, System


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
    system: System | Chatbot,
    shops: dict[str, Shop],
    cases: Sequence[Case],
    on_batch: Callable[[int], None] | None = None,
) -> list[Judged]:
    """Let a system reply to every case and judge the replies, in the order of the cases.

    A chatbot stands for the system that sends its replies as they fall.
    """
    for case in cases:
        if case.shop not in shops:
            raise ConversationError(
                f"Case {case.id}: there is no shop file '{case.shop}.json'. Next step: correct "
                f"`shop`; these exist: {', '.join(sorted(shops))}."
            )
    requests = [(shops[case.shop], [Message("user", case.message)]) for case in cases]
    system = Model(TorchGenerator(system)) if isinstance(system, Chatbot) else system
    answers = system.replies(requests, on_batch=on_batch)
    return [
        judge(case, shops[case.shop], answer) for case, answer in zip(cases, answers, strict=True)
    ]
