"""The word for the customer is the customer's own; nobody's sex or age is guessed."""

import pytest
from osai.chatbot.address import UNKNOWN, Address, detect


@pytest.mark.parametrize(
    ("message", "customer", "self_"),
    [
        ("Chị muốn hỏi đơn hàng", "chị", "em"),
        ("đơn của anh tới đâu rồi em", "anh", "em"),
        ("Bác đặt cái nồi hôm qua, bao giờ có hả cháu?", "bác", "cháu"),
        ("Cô làm mất phiếu thì sao con?", "cô", "con"),
        ("cho mk hỏi giá vs", "bạn", "mình"),
        ("shop oi don cua e toi dau r", "bạn", "mình"),
        ("Em xem giúp chị đơn BX8775 nhé", "chị", "em"),
        ("đơn GV5533 sao r em rep anh nhanh nha", "anh", "em"),
        ("Em cho anh hỏi phí ship em nhỉ", "anh", "em"),
        ("Nhờ bên mình điều chỉnh giúp chị", "chị", "em"),
    ],
)
def test_the_customers_own_word_is_copied(message: str, customer: str, self_: str):
    assert detect(message) == Address(customer, self_)


@pytest.mark.parametrize(
    "message",
    [
        "Tôi muốn hoàn tiền.",
        "Hàng còn không?",
        "Còn hàng không em?",  # what they call the shop says nothing about themselves
        "Anh shipper chưa gọi",
        "anh chị ơi cho hỏi",
        "cho xin dia chi shop",
        "chi phi ship bao nhieu",
        "xe đạp trẻ em còn không",
        "Cửa hàng mình ở đâu?",
        "ok tks em gấp lắm r",
        "",
        "🙂🙂",
    ],
)
def test_nobody_is_guessed(message: str):
    assert detect(message) == UNKNOWN


def test_decomposed_letters_are_read_like_composed_ones():
    assert detect("Chi\u0323 muô\u0301n hỏi giá").customer == "chị"
