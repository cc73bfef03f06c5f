"""Replies by template: topic and situation choose a sentence, the shop file fills its slots.

The training conversations are made of them, the FAQ baseline answers with them, and the pipeline falls
back on them where the model's own reply does not pass its checks.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

from osai.chatbot import facts
from osai.chatbot.address import Address
from osai.chatbot.facts import Found
from osai.chatbot.shops import Shop, money
from osai.places import data_dir

Replies = Mapping[tuple[str, str], Sequence[str]]


def parse(text: str) -> Replies:
    """The templates of a file such as ``replies.json`` by topic and situation."""
    entries = json.loads(text)["replies"]
    return {(entry["topic"], entry["situation"]): entry["reply"] for entry in entries}


@functools.cache
def known() -> Replies:
    """The templates of ``data/hanoi/replies.json``."""
    return parse((data_dir() / "hanoi" / "replies.json").read_text(encoding="utf-8"))


def answer(shop: Shop, found: Found, terms: Address) -> str:
    """The first template for what was found, filled. Every topic and situation has one."""
    topic = "stock.other" if found.situation == "not_known" else found.topic
    situation = "" if found.situation == "not_known" else found.situation
    return fill(known()[(topic, situation)][0], shop, found, terms)


def fill(template: str, shop: Shop, found: Found, terms: Address) -> str:
    """A template with its slots filled, in NFC; every sentence opens with a capital.

    Slots: ``A`` the word for the customer, ``s`` the shop's own word, ``S`` the same with a capital;
    the others name what stands in the shop file.
    """
    values = {
        "A": terms.customer,
        "s": terms.self_,
        "S": capital(terms.self_),
        **_shop_values(shop),
        **_found_values(shop, found),
    }
    reply = template.format_map(values)
    reply = re.sub(r"(?<=[.!?] )\w", lambda match: match[0].upper(), reply)
    return unicodedata.normalize("NFC", reply)


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _found_values(shop: Shop, found: Found) -> dict[str, str]:
    values = {"id": found.order.id if found.order else found.order_id or ""}
    values["eta"] = (found.order.eta if found.order else None) or ""
    for place, i in enumerate(found.products[: facts.MOST_LINES]):
        product = shop.products[i]
        months = product.warranty_months
        values |= {
            f"p{place}": product.name,
            f"m{place}": money(product.price),
            f"n{place}": str(product.stock),
            f"k{place}": f"còn {product.stock} sản phẩm" if product.stock else "hết hàng",
            f"w{place}": f"{months} tháng" if months else "không bảo hành",
        }
    for place, i in enumerate(found.areas):
        area = shop.shipping[i]
        values |= {f"a{place}": area.area, f"f{place}": money(area.fee), f"d{place}": area.days}
    for place, i in enumerate(found.branches):
        branch = shop.branches[i]
        values |= {
            f"b{place}": branch.name,
            f"address{place}": branch.address,
            f"h{place}": f"{branch.open}-{branch.close}",
            f"days{place}": branch.days,
        }
    return values


def _shop_values(shop: Shop) -> dict[str, str]:
    rules = shop.policies
    *others, last = rules.payment or ("",)
    return {
        "shop": shop.name,
        "hotline": shop.hotline,
        "return_days": str(rules.return_days),
        "return_condition": rules.return_condition,
        "exchange_fee": money(rules.exchange_fee),
        "refund_days": str(rules.refund_days),
        "cancel": rules.cancel,
        "invoice": rules.invoice,
        "payment": " và ".join(filter(None, (", ".join(others), last))),
        "holiday": rules.holiday,
        "free": money(shop.free_shipping_from),
    }
