"""Build the conversations of ``data/hanoi`` from its phrasings, parts and replies.

``python -m osai.authoring.hanoi build`` writes the training shops, the training and validation
conversations and the review sheet anew, byte for byte the same for the same inputs; ``check`` says
whether they are up to date. What a reply is made of is found by `facts.find`, exactly as in service,
so that no conversation shows the model a prompt that it will not meet.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from osai.chatbot import address, facts, intents, templates
from osai.chatbot.facts import Found
from osai.chatbot.shops import Shop
from osai.chatbot.vietnamese import strip_marks

SEED = 2026
SHOPS = 300
SIZE = 2400
VALID_SHOPS = 30
VALID_SIZE = 150  # conversations in each of the two validation files
SEVERAL_TURNS = 0.2  # share of conversations with more than one question
MADE_FROM = ("asks.jsonl", "parts.json", "replies.json")

# The customer's own word and what they call the shop, with weights: most write as anh or chị.
TERMS = {
    ("chị", "em"): 5, ("anh", "em"): 5, ("em", "shop"): 3, ("mình", "shop"): 4,
    ("tôi", "shop"): 3, ("mình", "bạn"): 1,
}  # fmt: skip
ELDER_TERMS = {
    ("cô", "cháu"): 2, ("bác", "cháu"): 3, ("chú", "cháu"): 2, ("ông", "cháu"): 1, ("bà", "cháu"): 1,
    ("cô", "con"): 1, ("bác", "con"): 1,
}  # fmt: skip
SHORT_WORDS = {"mình": ("mk", "mik", "mình"), "em": ("e", "em"), "tôi": ("tôi",),
               "anh": ("a", "anh"), "chị": ("c", "chị")}  # fmt: skip
SOUTHERN_WORDS = {"tôi": ("tui", "tôi")}


@dataclass(frozen=True)
class Material:
    """What the conversations are made of, as read from the folder."""

    asks: Sequence[dict[str, Any]]
    parts: dict[str, Any]
    replies: templates.Replies


def read(folder: Path) -> Material:
    """Read the three files that are written by hand. Raises OSError or ValueError."""
    asks_file, parts_file, replies_file = (
        (folder / name).read_text(encoding="utf-8") for name in MADE_FROM
    )
    return Material(
        [json.loads(line) for line in asks_file.splitlines()],
        json.loads(parts_file),
        templates.parse(replies_file),
    )


def build(folder: Path) -> dict[str, str]:
    """The texts of all made files by name.

    Numbers, names and rules differ from shop to shop, so that the model can only learn to copy
    them from the system turn, never to remember them. ``valid_phrasing.jsonl`` asks in words that
    training has not seen, ``valid_shop.jsonl`` in shops that it has not seen.
    """
    material = read(folder)
    shops = _shops(random.Random(SEED), material, "S", SHOPS)
    others = _shops(random.Random(SEED + 1), material, "V", VALID_SHOPS)
    known = [ask for ask in material.asks if ask["split"] == "train"]
    unseen = [ask for ask in material.asks if ask["split"] == "valid"]
    files = {
        "train.jsonl": _conversations(SEED, material, known, shops, "T", SIZE),
        "valid_phrasing.jsonl": _conversations(SEED + 2, material, unseen, shops, "P", VALID_SIZE),
        "valid_shop.jsonl": _conversations(SEED + 3, material, known, others, "N", VALID_SIZE),
    }
    return {
        "train_shops.jsonl": _jsonl(shops.values()),
        "valid_shops.jsonl": _jsonl(others.values()),
        **{name: _jsonl(records) for name, records in files.items()},
        "review.csv": _review(material.asks, material.replies),
    }


def _jsonl(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _review(asks: Sequence[dict[str, Any]], replies: templates.Replies) -> str:
    """The sheet for a native speaker: every sentence once, with columns to fill in."""
    sheet = io.StringIO()
    table = csv.writer(sheet, lineterminator="\n")
    table.writerow(["id", "kind", "topic", "style", "text", "natural (yes/no)", "better", "reader"])
    for ask in asks:
        table.writerow([ask["id"], "customer", ask["topic"], ask["style"], ask["text"], "", "", ""])
    number = 0
    for (topic, situation), texts in replies.items():
        for text in texts:
            number += 1
            where = f"{topic} {situation}".strip()
            table.writerow([f"R{number:03d}", "shop", where, "", text, "", "", ""])
    return sheet.getvalue()


# Shops


def _shops(
    rng: random.Random, material: Material, letter: str, count: int
) -> dict[str, dict[str, Any]]:
    names = (f"{letter}{number:03d}" for number in range(1, count + 1))
    return {name: {"id": name, **_shop(rng, material.parts)} for name in names}


def _digits(rng: random.Random, count: int) -> str:
    """Digits of which four in ten repeat the one before; the first is not 0."""
    digits = str(rng.randrange(1, 10))
    while len(digits) < count:
        digits += digits[-1] if rng.random() < 0.4 else str(rng.randrange(10))
    return digits


def _dong(rng: random.Random, low: int, high: int) -> int:
    """An amount between two thousands of VND; one in two is round, as prices often are."""
    step = rng.choice([1, 1, 11, 50])
    return max(low, rng.randrange(low, high) // step * step) * 1000


def _product(rng: random.Random, parts: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    if rng.random() < 0.35:  # a name never seen before: it can only be copied
        plain = f"{rng.choice(parts['nouns'])} {rng.choice(parts['qualities'])}"
        item = {"name": templates.capital(plain), "mentions": [plain]}
    brand = " ".join(rng.sample(parts["brands"], rng.choice([0, 1, 1, 2])))
    spec = rng.choice(parts["specs"]) if rng.random() < 0.5 else ""
    mentions = list(item["mentions"])
    if brand:
        first = brand.split()[0]
        mentions += [f"{mention} {first}" for mention in item["mentions"]] * 2
    return {
        "name": " ".join(f"{item['name']} {brand} {spec}".split()),
        "mentions": mentions,
        "price": _dong(rng, 20, rng.choice([400, 2000, 9000, 30000])),
        "stock": rng.choice([0, rng.randrange(1, 12), rng.randrange(2, 90), rng.randrange(2, 300)]),
        "warranty_months": rng.choice([None, None, *range(3, 37, 3), *range(1, 37)]),
    }


def _orders(
    rng: random.Random, parts: dict[str, Any], products: list[dict[str, Any]]
) -> list[dict]:
    prefix = "".join(rng.choices("ABCDEGHKLMNPQRSTVX", k=rng.choice([2, 2, 2, 3])))
    length = rng.choice([3, 4, 4, 4, 5, 6])
    orders: dict[str, dict[str, Any]] = {}
    for status in ("preparing", "shipping", "delivered", "cancelled", "returned", "shipping",
                   "preparing"):  # fmt: skip
        chosen = rng.sample(products, rng.choice([1, 1, 2]))
        day = f"{rng.choice([*range(1, 29), 11, 22]):02d}/{rng.choice([*range(1, 13), 11]):02d}"
        promised = status in ("preparing", "shipping") and rng.random() < 0.85
        number = prefix + _digits(rng, length)
        while number in orders:
            number = prefix + _digits(rng, length)
        orders[number] = {
            "id": number,
            "status": status,
            "eta": f"{day}/{rng.choice([2026, 2026, 2027])}" if promised else None,
            "items": [product["name"] for product in chosen],
            "total": sum(product["price"] for product in chosen),
            "payment": rng.choice(parts["order_payment"]),
        }
    return list(orders.values())


def _branches(rng: random.Random, parts: dict[str, Any]) -> list[dict[str, str]]:
    branches = []
    for street in rng.sample(parts["streets"], rng.choice([1, 2, 2, 2, 3])):
        opens, closes = rng.choice(parts["hours"])
        ward = rng.choice(parts["wards"])
        place = rng.choice([street, street, ward.partition(" ")[2]])
        number = rng.choice(
            [str(rng.randrange(1, 400)), f"{rng.randrange(2, 99)}/{rng.randrange(2, 40)}"]
        )
        branches.append(
            {
                "name": f"{rng.choice(parts['branch_kinds'])} {place}",
                "address": f"{number} {street}, {ward}, Hà Nội",
                "open": opens,
                "close": closes,
                "days": rng.choice(parts["days"]),
            }
        )
    return branches


def _shop(rng: random.Random, parts: dict[str, Any]) -> dict[str, Any]:
    """A training shop; money in steps of 1,000 VND as real prices are."""
    trade = rng.choice(sorted(parts["trades"]))
    items = rng.sample(parts["trades"][trade], rng.randrange(4, 8))
    products = [_product(rng, parts, item) for item in items]
    if rng.random() < 0.4:  # two of a kind: a customer's word may fit both
        products.append(_product(rng, parts, items[0]))
    areas = [rng.choice(parts["areas"][kind]) for kind in ("inner", "outer", "province")]
    fees = sorted(rng.sample(range(12, 99), 3))
    numbers = {"n": rng.randrange(2, 49), "a": rng.randrange(23, 31), "b": rng.randrange(2, 13)}

    def text(name: str) -> str:
        return rng.choice(parts[name]).format(**numbers)

    condition = text("return_condition")
    if rng.random() < 0.25 and len(condition) < 40:
        condition += ", " + text("return_condition")
    return {
        "name": f"{trade} {rng.choice(parts['shop_names'])}" if rng.random() < 0.6 else rng.choice(parts["shop_names"]),
        "hotline": rng.choice(["1900 " + _digits(rng, 4), "1800 " + _digits(rng, 4),
                               "024 " + _digits(rng, 4) + " " + _digits(rng, 4)]),
        "branches": _branches(rng, parts),
        "products": products,
        "policies": {
            "return_days": rng.randrange(2, 31),
            "return_condition": condition,
            "exchange_fee": rng.choice([0, _dong(rng, 10, 60)]),
            "refund_days": rng.randrange(2, 15),
            "cancel": text("cancel"),
            "invoice": text("invoice"),
            "payment": rng.sample(parts["payment"], rng.randrange(1, 5)),
            "inspect_before_paying": rng.random() < 0.5,
            "holiday": text("holiday"),
        },
        "shipping": [
            {"area": area, "fee": fee * 1000, "days": rng.choice(parts["shipping_days"])}
            for area, fee in zip(areas, fees, strict=True)
        ],
        "free_shipping_from": rng.choice([rng.randrange(2, 20) * 100, rng.randrange(20, 150) * 10])
        * 1000,
        "orders": _orders(rng, parts, products),
    }  # fmt: skip


# Conversations


@dataclass(frozen=True)
class _Scene:
    """Who talks with which shop: shop file, the customer's word, the word for the shop, style."""

    stem: str
    made: dict[str, Any]
    shop: Shop
    customer: str
    vocative: str
    style: str


def _conversations(
    seed: int,
    material: Material,
    asks: Sequence[dict[str, Any]],
    made: Mapping[str, dict[str, Any]],
    letter: str,
    size: int,
) -> list[dict[str, Any]]:
    """Conversations over all topics in turn; each ask comes as seldom again as its topic allows.

    Every attempt draws from a generator of its own: what changes one conversation leaves the others.
    """
    rng = random.Random(seed)
    attempts = itertools.count()
    shops = {name: Shop.model_validate_json(json.dumps(shop)) for name, shop in made.items()}
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for ask in asks:
        by_topic.setdefault(ask["topic"], []).append(ask)
    answers = by_topic.pop(intents.ANSWER)
    topics = [topic for topic in by_topic for _ in range(_weight(topic))]
    waiting: dict[str, list[dict[str, Any]]] = {}
    records: dict[str, dict[str, Any]] = {}
    while len(records) < size:
        for topic in rng.sample(topics, len(topics)):
            if not waiting.get(topic):
                waiting[topic] = rng.sample(by_topic[topic], len(by_topic[topic]))
            ask = waiting[topic].pop()
            own = random.Random(f"{seed}/{next(attempts)}")
            stem = own.choice(sorted(shops))
            terms = ELDER_TERMS if ask["style"] == "elder" else TERMS
            customer, vocative = own.choices(list(terms), weights=list(terms.values()))[0]
            scene = _Scene(stem, made[stem], shops[stem], customer, vocative, ask["style"])
            turns = _turns(own, material, scene, ask, asks, answers)
            if turns is not None and len(records) < size:
                key = "\n".join(turn["content"] for turn in turns if turn["role"] == "user")
                records.setdefault(
                    key,
                    {
                        "shop": stem,
                        "intent": intents.intent(turns[-1]["topic"]),
                        "topic": turns[-1]["topic"],
                        "style": ask["style"],
                        "messages": [
                            {"role": turn["role"], "content": turn["content"]} for turn in turns
                        ],
                    },
                )
    return [
        {"id": f"{letter}{number:04d}", **record}
        for number, record in enumerate(records.values(), 1)
    ]


def _weight(topic: str) -> int:
    """How often a topic comes up: more where there is more to copy."""
    return 4 if topic in ("order_status", "price", "stock") else 2 if topic in _COPIED else 1


_COPIED = {"delivery_delay", "cancel", "return", "exchange", "warranty", "shipping_fee", "payment",
           "opening_hours", "opening_hours.place", "vat_invoice", "holiday_hours"}  # fmt: skip


def _turns(
    rng: random.Random,
    material: Material,
    scene: _Scene,
    ask: dict[str, Any],
    asks: Sequence[dict[str, Any]],
    answers: Sequence[dict[str, Any]],
) -> list[dict[str, str]] | None:
    """The turns of one conversation, or None where ask and shop do not go together."""
    turns = _exchange(rng, material, scene, ask, [], ask["topic"])
    if turns is None or rng.random() > SEVERAL_TURNS:
        return turns
    found_missing = turns[-1]["situation"] == "missing"
    if found_missing:  # the shop asked for an order number or a product: the customer gives it
        about = "{p}" if intents.intent(ask["topic"]) in ("price", "stock", "warranty") else "{id}"
        second = rng.choice([answer for answer in answers if about in answer["text"]])
        return _exchange(rng, material, scene, second, turns, ask["topic"])
    same_style = [
        one for one in asks if one["style"] == scene.style and one["topic"] != intents.ANSWER
    ]
    second = rng.choice(same_style)
    return _exchange(rng, material, scene, second, turns, second["topic"], around=False)


def _exchange(
    rng: random.Random,
    material: Material,
    scene: _Scene,
    ask: dict[str, Any],
    before: Sequence[dict[str, str]],
    topic: str,
    around: bool = True,
) -> list[dict[str, str]] | None:
    """One question and its reply behind the turns before; None where they do not go together."""
    text = ask["text"]
    if around and not before:
        text = _with_words_around(rng, material.parts["around"], text, ask["style"])
    slots = _slots(rng, scene, text, topic, ask)
    if slots is None:
        return None
    message = unicodedata.normalize("NFC", _fill(text, slots))
    if ask["style"] == "no_diacritics" or (
        ask["style"] in ("polite", "bare", "angry") and rng.random() < 0.1
    ):
        message = strip_marks(message)
    history = [turn["content"] for turn in before if turn["role"] == "user"]
    if not before and address.detect(message) != _expected(text, scene):
        return None  # what the program would misread is no example to learn from
    terms = address.of(message, history)
    found = facts.find(scene.shop, message, history, topic)
    if not _as_meant(found, topic, slots):
        return None
    choices = material.replies[(found.topic, found.situation)]
    template = choices[0] if rng.random() < 0.7 else rng.choice(choices)
    reply = templates.fill(template, scene.shop, found, terms)
    return [
        *before,
        {"role": "user", "content": message},
        {
            "role": "assistant",
            "content": reply,
            "topic": found.topic,
            "situation": found.situation,
        },
    ]


def _with_words_around(
    rng: random.Random, around: dict[str, dict[str, list[str]]], text: str, style: str
) -> str:
    style = "bare" if style not in around["before"] else style
    if rng.random() < 0.2:
        before = rng.choice(around["before"][style])
        text = f"{before} {_after_comma(text) if before.endswith(',') else text}"
    if rng.random() < 0.2:
        text = f"{text} {rng.choice(around['after'][style])}"
    return text


def _after_comma(text: str) -> str:
    slot = re.match(r"\{[CV]\}", text)
    if slot:
        return slot[0].lower() + text[3:]
    return text if text.startswith("{") else text[:1].lower() + text[1:]


def _expected(text: str, scene: _Scene) -> address.Address:
    """The address terms by the rules of service, from what the template lets the customer say."""
    if "{c}" not in text and "{C}" not in text:
        return address.UNKNOWN
    if scene.vocative == "con":
        says_con = "{v}" in text or "{V}" in text
        return address.Address(scene.customer, "con" if says_con else "cháu")
    return address.PAIRS[scene.customer]


def _fill(template: str, values: Mapping[str, str]) -> str:
    return template.format_map(values)


def _slots(
    rng: random.Random, scene: _Scene, text: str, topic: str, ask: dict[str, Any]
) -> dict[str, str] | None:
    """Words for the slots of an ask, or None where the shop has nothing of the kind."""
    own = scene.customer
    if scene.style == "teencode":
        own = rng.choice(SHORT_WORDS.get(own, (own,)))
    if scene.style == "southern":
        own = rng.choice(SOUTHERN_WORDS.get(own, (own,)))
    values = {
        "c": own,
        "C": templates.capital(own),
        "v": scene.vocative,
        "V": templates.capital(scene.vocative),
    }
    if "{id}" in text:
        number = _order_number(rng, scene.shop, topic, "{late}" in text)
        if number is None:
            return None
        order = scene.shop.order(number)
        values["id"] = number.lower() if rng.random() < 0.25 else number
        if "{late}" in text:
            if order is None or order.eta is None:
                return None
            day = datetime.strptime(order.eta, "%d/%m/%Y") + timedelta(days=rng.randrange(1, 4))
            values["late"] = day.strftime("%d/%m")
            values["eta"] = order.eta[:5]
    if "{p}" in text or "{P}" in text:
        values["p"] = rng.choice(rng.choice(scene.made["products"])["mentions"])
        values["P"] = templates.capital(values["p"])
    return values


# Which states of an order a topic can meet, with weights; None is a number that does not exist.
_STATES: dict[str, dict[str | None, int]] = {
    "order_status": {"preparing": 3, "shipping": 5, "delivered": 2, "cancelled": 1, "returned": 1, None: 2},
    "delivery_delay": {"preparing": 2, "shipping": 5, "cancelled": 1, None: 1},
    "delivery_delay.broken": {"preparing": 2, "shipping": 5, None: 1},
    "not_received": {"delivered": 8, "shipping": 1, None: 1},
    "cancel": {"preparing": 5, "shipping": 3, "delivered": 1, "cancelled": 1, "returned": 1, None: 1},
    "address_change": {"preparing": 4, "shipping": 5, "delivered": 1, "cancelled": 1, "returned": 1, None: 1},
}  # fmt: skip


def _order_number(rng: random.Random, shop: Shop, topic: str, late: bool) -> str | None:
    states = _STATES.get(topic, _STATES["order_status"])
    state = rng.choices(list(states), weights=list(states.values()))[0]
    if state is None and not late:
        known = shop.orders[0].id
        prefix = re.sub(r"\d", "", known)
        number = prefix + _digits(rng, len(known) - len(prefix))
        return number if shop.order(number) is None else None
    fits = [order.id for order in shop.orders if order.status == state]
    return rng.choice(fits) if fits else None


def _as_meant(found: Found, topic: str, slots: Mapping[str, str]) -> bool:
    """Whether the shop's file was searched for what the template speaks of."""
    if ("id" in slots) != (found.order_id is not None) and topic in _STATES:
        return False
    if "p" in slots and not found.products:
        return False
    return not ("p" not in slots and topic in ("price", "warranty", "stock") and found.products)


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.authoring.hanoi build|check [FOLDER]``; 0, or 1 where files are stale."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv or argv[0] not in ("build", "check"):
        print("usage: python -m osai.authoring.hanoi build|check [data/hanoi]", file=sys.stderr)
        return 2
    folder = Path(argv[1] if len(argv) > 1 else "data/hanoi")
    try:
        texts = build(folder)
    except (OSError, ValueError, KeyError) as error:
        print(
            f"The files {', '.join(MADE_FROM)} in {folder} cannot be used: {error}", file=sys.stderr
        )
        return 1
    stale = []
    for name, text in texts.items():
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
