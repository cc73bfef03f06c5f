"""Work as a bundle of tasks: what a tool takes over, what it adds, and what then becomes of people.

    from osai.careers import jobs

    jobs.tasks("customer service")               # the task table of a team, hours a month
    jobs.hours("AI team", take_up=0.5)           # the same tasks, before and after
    jobs.after_demand(0.77, elasticity=0.5)      # staff, once cheaper work is ordered more often
    jobs.serve(bot_share=0.5, wrong_share=0.1)   # a queue of customers with a bot in front
    jobs.coverage({"software", "data"})          # what one programmer leaves undone
    jobs.after_loss(45)                          # who loses by learning a new trade, by age

All of these are models. They show what follows from assumptions; none of them is evidence. The
hours are our assumptions (`data/careers/tasks.csv`, column `basis`). The studies to hold against
them are in `STUDIES`.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import random
from collections.abc import Collection
from typing import TYPE_CHECKING

from osai import tables
from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd

TEAMS = ("customer service", "AI team", "one programmer")
FULL_TIME = 160
"""Hours a month of one person: an assumption, 40 hours in four weeks."""
OPEN_MINUTES = 480
"""Minutes a day in which customers of the simulated desk come: an assumption, eight hours."""


class JobsError(PlainError, ValueError):
    """A team, share or number that a model cannot take. The message says what it can."""


# --- tasks -------------------------------------------------------------------------------------


def tasks(team: str) -> tables.Table:
    """Return the tasks of a team with their hours a month. Raises JobsError for an unknown team."""
    if team not in TEAMS:
        raise JobsError(f"There is no team {team!r}. There are: {', '.join(TEAMS)}.")
    table = tables.load("careers", "tasks")
    data = table.data[table.data["team"] == team].drop(columns="team")
    fields = tuple(field for field in table.fields if field.name != "team")
    return dataclasses.replace(
        table,
        title=f"Tasks: {team}",
        fields=fields,
        data=data.reset_index(drop=True),
    )


def hours(team: str, take_up: float = 1.0, checking: float = 1.0) -> pd.DataFrame:
    """Return one row a task with its hours a month before and after: task, before, after, new.

    take_up: which part (0 to 1) of the time that could be saved is saved, and which part of the
    new tasks is done. checking: the new tasks take this many times the hours of the table.
    Raises JobsError for values that are no share, or below zero.
    """
    import pandas as pd

    _share("take_up", take_up)
    if checking < 0:
        raise JobsError(f"checking must be 0 or more, not {checking}.")
    rows = []
    for row in tasks(team).data.to_dict("records"):
        if row["only_with_ai"]:
            before, after = 0.0, row["hours"] * take_up * checking
        else:
            before = float(row["hours"])
            after = before * (1 - take_up * row["saved_percent"] / 100)
        rows.append((row["task"], before, after, row["only_with_ai"]))
    return pd.DataFrame(rows, columns=["task", "before", "after", "new"])


def after_demand(hours_left: float, elasticity: float) -> float:
    """Return all hours of work afterwards, as a part of those before, once demand has moved.

    hours_left: hours that one project now takes, as a part of those before (0.77: 23 % less).
    elasticity: by how many percent more projects are ordered when they get one percent cheaper.
    The price of a project is taken to follow its hours, and demand to have the same elasticity at
    each price: projects = hours_left ** -elasticity. Above 1 there is more work than before.
    Raises JobsError for hours of zero or less, or an elasticity below zero.
    """
    if hours_left <= 0 or elasticity < 0:
        raise JobsError("hours_left must be above 0 and elasticity 0 or more.")
    return hours_left * hours_left**-elasticity


# --- studies -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Study:
    """A figure to draw: its id in figures.csv, a short label, its interval if the row gives one.

    saved: the row counts time that was saved, so that the change in time is minus its value.
    """

    id: str
    label: str
    interval: tuple[float, float] | None = None
    saved: bool = False


STUDIES: dict[str, tuple[Study, ...]] = {
    "Jobs (change, percent)": (
        Study("F137", "Age 22-25, version of August"),
        Study("F138", "Age 22-25, version of November"),
        Study("F139", "Developers, age 22-25"),
        Study("F140", "Age 35-49"),
        Study("F141", "Juniors employed"),
        Study("F142", "Juniors hired"),
    ),
    "Time for a task (change, percent)": (
        Study("F123", "Web server, freelancers", saved=True),
        Study("F125", "Own project, experts", (2, 39)),
        Study("F127", "The same, as they felt it"),
        Study("F129", "2nd study, same people", (-38, 9)),
        Study("F130", "2nd study, new people", (-15, 9)),
    ),
    "Jobs exposed (percent)": (
        Study("F152", "World, ILO"),
        Study("F148", "World, IMF"),
        Study("F153", "Rich countries, ILO"),
        Study("F149", "Rich countries, IMF"),
        Study("F154", "ASEAN, lowest, ILO"),
        Study("F155", "ASEAN, highest, ILO"),
        Study("F151", "Poor countries, IMF"),
    ),
}
"""Figures that answer nearly the same question, by question; all in percent."""


def studies(question: str) -> pd.DataFrame:
    """Return the studies on a question: id, label, value, low, high and columns of figures.csv.

    low and high are missing where the row gives no interval. Raises JobsError for a question
    that is not in STUDIES.
    """
    import pandas as pd

    if question not in STUDIES:
        raise JobsError(f"There is no question {question!r}. There are: {', '.join(STUDIES)}.")
    rows = tables.load("careers", "figures").data.set_index("id")
    found = []
    for study in STUDIES[question]:
        row = rows.loc[study.id]
        low, high = study.interval or (math.nan, math.nan)
        found.append(
            {
                "id": study.id,
                "label": study.label,
                "value": -row["value"] if study.saved else row["value"],
                "low": low,
                "high": high,
                **row[["measured", "population", "measured_by", "year", "note"]].to_dict(),
            }
        )
    return pd.DataFrame(found)


# --- a queue with a bot in front ---------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Served:
    """What became of the customers of some days.

    minutes: mean time from a customer's first message to the right answer; minutes_shown: to the
    first answer, right or wrong, as a dashboard counts. minutes_misled: to the right answer, of
    those whom the bot told something wrong (0 if there were none). busy: part of the opening time
    that people spend with customers; it may pass 1, then they stay longer.
    """

    customers: int
    misled: int
    minutes: float
    minutes_shown: float
    minutes_misled: float
    busy: float


def serve(
    *,
    bot_share: float = 0.0,
    wrong_share: float = 0.1,
    people: int = 4,
    customers: int = 300,
    minutes: float = 5.0,
    back_after: float = 30.0,
    days: int = 20,
    seed: int = 4,
) -> Served:
    """Simulate a service desk: customers come at random, a bot answers some, people the others.

    bot_share: customers whom the bot answers, in one minute. wrong_share: of these, those who get
    a wrong answer: they come back after `back_after` minutes and take half as long again as
    others. people: at work all day, first come first served, until nobody waits. customers: a day,
    on average; minutes: of a person for one customer, on average. Both times between customers
    and times with a customer are exponential, as in the queue called M/M/c.
    One customer meets the same luck whatever the other settings are, so that two settings can be
    compared. Raises JobsError for shares outside 0 to 1, no people or no customers.
    """
    _share("bot_share", bot_share)
    _share("wrong_share", wrong_share)
    if people < 1 or customers < 1 or days < 1 or minutes <= 0 or back_after < 0:
        raise JobsError("people, customers, days and minutes must be above 0.")
    luck = random.Random(seed)
    right: list[float] = []
    shown: list[float] = []
    misled: list[float] = []
    worked = 0.0
    for _ in range(days):
        waiting: list[tuple[float, float, float]] = []  # joins the queue, first came, takes
        now = luck.expovariate(customers / OPEN_MINUTES)
        while now < OPEN_MINUTES:
            by_bot, wrong, takes = luck.random(), luck.random(), luck.expovariate(1 / minutes)
            if by_bot >= bot_share:
                waiting.append((now, now, takes))
            elif wrong >= wrong_share:
                right.append(1.0)
                shown.append(1.0)
            else:
                shown.append(1.0)
                waiting.append((now + 1 + back_after, now, 1.5 * takes))
            now += luck.expovariate(customers / OPEN_MINUTES)
        free = [0.0] * people
        for joins, came, takes in sorted(waiting):
            done = max(joins, heapq.heappop(free)) + takes
            heapq.heappush(free, done)
            worked += takes
            right.append(done - came)
            (shown if joins == came else misled).append(done - came)
    return Served(
        customers=len(right),
        misled=len(misled),
        minutes=_mean(right),
        minutes_shown=_mean(shown),
        minutes_misled=_mean(misled),
        busy=worked / (days * people * OPEN_MINUTES),
    )


def people_left(people: int, bot_share: float) -> int:
    """Return how many people stay if staff is cut by the bot's share: whole people, one at least."""
    _share("bot_share", bot_share)
    return max(1, math.ceil(people * (1 - bot_share) - 1e-9))


# --- one programmer ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Coverage:
    """What one person leaves undone. hours a month; tasks by name."""

    needed: int
    available: int
    without_skill: tuple[str, ...]
    needs_second: tuple[str, ...]
    sole: bool

    @property
    def too_many_hours(self) -> int:
        """Hours a month that the tasks take beyond what the person has; 0 if they fit."""
        return max(0, self.needed - self.available)

    @property
    def holes(self) -> tuple[str, ...]:
        """Each hole in words; empty if nothing is left undone."""
        found = []
        if self.too_many_hours:
            found.append(f"{self.too_many_hours} hours a month too many")
        found += [f"nobody has the skill: {task}" for task in self.without_skill]
        found += [f"nobody else looks at it: {task}" for task in self.needs_second]
        if self.sole:
            found.append("nobody is there when this person is ill, on leave or gone")
        return tuple(found)


def skills() -> tuple[str, ...]:
    """Return the skills that the tasks of one programmer ask for."""
    return tuple(dict.fromkeys(tasks("one programmer").data["skill"]))


def coverage(
    has: Collection[str],
    available: int = FULL_TIME,
    second_reader: bool = False,
    stand_in: bool = False,
) -> Coverage:
    """Return what stays undone if one person with these skills does all tasks of a chatbot.

    available: hours a month. second_reader: colleagues look at the tasks that ask for it.
    stand_in: somebody else can keep it running. Raises JobsError for a skill no task asks for.
    """
    unknown = sorted(set(has) - set(skills()))
    if unknown:
        raise JobsError(f"No task asks for {unknown[0]!r}. The skills are: {', '.join(skills())}.")
    data = tasks("one programmer").data
    return Coverage(
        needed=int(data["hours"].sum()),
        available=available,
        without_skill=tuple(data.loc[~data["skill"].isin(has), "task"]),
        needs_second=() if second_reader else tuple(data.loc[data["second_person"], "task"]),
        sole=not stand_in,
    )


# --- learning a new trade ----------------------------------------------------------------------


def after_loss(
    age: int,
    *,
    learn_months: int = 12,
    new_pay: float = 1.2,
    finds: float = 0.8,
    older_find_less: bool = True,
    other_pay: float = 0.6,
    until: int = 60,
) -> float:
    """Return what losing a trade at this age costs or brings until `until`, in years of old pay.

    The person learns without pay for learn_months and then, with the chance `finds`, earns
    new_pay times the old pay in the new trade, else other_pay times the old pay elsewhere.
    older_find_less: the chance falls by one point of a hundred for each year above 25. Who keeps
    the trade would have earned 1 a year. Below zero is a loss. Everything here is an assumption.
    Raises JobsError for an age outside 18 to `until`, or a chance outside 0 to 1.
    """
    _share("finds", finds)
    if not 18 <= age < until:
        raise JobsError(f"age must be from 18 to {until - 1}, not {age}.")
    left = until - age
    learning = min(left, learn_months / 12)
    chance = max(0.0, finds - 0.01 * max(0, age - 25)) if older_find_less else finds
    pay = chance * new_pay + (1 - chance) * other_pay
    return (left - learning) * pay - left


def _share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise JobsError(f"{name} must be a share from 0 to 1, not {value}.")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
