"""Text that repeats what stands elsewhere, written by one command.

    python -m osai.authoring.derived          write it
    python -m osai.authoring.derived --check  change nothing, fail if something is stale

What is written, and from what:
- the cell `front-matter` of each lesson (Binder badge, minutes, memory, hardware, what to do
  before): from the lesson's own `osai` metadata and the repository's address;
- the block between `<!-- syllabus -->` and `<!-- /syllabus -->` in `course/README.md`: from the
  titles, first sentences and metadata of the lessons;
- the block between `<!-- tables -->` and `<!-- /tables -->` in `data/*/README.md`: from the
  `datapackage.json` beside it;
- the owner and repository in each Binder link of the Markdown files, and `repository-code` in
  CITATION.cff: from `[project.urls] Repository` in pyproject.toml, the one place to change.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from osai import places, tables

FRONT_MATTER = "front-matter"
_BLOCK = re.compile(r"(<!-- tables -->\n).*?(<!-- /tables -->)", re.DOTALL)
_SYLLABUS = re.compile(r"(<!-- syllabus -->\n).*?(<!-- /syllabus -->)", re.DOTALL)
_BINDER = re.compile(r"(https://mybinder\.org/v2/gh/)[^/\s)]+/[^/\s)]+(/)")
_CITATION = re.compile(r"^(repository-code: *).*$", re.MULTILINE)


class DerivedError(RuntimeError):
    """Something that derived text is made from is missing. The message says what."""


def repository(top: Path) -> str:
    """Return `owner/name` of the repository on GitHub, from pyproject.toml.

    Raises DerivedError if `[project.urls] Repository` is not such an address.
    """
    project = tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    url = project.get("urls", {}).get("Repository", "")
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", url)
    if not match:
        raise DerivedError(
            "pyproject.toml needs [project.urls] Repository = 'https://github.com/OWNER/NAME'."
        )
    return match[1]


def lessons(top: Path) -> list[Path]:
    """Return the lessons of the course in order."""
    return sorted((top / "course").glob("[0-9][0-9]-*.ipynb"))


def read(lesson: Path) -> nbformat.NotebookNode:
    """Return a notebook in format 4. Raises DerivedError if the file is none."""
    try:
        return nbformat.read(lesson, as_version=4)
    except Exception as error:  # nbformat raises whatever its parts do on odd JSON
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DerivedError(f"{lesson.name} cannot be read as a notebook: {reason}") from None


def lesson_title(notebook: nbformat.NotebookNode) -> str:
    """Return a lesson's title: its first heading without the mark."""
    first = notebook.cells[0].source.splitlines() if notebook.cells else []
    return first[0].removeprefix("# ").strip() if first else ""


def front_matter(lesson: Path, meta: dict[str, Any], repo: str) -> str:
    """Return the text of a lesson's `front-matter` cell.

    meta: the lesson's `osai` metadata: minutes (for the student), seconds (to run all cells) and
    memory_mb (at most), both measured on `hardware`; prerequisites (names of lessons).
    Raises DerivedError naming what is missing.
    """
    for key in ("minutes", "seconds", "memory_mb", "hardware", "prerequisites"):
        if key not in meta:
            raise DerivedError(f"{lesson.name}: its osai metadata has no {key!r}.")
    binder = f"https://mybinder.org/v2/gh/{repo}/HEAD?urlpath=lab/tree/course/{lesson.name}"
    before = [_link(lesson.parent / f"{name}.ipynb") for name in meta["prerequisites"]]
    return "\n".join(
        [
            f"[![Open this lesson on Binder](open-on-binder.svg)]({binder})",
            "",
            f"- **Your time:** about {meta['minutes']} minutes.",
            f"- **The computer:** {_spoken(meta['seconds'])} to run all cells and"
            f" {meta['memory_mb']} MB of memory, measured with {meta['hardware']}.",
            f"- **Before this:** {', '.join(before) or 'nothing'}.",
        ]
    )


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"


def _link(lesson: Path) -> str:
    if not lesson.is_file():
        raise DerivedError(f"There is no lesson {lesson.stem!r} to do before.")
    return f"[{lesson_title(read(lesson))}]({lesson.name})"


def syllabus(top: Path) -> str:
    """Return the lessons as a table in Markdown: minutes, memory, what to do before, claims, assignment.

    Raises DerivedError naming what a lesson's metadata lacks.
    """
    rows, about, minutes = [], [], 0
    for lesson in lessons(top):
        notebook = read(lesson)
        meta = dict(notebook.metadata.get("osai", {}))
        front_matter(lesson, meta, "owner/name")  # says what is missing
        number, _, name = lesson_title(notebook).partition(" · ")
        minutes += meta["minutes"]
        before = ", ".join(other[:2] for other in meta["prerequisites"]) or "-"
        claims = ", ".join(meta.get("claims", [])) or "-"
        rows.append(
            f"| {number} | [{name}]({lesson.name}) | {meta['minutes']} | {_spoken(meta['seconds'])}"
            f" | {meta['memory_mb']} | {before} | {claims} | {meta.get('assignment', '-')} |"
        )
        why = " ".join(notebook.cells[0].source.splitlines()[1:]).split()
        about.append(f"- **{number} · {name}.** {' '.join(why)}")
    return "\n".join(
        [
            f"*Table: the lessons in order. In all about {minutes / 60:.0f} hours of your time.*",
            "",
            "| | Lesson | Your time (minutes) | All cells run in | Memory (MB) | Before this | Claims"
            " | Assignment |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            *about,
            "",
        ]
    )


def table_block(topic: str) -> str:
    """Return the description of a topic's tables in Markdown, from its datapackage.json."""
    parts = []
    for name in tables.names(topic):
        table = tables.load(topic, name)
        parts += [
            f"### `{name}.csv`",
            "",
            f"{table.title}. {len(table.data)} rows, {table.years}. {table.description}".strip(),
            "",
            f"- **Source:** [{table.source}]({table.url})",
            f"- **Licence:** {table.licence}",
            f"- **Credit:** {table.credit}",
            f"- **One row for each:** {', '.join(table.key) or 'line'}",
            "",
            "| column | what | type | unit |",
            "|---|---|---|---|",
        ]
        for field in table.fields:
            may = "" if field.required else ", may be empty"
            parts.append(
                f"| `{field.name}` | {field.title}. {field.description} | {field.type}{may}"
                f" | {field.unit or '-'} |"
            )
        parts.append("")
    return "\n".join(parts)


def stale(top: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file whose derived text is not what it should be, with its new content."""
    repo = repository(top)
    for lesson in lessons(top):
        notebook = read(lesson)
        wanted = front_matter(lesson, dict(notebook.metadata.get("osai", {})), repo)
        for cell in notebook.cells:
            if cell.id == FRONT_MATTER and cell.source != wanted:
                cell.source = wanted
                yield lesson, nbformat.writes(notebook) + "\n"
    for topic in tables.topics():
        readme = top / "data" / topic / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        if not _BLOCK.search(text):
            raise DerivedError(
                f"data/{topic}/README.md needs the lines <!-- tables --> and <!-- /tables -->."
            )
        block = table_block(topic)
        new = _BLOCK.sub(lambda m, block=block: m[1] + block + m[2], text)
        if new != text:
            yield readme, new
    page = top / "course" / "README.md"
    if page.is_file():
        text, block = page.read_text(encoding="utf-8"), syllabus(top)
        if not _SYLLABUS.search(text):
            raise DerivedError("course/README.md needs <!-- syllabus --> and <!-- /syllabus -->.")
        new = _SYLLABUS.sub(lambda m: m[1] + block + m[2], text)
        if new != text:
            yield page, new
    for page in (*sorted(top.glob("*.md")), *sorted((top / "course").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        new = _BINDER.sub(rf"\g<1>{repo}\g<2>", text)
        if new != text:
            yield page, new
    citation = top / "CITATION.cff"
    if citation.is_file():
        text = citation.read_text(encoding="utf-8")
        new = _CITATION.sub(rf'\g<1>"https://github.com/{repo}"', text)
        if new != text:
            yield citation, new


def main(arguments: list[str] | None = None) -> int:
    """Write what is derived, or with --check say what is stale; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m osai.authoring.derived", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    only_check = parser.parse_args(arguments).check
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    top = places.checkout()
    if top is None:
        print("The course's checkout was not found. Start from its top folder.")
        return 2
    try:
        found = list(stale(top))
        for file, text in found:
            print(f"{'stale' if only_check else 'written'}: {file.relative_to(top).as_posix()}")
            if not only_check:
                file.write_text(text, encoding="utf-8", newline="\n")
    except (DerivedError, tables.TableError, nbformat.ValidationError) as error:
        print(error)
        return 2
    if found and only_check:
        print("Run python -m osai.authoring.derived and commit what it writes.")
    return 1 if found and only_check else 0


if __name__ == "__main__":
    sys.exit(main())
