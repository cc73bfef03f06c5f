"""How few people carry a project? What monthly counts of commits can say, and what they cannot.

    from osai.commons import health

    health.effective([80, 10, 10])        # effective number of authors: 1.5, not 3
    months = health.monthly()             # the projects' own, complete months, one a row
    health.half_by(0.45, 0.25, 12, 80)    # how many authors made half: Bounds(low=2, high=2)
    health.by_year()                      # one row for each project and year
    health.limits()                       # which questions the table can answer

The table `data/careers/relicense_commits_monthly.csv` has for each project and month the number
of commits and authors, the share of the busiest author, and the Herfindahl-Hirschman index. It
has no names. So one month can be described; who stayed from month to month cannot.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from osai import tables
from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd

TOPIC, TABLE = "careers", "relicense_commits_monthly"
ROUNDED = 0.0005
"""Shares and indices in the table have three decimals: the true value is at most this far off."""


class HealthError(PlainError, ValueError):
    """Counts that no project can have, or a project that is not in the table."""


@dataclasses.dataclass(frozen=True)
class Bounds:
    """At least `low` and at most `high` people; equal where the number is certain."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


# --- measures of one list of counts ------------------------------------------------------------


def hhi(commits: Iterable[float]) -> float:
    """Return the Herfindahl-Hirschman index: the sum of the squares of the authors' shares.

    commits: for each author how many; 1 means one author alone, 1/n means n equal authors.
    Raises HealthError for a negative count, or if nobody made any commit.
    """
    counts = list(commits)
    total = sum(counts)
    if any(count < 0 for count in counts) or total <= 0:
        raise HealthError("Give each author's commits: 0 or more, and one commit at least in all.")
    return sum((count / total) ** 2 for count in counts)


def effective(commits: Iterable[float]) -> float:
    """Return the effective number of authors, 1 / HHI.

    So many authors with equal shares would give the same concentration. Source: M. Laakso and
    R. Taagepera, "Effective" Number of Parties, Comparative Political Studies 12 (1979).
    Raises HealthError as `hhi` does.
    """
    return 1 / hhi(commits)


def busiest_with_half(commits: Iterable[float]) -> int:
    """Return how many of the busiest authors together made half of the commits or more.

    Raises HealthError as `hhi` does.
    """
    counts = sorted(commits, reverse=True)
    hhi(counts)
    total, so_far = sum(counts), 0.0
    for number, count in enumerate(counts, start=1):
        so_far += count
        if 2 * so_far >= total:
            return number
    return len(counts)


def half_by(top_share: float, index: float, authors: int, commits: int) -> Bounds:
    """Return between which numbers `busiest_with_half` of a month must lie.

    top_share: share of the busiest author. index: the HHI. Both are taken as rounded to three
    decimals. The bounds follow from: nobody has more than the busiest (k people have at most k
    times that share); the others' squares add up to index - top_share ** 2, so k - 1 of them have
    at most sqrt((k - 1) * that sum) (Cauchy-Schwarz), and the busiest of them has at least
    that sum / (1 - top_share); the rest, taken from the busiest on, have at least their mean.
    Raises HealthError for values that no month can have.
    """
    if authors < 1 or commits < authors or not 0 < top_share <= 1 or not 0 < index <= 1:
        raise HealthError("A month needs 1 author or more, a commit by each, shares from 0 to 1.")
    least, most = _exact(top_share, commits)
    low = next((k for k in range(1, authors) if _most(k, most, least, index) >= 0.5), authors)
    high = next(
        (k for k in range(1, authors) if _least(k, least, most, index, authors) >= 0.5), authors
    )
    return Bounds(low, max(low, high))


def _exact(top_share: float, commits: int) -> tuple[float, float]:
    """Return between which values the unrounded share lies: one value if only one count fits."""
    fits = [
        count
        for count in range(
            math.ceil((top_share - ROUNDED) * commits - 1e-9),
            math.floor((top_share + ROUNDED) * commits + 1e-9) + 1,
        )
        if 1 <= count <= commits
    ]
    if not fits:
        raise HealthError(f"No author of {commits} commits can have a share of {top_share:g}.")
    return fits[0] / commits, fits[-1] / commits


def _most(k: int, most: float, least: float, index: float) -> float:
    """The largest share that the k busiest can have."""
    squares = max(index + ROUNDED - least**2, 0.0)
    return min(k * most, most + math.sqrt((k - 1) * squares)) + 1e-9


def _least(k: int, least: float, most: float, index: float, authors: int) -> float:
    """The smallest share that the k busiest of `authors` can have."""
    rest = 1 - least
    if k == 1 or rest <= 0:
        return least
    squares = max(index - ROUNDED - most**2, 0.0)
    second = min(max(squares / rest, rest / (authors - 1)), rest)
    if k == 2 or authors == 2:
        return least + second
    return least + second + (k - 2) * (rest - second) / (authors - 2)


# --- the table ---------------------------------------------------------------------------------


def monthly(project: str | None = None) -> pd.DataFrame:
    """Return the projects' own, complete months with three more columns, one month a row.

    Left out: months that a fork inherited, and the month in which the copy ends. Months without
    commits stay, with 0 commits. Columns added: `effective` (people), `load` (commits for each
    author), `year`. Empty where there are no commits.
    Raises HealthError for a project that the table does not have.
    """
    data = tables.load(TOPIC, TABLE).data
    known = list(dict.fromkeys(data["project"]))
    if project is not None and project not in known:
        raise HealthError(f"There is no project {project!r}. There are: {', '.join(known)}.")
    own = data[~data["inherited"] & ~data["partial"]]
    if project is not None:
        own = own[own["project"] == project]
    active = own["commits"] > 0
    return own.assign(
        effective=(1 / own["author_hhi"]).where(active),
        load=(own["commits"] / own["authors"].where(active)).astype(float),
        year=own["month"].str[:4].astype(int),
    ).reset_index(drop=True)


def smoothed(project: str, window: int = 6) -> pd.DataFrame:
    """Return medians of `authors`, `effective` and `load` over `window` months up to each month.

    One row a month from the month in which the window is first full. Months without commits have
    0 authors; they have no effective number and no load, so those medians are of the other months.
    Raises HealthError for a window below 1 or longer than the project's months.
    """
    months = monthly(project)
    if not 1 <= window <= len(months):
        raise HealthError(f"Choose a window from 1 to {len(months)} months.")
    columns = ["authors", "effective", "load"]
    values = months[columns].astype(float)
    rolled = values.rolling(window, min_periods=1).median().iloc[window - 1 :]
    return rolled.assign(month=months["month"]).reset_index(drop=True)[["month", *columns]]


def by_year() -> pd.DataFrame:
    """Return one row for each project and year.

    months: complete own months; without_commits: of these, how many had none; commits: in all of
    them; authors: mean over all months, those without commits counted as 0; effective: median of
    the months with commits; one_made_half: part of the months with commits in which the busiest
    author made half or more; load: commits for each author and month.
    """
    import pandas as pd

    rows = []
    for (project, year), months in monthly().groupby(["project", "year"], sort=False):
        active = months[months["commits"] > 0]
        rows.append(
            {
                "project": project,
                "year": int(year),
                "months": len(months),
                "without_commits": len(months) - len(active),
                "commits": int(months["commits"].sum()),
                "authors": float(months["authors"].mean()),
                "effective": float(active["effective"].median()),
                "one_made_half": float((active["top_author_share"] >= 0.5).mean()),
                "load": float(months["commits"].sum() / max(months["authors"].sum(), 1)),
            }
        )
    return pd.DataFrame(rows)


def halves(project: str) -> pd.DataFrame:
    """Return for each own, complete month with commits how few authors made half of them.

    Columns: month, low, high (people, see `half_by`). Raises HealthError for an unknown project.
    """
    import pandas as pd

    months = monthly(project)
    active = months[months["commits"] > 0]
    rows = []
    for row in active.itertuples():
        found = half_by(row.top_author_share, row.author_hhi, int(row.authors), int(row.commits))
        rows.append((row.month, found.low, found.high))
    return pd.DataFrame(rows, columns=["month", "low", "high"])


_LIMITS = (
    ("How many people committed in this month?", "yes", "the column authors"),
    ("Did one person make half of this month's commits?", "yes", "the column top_author_share"),
    ("How evenly was this month's work spread?", "yes", "1 / author_hhi"),
    ("How many made half of this month's commits?", "within bounds", "two shares do not fix all"),
    ("Is the busiest person the same as last month?", "no", "there are no names"),
    ("How many people worked on it this year?", "no", "a person of many months counts in each"),
    ("How many must leave before nobody knows the code?", "no", "needs names, files, all years"),
    ("Who reviews, answers and makes releases?", "no", "only authors of commits are counted"),
    ("Is the work paid?", "no", "commits do not say"),
)


def limits() -> pd.DataFrame:
    """Return which questions the monthly counts answer (yes, within bounds, no) and why."""
    import pandas as pd

    return pd.DataFrame(_LIMITS, columns=["question", "answer", "why"])
