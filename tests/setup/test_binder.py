"""Binder builds the environment once, adds the course afterwards, and starts with its settings."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Binder runs on Linux")


@pytest.fixture(scope="module")
def dockerfile() -> str:
    """What repo2docker would build, from its dry run; needs no Docker."""
    command = shutil.which("jupyter-repo2docker", path=str(Path(sys.executable).parent))
    assert command, "jupyter-repo2docker is not installed"
    done = subprocess.run(
        [command, "--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan", TOP],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@posix_only
def test_binder_takes_python_311(dockerfile):
    assert "Building conda environment for python=3.11" in dockerfile


@posix_only
def test_the_environment_is_updated_once_and_before_the_course_is_copied(dockerfile):
    updates = [found.start() for found in re.finditer(r"env update", dockerfile)]
    assert len(updates) == 1
    assert updates[0] < dockerfile.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")


@posix_only
def test_the_memory_allocator_is_installed(dockerfile):
    (package,) = (TOP / "apt.txt").read_text(encoding="utf-8").split()
    assert re.search(rf"apt-get install .*\b{package}\b", dockerfile)


@posix_only
def test_post_build_and_start_are_run_and_executable(dockerfile):
    assert dockerfile.index("src/ ${REPO_DIR}/") < dockerfile.index("RUN ./postBuild")
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/start"' in dockerfile
    for name in ("postBuild", "start", ".ci/run"):
        mode = subprocess.run(
            ["git", "ls-files", "--stage", name], cwd=TOP, capture_output=True, text=True
        ).stdout
        assert mode.startswith("100755"), f"{name} is not executable in git"


@posix_only
def test_post_build_adds_only_what_the_environment_lacks(course):
    """As on Binder: an environment made beforehand, then postBuild in it."""
    prefix = course.home / "conda"
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    variables = course.variables(PATH=f"{prefix}/bin{os.pathsep}{os.environ['PATH']}")
    subprocess.run(
        [prefix / "bin/pip", "install", "-q", "tiny==1.0", "torch==2.13.0"],
        env=variables,
        check=True,
    )
    shutil.copy(TOP / "postBuild", course.root)
    done = subprocess.run(
        ["./postBuild"],
        cwd=course.root,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PyTorch 2.13.0: already there" in done.stdout
    assert "Packages: 1 to install" in done.stdout  # peft, which would ask for another torch
    assert (course.home / "cache/model").exists()
    assert not (course.root / ".venv").exists()
    again = subprocess.run(
        [prefix / "bin/python", "setup_course.py", "course", "--here"],
        cwd=course.root,
        env=variables | {"PIP_FIND_LINKS": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert again.stdout.endswith("lab\n"), again.stdout + again.stderr
    assert again.stdout.count("already there") == 4


@posix_only
def test_post_build_fails_the_build_if_set_up_fails(course):
    prefix = course.home / "conda"
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    shutil.copy(TOP / "postBuild", course.root)
    done = subprocess.run(
        ["./postBuild"],
        cwd=course.root,
        env=course.variables(
            PATH=f"{prefix}/bin{os.pathsep}{os.environ['PATH']}", PIP_FIND_LINKS=""
        ),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "Next step: " in done.stderr


def start(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Binder's start script with the Python that runs the tests first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER_", "OMP_"))}
    return subprocess.run(
        [TOP / "start", *command],
        cwd=TOP,
        env=kept | {"PATH": path} | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@posix_only
def test_start_lets_formgrader_find_its_configuration_and_caps_threads():
    done = start("env", CPU_LIMIT="1.0", JUPYTER_CONFIG_PATH="/other/place")
    made = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert made["JUPYTER_CONFIG_PATH"] == f"{TOP / 'assignments'}:/other/place"
    assert made["OMP_NUM_THREADS"] == "1"


@posix_only
def test_start_hands_over_words_and_exit_code_unchanged():
    done = start("sh", "-c", 'echo "$1"; exit 7', "sh", "two  words; $HOME")
    assert (done.stdout, done.returncode) == ("two  words; $HOME\n", 7)


@posix_only
def test_the_server_starts_even_if_the_settings_cannot_be_made():
    done = start("echo", "started", PATH="/usr/bin:/bin", PYTHONPATH="")
    assert done.stdout == "started\n"
