"""What the model is shown, and what of it is learned."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osai.chatbot import hanoi
from osai.chatbot.conversations import (
    IGNORE,
    ConversationError,
    Message,
    encode,
    prompt,
    render,
)

TURNS = [
    Message("system", "Bếp Hồ Gươm."),
    Message("user", "Còn hàng không?"),
    Message("assistant", "Dạ còn ạ."),
    Message("user", "Cảm ơn."),
    Message("assistant", "Dạ vâng ạ."),
]


def learned_text(base, example) -> str:
    return base.tokenizer.decode([label for label in example.labels if label != IGNORE])


def test_prompt_tokens_carry_no_loss(base):
    assert learned_text(base, encode(base.tokenizer, TURNS)) == (
        "Dạ còn ạ.<|im_end|>Dạ vâng ạ.<|im_end|>"
    )


def test_only_the_last_reply_is_learned_when_asked(base):
    assert learned_text(base, encode(base.tokenizer, TURNS, last_only=True)) == (
        "Dạ vâng ạ.<|im_end|>"
    )


def test_the_ids_are_those_of_the_chat_template(base):
    example = encode(base.tokenizer, TURNS)
    assert base.tokenizer.decode(example.ids) == render(base.tokenizer, TURNS)


def test_labels_stand_where_their_token_stands(base):
    example = encode(base.tokenizer, TURNS)
    assert len(example.ids) == len(example.labels)
    assert all(
        label in (IGNORE, token) for token, label in zip(example.ids, example.labels, strict=True)
    )


def test_a_prompt_for_a_reply_is_a_prefix_of_what_was_trained(base):
    """In service the model continues exactly the text it saw in training."""
    opening = render(base.tokenizer, TURNS[:4], generation=True)
    example = encode(base.tokenizer, TURNS, last_only=True)
    masked = example.labels.index(next(label for label in example.labels if label != IGNORE))
    assert base.tokenizer(opening, add_special_tokens=False)["input_ids"] == list(
        example.ids[:masked]
    )


text = st.text(
    alphabet=st.sampled_from("abcDđơnạảãáếộữ 12.,?!<>|\n€😀"), min_size=1, max_size=40
).filter(lambda value: "<|" not in value and value.strip())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(text, text), min_size=1, max_size=3))
def test_any_conversation_learns_its_replies_and_nothing_else(base, turns):
    messages = [
        message
        for question, answer in turns
        for message in (Message("user", question), Message("assistant", answer))
    ]
    example = encode(base.tokenizer, messages)
    wanted = "".join(answer + "<|im_end|>" for _, answer in turns)
    assert learned_text(base, example) == wanted


def test_a_template_that_rewrites_earlier_turns_is_refused(fresh):
    tokenizer = fresh().tokenizer
    tokenizer.chat_template = (
        "{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    )
    with pytest.raises(ConversationError, match="rewrites earlier turns"):
        encode(tokenizer, TURNS)


def test_the_system_turn_names_shop_terms_and_facts():
    shop = hanoi.shops()["bep-ho-guom"]
    system, customer = prompt(shop, [Message("user", "Ấm siêu tốc của chị còn hàng không em?")])
    assert system.role == "system" and customer.role == "user"
    assert "Bếp Hồ Gươm" in system.content
    assert "Gọi khách: chị. Xưng: em." in system.content
    assert "còn 23" in system.content


def test_terms_of_an_earlier_turn_are_kept():
    shop = hanoi.shops()["bep-ho-guom"]
    turns = [
        Message("user", "Bác hỏi đơn hàng cháu ơi"),
        Message("assistant", "Dạ bác cho cháu xin mã đơn ạ."),
        Message("user", "BH1057"),
    ]
    assert "Gọi khách: bác" in prompt(shop, turns)[0].content
