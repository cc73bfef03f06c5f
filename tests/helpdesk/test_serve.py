"""The desk as a program: started, killed, started again, behind Lab's proxy."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from osai.chatbot import hanoi

SHOP = str(hanoi.folder() / "shops" / "bep-ho-guom.json")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`osai serve` in a process of its own."""

    def __init__(self, database: Path, *words: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "osai.cli", "serve", "--shop", SHOP, "--model", "faq",
             "--database", f"sqlite:///{database}", "--port", str(self.port), "--scale", "100", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        self.lines: list[str] = []
        self.log: list[str] = []
        for stream, into in ((self.process.stdout, self.lines), (self.process.stderr, self.log)):
            threading.Thread(target=lambda s=stream, i=into: i.extend(s), daemon=True).start()
        for _ in range(300):
            try:
                if httpx.get(f"{self.url}/healthz", timeout=1).json()["model"] == "ready":
                    break
            except (httpx.HTTPError, ValueError):
                assert self.process.poll() is None, "".join(self.log)
            time.sleep(0.1)
        else:
            raise AssertionError("the desk does not start: " + "".join(self.log))

    def customer(self) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=30)
        client.headers["X-Session"] = client.post("/api/conversations").json()["session"]
        return client

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def one(*words: str) -> Server:
        running.append(Server(tmp_path / "desk.sqlite", *words))
        return running[-1]

    yield one
    for server in running:
        if server.process.poll() is None:
            server.kill()


def test_the_token_is_shown_once_and_a_new_one_can_be_made(start, tmp_path):
    server = start()
    (token,) = re.findall(r"shown this once: (\S+)", "".join(server.lines))
    shown = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{server.url}/api/agent/tickets", headers=shown).json()["agent"] == "agent"
    made = subprocess.run(
        [sys.executable, "-m", "osai.cli", "serve", "--shop", SHOP, "--new-token", "Minh",
         "--database", f"sqlite:///{tmp_path / 'desk.sqlite'}"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    shown = {"Authorization": f"Bearer {made}"}
    assert httpx.get(f"{server.url}/api/agent/tickets", headers=shown).json()["agent"] == "Minh"
    assert server.stop() == 0
    again = start()
    assert "shown this once" not in "".join(again.lines)


def test_killed_in_the_middle_nothing_is_lost_or_doubled(start):
    server = start()
    customer = server.customer()
    accepted: list[str] = []
    keys = [f"key-{i}" for i in range(60)]

    def send() -> None:
        for key in keys:
            try:
                done = customer.post("/api/messages", json={"text": f"Câu {key}", "key": key})
            except httpx.HTTPError:
                return
            if done.status_code == 200:
                accepted.append(key)

    sender = threading.Thread(target=send)
    sender.start()
    while len(accepted) < 15:
        time.sleep(0.01)
    server.kill()
    sender.join()
    again = start()
    client = httpx.Client(base_url=again.url, headers=customer.headers, timeout=30)
    for _ in range(100):  # what was stored is there, and is answered without being sent again
        turns = client.get("/api/messages").json()["messages"]
        said = [turn["text"] for turn in turns if turn["role"] == "customer"]
        if len(said) == sum(turn["role"] == "shop" for turn in turns):
            break
        time.sleep(0.1)
    assert {f"Câu {key}" for key in accepted} <= set(said)
    assert len(said) == sum(turn["role"] == "shop" for turn in turns)
    for key in keys:  # the page sends again what it does not know to have arrived
        assert (
            client.post("/api/messages", json={"text": f"Câu {key}", "key": key}).status_code == 200
        )
    turns = client.get("/api/messages").json()["messages"]
    said = [turn["text"] for turn in turns if turn["role"] == "customer"]
    assert sorted(said) == sorted(f"Câu {key}" for key in keys)
    assert sum(turn["role"] == "shop" for turn in turns) == len(keys)


def test_a_clean_stop_ends_with_zero_and_logs_json_without_messages(start):
    server = start()
    customer = server.customer()
    customer.post("/api/messages", json={"text": "Gọi tôi 0912345678 nhé"})
    assert server.stop() == 0
    time.sleep(0.3)
    records = [json.loads(line) for line in server.log if line.startswith("{")]
    assert any(record["message"] == "answered" for record in records)
    assert "0912345678" not in "".join(server.log)


def test_a_bad_shop_or_database_ends_in_one_line(tmp_path):
    bad = tmp_path / "shop.json"
    bad.write_text("{}", encoding="utf-8")
    for words in (
        ("--shop", str(bad)),
        ("--shop", str(tmp_path / "none.json")),
        ("--shop", SHOP, "--database", f"sqlite:///{tmp_path}/no/such/folder.sqlite"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "osai.cli", "serve", *words],
            capture_output=True, text=True, encoding="utf-8", check=False, timeout=60,
            env={**os.environ, "OSAI_DESKS": str(tmp_path / "desks")},
        )  # fmt: skip
        assert done.returncode == 1 and "Next step" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_a_notebook_talks_to_the_desk(start):
    from osai.helpdesk import widget

    server = start()
    customer = widget.Customer(server.url)
    assert "24/11/2026" in customer.say("Đơn BH1042 của chị tới đâu rồi em?")
    assert customer.say("<b>giá</b> bếp từ?")
    assert "&lt;b&gt;" in customer.as_html() and "<b>giá" not in customer.as_html()
    box = customer.controls()
    assert box.children
    assert customer.delete()["messages"] == 4
    with pytest.raises(widget.DeskError, match="osai serve"):
        widget.Customer("http://127.0.0.1:9")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """A Jupyter server with its proxy, as on Binder; its address with a path prefix."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--ServerApp.port={port}",
         "--ServerApp.base_url=/user/an/", "--IdentityProvider.token=t", "--allow-root",
         f"--ServerApp.root_dir={tmp_path}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}/user/an"
    for _ in range(300):
        try:
            if httpx.get(f"{address}/api", timeout=1).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(20)


def test_it_works_through_labs_own_port(start, lab):
    server = start()
    behind = f"{lab}/proxy/{server.port}/"
    client = httpx.Client(params={"token": "t"}, timeout=30, follow_redirects=True)
    page = client.get(behind)
    assert page.status_code == 200 and 'src="static/customer.js"' in page.text
    assert client.get(f"{behind}static/customer.js").status_code == 200
    xsrf = {"X-XSRFToken": client.cookies.get("_xsrf", "")}
    opened = client.post(f"{behind}api/conversations", headers=xsrf)
    assert opened.status_code == 201, opened.text
    session = {"X-Session": opened.json()["session"]}
    heard = client.post(
        f"{behind}api/messages", headers=session | xsrf, json={"text": "Bếp từ giá bao nhiêu?"}
    )
    assert "990.000" in heard.json()["reply"]["text"]
