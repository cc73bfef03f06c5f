"""An older Python reads one sentence, not a syntax error."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
OLD = ("3.6", "3.7", "3.8", "3.9", "3.10")


def old_pythons() -> list[str]:
    """Older interpreters of this machine: on PATH, or kept by pyenv."""
    found = [path for version in OLD if (path := shutil.which(f"python{version}"))]
    return found + [
        str(path)
        for version in OLD
        for path in (Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python")
    ]


def test_the_script_can_be_read_by_python_36():
    source = (TOP / "setup_course.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))  # the oldest that every newer Python can imitate
    assert "from __future__" not in source


@pytest.mark.parametrize("version", [(3, 6), (3, 10, 13), (2, 7, 18)])
def test_an_old_version_is_named_and_refused(script, version):
    said = script.python_problem(version)
    assert "Python 3.11 or newer" in said
    assert f"this one is {version[0]}.{version[1]}." in said


@pytest.mark.parametrize("version", [(3, 11), (3, 12, 1), (3, 14), (4, 0)])
def test_new_versions_are_taken(script, version):
    assert script.python_problem(version) is None


def test_a_32_bit_python_is_refused(script):
    assert "64-bit" in script.python_problem((3, 12), bits=32)


def test_real_old_pythons_get_the_sentence():
    ran = 0
    for python in old_pythons():
        done = subprocess.run(
            [python, TOP / "setup_course.py", "course"], capture_output=True, text=True, check=False
        )
        if "Python 3.11 or newer; this one is 3." not in done.stderr and done.returncode == 127:
            continue  # a shim without its interpreter
        assert done.returncode == 1
        assert "this one is 3." in done.stderr and "Next step: " in done.stderr
        assert "Traceback" not in done.stderr and "SyntaxError" not in done.stderr
        ran += 1
    if not ran:
        pytest.skip("no older Python on this machine")
