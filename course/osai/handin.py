"""Hand in an assignment as a zip, where there is no nbgrader exchange (always so on Windows).

    from osai.handin import pack

    pack("a4-teach-the-chatbot", student="an.nguyen")

writes `an.nguyen__a4-teach-the-chatbot.zip` beside the notebook. `nbgrader zip_collect` reads
these names with the settings in `assignments/nbgrader_config.py`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = "__"  # between student and assignment in the zip's name
_STUDENT = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")


class HandInError(RuntimeError):
    """The work cannot be packed; the message says why and what to do next."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: the message is for the student, a traceback would bury it.
        return [f"Not packed. {self}"]


@dataclass(frozen=True, repr=False)
class HandIn:
    """A zip to hand in. `path` is None if nothing was packed; `saved` is the notebooks' age."""

    path: Path | None
    message: str
    saved: dt.datetime | None = None

    def __repr__(self) -> str:
        return self.message


def pack(
    assignment: str,
    student: str,
    notebooks: Sequence[str] = (),
    folder: Path | str | None = None,
) -> HandIn:
    """Pack an assignment's notebooks, as last saved, into `<student>__<assignment>.zip`.

    `student` is the id that the teacher gave; empty, nothing is packed and a hint comes back.
    `notebooks` are names without ending (default: the assignment's own name), `folder` where they
    lie (default: the current folder, which is the notebook's). While nbgrader grades or validates
    nothing is packed. Raises HandInError for a missing or unreadable notebook, for an id that
    cannot be part of a file name, or if the zip cannot be written.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return HandIn(None, "Nothing is packed while nbgrader runs this notebook.")
    if not student.strip():
        return HandIn(None, "Write your student id between the quotes, then run this cell again.")
    student = student.strip()
    if not _STUDENT.fullmatch(student):
        raise HandInError(
            f"The student id {student!r} cannot be part of a file name everywhere. Use the id your "
            "teacher gave you: letters without marks, digits, and single . - _ between them."
        )
    here = Path.cwd() if folder is None else Path(folder)
    files = [here / f"{name}.ipynb" for name in notebooks or (assignment,)]
    for file in files:
        _check(file)
    saved = dt.datetime.fromtimestamp(min(file.stat().st_mtime for file in files)).astimezone()
    target = here / f"{student}{SEPARATOR}{assignment}.zip"
    partial = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise HandInError(
            f"{target.name} could not be written: {error.strerror or error}. "
            "Make room or close the program that uses it, then run this cell again."
        ) from None
    return HandIn(
        target,
        f"Packed {target.name} ({target.stat().st_size / 1000:,.0f} kB), beside this notebook. It "
        f"holds the work as saved at {saved:%H:%M on %d/%m/%Y}. If you changed something since, "
        "save and run this cell again.",
        saved,
    )


def _check(file: Path) -> None:
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    except FileNotFoundError:
        raise HandInError(
            f"There is no {file.name} in the folder {file.parent}. If your notebook has another "
            "name, rename it to this one: grading looks for the name."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HandInError(
            f"{file.name} cannot be read as a notebook ({type(error).__name__}). Save it again."
        ) from None
    if not cells:
        raise HandInError(f"{file.name} has no cells. Save it again, or start from a fresh copy.")
