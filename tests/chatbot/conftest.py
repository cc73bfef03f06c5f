"""The real model for the tests of the chatbot; torch is held to one thread a worker if asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from osai.chatbot import hanoi, model
from osai.chatbot.conversations import Message
from osai.chatbot.model import Chatbot


@pytest.fixture
def fresh() -> Callable[[], Chatbot]:
    """Loads the base model anew: training changes a model in place."""
    return lambda: model.load(dtype="float32")


@pytest.fixture(scope="session")
def base() -> Chatbot:
    """The base model, for tests that only read it."""
    return model.load(dtype="float32")


@pytest.fixture(scope="session")
def conversations() -> list[list[Message]]:
    """Training conversations with their system turns."""
    return hanoi.training_messages()
