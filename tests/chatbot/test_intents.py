"""What a message wants, and when a person must take over."""

import pytest
from osai.chatbot import checks, facts, hanoi, intents


@pytest.fixture(scope="module")
def shops():
    return hanoi.shops()


def test_training_conversations_are_understood_as_they_were_meant():
    for shop, conversation in hanoi.conversations_with_shops():
        message, answer = conversation.messages[0].content, conversation.messages[-1].content
        found = facts.find(shop, message)
        assert found.intent == conversation.intent, f"{conversation.id}: {message}"
        assert found.person == checks.hands_off(answer), f"{conversation.id}: {message}"


def test_most_development_customers_are_understood(shops):
    cases = [*hanoi.customers("customers_dev"), *hanoi.customers("customers_dev2")]
    right = [facts.find(shops[case.shop], case.message).intent == case.intent for case in cases]
    assert sum(right) >= 0.9 * len(right)


@pytest.mark.parametrize(
    ("message", "person"),
    [
        ("Đơn BH1042 dự kiến 24/11 mà hôm nay 26/11 vẫn chưa thấy", True),
        ("Đơn BH1042 dự kiến 24/11 phải không em, hôm nay mới 22/11", False),
        ("Đơn BH1063 báo đã giao mà chưa nhận được", True),
        ("Đổi địa chỉ đơn BH1042", True),
        ("Đổi địa chỉ đơn BH1057", False),
        ("Mấy ngày thì hoàn tiền?", False),
        ("Trả hàng 3 ngày rồi, bao giờ hoàn tiền?", False),  # the shop's own rule is 5 days
        ("Trả hàng 8 ngày rồi, bao giờ hoàn tiền?", True),
        ("Hai tuần rồi mà tiền hoàn đâu?", True),
        ("Hoàn tiền gì mà cả tháng rồi chưa thấy", True),
        ("Hóa đơn ghi sai tên công ty", True),
        ("Bên bảo hành từ chối, nói lỗi tại người dùng", True),
        ("Chuyển khoản rồi mà không thấy lên đơn", True),
        ("Hủy đơn BH1057", True),
        ("Muốn hủy đơn thì làm sao?", False),
        ("Cho xuất hóa đơn", False),
        ("Cảm ơn em nhiều nhé", False),
        ("Mai Hà Nội có mưa không?", False),
    ],
)
def test_a_person_takes_over_by_the_rules_of_service(shops, message: str, person: bool):
    assert facts.find(shops["bep-ho-guom"], message).person is person


def test_no_clock_is_read():
    assert not intents.promise_broken("Bao giờ giao?", "01/01/2020")
    assert intents.promise_broken("Hôm nay 2/1/2020 rồi mà chưa thấy", "01/01/2020")


def test_words_that_only_look_alike_without_marks_are_told_apart():
    assert intents.intent("Cô chả nhớ mã mủng gì đâu") is None
    assert intents.intent("Con ơi, cô chào con") is None
    assert intents.intent("mùng 6 shop mở lại chưa") == "holiday_hours"


def test_waiting_time_is_read_in_days():
    assert intents.days_waited("hơn 1 tuần rồi, à 9 ngày") == 9
    assert intents.days_waited("mười ngày") == 10
    assert intents.days_waited("mấy ngày?") == 0


def test_days_that_do_not_exist_are_passed_over():
    assert intents.days_named("ngày 45/13 và 30/2", 2026) == []


def test_to_exchange_and_to_wait_are_told_apart():
    assert intents.intent("Mình đợi hàng mãi") == "delivery_delay"
    assert intents.intent("Mình muốn đổi hàng") == "exchange"


def test_every_intent_has_a_label_and_every_label_is_reachable():
    seen = {conversation.intent for _, conversation in hanoi.conversations_with_shops()}
    assert seen == set(intents.LABELS)
