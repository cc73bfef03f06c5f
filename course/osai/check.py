"""Checks for assignments: partial credit, and messages that say what was misunderstood.

Standard library only, so that a test cell runs in any sandbox and where nbgrader is not installed.
A test cell declares one `Task`, gives it parts, and ends with `task.check()`:

    task = Task("mask_prompt", points=25, reread="lesson 11, “The label mask”")

    @task.part(5, "ids and labels have the same length")
    def same_length():
        ids, labels = mask_prompt(tokenizer, messages)
        if len(ids) != len(labels):
            raise Wrong("There must be one label for each id.")

    task.check()

What `task.check()` does depends on who runs the cell:

* nbgrader's autograder (it sets NBGRADER_EXECUTION to "autograde"): the report is printed and the
  points come back as a builtin float, which nbgrader takes as the score of the cell.
* nbgrader's Validate button, or a person: the report is printed; if a part failed, `ChecksFailed`
  is raised with the report as its message. Validate would hide the reasons of a partial score.

Whatever a tested function writes to stderr is sent to stdout while a part runs, because nbgrader
gives no points to a test cell with anything on stderr, a harmless warning included.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


class Wrong(Exception):
    """Raised by a part of a test: the answer is wrong, and this is the likely misconception.

    `reread` names the section that helps; without it the task's own section is named.
    """

    def __init__(self, why: str, reread: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.reread = reread


class ChecksFailed(AssertionError):
    """At least one part of a task failed; the message is the whole report."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: a report for the student, no trace through the test's own code.
        return [str(self)]


@dataclass(frozen=True)
class PartResult:
    """One checked claim: the points it earned, and why not all of them."""

    claim: str
    points: float
    earned: float
    why: str = ""
    reread: str = ""


@dataclass(frozen=True)
class Report:
    """All parts of one task. `points` is the task's maximum, hidden parts included."""

    grade_id: str
    points: float
    parts: tuple[PartResult, ...]

    @property
    def declared(self) -> float:
        """Points of the parts that were run: less than `points` where hidden ones are not here."""
        return math.fsum(part.points for part in self.parts)

    @property
    def earned(self) -> float:
        """Points earned, a builtin float within 0 and `points`."""
        return score(math.fsum(part.earned for part in self.parts), self.points)

    @property
    def passed(self) -> bool:
        """True if every part that was run earned all its points (and there was one)."""
        return bool(self.parts) and all(part.earned == part.points for part in self.parts)

    def text(self) -> str:
        """The report as a student reads it: a line for each part, reasons under the failed ones."""
        lines = [f"{self.grade_id}: {self.earned:g} of {self.declared:g} points"]
        for part in self.parts:
            mark = "right" if part.earned == part.points else "wrong"
            lines.append(f"  [{mark}] {part.earned:g}/{part.points:g}  {part.claim}")
            if part.why:
                lines.append(f"          {part.why}")
            if part.reread:
                lines.append(f"          Reread: {part.reread}.")
        hidden = self.points - self.declared
        if hidden > 0:
            lines.append(f"  {hidden:g} more points are checked when your work is graded.")
        return "\n".join(lines)


class Task:
    """The checks of one graded task.

    `grade_id` is the task's name, `points` what the whole task is worth (the sum of its parts,
    hidden ones included), `reread` the section of a lesson that failed parts point to.
    """

    def __init__(self, grade_id: str, points: float, reread: str = "") -> None:
        if not _is_number(points) or points <= 0:
            raise ValueError(f"Task {grade_id!r}: points must be a number above 0, not {points!r}.")
        self.grade_id = grade_id
        self.points = float(points)
        self.reread = reread
        self._parts: list[tuple[float, str, Callable[[], object]]] = []

    def part(
        self, points: float, claim: str
    ) -> Callable[[Callable[[], Result]], Callable[[], Result]]:
        """Add a check worth `points`. The function raises `Wrong` if the claim does not hold.

        Any other exception also fails the part: it comes from the student's code. Raises
        ValueError if the parts are worth more than the task.
        """
        if not _is_number(points) or points <= 0:
            raise ValueError(f"Task {self.grade_id!r}, {claim!r}: points must be above 0.")
        declared = math.fsum([points, *(earlier for earlier, _, _ in self._parts)])
        if declared > self.points + 1e-9:
            raise ValueError(
                f"Task {self.grade_id!r}: its parts are worth {declared:g} points, "
                f"more than the task's {self.points:g}."
            )

        def add(function: Callable[[], Result]) -> Callable[[], Result]:
            self._parts.append((float(points), claim, function))
            return function

        return add

    def once(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Decorate something slow that several parts need: it runs once, also when it fails."""
        outcome: list[tuple[Any, BaseException | None]] = []

        def remembered() -> Result:
            if not outcome:
                try:
                    outcome.append((function(), None))
                except (Exception, SystemExit) as error:
                    outcome.append((None, error))
            value, error = outcome[0]
            if error is not None:
                raise error
            return value

        return remembered

    def run(self) -> Report:
        """Run every part and return the report; never raises for what a student's code does.

        Only KeyboardInterrupt goes through: it is how a run that takes too long is stopped.
        """
        results = []
        for points, claim, function in self._parts:
            failure = _failure(function)
            if failure is None:
                results.append(PartResult(claim, points, points))
            else:
                why, reread = failure
                results.append(PartResult(claim, points, 0.0, why, reread or self.reread))
        return Report(self.grade_id, self.points, tuple(results))

    def check(self) -> float | None:
        """Run every part and print the report: the last expression of a test cell.

        Under nbgrader's autograder it returns the points. Elsewhere it returns None when all is
        right, and raises `ChecksFailed` with the report when something is not.
        """
        report = self.run()
        if os.environ.get("NBGRADER_EXECUTION") == "autograde":
            _say(report.text())
            return report.earned
        if not report.passed:
            raise ChecksFailed(report.text())
        _say(report.text())
        return None


def score(value: object, maximum: float) -> float:
    """Make `value` a builtin float within 0 and `maximum`, as nbgrader needs it for a score.

    Stock nbgrader gives full marks for NaN, for negative numbers and for numpy's floats (they print
    as `np.float64(3.0)`), and stops the whole assignment for more than the maximum. Here NaN, what
    is below 0 and what is no number count as 0; what is above the maximum counts as the maximum.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    if math.isnan(number) or number <= 0.0:
        return 0.0
    return min(number, float(maximum))


def plain(value: Any) -> Any:
    """Turn tensors, arrays, tuples and ranges into plain lists of Python numbers, else leave as is.

    Tests compare the result, so that an answer may be a list, a tuple, an array or a tensor.
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _failure(function: Callable[[], object]) -> tuple[str, str] | None:
    """Run one part. None if it passed, else (why, what to reread)."""
    try:
        with contextlib.redirect_stderr(sys.stdout):
            function()
    except Wrong as wrong:
        return wrong.why, wrong.reread
    except NotImplementedError:
        return "Not answered yet: replace the line `raise NotImplementedError()`.", ""
    except (Exception, SystemExit) as error:
        return _describe(error, function), ""
    return None


def _describe(error: BaseException, function: Callable[[], object]) -> str:
    """Say in one line where the student's own code stopped, without a line of the test."""
    code = getattr(function, "__code__", None)
    test_file = code.co_filename if code else ""
    theirs = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != test_file and not _is_library(frame.filename)
    ]
    problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if theirs:
        return f"Your code stopped in {theirs[-1].name}, line {theirs[-1].lineno}: {problem}"
    if isinstance(error, NameError) and error.name:
        return f"`{error.name}` is not defined: run the cell with your answer first."
    return f"The check could not use what your code returned. {problem}"


def _is_library(filename: str) -> bool:
    folders = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), Path(__file__).parent)
    return filename.startswith("<frozen") or any(
        Path(filename).is_relative_to(folder) for folder in folders
    )


def _say(text: str) -> None:
    try:
        print(text)
    except UnicodeEncodeError:  # a console that is not UTF-8
        encoding = sys.stdout.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding))
