"""Rehearse a grading round: sample students hand in, nbgrader grades, the gradebook is compared.

A sample class lies in `rehearsal/ASSIGNMENT/` of a course directory:

* `class.json`: for each sample student what they answered in each cell, and the marks that a
  person gives to written answers. An answer is `"solution"` (the source's own, without its
  markers) or the path of a file from the course directory; `"*"` stands for all other code cells.
  A cell without an answer stays as released.
* `expected.csv`: student, grade_id, points, maximum: what the gradebook must say afterwards.

Submissions are made from the release of the same moment, so they never go stale. Each opens with
a line that says that it is sample data.

    python -m osai.grading.rehearsal ASSIGNMENT FOLDER           # the whole round, in a new folder
    python -m osai.grading.rehearsal ASSIGNMENT FOLDER --place   # stop before autograding
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osai.grading.stock import Course, GradingError, Result, find_course

NOTE = (
    "**Sample submission.** The course made it to rehearse the grading round; "
    "no student wrote it. Who: {about}."
)

Say = Callable[[int, int, str], None]
"""Called before each step: its number (from 1), how many there are, and what it does."""


@dataclass(frozen=True)
class Student:
    """One sample student: answers by cell, and a person's marks by grade id."""

    name: str
    about: str
    answers: Mapping[str, str]
    marks: Mapping[str, float]


@dataclass(frozen=True)
class Rehearsal:
    """A finished round: the gradebook, and every difference to what was expected."""

    folder: Path
    results: tuple[Result, ...]
    differences: tuple[str, ...]


def sample_class(root: Path, assignment: str) -> list[Student]:
    """The sample students of an assignment, in the order of the file. Raises GradingError."""
    file = root / "rehearsal" / assignment / "class.json"
    try:
        students = json.loads(file.read_text(encoding="utf-8"))["students"]
        return [
            Student(name, one["about"], dict(one["answers"]), dict(one.get("marks", {})))
            for name, one in students.items()
        ]
    except FileNotFoundError:
        raise GradingError(
            f"{assignment} has no sample class ({file} is missing). Next step: choose an "
            "assignment that has one, or write the file."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GradingError(
            f"The sample class {file} cannot be read: {type(error).__name__}: {error}. "
            "Next step: correct the file."
        ) from None


def expected_points(root: Path, assignment: str) -> dict[tuple[str, str], tuple[float, float]]:
    """(points, maximum) by (student, grade id), from `expected.csv`. Raises GradingError."""
    file = root / "rehearsal" / assignment / "expected.csv"
    try:
        with file.open(encoding="utf-8", newline="") as rows:
            return {
                (row["student"], row["grade_id"]): (float(row["points"]), float(row["maximum"]))
                for row in csv.DictReader(rows)
            }
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise GradingError(
            f"The expected grades {file} cannot be read: {error}. Next step: correct the file; "
            "its columns are student, grade_id, points, maximum."
        ) from None


def hand_in(root: Path, course: Course, assignment: str, student: Student) -> list[Path]:
    """Write a sample student's notebooks into the submitted folder of `course`.

    `root` is the course directory with the sample class; `course` has been released. Raises
    GradingError for an answer to a cell that does not exist or a file that is missing.
    """
    import nbformat

    source = course.root / "source" / assignment
    folder = course.submission_folder(student.name, assignment)
    unused = {cell for cell in student.answers if cell != "*"}
    written = []
    for released in sorted((course.root / "release" / assignment).glob("*.ipynb")):
        notebook = nbformat.read(released, as_version=4)
        solutions = {
            _grade_id(cell): _without_markers(cell.source)
            for cell in nbformat.read(source / released.name, as_version=4).cells
            if _grade_id(cell)
        }
        for cell in notebook.cells:
            grade_id = _grade_id(cell)
            if not cell.metadata.get("nbgrader", {}).get("solution"):
                continue
            fallback = student.answers.get("*") if cell.cell_type == "code" else None
            answer = student.answers.get(grade_id, fallback)
            unused.discard(grade_id)
            if answer is not None:
                cell.source = (
                    solutions[grade_id] if answer == "solution" else _file(root / answer)
                ).rstrip("\n")
        note = nbformat.v4.new_markdown_cell(NOTE.format(about=student.about), id="sample-note")
        notebook.cells.insert(0, note)
        nbformat.write(notebook, folder / released.name)
        written.append(folder / released.name)
    if unused:
        raise GradingError(
            f"{student.name} answers cells that {assignment} does not have: "
            f"{', '.join(sorted(unused))}. Next step: correct class.json."
        )
    return written


def set_up(root: Path, assignment: str, folder: Path, say: Say | None = None) -> Course:
    """Make a throwaway course in `folder`, release the assignment, place the sample submissions.

    Nothing of `root` is changed. Raises GradingError if the folder is in use or a step fails.
    """
    students = sample_class(root, assignment)
    course = Course.copy(root, folder, assignment)
    if say is not None:
        say(1, 2, f"Generate the student version of {assignment}")
    course.release(assignment)
    if say is not None:
        say(2, 2, f"Place {len(students)} sample submissions")
    for student in students:
        hand_in(root, course, assignment, student)
    return course


def rehearse(root: Path, assignment: str, folder: Path, say: Say | None = None) -> Rehearsal:
    """Run the whole round in a throwaway course in `folder` and compare the gradebook.

    Release, sample submissions, autograding, a person's marks, feedback, gradebook. Nothing of
    `root` is changed. Raises GradingError if a step fails; a grade that is not as expected is no
    error but stands in `differences`.
    """
    students = sample_class(root, assignment)
    expected = expected_points(root, assignment)
    total = 2 + 2 * len(students)

    def tell(step: int, text: str) -> None:
        if say is not None:
            say(step, total, text)

    course = set_up(root, assignment, folder, lambda step, _, text: tell(step, text))
    for step, student in enumerate(students, 3):
        tell(step, f"Autograde {student.name} ({student.about})")
        course.autograde(assignment, student.name)
    for step, student in enumerate(students, 3 + len(students)):
        marks = "enter the mark for written work, " if student.marks else ""
        tell(step, f"{student.name}: {marks}write feedback")
        course.mark(assignment, student.name, student.marks)
        course.feedback(assignment, student.name)
    places = [student.name for student in students]
    results = sorted(course.results(assignment), key=lambda row: places.index(row.student))
    return Rehearsal(course.root, tuple(results), tuple(differences(results, expected)))


def differences(
    results: list[Result], expected: Mapping[tuple[str, str], tuple[float, float]]
) -> list[str]:
    """Every way in which a gradebook is not as expected, one line each; empty if it is."""
    lines = []
    found = {(one.student, one.grade_id): one for row in results for one in row.grades}
    for key in sorted(expected.keys() | found.keys()):
        student, grade_id = key
        if key not in found:
            lines.append(f"{student}, {grade_id}: not in the gradebook")
        elif key not in expected:
            lines.append(f"{student}, {grade_id}: not in expected.csv")
        else:
            grade, (points, maximum) = found[key], expected[key]
            if abs(grade.points - points) > 1e-6 or abs(grade.maximum - maximum) > 1e-6:
                lines.append(
                    f"{student}, {grade_id}: {grade.points:g} of {grade.maximum:g} points, "
                    f"expected {points:g} of {maximum:g}"
                )
            if grade.open:
                lines.append(f"{student}, {grade_id}: still waits for a person's mark")
    lines += [f"{row.student}: no feedback was written" for row in results if not row.feedback]
    return lines


def _grade_id(cell: Any) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _without_markers(source: str) -> str:
    return re.sub(r"^[^\S\n]*### (BEGIN|END) SOLUTION\n?", "", source, flags=re.MULTILINE)


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise GradingError(
            f"The sample answer {path} cannot be read: {error.strerror or error}. "
            "Next step: correct class.json."
        ) from None


def main(argv: list[str] | None = None) -> int:
    """The command; 0, or 1 if a step failed or a grade is not as expected."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    parser = argparse.ArgumentParser(
        prog="python -m osai.grading.rehearsal", description=__doc__.splitlines()[0]
    )
    parser.add_argument("assignment")
    parser.add_argument("folder", type=Path, help="a new folder for the throwaway course")
    parser.add_argument("--course", type=Path, help="course directory (default: found from here)")
    parser.add_argument("--place", action="store_true", help="stop before autograding")
    options = parser.parse_args(argv)

    def say(step: int, total: int, text: str) -> None:
        print(f"{step}/{total}  {text}", flush=True)

    try:
        root = find_course(options.course)
        if options.place:
            course = set_up(root, options.assignment, options.folder, say)
            print(f"Ready to grade: {course.root}")
            return 0
        rehearsal = rehearse(root, options.assignment, options.folder, say)
    except GradingError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Delete the folder, then run the rehearsal again.", file=sys.stderr)
        return 130
    for row in rehearsal.results:
        print(f"{row.student}: {row.points:g} of {row.maximum:g}")
    print(f"Feedback and gradebook: {rehearsal.folder}")
    for line in rehearsal.differences:
        print(f"Not as expected: {line}", file=sys.stderr)
    return 1 if rehearsal.differences else 0


if __name__ == "__main__":
    sys.exit(main())
