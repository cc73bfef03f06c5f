"""What every assignment keeps to, so that prompt, answer, test, points and lesson agree."""

import re
import unicodedata
from itertools import pairwise

import nbformat
import pytest

from .conftest import COURSE, ROOT, nbgrader, read

ASSIGNMENTS = sorted(folder.name for folder in (COURSE / "source").iterdir() if folder.is_dir())
NOTEBOOKS = [(name, file) for name in ASSIGNMENTS for file in read("source", name)]
WORDS = re.compile(r"[a-z]+[0-9]*(?:[-_][a-z0-9]+)*")


@pytest.fixture(params=NOTEBOOKS, ids="/".join)
def notebook(request):
    assignment, file = request.param
    return read("source", assignment)[file]


@pytest.fixture
def graded(notebook):
    return {
        nbgrader(cell)["grade_id"]: cell for cell in notebook.cells if nbgrader(cell).get("grade")
    }


def test_there_is_an_assignment():
    assert "a4-teach-the-chatbot" in ASSIGNMENTS


def test_the_notebook_is_valid_and_without_outputs(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "jupytext" not in notebook.metadata
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_cell_ids_and_grade_ids_are_words_and_unique(notebook):
    cells = [cell.id for cell in notebook.cells]
    grades = [nbgrader(cell)["grade_id"] for cell in notebook.cells if nbgrader(cell)]
    for names in (cells, grades):
        assert len(names) == len(set(names))
        assert all(WORDS.fullmatch(name) for name in names), names


def test_the_text_is_nfc_and_no_line_hides_its_output(notebook):
    for cell in notebook.cells:
        assert unicodedata.is_normalized("NFC", cell.source), cell.id
        if cell.cell_type == "code":
            assert not cell.source.rstrip().endswith(";"), cell.id


def test_the_minutes_and_the_points_are_printed(notebook, graded):
    opening = notebook.cells[0].source
    minutes = notebook.metadata.osai.minutes
    assert f"about {minutes} minutes" in opening
    rows = dict(re.findall(r"\| `(\w+)`.*?\| +(\d+) \|", opening))
    points = {name: nbgrader(cell)["points"] for name, cell in graded.items()}
    assert {name: float(printed) for name, printed in rows.items()} == points
    (total,) = re.findall(r"\*\*Total\*\* \| \*\*(\d+)\*\*", opening)
    assert sum(points.values()) == float(total) == 100


def test_names_in_heading_answer_and_tests_agree(notebook, graded):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    sources = {nbgrader(cell).get("grade_id"): cell.source for cell in notebook.cells}
    for name, cell in graded.items():
        points = nbgrader(cell)["points"]
        assert re.search(rf"^## Task \d+\. `{name}` \({points:g} points\)$", text, re.MULTILINE)
        if cell.cell_type == "code":
            answer = sources[f"{name}_answer"]
            (signature,) = re.findall(rf"^def {name}\((.*)\):$", answer, re.MULTILINE)
            assert answer.count("### BEGIN SOLUTION") == answer.count("### END SOLUTION") == 1
            prompt = f"`{name}({signature})`"
            assert prompt in text, f"the task does not show {prompt}"
            assert f"{name}(" in cell.source


def test_tests_follow_their_answer(notebook):
    places = {nbgrader(cell).get("grade_id"): n for n, cell in enumerate(notebook.cells)}
    for name in places:
        if name and f"{name}_answer" in places:
            assert places[f"{name}_answer"] < places[name]


def test_every_test_cell_declares_its_points_and_ends_with_the_check(graded):
    for name, cell in graded.items():
        if cell.cell_type != "code":
            continue
        (declared,) = re.findall(r'^task = Task\("(\w+)", points=(\d+),', cell.source, re.MULTILINE)
        assert declared == (name, f"{nbgrader(cell)['points']:g}")
        parts = re.findall(r"^@task\.part\((\d+), ", cell.source, re.MULTILINE)
        assert sum(map(int, parts)) == nbgrader(cell)["points"]
        assert cell.source.rstrip().splitlines()[-1] == "task.check()"
        visible, hidden, rest = re.split(r"### (?:BEGIN|END) HIDDEN TESTS", cell.source)
        assert "@task.part(" in visible and "@task.part(" in hidden
        assert "@task.part(" not in rest


def test_each_written_task_has_a_rubric_whose_points_add_up(notebook, graded, request):
    written = {name for name, cell in graded.items() if cell.cell_type == "markdown"}
    assignment = request.node.callspec.params["notebook"][0]
    assert written, "an assignment has a written task"
    for name in written:
        folder = COURSE / "rubrics" / assignment
        rubric = (folder / f"{name}.md").read_text(encoding="utf-8")
        points = [int(n) for n in re.findall(r"^\| \*\*[^|]+\*\* \((\d+)\)", rubric, re.MULTILINE)]
        assert sum(points) == nbgrader(graded[name])["points"]
        rows = re.findall(
            rf"^\| \[(\w+)\]\({name}\.\1\.md\) \|(.*)\| \*\*(-?\d+)\*\* \|$", rubric, re.MULTILINE
        )
        assert [level for level, _, _ in rows] == ["strong", "middling", "weak"]
        marks = [int(mark) for _, _, mark in rows]
        assert all(before > after for before, after in pairwise(marks))
        for level, columns, mark in rows:
            assert sum(map(int, columns.split("|"))) == int(mark)
            assert f"**{level.capitalize()}, {mark}.**" in rubric
            answer = (folder / f"{name}.{level}.md").read_text(encoding="utf-8")
            fits = 150 <= len(answer.split()) <= 250
            assert fits == (int(columns.split("|")[-1]) == 0), (level, len(answer.split()))


def test_sections_to_reread_exist_in_their_lesson(notebook):
    named = set()
    for cell in notebook.cells:
        named |= set(re.findall(r"lesson (\d+), “([^”]+)”", cell.source))
    assert named
    for number, section in sorted(named):
        (lesson,) = (ROOT / "course").glob(f"{int(number):02d}-*.ipynb")
        cells = nbformat.read(lesson, as_version=4).cells
        headings = {
            line.lstrip("# ").strip()
            for cell in cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if line.startswith("#")
        }
        assert any(section in heading for heading in headings), (lesson.name, section)
