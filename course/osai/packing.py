"""A folder of work in one zip with a manifest, and back again without losing anything.

`pack` and `restore` are what `osai.work` offers to students. A zip is checked as a whole before
anything changes; every file is written beside its place and then moved there; what would be
overwritten is kept aside.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import errno
import hashlib
import io
import json
import math
import os
import shutil
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from osai import places
from osai.plain import PlainError

MANIFEST = "manifest.json"
TAKE_HOME = "take-home"
KEPT_ASIDE = "kept-aside"
MAX_BYTES = 2_000_000_000
"""A zip that unpacks to more than this is refused: no lesson makes so much."""

_FORMAT = "osai my-work"
_VERSION = 1
_DEVICES = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}


class WorkError(PlainError, RuntimeError):
    """The student's work could not be saved or read. The message says why and what to do."""


@dataclasses.dataclass(frozen=True, repr=False)
class Packed:
    """A zip to take home: where it lies, how many files of work it holds, its size in bytes."""

    path: Path
    files: int
    size: int

    def __repr__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return (
            f"Packed {files} into {places.work_dir().name}/{TAKE_HOME}/{self.path.name}"
            f" ({math.ceil(self.size / 1000):,} kB)."
        )


@dataclasses.dataclass(frozen=True, repr=False)
class Restored:
    """What became of each piece of work in a zip.

    restored: put in place. same: already there, equal. replaced: put in place, the older version
    kept aside. kept: your newer version stayed, the one from the zip was kept aside.
    aside: the folder with what was kept aside, None if nothing was.
    """

    restored: tuple[str, ...]
    same: tuple[str, ...]
    replaced: tuple[str, ...]
    kept: tuple[str, ...]
    aside: Path | None

    def __repr__(self) -> str:
        lines = [
            f"{label}: {', '.join(names)}"
            for label, names in (
                ("Restored", self.restored),
                ("Already there", self.same),
                ("Restored, your older version kept aside", self.replaced),
                ("Your version is newer and stays, the zip's version kept aside", self.kept),
            )
            if names
        ]
        if self.aside is not None:
            lines.append(f"Kept aside in {places.work_dir().name}/{KEPT_ASIDE}/{self.aside.name}")
        return "\n".join(lines)


def pack(to: Path | str | None = None) -> Packed:
    """Pack all work into one zip with a manifest (sizes, times, SHA-256) and return it.

    to: the zip's path; by default a dated name in `my-work/take-home/`. Links are left out.
    Raises WorkError if there is nothing to pack or no room for it.
    """
    root = places.work_dir()
    earlier = _zips(root)
    files = [
        file
        for file in (walk(root) if root.is_dir() else ())
        if file.relative_to(root).parts[0] != TAKE_HOME and file not in earlier
    ]
    if not files:
        raise WorkError(f"{root.name}/ is empty: there is nothing to pack yet.")
    if fault := _tree_fault([_inside(file, root) for file in files]):
        raise WorkError(f"Some other system could not unpack this: {fault}. Rename it first.")
    now = dt.datetime.now(dt.UTC)
    target = Path(to) if to else root / TAKE_HOME / f"my-work-{now:%Y-%m-%d-%H%M%S}.zip"

    def fill(out: io.BufferedWriter) -> None:
        rows = []
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                inside = _inside(file, root)
                digest, size = hashlib.sha256(), 0
                with file.open("rb") as source, archive.open(inside, "w") as packed:
                    while block := source.read(1 << 20):
                        packed.write(block)
                        digest.update(block)
                        size += len(block)
                modified = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
                rows.append(
                    {
                        "path": inside,
                        "bytes": size,
                        "modified": modified.isoformat(),
                        "sha256": digest.hexdigest(),
                    }
                )
            manifest = {
                "format": _FORMAT,
                "version": _VERSION,
                "packed": now.isoformat(timespec="seconds"),
                "files": rows,
            }
            archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))

    with explained(f"packing {target.name}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target, fill)
    return Packed(target, len(files), target.stat().st_size)


def restore(packed: Path | str | None = None) -> Restored:
    """Bring work back from a zip made by `pack` and say what was done with each piece.

    packed: the zip; by default the newest `my-work*.zip` in the current folder, at the top of the
    checkout or in `my-work/`, and only if there is none the newest in `my-work/take-home/`.
    The whole zip is checked before anything changes. Where your folder already holds a different
    version, the newer of the two is in place afterwards and the other in `my-work/kept-aside/`.
    Raises WorkError for a missing, damaged, foreign or unsafe zip, or when there is no room.
    """
    source = Path(packed) if packed else _newest_zip()
    if not source.is_file():
        raise WorkError(f"There is no file {source.name}. Upload the zip first, then try again.")
    root = places.work_dir()
    with explained(f"restoring {source.name}"):
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=root) as scratch:
            rows = _unpack(source, Path(scratch))
            return _place(rows, Path(scratch), root)


def _inside(file: Path, root: Path) -> str:
    return unicodedata.normalize("NFC", file.relative_to(root).as_posix())


def name_fault(part: str) -> str | None:
    """Say why one part of a path cannot be stored on every system, or None if it can."""
    if part in ("", ".", "..") or part != part.strip(" ") or part.endswith("."):
        return "it is empty, or begins or ends with a dot or space"
    if any(c in '<>:"/\\|?*' or unicodedata.category(c).startswith("C") for c in part):
        return "it holds a character that some systems cannot store"
    if part.split(".")[0].lower() in _DEVICES:
        return "Windows keeps that name for a device"
    if len(part.encode()) > 200:
        return "it is too long"
    return None


def write(target: Path, fill: Callable[[Any], object]) -> None:
    """Let `fill` write a file beside the target, then move it there in one step."""
    handle, partial = tempfile.mkstemp(prefix=".partial-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException:  # also Ctrl-C: no half-written file stays
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn an operating system's error into a sentence and a next step."""
    try:
        yield
    except (OSError, shutil.Error) as error:
        code = getattr(error, "errno", None)
        if code in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            step = "the disk is full. Delete something large and try again"
        elif isinstance(error, PermissionError):
            step = f"no permission to write in {places.work_dir()}"
        else:
            step = str(error)
        raise WorkError(f"{doing.capitalize()} failed: {step}. Nothing was lost.") from error


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder in a fixed order.

    Left out: links, and names that start with a dot (half-written files, JupyterLab's
    checkpoints).
    """
    for item in sorted(folder.iterdir()):
        if item.is_symlink() or item.name.startswith("."):
            continue
        if item.is_dir():
            yield from walk(item)
        elif item.is_file():
            yield item


def newest(files: list[Path]) -> float:
    """Return the latest time any of these files was changed, in seconds since 1970."""
    return max(file.lstat().st_mtime for file in files)


def _newest_zip() -> Path:
    root = places.work_dir()
    uploaded = {Path.cwd(), places.checkout() or Path.cwd(), root}
    # one that was brought here goes before one that was packed here, however new that is
    found = [file for folder in uploaded for file in _zips(folder)] or _zips(root / TAKE_HOME)
    if not found:
        raise WorkError(
            "There is no my-work zip here. Drag your zip into the file list on the left, then run"
            " this again, or name it: work.restore('my-work-....zip')."
        )
    return max(found, key=lambda file: (file.stat().st_mtime, file.name))


def _zips(folder: Path) -> list[Path]:
    return sorted(folder.glob("my-work*.zip"))


def _unpack(source: Path, scratch: Path) -> list[dict[str, Any]]:
    """Check the whole zip, unpack it into an empty folder, return its manifest's rows."""
    try:
        with zipfile.ZipFile(source) as archive:
            rows = _manifest(archive, source.name)
            needed = sum(row["bytes"] for row in rows)
            if needed > shutil.disk_usage(scratch).free:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            for row in rows:
                _extract(archive, row, scratch / row["path"], source.name)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # a compression this Python lacks
    ) as error:
        raise WorkError(
            f"{source.name} is damaged or not a zip ({error}). Upload it again, or use an older"
            " one. Nothing was changed."
        ) from None
    return rows


def _manifest(archive: zipfile.ZipFile, zip_name: str) -> list[dict[str, Any]]:
    foreign = WorkError(
        f"{zip_name} was not made by work.pack(), so it was left alone. Nothing was changed."
    )
    members = {info.filename: info for info in archive.infolist()}
    if MANIFEST not in members or members[MANIFEST].file_size > 50_000_000:
        raise foreign
    try:
        manifest = json.loads(archive.read(MANIFEST).decode())
        rows = [
            {
                "path": str(row["path"]),
                "bytes": int(row["bytes"]),
                "modified": _moment(row["modified"]),
                "sha256": str(row["sha256"]),
            }
            for row in manifest["files"]
        ]
        known = manifest["format"] == _FORMAT and int(manifest["version"]) <= _VERSION
    except (ValueError, KeyError, TypeError, OverflowError):
        raise foreign from None
    if not known:
        raise foreign
    paths = [row["path"] for row in rows]
    fault = _tree_fault(paths)
    if sorted([*paths, MANIFEST]) != sorted(info.filename for info in archive.infolist()):
        fault = "its files are not those of its manifest"
    if any(row["bytes"] != members[row["path"]].file_size for row in rows if not fault):
        fault = "a file's size is not that of its manifest"
    if sum(row["bytes"] for row in rows) > MAX_BYTES:
        fault = f"it would unpack to more than {MAX_BYTES / 1e9:.0f} GB"
    if any(
        stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 1 for info in members.values()
    ):
        fault = "it holds a link or is encrypted"
    if fault:
        raise WorkError(f"{zip_name} is not safe to restore: {fault}. Nothing was changed.")
    return rows


def _moment(text: str) -> float:
    """Return a time of the manifest in seconds since 1970, never in the future."""
    now = dt.datetime.now(dt.UTC).timestamp()
    return min(max(dt.datetime.fromisoformat(text).timestamp(), 0.0), now)


def _tree_fault(paths: list[str]) -> str | None:
    """Say why these paths cannot all be made inside one folder on every system, or None."""
    seen: set[str] = set()
    for path in paths:
        parts = PurePosixPath(path).parts
        if "/".join(parts) != path:
            return f"{path!r} leads out of the folder or is not in plain form"
        for part in parts:
            if fault := name_fault(part):
                return f"{path!r}: {fault}"
        if parts[0] in (TAKE_HOME, MANIFEST) or parts[0].startswith("."):
            return f"{path!r} is not a piece of work"
        # Windows and macOS see `A` and `a` as one name
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in seen:
            return f"{path!r} is there twice"
        seen.add(folded)
    for path in seen:
        if any(str(parent) in seen for parent in PurePosixPath(path).parents):
            return f"{path!r} needs a folder where a file is"
    return None


def _extract(archive: zipfile.ZipFile, row: dict[str, Any], target: Path, zip_name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with archive.open(row["path"]) as packed, target.open("wb") as file:
        while block := packed.read(1 << 20):
            size += len(block)
            if size > row["bytes"]:  # a zip bomb: more inside than its header says
                break
            digest.update(block)
            file.write(block)
    if size != row["bytes"] or digest.hexdigest() != row["sha256"]:
        raise WorkError(
            f"{zip_name} is damaged: {row['path']} is not as it was packed. Nothing was changed."
        )
    os.utime(target, (row["modified"], row["modified"]))


def _place(rows: list[dict[str, Any]], scratch: Path, root: Path) -> Restored:
    """Move the checked pieces from scratch to their places, one piece (file or folder) a time."""
    aside = root / KEPT_ASIDE / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M%S-%f}"
    done: dict[str, list[str]] = {"restored": [], "same": [], "replaced": [], "kept": []}
    for piece in sorted({_piece(row["path"]) for row in rows}):
        fresh, place = scratch / piece, root / piece
        if not place.exists() and not place.is_symlink():
            outcome = "restored"
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(fresh, place)
        elif _digests(fresh) == _digests(place):
            outcome = "same"
        else:
            # two seconds: the resolution of the coarsest file system (FAT)
            newer = newest(list(_all(place))) > newest(list(_all(fresh))) + 2
            outcome = "kept" if newer else "replaced"
            away = aside / piece
            away.parent.mkdir(parents=True, exist_ok=True)
            os.replace(fresh if newer else place, away)
            if not newer:
                os.replace(fresh, place)
        done[outcome].append(piece)
    kept = aside if aside.exists() else None
    return Restored(**{key: tuple(names) for key, names in done.items()}, aside=kept)


def _piece(path: str) -> str:
    """Return the unit that is restored whole: a top-level file or folder."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == KEPT_ASIDE else parts[0]


def _all(piece: Path) -> Iterator[Path]:
    if piece.is_symlink() or not piece.is_dir():
        yield piece
    else:
        found = list(walk(piece))
        yield from found or [piece]


def _digests(piece: Path) -> dict[str, str] | None:
    """Return each file's digest by its path inside the piece; None for a link."""
    if piece.is_symlink():
        return None
    if piece.is_file():
        return {"": hashlib.sha256(piece.read_bytes()).hexdigest()}
    return {
        file.relative_to(piece).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in walk(piece)
    }
