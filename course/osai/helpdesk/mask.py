"""Personal data made unreadable: phone, e-mail, address, tax code, card and account.

For logs and exports. Patterns find what is written in the usual ways, not everything; so logs hold no
message at all, and exports are to be looked at before they are given away. Order numbers and sums
of money stay.
"""

from __future__ import annotations

import re

_UPPER = "A-ZĐÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ"
_NAME = rf"(?:[{_UPPER}]\w*|\d+[A-Za-z]?)"
_PLACE = r"(?:số nhà|số|ngõ|ngách|hẻm|kiệt|nhà|thôn|xóm|tổ|căn hộ|phòng|tòa|toà)"
_STREET = r"(?:đường|phố|phường|xã|quận|huyện|thị xã|thành phố|tỉnh|khu đô thị|chung cư)"
_GAP = r"[\s.\-–]{0,2}"
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]*\d)")
PHONE = re.compile(rf"(?<!\d)(?<!\d\.)(?:\+?84|0)(?:{_GAP}\d){{8,10}}(?!\d)")
BRANCH_TAX_CODE = re.compile(r"(?<![\d.,-])\d{10}-\d{3}(?!\d)")
TAX_CODE = re.compile(r"(?<![\w.,-])\d{10}(?![\d]|[.,]\d)")
NUMBER = re.compile(r"(?<![\w.,])\d{9,19}(?!\w|[.,]\d)")  # accounts, identity cards
ADDRESS = re.compile(
    rf"(?:\b{_PLACE}\s+\d{{1,4}}(?!\d)[\w/]*[,\s]+)+(?:{_STREET}\s+)?(?:{_NAME}[,\s]*){{0,6}}(?:\b{_STREET}\s+(?:{_NAME}[,\s]*){{1,4}})*"
    rf"|\b\d+[A-Za-z]?(?:/\d+)*\s+(?:{_STREET}\s+)?(?:[{_UPPER}]\w*\s+){{1,3}}[{_UPPER}]\w*(?:,\s*(?:{_STREET}\s+)?(?:{_NAME}\s*){{1,4}})*"
    rf"|\b{_STREET}\s+(?:[{_UPPER}]\w*\s*){{1,4}}",
)


def mask(text: str) -> str:
    """The text with personal data replaced by their kind in brackets; masking twice changes nothing."""
    text = EMAIL.sub("[e-mail]", text)
    text = CARD.sub(lambda match: "[card]" if _luhn(match[0]) else match[0], text)
    text = BRANCH_TAX_CODE.sub("[tax code]", text)
    text = PHONE.sub("[phone]", text)
    text = TAX_CODE.sub("[tax code]", text)
    text = NUMBER.sub("[number]", text)
    return ADDRESS.sub(lambda match: "[address]" + _space_behind(match[0]), text)


def _space_behind(found: str) -> str:
    return " " if found[-1:].isspace() else ""


def _luhn(number: str) -> bool:
    """Whether a number passes the check digit of bank cards (ISO/IEC 7812-1)."""
    digits = [int(letter) for letter in number if letter.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
