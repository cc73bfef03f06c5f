"""The zip that a student hands in, and that the teacher's nbgrader reads it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from osai.handin import HandInError, pack

COURSE = Path(__file__).resolve().parents[1] / "assignments"
A4 = "a4-teach-the-chatbot"


@pytest.fixture(autouse=True)
def nobody_grades(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@pytest.fixture
def folder(tmp_path):
    """A student's folder: the released notebook and other things."""
    shutil.copy(COURSE / "release" / A4 / f"{A4}.ipynb", tmp_path)
    (tmp_path / "notes.txt").write_text("not to be handed in", encoding="utf-8")
    return tmp_path


def test_the_zip_holds_the_notebook_as_saved_and_nothing_else(folder):
    done = pack(A4, student="an.nguyen", folder=folder)
    assert done.path == folder / f"an.nguyen__{A4}.zip"
    with zipfile.ZipFile(done.path) as archive:
        assert archive.namelist() == [f"{A4}.ipynb"]
        assert archive.read(f"{A4}.ipynb") == (folder / f"{A4}.ipynb").read_bytes()
    assert "save and run this cell again" in repr(done)
    assert f"{done.saved:%H:%M}" in repr(done)


def test_packing_again_replaces_the_zip(folder):
    first = pack(A4, student="an", folder=folder).path.read_bytes()
    notebook = json.loads((folder / f"{A4}.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = "Đã sửa"
    (folder / f"{A4}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert pack(A4, student="an", folder=folder).path.read_bytes() != first
    assert [file.name for file in folder.glob("*.zip*")] == [f"an__{A4}.zip"]


def test_an_assignment_of_two_notebooks_is_packed_whole(folder):
    shutil.copy(folder / f"{A4}.ipynb", folder / "second.ipynb")
    done = pack("a2", student="an", notebooks=(A4, "second"), folder=folder)
    with zipfile.ZipFile(done.path) as archive:
        assert archive.namelist() == [f"{A4}.ipynb", "second.ipynb"]


def test_without_an_id_a_hint_and_no_zip(folder):
    done = pack(A4, student=" ", folder=folder)
    assert done.path is None and "Write your student id" in repr(done)
    assert not list(folder.glob("*.zip"))


@pytest.mark.parametrize("mode", ["autograde", "validate"])
def test_grading_packs_nothing(folder, monkeypatch, mode):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    assert pack(A4, student="an", folder=folder).path is None
    assert not list(folder.glob("*.zip"))


@pytest.mark.parametrize(
    "student", ["an/nguyen", "Ân", "a__b", "..", "an nguyen", "an.", "x" + "\n"]
)
def test_an_id_that_cannot_be_a_file_name_is_refused(folder, student):
    if student.strip() == "x":
        assert pack(A4, student=student, folder=folder).path.name == f"x__{A4}.zip"
        return
    with pytest.raises(HandInError, match="cannot be part of a file name"):
        pack(A4, student=student, folder=folder)


def test_what_cannot_be_packed_is_said_in_one_line(folder):
    (folder / f"{A4}.ipynb").rename(folder / f"{A4}-Copy1.ipynb")
    with pytest.raises(HandInError, match="rename it to this one") as caught:
        pack(A4, student="an", folder=folder)
    assert len(caught.value._render_traceback_()) == 1
    for content in (b"", b"{}", b"\xff\xfe", b"[]"):
        (folder / f"{A4}.ipynb").write_bytes(content)
        with pytest.raises(HandInError, match="cannot be read as a notebook"):
            pack(A4, student="an", folder=folder)
    (folder / f"{A4}.ipynb").write_text('{"cells": []}', encoding="utf-8")
    with pytest.raises(HandInError, match="has no cells"):
        pack(A4, student="an", folder=folder)


def test_a_zip_that_cannot_be_written_leaves_nothing_behind(folder):
    (folder / f"an__{A4}.zip").mkdir()
    with pytest.raises(HandInError, match="could not be written"):
        pack(A4, student="an", folder=folder)
    assert not list(folder.glob("*.part"))


def test_the_teachers_nbgrader_collects_the_zips(folder, tmp_path_factory):
    course = tmp_path_factory.mktemp("course")
    shutil.copy(COURSE / "nbgrader_config.py", course)
    shutil.copytree(COURSE / "release", course / "release")
    archive = course / "downloaded" / A4 / "archive"
    (archive / "Trần Bình_2041_assignsubmission_file_").mkdir(parents=True)
    shutil.move(pack(A4, student="an.nguyen", folder=folder).path, archive)
    shutil.move(
        pack(A4, student="tran-binh_2", folder=folder).path,
        archive / "Trần Bình_2041_assignsubmission_file_",
    )
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "zip_collect", A4],
        cwd=course,
        env=os.environ
        | {
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
            "JUPYTER_CONFIG_PATH": "",
            "JUPYTER_DATA_DIR": str(course / "jupyter"),
            "OSAI_WORK": str(course / "work"),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    submitted = {path.parent.parent.name for path in course.glob(f"submitted/*/{A4}/{A4}.ipynb")}
    assert submitted == {"an.nguyen", "tran-binh_2"}, done.stderr
