"""What the shop knows: the shop file, and the few lines of it that a message asks about.

Facts come from the file at reply time, never from the model's weights, so that one adapter can
serve a shop it has never seen. `find` picks the lines by the intent, product names, places and
order numbers of the message; each line keeps its dotted path into the file.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osai.chatbot import intents


class ShopError(ValueError):
    """A shop file that cannot be used; the message names the file, the field and the next step."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Branch(_Record):
    """A place where customers can come; the texts are shown as written."""

    name: str
    address: str
    open: str
    close: str
    days: str


class Product(_Record):
    """Something for sale; ``price`` in VND, ``warranty_months`` None where there is no warranty."""

    name: str
    price: int = Field(ge=0)
    stock: int = Field(ge=0)
    warranty_months: int | None


class Policies(_Record):
    """The shop's rules; counts in days, ``exchange_fee`` in VND."""

    return_days: int = Field(ge=0)
    return_condition: str
    exchange_fee: int = Field(ge=0)
    refund_days: int = Field(ge=0)
    cancel: str
    invoice: str
    payment: tuple[str, ...]
    inspect_before_paying: bool
    holiday: str


class Shipping(_Record):
    """Delivery to an area; ``fee`` in VND, ``days`` as written."""

    area: str
    fee: int = Field(ge=0)
    days: str


class Order(_Record):
    """An order; ``eta`` is dd/mm/yyyy or None, ``total`` in VND."""

    id: str
    status: Literal["preparing", "shipping", "delivered", "cancelled", "returned"]
    eta: str | None = Field(pattern=r"^\d{2}/\d{2}/\d{4}$")
    items: tuple[str, ...]
    total: int = Field(ge=0)
    payment: str


class Shop(_Record):
    """One shop file. Extra keys are ignored; money is in VND."""

    name: str
    hotline: str
    branches: tuple[Branch, ...]
    products: tuple[Product, ...]
    policies: Policies
    shipping: tuple[Shipping, ...]
    free_shipping_from: int = Field(ge=0)
    orders: tuple[Order, ...]


@dataclass(frozen=True)
class Fact:
    """One line the reply may use: its dotted path into the shop file, and its Vietnamese text."""

    path: str
    text: str


def load_shop(path: Path) -> Shop:
    """Read a shop file (JSON, UTF-8). Raises ShopError naming the field that is wrong."""
    try:
        return Shop.model_validate_json(path.read_text(encoding="utf-8-sig"))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise ShopError(
            f"{path}: {field}: {first['msg']} ({error.error_count()} problem(s) in all). "
            "Next step: correct the file; data/hanoi/README.md lists every field."
        ) from None
    except UnicodeDecodeError as error:
        raise ShopError(
            f"{path}: not UTF-8 at byte {error.start}. Next step: save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ShopError(f"{path}: {error.strerror or error}. Next step: check the path.") from None


def load_shops(folder: Path) -> dict[str, Shop]:
    """All shop files of a folder by stem, in the order of their names. Raises ShopError."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ShopError(f"{folder}: no shop file (*.json). Next step: check the path.")
    return {file.stem: load_shop(file) for file in files}


def load_shops_jsonl(path: Path) -> dict[str, Shop]:
    """Shops from a JSON-lines file by their ``id``. Raises ShopError naming line and field."""
    shops = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ShopError(f"{path}: {error.strerror or error}. Next step: check the path.") from None
    for number, line in enumerate(lines, 1):
        try:
            shops[str(json.loads(line)["id"])] = Shop.model_validate_json(line)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            raise ShopError(
                f"{path}, line {number}: {str(error).splitlines()[0]}. Next step: correct it."
            ) from None
    return shops


def money(dong: int) -> str:
    """An amount as Vietnamese shops write it: ``1250000`` becomes ``1.250.000 ₫``."""
    return f"{dong:,}".replace(",", ".") + " ₫"


STATUS = {
    "preparing": "đang chuẩn bị",
    "shipping": "đang giao",
    "delivered": "đã giao",
    "cancelled": "đã hủy",
    "returned": "đã trả lại",
}

# "bh1042" as customers type it; apart from its digits only in capitals ("BH 1042", not "ib 500").
ORDER_ID = re.compile(r"\b((?i:[a-z]{2,3})\d{3,6}|[A-Z]{2,3}[ -]\d{3,6})\b")
_ABOUT_ORDERS = {"order_status", "delivery_delay", "not_received", "cancel", "address_change"}
_ABOUT_PRODUCTS = {"price", "stock", "warranty"}


@dataclass(frozen=True)
class Found:
    """What was understood of a message: intent, whether a person is needed, the facts to use."""

    intent: str
    person: bool
    facts: tuple[Fact, ...]


def order_ids(text: str) -> list[str]:
    """Order numbers in a text, upper case and without spaces, each once."""
    found = (match.upper().replace(" ", "").replace("-", "") for match in ORDER_ID.findall(text))
    return list(dict.fromkeys(found))


def find(shop: Shop, message: str, history: Sequence[str] = ()) -> Found:
    """Understand a message: intent, need for a person, and the facts it asks about.

    ``history`` holds the customer's earlier messages: an order number given there, or now after
    it was asked for, belongs to what was wanted before.
    """
    name = intents.intent(message)
    ids = order_ids(message)
    if name in (None, "stock", "price", "shipping_fee", "opening_hours") and ids:
        before = [intents.intent(text) for text in reversed(history)]
        name = next((one for one in before if one in _ABOUT_ORDERS), "order_status")
    if name in _ABOUT_ORDERS and not ids:
        ids = order_ids(" ".join(history))[-1:]
    products = match_products(shop, message)
    if name is None and any(_names(branch, message) for branch in shop.branches):
        name = "opening_hours"
    if name is None:
        name = "price" if products else "out_of_scope"
    orders = [_order_by_id(shop, wanted) for wanted in ids]
    known = next((order for order in orders if order is not None), None)
    if name == "delivery_delay" and known and known.status in ("cancelled", "returned"):
        name = "order_status"  # it will not come at all: say so
    if name == "order_status" and known and intents.promise_broken(message, known.eta):
        name = "delivery_delay"
    if name in ("order_status", "delivery_delay") and _says_nothing_came(known, message):
        name = "not_received"
    status, eta = (known.status, known.eta) if known else (None, None)
    person = intents.needs_person(name, message, status, eta, shop.policies.refund_days)

    facts: list[Fact] = []
    if name in _ABOUT_ORDERS:
        facts += [_order(shop, wanted) for wanted in ids[:2]]
        if not ids:
            facts.append(Fact("orders", "Khách chưa cho mã đơn"))
    if name in _ABOUT_PRODUCTS:
        facts += [_product(shop, i, name) for i in products[:2]]
        if not products:
            facts.append(Fact("products", "Khách chưa nói sản phẩm nào"))
    facts += _RULES[name](shop, message) if name in _RULES else []
    return Found(name, person, tuple(facts))


def _names(branch: Branch, message: str) -> bool:
    """Whether a message names a branch by its place (*Long Biên* for *Kho Long Biên*)."""
    place = re.sub(
        r"^(cua hang|hieu sach|chi nhanh|co so|kho|showroom) ", "", intents.unmark(branch.name)
    )
    return re.search(rf"\b{re.escape(place)}\b", intents.unmark(message)) is not None


def _says_nothing_came(order: Order | None, message: str) -> bool:
    return (
        order is not None
        and order.status == "delivered"
        and re.search(
            r"chua|\bch\b|khong thay|k thay|mat tieu|k ai|khong ai|dau\b|chang|\bcha\b|\bai\b",
            intents.unmark(message),
        )
        is not None
    )


def match_products(shop: Shop, message: str) -> list[int]:
    """Indices of the products that the message names best; rare words of a name weigh more.

    Words are compared with their marks where the message has any (*mấy* is not *máy*), else
    without. One word is enough only if it opens the name.
    """
    plain = (lambda text: text.lower()) if intents.has_marks(message) else intents.unmark
    said = set(re.findall(r"\w+", plain(unicodedata.normalize("NFC", message))))
    names = [re.findall(r"\w+", plain(product.name)) for product in shop.products]
    count = Counter(word for name in names for word in set(name))
    scores = []
    for name in names:
        hits = [word for word in dict.fromkeys(name) if word in said]
        enough = len(hits) > 1 or (hits and hits[0] == name[0] and len(hits[0]) > 2)
        scores.append(sum(math.log(1 + len(names) / count[word]) for word in hits if enough))
    best = max(scores, default=0.0)
    return [i for i, score in enumerate(scores) if score and score >= best * 0.99]


def _order_by_id(shop: Shop, wanted: str) -> Order | None:
    return next((order for order in shop.orders if order.id.upper() == wanted), None)


def _order(shop: Shop, wanted: str) -> Fact:
    order = _order_by_id(shop, wanted)
    if order is None:
        return Fact("orders", f"Đơn {wanted}: không có trong hệ thống")
    eta = f", dự kiến {order.eta}" if order.eta else ""
    return Fact(
        f"orders.{shop.orders.index(order)}", f"Đơn {order.id}: {STATUS[order.status]}{eta}"
    )


def _product(shop: Shop, i: int, name: str) -> Fact:
    product = shop.products[i]
    parts = [
        f"giá {money(product.price)}",
        f"còn {product.stock}" if product.stock else "hết hàng",
    ]
    if name == "warranty":
        months = product.warranty_months
        parts = [f"bảo hành {months} tháng" if months else "không bảo hành"]
    return Fact(f"products.{i}", f"{product.name}: {', '.join(parts)}")


# Names of provinces and cities outside Hà Nội as customers type them, before and after July 2025.
_PROVINCES = re.compile(
    r"\b(an giang|vung tau|bac giang|bac kan|bac lieu|bac ninh|ben tre|binh dinh|binh duong|binh phuoc"
    r"|binh thuan|ca mau|can tho|cao bang|da nang|dn|dak lak|dak nong|dien bien|dong nai|dong thap"
    r"|gia lai|ha giang|ha nam|ha tinh|hai duong|hai phong|hp|hau giang|hoa binh|hung yen|khanh hoa"
    r"|kien giang|kon tum|lai chau|lam dong|lang son|lao cai|long an|nam dinh|nghe an|ninh binh"
    r"|ninh thuan|phu tho|phu yen|quang binh|quang nam|quang ngai|quang ninh|quang tri|soc trang"
    r"|son la|tay ninh|thai binh|thai nguyen|thanh hoa|(?<!pho )hue|tien giang|tra vinh|tuyen quang|vinh long"
    r"|vinh phuc|yen bai|sai gon|sg|hcm|tphcm|ho chi minh|da lat|nha trang|(tp|ve|o) vinh(?! tuy| hung| ngoc)|(di|ve|o|ngoai) tinh|tinh (le|khac)|mien nam"
    r"|mien trung|trong nam)\b"
)


def _shipping(shop: Shop, message: str) -> list[Fact]:
    plain = intents.unmark(message)
    free = Fact("free_shipping_from", f"Miễn phí giao từ {money(shop.free_shipping_from)}")
    areas = {area.area: i for i, area in enumerate(shop.shipping)}
    named = [
        name for name in areas if re.search(rf"\b{intents.unmark(name.split(' Hà')[0])}\b", plain)
    ]
    if not named and _PROVINCES.search(plain):
        named = [name for name in areas if "tỉnh" in name]
    if not named and re.search(r"freeship|free ship|mien phi", plain):
        return [free]
    chosen = [areas[name] for name in named] or list(areas.values())
    return [*(_area(shop, i) for i in chosen), free]


def _area(shop: Shop, i: int) -> Fact:
    area = shop.shipping[i]
    return Fact(f"shipping.{i}", f"Giao {area.area}: {money(area.fee)}, {area.days}")


def _return(shop: Shop, message: str) -> list[Fact]:
    rules = shop.policies
    return [
        Fact("policies.return_days", f"Trong {rules.return_days} ngày"),
        Fact("policies.return_condition", f"Điều kiện: {rules.return_condition}"),
    ]


def _exchange(shop: Shop, message: str) -> list[Fact]:
    fee = shop.policies.exchange_fee
    text = f"Phí đổi: {money(fee)}" if fee else "Đổi miễn phí"
    return [Fact("policies.exchange_fee", text), *_return(shop, message)]


_PLACE = re.compile(
    r"dia chi|o dau|d/c|(?<!rep )(?<!loi )chi nhanh|co so|so nha|duong nao|pho nao|cho nao"
)


def _branches(shop: Shop, message: str) -> list[Fact]:
    place = _PLACE.search(intents.unmark(message))
    return [
        Fact(
            f"branches.{i}",
            f"{b.name}: " + (b.address if place else f"{b.open}-{b.close}, {b.days}"),
        )
        for i, b in enumerate(shop.branches[:3])
    ]


def _payment(shop: Shop, message: str) -> list[Fact]:
    rules = shop.policies
    if re.search(r"kiem|\bxem\b|\bmo\b", intents.unmark(message)):
        allowed = "Được" if rules.inspect_before_paying else "Không được"
        return _rule("policies.inspect_before_paying", f"{allowed} kiểm hàng trước khi trả tiền")
    return _rule("policies.payment", f"Chỉ nhận: {', '.join(rules.payment)}")


def _hotline(shop: Shop, message: str) -> list[Fact]:
    asked = re.search(r"hotline|tong dai|\bso\b|\bsdt\b", intents.unmark(message))
    return _rule("hotline", f"Hotline: {shop.hotline}") if asked else []


def _rule(path: str, text: str) -> list[Fact]:
    return [Fact(path, text)]


_RULES: dict[str, Callable[[Shop, str], list[Fact]]] = {
    "shipping_fee": _shipping,
    "return": _return,
    "exchange": _exchange,
    "refund": lambda s, _: _rule("policies.refund_days", f"Trong {s.policies.refund_days} ngày"),
    "opening_hours": _branches,
    "vat_invoice": lambda s, _: _rule("policies.invoice", s.policies.invoice),
    "payment": _payment,
    "cancel": lambda s, _: _rule("policies.cancel", s.policies.cancel),
    "holiday_hours": lambda s, _: _rule("policies.holiday", s.policies.holiday),
    "human": _hotline,
}


def shop_json(shop: Shop) -> str:
    """The shop as it stands in a file, for checks that look for a number anywhere in it."""
    return json.dumps(shop.model_dump(), ensure_ascii=False)
