"""Lessons are run in a fresh kernel and saved without anything of the machine they ran on."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from osai import places
from osai.authoring import derived, notebooks
from osai.authoring.measure import MemoryWatch

TOP = Path(__file__).parents[2]


def lesson(folder: Path, *sources: str, **tags: list[str]) -> Path:
    """A notebook with a title, front matter and these code cells, called one, two, ..."""
    names = ("one", "two", "three", "four")
    cells = [
        new_markdown_cell("# 00 · Test", id="title"),
        new_markdown_cell("old", id=derived.FRONT_MATTER),
    ]
    for name, source in zip(names, sources, strict=False):
        made = new_code_cell(source, id=name)
        if name in tags:
            made.metadata["tags"] = tags[name]
        cells.append(made)
    osai = {"minutes": 5, "prerequisites": [], "claims": []}
    file = folder / "00-test.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"osai": osai}), file)
    return file


def code(file: Path) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(file, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_a_lesson_is_saved_with_outputs_and_nothing_of_the_machine(tmp_path):
    file = lesson(
        tmp_path,
        "from osai import work\nwork.save('x', [1])\nprint(work.contents()[0].name)",
        "import ipywidgets\nipywidgets.IntSlider(description='n')",
        "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)):\n    print('.')",
        "from osai import quiz\nquiz.Question('Why?', quiz.right('A', 'It is simply so.'),"
        " quiz.wrong('B', 'That mixes up two things.', see='Test'))",
    )
    own = places.work_dir()
    before = own.exists() and sorted(own.iterdir())
    assert notebooks.main(["run", str(file)]) == 0
    assert (own.exists() and sorted(own.iterdir())) == before  # ran in an empty my-work

    text = file.read_text(encoding="utf-8")
    one, two, three, four = code(file)
    assert one.outputs[0].text == "x.json\n"
    assert two.outputs[0].data == {"text/plain": notebooks.LIVE_ONLY}
    assert [c.execution_count for c in (one, two, three, four)] == [1, 2, 3, 4]
    assert {"text/plain": notebooks.LIVE_ONLY} in [o.get("data") for o in three.outputs]
    assert "it/s" not in text
    assert four.metadata.jupyter.source_hidden
    assert four.outputs[0].data["text/plain"].startswith("Question: Why?")
    notebook = nbformat.read(file, as_version=4)
    assert "widgets" not in notebook.metadata
    assert not list(notebooks.output_faults(notebook))
    assert notebooks.is_current(notebook)
    meta = notebook.metadata["osai"]
    assert meta["memory_mb"] > 30 and meta["seconds"] >= 5
    assert f"{meta['memory_mb']} MB" in notebook.cells[1].source  # front matter is up to date
    assert not list(tmp_path.glob("*.partial"))


def test_only_changed_lessons_run_again(tmp_path, capsys):
    file = lesson(tmp_path, "print('first')")
    assert notebooks.main(["run", str(file)]) == 0
    saved = file.read_bytes()
    assert notebooks.main(["run", "--changed", str(file)]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert file.read_bytes() == saved
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[2].source = "print('second')"
    nbformat.write(notebook, file)
    assert notebooks.main(["run", "--changed", str(file)]) == 0
    assert code(file)[0].outputs[0].text == "second\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("customers / 0", r"cell 'one': NameError: name 'customers' is not defined"),
        ("import sys; print('careful', file=sys.stderr)", "there is output on stderr"),
        ("import pathlib; pathlib.Path.home() / 'x'", "holds a path of a machine"),
        ("import os; os._exit(1)", "cell 'one': the kernel died"),
    ],
)
def test_a_lesson_that_must_not_be_saved_stays_as_it_was(source, said, tmp_path, capsys):
    file = lesson(tmp_path, source)
    before = file.read_bytes()
    assert notebooks.main(["run", str(file)]) == 1
    assert said in capsys.readouterr().out
    assert file.read_bytes() == before


def test_a_cell_that_never_ends_is_stopped_and_named(tmp_path, capsys):
    file = lesson(tmp_path, "import time\ntime.sleep(60)")
    assert notebooks.main(["run", "--timeout", "1", str(file)]) == 1
    assert "cell 'one': it ran longer than 1 seconds" in capsys.readouterr().out


def test_an_expected_exception_is_no_fault(tmp_path):
    file = lesson(tmp_path, "1 / 0", "2", one=["raises-exception"])
    assert notebooks.main(["run", str(file)]) == 0
    assert code(file)[0].outputs[0].ename == "ZeroDivisionError"
    assert code(file)[1].outputs[0].data["text/plain"] == "2"


def test_a_missing_lesson_is_said(tmp_path, capsys):
    assert notebooks.main(["run", str(tmp_path / "gone.ipynb")]) == 1
    assert "no notebook gone.ipynb" in capsys.readouterr().out


def test_normalising_twice_changes_nothing_more(tmp_path):
    notebook = nbformat.read(TOP / "course" / "00-start-here.ipynb", as_version=4)
    saved = nbformat.writes(notebook)
    notebooks.normalise(notebook)
    assert nbformat.writes(notebook) == saved  # what ships is normal already


def test_pieces_of_a_stream_are_joined_and_drawn_pictures_dropped():
    cell = new_code_cell("x", id="x", execution_count=9)
    plotly = {"application/vnd.plotly.v1+json": {}, "image/png": "aGk="}
    cell.outputs = [
        new_output("stream", name="stdout", text="a"),
        new_output("stream", name="stdout", text="b"),
        new_output("display_data", data=plotly, metadata={"isolated": True}),
    ]
    cell.metadata["execution"] = {"iopub.status.busy": "2026-01-01"}
    notebook = new_notebook(cells=[cell], metadata={"widgets": {}, "vscode": {}})
    notebooks.normalise(notebook)
    assert cell.outputs[0].text == "ab"
    assert list(cell.outputs[1].data) == ["application/vnd.plotly.v1+json"]
    assert cell.execution_count == 1
    assert cell.metadata == {}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


# --- measuring


def test_memory_is_that_of_the_process_and_all_it_starts():
    child = "x = b'a' * 60_000_000; import time; time.sleep(20)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent])
    try:
        with MemoryWatch(process.pid) as watch:
            deadline = time.monotonic() + 15
            while watch.peak_mb < 60 and time.monotonic() < deadline:
                time.sleep(0.1)
        assert 60 <= watch.peak_mb < 160
    finally:
        import psutil

        for one in (*psutil.Process(process.pid).children(recursive=True), process):
            one.kill()
        process.wait()


def test_a_process_that_is_gone_does_no_harm():
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    with pytest.raises(Exception, match="process"):
        MemoryWatch(process.pid)
    with MemoryWatch(os.getpid()) as watch:
        time.sleep(0.2)
    assert watch.peak_mb > 10


# --- derived text


def test_nothing_that_is_derived_is_stale():
    assert [str(path) for path, _ in derived.stale(TOP)] == []


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small checkout with one topic, one lesson and pages that name a repository."""
    (tmp_path / "course").mkdir()
    lesson(tmp_path / "course", "1")
    data = tmp_path / "data" / "careers"
    data.mkdir(parents=True)
    for file in (TOP / "data" / "careers").iterdir():
        (data / file.name).write_bytes(file.read_bytes())
    (tmp_path / "data" / "README.md").write_text("x", encoding="utf-8")
    (data / "README.md").write_text("A.\n<!-- tables -->\nold\n<!-- /tables -->\nZ.\n", "utf-8")
    (tmp_path / "README.md").write_text(
        "[![b](x)](https://mybinder.org/v2/gh/OLD/NAME/HEAD?urlpath=lab)", encoding="utf-8"
    )
    (tmp_path / "CITATION.cff").write_text("title: x\nrepository-code: old\n", encoding="utf-8")
    set_repository(tmp_path, "https://github.com/an/course")
    monkeypatch.setattr(places, "checkout", lambda: tmp_path)
    return tmp_path


def set_repository(course: Path, url: str) -> None:
    (course / "pyproject.toml").write_text(
        f'[project]\nname = "x"\n[project.urls]\nRepository = "{url}"\n', encoding="utf-8"
    )


def test_the_repository_is_named_in_one_place_and_written_everywhere(course, capsys):
    notebook = nbformat.read(course / "course" / "00-test.ipynb", as_version=4)
    notebook.metadata["osai"].update(seconds=5, memory_mb=100, hardware="2 cores")
    nbformat.write(notebook, course / "course" / "00-test.ipynb")
    assert derived.main(["--check"]) == 1
    assert "stale: README.md" in capsys.readouterr().out
    assert derived.main([]) == 0
    assert derived.main(["--check"]) == 0
    readme = (course / "README.md").read_text(encoding="utf-8")
    assert "mybinder.org/v2/gh/an/course/HEAD" in readme
    citation = (course / "CITATION.cff").read_text(encoding="utf-8")
    assert 'repository-code: "https://github.com/an/course"' in citation
    front = nbformat.read(course / "course" / "00-test.ipynb", as_version=4).cells[1].source
    assert "mybinder.org/v2/gh/an/course/HEAD?urlpath=lab/tree/course/00-test.ipynb" in front
    assert "about 5 minutes" in front and "100 MB" in front and "2 cores" in front
    card = (course / "data" / "careers" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("A.\n<!-- tables -->\n### `github_by_country_year.csv`")
    assert card.endswith("<!-- /tables -->\nZ.\n")
    assert "| `developers` | Developer accounts." in card


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda top: set_repository(top, "https://example.org/x"), "[project.urls] Repository"),
        (lambda top: (top / "data/careers/README.md").unlink(), "needs the lines <!-- tables"),
        (lambda top: (top / "course/00-test.ipynb").write_text("{"), "cannot be read"),
        (lambda top: None, "no 'seconds'"),
    ],
)
def test_what_is_missing_is_said_in_one_line(spoil, said, course, capsys):
    if said != "no 'seconds'":
        notebook = json.loads((course / "course/00-test.ipynb").read_text(encoding="utf-8"))
        notebook["metadata"]["osai"].update(seconds=5, memory_mb=100, hardware="2 cores")
        (course / "course/00-test.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    spoil(course)
    assert derived.main(["--check"]) == 2
    assert said in capsys.readouterr().out
