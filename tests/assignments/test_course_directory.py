"""`assignments/` is an nbgrader course: settings found from elsewhere, and a round by exchange."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

from .conftest import A4, COURSE, ROOT

SHOW = """
import json
from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory
app = NbGrader()
app.load_cwd_config = False
app.load_config_file()
config = app.config
print(json.dumps({
    "root": CourseDirectory(config=config).root,
    "db": CourseDirectory(config=config).db_url,
    "exchange": config.Exchange.get("root"),
    "assignments": config.Exchange.get("assignment_dir"),
}))
"""


def environment(tmp_path, **more):
    """A clean user: own data folder, own exchange, the environment's commands on the path."""
    return os.environ | {
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        "JUPYTER_CONFIG_PATH": "",
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "OSAI_EXCHANGE": str(tmp_path / "exchange"),
        "OSAI_WORK": str(tmp_path / "work"),
        **more,
    }


def run(command, cwd, env):
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", timeout=240
    )


@pytest.mark.skipif(sys.platform == "win32", reason="nbgrader's exchange refuses Windows")
def test_the_settings_are_found_when_lab_starts_at_the_top(tmp_path):
    env = environment(tmp_path, JUPYTER_CONFIG_PATH=str(COURSE))
    done = run([sys.executable, "-c", SHOW], ROOT, env)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["root"] == str(COURSE)
    assert found["db"] == f"sqlite:///{COURSE / 'gradebook.db'}"
    assert found["exchange"] == str(tmp_path / "exchange")
    assert found["assignments"] == str(tmp_path / "work")


@pytest.mark.skipif(sys.platform == "win32", reason="nbgrader's exchange refuses Windows")
def test_the_exchange_is_in_the_users_data_folder_unless_named(tmp_path):
    env = environment(tmp_path, JUPYTER_CONFIG_PATH=str(COURSE), OSAI_EXCHANGE="")
    done = run([sys.executable, "-c", SHOW], ROOT, env)
    assert json.loads(done.stdout)["exchange"] == str(tmp_path / "data" / "osai-exchange")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_git_ignores_what_grading_writes():
    names = ["gradebook.db", "submitted/x", "autograded/x", "feedback/x", "downloaded/x"]
    done = run(
        ["git", "check-ignore", *(f"assignments/{name}" for name in names)], ROOT, dict(os.environ)
    )
    assert done.stdout.split() == [f"assignments/{name}" for name in names]
    done = run(["git", "check-ignore", f"assignments/release/{A4}/x"], ROOT, dict(os.environ))
    assert done.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="nbgrader's exchange refuses Windows")
def test_a_round_by_the_exchange_with_nbgraders_own_commands(tmp_path):
    course = tmp_path / "assignments"
    shutil.copytree(COURSE / "source", course / "source")
    shutil.copytree(COURSE / "release", course / "release")
    shutil.copy(COURSE / "nbgrader_config.py", course)
    env = environment(tmp_path)
    released = (course / "release" / A4 / f"{A4}.ipynb").read_bytes()

    def nbgrader(*words, cwd=course):
        done = run([sys.executable, "-m", "nbgrader", *words], cwd, env)
        assert done.returncode == 0, (words, done.stderr)
        return done

    nbgrader("generate_assignment", A4, "--force")
    assert (course / "release" / A4 / f"{A4}.ipynb").read_bytes() == released
    nbgrader("release_assignment", A4)
    student = {**env, "JUPYTER_CONFIG_PATH": str(course)}
    for step in ("fetch_assignment", "submit"):
        done = run([sys.executable, "-m", "nbgrader", step, A4], tmp_path / "work", student)
        assert done.returncode == 0, (step, done.stderr)
    assert (tmp_path / "work" / A4 / f"{A4}.ipynb").read_bytes() == released
    nbgrader("collect", A4)
    (submitted,) = course.glob(f"submitted/*/{A4}/{A4}.ipynb")
    assert submitted.read_bytes() == released
