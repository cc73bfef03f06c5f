"""A real round with stock nbgrader: grades, feedback, Validate, and what may go wrong."""

import csv
import json
import os
import re

import nbformat
import pytest
from osai.grading import rehearsal
from osai.grading.stock import Course, GradingError, Result

from .conftest import A4, COURSE, nbgrader

NAME = f"{A4}.ipynb"
RIGHT, HALF, UNTOUCHED = "sample-right", "sample-half-right", "sample-untouched"


@pytest.fixture
def results(rehearsed) -> dict[str, Result]:
    return {row.student: row for row in rehearsed[0].results}


def autograded(rehearsed, student):
    return nbformat.read(rehearsed[0].folder / "autograded" / student / A4 / NAME, as_version=4)


def test_the_gradebook_is_as_expected(rehearsed):
    assert rehearsed[0].differences == ()


def test_right_answers_get_everything_and_the_release_nothing(results):
    assert (results[RIGHT].points, results[RIGHT].maximum) == (100, 100)
    assert all(grade.points == grade.maximum for grade in results[RIGHT].grades)
    assert (results[UNTOUCHED].points, results[UNTOUCHED].maximum) == (0, 100)
    assert 0 < results[HALF].points < 100
    assert any(0 < grade.points < grade.maximum for grade in results[HALF].grades)


def test_written_work_has_a_persons_mark(results):
    by_hand = {grade.grade_id for grade in results[HALF].grades if grade.by_hand}
    assert by_hand == {"decision_memo"}


def test_the_right_solution_runs_without_an_error_or_a_word_on_stderr(rehearsed):
    for cell in autograded(rehearsed, RIGHT).cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", (cell.id, output.text)


def test_feedback_tells_the_misconceptions_of_the_half_right_student(rehearsed, results):
    (page,) = results[HALF].feedback
    html = page.read_text(encoding="utf-8")
    for message in (
        "The default system turn was forgotten",
        "The mask includes the prompt",
        "Syllables were counted as characters",
        "Nothing is shifted",
    ):
        assert message in html
    for student in (RIGHT, UNTOUCHED):
        assert "The mask includes the prompt" not in _printed(autograded(rehearsed, student))


def _printed(notebook) -> str:
    return "\n".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())
    )


def test_samples_say_that_they_are_samples(rehearsed):
    for student in (RIGHT, HALF, UNTOUCHED):
        assert autograded(rehearsed, student).cells[0].source.startswith("**Sample submission.**")


def test_every_step_is_told_once_and_in_order(rehearsed):
    steps = rehearsed[1]
    assert [step for step, _, _ in steps] == list(range(1, len(steps) + 1))
    assert {total for _, total, _ in steps} == {len(steps)}


def test_the_instructors_own_course_is_untouched(rehearsed):
    assert not rehearsed[0].folder.is_relative_to(COURSE)
    for name in ("submitted", "autograded", "feedback"):
        folder = COURSE / name
        assert not [path for path in folder.glob("sample-*")] if folder.exists() else True
    assert os.environ["PATH"] != "/usr/bin:/bin"


def test_validate_shows_a_student_what_is_wrong_before_handing_in(rehearsed, monkeypatch):
    from nbgrader.validator import Validator

    file = rehearsed[0].folder / "submitted" / HALF / A4 / NAME
    validator = Validator()
    validator.config.Execute.timeout = 240
    found = validator.validate(str(file))
    assert set(found) == {"failed"}
    reports = [failure["raw_error"] for failure in found["failed"]]
    failed = {re.match(r"\w+", report)[0] for report in reports}
    # The mask is wrong only where the student cannot see it, and training is right.
    assert failed == {"render_conversation", "tokens_per_syllable", "reply_loss"}
    text = "\n".join(reports)
    assert "The default system turn was forgotten" in text
    assert "Reread: lesson 11, “Tokens”." in text
    assert "Traceback" not in text


def test_a_grade_that_is_not_as_expected_is_reported(rehearsed):
    results = list(rehearsed[0].results)
    expected = rehearsal.expected_points(COURSE, A4)
    expected[(RIGHT, "mask_prompt")] = (24.0, 25.0)
    expected[(RIGHT, "extra")] = (1.0, 1.0)
    del expected[(UNTOUCHED, "reply_loss")]
    assert rehearsal.differences(results, expected) == [
        f"{RIGHT}, extra: not in the gradebook",
        f"{RIGHT}, mask_prompt: 25 of 25 points, expected 24 of 25",
        f"{UNTOUCHED}, reply_loss: not in expected.csv",
    ]


def test_expected_grades_cover_every_student_and_task():
    expected = rehearsal.expected_points(COURSE, A4)
    notebook = nbformat.read(COURSE / "source" / A4 / NAME, as_version=4)
    tasks = {nbgrader(c)["grade_id"] for c in notebook.cells if nbgrader(c).get("grade")}
    students = {student.name for student in rehearsal.sample_class(COURSE, A4)}
    assert set(expected) == {(student, task) for student in students for task in tasks}


def test_a_persons_marks_are_those_of_the_rubric():
    rubric = (COURSE / "rubrics" / A4 / "decision_memo.md").read_text(encoding="utf-8")
    for student in rehearsal.sample_class(COURSE, A4):
        for task, mark in student.marks.items():
            level = student.answers[task].split(".")[-2]
            assert re.search(rf"\[{level}\].*\*\*{mark}\*\* \|", rubric)


@pytest.fixture
def small(tmp_path):
    """A course directory with the real source and a sample class that a test may break."""
    import shutil

    shutil.copytree(COURSE / "source", tmp_path / "source")
    shutil.copytree(COURSE / "rehearsal", tmp_path / "rehearsal")
    shutil.copytree(COURSE / "rubrics", tmp_path / "rubrics")
    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    return tmp_path


def edit(root, change):
    file = root / "rehearsal" / A4 / "class.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    change(data["students"])
    file.write_text(json.dumps(data), encoding="utf-8")


def test_a_sample_class_with_a_mistake_is_refused_with_the_reason(small, tmp_path_factory):
    new = tmp_path_factory.mktemp("rehearsals")
    edit(small, lambda students: students[RIGHT]["answers"].update(mask_promt="solution"))
    with pytest.raises(GradingError, match=r"cells that .* does not have: mask_promt"):
        rehearsal.set_up(small, A4, new / "typo")
    edit(small, lambda students: students[RIGHT].update(answers={"mask_prompt_answer": "no.py"}))
    with pytest.raises(GradingError, match=r"no\.py cannot be read"):
        rehearsal.set_up(small, A4, new / "no-file")
    edit(small, lambda students: students[HALF].pop("answers"))
    with pytest.raises(GradingError, match=r"'answers'.*correct the file"):
        rehearsal.set_up(small, A4, new / "no-answers")
    (small / "rehearsal" / A4 / "class.json").unlink()
    with pytest.raises(GradingError, match="has no sample class"):
        rehearsal.set_up(small, A4, new / "no-class")
    (small / "rehearsal" / A4 / "expected.csv").write_text("student,points\n", encoding="utf-8")
    assert rehearsal.expected_points(small, A4) == {}
    (small / "rehearsal" / A4 / "expected.csv").write_text("student\nan\n", encoding="utf-8")
    with pytest.raises(GradingError, match="its columns are"):
        rehearsal.expected_points(small, A4)


def test_a_failed_step_says_which_and_where_to_read_on(small, tmp_path):
    course = Course.copy(small, tmp_path / "broken", A4)
    course.release(A4)
    with pytest.raises(GradingError, match=r"Autograding nobody failed: .*nbgrader\.log"):
        course.autograde(A4, "nobody")
    assert (course.root / "nbgrader.log").stat().st_size > 0


def test_the_expected_table_is_plain_csv():
    with (COURSE / "rehearsal" / A4 / "expected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    totals = {}
    for row in rows:
        totals[row["student"]] = totals.get(row["student"], 0) + float(row["maximum"])
    assert set(totals.values()) == {100}
