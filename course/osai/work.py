"""The student's own work: save it, find it again, take it home in a zip, bring it back.

It lies in `my-work/` at the top of the checkout (or where `OSAI_WORK` points), which git ignores.

    from osai import work

    work.save("verdicts", {"C01": "mixed"})     # results: JSON; a DataFrame: CSV; a Path: copied
    work.load("verdicts")                        # the same again; a folder comes as a Path
    work.load("adapter", sample=some_path)       # no work yet? the sample, and it says so
    work.contents()                              # what is there
    work.pack()                                  # a zip to download; Binder forgets, the zip not
    work.restore()                               # from the zip you uploaded

Every file is written beside its place and then moved there, so that a full disk or a lost power
line leaves the old version or the new one, never half of one. Restoring deletes nothing: what
would be overwritten goes to `my-work/kept-aside/`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from osai import places
from osai.packing import (
    KEPT_ASIDE,
    MANIFEST,
    TAKE_HOME,
    Packed,
    Restored,
    WorkError,
    explained,
    name_fault,
    newest,
    pack,
    restore,
    walk,
    write,
)

__all__ = [
    "Entry",
    "Packed",
    "Restored",
    "WorkError",
    "contents",
    "load",
    "pack",
    "path",
    "restore",
    "save",
]

_NAME = re.compile(r"^\w[\w.-]*$")
_KINDS = {".json": "results", ".csv": "table", ".txt": "text", ".md": "text"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One piece of work. kind: results, table, text, folder or file; size in bytes."""

    name: str
    kind: str
    size: int
    saved: dt.datetime


def save(name: str, what: object) -> Path:
    """Save a piece of work under a name and return where it lies.

    what: a pandas DataFrame (saved as CSV), a Path of a file or folder (copied), text, bytes
    (the name then carries the ending, as in `page.html`), or anything JSON can hold.
    Saving under the same name again replaces the earlier version.
    Raises WorkError for a name no system can store, a kind JSON cannot hold, a full disk.
    """
    name = _checked_name(name)
    if isinstance(what, Path):
        return _save_path(name, what)
    target, content = _encoded(name, what)
    _only_form(name, target)
    with explained(f"saving {target.name}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target, lambda file: file.write(content))
    return target


def load(name: str, *, sample: Path | str | None = None) -> Any:
    """Return a piece of work: JSON as it was, CSV as a DataFrame, text as text, else its Path.

    sample: a file or folder that ships with the course, used when there is no work of that name;
    one printed line then says that it is a sample.
    Raises WorkError if there is neither, or if the file cannot be read.
    """
    return _read(path(name, sample=sample))


def path(name: str, *, sample: Path | str | None = None) -> Path:
    """Return where a piece of work lies, or the sample's path (see `load`)."""
    name = _checked_name(name)
    found = _forms(name)
    if len(found) > 1:
        raise WorkError(
            f"There are several versions of {name!r} in {places.work_dir().name}/: "
            f"{', '.join(p.name for p in found)}. Ask for one with its ending, or delete one."
        )
    if found:
        return found[0]
    if sample is not None:
        sample = Path(sample)
        if not sample.exists():
            raise WorkError(f"There is no {name!r} yet, and its sample is missing: {sample.name}.")
        print(
            f"This is a sample that comes with the course, not your own work: you have not"
            f" saved {name!r} yet."
        )
        return sample
    there = ", ".join(entry.name for entry in contents()) or "nothing yet"
    raise WorkError(
        f"There is no {name!r} in {places.work_dir().name}/. It holds: {there}. Run the lesson"
        " that makes it, or bring your work back with work.restore()."
    )


def contents() -> tuple[Entry, ...]:
    """Return what is saved, sorted by name; nothing saved gives an empty tuple."""
    root = places.work_dir()
    if not root.is_dir():
        return ()
    entries = []
    for item in sorted(root.iterdir()):
        if item.name in (TAKE_HOME, KEPT_ASIDE) or item.name.startswith("."):
            continue
        files = [item] if item.is_file() else list(walk(item))
        entries.append(
            Entry(
                item.name,
                "folder" if item.is_dir() else _KINDS.get(item.suffix, "file"),
                sum(file.stat().st_size for file in files),
                dt.datetime.fromtimestamp(newest([item, *files]), dt.UTC),
            )
        )
    return tuple(entries)


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    fault = name_fault(name)
    if fault is None and not _NAME.match(name):
        fault = "use letters, digits, hyphens and dots only"
    if fault is None and name in (TAKE_HOME, KEPT_ASIDE, MANIFEST):
        fault = "that name is used by the course itself"
    if fault is not None:
        raise WorkError(f"{name!r} cannot be the name of a piece of work: {fault}.")
    return name


def _encoded(name: str, what: object) -> tuple[Path, bytes]:
    """Return where `what` goes and its bytes."""
    root = places.work_dir()
    suffix = Path(name).suffix
    if isinstance(what, bytes):
        if not suffix:
            raise WorkError(f"Bytes need a name with an ending, such as {name + '.bin'!r}.")
        return root / name, what
    if isinstance(what, str):
        return root / (name if suffix else f"{name}.txt"), what.encode()
    if hasattr(what, "to_csv"):
        text = what.to_csv(index=False, lineterminator="\n")
        return root / (name if suffix == ".csv" else f"{name}.csv"), text.encode()
    try:
        text = json.dumps(what, ensure_ascii=False, indent=1, allow_nan=False, default=_jsonable)
    except (TypeError, ValueError) as error:
        raise WorkError(
            f"{name!r} cannot be saved as results: {error}. Save numbers, text, lists and"
            " dictionaries, a DataFrame, or the Path of a file or folder."
        ) from None
    return root / (name if suffix == ".json" else f"{name}.json"), f"{text}\n".encode()


def _jsonable(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "tolist"):  # numpy numbers and arrays
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is in it")


def _save_path(name: str, source: Path) -> Path:
    if not source.exists():
        raise WorkError(f"There is no file or folder {source.name!r} to save as {name!r}.")
    root = places.work_dir()
    bare = source.is_dir() or Path(name).suffix
    target = root / (name if bare else f"{name}{source.suffix}")
    if source.resolve() == target.resolve():
        return target
    _only_form(name, target)
    with explained(f"saving {target.name}"):
        root.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            with source.open("rb") as content:
                write(target, lambda file: shutil.copyfileobj(content, file))
        else:
            with tempfile.TemporaryDirectory(prefix=".partial-", dir=root) as scratch:
                fresh = Path(scratch) / "new"
                shutil.copytree(source, fresh)
                _swap(fresh, target, Path(scratch) / "old")
    return target


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put a finished folder in its place; on failure the one that stood there comes back."""
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(fresh, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise


def _only_form(name: str, target: Path) -> None:
    others = [form for form in _forms(name) if form != target]
    if others:
        raise WorkError(
            f"{others[0].name} already exists in {places.work_dir().name}/, so that {target.name}"
            " would make two versions of the same work. Choose another name."
        )


def _forms(name: str) -> list[Path]:
    root = places.work_dir()
    if (root / name).exists():
        return [root / name]
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_file() and p.stem == name)


def _read(file: Path) -> Any:
    if file.is_dir() or file.suffix not in _KINDS:
        return file
    try:
        if file.suffix == ".csv":
            import pandas as pd

            return pd.read_csv(file, encoding="utf-8")
        text = file.read_text(encoding="utf-8")
        return json.loads(text) if file.suffix == ".json" else text
    except (ValueError, OSError) as error:  # decoding, JSON and CSV errors are ValueErrors
        reason = str(error).splitlines()[0]
        raise WorkError(
            f"{file.name} cannot be read ({reason}). Make it again, or restore it from a zip."
        ) from None
