"""Build the student versions in `release/` from `source/`, the same bytes every time.

    python -m osai.grading.release            # all assignments of the course around this folder
    python -m osai.grading.release --check    # change nothing; exit code 1 if one is stale

Made with nbgrader's own `generate_assignment` on a throwaway copy, so no gradebook is touched. An
instructor who wants to grade runs `nbgrader generate_assignment NAME --force` once more: it writes
the same files and also enters the assignment in the gradebook.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from osai.grading.stock import Course, GradingError, find_course


def build(root: Path, assignment: str) -> dict[str, bytes]:
    """The files of one assignment's student version: path inside its folder, and bytes."""
    with tempfile.TemporaryDirectory(prefix="osai-release-") as temporary:
        course = Course.copy(root, Path(temporary) / "course", assignment)
        folder = course.release(assignment)
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }


def assignments(root: Path) -> list[str]:
    """Names of the assignments in `source/`, sorted."""
    return sorted(folder.name for folder in (root / "source").iterdir() if folder.is_dir())


def stale(root: Path, assignment: str, files: dict[str, bytes]) -> list[str]:
    """Files in `release/` that differ from `files`, are missing, or should not be there."""
    folder = root / "release" / assignment
    there = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in (sorted(folder.rglob("*")) if folder.is_dir() else ())
        if file.is_file() and ".ipynb_checkpoints" not in file.parts and file.suffix != ".zip"
    }
    return sorted(
        name for name in files.keys() | there.keys() if files.get(name) != there.get(name)
    )


def write(root: Path, assignment: str, files: dict[str, bytes]) -> None:
    """Make `release/ASSIGNMENT` hold exactly `files`."""
    folder = root / "release" / assignment
    for name in stale(root, assignment, files):
        target = folder / name
        if name in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[name])
        else:
            target.unlink()


def main(argv: list[str] | None = None) -> int:
    """The command; 0, or 1 if something is stale (with --check) or failed."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    parser = argparse.ArgumentParser(
        prog="python -m osai.grading.release", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", metavar="ASSIGNMENT", help="default: all")
    parser.add_argument("--course", type=Path, help="course directory (default: found from here)")
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    options = parser.parse_args(argv)
    try:
        root = find_course(options.course)
        behind = 0
        for name in options.names or assignments(root):
            files = build(root, name)
            changed = stale(root, name, files)
            behind += bool(changed)
            if not options.check:
                write(root, name, files)
            state = "stale" if options.check else "rebuilt"
            print(f"{name}: {f'{state}: ' + ', '.join(changed) if changed else 'up to date'}")
        if options.check and behind:
            print("Next step: python -m osai.grading.release, then commit assignments/release.")
            return 1
    except (GradingError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
