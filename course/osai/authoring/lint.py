"""Check lessons against the page grammar and say in words what to change.

    python -m osai.authoring.lint                 every lesson
    python -m osai.authoring.lint course/00-start-here.ipynb
    python -m osai.authoring.lint --complete      and no claim may still wait for its lesson

The rules stand in `osai.authoring.grammar`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

from osai import careers, places
from osai.authoring import derived
from osai.authoring.grammar import RULES, Lesson


@dataclass(frozen=True)
class Finding:
    """One breach: in which lesson and cell, of which rule, and what to do."""

    lesson: str
    cell: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.lesson}, cell {self.cell!r} [{self.rule}]: {self.message}"


def check(path: Path, notebook: nbformat.NotebookNode, repository: str) -> list[Finding]:
    """Return all breaches in a lesson.

    path: where the lesson lies or would lie (its links are followed from there).
    """
    lesson = Lesson(path, notebook, repository)
    return [
        Finding(path.name, cell, name, message)
        for name, found in RULES.items()
        for cell, message in found(lesson)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Check lessons from the command line; return 1 if anything is found."""
    parser = argparse.ArgumentParser(
        prog="python -m osai.authoring.lint", description="Check the page grammar of lessons."
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="notebooks; default: all lessons")
    parser.add_argument("--complete", action="store_true", help="every claim has its lesson")
    words = parser.parse_args(arguments)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    top = places.checkout()
    if top is None:
        print("The course's checkout was not found. Start from its top folder.")
        return 2
    findings = []
    for lesson in words.lessons or derived.lessons(top):
        try:
            notebook = derived.read(lesson)
            findings += check(lesson.absolute(), notebook, derived.repository(top))
        except derived.DerivedError as error:
            print(error)
            return 2
    if words.complete:
        there = [lesson.name for lesson in derived.lessons(top)]
        for row in careers.check_coverage(there).data.to_dict("records"):
            where = f"lesson {row['planned_lesson']}"
            findings.append(Finding(where, "", "coverage", f"judges {row['id']}, but is not there"))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
