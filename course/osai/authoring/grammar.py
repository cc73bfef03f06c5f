"""The page grammar of a lesson: each rule a function that yields what is wrong and where.

`RULES` names them all; what a rule asks for is its docstring's first line. `osai.authoring.lint`
runs them.
"""

from __future__ import annotations

import ast
import json
import re
import tokenize
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat

from osai import careers, figures
from osai.authoring import derived, notebooks, numbers

MAX_CELL_LINES = 20
MAX_CELL_WIDTH = 88
MAX_CELL_IMPORTS = 5
MAX_BYTES = 1_000_000
VAGUE_VERBS = ("understand", "know", "learn", "appreciate", "be aware", "be familiar", "see")
ENDING = ("Take away", "Go further", "Next")
EVIDENCE = [f"{number:02}" for number in range(1, 9)]
"""Lessons that test claims on data, and are held to more: see `evidence_lesson` and the rules after it."""
EVIDENCE_MINUTES = range(45, 76)
EVIDENCE_CONTROLS, EVIDENCE_QUESTIONS = 2, 3
CLAIMS = "What became of the claims"

Found = Iterator[tuple[str, str]]
"""Cell id (empty: the whole lesson) and what is wrong."""


@dataclass(frozen=True)
class Lesson:
    """A lesson to check, with its parts ready to look at."""

    path: Path
    notebook: nbformat.NotebookNode
    repository: str

    @property
    def cells(self) -> list[nbformat.NotebookNode]:
        return self.notebook.cells

    @property
    def meta(self) -> dict[str, Any]:
        return dict(self.notebook.metadata.get("osai", {}))

    @property
    def code(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def prose(self) -> list[tuple[str, str]]:
        """Markdown cells without code blocks and code spans: id and text."""
        fence = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
        return [
            (cell.id, fence.sub("", cell.source))
            for cell in self.cells
            if cell.cell_type == "markdown"
        ]

    @cached_property
    def headings(self) -> list[tuple[str, int, str]]:
        """All headings in order: cell id, level, words."""
        return [
            (cell.id, len(match[1]), match[2].strip())
            for cell in self.cells
            if cell.cell_type == "markdown"
            for match in re.finditer(
                r"^(#{1,6}) +(.*)$",
                re.sub(r"^```.*?^```", "", cell.source, flags=re.DOTALL | re.MULTILINE),
                re.MULTILINE,
            )
        ]

    def section(self, title: str) -> str:
        """The Markdown under a second-level heading, up to the next one of that level."""
        text = "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")
        match = re.search(
            rf"^## {re.escape(title)}[^\n]*\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
        )
        return match[1].strip() if match else ""

    def trees(self) -> Iterator[tuple[nbformat.NotebookNode, ast.Module | SyntaxError]]:
        """Each code cell with its syntax tree; magics are turned into Python first."""
        from IPython.core.inputtransformer2 import TransformerManager

        for cell in self.code:
            try:
                yield cell, ast.parse(TransformerManager().transform_cell(cell.source))
            except SyntaxError as error:
                yield cell, error


RULES: dict[str, Callable[[Lesson], Found]] = {}


def rule(check: Callable[[Lesson], Found]) -> Callable[[Lesson], Found]:
    """Register a rule under its function's name."""
    RULES[check.__name__.replace("_", "-")] = check
    return check


def sentences(text: str) -> list[str]:
    """Split plain text into sentences."""
    flat = re.sub(r"^[-*] +", "", text, flags=re.MULTILINE)
    # what goes on in small letters was no end: "e.g. so"
    parts = re.split(r"(?<=[.!?…])[\"”*_]*\s+(?=[^a-z])", " ".join(flat.split()))
    return [part for part in parts if part]


# --- the page, from top to bottom --------------------------------------------------------------


@rule
def title(lesson: Lesson) -> Found:
    """The first cell is `# NN · Title`, with the number of the file, and the only such heading."""
    first = [h for h in lesson.headings if h[1] == 1]
    number = lesson.path.name[:2]
    start = lesson.cells[0].source if lesson.cells else ""
    if len(first) != 1 or not re.match(rf"# {number} · \S", start):
        yield _first_id(lesson), f"begin with one heading '# {number} · Title', and no other '# '"


@rule
def why(lesson: Lesson) -> Found:
    """Under the title stands one sentence that says why this matters."""
    body = "\n".join(lesson.cells[0].source.splitlines()[1:]) if lesson.cells else ""
    found = sentences(body)
    if len(found) != 1 or not 8 <= len(found[0].split()) <= 45:
        yield _first_id(lesson), "write one sentence of 8 to 45 words under the title"


@rule
def front_matter(lesson: Lesson) -> Found:
    """The second cell has the Binder badge, minutes, memory, hardware and what to do before."""
    cell = lesson.cells[1] if len(lesson.cells) > 1 else None
    if cell is None or cell.id != derived.FRONT_MATTER:
        yield _first_id(lesson), f"let a cell with the id {derived.FRONT_MATTER!r} follow the title"
        return
    try:
        wanted = derived.front_matter(lesson.path, lesson.meta, lesson.repository)
    except derived.DerivedError as error:
        yield cell.id, str(error)
        return
    if cell.source != wanted:
        yield cell.id, "run python -m osai.authoring.derived: it is not what the metadata says"


@rule
def objectives(lesson: Lesson) -> Found:
    """`## You will be able to` lists three to five things, each with a verb that can be checked."""
    items = re.findall(r"^[-*] +(.*)$", lesson.section("You will be able to"), re.MULTILINE)
    if not 3 <= len(items) <= 5:
        yield "", f"'## You will be able to' needs three to five lines with '- ', not {len(items)}"
    for item in items:
        if item.lower().startswith(VAGUE_VERBS):
            yield "", f"{item!r}: nobody can check that; say what the student does"


@rule
def headings(lesson: Lesson) -> Found:
    """Headings go down one level at a time, and no two are the same."""
    level, seen = 0, set()
    for cell, depth, words in lesson.headings:
        if depth > level + 1:
            yield cell, f"{words!r} skips a level (from {level} to {depth})"
        if words in seen:
            yield cell, f"the heading {words!r} is there twice; links cannot tell them apart"
        level = depth
        seen.add(words)


@rule
def minutes(lesson: Lesson) -> Found:
    """Lines `*About N minutes to here.*` rise to the minutes of the front matter."""
    found = [
        (cell, int(number))
        for cell, text in lesson.prose
        for number in re.findall(r"\*About (\d+) minutes to here\.\*", text)
    ]
    numbers = [number for _, number in found]
    if len(numbers) < 2 or numbers != sorted(set(numbers)):
        yield "", f"write '*About N minutes to here.*' after the sections, rising: {numbers}"
    elif numbers[-1] != lesson.meta.get("minutes"):
        yield found[-1][0], f"the last is {numbers[-1]}, the metadata {lesson.meta.get('minutes')}"


@rule
def widget(lesson: Lesson) -> Found:
    """There is something to touch, with a plain output beside it that is compared."""
    live = [cell for cell in lesson.code if _is_widget(cell)]
    if not live:
        yield "", "add a control: controls.explore(...), or a cell tagged 'widget'"
    for cell in live:
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            yield cell.id, "tag it 'nbval-ignore-output': a widget's output cannot be compared"
        place = lesson.code.index(cell)
        beside = lesson.code[max(0, place - 1) : place] + lesson.code[place + 1 : place + 2]
        if not any(other.outputs and not _is_widget(other) for other in beside):
            yield cell.id, "put a plain output in the code cell before or after it"


@rule
def question(lesson: Lesson) -> Found:
    """There is a check-yourself question, folded; wrong answers point to headings that exist."""
    words = {text for _, _, text in lesson.headings}
    count = 0
    for cell, tree in lesson.trees():
        if isinstance(tree, SyntaxError):
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            count += name == "Question"
            if name != "wrong":
                continue
            see = [k.value for k in call.keywords if k.arg == "see"] + call.args[2:3]
            if not (see and isinstance(see[0], ast.Constant) and see[0].value in words):
                yield cell.id, f"see={ast.unparse(see[0]) if see else ''} is no heading here"
        if notebooks.is_question(cell) and not cell.metadata.get("jupyter", {}).get(
            "source_hidden"
        ):
            yield cell.id, "fold its source, which names the answer: run notebooks run"
    if not count:
        yield "", "add a check-yourself cell with quiz.Question(...)"


@rule
def ending(lesson: Lesson) -> Found:
    """The last sections are Take away (three sentences), Go further (sources) and Next."""
    last = [text for _, level, text in lesson.headings if level == 2][-len(ENDING) :]
    if tuple(last) != ENDING:
        yield "", f"end with the sections {', '.join(ENDING)}, in this order, not {last}"
        return
    if (count := len(sentences(lesson.section("Take away")))) != 3:
        yield "", f"'Take away' has {count} sentences, not three"
    if "](" not in lesson.section("Go further"):
        yield "", "'Go further' names no source: add at least one link"
    if not lesson.section("Next"):
        yield "", "'Next' is empty: say which lesson comes next"


# --- cells -------------------------------------------------------------------------------------


@rule
def ids(lesson: Lesson) -> Found:
    """Cell ids are words, so that a change shows where it is."""
    for cell in lesson.cells:
        plain = re.fullmatch(r"[a-z]+[0-9]*(-[a-z0-9]+)*", cell.id)
        if (
            not plain
            or re.fullmatch(r"[0-9a-f]{8}(-.*)?", cell.id)
            or not re.search("[aeiouy]", cell.id)
        ):
            yield cell.id, "give it an id of words, such as 'first-plot'"


@rule
def cell_size(lesson: Lesson) -> Found:
    """A code cell can be seen whole: few lines, not wide, few imports."""
    for cell, tree in lesson.trees():
        lines = cell.source.splitlines()
        if len(lines) > MAX_CELL_LINES and not notebooks.is_question(cell):
            yield cell.id, f"{len(lines)} lines; at most {MAX_CELL_LINES}. Split it"
        if wide := [n for n, line in enumerate(lines, 1) if len(line) > MAX_CELL_WIDTH]:
            yield cell.id, f"line {wide[0]} is wider than {MAX_CELL_WIDTH} characters"
        if isinstance(tree, SyntaxError):
            yield cell.id, f"it is not Python: {tree.msg}"
        elif sum(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.walk(tree)) > (
            MAX_CELL_IMPORTS
        ):
            yield cell.id, f"more than {MAX_CELL_IMPORTS} imports; import where things are used"


@rule
def suppressed(lesson: Lesson) -> Found:
    """No output is hidden: no trailing `;`, no capture, no folded or removed output."""
    for cell, tree in lesson.trees():
        last = tree.body[-1] if isinstance(tree, ast.Module) and tree.body else None
        if _ends_with_semicolon(cell.source):
            yield cell.id, "a trailing ';' hides output; drop it"
        if re.search(r"^%%capture|\bclear_output\(", cell.source, re.MULTILINE):
            yield cell.id, "it hides output (%%capture or clear_output)"
        if isinstance(last, ast.Assign) and ast.unparse(last.targets[0]) == "_":
            yield cell.id, "it ends with '_ = ...', which only hides output"
        hidden = {"remove-output", "hide-output", "remove-cell", "hide-cell"}
        folded = cell.metadata.get("jupyter", {}).get("outputs_hidden")
        if hidden & set(cell.metadata.get("tags", [])) or folded or cell.metadata.get("collapsed"):
            yield cell.id, "its output is folded or removed by metadata"


@rule
def nfc(lesson: Lesson) -> Found:
    """All text is in Unicode's NFC form; NFD is written with escapes where a lesson shows it."""
    for cell in lesson.cells:
        if not unicodedata.is_normalized("NFC", cell.source):
            yield cell.id, "its text is not in NFC"


# --- outputs -----------------------------------------------------------------------------------


@rule
def ran(lesson: Lesson) -> Found:
    """The lesson is saved with the outputs of its code as it stands, run from top to bottom."""
    if not notebooks.is_current(lesson.notebook):
        yield "", "run python -m osai.authoring.notebooks run --changed"


@rule
def clean_outputs(lesson: Lesson) -> Found:
    """Outputs hold no traceback, no stderr, no path of a machine and no widget state."""
    yield from notebooks.output_faults(lesson.notebook)


@rule
def words_for_pictures(lesson: Lesson) -> Found:
    """Each figure and each image has words for those who cannot see it, right beside it."""
    for cell in lesson.code:
        outputs = [json.dumps(output, ensure_ascii=False) for output in cell.outputs]
        for place, output in enumerate(outputs):
            beside = outputs[place + 1] if place + 1 < len(outputs) else ""
            if figures.PLOTLY_MIME in output and figures.TEXT_CLASS not in beside:
                yield cell.id, "show the figure with osai.figures.show: words must follow it"
            if '"image/' in output:
                yield cell.id, "an image is in the output; use plotly and osai.figures.show"
    for cell, text in lesson.prose:
        for alt in re.findall(r"!\[([^\]]*)\]\(", text) + _html_alts(text):
            if len(alt.split()) < 3:
                yield cell, f"the image text {alt!r} says too little: three words or more"


@rule
def captions(lesson: Lesson) -> Found:
    """Each table has a caption: in outputs `<caption>`, in text a line `Table: ...` above it."""
    for cell in lesson.code:
        text = json.dumps(cell.outputs, ensure_ascii=False)
        if len(re.findall("<table", text)) > len(re.findall("<caption", text)):
            yield cell.id, "show the table with osai.tables.show(..., caption='...')"
    for cell, text in lesson.prose:
        for match in re.finditer(r"(?:^|\n)([^\n|]*)\n*\n\|[^\n]*\n\|[ :|-]+\n", text):
            if not re.match(r"\*?\*?Table", match[1].strip()):
                yield cell, "write a line '*Table: what it shows, units*' above the table"


# --- lessons that test claims on data ----------------------------------------------------------


@rule
def evidence_lesson(lesson: Lesson) -> Found:
    """A lesson on data takes 45 to 75 minutes, has two figures to move and three questions."""
    if lesson.path.name[:2] not in EVIDENCE:
        return
    if lesson.meta.get("minutes") not in EVIDENCE_MINUTES:
        yield "", f"{lesson.meta.get('minutes')} minutes; between 45 and 75"
    moved = sum("controls.explore(" in cell.source for cell in lesson.code)
    if moved < EVIDENCE_CONTROLS:
        yield "", f"{moved} figures can be moved by controls.explore; {EVIDENCE_CONTROLS} or more"
    asked = sum(notebooks.is_question(cell) for cell in lesson.code)
    if asked < EVIDENCE_QUESTIONS:
        yield "", f"{asked} check-yourself questions; {EVIDENCE_QUESTIONS} or more"


@rule
def claims(lesson: Lesson) -> Found:
    """The claims planned for a lesson stand in its metadata, its prose, and a table of verdicts."""
    number = lesson.path.name[:2]
    if not number.isdigit():
        return  # `metadata` says so
    planned = list(careers.planned(number).data["id"])
    if lesson.meta.get("claims") != planned:
        yield "", f"osai.claims must be those planned for lesson {number}: {planned}"
    text = " ".join(text for _, text in lesson.prose)
    for missing in (id for id in planned if not re.search(rf"\b{id}\b", text)):
        yield "", f"{missing} is planned here, but the text does not name it"
    if not planned:
        return
    shown = [cell.id for cell in lesson.code if re.search(r"\bverdicts\(", cell.source)]
    if not shown or not lesson.section(CLAIMS):
        yield "", f"add the section '## {CLAIMS}' with the table of careers.verdicts({number!r})"


@rule
def sourced_numbers(lesson: Lesson) -> Found:
    """A number in the text is shown by a cell, or its paragraph names the row that holds it."""
    if lesson.path.name[:2] not in EVIDENCE:
        return
    for cell, number in numbers.unsupported(lesson.notebook, skip=(derived.FRONT_MATTER,)):
        yield (
            cell,
            f"nothing supports the number {number}: show it in a cell, or name its row (F093)",
        )


# --- around the page ---------------------------------------------------------------------------


@rule
def links(lesson: Lesson) -> Found:
    """Links inside the course lead somewhere."""
    anchors = {re.sub(r"\s", "-", text) for _, _, text in lesson.headings}
    for cell, text in lesson.prose:
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            if file and not (lesson.path.parent / file).exists():
                yield cell, f"there is no file {file}"
            elif not file and anchor not in anchors:
                yield cell, f"there is no heading for #{anchor}"


@rule
def metadata(lesson: Lesson) -> Found:
    """The `osai` metadata has whole minutes, lessons to do before, and claims by id."""
    meta = lesson.meta
    if not re.fullmatch(r"[0-9]{2}(-[a-z0-9]+)+\.ipynb", lesson.path.name):
        yield "", "name the file NN-words.ipynb"
    for key in ("minutes", "seconds", "memory_mb"):
        if not isinstance(meta.get(key), int) or meta[key] <= 0:
            yield "", f"osai.{key} must be a whole number above 0, not {meta.get(key)!r}"
    for name in meta.get("prerequisites", []):
        if not (lesson.path.parent / f"{name}.ipynb").is_file():
            yield "", f"osai.prerequisites names {name!r}, which is no lesson"
    claims = meta.get("claims")
    if not isinstance(claims, list) or not all(re.fullmatch(r"C\d\d", str(c)) for c in claims):
        yield "", f"osai.claims must be a list of claim ids such as 'C07', not {claims!r}"


@rule
def size(lesson: Lesson) -> Found:
    """The file is at most 1 MB."""
    length = len(nbformat.writes(lesson.notebook).encode())
    if length > MAX_BYTES:
        yield "", f"{length / 1e6:.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB. Show less output"


def _first_id(lesson: Lesson) -> str:
    return lesson.cells[0].id if lesson.cells else ""


def _is_widget(cell: nbformat.NotebookNode) -> bool:
    code = re.search(
        r"\binteract(ive|ive_output|_manual)?\(|\bwidgets\.\w+\(|\bcontrols\.\w+\(", cell.source
    )
    return bool(code) or "widget" in cell.metadata.get("tags", [])


def _ends_with_semicolon(source: str) -> bool:
    try:
        tokens = list(tokenize.generate_tokens(StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source.rstrip().endswith(";")
    empty = (tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.DEDENT)
    said = [token for token in tokens if token.type not in empty]
    return bool(said) and said[-1].string == ";"


def _html_alts(text: str) -> list[str]:
    images = re.findall(r"<img\b[^>]*>", text)
    alts = [re.search(r'alt="([^"]*)"', image) for image in images]
    return [alt[1] if alt else "" for alt in alts]
