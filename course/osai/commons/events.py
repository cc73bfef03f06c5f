"""Event studies on months of commits: what changed when a licence changed, and what would have.

    from osai.commons import events

    events.changes()                         # the changes of licence that can be studied
    authors = events.history("Redis")        # people who commit, by month
    events.effect(authors, "2024-03", 6)     # six months after against six months before
    events.placebos(authors, "2024-03", 6)   # the same for months in which nothing happened
    events.others("2024-03", 6)              # the same month in the other projects

The figures are those of `data/careers/relicense_commits_monthly.csv`, without months that a fork
inherited and without the last month, which is not complete. An effect here is a difference in time.
Whether the licence caused it is another question; placebos help to ask it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osai import tables
from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd

TOPIC = "careers"
STUDIED = {"Redis": "L11", "Terraform": "L09", "Text Generation Inference": "L08"}
"""Project, and the row of `relicensing.csv` with the day on which its licence closed."""
FORKS = {"Redis": "Valkey", "Terraform": "OpenTofu"}
"""Project and the fork whose months are counted in the same table."""
MEASURES = {
    "authors": "People who commit (people a month)",
    "commits": "Commits (commits a month)",
    "top_author_share": "Part of the busiest person (share from 0 to 1)",
}
"""Column of the table, and its axis title."""


class EventError(PlainError, ValueError):
    """A project, month or window that cannot be studied. The message says which can."""


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of licence: row of `relicensing.csv`, project, day, month, licences, fork."""

    id: str
    project: str
    date: str
    month: str
    licence_from: str
    licence_to: str
    fork: str


@dataclasses.dataclass(frozen=True)
class Effect:
    """Means of a measure in equally many months before and after one month.

    month: the month itself (YYYY-MM); it belongs to neither side. months: length of each side.
    expected: what stands for "nothing happened": the mean before, or what its trend leads to.
    """

    month: str
    months: int
    before: float
    after: float
    expected: float

    @property
    def change(self) -> float:
        """Change against what was expected: -0.25 is a fall by a quarter."""
        return self.after / self.expected - 1

    @property
    def percent(self) -> int:
        """The change in whole per cent."""
        return round(100 * self.change)


@dataclasses.dataclass(frozen=True)
class Standing:
    """How a change stands among placebos: how many fell as far, of how many tried.

    separate: how many of them fit side by side without sharing a month. Only these are
    independent of each other, and even they are one project's.
    """

    as_low: int
    tried: int
    separate: int

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that this many separate placebos could ever give."""
        return 1 / (self.separate + 1)

    def __str__(self) -> str:
        if not self.tried:
            return "no placebo fits"
        return f"{self.as_low} of {self.tried} placebos as low"


def changes() -> dict[str, Change]:
    """Return by project the changes of licence whose months are counted."""
    rows = tables.load(TOPIC, "relicensing").data.set_index("id")
    return {
        project: Change(
            id=id,
            project=project,
            date=rows.loc[id, "date"],
            month=rows.loc[id, "date"][:7],
            licence_from=rows.loc[id, "licence_from"],
            licence_to=rows.loc[id, "licence_to"],
            fork=FORKS.get(project, ""),
        )
        for project, id in STUDIED.items()
    }


def projects() -> list[str]:
    """Return the projects whose months are counted, in the order of the table."""
    return list(dict.fromkeys(tables.load(TOPIC, "relicense_commits_monthly").data["project"]))


def history(project: str, measure: str = "authors") -> pd.Series:
    """Return a measure of a project by month (index: pandas months), the project's own only.

    measure: a key of `MEASURES`; shares are missing in months without commits.
    Raises EventError for an unknown project or measure.
    """
    import pandas as pd

    data = tables.load(TOPIC, "relicense_commits_monthly").data
    if project not in set(data["project"]):
        raise EventError(f"There is no project {project!r}. There are: {', '.join(projects())}.")
    if measure not in MEASURES:
        raise EventError(f"{measure!r} is not counted. Choose one of: {', '.join(MEASURES)}.")
    own = data[(data["project"] == project) & ~data["inherited"] & ~data["partial"]]
    values = pd.Series(
        own[measure].astype(float).to_numpy(), index=pd.PeriodIndex(own["month"], freq="M")
    )
    return values.sort_index().rename(project)


def effect(values: pd.Series, month: str, months: int = 6, *, trend: bool = False) -> Effect:
    """Compare the mean of the months after a month with the mean of those before it.

    The month itself is left out: it lies on both sides of the day. trend: take as expected not
    the mean before, but that mean changed once more as it had changed already, from the same
    number of months before it (again with one month left out between).
    Raises EventError if there are not enough months, or if the mean before is zero.
    """
    import pandas as pd

    if months < 1:
        raise EventError("A window needs one month or more.")
    at = pd.Period(month, "M")
    before = _mean(values, at - months, at - 1, month)
    after = _mean(values, at + 1, at + months, month)
    expected = before
    if trend:
        earlier = _mean(values, at - 2 * months - 1, at - months - 2, month)
        expected = before * _over(before, earlier, month)
    _over(after, expected, month)
    return Effect(str(at), months, before, after, expected)


def longest(values: pd.Series, month: str, *, trend: bool = False) -> int:
    """Return the longest window, in months, that `effect` can use around a month; perhaps 0."""
    import pandas as pd

    at = pd.Period(month, "M")
    before = (at - values.index.min()).n
    after = (values.index.max() - at).n
    return max(0, min(after, (before - 1) // 2 if trend else before))


def placebos(
    values: pd.Series, month: str, months: int = 6, *, trend: bool = False
) -> tuple[Effect, ...]:
    """Return the effects "of" all earlier months whose windows end before the given month.

    Nothing was done to the licence in these windows, so they show what happens by itself.
    Months where a mean is zero are left out.
    """
    import pandas as pd

    at = pd.Period(month, "M")
    found = []
    for candidate in values.index:
        if candidate + months >= at or longest(values, str(candidate), trend=trend) < months:
            continue
        try:
            found.append(effect(values, str(candidate), months, trend=trend))
        except EventError:
            continue  # a mean of zero: no ratio
    return tuple(found)


def standing(real: Effect, tried: Sequence[Effect], *, trend: bool = False) -> Standing:
    """Count the placebos that fell at least as far as the real change.

    trend: as in the effects; a window with a trend needs more months, so fewer lie side by side.
    """
    length = (3 if trend else 2) * real.months + (2 if trend else 1)
    separate = 0
    if tried:
        # placebos follow each other month by month: the first takes `length` months, and so on
        separate = 1 + (len(tried) - 1) // length
    return Standing(sum(one.change <= real.change for one in tried), len(tried), separate)


def others(
    month: str, months: int = 6, measure: str = "authors", *, trend: bool = False
) -> dict[str, Effect]:
    """Return the effect "of" one month in each project that has the months for it."""
    found = {}
    for project in projects():
        values = history(project, measure)
        if longest(values, month, trend=trend) >= months:
            try:
                found[project] = effect(values, month, months, trend=trend)
            except EventError:
                continue  # a mean of zero: no ratio
    return found


def beside(real: Effect, other: Effect) -> float:
    """Return the change of one project against that of another: 0 if both changed alike.

    It is the ratio of the two ratios, less one (a difference in differences, on a log scale).
    Raises EventError if the other fell to zero.
    """
    return _over(1 + real.change, 1 + other.change, other.month) - 1


def _mean(values: pd.Series, first: object, last: object, month: str) -> float:
    if first < values.index.min() or last > values.index.max():
        most = longest(values, month)
        raise EventError(
            f"{values.name} has months from {values.index.min()} to {values.index.max()}: around"
            f" {month} a window of at most {most} months fits (fewer with a trend)."
        )
    return float(values.loc[first:last].mean())


def _over(value: float, base: float, month: str) -> float:
    if not base > 0:
        raise EventError(f"Around {month} the mean to compare with is zero: there is no ratio.")
    return value / base
