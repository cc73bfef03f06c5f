"""A game of giving and taking around one shared program, played many times by many people.

    from osai.commons import game

    free = game.play(game.World(), game.Rules())              # 200 runs of 60 months
    club = game.play(game.World(), game.Rules(club=0.3))
    free.band("health").iloc[-1]                              # low, middle, high at the end
    game.difference(club, free, "health")                     # how much the rule changes, and +-

It is a model and no evidence. Every number in `World` is an assumption, chosen so that the game
can end well or badly; `assumptions` lists them all with their units. What the model can do is to
show what follows from what: which rule would matter, and through which step, if people were so.

Unit of work, cost and benefit: one day of one person. A step is one month.

The step, for one run:
    work needed  = upkeep + support * users
    work done    = volunteers + paid days + changes that a licence brings back
    coverage     = work done / work needed, at most 1
    health      += inertia * (coverage - health)
    load         = work needed / work done, from 1 to full_load
Somebody gives a day with the probability logistic(gain / noise), where
    gain = warmth - tiredness + fairness * coverage last month - (1 + stress * (load - 1))
         + recognition * (1 - share who gave) + club * worth * health - crowding * share paid
People who give when others give ("conditional co-operators") were found in many experiments, for
example by Fischbacher and Gächter (American Economic Review 100, 2010); the sizes are ours.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd

LICENCES = ("permissive", "copyleft", "network copyleft")
"""permissive: no source is owed. copyleft: who hands on a copy must offer its source. network
copyleft: also who changes the program and lets others use it over a network."""

MEASURES = {
    "health": "share from 0 to 1",
    "coverage": "share of the work needed",
    "days": "days a month",
    "paid": "days a month",
    "givers": "people a month",
    "effective": "people a month",
    "users": "people",
    "benefit": "days a month",
}
"""What a game records for each run and month, with its unit. benefit: worth to all users, less every
day given or paid and every bonus; joy, thanks and what funders get out of it are not counted."""


class GameError(PlainError, ValueError):
    """A world or a rule that cannot be played. The message says what to change."""


def _assumed(value: Any, unit: str, meaning: str) -> Any:
    return dataclasses.field(default=value, metadata={"unit": unit, "meaning": meaning})


@dataclasses.dataclass(frozen=True)
class World:
    """Who plays and what the work is. All values are assumptions of the model."""

    people: int = _assumed(100, "people", "users of the program, maintainers among them")
    maintainers: int = _assumed(5, "people", "give for their own reasons, until they tire")
    conditional: float = _assumed(0.5, "share", "of the others: give if others give")
    funders: int = _assumed(5, "firms", "may pay; they are not counted among the people")
    changers: float = _assumed(0.2, "share", "of the others: change the code for themselves")
    upkeep: float = _assumed(10.0, "days a month", "work that comes whoever uses it")
    support: float = _assumed(0.1, "days a month", "work that each user brings")
    worth: float = _assumed(1.0, "days a month", "worth to one user of a healthy program")
    trust: float = _assumed(0.7, "share", "of the work thought to be done at the start")
    warmth: float = _assumed(0.2, "days", "joy of giving, conditional people (others: -1)")
    own_reasons: float = _assumed(1.9, "days", "joy of giving, maintainers")
    fairness: float = _assumed(0.75, "days", "weight of what others do, conditional people")
    spread: float = _assumed(0.2, "days", "how much people differ (standard deviation)")
    stress: float = _assumed(0.2, "days", "extra cost of a day for each step of load")
    wear: float = _assumed(0.02, "days", "joy lost in a month of giving, for each step of load")
    noise: float = _assumed(0.15, "days", "whims: how uncertain a decision is")
    inertia: float = _assumed(0.1, "share", "of its way that health goes in a month")
    rest: float = _assumed(2.0, "times", "who rests wins back so many times the wear of a step")
    full_load: float = _assumed(4.0, "times", "work needed for each day done, counted at most")
    motive: float = _assumed(3.0, "days a month", "what paying is worth to the middle funder")
    motives: float = _assumed(0.5, "log scale", "how much funders differ (standard deviation)")
    company: float = _assumed(0.3, "share", "of what is asked: added worth if all funders pay")
    payers: float = _assumed(0.5, "share", "of the funders thought to pay at the start")
    full_time: float = _assumed(10.0, "days a month", "work of one paid maintainer, at most")
    handed_on: float = _assumed(0.4, "share", "of changers who hand on copies; others serve")
    leave: float = _assumed(0.3, "share", "of bound changers who go to another program")
    returned: float = _assumed(0.25, "days a month", "changes that come back from one changer")
    months: int = _assumed(60, "months", "length of a game")

    def __post_init__(self) -> None:
        if not 1 <= self.people <= 1000 or not 0 <= self.maintainers <= self.people:
            raise GameError("Play with 1 to 1000 people, and no more maintainers than people.")
        for name in ("conditional", "changers", "trust", "inertia", "handed_on", "leave", "payers"):
            if not 0 <= getattr(self, name) <= 1:
                raise GameError(f"{name} is a share: write a number from 0 to 1.")
        if self.noise <= 0 or self.full_time <= 0 or self.months < 1 or self.funders < 0:
            raise GameError("noise, full_time and months must be above 0, funders not below 0.")
        if self.full_load < 1 or min(self.rest, self.motives, self.company) < 0:
            raise GameError("full_load must be 1 or more; rest, motives and company 0 or more.")
        if self.upkeep < 0 or self.support < 0 or self.upkeep + self.support <= 0:
            raise GameError("There must be some work: upkeep or support above 0, none below.")


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a community may set. With the values given here there is no rule at all."""

    recognition: float = _assumed(0.0, "days", "thanks: worth to a giver when few give")
    sponsorship: float = _assumed(0.0, "days a month", "what each funder is asked to pay")
    club: float = _assumed(0.0, "share", "of the worth, kept for those who give or pay")
    licence: str = _assumed("permissive", "", f"one of: {', '.join(LICENCES)}")
    crowding: float = _assumed(0.0, "days", "joy that conditional people lose if all work is paid")

    def __post_init__(self) -> None:
        if self.licence not in LICENCES:
            raise GameError(f"{self.licence!r} is no licence here. Use: {', '.join(LICENCES)}.")
        if not 0 <= self.club <= 1:
            raise GameError("club is a share: write a number from 0 to 1.")
        if min(self.recognition, self.sponsorship, self.crowding) < 0:
            raise GameError("recognition, sponsorship and crowding are 0 or more.")


@dataclasses.dataclass(frozen=True)
class Month:
    """What a rule of one's own may look at: the month that has just ended, in one run."""

    month: int
    coverage: float
    health: float
    load: float
    givers: int
    users: int


OwnRule = Callable[[Month], float]
"""A rule of one's own: the bonus in days that each volunteer of the next month gets."""


@dataclasses.dataclass(frozen=True, repr=False)
class Played:
    """Many runs of one game. Each measure is an array of shape (runs, months)."""

    world: World
    rules: Rules
    values: dict[str, np.ndarray]

    def __repr__(self) -> str:
        runs, months = self.values["health"].shape
        return f"Played({runs} runs of {months} months, {self.rules})"

    def measure(self, name: str) -> np.ndarray:
        """Return a measure, shape (runs, months). Raises GameError for an unknown one."""
        if name not in self.values:
            raise GameError(f"{name!r} is not recorded. Recorded are: {', '.join(self.values)}.")
        return self.values[name]

    def last_year(self, name: str) -> np.ndarray:
        """Return each run's mean of a measure over its last twelve months, shape (runs,)."""
        return self.measure(name)[:, -12:].mean(axis=1)

    def band(self, name: str, *, inner: float = 0.8) -> pd.DataFrame:
        """Return low, middle and high of a measure by month: between them lie `inner` of the runs.

        The band says how much luck changes a game. It says nothing of whether the model is right.
        """
        import pandas as pd

        if not 0 < inner < 1:
            raise GameError("inner is the share of the runs in the band: between 0 and 1.")
        found, edge = self.measure(name), (1 - inner) / 2
        low, middle, high = np.quantile(found, [edge, 0.5, 1 - edge], axis=0)
        index = pd.RangeIndex(1, found.shape[1] + 1, name="month")
        return pd.DataFrame({"low": low, "middle": middle, "high": high}, index=index)


@dataclasses.dataclass(frozen=True)
class Share:
    """Part of the runs, with its 95 percent interval (Wilson's)."""

    part: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.part:.0%} (95 % interval {self.low:.0%} to {self.high:.0%})"


def ends_well(played: Played, *, level: float = 0.5) -> Share:
    """Return the part of the runs whose mean health in the last year is above `level`.

    The interval is that of E. B. Wilson (Journal of the American Statistical Association 22,
    1927); it covers the luck of the runs, and no doubt about the model.
    """
    good = played.last_year("health") > level
    n, part, z = len(good), float(good.mean()), 1.96
    middle = (part + z**2 / (2 * n)) / (1 + z**2 / n)
    margin = z * math.sqrt(part * (1 - part) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return Share(part, max(middle - margin, 0.0), min(middle + margin, 1.0))


@dataclasses.dataclass(frozen=True)
class Difference:
    """Mean difference of two games over pairs of runs, with its 95 percent interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} (95 % interval {self.low:+.2f} to {self.high:+.2f})"


def difference(first: Played, second: Played, name: str) -> Difference:
    """Return by how much `first` exceeds `second` in its last year, run by run.

    Runs of the same number share their luck, so the pairs differ by the rule alone. The interval
    is mean +- 1.96 standard errors: it narrows with more runs, and it covers luck only.
    Raises GameError if the games have not the same number of runs, or fewer than two.
    """
    one, other = first.last_year(name), second.last_year(name)
    if one.shape != other.shape or len(one) < 2:
        raise GameError("Play both games with the same number of runs, two or more.")
    mean = float((one - other).mean())
    margin = 1.96 * float((one - other).std(ddof=1)) / math.sqrt(len(one))
    return Difference(mean, mean - margin, mean + margin)


def assumptions(setting: World | Rules) -> pd.DataFrame:
    """Return the values of a world or of rules as a table: name, value, unit, meaning."""
    import pandas as pd

    rows = []
    for field in dataclasses.fields(setting):
        value = getattr(setting, field.name)
        text = value if isinstance(value, str) else f"{value:g}"
        rows.append((field.name, text, field.metadata["unit"], field.metadata["meaning"]))
    return pd.DataFrame(rows, columns=["name", "value", "unit", "meaning"])


def play(
    world: World | None = None,
    rules: Rules | None = None,
    *,
    own_rule: OwnRule | None = None,
    runs: int = 200,
    seed: int = 5,
) -> Played:
    """Play a game `runs` times and return what happened.

    own_rule: a function of the last `Month` that gives the bonus (days) for each volunteer; the
    commons pays it, so it is taken off `benefit`.
    seed: the same seed gives the same people and the same luck, also under other rules.
    Raises GameError for no runs, or an own rule that gives no usable number.
    """
    if runs < 1:
        raise GameError("Play at least one run.")
    world, rules = world or World(), rules or Rules()
    game = _Game(world, rules, own_rule, runs, seed)
    months = [game.month(number) for number in range(1, world.months + 1)]
    values = {name: np.stack([month[name] for month in months], axis=1) for name in MEASURES}
    return Played(world, rules, values)


class _Game:
    """The state of all runs of a game. Arrays have the shape (runs,) or (runs, people)."""

    def __init__(
        self, world: World, rules: Rules, own_rule: OwnRule | None, runs: int, seed: int
    ) -> None:
        self.world, self.rules, self.own_rule = world, rules, own_rule
        self.rng = rng = np.random.default_rng(seed)
        self.shape = (runs, world.people)
        place = np.arange(world.people)
        self.maintains = place < world.maintainers
        others = world.people - world.maintainers
        self.conditional = ~self.maintains & (
            place < world.maintainers + round(world.conditional * others)
        )
        middle = np.where(self.conditional, world.warmth, -1.0)
        middle[self.maintains] = world.own_reasons
        self.warmth = middle + world.spread * rng.standard_normal(self.shape)
        self.tired = np.zeros(self.shape)
        fairness = world.fairness + world.spread * rng.standard_normal(self.shape)
        self.fairness = np.where(self.conditional, fairness, 0.0)
        # two draws for each person in each run, whatever the rules: so runs can be paired
        changes = ~self.maintains & (rng.random(self.shape) < world.changers)
        hands_on = rng.random(self.shape) < world.handed_on
        leaves = rng.random(self.shape) < world.leave
        bound = {
            "permissive": np.zeros(self.shape, bool),
            "copyleft": changes & hands_on,
            "network copyleft": changes,
        }[rules.licence]
        self.stays = ~(bound & leaves)
        self.returns = bound & self.stays
        spread = rng.standard_normal((runs, world.funders))
        self.motive = world.motive * np.exp(world.motives * spread)
        self.users = self.stays.sum(axis=1)
        self.need = world.upkeep + world.support * self.users
        self.health, self.coverage = np.full((2, runs), world.trust)
        self.load = np.clip(1 / np.maximum(self.coverage, 1e-9), 1, world.full_load)
        self.share = np.full(runs, world.trust * (world.upkeep / world.people + world.support))
        self.paying = np.full(runs, world.payers)
        self.givers = np.zeros(runs, int)

    def month(self, number: int) -> dict[str, np.ndarray]:
        """Play one month in all runs and return what is recorded."""
        world, paid, bonus = self.world, self._pay(), self._bonus(number)
        wages = self._wages(paid)
        gives = self._volunteers(bonus, paid) & (wages == 0)
        back = np.where(self.returns, world.returned, 0.0)
        work = gives + wages + back
        done = work.sum(axis=1)
        load = np.clip(self.need / np.maximum(done, 1e-9), 1, world.full_load)
        self._tire(gives, load)
        self.load, self.coverage = load, np.minimum(done / self.need, 1)
        self.health = self.health + world.inertia * (self.coverage - self.health)
        self.share = gives.sum(axis=1) / self.users
        self.givers = (work > 0).sum(axis=1)
        inside = ((work > 0) & self.stays).sum(axis=1)
        open_to = inside + (1 - self.rules.club) * (self.users - inside)
        cost = done + bonus * gives.sum(axis=1)
        return {
            "health": self.health,
            "coverage": self.coverage,
            "days": done,
            "paid": paid,
            "givers": self.givers,
            "effective": _effective(work),
            "users": self.users,
            "benefit": world.worth * self.health * open_to - cost,
        }

    def _pay(self) -> np.ndarray:
        """Return the days that the funders pay for, shape (runs,)."""
        ask = self.rules.sponsorship
        draws = self.rng.random(self.motive.shape)
        if ask == 0 or self.world.funders == 0:
            return np.zeros(self.shape[0])
        together = self.world.company * ask * self.paying[:, None]
        gain = self.motive * (1 + self.rules.club) + together - ask
        pays = draws < _logistic(gain / (self.world.noise * self.world.motive))
        self.paying = pays.mean(axis=1)
        return ask * pays.sum(axis=1)

    def _wages(self, paid: np.ndarray) -> np.ndarray:
        """Return the paid days of each person: the first maintainer is filled up first."""
        before = self.world.full_time * np.arange(self.world.people)
        seats = self.maintains | (self.world.maintainers == 0)
        days = np.clip(paid[:, None] - before, 0, self.world.full_time)
        return np.where(seats, days, 0.0)

    def _volunteers(self, bonus: np.ndarray, paid: np.ndarray) -> np.ndarray:
        """Return who gives a day, shape (runs, people)."""
        world, rules = self.world, self.rules
        each = (
            rules.recognition * (1 - self.share)
            + rules.club * world.worth * self.health
            + bonus
            - (1 + world.stress * (self.load - 1))
        )
        gain = self.warmth - self.tired + self.fairness * self.coverage[:, None] + each[:, None]
        gain -= np.where(self.conditional, rules.crowding, 0.0) * (paid / self.need)[:, None]
        return (self.rng.random(self.shape) < _logistic(gain / world.noise)) & self.stays

    def _tire(self, gives: np.ndarray, load: np.ndarray) -> None:
        """Givers lose joy with each step of load; whoever rests wins some of it back."""
        worn = self.world.wear * (load - 1)[:, None]
        self.tired = np.maximum(
            self.tired + np.where(gives, worn, -self.world.rest * self.world.wear), 0.0
        )

    def _bonus(self, number: int) -> np.ndarray:
        """Return the bonus of the own rule in each run."""
        if self.own_rule is None:
            return np.zeros(self.shape[0])
        last = (self.coverage, self.health, self.load, self.givers, self.users)
        months = (Month(number - 1, *(v.item() for v in run)) for run in zip(*last, strict=True))
        return np.array([_usable(self.own_rule(month)) for month in months])


def _usable(bonus: object) -> float:
    try:
        value = float(bonus)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise GameError(
            f"Your rule gave {bonus!r}. It must `return` a number: the bonus in days."
        ) from None
    if not 0 <= value <= 5:
        raise GameError(f"Your rule gave {value:g}. The bonus goes from 0 to 5 days.")
    return value


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def _effective(work: np.ndarray) -> np.ndarray:
    """Return 1 / sum of squared shares in each row; 0 where nobody worked."""
    total = work.sum(axis=1)
    squares = (work**2).sum(axis=1)
    return np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1), 0.0)
