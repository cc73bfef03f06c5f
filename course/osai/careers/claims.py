"""The claims that the course judges, with the figures for and against each.

    from osai import careers, tables

    careers.claim("C07").shown_false_by       # the result after which one would give it up
    found = careers.evidence("C07")
    tables.show(found.supporting)             # figures with units, sources, notes
    tables.show(found.against)
    careers.planned("05")                     # the claims that lesson 05 judges

Two texts make 47 claims about open source, AI and work: `data/careers/claims.csv`. Each names its
evidence by ids of `data/careers/figures.csv`. Where studies disagree, both stand in the table.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from osai import tables
from osai.plain import PlainError

TOPIC = "careers"


class ClaimError(PlainError, ValueError):
    """A claim, figure or lesson that does not exist. The message says which there are."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One claim; the fields are the columns of `claims.csv`. An empty text: nothing was found."""

    id: str
    source_text: str
    claim: str
    shown_false_by: str
    how_to_test: str
    evidence_for: str
    evidence_against: str
    figures_for: tuple[str, ...]
    figures_against: tuple[str, ...]
    verdict: str
    verdict_note: str
    planned_lesson: str
    section: str
    urls: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The figures on both sides of a claim; a table without rows where there is no figure."""

    claim: Claim
    supporting: tables.Table
    against: tables.Table


def claims() -> tables.Table:
    """Return all claims, one a row. Raises TableError if the file does not match its schema."""
    return tables.load(TOPIC, "claims")


def claim(id: str) -> Claim:
    """Return one claim by its id, such as "C07". Raises ClaimError for an unknown id."""
    known = claims().data
    found = known[known["id"] == id]
    if found.empty:
        first, last = known["id"].iloc[0], known["id"].iloc[-1]
        raise ClaimError(f"There is no claim {id!r}. The claims are {first} to {last}.")
    return _claim(found.iloc[0].to_dict())


def evidence(id: str) -> Evidence:
    """Return the figures for and against a claim, with all columns of `figures.csv`.

    Raises ClaimError for an unknown claim, or if the claim names a figure that is not there.
    """
    judged = claim(id)
    figures = tables.load(TOPIC, "figures")
    return Evidence(
        claim=judged,
        supporting=_figures(figures, judged, judged.figures_for, "for"),
        against=_figures(figures, judged, judged.figures_against, "against"),
    )


def planned(lesson: str) -> tables.Table:
    """Return the claims that a lesson judges, in the order of their ids; perhaps none.

    lesson: its number, or its name with or without the ending: "03", "03-careers.ipynb".
    Raises ClaimError for a name without a number.
    """
    known = claims()
    number = _number(lesson)
    return dataclasses.replace(
        known,
        title=f"Claims that lesson {number} judges",
        data=known.data[known.data["planned_lesson"] == number].reset_index(drop=True),
    )


def check_coverage(existing_lessons: Iterable[str]) -> tables.Table:
    """Return the claims whose lesson does not exist: no rows when every claim has its lesson.

    existing_lessons: names or numbers, as in `planned`. Raises ClaimError for one without a number.
    """
    known = claims()
    numbers = {_number(lesson) for lesson in existing_lessons}
    waiting = ~known.data["planned_lesson"].isin(numbers)
    return dataclasses.replace(
        known,
        title="Claims whose lesson does not exist",
        data=known.data[waiting].reset_index(drop=True),
    )


def _claim(row: dict[str, Any]) -> Claim:
    cells = {name: cell if isinstance(cell, str) else "" for name, cell in row.items()}
    many = {name: tuple(cells[name].split()) for name in ("figures_for", "figures_against", "urls")}
    return Claim(**{**cells, **many})


def _figures(figures: tables.Table, judged: Claim, ids: tuple[str, ...], side: str) -> tables.Table:
    missing = sorted(set(ids) - set(figures.data["id"]))
    if missing:
        raise ClaimError(
            f"Claim {judged.id} names {missing[0]}, which is no figure in data/{TOPIC}/figures.csv."
        )
    return dataclasses.replace(
        figures,
        title=f"Figures {side} claim {judged.id}: {judged.claim}",
        data=figures.data[figures.data["id"].isin(ids)].reset_index(drop=True),
    )


def _number(lesson: str) -> str:
    found = re.match(r"\d{2}(?=-|$)", lesson)
    if not found:
        raise ClaimError(f"{lesson!r} is no lesson. Give its number or name: '03', '03-careers'.")
    return found[0]
