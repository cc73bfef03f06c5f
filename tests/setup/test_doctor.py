"""osai doctor names what is wrong and what to do next, and gives nobody away."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from osai import doctor, places, tables
from osai.chatbot import model

TOP = Path(__file__).resolve().parents[2]


def test_here_nothing_fails():
    assert {check.name: check.detail for check in doctor.run() if check.state == "fail"} == {}


def test_it_loads_neither_torch_nor_transformers():
    code = "import sys; from osai import doctor; doctor.run(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers", "peft"} & set(done.stdout.split())


def test_one_failed_check_makes_the_exit_code_one_and_names_the_step(monkeypatch, capsys):
    bad = doctor.Check("Disk", "fail", "0.0 GB free", "free at least 1 GB")
    monkeypatch.setattr(doctor, "disk", lambda: bad)
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "Next step: free at least 1 GB" in said
    assert "Not ready: Disk." in said


def test_a_check_that_breaks_does_not_hide_the_others(monkeypatch):
    def broken():
        raise RuntimeError("no such library")

    monkeypatch.setattr(doctor, "jupyterlab", broken)
    found = {check.name: check for check in doctor.run()}
    assert found["JupyterLab"].state == "fail"
    assert "RuntimeError: no such library" in found["JupyterLab"].detail
    assert found["JupyterLab"].step
    assert len(found) == 8


def test_a_missing_package_fails_and_another_version_is_pointed_out(monkeypatch):
    from packaging.requirements import Requirement

    asked = [("course", Requirement("rich==0.0.1"))]
    asked += [(section, Requirement("not-there==1")) for section in ("test", "bench")]
    monkeypatch.setattr(doctor, "wanted", lambda: asked)
    assert doctor.packages().state == "warn"
    assert "rich" in doctor.packages().detail
    asked.append(("course", Requirement("not-there-either==1")))
    assert doctor.packages().state == "fail"
    assert "missing: not-there-either" in doctor.packages().detail


def test_without_a_checkout_the_installed_package_says_what_it_needs(monkeypatch):
    monkeypatch.setattr(places, "checkout", lambda: None)
    names = {requirement.name for _, requirement in doctor.wanted()}
    assert {"transformers", "nbgrader", "torch"} <= names
    assert "pytest" not in names


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A model cache of its own, whole as far as the manifest can tell; returns its folder."""
    monkeypatch.setenv("OSAI_CACHE", str(tmp_path))
    folder = model.base_dir()
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"12345")
    record = {"weights": {"size": 5, "sha256": model.sha256(folder / "weights")}}
    (folder / model.MANIFEST).write_text(json.dumps({"files": record}), encoding="utf-8")
    assert doctor.model(deep=True).state == "ok"
    return folder


@pytest.mark.parametrize("harm", ["gone", "cut short", "unreadable manifest"])
def test_a_damaged_model_cache_fails_with_its_next_step(cache, harm):
    if harm == "gone":
        shutil.rmtree(cache)
    elif harm == "cut short":
        (cache / "weights").write_bytes(b"123")
    else:
        (cache / model.MANIFEST).write_text("{", encoding="utf-8")
    found = doctor.model()
    assert found.state == "fail"
    assert "setup" in found.step
    assert "Next step" not in found.detail


def test_only_the_deep_check_reads_every_byte(cache):
    (cache / "weights").write_bytes(b"12346")
    assert doctor.model().state == "ok"
    assert doctor.model(deep=True).state == "fail"


@pytest.mark.parametrize(
    ("total", "free", "state"), [(1.0, 0.9, "fail"), (2.0, 0.5, "warn"), (2.0, 1.9, "ok")]
)
def test_little_memory_is_noticed(monkeypatch, total, free, state):
    import psutil

    class Memory:
        pass

    Memory.total, Memory.available = int(total * doctor.GB), int(free * doctor.GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
    monkeypatch.setattr(doctor, "memory_limit", lambda: 0)
    assert doctor.memory().state == state


def test_a_containers_memory_limit_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("MEM_LIMIT", raising=False)
    (tmp_path / "memory.max").write_text("2147483648\n")
    assert doctor.memory_limit(tmp_path) == 2**31
    (tmp_path / "memory.max").write_text("max\n")
    assert doctor.memory_limit(tmp_path) == 0
    monkeypatch.setenv("MEM_LIMIT", "1000000000")
    assert doctor.memory().state == "fail"


@pytest.mark.parametrize(("free", "state"), [(0.1, "fail"), (0.5, "warn"), (5, "ok")])
def test_little_disk_space_is_noticed(monkeypatch, tmp_path, free, state):
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "work"))
    usage = shutil.disk_usage(tmp_path)._replace(free=int(free * doctor.GB))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert doctor.disk().state == state


def test_a_switched_off_grading_extension_fails(monkeypatch, tmp_path):
    (tmp_path / "labconfig").mkdir()
    (tmp_path / "labconfig/page_config.json").write_text(
        json.dumps({"disabledExtensions": {"@jupyter/nbgrader": True}})
    )
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    found = doctor.jupyterlab()
    assert (found.state, "labextension enable" in found.step) == ("fail", True)


def test_a_switched_off_server_extension_fails(monkeypatch, tmp_path):
    (tmp_path / "jupyter_server_config.json").write_text(
        json.dumps(
            {"ServerApp": {"jpserver_extensions": {"nbgrader.server_extensions.formgrader": False}}}
        )
    )
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    assert "formgrader" in doctor.jupyterlab().detail


def test_a_table_that_cannot_be_read_is_named(monkeypatch):
    def broken(topic, name):
        raise tables.TableError(f"{topic}/{name}.csv, line 3: not a number")

    monkeypatch.setattr(tables, "load", broken)
    found = doctor.data()
    assert found.state == "fail"
    assert "line 3" in found.detail


def test_the_report_names_neither_user_nor_home(monkeypatch, tmp_path, capsys):
    home = tmp_path / "home/lan.nguyen"
    home.mkdir(parents=True)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "lan.nguyen")
    monkeypatch.setenv("OSAI_CACHE", str(home / "cache"))
    monkeypatch.setenv(places.WORK_VARIABLE, "/srv/lan.nguyen/my-work")
    doctor.main(json=True)
    text = capsys.readouterr().out
    report = json.loads(text)
    assert "lan.nguyen" not in text
    assert "~" in next(c["detail"] for c in report["checks"] if c["name"] == "Model")
    assert report["ready"] is False
    assert doctor.private("/srv/lan.nguyen/x and lan.nguyens") == "/srv/USER/x and lan.nguyens"


def test_the_installed_command_prints_utf8_whatever_python_was_told():
    command = shutil.which("osai", path=str(Path(sys.executable).parent))
    assert command, "the command osai is not installed"
    done = subprocess.run(
        [command, "doctor"],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "cp1252", "HOME": str(Path.home())},
        check=False,
    )
    said = done.stdout.decode("utf-8")
    assert re.search("Python .* ok ", said), said + done.stderr.decode()
