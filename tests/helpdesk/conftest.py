"""A desk with a real database and real facts; who writes the replies differs from test to test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from osai.chatbot import hanoi, systems
from osai.chatbot.reply import Reply, Request
from osai.helpdesk import api, limits
from osai.helpdesk.desk import Desk
from osai.helpdesk.store import Store

SHOP = hanoi.shops()["bep-ho-guom"]


class Held:
    """The FAQ system behind a gate: it answers when the test lets it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[int] = []
        self._faq = systems.load("faq")

    def replies(self, requests: Sequence[Request], on_batch: object = None) -> list[Reply]:
        self.asked.append(len(requests))
        assert self.gate.wait(30)
        return self._faq.replies(requests)


@pytest.fixture
def held() -> Held:
    """A system that waits for the test."""
    return Held()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'desk.sqlite'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    yield made
    made.dispose()


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk that answers by the FAQ system, from the shop's facts and without a model."""
    return Desk(store, SHOP, lambda: systems.load("faq"))


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(api.create(desk, limits.Limits(50))) as made:
        yield made


@pytest.fixture
def token(store: Store) -> dict[str, str]:
    """The header of an agent."""
    return {"Authorization": f"Bearer {store.add_agent('Lan (sample)')}"}


@pytest.fixture
def session(client: TestClient) -> dict[str, str]:
    """The header of a customer."""
    return {"X-Session": client.post("/api/conversations").json()["session"]}


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a PostgreSQL server of our own, without a database; skips where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        assert not os.environ.get("CI"), "CI must install postgresql"
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="osai-pg-"))
    other = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        other = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *words: str) -> None:
        subprocess.run(
            [*other, str(programs / program), "-D", str(folder / "data"), *words],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip

    run("initdb", "-U", "osai", "-A", "trust", "-E", "UTF8")
    run(
        "pg_ctl",
        "-w",
        "-o",
        f"-p {port} -k {folder} -c fsync=off",
        "-l",
        str(folder / "log"),
        "start",
    )
    yield f"postgresql+psycopg://osai@127.0.0.1:{port}/"
    run("pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store in SQLite, and the same in PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'desk.sqlite'}"
    else:
        server, name = request.getfixturevalue("postgresql"), f"desk_{uuid.uuid4().hex}"
        admin = sa.create_engine(f"{server}postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        url = f"{server}{name}"
    made = Store(url)
    yield made
    made.dispose()
