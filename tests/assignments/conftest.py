"""What the tests of the assignments share: the notebooks, and one real grading round."""

from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "assignments"
A4 = "a4-teach-the-chatbot"


def nbgrader(cell) -> dict:
    """A cell's nbgrader metadata, empty if it has none."""
    return cell.metadata.get("nbgrader", {})


def read(folder: str, assignment: str) -> dict[str, nbformat.NotebookNode]:
    """The notebooks of an assignment in source/ or release/, by name."""
    files = sorted((COURSE / folder / assignment).glob("*.ipynb"))
    return {file.name: nbformat.read(file, as_version=4) for file in files}


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory):
    """The whole round on assignment 4 with stock nbgrader, run once: three real executions."""
    from osai.grading.rehearsal import rehearse

    steps = []
    folder = tmp_path_factory.mktemp("rehearsal") / "course"
    with pytest.MonkeyPatch.context() as patch:
        # An environment that is not active: nbgrader would not find `alembic`.
        patch.setenv("PATH", "/usr/bin:/bin")
        result = rehearse(COURSE, A4, folder, lambda *step: steps.append(step))
    return result, steps
