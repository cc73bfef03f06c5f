"""The decision of a shop in Hà Nội: people only, buy a bot, fine-tune one, or build one.

    from osai.careers import decision

    decision.assumed()                               # every assumption, with its range and basis
    decision.cost("buy")                             # what 24 months cost, in million VND
    decision.cost("buy", customers_day=2000)         # the same with another assumption
    decision.tornado("fine-tune", "buy")             # which assumption moves the difference most

A sum, not a forecast. All money is in million VND of today, without interest and without rising
wages. Where a row of `data/careers/figures.csv` holds a value, `basis` names it; all else is an
assumption of this course that a real firm must replace by what it knows.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from osai.careers.jobs import FULL_TIME, JobsError

if TYPE_CHECKING:
    import pandas as pd

OPTIONS = ("people only", "buy", "fine-tune", "build")
"""No bot; a closed or open model used as a service; an open model tuned and run by oneself; a
model of one's own from nothing."""


@dataclasses.dataclass(frozen=True)
class Assumption:
    """A number of the model: a low, a middle and a high value, and where they come from."""

    name: str
    label: str
    unit: str
    low: float
    base: float
    high: float
    basis: str = "assumption"


_ROWS: tuple[tuple[Any, ...], ...] = (
    ("customers_day", "Customers", "customers a day", 100, 300, 1000),
    ("minutes", "A person's time for one", "minutes", 3, 5, 10),
    ("agent_pay", "Pay, service staff", "million VND a month", 7, 9, 13),
    (
        "engineer_pay",
        "Pay, programmer",
        "million VND a month",
        15,
        30,
        40,
        "F196: over 30 after three years; F194: beginners up to 15; F195: leaders 40 in 2022",
    ),
    ("on_costs", "Employer's costs on top", "times the pay", 1.1, 1.25, 1.4),
    ("months", "Months counted", "months", 12, 24, 48),
    ("solved", "Bot's share, bought", "share of customers", 0.3, 0.5, 0.7),
    ("solved_tuned", "Bot's share, tuned", "share of customers", 0.3, 0.5, 0.7),
    ("solved_built", "Bot's share, built", "share of customers", 0.2, 0.4, 0.6),
    ("wrong", "Wrong among its answers", "share of its answers", 0.02, 0.05, 0.2),
    ("tokens", "Tokens for one customer", "tokens", 1000, 3000, 10000),
    ("token_price", "Price of a bought model", "USD a million tokens", 0.23, 1.86, 6,
      "F102: open models, low; F101: closed models, middle; high: assumption"),
    ("rate", "Exchange rate", "VND for a USD", 24000, 26000, 28000),
    ("server", "Computer for own model", "million VND a month", 3, 8, 20),
    ("buy_months", "Programmer's time, buy", "person-months", 1, 2, 4),
    ("tune_months", "Programmer's time, tune", "person-months", 2, 4, 9),
    ("build_people", "People who build", "people", 3, 5, 8),
    ("build_months", "Months to build", "months", 8, 12, 20),
    ("build_compute", "Computing to build", "million VND", 500, 1500, 5000),
    ("buy_upkeep", "Upkeep, bought", "programmers", 0.1, 0.2, 0.4),
    ("tune_upkeep", "Upkeep, tuned", "programmers", 0.2, 0.4, 0.8),
    ("build_upkeep", "Upkeep, built", "programmers", 0.5, 1.0, 2.0),
    ("buy_fails", "Risk of failure, buy", "chance", 0.05, 0.1, 0.2),
    ("tune_fails", "Risk of failure, tune", "chance", 0.1, 0.2, 0.4),
    ("build_fails", "Risk of failure, build", "chance", 0.3, 0.5, 0.8),
)  # fmt: skip
ASSUMPTIONS = tuple(Assumption(*row) for row in _ROWS)

WORKDAYS = 26
"""Days a month on which the shop is open: an assumption."""
AGAIN = 1.5
"""A customer with a wrong answer takes half as long again of a person's time: an assumption."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """What an option costs over all months, in million VND, risk of failure counted.

    project: programmers and computing until the bot starts. running: tokens or own computer, and
    programmers who look after it. service: staff who answer what the bot does not, or got wrong.
    """

    option: str
    project: float
    running: float
    service: float

    @property
    def total(self) -> float:
        """All three together, million VND."""
        return self.project + self.running + self.service


def assumed() -> pd.DataFrame:
    """Return every assumption, one a row: name, label, unit, low, base, high, basis."""
    import pandas as pd

    return pd.DataFrame([dataclasses.asdict(one) for one in ASSUMPTIONS])


def values(**changes: float) -> dict[str, float]:
    """Return the middle value of each assumption, with some changed.

    Raises JobsError for an unknown name, or a value that makes no sense: below zero, or a share
    or chance above 1.
    """
    known = {one.name: one for one in ASSUMPTIONS}
    for name, value in changes.items():
        if name not in known:
            raise JobsError(f"There is no assumption {name!r}. There are: {', '.join(known)}.")
        share = known[name].unit.startswith(("share", "chance"))
        if value < 0 or (share and value > 1):
            raise JobsError(f"{name} is {value}, in {known[name].unit}: that cannot be.")
    return {name: float(one.base) for name, one in known.items()} | changes


def cost(option: str, **changes: float) -> Cost:
    """Return what an option costs, in million VND, over all months that are counted.

    Until a bot works, and for good if its project fails, people answer everybody. The money for
    a project that fails is spent all the same. changes: other values than the middle ones.
    Raises JobsError for an unknown option, or as `values`.
    """
    given = values(**changes)
    if option not in OPTIONS:
        raise JobsError(f"There is no option {option!r}. There are: {', '.join(OPTIONS)}.")
    people = people_month(given)
    if option == "people only":
        return Cost(option, 0.0, 0.0, given["months"] * people)
    project, delay, running, solved, fails = _plan(option, given)
    works = max(0.0, given["months"] - delay)
    left = 1 - solved + solved * given["wrong"] * AGAIN
    saved = (1 - fails) * works * people * (1 - left)
    return Cost(
        option,
        project=project,
        running=(1 - fails) * works * running,
        service=given["months"] * people - saved,
    )


def people_month(given: dict[str, float]) -> float:
    """Return what it costs a month if people answer everybody, million VND."""
    hours = given["customers_day"] * WORKDAYS * given["minutes"] / 60
    return hours * given["agent_pay"] * given["on_costs"] / FULL_TIME


def _plan(option: str, given: dict[str, float]) -> tuple[float, float, float, float, float]:
    """Return project cost, months until it works, cost a month, bot's share, chance of failure."""
    programmer = given["engineer_pay"] * given["on_costs"]
    if option == "buy":
        tokens = given["customers_day"] * WORKDAYS * given["tokens"] / 1e6
        price = tokens * given["token_price"] * given["rate"] / 1e6
        months = given["buy_months"]
        running = price + given["buy_upkeep"] * programmer
        return months * programmer, months, running, given["solved"], given["buy_fails"]
    if option == "fine-tune":
        months = given["tune_months"]
        running = given["server"] + given["tune_upkeep"] * programmer
        return months * programmer, months, running, given["solved_tuned"], given["tune_fails"]
    months = given["build_months"]
    project = given["build_people"] * months * programmer + given["build_compute"]
    running = given["server"] + given["build_upkeep"] * programmer
    return project, months, running, given["solved_built"], given["build_fails"]


def difference(option: str, against: str, **changes: float) -> float:
    """Return how much more an option costs than another, million VND; below zero: it is cheaper."""
    return cost(option, **changes).total - cost(against, **changes).total


def tornado(option: str, against: str, **changes: float) -> pd.DataFrame:
    """Return how one assumption at a time moves the difference, the strongest first.

    Columns: name, label, at_low, at_high (difference in million VND with the low and the high
    value, all else as in `changes` or in the middle), swing, and flips: whether the cheaper
    option changes. Left out: assumptions that move nothing, and those in `changes`, which are set
    (their low and high values may both lie on one side of what they are set to).
    """
    import pandas as pd

    middle = difference(option, against, **changes)
    rows = []
    for one in ASSUMPTIONS:
        if one.name in changes:
            continue
        low, high = (
            difference(option, against, **{**changes, one.name: value})
            for value in (one.low, one.high)
        )
        swing = max(low, high, middle) - min(low, high, middle)
        if swing > 1e-9:
            flips = any((value < 0) != (middle < 0) for value in (low, high))
            rows.append((one.name, one.label, low, high, swing, flips))
    columns = ["name", "label", "at_low", "at_high", "swing", "flips"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("swing", ascending=False, kind="stable").reset_index(drop=True)


def break_even(
    option: str, against: str, name: str, low: float, high: float, **changes: float
) -> float | None:
    """Return the value of one assumption at which two options cost the same, by halving.

    Looked for between low and high; None if the same option is cheaper at both ends.
    """

    def gap(value: float) -> float:
        return difference(option, against, **{**changes, name: value})

    if gap(low) * gap(high) > 0:
        return None
    rising = gap(high) > gap(low)
    for _ in range(60):
        middle = (low + high) / 2
        if (gap(middle) > 0) == rising:
            high = middle
        else:
            low = middle
    return (low + high) / 2
