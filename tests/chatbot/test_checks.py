"""What the checks call right and wrong."""

import pytest
from osai.chatbot import checks


@pytest.mark.parametrize(
    ("reply", "wanted", "found"),
    [
        ("phí là 38.000đ ạ", "38.000", True),
        ("phí là 38.000 ₫ ạ", "38.000", True),
        ("phí là 138.000 ₫", "38.000", False),
        ("giá 14.000 ₫", "14", False),
        ("còn 14, giá tốt", "14", True),
        ("còn 14.", "14", True),
        ("ngày 24/11/2026", "24/11/2026", True),
        ("ngày 24/11/2026", "24/11", False),
        ("HẾT HÀNG rồi ạ", "hết hàng", True),
        ("chịu khó", "chị", False),
        ("dạ chi\u0323 ơi", "chị", True),
    ],
)
def test_whole_words_and_numbers_are_found(reply: str, wanted: str, found: bool):
    assert checks.contains(reply, wanted) is found


def test_what_a_reply_quotes_from_the_shop_calls_nobody():
    quoted = checks.without_quotes("Dạ Xe đẩy em bé giá 90.000 ₫ ạ, chị ơi", ["Xe đẩy em bé"])
    assert checks.self_term(quoted, ["cháu"]).passed
    assert not checks.customer_term(quoted, ["bác"]).passed


def test_an_invented_number_is_caught():
    assert not checks.numbers_known("giá 1.390.000 ₫", "giá 1290000").passed
    assert checks.numbers_known("giá 1.290.000 ₫", '"price": 1290000').passed
    assert checks.numbers_known("trong 7 ngày", "").passed  # single digits are left to the facts


@pytest.mark.parametrize(
    ("reply", "accepted", "passed"),
    [
        ("Dạ đơn của chị đang giao ạ", ["chị"], True),
        ("Dạ đơn của anh đang giao ạ", ["chị"], False),
        ("Dạ đơn của anh/chị đang giao ạ", ["chị"], False),
        ("Dạ anh/chị chờ em nhé", ["anh/chị", "quý khách"], True),
        ("Dạ chị chờ em nhé", ["anh/chị", "quý khách"], False),
        ("Dạ còn hàng ạ", ["chị"], True),
        ("Dạ mình gửi bạn nhé", ["bạn", "mình"], True),
        ("Dạ cửa hàng ở phường Hai Bà Trưng, Hà Nội ạ", ["chị"], True),
        ("Dạ Anh/Chị chờ em nhé", ["anh/chị"], True),
        ("Dạ Anh chờ em nhé", ["chị"], False),
    ],
)
def test_one_accepted_word_for_the_customer(reply: str, accepted: list[str], passed: bool):
    assert checks.customer_term(reply, accepted).passed is passed


def test_the_shops_own_word_fits_the_customer():
    assert checks.self_term("Dạ cháu kiểm tra ạ", ["cháu"]).passed
    assert not checks.self_term("Dạ em kiểm tra ạ", ["cháu"]).passed


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Em chuyển nhân viên kiểm tra ngay ạ", True),
        ("Nhân viên sẽ gọi lại cho chị ạ", True),
        ("Dạ đơn đang giao ạ", False),
    ],
)
def test_a_hand_off_is_recognised(reply: str, expected: bool):
    assert checks.hands_off(reply) is expected
    assert checks.hand_off(reply, expected).passed
    assert checks.hand_off(reply, None).passed
    assert not checks.hand_off(reply, not expected).passed


def test_politeness_and_language():
    assert checks.polite("Dạ còn hàng ạ").passed
    assert not checks.polite("Còn hàng").passed
    assert not checks.polite("Dạ mày chờ đi").passed
    assert checks.in_vietnamese("Dạ đơn hàng đang được giao ạ").passed
    assert not checks.in_vietnamese("Your order is on its way").passed
    assert not checks.in_vietnamese("don hang dang duoc giao").passed
    assert not checks.in_vietnamese("").passed
