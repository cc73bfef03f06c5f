"""May this reply leave? Every check that needs only what the program knows before a person reads it."""

from __future__ import annotations

import re

from osai.chatbot import checks, facts, shops, templates
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
        orders_known(text, found.order_id, said),
        complete(text, shop, found, answer),
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


def no_promise(text: str, known: str) -> Check:
    """No word of promise but those in ``known``, the facts and the template for this case."""
    made = sorted({word.lower() for word in _PROMISES.findall(text)})
    made = [word for word in made if word not in known.lower()]
    return Check("promise", not made, f"promised: {made}" if made else "")
