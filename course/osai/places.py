"""Where things lie: the checkout, the data, the student's own work.

Light (standard library only) and asked each time, never stored: a notebook may be moved, and
tests point the work folder elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

WORK_VARIABLE = "OSAI_WORK"
"""Environment variable that names another folder for the student's own work."""


class PlaceError(RuntimeError):
    """A folder of the course that cannot be found. The message says what to do next."""


def checkout() -> Path | None:
    """Return the top folder of the course's checkout, or None if there is none.

    Looked for from this package upwards (an editable install), then from the current folder.
    """
    for start in (Path(__file__).resolve().parent, Path.cwd()):
        for folder in (start, *start.parents):
            if (folder / "data" / "README.md").is_file() and (folder / "course").is_dir():
                return folder
    return None


def data_dir() -> Path:
    """Return the folder with the course's tables: the checkout's, else the installed copy.

    Raises PlaceError if there is neither.
    """
    top = checkout()
    if top is not None:
        return top / "data"
    packaged = Path(__file__).resolve().parent / "_data"
    if packaged.is_dir():
        return packaged
    raise PlaceError(
        "The course's data folder was not found. Start from the folder that holds course/ and"
        " data/, or install the package again."
    )


def work_dir() -> Path:
    """Return the folder for the student's own work; it need not exist yet.

    `OSAI_WORK` names it if set, else it is `my-work` at the top of the checkout, else `my-work`
    in the current folder.
    """
    named = os.environ.get(WORK_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    return (checkout() or Path.cwd()) / "my-work"
