"""The shop file: what it holds, how it is read, and how a wrong one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

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
    warranty_months: int | None = Field(ge=0)


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

    def order(self, wanted: str) -> Order | None:
        """The order with this number, in any case; None where there is none."""
        return next((one for one in self.orders if one.id.upper() == wanted.upper()), None)


def load_shop(path: Path) -> Shop:
    """Read a shop file (JSON, UTF-8). Raises ShopError naming the field that is wrong."""
    try:
        return Shop.model_validate_json(path.read_text(encoding="utf-8-sig"))
    except ValidationError as error:
        raise ShopError(
            f"{path}: {_problem(error)}. "
            "Next step: correct the file; data/hanoi/README.md lists every field."
        ) from None
    except UnicodeDecodeError as error:
        raise ShopError(
            f"{path}: not UTF-8 at byte {error.start}. Next step: save the file as UTF-8."
        ) from None
    except OSError as error:
        raise ShopError(f"{path}: {error.strerror or error}. Next step: check the path.") from None


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "the whole file"
    return f"{field}: {first['msg']} ({error.error_count()} problem(s) in all)"


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
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ShopError(f"{path}: {error.strerror or error}. Next step: check the path.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line.decode("utf-8-sig"))
            shops[str(record["id"])] = Shop.model_validate_json(line)
        except ValidationError as error:
            raise ShopError(f"{where}: {_problem(error)}. Next step: correct the line.") from None
        except UnicodeDecodeError:
            raise ShopError(f"{where}: not UTF-8. Next step: save the file as UTF-8.") from None
        except KeyError:
            raise ShopError(f"{where}: the field 'id' is missing. Next step: add it.") from None
        except (ValueError, TypeError) as error:
            raise ShopError(f"{where}: not JSON ({error}). Next step: correct the line.") from None
    if not shops:
        raise ShopError(f"{path}: no shop in it. Next step: check the file.")
    return shops


def texts(shop: Shop) -> list[str]:
    """Every text of the file that has more than one word, longest first: names, places, rules."""
    found: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, str) and " " in value:
            found.append(value)
        elif isinstance(value, dict):
            collect(list(value.values()))
        elif isinstance(value, list | tuple):
            for one in value:
                collect(one)

    collect(shop.model_dump())
    return sorted(dict.fromkeys(found), key=lambda text: (-len(text), text))


def money(dong: int) -> str:
    """An amount as Vietnamese shops write it: ``1250000`` becomes ``1.250.000 ₫``."""
    return f"{dong:,}".replace(",", ".") + " ₫"


def as_json(shop: Shop) -> str:
    """The shop as it stands in a file, for checks that look for a number anywhere in it."""
    record: dict[str, Any] = shop.model_dump()
    return json.dumps(record, ensure_ascii=False)
