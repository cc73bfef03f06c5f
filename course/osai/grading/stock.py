"""Drive stock nbgrader on a copy of a course: release, autograde, marks, feedback, gradebook.

`Course.copy` makes a throwaway course directory, so that the instructor's gradebook, submissions
and feedback are never touched. Everything is done by nbgrader's own `NbGraderAPI`, with the
settings of the course's `nbgrader_config.py`; its log goes to `nbgrader.log` in the copy.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sysconfig
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbgrader.apps.api import NbGraderAPI
    from traitlets.config import Config

CONFIG = "nbgrader_config.py"
LOG = "nbgrader.log"


class GradingError(RuntimeError):
    """A step of grading that failed; the message says which, why, and what to do next."""


@dataclass(frozen=True)
class Grade:
    """One graded cell of one student. `points` counts the mark of a person if there is one."""

    student: str
    grade_id: str
    points: float
    maximum: float
    by_hand: bool
    open: bool  # a person still has to give or confirm the mark


@dataclass(frozen=True)
class Result:
    """A student's row of the gradebook."""

    student: str
    points: float
    maximum: float
    grades: tuple[Grade, ...]
    feedback: tuple[Path, ...]


def find_course(start: Path | None = None) -> Path:
    """The nbgrader course directory at `start` (default: the current folder) or around it.

    Looks for `nbgrader_config.py` there, in `assignments/`, and then in each folder above.
    Raises GradingError if there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        for place in (folder, folder / "assignments"):
            if (place / CONFIG).is_file():
                return place
    raise GradingError(
        f"No nbgrader course in {start} or above it (no {CONFIG}). "
        "Next step: start from the course's folder, or name it."
    )


def course_config(root: Path) -> Config:
    """The settings of `nbgrader_config.py` in a course directory. Raises GradingError."""
    from traitlets.config import PyFileConfigLoader

    try:
        return PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    except Exception as error:  # the file is Python: it may raise anything
        raise GradingError(
            f"The settings {root / CONFIG} cannot be read: {type(error).__name__}: {error}. "
            "Next step: correct the file."
        ) from error


class Course:
    """An nbgrader course directory, and nbgrader's own steps on it.

    Every step raises GradingError with nbgrader's reason if it fails.
    """

    def __init__(self, root: Path, config: Config) -> None:
        self.root = root
        self._config = config

    @classmethod
    def copy(cls, original: Path, folder: Path, assignment: str) -> Course:
        """Make a throwaway course in the empty or new `folder`: settings and one source.

        The copy has its own gradebook and its own (empty) exchange. Raises GradingError for an
        assignment that does not exist, a folder in use, or no room.
        """
        source = original / "source" / assignment
        if not source.is_dir():
            known = sorted(p.name for p in (original / "source").glob("*") if p.is_dir())
            raise GradingError(
                f"No assignment {assignment!r} in {original / 'source'}. Next step: choose one of "
                f"{', '.join(known) or '(there is none)'}."
            )
        folder = folder.resolve()
        if folder.exists() and any(folder.iterdir()):
            raise GradingError(f"{folder} is not empty. Next step: name a new folder.")
        config = course_config(original)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(original / CONFIG, folder / CONFIG)
            shutil.copytree(
                source,
                folder / "source" / assignment,
                ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "*.zip"),
            )
        except OSError as error:
            raise GradingError(
                f"The course cannot be copied to {folder}: {error.strerror or error}. "
                "Next step: make room, or name another folder."
            ) from None
        config.CourseDirectory.root = str(folder)
        config.CourseDirectory.db_url = f"sqlite:///{(folder / 'gradebook.db').as_posix()}"
        config.Exchange.root = str(folder / "no-exchange")
        return cls(folder, config)

    def release(self, assignment: str) -> Path:
        """Generate the student version; returns its folder."""
        with self._nbgrader() as api:
            self._done(api.generate_assignment(assignment), f"Releasing {assignment}")
        return self.root / "release" / assignment

    def submission_folder(self, student: str, assignment: str) -> Path:
        """Where a student's submission lies, made if needed."""
        folder = self.root / "submitted" / student / assignment
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def autograde(self, assignment: str, student: str) -> None:
        """Run one submission with the hidden tests and store its points in the gradebook."""
        with self._nbgrader() as api:
            self._done(api.autograde(assignment, student), f"Autograding {student}")

    def mark(self, assignment: str, student: str, marks: Mapping[str, float]) -> None:
        """Enter a person's marks by grade id, as Formgrader would."""
        from nbgrader.api import MissingEntry

        with self._nbgrader() as api, api.gradebook as gradebook:
            for grade_id, points in marks.items():
                try:
                    grade = self._find(gradebook, assignment, student, grade_id)
                except MissingEntry as error:
                    raise GradingError(f"No mark for {grade_id!r} of {student}: {error}.") from None
                grade.manual_score = float(points)
                grade.needs_manual_grade = False
            gradebook.db.commit()

    def feedback(self, assignment: str, student: str) -> tuple[Path, ...]:
        """Write the feedback pages of one student and return them."""
        with self._nbgrader() as api:
            self._done(api.generate_feedback(assignment, student), f"Feedback for {student}")
        return tuple(sorted((self.root / "feedback" / student / assignment).glob("*.html")))

    def results(self, assignment: str) -> list[Result]:
        """The gradebook of one assignment, by student."""
        with self._nbgrader() as api, api.gradebook as gradebook:
            rows = []
            for submission in gradebook.assignment_submissions(assignment):
                student = submission.student.id
                grades = tuple(
                    Grade(
                        student=student,
                        grade_id=grade.name,
                        points=float(grade.score),
                        maximum=float(grade.max_score),
                        by_hand=grade.manual_score is not None,
                        open=bool(grade.needs_manual_grade),
                    )
                    for notebook in submission.notebooks
                    for grade in sorted(notebook.grades, key=lambda one: _order(notebook, one))
                )
                pages = self.root / "feedback" / student / assignment
                rows.append(
                    Result(
                        student=student,
                        points=float(submission.score),
                        maximum=float(submission.max_score),
                        grades=grades,
                        feedback=tuple(sorted(pages.glob("*.html"))),
                    )
                )
        return sorted(rows, key=lambda row: row.student)

    @staticmethod
    def _find(gradebook: Any, assignment: str, student: str, grade_id: str) -> Any:
        from nbgrader.api import MissingEntry

        for notebook in gradebook.find_submission(assignment, student).notebooks:
            with contextlib.suppress(MissingEntry):
                return gradebook.find_grade(grade_id, notebook.name, assignment, student)
        raise MissingEntry(f"no graded cell of that name in {assignment}")

    @contextlib.contextmanager
    def _nbgrader(self) -> Iterator[NbGraderAPI]:
        """nbgrader's API on this course, its log in a file and its commands on the path."""
        from nbgrader.apps.api import NbGraderAPI

        log = logging.getLogger(f"osai.grading.{id(self)}")
        log.propagate = False
        handler = logging.FileHandler(self.root / LOG, encoding="utf-8")
        handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
        log.addHandler(handler)
        cwd = Path.cwd()
        try:
            with _scripts_on_path(), warnings.catch_warnings():
                # SQLAlchemy's, about nbgrader's own use of it: nothing a reader could act on
                warnings.filterwarnings("ignore", module=r"nbgrader\.")
                yield NbGraderAPI(config=self._config, log=log)
        finally:
            os.chdir(cwd)  # a stopped converter may leave the process in another folder
            log.removeHandler(handler)
            handler.close()

    def _done(self, outcome: Mapping[str, Any], step: str) -> None:
        if outcome["success"]:
            return
        error = str(outcome.get("error", ""))
        lines = [line.strip() for line in error.splitlines() if line.strip()]
        reason = lines[-1] if lines else "nbgrader gives no reason"
        if reason.startswith("KeyboardInterrupt"):
            raise KeyboardInterrupt  # nbgrader catches it; whoever pressed Ctrl-C meant the run
        with contextlib.suppress(OSError), (self.root / LOG).open("a", encoding="utf-8") as log:
            log.write(error)
        raise GradingError(f"{step} failed: {reason}. Next step: read {self.root / LOG}.")


def _order(notebook: Any, grade: Any) -> int:
    """Place of a graded cell in its notebook: nbgrader keeps the cells' sources in order."""
    names = [cell.name for cell in notebook.notebook.source_cells]
    return names.index(grade.name) if grade.name in names else len(names)


@contextlib.contextmanager
def _scripts_on_path() -> Iterator[None]:
    """nbgrader calls `alembic` by bare name, which an environment that is not active lacks."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
