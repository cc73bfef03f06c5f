"""Numbers in prose: which of them does nothing on the page support?

A number is supported where a code cell of the same lesson shows it (to as many decimals as the text gives),
where its paragraph names a row of `data/careers` that holds it (``F093`` of the figures, ``L02`` of the
changes of licence), where it belongs to a name that stands in a table (*Llama 3.1*), or where the paragraph
says that it is assumed or an example, and a cell sets it. Small counts and years need no support.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable

import nbformat

from osai import tables

SMALL = 12
"""Whole numbers up to this are counts of what stands on the page."""
YEARS = range(1900, 2036)
ASSUMED = re.compile(
    r"\b(assum\w+|suppose\w*|guess\w*|example\w*|imagin\w+|invented|made up|sample\w*|slider\w*|set to)\b",
    re.IGNORECASE,
)

_NUMBER = re.compile(
    r"(?<![\w.,/#^-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\w]*[/-]\w|\d)"
)
_ROW = re.compile(r"\b([FL]\d{2,3})\b")
_SKIPPED = (
    re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE),
    re.compile(r"`[^`\n]+`"),
    re.compile(r"^#{1,6} .*$", re.MULTILINE),
    re.compile(r"\*About \d+ minutes to here\.\*"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"\b[Ll]essons? \d\d(?:(?:,| to| and) \d\d)*"),
    re.compile(r"^ *\d+\. ", re.MULTILINE),
    re.compile(r"\$[^$\n]+\$"),
)


def unsupported(notebook: nbformat.NotebookNode, skip: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return the cell id and the number of each that nothing supports, in order.

    skip: ids of cells that are not looked at (front matter, made by a command).
    """
    shown, set_in_code = _shown(notebook), _numbers(_sources(notebook))
    skip = set(skip)
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or cell.id in skip:
            continue
        for paragraph in re.split(r"\n\s*\n", _skip(cell.source)):
            rows = _numbers(" ".join(_row(id) for id in _ROW.findall(paragraph)))
            known = shown | rows | (set_in_code if ASSUMED.search(paragraph) else set())
            for match in _NUMBER.finditer(paragraph):
                if not (_free(match[1]) or _is(match[1], known) or _named(paragraph, match)):
                    found.append((cell.id, match[1]))
    return found


def _skip(text: str) -> str:
    for pattern in _SKIPPED:
        text = pattern.sub("]" if pattern.pattern.startswith(r"\]") else " ", text)
    return text


def _free(quoted: str) -> bool:
    if "." in quoted:
        return False
    value = int(quoted.replace(",", ""))
    return value <= SMALL or ("," not in quoted and value in YEARS)


def _is(quoted: str, known: set[float]) -> bool:
    """Whether a known number is what is quoted, rounded to its decimals."""
    plain = quoted.replace(",", "")
    decimals = len(plain.partition(".")[2])
    return any(round(number, decimals) == float(plain) for number in known)


def _named(paragraph: str, match: re.Match[str]) -> bool:
    """Whether the number ends a name that some table holds: *Definition 1.0*, *Llama 3.1*."""
    before = re.search(r"([A-Z][\w.]*)[ -]$", paragraph[: match.start()])
    return bool(before) and f"{before[1]}{match[1]}".lower() in _names()


@functools.cache
def _names() -> set[str]:
    text = " ".join(
        str(cell)
        for topic in ("careers", "openness")
        for name in tables.names(topic)
        for column in tables.load(topic, name).data.select_dtypes("object")
        for cell in tables.load(topic, name).data[column].dropna().unique()
    )
    pairs = re.findall(r"([A-Za-z][\w.]*)[ -](?:v)?(\d+(?:\.\d+)?)\b", text)
    return {f"{word}{number}".lower() for word, number in pairs} | _YARDSTICKS


_YARDSTICKS = {"osaid1.0", "mof1.0", "definition1.0", "framework1.0", "gplv3.0", "python3.11"}


@functools.cache
def _rows() -> dict[str, str]:
    found = {}
    for name in ("figures", "relicensing"):
        for row in tables.load("careers", name).data.to_dict("records"):
            found[row["id"]] = " ".join(str(cell) for cell in row.values())
    return found


def _row(id: str) -> str:
    return _rows().get(id, "")


def _sources(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def _shown(notebook: nbformat.NotebookNode) -> set[float]:
    """Every number in the text of the outputs."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            texts.append(str(output.get("text", "")))
            for kind, content in output.get("data", {}).items():
                if kind == "text/html":
                    texts.append(html.unescape(re.sub(r"<[^>]+>", " ", "".join(content))))
                elif kind.startswith("text/"):
                    texts.append("".join(content))
    return _numbers("\n".join(texts))


def _numbers(text: str) -> set[float]:
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return {float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", plain)}
