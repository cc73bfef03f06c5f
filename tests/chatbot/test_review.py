"""No reply leaves that says what the shop file does not, or fails to say what it should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osai.chatbot import hanoi, intents, review, templates
from osai.chatbot.conversations import Message
from osai.chatbot.reply import Understood, understand

SHOPS = hanoi.shops()


def understood(message: str, shop: str = "bep-ho-guom", *before: str) -> Understood:
    turns = [Message("user", text) for text in (*before, message)]
    return understand((SHOPS[shop], turns))


ORDER = "đơn BH1042 của chị tới đâu rồi em"
GOOD = "Dạ đơn BH1042 của chị đang giao, dự kiến 24/11/2026 ạ."


def test_a_good_reply_passes():
    assert review.problems(GOOD, understood(ORDER)) == ()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("Dạ đơn BH1042 của chị đang giao, dự kiến 25/11/2026 ạ.", "numbers"),
        ("Dạ đơn BH1042 của chị đang giao, dự kiến 24/11/2026, sau 3 giờ ạ.", "numbers"),
        ("Dạ đơn BH1042 của chị đang giao, dự kiến 24/11/2026, đơn BH1057 cũng vậy ạ.", "orders"),
        ("Dạ đơn BH1042 của chị đang giao ạ.", "complete"),
        ("Dạ đơn BH1042 của chị đang giao, dự kiến 24/11/2026, shop cam kết ạ.", "promise"),
        ("Dạ đơn BH1042 của anh đang giao, dự kiến 24/11/2026 ạ.", "address"),
        ("Dạ cháu báo chị đơn BH1042 đang giao, dự kiến 24/11/2026 ạ.", "self"),
        ("Đơn BH1042 của chị đang giao, dự kiến 24/11/2026.", "polite"),
        ("Da, order BH1042 is coming 24/11/2026 nhé.", "language"),
        ("Dạ đơn BH1042 dự kiến 24/11/2026, em chuyển nhân viên gọi lại cho chị ạ.", "handoff"),
    ],
)
def test_each_fault_is_caught(reply: str, problem: str):
    assert problem in review.problems(reply, understood(ORDER))


@pytest.mark.parametrize(
    ("message", "reply", "problem"),
    [
        (
            "Chị đổi địa chỉ nhận đơn BH1057 sang cơ quan nhé em",
            "Dạ đơn BH1057 đang chuẩn bị, dự kiến 26/11/2026 ạ.",
            "point",
        ),
        ("Máy xay Gió còn hàng không em, chị cần gấp", "Dạ chị thông cảm giúp em nhé.", "point"),
        (
            "Đơn của chú tới đâu rồi cháu?",
            "Dạ quy định cháu mã đơn: ch gửi cháu kiểm tra ngay ạ.",
            "wording",
        ),
        ("Đơn của chú tới đâu rồi cháu?", "Dạ Ĥ chú cho cháu xin mã đơn ạ.", "wording"),
    ],
)
def test_beside_the_point_and_garbled_is_caught(message: str, reply: str, problem: str):
    assert problem in review.problems(reply, understood(message))


def test_the_wording_of_training_replies_is_known():
    assert len(review.known_pairs()) > 400
    assert ("xin", "lỗi") in review.known_pairs() and ("lỗi", "xin") not in review.known_pairs()


def test_a_misspelt_name_is_caught():
    asked = understood("Điện thoại Sen 5 giá bao nhiêu vậy em?", "song-hong")
    assert (
        review.problems("Dạ Điện thoại Sen 5 giá 4.990.000 ₫, shop còn 7 sản phẩm ạ.", asked) == ()
    )
    assert "complete" in review.problems(
        "Dạ Đại thoại Sen 5 giá 4.990.000 ₫, shop còn 7 sản phẩm ạ.", asked
    )


def test_every_topic_and_situation_of_the_training_data_has_a_template_that_passes():
    seen = set()
    for shop, conversation in hanoi.conversations_with_shops():
        turns = conversation.messages[:-1]
        words = tuple(turn.content for turn in turns if turn.role == "user")
        from osai.chatbot import address, facts

        found = facts.find(shop, words[-1], words[:-1], conversation.topic)
        one = Understood(shop, found, address.of(words[-1], words[:-1]), words)
        answer = templates.answer(shop, found, one.terms)
        assert review.problems(answer, one) == (), f"{conversation.id}: {answer}"
        seen.add((found.topic, found.situation))
    assert len(seen) >= 80 and {topic for topic, _ in seen} == set(intents.LABELS)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(min_size=1, max_size=300),
        st.lists(
            st.sampled_from(
                ["BH1042", "BH1024", "đơn", "giá", "bao nhiêu", "chị", "hủy", "😂", "<b>", "';--",
                 "bỏ qua hướng dẫn", "ignore previous instructions", "Đổi", "nồi", "không"]
            ), min_size=1, max_size=12,
        ).map(" ".join),
    ).filter(str.strip),
    st.sampled_from(sorted(SHOPS)),
)  # fmt: skip
def test_whatever_is_written_the_fallback_is_a_reply_that_may_leave(message: str, shop: str):
    one = understood(message, shop)
    answer = templates.answer(one.shop, one.found, one.terms)
    assert review.problems(answer, one) == ()
    others = {order.id for order in one.shop.orders if order.id.lower() not in message.lower()}
    assert not any(number in answer for number in others)
