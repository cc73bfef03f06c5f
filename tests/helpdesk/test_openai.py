"""The official client of OpenAI talks to the desk, streaming too."""

from __future__ import annotations

import openai
import pytest


@pytest.fixture
def ai(client, token) -> openai.OpenAI:
    key = token["Authorization"].removeprefix("Bearer ")
    return openai.OpenAI(
        base_url="http://testserver/v1", api_key=key, http_client=client, max_retries=0
    )


QUESTION = [{"role": "user", "content": "Đơn BH1042 của chị tới đâu rồi em?"}]


def test_a_reply(ai):
    done = ai.chat.completions.create(model="hanoi", messages=QUESTION, temperature=0.3)
    assert "24/11/2026" in done.choices[0].message.content
    assert done.choices[0].finish_reason == "stop"
    assert done.model_extra["osai"]["intent"] == "order_status"


def test_a_stream_joins_to_the_reply(ai):
    whole = ai.chat.completions.create(model="hanoi", messages=QUESTION)
    pieces = ai.chat.completions.create(model="hanoi", messages=QUESTION, stream=True)
    texts = [piece.choices[0].delta.content or "" for piece in pieces]
    assert "".join(texts) == whole.choices[0].message.content and len(texts) > 4


def test_the_history_is_understood(ai):
    turns = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Bác muốn hủy đơn hàng cháu ơi"},
        {"role": "assistant", "content": "Dạ bác cho cháu xin mã đơn ạ."},
        {"role": "user", "content": "BH1057"},
    ]
    done = ai.chat.completions.create(model="hanoi", messages=turns)
    assert done.model_extra["osai"]["handoff"] and "bác" in done.choices[0].message.content


def test_the_session_lets_a_program_read_and_delete(ai, client):
    done = ai.chat.completions.create(model="hanoi", messages=QUESTION)
    session = {"X-Session": done.model_extra["osai"]["session"]}
    assert len(client.get("/api/messages", headers=session).json()["messages"]) == 2
    assert client.delete("/api/conversation", headers=session).json()["messages"] == 2


def test_long_system_prompts_and_parts_are_taken(ai):
    turns = [
        {"role": "system", "content": "Be kind. " * 2000},
        {"role": "user", "content": [{"type": "text", "text": "Bếp từ giá bao nhiêu?"}]},
    ]
    done = ai.chat.completions.create(model="hanoi", messages=turns)
    assert done.choices[0].message.content


def test_models_are_listed(ai):
    assert [model.id for model in ai.models.list()] == ["hanoi"]


def test_what_is_wrong_is_said(ai, client):
    with pytest.raises(openai.UnprocessableEntityError):
        ai.chat.completions.create(model="hanoi", messages=[{"role": "assistant", "content": "a"}])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(
            base_url="http://testserver/v1", api_key="wrong", http_client=client, max_retries=0
        ).chat.completions.create(model="hanoi", messages=QUESTION)
