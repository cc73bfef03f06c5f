"""JupyterLab as students get it: the first lesson, Formgrader at work, safe, and gone on Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from osai import lab

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_wanted_port_in_use_is_an_error_with_a_next_step(busy_port, capsys):
    assert lab.main(["--port", str(busy_port)]) == 1
    said = capsys.readouterr().err
    assert f"Port {busy_port} is in use" in said
    assert "Next step: leave --port out" in said


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_an_impossible_port_is_an_error_too(port, capsys):
    assert lab.main(["--port", port]) == 1
    assert "not allowed" in capsys.readouterr().err


def test_without_a_wish_the_next_free_port_is_taken(busy_port, monkeypatch):
    monkeypatch.setattr(lab, "FIRST_PORT", busy_port)
    monkeypatch.setattr(lab, "LAST_PORT", busy_port + 20)
    assert busy_port < lab.free_port() <= busy_port + 20
    monkeypatch.setattr(lab, "LAST_PORT", busy_port)
    with pytest.raises(lab.LabError, match="--port"):
        lab.free_port()


@pytest.mark.parametrize(
    ("given", "cgroup", "limit"),
    [
        ({"CPU_LIMIT": "1.0"}, "max 100000", 1),
        ({"CPU_LIMIT": "0.5"}, "400000 100000", 1),
        ({}, "200000 100000", 2),
        ({}, "50000 100000", 1),
        ({}, "max 100000", 0),
        ({"CPU_LIMIT": "nonsense"}, "", 0),
    ],
)
def test_threads_follow_what_a_container_may_use(tmp_path, given, cgroup, limit):
    file = tmp_path / "cpu.max"
    file.write_text(cgroup)
    assert lab.processor_limit(given, file) == limit
    assert lab.processor_limit({}, tmp_path / "none") == 0


def test_a_users_own_choices_stay():
    given = {
        "OMP_NUM_THREADS": "3",
        "CPU_LIMIT": "1",
        "PYTHONUTF8": "0",
        "JUPYTER_CONFIG_PATH": "x",
    }
    made = lab.course_variables(Path("/c"), given)
    assert (made["OMP_NUM_THREADS"], made["PYTHONUTF8"]) == ("3", "0")
    assert made["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(Path("/c/assignments")), "x"]
    assert (
        lab.course_variables(Path("/c"), made)["JUPYTER_CONFIG_PATH"] == made["JUPYTER_CONFIG_PATH"]
    )


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="there a screen is taken for sure")
@pytest.mark.parametrize(
    ("given", "screen"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "x"}, False),
    ],
)
def test_a_browser_is_opened_only_where_it_would_be_seen(given, screen):
    assert lab.has_screen(given) is screen


# ---- a real server -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A running server: the process that serves, what it printed, and how to ask it."""

    process: subprocess.Popen[str]
    said: str
    address: str
    token: str

    def get(self, path: str, token: str | None = None) -> bytes:
        headers = {"Authorization": f"token {self.token if token is None else token}"}
        request = urllib.request.Request(self.address + path, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as page:
            return page.read()


def start_server(home: Path, *options: str) -> Server:
    home.mkdir(exist_ok=True)
    drop = ("JUPYTER", "DISPLAY", "WAYLAND")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    process = subprocess.Popen(
        [sys.executable, "-m", "osai.lab", "--no-browser", *options],
        env=kept | {"HOME": str(home), "PYTHONIOENCODING": "cp1252"},
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("Leave this window open"):
            break
    found = re.search(r"(http://127\.0\.0\.1:\d+)/lab/tree/(\S+)\?token=(\S+)", said)
    assert found, said
    return Server(process, said, found[1], found[3])


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("home"))
    yield running
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(30)


def test_it_opens_on_the_first_lesson(server):
    assert f"/lab/tree/{lab.FIRST_LESSON}?" in server.said
    lesson = json.loads(server.get(f"/api/contents/{lab.FIRST_LESSON}?content=0"))
    assert lesson["type"] == "notebook"
    assert b"jupyter-config-data" in server.get(f"/lab/tree/{lab.FIRST_LESSON}")


def test_nobody_comes_in_without_the_token(server):
    for token in ("", "wrong"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.get("/api/contents", token=token)
        assert refused.value.code == 403


def test_it_listens_on_this_machine_only(server):
    port = int(server.address.rsplit(":", 1)[1])
    own = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in own - {"127.0.0.1", "127.0.1.1"}:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, port)) != 0, address
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0


def test_formgrader_lists_the_course_although_lab_starts_at_the_top(server):
    assert b"Formgrader" in server.get("/formgrader") or b"formgrader" in server.get("/formgrader")
    listed = json.loads(server.get("/formgrader/api/assignments"))
    sources = {path.name for path in (TOP / "assignments/source").iterdir() if path.is_dir()}
    assert {one["name"] for one in listed} >= sources
    assert sources


def test_no_news_pop_up_and_no_call_home(server):
    name = "@jupyterlab/apputils-extension:notification"
    shown = json.loads(server.get(f"/lab/api/settings/{name}"))["schema"]["properties"]
    assert shown["fetchNews"]["default"] == "false"
    assert shown["checkForUpdates"]["default"] is False


def test_a_second_server_finds_another_port_and_says_so(server, tmp_path):
    second = start_server(tmp_path / "home")
    try:
        assert second.address != server.address
        if server.address.endswith(f":{lab.FIRST_PORT}"):
            assert f"Port {lab.FIRST_PORT} is in use, so this server took" in second.said
    finally:
        second.process.terminate()
        second.process.wait(30)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_cleanly_and_takes_its_kernels_along(tmp_path, sign):
    running = start_server(tmp_path / "home")
    request = urllib.request.Request(
        running.address + "/api/kernels",
        data=b"{}",
        headers={"Authorization": f"token {running.token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as page:
        kernel = json.load(page)["id"]
    deadline = time.monotonic() + 30
    while not (children := processes_with(kernel)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert children, "the kernel did not start"
    running.process.send_signal(sign)
    output, _ = running.process.communicate(timeout=30)
    assert running.process.returncode == 0
    assert "Stopping JupyterLab" in output and "Traceback" not in output
    deadline = time.monotonic() + 10
    while processes_with(kernel) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not processes_with(kernel)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(running.address.rsplit(":", 1)[1]))) != 0


def processes_with(word: str) -> list[int]:
    import psutil

    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if word in " ".join(process.info["cmdline"] or [])
    ]
