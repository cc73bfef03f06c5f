"""What osai.check promises, measured against nbgrader's own rules for scores."""

import ast
import math
import sys
from pathlib import Path

import nbformat
import numpy as np
import osai.check
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbgrader.utils import determine_grade
from nbgrader.validator import Validator
from osai.check import ChecksFailed, Report, Task, Wrong, plain, score

HEADER = "from osai.check import Task, Wrong\ntask = Task('demo', points=10, reread='lesson 11, “Tokens”')\n"
HALF_RIGHT = (
    HEADER
    + """
@task.part(4, "four is four")
def four():
    import warnings
    warnings.warn("this function is old", FutureWarning)

@task.part(6, "six is nine")
def six():
    raise Wrong("You counted upside down.")

task.check()
"""
)


def graded(text_plain: str, points: float = 10) -> float:
    """The score nbgrader gives a test cell whose last expression prints as `text_plain`."""
    cell = nbformat.v4.new_code_cell(
        outputs=[nbformat.v4.new_output("execute_result", {"text/plain": text_plain})],
        metadata={"nbgrader": {"grade": True, "solution": False, "points": points}},
    )
    return determine_grade(cell)[0]


def shown(value: object) -> str:
    """How a kernel prints a cell's last expression."""
    return InteractiveShell.instance().display_formatter.format(value)[0]["text/plain"]


def notebook(source: str, points: float = 10) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(source, id="demo-tests")
    cell.metadata["nbgrader"] = {
        "grade": True,
        "grade_id": "demo",
        "locked": True,
        "solution": False,
        "task": False,
        "points": points,
        "schema_version": 3,
        "cell_type": "code",
    }
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata["kernelspec"] = {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }
    return book


@pytest.fixture
def autograding(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")


def test_stock_nbgrader_gives_full_marks_for_scores_it_cannot_read():
    # Why `score` exists. If this ever fails, nbgrader has changed and `score` may be relaxed.
    assert graded(shown(math.nan)) == 10
    assert graded(shown(-3.0)) == 10
    assert graded(shown(np.float64(3.0))) == 10
    with pytest.raises(ValueError):
        graded(shown(10.5))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, 0.0),
        (-3.0, 0.0),
        (-0.0, 0.0),
        (np.float64(3.0), 3.0),
        (np.float32(2.5), 2.5),
        (np.int64(4), 4.0),
        (7, 7.0),
        (True, 1.0),
        (10.5, 10.0),
        (math.inf, 10.0),
        (-math.inf, 0.0),
        (10**400, 0.0),
        ("not a number", 0.0),
        (None, 0.0),
        ([3.0], 0.0),
        (0.1 + 0.2, 0.1 + 0.2),
    ],
)
def test_nbgrader_reads_every_score_as_meant(value, expected):
    result = score(value, 10)
    assert type(result) is float
    assert 0.0 <= result <= 10.0
    assert result == expected
    assert graded(shown(result)) == expected


def test_the_sum_of_parts_never_passes_the_maximum(autograding):
    task = Task("tenths", points=1)
    for tenth in range(10):
        task.part(0.1, f"part {tenth}")(lambda: None)
    assert task.check() == 1.0
    assert graded(shown(task.check()), points=1) == 1.0


def test_autograding_returns_the_points_of_the_parts_that_passed(autograding, capsys):
    space: dict = {}
    tree = ast.parse(HALF_RIGHT)
    last = tree.body.pop()
    exec(compile(tree, "<test cell>", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "<test cell>", "eval"), space)
    assert type(value) is float and value == 4.0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "[wrong] 0/6  six is nine" in printed.out
    assert "You counted upside down." in printed.out
    assert "Reread: lesson 11, “Tokens”." in printed.out


@pytest.mark.parametrize("mode", [None, "validate"])
def test_elsewhere_a_failed_part_raises_with_the_reason(monkeypatch, mode):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    if mode:
        monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    with pytest.raises(ChecksFailed, match="You counted upside down") as caught:
        exec(HALF_RIGHT, {})
    assert caught.value._render_traceback_() == [str(caught.value)]


@pytest.mark.parametrize("mode", ["", "validate"])
def test_elsewhere_a_task_that_passes_returns_nothing(monkeypatch, mode, capsys):
    # Nothing, not the visible points: Validate would call 4 of 10 points a failure.
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    task = Task("demo", points=10)
    task.part(4, "four is four")(lambda: None)
    assert task.check() is None
    assert "6 more points are checked when your work is graded" in capsys.readouterr().out


def test_nbgraders_validate_shows_the_report_and_nothing_of_the_test(tmp_path):
    secret = "raise Wrong"
    file = tmp_path / "demo.ipynb"
    nbformat.write(notebook(HALF_RIGHT), file)
    (failure,) = Validator().validate(str(file))["failed"]
    assert "You counted upside down." in failure["raw_error"]
    assert secret not in failure["raw_error"]
    assert "Traceback" not in failure["raw_error"]
    right = HALF_RIGHT.replace('raise Wrong("You counted upside down.")', "pass")
    nbformat.write(notebook(right), file)
    assert Validator().validate(str(file)) == {}


def test_a_warning_in_the_students_code_costs_no_points(autograding, capsys):
    task = Task("demo", points=3)

    @task.part(3, "writes to stderr but is right")
    def part():
        print("progress", file=sys.stderr)

    assert task.check() == 3.0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "progress" in printed.out


def test_what_a_students_code_raises_fails_its_part_only(autograding, capsys):
    task = Task("demo", points=6)
    student = compile("def answer():\n    return {}['price']\n", "<student>", "exec")
    space: dict = {}
    exec(student, space)
    task.part(1, "key error")(lambda: space["answer"]())
    task.part(1, "quits")(lambda: sys.exit(3))
    task.part(1, "not written")(lambda: (_ for _ in ()).throw(NotImplementedError()))
    task.part(1, "not defined")(lambda: missing_answer())  # noqa: F821
    task.part(2, "right")(lambda: None)
    assert task.check() == 2.0
    printed = capsys.readouterr().out
    assert "Your code stopped in answer, line 2: KeyError: 'price'" in printed
    assert "SystemExit: 3" in printed
    assert "Not answered yet" in printed
    assert "`missing_answer` is not defined: run the cell with your answer first" in printed


def test_a_stopped_run_stays_stopped():
    task = Task("demo", points=1)

    @task.part(1, "interrupted")
    def part():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task.run()


def test_slow_work_shared_by_parts_runs_once_even_when_it_fails():
    runs = []
    task = Task("demo", points=2)

    @task.once
    def training():
        runs.append(1)
        raise RuntimeError("no memory")

    task.part(1, "first")(training)
    task.part(1, "second")(training)
    report = task.run()
    assert runs == [1]
    assert report.earned == 0.0
    assert all("no memory" in part.why for part in report.parts)


def test_authors_hear_of_points_that_do_not_fit():
    task = Task("demo", points=5)
    task.part(5, "all of it")(lambda: None)
    with pytest.raises(ValueError, match="worth 6 points"):
        task.part(1, "too much")
    for points in (0, -1, math.nan, math.inf, "5", True):
        with pytest.raises(ValueError, match="points must be"):
            Task("demo", points=points)
        with pytest.raises(ValueError, match="points must be"):
            Task("demo", points=5).part(points, "odd")


def test_a_task_without_parts_does_not_pass():
    assert not Report("demo", 5, ()).passed


def test_wrong_may_name_another_section():
    task = Task("demo", points=1, reread="lesson 11, “Training”")

    @task.part(1, "claim")
    def part():
        raise Wrong("Why.", reread="lesson 11, “Tokens”")

    assert task.run().parts[0].reread == "lesson 11, “Tokens”"


def test_plain_makes_lists_of_arrays_and_tuples():
    assert plain(np.array([1, 2])) == [1, 2]
    assert plain((np.int64(1), [2, (3,)])) == [1, [2, [3]]]
    assert plain("text") == "text"
    assert type(plain((np.int64(1),))[0]) is int


def test_the_module_needs_the_standard_library_only():
    tree = ast.parse(Path(osai.check.__file__).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
