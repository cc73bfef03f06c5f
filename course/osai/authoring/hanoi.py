"""Build the training conversations of ``data/hanoi`` and their shops from its phrasings.

``python -m osai.authoring.hanoi build`` writes ``train.jsonl`` and
``train_shops.jsonl`` anew, byte for byte the same for the
same inputs and seed; ``check`` says whether they are up to date.
"""

from __future__ import annotations

import json
import random
import re
import sys
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from osai.chatbot import address, facts, intents
from osai.chatbot.facts import Product, Shop

SEED = 2026
SHOPS = 240
SIZE = 1800
# The customer's own word and what they call the shop, with weights: most write as anh or chị.
TERMS = {
    ("chị", "em"): 5, ("anh", "em"): 5, ("em", "shop"): 3, ("mình", "shop"): 4,
    ("tôi", "shop"): 3, ("mình", "bạn"): 1,
}  # fmt: skip
ELDER_TERMS = {("cô", "cháu"): 2, ("bác", "cháu"): 3, ("chú", "cháu"): 2, ("cô", "con"): 1}


def build(phrasings: dict[str, Any]) -> dict[str, str]:
    """Texts of the two files by name: training shops, and conversations spread over the cases.

    Numbers, names and rules differ from shop to shop, so that the model can only learn to copy
    them from the system turn, never to remember them.
    """
    rng = random.Random(SEED)
    made = {f"S{number:03d}": _shop(rng, phrasings["shops"]) for number in range(1, SHOPS + 1)}
    shops = {name: Shop.model_validate_json(json.dumps(shop)) for name, shop in made.items()}
    lines: dict[str, dict[str, Any]] = {}
    while len(lines) < SIZE:
        for case in rng.sample(phrasings["cases"], len(phrasings["cases"])):
            record = _conversation(rng, phrasings["around"], shops, made, case)
            if record is not None and len(lines) < SIZE:
                lines.setdefault(record["messages"][0]["content"], record)
    return {
        "train_shops.jsonl": _jsonl({"id": name, **shop} for name, shop in made.items()),
        "train.jsonl": _jsonl(
            {"id": f"T{number:04d}", **record} for number, record in enumerate(lines.values(), 1)
        ),
    }


def _jsonl(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _digits(rng: random.Random, count: int) -> str:
    """Digits of which four in ten repeat the one before; the first is not 0."""
    digits = str(rng.randrange(1, 10))
    while len(digits) < count:
        digits += digits[-1] if rng.random() < 0.4 else str(rng.randrange(10))
    return digits


def _shop(rng: random.Random, parts: dict[str, Any]) -> dict[str, Any]:
    """A training shop; money in steps of 1,000 VND as real prices are."""

    def dong(low: int, high: int) -> int:
        # Round prices and repeated digits are common in shops and hard to copy: one in two.
        step = rng.choice([1, 1, 11, 50])
        return max(low, rng.randrange(low, high) // step * step) * 1000

    trade = rng.choice(sorted(parts["trades"]))
    products = []
    for item in rng.sample(parts["trades"][trade], 5):
        if rng.random() < 0.5:  # a name never seen before: it can only be copied
            plain = f"{rng.choice(parts['nouns'])} {rng.choice(parts['qualities'])}"
            item = {"name": _capital(plain), "mentions": [plain]}
        brand = " ".join(rng.sample(parts["brands"], rng.randrange(1, 3)))
        products.append(
            {
                "name": f"{item['name']} {brand} {rng.choice(parts['models'])}".strip(),
                "mentions": item["mentions"],
                "price": dong(60, 6000),
                "stock": rng.choice([0, rng.randrange(2, 90), rng.randrange(2, 90)]),
                "warranty_months": rng.choice([None, *range(3, 37, 3)]),
            }
        )
    prefix = "".join(rng.choices("ABCDGHKLMNPQTVX", k=2))
    orders: list[dict[str, Any]] = []
    for status in ["preparing", "shipping", "delivered", "cancelled", "shipping"]:
        item = rng.choice(products)
        month = rng.choice([*range(1, 13), 11, 11])
        eta = f"{rng.choice([*range(1, 29), 11, 22]):02d}/{month:02d}/2026"
        number = prefix + _digits(rng, 4)
        while any(order["id"] == number for order in orders):
            number = prefix + _digits(rng, 4)
        orders.append(
            {
                "id": number,
                "status": status,
                "eta": eta if status in ("preparing", "shipping") else None,
                "items": [item["name"]],
                "total": item["price"],
                "payment": rng.choice(parts["payment"]),
            }
        )
    fees = sorted(rng.sample(range(12, 70), 3))
    return {
        "name": f"{trade} {rng.choice(parts['names'])}",
        "hotline": "1900 " + _digits(rng, 4),
        "branches": [
            {
                "name": f"{rng.choice(parts['branch_kinds'])} {street}",
                "address": f"{rng.randrange(2, 400)} {street}, {rng.choice(parts['wards'])}, Hà Nội",
                "open": rng.choice(parts["open"]),
                "close": rng.choice(parts["close"]),
                "days": rng.choice(parts["days"]),
            }
            for street in rng.sample(parts["streets"], 2)
        ],
        "products": products,
        "policies": {
            "return_days": rng.randrange(2, 31),
            "return_condition": ", ".join(rng.sample(parts["return_condition"], 2)),
            "exchange_fee": rng.choice([0, dong(10, 60)]),
            "refund_days": rng.randrange(2, 15),
            "cancel": "được hủy " + rng.choice(parts["cancel"]).format(n=rng.randrange(2, 49)),
            "invoice": "xuất hóa đơn "
            + rng.choice(["", "điện tử "])
            + rng.choice(parts["invoice"]).format(n=rng.randrange(2, 10))
            + rng.choice(["", ", " + rng.choice(parts["invoice_needs"])]),
            "payment": rng.sample(parts["payment"], rng.randrange(2, 5)),
            "inspect_before_paying": rng.random() < 0.5,
            "holiday": f"nghỉ Tết từ {rng.randrange(25, 31)} tháng Chạp, "
            f"mở lại mùng {rng.randrange(3, 11)}",
        },
        "shipping": [
            {"area": area, "fee": fee * 1000, "days": rng.choice(parts["shipping_days"])}
            for area, fee in zip(parts["areas"], fees, strict=True)
        ],
        "free_shipping_from": rng.choice([rng.randrange(2, 20) * 100, rng.randrange(20, 150) * 10])
        * 1000,
        "orders": orders,
    }


def _conversation(
    rng: random.Random,
    around: dict[str, Any],
    shops: dict[str, Shop],
    made: dict[str, dict[str, Any]],
    case: dict[str, Any],
) -> dict[str, Any] | None:
    style, ask = rng.choice(case["ask"])
    if rng.random() < 0.35:
        before = rng.choice(around["before"][style])
        ask = f"{before} {_after_comma(ask) if before.endswith(',') else ask}"
    if rng.random() < 0.35:
        ask = f"{ask} {rng.choice(around['after'][style])}"
    stem = rng.choice(sorted(shops))
    shop = shops[stem]
    values = _values(rng, made[stem], shop, case["needs"])
    if values is None:
        return None
    terms = ELDER_TERMS if style == "elder" else TERMS
    customer, vocative = rng.choices(list(terms), weights=list(terms.values()))[0]
    message = _fill(ask, {**values, "c": customer, "v": vocative})
    if style in ("polite", "bare", "angry") and rng.random() < 0.2:
        message, style = intents.unmark(message), "no_diacritics"
    pair = address.detect(message)
    if pair != _expected(ask, customer, vocative):
        return None  # what the program would misread is no example to learn from
    reply = _fill(rng.choice(case["reply"]), {**values, "A": pair.customer, "s": pair.self_})
    # Templates write the terms in lower case; a sentence opens with a capital.
    reply = re.sub(r"(?<=[.!?] )\w", lambda match: match[0].upper(), reply)
    return {
        "shop": stem,
        "intent": case["intent"],
        "style": style,
        "messages": [
            {"role": "user", "content": unicodedata.normalize("NFC", message)},
            {"role": "assistant", "content": unicodedata.normalize("NFC", reply)},
        ],
    }


def _after_comma(ask: str) -> str:
    placeholder = re.match(r"\{[CVP]\}", ask)
    return placeholder[0].lower() + ask[3:] if placeholder else ask[:1].lower() + ask[1:]


def _expected(ask: str, customer: str, vocative: str) -> address.Address:
    """The address terms by the rules of service, from what the template lets the customer say."""
    if "{c}" not in ask and "{C}" not in ask:
        return address.UNKNOWN
    if vocative == "con":
        return address.Address(customer, "con" if "{v}" in ask or "{V}" in ask else "cháu")
    return address.PAIRS[customer]


def _fill(template: str, values: dict[str, str]) -> str:
    capital = {key.upper(): _capital(value) for key, value in values.items() if len(key) == 1}
    return template.format_map({**capital, **values})


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _values(
    rng: random.Random, made: dict[str, Any], shop: Shop, needs: str
) -> dict[str, str] | None:
    """Values for a case in a shop, or None where the shop has nothing of the kind."""
    kind, _, detail = needs.partition(":")
    values = _shop_values(shop)
    if detail == "missing":  # the customer names no order or product
        return values
    if kind == "order":
        return _order_values(rng, shop, detail, values)
    if kind == "product":
        fits = [product for product in shop.products if _fits(product, detail)]
        if not fits:
            return None
        product = rng.choice(fits)
        return values | {
            "p": rng.choice(made["products"][shop.products.index(product)]["mentions"]),
            "product": product.name,
            "price": facts.money(product.price),
            "stock": str(product.stock),
            "months": str(product.warranty_months),
        }
    if kind == "shipping":
        area = shop.shipping[int(detail)]
        return values | {"area": area.area, "fee": facts.money(area.fee), "days": area.days}
    has_it = {
        "": True,
        "fee": shop.policies.exchange_fee > 0,
        "free_exchange": shop.policies.exchange_fee == 0,
        "inspect": shop.policies.inspect_before_paying,
        "no_inspect": not shop.policies.inspect_before_paying,
    }
    return values if has_it[detail] else None


def _fits(product: Product, detail: str) -> bool:
    return {
        "in_stock": product.stock > 0,
        "out": product.stock == 0,
        "warranty": product.warranty_months is not None,
        "no_warranty": product.warranty_months is None,
    }[detail]


def _order_values(
    rng: random.Random, shop: Shop, detail: str, values: dict[str, str]
) -> dict[str, str] | None:
    prefix = re.sub(r"\d", "", shop.orders[0].id)
    known = {order.id for order in shop.orders}
    number = prefix + _digits(rng, 4)
    if detail == "unknown":
        return values | {"id": number} if number not in known else None
    fits = [order for order in shop.orders if order.status == detail]
    if not fits:
        return None
    order = rng.choice(fits)
    values |= {"id": order.id, "eta": order.eta or ""}
    if order.eta:
        eta = datetime.strptime(order.eta, "%d/%m/%Y") + timedelta(days=rng.randrange(1, 4))
        values["late"] = eta.strftime("%d/%m")
    return values


def _shop_values(shop: Shop) -> dict[str, str]:
    rules = shop.policies
    values = {
        "shop": shop.name,
        "hotline": shop.hotline,
        "return_days": str(rules.return_days),
        "return_condition": rules.return_condition,
        "exchange_fee": facts.money(rules.exchange_fee),
        "refund_days": str(rules.refund_days),
        "cancel": rules.cancel,
        "invoice": rules.invoice,
        "payment": " và ".join((", ".join(rules.payment[:-1]), rules.payment[-1])),
        "holiday": rules.holiday,
        "free": facts.money(shop.free_shipping_from),
    }
    for i, branch in enumerate(shop.branches[:2]):
        values |= {
            f"b{i}": branch.name,
            f"address{i}": branch.address,
            f"open{i}": branch.open,
            f"close{i}": branch.close,
            f"days{i}": branch.days,
        }
    return values


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.authoring.hanoi build|check [FOLDER]``; 0, or 1 where files are stale."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] not in ("build", "check"):
        print("usage: python -m osai.authoring.hanoi build|check [data/hanoi]", file=sys.stderr)
        return 2
    folder = Path(argv[1] if len(argv) > 1 else "data/hanoi")
    try:
        phrasings = json.loads((folder / "phrasings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{folder / 'phrasings.json'} cannot be read: {error}", file=sys.stderr)
        return 1
    stale = []
    for name, text in build(phrasings).items():
        file = folder / name
        if argv[0] == "build":
            file.write_text(text, encoding="utf-8", newline="\n")
        elif not file.is_file() or file.read_bytes() != text.encode():
            stale.append(str(file))
    if stale:
        print(f"Stale: {', '.join(stale)}. Next step: build them anew.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
