"""Does contributing pay, and what is public work worth? Models for lesson 03.

    from osai.careers import signals

    people = signals.live(signals.World(seen=0, drawn=1.5), seed=1)    # invented people
    signals.gap(people)                                   # pay of those who contribute, minus the rest
    signals.gap(people, equal="skill")                    # the same, between people of equal skill

    signals.play(signals.Market(), ai_saves=80)           # fakes get cheap: who believes a signal?

The models show what follows from assumptions. They are no evidence on real people: every number
in `World` and `Market` is an assumption of this course.
"""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd


class SignalError(PlainError, ValueError):
    """A world or market that cannot be. The message says what to change."""


def _is(value: float, means: str) -> Any:
    """Return a dataclass field with its default and what it means, for `assumptions`."""
    return dataclasses.field(default=value, metadata={"means": means})


def assumptions(model: World | Market) -> pd.DataFrame:
    """Return all that a world or market assumes, one row each: what, value, means."""
    import pandas as pd

    rows = [
        (field.name, f"{getattr(model, field.name):g}", field.metadata["means"])
        for field in dataclasses.fields(model)
    ]
    return pd.DataFrame(rows, columns=["what", "value", "means"])


# --- does it pay? ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class World:
    """What is true in an invented world; nobody in it can look this up.

    Pay is in points: 100 is the mean pay of people of average skill who do not contribute. Skill and
    the test are in standard deviations of skill.
    """

    people: int = _is(4000, "how many people there are")
    contributors: float = _is(0.3, "share of them who contribute, from 0 to 1")
    drawn: float = _is(1.5, "how strongly skill draws people in; 0: chance decides")
    seen: float = _is(0.0, "points of pay that come from being seen")
    learned: float = _is(0.0, "skill that contributing adds, in standard deviations")
    skill_pays: float = _is(15.0, "points of pay for one standard deviation of skill")
    luck: float = _is(15.0, "standard deviation of all else that moves pay, in points")
    blur: float = _is(0.0, "standard deviation of the error in the test of skill")

    def __post_init__(self) -> None:
        if self.people < 100 or not 0.01 <= self.contributors <= 0.99:
            raise SignalError("A world needs 100 people or more, and some of them contribute.")
        if min(self.drawn, self.luck, self.blur) < 0:
            raise SignalError("drawn, luck and blur are zero or more.")

    @property
    def effect(self) -> float:
        """What contributing really adds to somebody's pay, in points: by being seen, by learning."""
        return self.seen + self.learned * self.skill_pays


def live(world: World, seed: int) -> pd.DataFrame:
    """Return invented people, one a row: skill, test, contributes, skill_now, pay.

    skill is what they had before, skill_now what they have afterwards, and test an examination of
    `skill` with an error. The same seed gives the same people and the same luck in every world.
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    skill, luck, error = (random.standard_normal(world.people) for _ in range(3))
    # logistic noise: the odds of contributing then rise by e^drawn for one deviation of skill
    pull = world.drawn * skill + random.logistic(size=world.people)
    contributes = pull > np.quantile(pull, 1 - world.contributors)
    skill_now = skill + world.learned * contributes
    pay = 100 + world.skill_pays * skill_now + world.seen * contributes + world.luck * luck
    test = skill + world.blur * error
    columns = {"skill": skill, "test": test, "contributes": contributes}
    return pd.DataFrame(columns | {"skill_now": skill_now, "pay": pay})


@dataclasses.dataclass(frozen=True)
class Gap:
    """Difference in mean pay, in points, with its 95 percent interval."""

    points: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.points:.1f} points (95 % interval {self.low:.1f} to {self.high:.1f})"


def gap(people: pd.DataFrame, equal: str | None = None) -> Gap:
    """Return how much more those who contribute earn, if asked between people equal in a column.

    equal: "skill", "test" or "skill_now": the line pay = a + b * contributes + c * equal is laid
    through the people by least squares, and b is the gap. None: the plain difference of means.
    Raises SignalError for another column, or if all or none contribute.
    """
    import numpy as np

    if equal not in (None, "skill", "test", "skill_now"):
        raise SignalError(f"People can be equal in skill, test or skill_now, not in {equal!r}.")
    contributes = people["contributes"].to_numpy(dtype=float)
    if contributes.min() == contributes.max():
        raise SignalError("All or none contribute, so there is nobody to compare with.")
    columns = [np.ones(len(people)), contributes]
    if equal is not None:
        columns.append(people[equal].to_numpy())
    known, pay = np.column_stack(columns), people["pay"].to_numpy()
    fitted = np.linalg.lstsq(known, pay, rcond=None)[0]
    rest = pay - known @ fitted
    variance = rest @ rest / (len(pay) - known.shape[1]) * np.linalg.inv(known.T @ known)[1, 1]
    half = NormalDist().inv_cdf(0.975) * math.sqrt(variance)
    points = float(fitted[1])
    return Gap(points, points - half, points + half)


# --- do employers see it? ----------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Market:
    """A signal game after Spence (1973, "Job Market Signaling"), with invented numbers.

    Everyone may show a signal, such as merged pull requests. What it costs differs from person to
    person: log-normally around a median, with the given spread.
    """

    skilled: float = _is(0.3, "share of the candidates who are skilled, from 0 to 1")
    prize: float = _is(100.0, "hours of work it is worth to be taken for skilled with certainty")
    real_hours: float = _is(40.0, "hours that the signal costs the middle one of the skilled")
    fake_hours: float = _is(200.0, "hours that it costs the middle one of the others to fake it")
    spread: float = _is(0.5, "how much hours differ: standard deviation of their logarithm")

    def __post_init__(self) -> None:
        if not 0 < self.skilled < 1:
            raise SignalError("The share of skilled candidates lies between 0 and 1.")
        if min(self.prize, self.real_hours, self.fake_hours, self.spread) <= 0:
            raise SignalError("prize, hours and spread are above zero.")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Where the game comes to rest, as shares from 0 to 1.

    believed: of those who show the signal and pass, the share who are skilled (NaN: nobody shows
    it). real: of the skilled, the share who show it. fake: of the others, the share who show it and
    are not found out.
    """

    believed: float
    real: float
    fake: float


def play(
    market: Market, *, ai_saves: float = 0, found_out: float = 0, helps_all: bool = False
) -> Outcome:
    """Return where the game comes to rest, when everybody's guess about the others comes true.

    ai_saves: percent of the hours of a fake that AI saves; with helps_all of a real one too.
    found_out: percent of the fakes that a reader finds out; they then win nothing.
    A signal is shown by those whose hours are worth it: hours <= prize * believed (* the chance
    not to be found out). Of several points of rest the one with the most trust is taken.
    Raises SignalError for a percentage outside 0 to 99.
    """
    for name, percent in (("ai_saves", ai_saves), ("found_out", found_out)):
        if not 0 <= percent <= 99:
            raise SignalError(f"{name} is a percentage from 0 to 99, not {percent}.")
    left, passes = 1 - ai_saves / 100, 1 - found_out / 100
    real_hours = market.real_hours * (left if helps_all else 1)
    fake_hours = market.fake_hours * left

    def shown(believed: float) -> tuple[float, float]:
        worth = market.prize * believed
        real = _share_below(worth, real_hours, market.spread)
        return real, passes * _share_below(worth * passes, fake_hours, market.spread)

    for step in range(1000, 0, -1):
        believed = step / 1000
        real, fake = shown(believed)
        skilled, others = market.skilled * real, (1 - market.skilled) * fake
        # fewer than one in a thousand count as nobody, or rounding would find a rest among them
        if skilled + others > 0.001 and skilled / (skilled + others) >= believed - 0.0005:
            return Outcome(skilled / (skilled + others), real, fake)
    return Outcome(math.nan, 0.0, 0.0)


def _share_below(hours: float, median: float, spread: float) -> float:
    return NormalDist().cdf(math.log(hours / median) / spread) if hours > 0 else 0.0
