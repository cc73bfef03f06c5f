"""Every lesson follows the page grammar, and each rule of it catches the page that breaks it."""

import copy
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from osai.authoring import derived, grammar, lint, notebooks

TOP = Path(__file__).parents[2]
START = TOP / "course" / "00-start-here.ipynb"
REPOSITORY = derived.repository(TOP)

Page = nbformat.NotebookNode


@pytest.mark.parametrize("lesson", derived.lessons(TOP), ids=lambda path: path.stem)
def test_a_shipped_lesson_follows_the_page_grammar(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    assert [str(found) for found in lint.check(lesson, notebook, REPOSITORY)] == []


# --- each rule catches something: lesson 00 with one thing spoiled


def cell(page: Page, cell_id: str) -> Page:
    return next(cell for cell in page.cells if cell.id == cell_id)


def cell_with(page: Page, text: str) -> Page:
    return next(cell for cell in page.cells if text in cell.source)


def replace(old: str, new: str) -> Callable[[Page], None]:
    """Replace a text where it stands first; it must be there."""

    def spoil(page: Page) -> None:
        found = cell_with(page, old)
        found.source = found.source.replace(old, new, 1)

    return spoil


def first_code(source: str) -> Callable[[Page], None]:
    def spoil(page: Page) -> None:
        next(cell for cell in page.cells if cell.cell_type == "code").source = source

    return spoil


def output(**fields) -> Callable[[Page], None]:
    """Give the first code cell one output."""

    def spoil(page: Page) -> None:
        kind = fields.pop("output_type", "display_data")
        first = next(cell for cell in page.cells if cell.cell_type == "code")
        first.outputs = [new_output(kind, **copy.deepcopy(fields))]

    return spoil


def meta(**fields) -> Callable[[Page], None]:
    return lambda page: page.metadata["osai"].update(fields)


def text(source: str) -> Callable[[Page], None]:
    """Add a text cell after the third one."""
    return lambda page: page.cells.insert(3, new_markdown_cell(source, id="added-text"))


def without(cell_id: str) -> Callable[[Page], None]:
    return lambda page: page.cells.remove(cell(page, cell_id))


def set_id(name: str) -> Callable[[Page], None]:
    return lambda page: page.cells[5].update(id=name)


def cell_metadata(**fields) -> Callable[[Page], None]:
    def spoil(page: Page) -> None:
        next(c for c in page.cells if c.cell_type == "code").metadata.update(fields)

    return spoil


def no_figure_words(page: Page) -> None:
    cell(page, "figure-drawn").outputs.pop()


def no_caption(page: Page) -> None:
    data = cell(page, "load-table").outputs[0].data
    data["text/html"] = re.sub("<caption>.*?</caption>", "", data["text/html"])


def bare_widget(page: Page) -> None:
    cell(page, "touch-the-figure").metadata["tags"] = []


def lonely_widget(page: Page) -> None:
    for name in ("figure-drawn", "all-countries"):
        cell(page, name).outputs = []


def no_widget(page: Page) -> None:
    cell(page, "touch-the-figure").source = "counts.columns"


def no_question(page: Page) -> None:
    for one in page.cells:
        one.source = one.source.replace("quiz.Question(", "print(")


def open_question(page: Page) -> None:
    cell(page, "check-order").metadata.pop("jupyter")


def large(page: Page) -> None:
    cell(page, "first-run").outputs = [new_output("stream", name="stdout", text="x" * 1_100_000)]


BROKEN: dict[str, list[Callable[[Page], None]]] = {
    "title": [
        replace("# 00 · Start here", "# Start here"),
        replace("# 00 · Start here", "# 01 · Start here"),
        text("# Another title"),
    ],
    "why": [
        replace("You try out", "First. You try out"),
        lambda page: page.cells[0].update(source="# 00 · Start here\n\nIt is useful."),
    ],
    "front-matter": [
        without("front-matter"),
        replace("about 30 minutes", "about 10 minutes"),
        replace("mybinder.org/v2/gh/", "mybinder.org/v2/gh/somebody/"),
        meta(hardware="a supercomputer"),
        lambda page: page.metadata["osai"].pop("memory_mb"),
    ],
    "objectives": [
        replace("## You will be able to", "## Aims"),
        replace("- run a cell", "- understand cells and run a cell"),
        lambda page: cell(page, "objectives").update(
            source="## You will be able to\n\n- run a cell\n- stop a cell"
        ),
        replace("- run a cell", "- a\n- b\n- run a cell"),
    ],
    "headings": [
        replace("## A notebook remembers", "#### A notebook remembers"),
        replace("## Keep your work", "## A first figure"),
    ],
    "minutes": [
        replace("*About 9 minutes to here.*", "*About 90 minutes to here.*"),
        replace("*About 30 minutes to here.*", "*About 29 minutes to here.*"),
        meta(minutes=20),
    ],
    "widget": [no_widget, bare_widget, lonely_widget],
    "question": [
        no_question,
        open_question,
        replace('see="A notebook remembers"', 'see="Some other page"'),
        replace('see="A notebook remembers"', "see=where"),
    ],
    "ending": [
        without("take-away"),
        without("next"),
        replace("## Go further", "## Sources"),
        replace("## Take away\n\n", "## Take away\n\nOne more. "),
        lambda page: cell(page, "go-further").update(source="## Go further\n\nRead books."),
        lambda page: cell(page, "next").update(source="## Next\n"),
    ],
    "ids": [
        set_id("3f2a1b9c"),
        set_id("a1b2c3d4-0000"),
        set_id("Cell-5"),
        set_id("x"),
        set_id("bcdfg"),
        set_id("2-cells"),
    ],
    "cell-size": [
        first_code("\n".join(f"a{n} = {n}" for n in range(21))),
        first_code("a = '" + "x" * 90 + "'"),
        first_code("import a, b\nimport c\nimport d\nimport e\nimport f\nfrom g import h"),
        first_code("if True print()"),
    ],
    "suppressed": [
        first_code("fig.show();"),
        first_code("fig.show();  # hide"),
        first_code("%%capture\nprint(1)"),
        first_code("from IPython.display import clear_output\nclear_output()"),
        first_code("_ = fig.show()"),
        cell_metadata(tags=["hide-output"]),
        cell_metadata(jupyter={"outputs_hidden": True}),
        cell_metadata(collapsed=True),
    ],
    "nfc": [text("tie\u0302\u0301ng Vie\u0323\u0302t"), first_code("'vie\u0323\u0302t'")],
    "ran": [
        first_code("customers = 26"),
        lambda page: cell(page, "first-run").update(execution_count=None),
        lambda page: cell(page, "first-run").update(execution_count=7),
        lambda page: page.metadata["osai"].pop("ran"),
    ],
    "clean-outputs": [
        output(output_type="stream", name="stdout", text="saved to /home/an/course/x.csv"),
        output(output_type="stream", name="stdout", text="C:\\Users\\An\\course"),
        output(output_type="stream", name="stdout", text=f"in {TOP}"),
        output(output_type="stream", name="stderr", text="UserWarning: old"),
        output(output_type="error", ename="NameError", evalue="x", traceback=["x"]),
        output(data={notebooks.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "x"}),
        lambda page: page.metadata.update(widgets={"state": {}}),
    ],
    "words-for-pictures": [
        no_figure_words,
        output(data={"image/png": "aGk=", "text/plain": "<Figure>"}),
        text("![](figure.svg)"),
        text("![a plot](figure.svg)"),
        text('<img src="figure.svg">'),
    ],
    "captions": [
        no_caption,
        output(data={"text/html": "<table><tr><td>1</td></tr></table>"}),
        text("Some numbers.\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
    ],
    "links": [text("[gone](12-gone.ipynb)"), text("[gone](#No-such-heading)")],
    "metadata": [
        meta(minutes="30"),
        meta(seconds=0),
        meta(prerequisites=["99-nothing"]),
        meta(claims=["C1"]),
        lambda page: page.metadata["osai"].pop("claims"),
    ],
    "size": [large],
}  # fmt: skip


def meta(**fields) -> Callable[[Page], None]:
    return lambda page: page.metadata["osai"].update(fields)


def without(text: str) -> Callable[[Page], None]:
    """Take away the cells that hold a text."""

    def spoil(page: Page) -> None:
        page.cells = [cell for cell in page.cells if text not in cell.source]

    return spoil


def add_prose(text: str) -> Callable[[Page], None]:
    return lambda page: page.cells.insert(4, new_markdown_cell(text, id="added"))


# Lesson 03 with one thing spoiled: what only lessons on data are asked for.
EVIDENCE = TOP / "course" / "03-careers-in-the-data.ipynb"
BROKEN_EVIDENCE = {
    "evidence-lesson": [meta(minutes=40), without("controls.explore("), without("quiz.Question(")],
    "claims": [meta(claims=["C01"]), without("C05"), without("verdicts(")],
    "sourced-numbers": [
        add_prose("Pay rose by 7,654.3 percent."),
        add_prose("It was 98765 (F001)."),
    ],
}


def test_every_rule_has_pages_that_break_it():
    assert set(BROKEN) | set(BROKEN_EVIDENCE) == set(grammar.RULES)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        pytest.param(name, spoil, id=f"{name}-{number}")
        for name, spoils in BROKEN_EVIDENCE.items()
        for number, spoil in enumerate(spoils, start=1)
    ],
)
def test_a_lesson_on_data_that_breaks_a_rule_is_caught(name, spoil):
    page = nbformat.read(EVIDENCE, as_version=4)
    spoil(page)
    assert name in {found.rule for found in lint.check(EVIDENCE, page, REPOSITORY)}


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        pytest.param(name, spoil, id=f"{name}-{number}")
        for name, spoils in BROKEN.items()
        for number, spoil in enumerate(spoils, start=1)
    ],
)
def test_a_page_that_breaks_a_rule_is_caught(name, spoil):
    page = nbformat.read(START, as_version=4)
    spoil(page)
    found = lint.check(START, page, REPOSITORY)
    assert name in {finding.rule for finding in found}


# --- and lets pass what only looks like it


@pytest.mark.parametrize(
    "add",
    [
        text("A link to [the glossary](glossary.md), [a site](https://example.org) and"
             " [a heading](#Keep-your-work)."),
        text("```\n# not a heading\n| a |\n|---|\n```"),
        text("*Table: accounts by country, in millions.*\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        text("![The badge that opens Binder](open-on-binder.svg)"),
        lambda page: cell(page, "take-away").update(
            source="## Take away\n\n- It costs 2.5 million.\n- It is *open*.\n- That is all?"
        ),
    ],
)  # fmt: skip
def test_a_good_page_is_left_alone(add):
    page = nbformat.read(START, as_version=4)
    add(page)
    assert lint.check(START, page, REPOSITORY) == []


def test_magics_and_escapes_are_code_like_any_other():
    page = nbformat.read(START, as_version=4)
    page.cells.append(new_code_cell("%time x = 1\n!ls\nprint('vie\\u0323\\u0302t; x')", id="magic"))
    rules = {finding.rule for finding in lint.check(START, page, REPOSITORY)}
    assert rules <= {"ran", "ending"}


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("One. Two! Three?", 3),
        ("- One.\n- Two.", 2),
        ("It is 0.5 per cent, e.g. of all.", 1),
        ("She said “go.” Then she went.", 2),
        ("No end", 1),
        ("", 0),
    ],
)
def test_sentences_are_counted_as_people_count_them(written, count):
    assert len(grammar.sentences(written)) == count


# --- the command


def test_the_command_names_lesson_cell_and_rule(tmp_path, capsys, monkeypatch):
    page = nbformat.read(START, as_version=4)
    replace("# 00 · Start here", "# Start")(page)
    nbformat.write(page, tmp_path / START.name)
    assert lint.main([str(tmp_path / START.name)]) == 1
    assert "00-start-here.ipynb, cell 'title' [title]:" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "{", "[]", '{"cells": 1}'])
def test_what_is_no_notebook_is_said_in_one_line(content, tmp_path, capsys):
    file = tmp_path / "00-broken.ipynb"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert lint.main([str(file)]) == 2
    said = capsys.readouterr().out
    assert "00-broken.ipynb cannot be read as a notebook" in said
    assert said.count("\n") == 1
