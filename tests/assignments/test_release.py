"""The committed student version is the one that the source makes, and gives nothing away."""

import re

import pytest
from osai.grading import release
from osai.grading.stock import Course, GradingError, find_course

from .conftest import A4, COURSE, nbgrader, read

ASSIGNMENTS = release.assignments(COURSE)


@pytest.fixture(scope="module")
def built():
    return {name: release.build(COURSE, name) for name in ASSIGNMENTS}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_release_is_not_stale(built, assignment):
    behind = release.stale(COURSE, assignment, built[assignment])
    assert not behind, "run `python -m osai.grading.release` and commit assignments/release"


def test_every_release_has_a_source():
    folders = {folder.name for folder in (COURSE / "release").iterdir() if folder.is_dir()}
    assert folders == set(ASSIGNMENTS)


def test_building_twice_gives_the_same_bytes(built):
    assert release.build(COURSE, A4) == built[A4]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_solution_and_no_hidden_test_is_in_the_release(assignment):
    for name, source in read("source", assignment).items():
        released = read("release", assignment)[name]
        text = "\n".join(cell.source for cell in released.cells)
        for word in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "MARK SCHEME"):
            assert word not in text
        assert "jupytext" not in released.metadata
        region = r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END"
        everything = "\n".join(cell.source for cell in source.cells)
        secret = lines("\n".join(re.findall(region, everything, re.DOTALL)))
        telling = secret - lines(re.sub(region, "", everything, flags=re.DOTALL))
        assert len(telling) > 50
        assert not telling & lines(text)


def lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) > 12}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_everything_else_is_in_the_release(assignment):
    for name, source in read("source", assignment).items():
        released = read("release", assignment)[name]
        assert [cell.id for cell in released.cells] == [cell.id for cell in source.cells]
        for before, after in zip(source.cells, released.cells, strict=True):
            if not nbgrader(before):
                assert after.source == before.source
            elif nbgrader(before)["solution"] and before.cell_type == "code":
                assert "# YOUR CODE HERE\n    raise NotImplementedError()" in after.source
            elif nbgrader(before)["solution"]:
                assert after.source == "YOUR ANSWER HERE"


def test_the_command_says_what_is_stale_and_repairs_it(tmp_path, capsys):
    import shutil

    course = tmp_path / "assignments"
    shutil.copytree(COURSE / "source", course / "source")
    shutil.copytree(COURSE / "release", course / "release")
    shutil.copy(COURSE / "nbgrader_config.py", course)
    file = course / "release" / A4 / f"{A4}.ipynb"
    right = file.read_bytes()
    file.write_bytes(right.replace(b"90 minutes", b"10 minutes"))
    (file.parent / "leftover.py").write_text("x = 1\n", encoding="utf-8")
    assert release.main(["--course", str(course), "--check"]) == 1
    said = capsys.readouterr().out
    assert f"stale: {A4}.ipynb, leftover.py" in said and "Next step" in said
    assert release.main(["--course", str(course)]) == 0
    assert file.read_bytes() == right and not (file.parent / "leftover.py").exists()
    assert not (course / "gradebook.db").exists()


def test_what_is_not_there_is_said_with_a_next_step(tmp_path, capsys):
    assert release.main(["--course", str(tmp_path)]) == 1
    assert "No nbgrader course" in capsys.readouterr().err
    assert release.main(["--course", str(COURSE), "a9-missing"]) == 1
    error = capsys.readouterr().err
    assert "No assignment 'a9-missing'" in error and A4 in error
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "work.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(GradingError, match="not empty"):
        Course.copy(COURSE, tmp_path / "full", A4)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config(\n", encoding="utf-8")
    (tmp_path / "source" / A4).mkdir(parents=True)
    with pytest.raises(GradingError, match="cannot be read: SyntaxError"):
        Course.copy(tmp_path, tmp_path / "new", A4)


def test_the_course_is_found_from_the_top_and_from_inside():
    assert find_course(COURSE.parent) == COURSE
    assert find_course(COURSE / "source" / A4) == COURSE
