"""A desk with a real database and real facts; who writes the replies differs from test to test."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
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
