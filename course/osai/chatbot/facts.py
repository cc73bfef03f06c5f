"""What a message asks about: its topic, its situation in this shop, and the facts to answer with.

Facts come from the shop file at reply time, never from the model's weights, so that one adapter can
serve a shop it has never seen. `find` reads the topic, looks order numbers, products and places up
in the file, and returns the few lines a reply may use; each keeps its dotted path into the file.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from osai.chatbot import intents, rules
from osai.chatbot.shops import Order, Shop, money
from osai.chatbot.vietnamese import has_marks, strip_marks, unmark

STATUS = {
    "preparing": "đang chuẩn bị",
    "shipping": "đang giao",
    "delivered": "đã giao",
    "cancelled": "đã hủy",
    "returned": "đã trả lại",
}
_ABOUT_ORDERS = {"order_status", "delivery_delay", "not_received", "cancel", "address_change"}
_ABOUT_PRODUCTS = {"price", "stock", "warranty"}
MOST_LINES = 3  # more branches, areas or products than this are not told in one reply


@dataclass(frozen=True)
class Fact:
    """One line the reply may use: its dotted path into the shop file, and its Vietnamese text."""

    path: str
    text: str


@dataclass(frozen=True)
class Found:
    """What was understood of a message.

    ``topic`` as in ``intents.LABELS``; ``situation`` is what the shop file adds to it (*shipping*,
    *missing*, *out* …), empty where it adds nothing; ``person`` whether one must take over;
    ``order_id`` the number the customer named, ``order`` what the file knows of it; ``products``,
    ``areas`` and ``branches`` are indices into the shop file.
    """

    topic: str
    situation: str = ""
    person: bool = False
    facts: tuple[Fact, ...] = ()
    order_id: str | None = None
    order: Order | None = None
    products: tuple[int, ...] = ()
    areas: tuple[int, ...] = ()
    branches: tuple[int, ...] = ()

    @property
    def intent(self) -> str:
        """The intent that the topic belongs to."""
        return intents.intent(self.topic)

    @property
    def task(self) -> str:
        """What is to be done, in the words of the system turn."""
        topic = "stock.other" if self.situation == "not_known" else self.topic
        return intents.LABELS[topic] + (", chuyển nhân viên" if self.person else "")


def find(shop: Shop, message: str, history: Sequence[str] = (), topic: str | None = None) -> Found:
    """Understand a message in this shop; ``history`` holds the customer's earlier messages.

    ``topic`` replaces the reading of the message where it is known, as in training data.
    """
    ids = order_ids(message)
    products = match_products(shop, message)
    names = [shop.products[i].name for i in products]
    if topic is None:
        topic = intents.topic(message, names)
        if topic in ("price", "stock") and not products and _names_another_thing(message):
            topic = "stock.other"
    if topic == intents.ANSWER or (ids and topic in ("price", "stock", "opening_hours")):
        topic = _asked_before(shop, history, bool(ids))
    if intents.intent(topic) in _ABOUT_ORDERS:
        ids = ids or order_ids(" ".join(history))[-1:]
        return _about_order(shop, topic, message, ids[0] if ids else None)
    if not products and intents.intent(topic) in _ABOUT_PRODUCTS:
        products = next((p for text in reversed(history) if (p := match_products(shop, text))), ())
    found = Found(topic, products=products)
    if topic == "refund" and rules.waited_too_long(message, shop.policies.refund_days):
        found = replace(found, topic="refund.late")
    found = replace(found, person=rules.needs_person(found.topic, None))
    if found.topic not in _FACTS:
        return found
    found = _FACTS[found.topic](shop, message, found)
    # A shop without branches, areas or ways to pay has nothing to tell: say so.
    return found if found.facts else replace(found, situation="not_known", facts=(_NOT_KNOWN,))


def _asked_before(shop: Shop, history: Sequence[str], order: bool) -> str:
    """The topic to which an order number or a product name is the answer."""
    wanted = _ABOUT_ORDERS if order else _ABOUT_PRODUCTS
    for text in reversed(history):
        names = [shop.products[i].name for i in match_products(shop, text)]
        for topic, _ in intents.ranked(text, names)[:2]:
            if intents.intent(topic) in wanted:
                return topic
    return "order_status" if order else "price"


# Orders


def order_ids(text: str) -> list[str]:
    """Order numbers in a text, upper case and without spaces, each once."""
    found = (re.sub(r"[ -]", "", match).upper() for match in intents.ORDER_ID.findall(text))
    return list(dict.fromkeys(found))


def _about_order(shop: Shop, topic: str, message: str, order_id: str | None) -> Found:
    if order_id is None:
        fact = Fact("orders", "Khách chưa cho mã đơn")
        more = _rule("policies.cancel", shop.policies.cancel) if topic == "cancel" else ()
        return Found(topic, "missing", rules.needs_person(topic, None), (fact, *more))
    order = shop.order(order_id)
    if order is None:
        fact = Fact("orders", f"Đơn {order_id}: không có trong hệ thống")
        return Found(topic, "unknown", rules.needs_person(topic, None), (fact,), order_id)
    if topic.startswith("delivery_delay") and order.status in ("cancelled", "returned"):
        topic = "order_status"  # it will not come at all: say so
    if topic.startswith("delivery_delay") and order.status == "delivered":
        topic = "not_received"
    if topic == "order_status" and order.status == "delivered" and _says_nothing_came(message):
        topic = "not_received"
    if topic in ("order_status", "delivery_delay", "delivery_delay.broken"):
        broken = rules.promise_broken(message, order.eta)
        if broken:
            topic = "delivery_delay.broken"
        elif broken is False and topic == "delivery_delay.broken":
            topic = "delivery_delay"
    day = f", dự kiến {order.eta}" if order.eta else ""
    facts = [
        Fact(f"orders.{shop.orders.index(order)}", f"Đơn {order.id}: {STATUS[order.status]}{day}")
    ]
    situation: str = order.status
    if order.status in ("preparing", "shipping") and not order.eta:
        situation += "_no_day"
    if topic == "cancel" and order.status in ("preparing", "shipping"):
        facts += _rule("policies.cancel", shop.policies.cancel)
    person = rules.needs_person(topic, order.status)
    return Found(topic, situation, person, tuple(facts), order_id, order)


def _says_nothing_came(message: str) -> bool:
    return re.search(r"chua (thay|nhan|co|toi|den)|ch nhan|(khong|k|ko|chang|cha) (thay|nhan)",
                     unmark(message)) is not None  # fmt: skip


# Products


def match_products(shop: Shop, message: str) -> tuple[int, ...]:
    """Indices of the products that the message names best; rare words of a name weigh more.

    Words are compared with their marks where the message has any (*mấy* is not *máy*), else
    without. Enough is: two neighbouring words of a name (*Sen 5*), its first word and another, or its
    first word alone unless that has other meanings, or the name of its own written with a capital (*Sóc*).
    What the rest of the message names, once the words of the best are taken out, comes second: *cái chảo với
    ấm siêu tốc* names two.
    """
    plain = (lambda text: text.lower()) if has_marks(message) else unmark
    text = plain(unicodedata.normalize("NFC", message))
    capitals = set(re.findall(r"(?<=\w\W)[A-Z]\w+", strip_marks(message)))
    names = [re.findall(r"\w+", plain(product.name)) for product in shop.products]
    found: list[int] = []
    while len(found) < MOST_LINES:
        scores = _scores(shop, names, text, capitals, first=not found)
        best = max((score for i, score in enumerate(scores) if i not in found), default=0.0)
        if not best:
            break
        more = [i for i, score in enumerate(scores) if score >= best * 0.99 and i not in found]
        if found and len(more) > 1:
            break  # a second one must be clear
        found += more
        if len(more) > 1:
            break  # several of a kind: the message does not tell them apart
        text = _without(text, names[more[0]])
    return tuple(sorted(found))


def _without(text: str, name: list[str]) -> str:
    """A text without its longest run of words of a name."""
    words = re.findall(r"\w+", text)
    runs = [
        (i, i + len(list(run)))
        for known, run in itertools.groupby(range(len(words)), key=lambda i: words[i] in name)
        if known
        for i in [next(run)]
    ]
    first, last = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return " ".join((*words[:first], ".", *words[last + 1 :]))


def _scores(
    shop: Shop, names: Sequence[list[str]], text: str, capitals: set[str], first: bool
) -> list[float]:
    """How well a text names each product; 0 for not at all.

    A second product needs the first word of its name and one more, next to it where the first is weak;
    in a message with marks two neighbouring words are enough, or the first word and an *and*.
    """
    said = set(re.findall(r"\w+", text))
    count = Counter(word for name in names for word in set(name))
    scores = []
    for product, name in zip(shop.products, names, strict=True):
        words = [word for word in dict.fromkeys(name) if not word.isdigit() and word in said]
        pairs = [
            a
            for a, b in itertools.pairwise(name)
            if max(len(a), len(b)) > 2
            and re.search(rf"\b{re.escape(a)}[\s,]+{re.escape(b)}\b", text)
        ]
        strong = name[0] not in _WEAK
        near = len(words) > 1 and words[0] == name[0]
        if first:
            single = words == name[:1] and len(name[0]) > 1 and strong
            own = bool(words and _own_names(product.name) & capitals)
            near = near or bool(words and pairs) or single or own
        else:
            beside = re.search(rf"\b(?:và|với|vs|cùng|lẫn)\b[^.]*\b{re.escape(name[0])}\b"
                               rf"|\b{re.escape(name[0])}\b[^.]*\b(?:và|với|vs|cùng|lẫn)\b", text)  # fmt: skip
            near = (near and (strong or name[0] in pairs)) or (
                has_marks(text) and bool(pairs or (words[:1] == name[:1] and strong and beside))
            )
        score = sum(math.log(1 + len(names) / count[word]) for word in words)
        scores.append(score + 0.5 * len(pairs) if near else 0.0)
    return scores


# Words between *có* and *không* that name no thing: *có cái nào ở tiệm không*.
_NO_THING = frozenset({
    "a", "anh", "available", "ay", "ba", "bac", "bai", "ban", "bao", "ben", "bo", "c", "cai",
    "chau", "chi", "chiec", "chieu", "cho", "clip", "co", "con", "cu", "cua", "cung", "dat", "day",
    "de", "do", "don", "dung", "duoc", "e", "em", "gi", "gia", "giong", "hai", "hang", "hay",
    "het", "hinh", "hoi", "hom", "item", "kho", "kia", "kieu", "la", "lay", "loai", "lon", "luon",
    "luong", "ma", "mai", "mau", "may", "minh", "moi", "mon", "mot", "mua", "nao", "nay", "nghe",
    "nha", "nhieu", "nho", "nhu", "o", "ong", "online", "order", "pham", "phan", "piece", "quay",
    "ra", "roi", "san", "sang", "shop", "size", "slot", "so", "sp", "stock", "t", "thay", "the",
    "them", "thi", "tiem", "to", "toi", "tren", "trong", "tui", "vao", "vay", "ve", "video", "vo",
    "xem",
})  # fmt: skip
_THING = re.compile(
    r"\b(?:co|ban|kinh doanh|carry) (?:ban )?((?:\w+ ){0,5}\w+?) (?:khong|ko|k|hong|hok|hem|hum|vay|ta)\b"
)


def _names_another_thing(message: str) -> bool:
    """Whether a question is about a thing by name (*có bánh mì bơ tỏi không*), in two words or more."""
    plain = " ".join(re.findall(r"\w+", unmark(message)))
    found = _THING.search(plain)
    return found is not None and len(set(found[1].split()) - _NO_THING) >= 2


def _own_names(name: str) -> set[str]:
    """What a product is called by itself, without marks: ``Sóc`` in *Gọng kính trẻ em Sóc*."""
    return set(re.findall(r"(?<=\w\W)[A-Z]\w+", strip_marks(name)))


# Opening words of product names that mean something else in most messages.
_WEAK = {"cây", "cay", "bộ", "bo", "máy", "may", "cái", "cai", "hộp", "hop", "túi", "tui", "đồ", "do",
         "bàn", "ban", "xe", "giá", "gia", "hoa", "con", "bánh", "banh", "sổ", "so", "đèn", "den",
         "gói", "goi", "tấm", "tam", "chiếc", "chiec", "hàng", "hang", "thẻ", "the", "quả", "qua",
         "cờ", "co", "dây", "day", "ghế", "ghe", "trà", "tra", "kem", "chỉ", "chi", "ốp", "op"}  # fmt: skip


def _several(found: Found, missing: str, one: Callable[[int], str]) -> str:
    chosen = found.products[:MOST_LINES]
    if not chosen:
        return missing
    return one(chosen[0]) if len(chosen) == 1 else str(len(chosen))


def _product_line(shop: Shop, i: int) -> Fact:
    product = shop.products[i]
    stock = f"còn {product.stock}" if product.stock else "hết hàng"
    return Fact(f"products.{i}", f"{product.name}: giá {money(product.price)}, {stock}")


def _offer(shop: Shop, message: str, found: Found) -> Found:
    lines = tuple(_product_line(shop, i) for i in found.products[:MOST_LINES])
    situation = _several(
        found, "missing", lambda i: "in_stock" if shop.products[i].stock else "out"
    )
    return replace(found, situation=situation, facts=lines or (_NO_PRODUCT,))


def _warranty(shop: Shop, message: str, found: Found) -> Found:
    lines = []
    for i in found.products[:MOST_LINES]:
        months = shop.products[i].warranty_months
        text = f"bảo hành {months} tháng" if months else "không bảo hành"
        lines.append(Fact(f"products.{i}", f"{shop.products[i].name}: {text}"))
    situation = _several(
        found, "missing", lambda i: "covered" if shop.products[i].warranty_months else "not_covered"
    )
    return replace(found, situation=situation, facts=tuple(lines) or (_NO_PRODUCT,))


def _not_in_file(shop: Shop, message: str, found: Found) -> Found:
    lines = tuple(_product_line(shop, i) for i in found.products[:1])
    situation = "product" if lines else ""
    return replace(
        found, situation=situation, facts=(_NOT_KNOWN, *lines), products=found.products[:1]
    )


_NO_PRODUCT = Fact("products", "Khách chưa nói sản phẩm nào")
_NOT_KNOWN = Fact("", "Shop chưa có thông tin này")


# Places

# Names of provinces and cities outside Hà Nội as customers type them, before and after July 2025.
_PROVINCES = re.compile(
    r"\b(an giang|vung tau|bac giang|bac kan|bac lieu|bac ninh|ben tre|binh dinh|binh duong|binh phuoc"
    r"|binh thuan|ca mau|can tho|cao bang|da nang|dn|dak lak|daklak|dak nong|dien bien|dong nai|dong thap"
    r"|gia lai|ha giang|ha nam|ha tinh|hai duong|hai phong|hp|hau giang|hoa binh|hung yen|khanh hoa"
    r"|kien giang|kon tum|lai chau|lam dong|lang son|lao cai|long an|nam dinh|nghe an|ninh binh"
    r"|ninh thuan|phu tho|phu yen|quang binh|quang nam|quang ngai|quang ninh|quang tri|soc trang"
    r"|son la|tay ninh|thai binh|thai nguyen|thanh hoa|(?<!pho )hue|tien giang|tra vinh|tuyen quang|vinh long"
    r"|vinh phuc|yen bai|sai gon|saigon|sg|hcm|tphcm|ho chi minh|da lat|nha trang|phu quoc|ha long|sapa|sa pa"
    r"|quy nhon|buon ma thuot|buon me thuot|pleiku|hoi an|bien hoa|viet tri|(tp|ve|o) vinh(?! tuy| hung| ngoc)"
    r"|(di|ve|o|ngoai) tinh|tinh (le|khac)|ngoai tinh|mien nam|mien trung|mien tay|tay nguyen|trong nam)\b"
)
# Those of the north: the Red River Delta and the mountains above it.
_NORTH = re.compile(
    r"\b(bac giang|bac kan|bac ninh|cao bang|dien bien|ha giang|ha nam|hai duong|hai phong|hp|hoa binh|hung yen"
    r"|lai chau|lang son|lao cai|nam dinh|ninh binh|phu tho|quang ninh|son la|thai binh|thai nguyen|tuyen quang"
    r"|vinh phuc|yen bai|ha long|sapa|sa pa|viet tri|mien bac)\b"
)
# Former districts of the city itself, and wards as customers name them.
_CITY = re.compile(
    r"\b(noi thanh|hoan kiem|ba dinh|dong da|hai ba trung|cau giay|thanh xuan|tay ho|hoang mai|long bien"
    r"|tu liem|ha dong|my dinh|pho co|pho hue|ho guom|ho tay|cau dien|nghia tan|kim ma|giang vo|dinh cong"
    r"|linh dam|phuong [a-z]+ [a-z]+)\b"
)
# Communes and former districts around the city that everybody calls its outskirts.
_OUTSKIRTS = re.compile(
    r"\b(ngoai thanh|soc son|ba vi|chuong my|dong anh|thach that|me linh|ung hoa|phuc tho|dan phuong"
    r"|quoc oai|thanh oai|thuong tin|phu xuyen|my duc|son tay|xuan mai|gia lam|hoai duc|trau quy)\b"
)


def _shipping(shop: Shop, message: str, found: Found) -> Found:
    plain = unmark(message)
    areas = [unmark(area.area) for area in shop.shipping]
    chosen = [i for i, name in enumerate(areas) if _names_area(name, plain)]
    if not chosen and _NORTH.search(plain):
        chosen = [i for i, name in enumerate(areas) if "mien bac" in name][:1]
    if not chosen and _PROVINCES.search(plain):
        chosen = [
            i
            for i, name in enumerate(areas)
            if re.search(r"tinh|toan quoc|mien|khac|ca nuoc|xa", name)
        ][-1:]
    if not chosen and _CITY.search(plain) and not _OUTSKIRTS.search(plain):
        chosen = [i for i, name in enumerate(areas) if re.search(r"noi thanh|trong thanh", name)][
            :1
        ]
    if not chosen and _OUTSKIRTS.search(plain):
        chosen = [
            i
            for i, name in enumerate(areas)
            if re.search(r"ngoai (thanh|o)|huyen|\bxa\b|ven", name)
        ][:1]
    chosen = (chosen or list(range(len(areas))))[:MOST_LINES]
    lines = [
        Fact(
            f"shipping.{i}",
            f"Giao {shop.shipping[i].area}: {money(shop.shipping[i].fee)}, {shop.shipping[i].days}",
        )
        for i in chosen
    ]
    if lines:
        lines += _free(shop, message, found).facts
    return replace(found, situation=str(len(chosen)), areas=tuple(chosen), facts=tuple(lines))


def _names_area(area: str, message: str) -> bool:
    name = re.sub(r"^(cac|khu vuc|trong|giao) | ha noi$", "", area)
    return re.search(rf"\b{re.escape(name)}\b", message) is not None


def _free(shop: Shop, message: str, found: Found) -> Found:
    line = Fact("free_shipping_from", f"Miễn phí giao từ {money(shop.free_shipping_from)}")
    return replace(found, facts=(line,))


def _branches(shop: Shop, message: str, found: Found) -> Found:
    named = [
        i for i, branch in enumerate(shop.branches) if _named(branch.name, branch.address, message)
    ]
    chosen = (named or list(range(len(shop.branches))))[:MOST_LINES]
    lines = []
    for i in chosen:
        branch = shop.branches[i]
        hours = f"{branch.open}-{branch.close}, {branch.days}"
        if len(chosen) == 1:
            text = f"{branch.address}; {hours}"
        else:
            text = branch.address if found.topic.endswith("place") else hours
        lines.append(Fact(f"branches.{i}", f"{branch.name}: {text}"))
    return replace(found, situation=str(len(chosen)), branches=tuple(chosen), facts=tuple(lines))


def _named(name: str, address: str, message: str) -> bool:
    """Whether a message names a branch by its place or its street (*Long Biên*, *Ngọc Lâm*)."""
    place = re.sub(
        r"^(cua hang|hieu sach|chi nhanh|co so( \d)?|kho|showroom|vuon|quay|xuong|tiem|shop) ", "",
        unmark(name),
    )  # fmt: skip
    street = re.sub(
        r"^(so )?[\d/a-z-]*\d[\da-z/-]* (pho |duong |ngo )?", "", unmark(address.split(",")[0])
    )
    plain = unmark(message)
    return any(
        re.search(rf"\b{re.escape(part)}\b", plain) for part in (place, street) if len(part) > 3
    )


# The shop's rules


def _rule(path: str, text: str) -> tuple[Fact, ...]:
    return (Fact(path, text),)


def _return(shop: Shop, message: str, found: Found) -> Found:
    own = shop.policies
    lines = (
        Fact("policies.return_days", f"Trong {own.return_days} ngày"),
        Fact("policies.return_condition", f"Điều kiện: {own.return_condition}"),
    )
    return replace(found, facts=lines)


def _exchange(shop: Shop, message: str, found: Found) -> Found:
    fee = shop.policies.exchange_fee
    line = Fact("policies.exchange_fee", f"Phí đổi: {money(fee)}" if fee else "Đổi miễn phí")
    return replace(
        found,
        situation="fee" if fee else "free",
        facts=(line, *_return(shop, message, found).facts),
    )


def _inspect(shop: Shop, message: str, found: Found) -> Found:
    allowed = shop.policies.inspect_before_paying
    text = f"{'Được' if allowed else 'Không được'} kiểm hàng trước khi trả tiền"
    return replace(
        found,
        situation="allowed" if allowed else "not_allowed",
        facts=_rule("policies.inspect_before_paying", text),
    )


def _payment(shop: Shop, message: str, found: Found) -> Found:
    ways = ", ".join(shop.policies.payment)
    lines = _rule("policies.payment", f"Chỉ nhận: {ways}") if ways else ()
    return replace(found, facts=lines)


def _one_rule(path: str, text: Callable[[Shop], str]) -> Callable[[Shop, str, Found], Found]:
    def facts(shop: Shop, message: str, found: Found) -> Found:
        return replace(found, facts=_rule(path, text(shop)) if text(shop).strip() else ())

    return facts


_FACTS: dict[str, Callable[[Shop, str, Found], Found]] = {
    "price": _offer,
    "stock": _offer,
    "warranty": _warranty,
    "price.discount": _not_in_file,
    "stock.other": _not_in_file,
    "shipping_fee": _shipping,
    "shipping_fee.free": _free,
    "opening_hours": _branches,
    "opening_hours.place": _branches,
    "return": _return,
    "exchange": _exchange,
    "payment.inspect": _inspect,
    "refund": _one_rule("policies.refund_days", lambda s: f"Trong {s.policies.refund_days} ngày"),
    "vat_invoice": _one_rule("policies.invoice", lambda s: s.policies.invoice),
    "payment": _payment,
    "holiday_hours": _one_rule("policies.holiday", lambda s: s.policies.holiday),
    "human.hotline": _one_rule("hotline", lambda s: f"Hotline: {s.hotline}"),
}
