"""The real model for the tests of the chatbot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
def served() -> Chatbot:
    """The adapter that ships, merged into the base, in float32; for tests that only read it."""
    return hanoi.load("finetuned", dtype="float32")


@pytest.fixture(scope="session")
def conversations() -> list[list[Message]]:
    """Training conversations with their system turns."""
    return hanoi.training_messages()


@pytest.fixture(scope="session")
def small_llama(base, tmp_path_factory) -> Path:
    """A small randomly made Llama in a folder, with our tokenizer: quick, and another model."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(base.tokenizer) + 64,  # more rows than tokens, as many models have
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    folder = tmp_path_factory.mktemp("models") / "small-llama"
    LlamaForCausalLM(config).save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    return folder
