"""Counts of an evaluation with their uncertainty: by check, intent and style, and between two systems."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from osai.chatbot.evaluation import Judged

LEVEL = 0.95


@dataclass(frozen=True)
class Share:
    """How many of ``total`` passed, with the interval ``low`` to ``high`` for the true share.

    The interval is Wilson's (1927) at 95 %, which stays honest for few cases and near 0 and 1.
    """

    group: str
    name: str
    passed: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share that passed, 0 to 1."""
        return self.passed / self.total


@dataclass(frozen=True)
class Difference:
    """Two systems on the same cases: who passed where the other failed, and the gap of the shares.

    ``gap`` is second minus first, with the interval of Agresti and Min (2005) at 95 %; ``p_value``
    is McNemar's exact test, two-sided: how often chance alone would divide the cases on which the
    systems differ at least this unevenly.
    """

    only_first: int
    only_second: int
    total: int
    gap: float
    low: float
    high: float
    p_value: float


def wilson(passed: int, total: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval for a share, as (low, high). Raises ValueError without cases."""
    if not 0 <= passed <= total or total == 0:
        raise ValueError(f"{passed} of {total} is no share.")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = passed / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def shares(judged: Sequence[Judged]) -> list[Share]:
    """The share that passed: of all cases, by check, hand-off, intent and style, in that order.

    Hand-off: of the cases for a person, how many went to one (*recall*); of the replies that passed a
    customer on, how many should have (*precision*). Cases where either is fair count for neither.
    """
    if not judged:
        return []
    found = [_share("all", "every check", [one.passed for one in judged])]
    for i, check in enumerate(judged[0].checks):
        found.append(_share("check", check.name, [one.checks[i].passed for one in judged]))
    passed_on = [one for one in judged if one.case.handoff is not None and one.reply.handoff]
    if due := [one for one in judged if one.case.handoff]:
        found.append(_share("hand-off", "recall", [one.reply.handoff for one in due]))
    if passed_on:
        found.append(_share("hand-off", "precision", [bool(o.case.handoff) for o in passed_on]))
    by: tuple[tuple[str, Callable[[Judged], str]], ...] = (
        ("intent", lambda one: one.case.intent),
        ("style", lambda one: one.case.style),
    )
    for group, key in by:
        for name in sorted({key(one) for one in judged}):
            found.append(_share(group, name, [one.passed for one in judged if key(one) == name]))
    return found


def _share(group: str, name: str, outcomes: Sequence[bool]) -> Share:
    passed, total = sum(outcomes), len(outcomes)
    return Share(group, name, passed, total, *wilson(passed, total))


def difference(first: Sequence[Judged], second: Sequence[Judged]) -> Difference:
    """Compare two systems case by case. Raises ValueError if the cases are not the same."""
    if not first or [one.case.id for one in first] != [one.case.id for one in second]:
        raise ValueError("Both systems must be judged on the same cases, in the same order.")
    pairs = [(a.passed, b.passed) for a, b in zip(first, second, strict=True)]
    only_first, only_second = pairs.count((True, False)), pairs.count((False, True))
    total = len(pairs)
    # Agresti and Min: add half a case to each of the four cells, then the usual interval.
    n, b, c = total + 2, only_first + 0.5, only_second + 0.5
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    middle, half = (c - b) / n, z * math.sqrt(b + c - (c - b) ** 2 / n) / n
    differ = only_first + only_second
    fewer = min(only_first, only_second)
    tail = sum(math.comb(differ, k) for k in range(fewer + 1)) / 2**differ
    return Difference(
        only_first,
        only_second,
        total,
        (only_second - only_first) / total,
        max(-1.0, middle - half),
        min(1.0, middle + half),
        min(1.0, 2 * tail),
    )
