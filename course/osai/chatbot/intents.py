"""What a customer wants: the topic of a message, read by a small classifier.

It learns from ``data/hanoi/asks.jsonl``, some thousand messages written for this course: TF-IDF over
letters and words, with marks and without, and a linear support vector machine (scikit-learn). It
is fitted anew when it is first used, which takes about two seconds, so nothing binary has to ship
and anybody can add a line to the file and see what changes. A topic is an intent, or an intent
with a variant behind a dot (*refund.late*): what the words alone decide. What the shop's file decides
(is the order on its way?) is found in ``facts``.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from osai.chatbot.vietnamese import unmark
from osai.places import data_dir

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

ANSWER = "answer"  # only names the order or product that the shop has asked for
# What the system turn calls each topic.
LABELS = {
    "order_status": "xem đơn",
    "delivery_delay": "đơn chậm",
    "delivery_delay.broken": "đơn trễ hẹn",
    "not_received": "chưa nhận hàng",
    "return": "trả hàng",
    "exchange": "đổi hàng",
    "refund": "hoàn tiền",
    "refund.late": "hoàn tiền chậm",
    "warranty": "bảo hành",
    "warranty.refused": "từ chối bảo hành",
    "complaint": "phàn nàn",
    "address_change": "đổi địa chỉ",
    "vat_invoice": "hóa đơn",
    "vat_invoice.wrong": "hóa đơn sai",
    "payment": "thanh toán",
    "payment.inspect": "kiểm hàng",
    "payment.taken": "mất tiền",
    "price": "hỏi giá",
    "price.discount": "giảm giá",
    "stock": "còn hàng",
    "stock.other": "hỏi thêm về hàng",
    "shipping_fee": "phí giao",
    "shipping_fee.free": "miễn phí giao",
    "opening_hours": "giờ mở cửa",
    "opening_hours.place": "địa chỉ",
    "cancel": "hủy đơn",
    "holiday_hours": "nghỉ lễ",
    "human": "gặp nhân viên",
    "human.hotline": "hotline",
    "ai_disclosure": "người hay máy",
    "privacy": "xóa thông tin",
    "thanks": "cảm ơn",
    "out_of_scope": "việc khác",
    "out_of_scope.greeting": "chào hỏi",
    "harmful": "việc không được",
}
INTENTS = tuple(dict.fromkeys(topic.partition(".")[0] for topic in LABELS))

# "bh1042" as customers type it; apart from its digits only in capitals ("BH 1042", not "ib 500").
ORDER_ID = re.compile(r"\b((?i:[a-z]{2,4})\d{3,8}|[A-Z]{2,4}[ -]?\d{3,8})\b")
# What stands for an order number, a product and a day when only the wording counts.
_ORDER, _PRODUCT, _DAY = "madonx", "hangx", "ngayx"
_WORD_FOR_SHOP = ("shop", "em", "bạn", "shop")
_OWN_WORD = ("chị", "anh", "em", "mình", "tôi", "chị", "anh")


def intent(topic: str) -> str:
    """The intent of a topic: ``refund`` for ``refund.late``."""
    return topic.partition(".")[0]


def mask(message: str, products: Iterable[str] = ()) -> str:
    """The message in NFC with order numbers, dates and product names replaced by fixed words.

    ``products`` are names as they stand in the shop's file; the longest run of a name's words that
    the message holds is replaced.
    """
    text = unicodedata.normalize("NFC", message)
    text = ORDER_ID.sub(f" {_ORDER} ", text)
    text = re.sub(r"\b\d{1,2}/\d{1,2}(/\d{4})?\b", f" {_DAY} ", text)
    for name in products:
        words = "|".join(re.escape(word) for word in re.findall(r"\w+", name.lower()))
        plain = "|".join(re.escape(word) for word in re.findall(r"\w+", unmark(name)))
        run = re.compile(rf"(?i)\b(?:{words}|{plain})\b(?:[\s,]+(?:{words}|{plain})\b)+")
        text = run.sub(f" {_PRODUCT} ", text, count=1)
    return text


def as_message(text: str, number: int) -> str:
    """The text of an ask with its slots filled by words that take turns with ``number``."""
    own, shop = _OWN_WORD[number % len(_OWN_WORD)], _WORD_FOR_SHOP[number % len(_WORD_FOR_SHOP)]
    for slot, word in (
        ("c", own), ("C", own), ("v", shop), ("V", shop),
        ("id", _ORDER), ("p", _PRODUCT), ("P", _PRODUCT), ("late", _DAY), ("eta", _DAY),
    ):  # fmt: skip
        text = text.replace("{" + slot + "}", word)
    return text


def asks() -> list[dict[str, str]]:
    """The lines of ``data/hanoi/asks.jsonl``: ``topic``, ``style``, ``text`` with slots, ``split``."""
    path = data_dir() / "hanoi" / "asks.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def fit(lines: Sequence[dict[str, str]]) -> Pipeline:
    """A classifier of topics fitted to asks; same lines, same classifier."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    words = {"sublinear_tf": True, "token_pattern": r"\w+"}
    features = make_union(
        TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, preprocessor=unmark
        ),
        TfidfVectorizer(ngram_range=(1, 3), preprocessor=unmark, **words),
        TfidfVectorizer(ngram_range=(1, 2), **words),
    )
    texts = [as_message(line["text"], number) for number, line in enumerate(lines)]
    return make_pipeline(features, LinearSVC(C=1.0, random_state=0)).fit(
        texts, [line["topic"] for line in lines]
    )


@functools.cache
def reader() -> Pipeline:
    """The classifier that the chatbot uses, fitted to all asks; made once a program."""
    return fit(asks())


def ranked(message: str, products: Iterable[str] = ()) -> list[tuple[str, float]]:
    """Topics with their scores, best first; ``products`` as in `mask`."""
    model = reader()
    scores = model.decision_function([mask(message, products)])[0]
    pairs = zip(model.classes_.tolist(), scores.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: -pair[1])


def topic(message: str, products: Iterable[str] = ()) -> str:
    """The topic of a message; ``answer`` where it only names an order or a product."""
    return ranked(message, products)[0][0]
