"""May this reply leave? Every check that needs only what the program knows before a person reads it."""

from __future__ import annotations

import functools
import itertools
import re

from osai.chatbot import address, checks, facts, hanoi, shops, templates
from osai.chatbot.address import Address
from osai.chatbot.checks import Check
from osai.chatbot.facts import Found
from osai.chatbot.reply import Understood
from osai.chatbot.shops import Shop

# Words that promise; each must stand in the facts.
_PROMISES = re.compile(
    r"cam kết|bảo đảm|đảm bảo|chắc chắn|hứa|ngày mai|hôm nay|tối nay|sáng mai|trong ngày|miễn phí|giảm giá"
    r"|khuyến mãi|tặng|đền bù|bồi thường|hoàn lại|voucher|freeship",
    re.IGNORECASE,
)


def review(text: str, understood: Understood) -> tuple[Check, ...]:
    """The checks of a reply, in a fixed order; it may leave where all of them passed."""
    shop, found, terms = understood.shop, understood.found, understood.terms
    known = " ".join(fact.text for fact in found.facts)
    said = " ".join(understood.words)
    spoken = checks.without_quotes(text, shops.texts(shop))
    answer = templates.answer(shop, found, terms)
    return (
        grounded(text, f"{known} {shop.hotline if 'hotline' in known.lower() else ''} {said}"),
        orders_known(spoken, found.order_id, said),
        complete(text, shop, found, answer),
        to_the_point(text, found),
        wording(text, understood),
        no_promise(text, f"{known} {answer}"),
        checks.customer_term(spoken, [terms.customer]),
        checks.self_term(spoken, [terms.self_]),
        checks.polite(text),
        checks.in_vietnamese(spoken),
        checks.hand_off(text, found.person),
    )


def problems(text: str, understood: Understood) -> tuple[str, ...]:
    """Names of the checks that a reply fails."""
    return tuple(check.name for check in review(text, understood) if not check.passed)


def grounded(text: str, known: str) -> Check:
    """Every number of the reply, of any length, stands in the facts or in the customer's words."""
    numbers = re.compile(r"\d+(?:[.,]\d{3})*")
    allowed = {re.sub(r"\D", "", number) for number in numbers.findall(known)}
    invented = sorted(
        number for number in numbers.findall(text) if re.sub(r"\D", "", number) not in allowed
    )
    return Check("numbers", not invented, f"invented: {invented}" if invented else "")


def orders_known(text: str, asked: str | None, said: str) -> Check:
    """No order is named but the one the customer asked about: another's is another customer's."""
    allowed = {*facts.order_ids(said), *([asked] if asked else [])}
    others = sorted(set(facts.order_ids(text)) - allowed)
    return Check("orders", not others, f"not asked about: {others}" if others else "")


def complete(text: str, shop: Shop, found: Found, answer: str) -> Check:
    """What ``answer``, the template for this case, quotes from the shop file stands in the reply too."""
    quotes = [quote for quote in shops.texts(shop) if quote in answer]
    quotes += [shop.products[i].name for i in found.products if shop.products[i].name in answer]
    quotes += re.findall(r"\d+(?:[.,/]\d+)*", answer)
    plain = checks.nfc(text)
    missing = list(dict.fromkeys(quote for quote in quotes if checks.nfc(quote) not in plain))
    return Check("complete", not missing, f"missing: {missing}" if missing else "")


# What a reply on a topic must say, whatever its words; behind a slash the situation that it holds for.
_SORRY = "xin lỗi|tiếc"
_POINTS = {
    "order_status/shipping": "đang giao",
    "order_status/preparing": "đang chuẩn bị",
    "order_status/delivered": "đã giao",
    "order_status/cancelled": "đã hủy",
    "order_status/returned": "trả lại",
    "address_change/missing": "địa chỉ",
    "address_change/preparing": "địa chỉ",
    "address_change/shipping": "địa chỉ",
    "cancel/preparing": "hủy",
    "cancel/shipping": "đang giao",
    "delivery_delay": _SORRY,
    "delivery_delay.broken": _SORRY,
    "not_received": _SORRY,
    "complaint": _SORRY,
    "refund.late": _SORRY,
    "payment.taken": _SORRY,
    "vat_invoice.wrong": _SORRY,
    "warranty.refused": _SORRY,
    "warranty/covered": "bảo hành",
    "warranty/not_covered": "không bảo hành",
    "exchange/free": "miễn phí|không mất phí|không tính phí",
    "payment.inspect/not_allowed": "không|chưa",
    "price/out": "hết hàng",
    "stock/out": "hết hàng",
    "stock/in_stock": "còn",
    "stock.other": "chưa có|không có",
    "price.discount": "chưa|không",
    "privacy": "thông tin",
    "harmful": "không",
    "out_of_scope": "không|chỉ hỗ trợ",
    "out_of_scope.greeting": "chào|nghe|vâng",
    "ai_disclosure": "trợ lý",
    "thanks": "cảm ơn|không có gì",
}


def to_the_point(text: str, found: Found) -> Check:
    """The reply says what one on this topic must: that it is on its way, sold out, or sorry."""
    situation = found.situation.removesuffix("_no_day")
    if found.situation in ("missing", "unknown") and found.order is None:
        wanted = (
            ["mã|sản phẩm|tên hàng|hàng nào"] if found.situation == "missing" else ["không|chưa"]
        )
    else:
        wanted = []
    wanted += [
        _POINTS[key] for key in (found.topic, f"{found.topic}/{situation}") if key in _POINTS
    ]
    if found.situation == "not_known":
        wanted = [_POINTS["stock.other"]]
    plain = checks.nfc(text)
    missing = [one for one in wanted if re.search(rf"\b(?:{one})\b", plain) is None]
    return Check("point", not missing, f"does not say: {missing}" if missing else "")


def wording(text: str, understood: Understood) -> Check:
    """No two words stand side by side that never do in the shop's own replies: no garbled sentence.

    Facts, numbers and the words for customer and shop are set aside first.
    """
    odd = sorted(_pairs(text, understood.shop, understood.terms) - known_pairs())
    return Check("wording", not odd, f"odd: {[' '.join(pair) for pair in odd]}" if odd else "")


@functools.cache
def known_pairs() -> frozenset[tuple[str, str]]:
    """Every pair of neighbouring words in the replies of the training conversations."""
    pairs: set[tuple[str, str]] = set()
    for shop, conversation in hanoi.conversations_with_shops():
        words = [turn.content for turn in conversation.messages if turn.role == "user"]
        for i, turn in enumerate(turn for turn in conversation.messages if turn.role != "user"):
            terms = address.of(words[i], words[:i])
            pairs |= _pairs(turn.content, shop, terms)
    return frozenset(pairs)


def _pairs(text: str, shop: Shop, terms: Address) -> set[tuple[str, str]]:
    plain = checks.without_quotes(text, sorted(shops.texts(shop), key=len, reverse=True)).lower()
    plain = re.sub(r"\b[a-z]{2,4}\d{3,8}\b|\d[\d.,/:h-]*( ?(₫|đ)(?!\w))?", "…", plain)
    for word, sign in ((terms.customer, "A"), (terms.self_, "S")):
        plain = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", sign, plain)
    plain = re.sub(r"…(?:[\s,;:-]|và|đến)*(?=…)", "", plain)  # facts in a row are one
    words = re.findall(r"[^\W\d_]+|…|[.?!]", plain)
    return set(itertools.pairwise([".", *words]))


def no_promise(text: str, known: str) -> Check:
    """No word of promise but those in ``known``, the facts and the template for this case."""
    made = sorted({word.lower() for word in _PROMISES.findall(text)})
    made = [word for word in made if word not in known.lower()]
    return Check("promise", not made, f"promised: {made}" if made else "")
