"""The rules of service: when a person must take over. In words: ``data/hanoi/README.md``.

No rule reads the clock: a promised day has passed only if the customer says so or names a day.
"""

from __future__ import annotations

import re
from datetime import date

from osai.chatbot.vietnamese import unmark

# Whatever else is known, these are for a person.
FOR_A_PERSON = frozenset({
    "complaint", "human", "human.hotline", "privacy", "not_received", "delivery_delay.broken",
    "refund.late", "payment.taken", "vat_invoice.wrong", "warranty.refused",
})  # fmt: skip


def needs_person(topic: str, status: str | None) -> bool:
    """Whether a person must take over; ``status`` is that of the order named, None without one."""
    if topic == "address_change":
        return status == "shipping"
    if topic == "cancel":
        return status in ("preparing", "shipping")  # the bot itself cannot cancel anything
    return topic in FOR_A_PERSON


def days_named(message: str, year: int) -> list[date]:
    """Days written as dd/mm or dd/mm/yyyy in a message; ``year`` completes the short form."""
    found = []
    for day, month, own_year in re.findall(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}))?\b", message):
        try:
            found.append(date(int(own_year or year), int(month), int(day)))
        except ValueError:  # 45/13 is no day
            continue
    return found


_TODAY = re.compile(
    r"\b(?:hom nay|bua nay|bay gio|nay|gio)(?: \w+){0,2}? (\d{1,2}/\d{1,2}(?:/\d{4})?)"
)
_PASSED = re.compile(
    r"\b(?:da|toi|den|qua|het)(?: \w+){0,2}? (\d{1,2}/\d{1,2}(?:/\d{4})?)"
    r"|(\d{1,2}/\d{1,2}(?:/\d{4})?) (?:roi|r|ma|van|chua)\b"
)


def promise_broken(message: str, eta: str | None) -> bool | None:
    """Whether the promised day, ``eta`` (dd/mm/yyyy), has passed by what a message says of today.

    True where it names a later day as today or as passed (*nay 26/11 rồi*), False where it names
    today and that is no later day, None where it does not tell. *Cần trước 2/12* names a day that
    is still to come, and tells nothing.
    """
    if eta is None:
        return None
    plain = unmark(message)
    day, month, year = (int(part) for part in eta.split("/"))
    promised = date(year, month, day)
    today = days_named(" ".join(_TODAY.findall(plain)), year)
    if today:
        return today[-1] > promised
    passed = days_named(" ".join(" ".join(pair) for pair in _PASSED.findall(plain)), year)
    return True if any(named > promised for named in passed) else None


_NUMBERS = ("khong", "mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi")
_ABOUT = (
    ("(muoi|chuc) may", "11"), ("hai may|hai muoi may", "21"), ("(ca|hon|gan|mot) chuc", "10"),
    ("may (?=tuan|thang)", "2 "), ("nua thang", "15 ngay"),
)  # fmt: skip
_DAYS = {"ngay": 1, "hom": 1, "bua": 1, "tuan": 7, "thang": 30}


def days_waited(message: str) -> int:
    """The longest time a message speaks of, in days (*hơn 1 tuần*, *mười mấy ngày*); 0 for none.

    What is not exact counts as the least it can mean: *mười mấy* as 11, *chục* as 10, *mấy tuần* as two.
    """
    plain = unmark(message)
    for words, number in _ABOUT:
        plain = re.sub(rf"\b{words}\b", number, plain)
    found = re.findall(
        rf"\b(\d{{1,3}}|{'|'.join(_NUMBERS)}|ca|hon) ({'|'.join(_DAYS)})\b(?! \w+ lich)", plain
    )
    return max(
        (
            _DAYS[unit] * (int(n) if n.isdigit() else _NUMBERS.index(n) if n in _NUMBERS else 1)
            for n, unit in found
        ),
        default=0,
    )


def waited_too_long(message: str, refund_days: int) -> bool:
    """Whether a refund is overdue by the shop's own days, as far as the message says."""
    plain = unmark(message)
    return days_waited(message) > refund_days and (
        re.search(r"\b(roi|r|nay|qua|chua|ch|van|ma|gan|hon|ca|mai|het)\b", plain) is not None
        or re.search(r"\bda( \w+){1,4} (ngay|hom|bua|tuan|thang)\b", plain) is not None
    )
