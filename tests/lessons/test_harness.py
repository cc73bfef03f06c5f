"""The run of lessons by conftest.py catches what it is there to catch, on lessons made here."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

HERE = Path(__file__).parent

FIGURE = """
import plotly.graph_objects as go
from IPython.display import display
display({"application/vnd.plotly.v1+json": go.Figure().to_dict(), "text/plain": "x"}, raw=True)
"""
CONTROL = """
import ipywidgets
control = ipywidgets.IntSlider()
"""
GOOD = """
from osai import places, work
work.save("x", [1])
work.pack()
"""


def code(name: str, source: str, *outputs: nbformat.NotebookNode, count: int = 1) -> object:
    made = new_code_cell(source.strip(), id=name, execution_count=count)
    made.outputs = list(outputs)
    return made


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> dict[str, str]:
    """Run this folder's conftest over a small course; return each item's outcome by its id."""
    top = tmp_path_factory.mktemp("checkout")
    tests = top / "tests" / "lessons"
    tests.mkdir(parents=True)
    for name in ("conftest.py", "sanitize.cfg"):
        shutil.copy(HERE / name, tests / name)
    (tests / "budget.toml").write_text(
        '[[lessons]]\nmatch = "0*"\nseconds = 60\nmemory_mb = 400\ncell_seconds = 30\n'
        '[[lessons]]\nmatch = "1*"\nseconds = 0.01\nmemory_mb = 30\ncell_seconds = 1\n',
        encoding="utf-8",
    )
    packed = "Packed 1 file into my-work/take-home/my-work-2020-01-01-000000.zip (7 kB)."
    result = new_output("execute_result", data={"text/plain": packed}, execution_count=1)
    stale = new_output("execute_result", data={"text/plain": "3"}, execution_count=2)
    pages = {
        "00-good": [code("saved", GOOD, result)],
        "01-bad": [
            code("changed", "1 + 1", stale),
            code("figure", FIGURE, count=2),
            code("control", CONTROL, count=3),
            code("path", "import pathlib; print(pathlib.Path.home() / 'x')", count=4),
        ],
        "10-slow": [code("ends", "1", count=1), code("sleeps", "import time; time.sleep(9)")],
    }
    (top / "course").mkdir()
    for name, cells in pages.items():
        nbformat.write(new_notebook(cells=cells), top / "course" / f"{name}.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(tests), "-rA", "-q", "-p", "no:cacheprovider",
         "--rootdir", str(top), "-c", "/dev/null" if sys.platform != "win32" else "NUL"],
        capture_output=True, encoding="utf-8", cwd=top, timeout=120,
    )  # fmt: skip
    found = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("PASSED", "FAILED", "XFAIL", "XPASS") and "::" in rest:
            lesson, _, item = rest.split(" - ")[0].partition("::")
            found[f"{Path(lesson).stem}::{item}"] = word
    assert found, done.stdout + done.stderr
    return found


def test_a_good_lesson_passes_whole(outcome):
    items = {key: word for key, word in outcome.items() if key.startswith("00-good")}
    assert set(items.values()) == {"PASSED"}
    assert len(items) == 1 + 4


@pytest.mark.parametrize(
    "item",
    [
        "01-bad::changed",
        "01-bad::figures_and_tables_have_words",
        "01-bad::controls_have_labels",
        "01-bad::outputs_name_no_machine_and_no_error",
        "10-slow::sleeps",
        "10-slow::time_and_memory_stay_within_the_budget",
    ],
)
def test_what_is_wrong_is_caught(item, outcome):
    assert outcome[item] == "FAILED"


def test_what_is_right_in_a_bad_lesson_still_passes(outcome):
    assert outcome["01-bad::time_and_memory_stay_within_the_budget"] == "PASSED"
    assert outcome["10-slow::controls_have_labels"] == "PASSED"
