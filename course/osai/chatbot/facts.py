"""What the shop knows: the shop file, and the few lines of it that a message asks about.

Facts come from the file at reply time, never from the model's weights, so that one adapter can
serve a shop it has never seen. `find` picks the lines by the topic words, product names and order
numbers of the message; each line keeps its dotted path into the file.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


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


def unmark(text: str) -> str:
    """Lower-case text without Vietnamese marks: ``Đổi trả`` becomes ``doi tra``."""
    split = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


STATUS = {
    "preparing": "đang chuẩn bị",
    "shipping": "đang giao",
    "delivered": "đã giao",
    "cancelled": "đã hủy",
    "returned": "đã trả lại",
}

# Patterns are matched on text without marks, because many customers type none.
TOPICS = {
    "order": r"\bdon\b|\bdon hang\b|giao hang|bao gio giao|bao h giao|toi dau|den dau|chua nhan"
    r"|chua thay hang|nhan duoc hang|kiem tra don|giao tre|giao cham|hang chua|chua giao|van don",
    "shipping": r"phi ship|ship|phi giao|phi van chuyen|freeship|mien phi giao|tien ship|giao ve"
    r"|van chuyen",
    "warranty": r"bao hanh|\bbh\b",
    "return": r"\btra hang|tra lai|doi tra|doi hang|\bdoi\b.*\b(size|sz|mau|cai|san pham|quyen|so)\b"
    r"|muon doi|hoan hang|\bdoi lai|\btra\b.*\bdc\b",
    "refund": r"hoan tien|hoan lai tien|tra lai tien|tien ve|tra tien lai|hoan lai",
    "hours": r"may gio|mo cua|dong cua|gio lam|gio mo|lam viec den|chu nhat|may h\b",
    "place": r"dia chi|o dau|cua hang nao|chi nhanh|co so|qua xem|ghe",
    "invoice": r"hoa don|\bvat\b|ma so thue|\bmst\b|xuat do",
    "payment": r"thanh toan|chuyen khoan|\bck\b|\bcod\b|tra tien khi|\bthe\b.*\bdc|\bthe\b.*duoc"
    r"|momo|quet ma|\bqr\b|tien mat|nhan hang tra tien|quet the",
    "inspect": r"kiem hang|dong kiem|xem hang truoc|mo hang|mo ra xem|kiem tra hang",
    "cancel": r"\bhuy\b",
    "holiday": r"\btet\b|nghi le|30/4|2/9|ngay le|dip le",
    "person": r"nhan vien|nguoi that|gap nguoi|quan ly|\bgoi\b.*so|hotline|tong dai|so dien thoai",
    "price": r"\bgia\b|bao nhieu|nhieu tien|\bbn\b|nhiu|nhieu vay|may tien",
    "stock": r"\bcon\b.*\b(khong|ko|k|hang|hong|hk|size)\b|het hang|con hang|san hang|co san",
}
ORDER_ID = re.compile(r"\b([a-z]{2,3}\s?-?\d{3,6})\b", re.IGNORECASE)
_PRODUCT_TOPICS = {"price", "stock", "warranty"}


def topics(message: str) -> list[str]:
    """Topics whose words stand in the message, in the order of `TOPICS`."""
    plain = unmark(message)
    return [topic for topic, pattern in TOPICS.items() if re.search(pattern, plain)]


def order_ids(text: str) -> list[str]:
    """Order numbers in a text, upper case and without spaces, each once."""
    found = (match.upper().replace(" ", "").replace("-", "") for match in ORDER_ID.findall(text))
    return list(dict.fromkeys(found))


def find(shop: Shop, message: str, history: Iterable[str] = ()) -> list[Fact]:
    """The facts a message asks about, at most six lines.

    ``history`` holds the customer's earlier messages: an order number given there still counts.
    """
    asked = topics(message)
    facts: list[Fact] = []
    ids = order_ids(message) or order_ids(" ".join(history))
    for wanted in ids:
        facts.append(_order(shop, wanted))
    if "order" in asked and not ids:
        facts.append(Fact("orders", "Khách chưa cho mã đơn"))
    if "shipping" in asked and "price" in asked:
        asked.remove("price")  # "phí ship bao nhiêu" asks for one thing, not two
    if _PRODUCT_TOPICS & set(asked) or not (asked or ids):
        products = match_products(shop, message)
        facts.extend(_product(shop, i, asked) for i in products[:2])
        if asked and not products and not ids:
            facts.append(Fact("products", "Khách chưa nói sản phẩm nào"))
    for topic in asked:
        facts.extend(_RULES.get(topic, _nothing)(shop))
    unique = {fact.path: fact for fact in facts}
    return list(unique.values())[:6]


def match_products(shop: Shop, message: str) -> list[int]:
    """Indices of the products that the message names best; rare words of a name weigh more."""
    said = set(re.findall(r"\w+", unmark(message)))
    names = [re.findall(r"\w+", unmark(product.name)) for product in shop.products]
    count = Counter(word for name in names for word in set(name))
    scores = []
    for name in names:
        weights = {word: math.log(1 + len(names) / count[word]) for word in name}
        known = sum(weight for word, weight in weights.items() if word in said)
        hits = sum(word in said for word in weights)
        scores.append((known / sum(weights.values()) if hits > 1 or len(name) == 1 else 0.0, known))
    best = max(scores, default=(0.0, 0.0))
    if best[0] < 0.3:
        return []
    return [i for i, score in enumerate(scores) if score[1] >= best[1] * 0.99 and score[0] >= 0.3]


def _order(shop: Shop, wanted: str) -> Fact:
    for i, order in enumerate(shop.orders):
        if order.id.upper() == wanted:
            eta = f", dự kiến {order.eta}" if order.eta else ""
            return Fact(
                f"orders.{i}",
                f"Đơn {order.id}: {STATUS[order.status]}{eta}; {', '.join(order.items)}; "
                f"{money(order.total)}, {order.payment}",
            )
    return Fact("orders", f"Đơn {wanted}: không có trong hệ thống")


def _product(shop: Shop, i: int, asked: list[str]) -> Fact:
    product = shop.products[i]
    parts = [f"giá {money(product.price)}"]
    parts.append(f"còn {product.stock}" if product.stock else "hết hàng")
    if "warranty" in asked:
        months = product.warranty_months
        parts.append(f"bảo hành {months} tháng" if months else "không bảo hành")
    return Fact(f"products.{i}", f"{product.name}: {', '.join(parts)}")


def _nothing(shop: Shop) -> list[Fact]:
    return []


def _shipping(shop: Shop) -> list[Fact]:
    areas = [
        Fact(f"shipping.{i}", f"Giao {area.area}: {money(area.fee)}, {area.days}")
        for i, area in enumerate(shop.shipping)
    ]
    free = f"Miễn phí giao từ {money(shop.free_shipping_from)}"
    return [*areas, Fact("free_shipping_from", free)]


def _return(shop: Shop) -> list[Fact]:
    rules = shop.policies
    fee = f"Phí đổi: {money(rules.exchange_fee)}" if rules.exchange_fee else "Đổi miễn phí"
    return [
        Fact("policies.return_days", f"Đổi trả trong {rules.return_days} ngày"),
        Fact("policies.return_condition", f"Điều kiện: {rules.return_condition}"),
        Fact("policies.exchange_fee", fee),
    ]


def _hours(shop: Shop) -> list[Fact]:
    return [
        Fact(f"branches.{i}", f"{b.name}: {b.address}; mở {b.open}-{b.close}, {b.days}")
        for i, b in enumerate(shop.branches[:2])
    ]


def _rule(path: str, text: str) -> list[Fact]:
    return [Fact(path, text)]


_RULES = {
    "shipping": _shipping,
    "return": _return,
    "refund": lambda s: _rule(
        "policies.refund_days", f"Hoàn tiền trong {s.policies.refund_days} ngày"
    ),
    "hours": _hours,
    "place": _hours,
    "invoice": lambda s: _rule("policies.invoice", f"Hóa đơn: {s.policies.invoice}"),
    "payment": lambda s: _rule("policies.payment", f"Thanh toán: {', '.join(s.policies.payment)}"),
    "inspect": lambda s: _rule(
        "policies.inspect_before_paying",
        "Được kiểm hàng trước khi trả tiền"
        if s.policies.inspect_before_paying
        else "Không được kiểm hàng trước khi trả tiền",
    ),
    "cancel": lambda s: _rule("policies.cancel", f"Hủy đơn: {s.policies.cancel}"),
    "holiday": lambda s: _rule("policies.holiday", f"Nghỉ lễ: {s.policies.holiday}"),
    "person": lambda s: _rule("hotline", f"Hotline: {s.hotline}"),
}


def shop_json(shop: Shop) -> str:
    """The shop as it stands in a file, for checks that look for a number anywhere in it."""
    return json.dumps(shop.model_dump(), ensure_ascii=False)
