"""Imports run one way, and only the chatbot pays for PyTorch."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

TOP = Path(__file__).resolve().parents[1]
PARTS = ("careers", "commons", "openness", "practice")
LIGHT = sorted(
    ".".join(("osai", *file.relative_to(TOP / "course/osai").with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for pattern in ("*.py", *(f"{part}/**/*.py" for part in PARTS))
    for file in (TOP / "course/osai").glob(pattern)
)


def test_the_contracts_in_pyproject_hold():
    code = (
        "import sys; from importlinter.cli import lint_imports as run; sys.exit(run(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Contracts: 2 kept, 0 broken." in done.stdout


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom inside osai."""
    return grimp.build_graph("osai", cache_dir=None)


def test_grading_imports_nothing_of_osai_but_check(graph):
    own = {name for name in graph.modules if name.split(".")[:2] == ["osai", "grading"]}
    assert own
    foreign = {
        f"{module} -> {imported}"
        for module in own
        for imported in graph.find_modules_directly_imported_by(module) - own
        if imported != "osai.check"
    }
    assert foreign == set()


def test_check_runs_in_any_sandbox(graph):
    assert graph.find_modules_directly_imported_by("osai.check") == set()


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_top_module_loads_no_heavy_library(module):
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "peft", "nbgrader"} & set(done.stdout.split())
