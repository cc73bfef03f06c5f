"""The sample project: deskkit, a small package for a help desk, with a history and a real bug.

Everything here is made up for the lesson, and so are the people; their addresses end in
example.org, which belongs to nobody (RFC 2606).
"""

from __future__ import annotations

import dataclasses

PROJECT = "deskkit"
ISSUE = 12
"""Number of the bug report that the lesson works on."""


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody who writes commits."""

    name: str
    email: str


LAN = Person("Lan (sample)", "lan@example.org")
"""The maintainer."""
HUY = Person("Huy (sample)", "huy@example.org")
"""A contributor whose change comes in while the student is waiting."""


@dataclasses.dataclass(frozen=True)
class Change:
    """One commit of the sample history. files: path and its whole new text."""

    author: Person
    date: str
    message: str
    files: dict[str, str]


README = """\
# deskkit

Small answers for a help desk in Hà Nội: is the shop open, what does it cost, who calls.
Made up for a lesson. Run the tests with `python -m unittest`.
"""
LICENCE = """\
MIT License

Copyright (c) 2026 The deskkit contributors (sample)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
CONTRIBUTING = f"""\
# How to contribute

- One request mends one thing. Start a branch from main.
- Every mended bug brings a test that fails without the change.
- Begin a commit message with a verb, as in "Show prices with dots". Say why below it.
- Write one sentence for users into changes/NUMBER.md, with the number of the issue
  (for example changes/{ISSUE}.md).
- If main has moved on, rebase your branch. Do not merge main into it.
- Lan reviews on weekends. She is a volunteer.
"""
MONEY = '''\
"""Money in đồng."""


def vnd(amount):
    """Write 1250000 as "1.250.000 ₫"."""
    return f"{amount:,}".replace(",", ".") + " ₫"
'''
TEST_MONEY = """\
import unittest

from deskkit.money import vnd


class MoneyTest(unittest.TestCase):
    def test_dots_part_the_thousands(self):
        self.assertEqual(vnd(1250000), "1.250.000 ₫")

    def test_small_amounts_have_no_dot(self):
        self.assertEqual(vnd(500), "500 ₫")
"""
PHONES = '''\
"""Phone numbers of Viet Nam."""


def mobile(text):
    """Write "+84 912 345 678" as "0912 345 678". Raises ValueError for anything else."""
    digits = "".join(sign for sign in text if sign.isdigit())
    if digits.startswith("84"):
        digits = "0" + digits[2:]
    if len(digits) != 10 or not digits.startswith("0"):
        raise ValueError(f"{text!r} is no mobile number")
    return f"{digits[:4]} {digits[4:7]} {digits[7:]}"
'''
TEST_PHONES = """\
import unittest

from deskkit.phones import mobile


class PhonesTest(unittest.TestCase):
    def test_the_country_code_becomes_a_zero(self):
        self.assertEqual(mobile("+84 912 345 678"), "0912 345 678")

    def test_a_short_number_is_refused(self):
        with self.assertRaises(ValueError):
            mobile("0912")
"""
HOURS = '''\
"""Opening hours of a shop."""

from datetime import time


def read(text):
    """Turn "08:00-22:00" into two times: when it opens and when it closes."""
    opens, closes = text.split("-")
    return time.fromisoformat(opens.strip()), time.fromisoformat(closes.strip())


def is_open(opens, closes, now):
    """Say whether a shop is open now. From its closing time on it is closed."""
    return opens <= now < closes
'''
TEST_HOURS = """\
import unittest
from datetime import time

from deskkit.hours import is_open, read


class HoursTest(unittest.TestCase):
    def test_hours_are_read(self):
        self.assertEqual(read("08:00-22:00"), (time(8), time(22)))

    def test_open_at_noon(self):
        self.assertTrue(is_open(time(8), time(22), time(12)))

    def test_closed_before_it_opens(self):
        self.assertFalse(is_open(time(8), time(22), time(7)))
"""
REPLY = '''\
"""Answers to customers, put together from the other modules."""

from deskkit.hours import is_open, read
from deskkit.money import vnd
from deskkit.shops import SHOPS


def opening(shop, now):
    """Answer "are you open?" at the time `now`."""
    opens, closes = read(SHOPS[shop]["hours"])
    if is_open(opens, closes, now):
        return "Dạ, quán đang mở cửa ạ."
    return f"Dạ, quán đã đóng cửa. Quán mở lại lúc {opens:%H:%M} ạ."


def price(shop, dish):
    """Answer "how much is it?"."""
    return f"Dạ, {dish} giá {vnd(SHOPS[shop]['prices'][dish])} ạ."
'''
SHOPS = '''\
"""The shops that this desk answers for."""

SHOPS = {
    "pho-sang": {"hours": "06:00-11:00", "prices": {"phở bò": 55000}},
    "bun-dem": {"hours": "18:00-02:00", "prices": {"bún riêu": 45000}},
}
'''
TEST_REPLY = """\
import unittest
from datetime import time

from deskkit.reply import opening, price


class ReplyTest(unittest.TestCase):
    def test_open_in_the_morning(self):
        self.assertIn("đang mở cửa", opening("pho-sang", time(7)))

    def test_a_closed_shop_says_when_it_opens(self):
        self.assertIn("06:00", opening("pho-sang", time(12)))

    def test_a_price_is_written_with_dots(self):
        self.assertIn("55.000 ₫", price("pho-sang", "phở bò"))
"""

HISTORY = (
    Change(
        LAN,
        "2026-01-05 20:00:00 +0700",
        "Write amounts of money with dots\n\nA customer read 1250000 as 125,000.",
        {
            ".gitignore": "__pycache__/\n.ipynb_checkpoints/\n.DS_Store\n",
            "README.md": README,
            "LICENSE": LICENCE,
            "deskkit/__init__.py": '"""Small answers for a help desk in Hà Nội."""\n',
            "deskkit/money.py": MONEY,
            "tests/__init__.py": "",
            "tests/test_money.py": TEST_MONEY,
        },
    ),
    Change(
        LAN,
        "2026-01-11 10:30:00 +0700",
        "Write mobile numbers in one way\n\nThe list of callers had each number twice.",
        {"deskkit/phones.py": PHONES, "tests/test_phones.py": TEST_PHONES},
    ),
    Change(
        HUY,
        "2026-01-24 21:15:00 +0700",
        "Say whether a shop is open\n\nIt is what customers ask most.",
        {"deskkit/hours.py": HOURS, "tests/test_hours.py": TEST_HOURS},
    ),
    Change(
        LAN,
        "2026-01-31 09:45:00 +0700",
        "Answer from the hours and prices of two shops",
        {
            "deskkit/shops.py": SHOPS,
            "deskkit/reply.py": REPLY,
            "tests/test_reply.py": TEST_REPLY,
        },
    ),
    Change(
        LAN,
        "2026-02-01 09:10:00 +0700",
        "Say how to contribute\n\nThree people asked the same questions.",
        {
            "CONTRIBUTING.md": CONTRIBUTING,
            "changes/README.md": "One file for each change: a sentence for users.\n",
        },
    ),
)

REPORT = f"""\
Issue {ISSUE}: The desk says "closed" while the shop is open
Written by a customer of bún đêm (sample), 1 March 2026, 00:40

I asked "quán còn mở không?" at half past midnight. The answer: "Dạ, quán đã đóng cửa."
But I was sitting in the shop! They are open from six in the evening until two at night.
I think your server has the wrong time zone.
"""

HUYS_CHANGE = Change(
    HUY,
    "2026-03-07 21:00:00 +0700",
    "Keep a shop without closing time open\n\n"
    "Shops that never close are entered as 00:00-00:00, and were never open.",
    {
        "deskkit/hours.py": HOURS.replace(
            "    return opens <= now < closes\n",
            "    return opens == closes or opens <= now < closes\n",
        ),
        "tests/test_hours.py": TEST_HOURS.replace(
            "    def test_open_at_noon",
            "    def test_open_all_day_if_it_opens_when_it_closes(self):\n"
            "        self.assertTrue(is_open(time(0), time(0), time(3)))\n\n"
            "    def test_open_at_noon",
        ),
        "changes/15.md": "Shops that never close are now open at any time.\n",
    },
)


# --- right and wrong versions of hours.py, to try the student's tests on -------------------------


def hours_with(body: str) -> str:
    """Return deskkit/hours.py with another body of `is_open` (lines already indented)."""
    return HOURS.replace("    return opens <= now < closes\n", body)


RIGHT = hours_with(
    "    if opens <= closes:\n"
    "        return opens <= now < closes\n"
    "    return now >= opens or now < closes\n"
)
"""Issue 12 is mended, nothing else is changed."""

_WRONG = {
    "the bug is back": HOURS,
    "a shop open past midnight never closes": RIGHT.replace("now >= opens or now < closes", "True"),
    "it closes one minute too late": RIGHT.replace("or now < closes", "or now <= closes"),
}


def right_hours(*, with_huys: bool) -> str:
    """Return hours.py with issue 12 mended; with_huys: on top of Huy's change."""
    return _with_huys(RIGHT) if with_huys else RIGHT


def wrong_hours(*, with_huys: bool) -> dict[str, str]:
    """Return versions of hours.py that a good test notices, by what is wrong with them."""
    return {what: _with_huys(text) if with_huys else text for what, text in _WRONG.items()}


def _with_huys(text: str) -> str:
    start = '    """Say whether a shop is open now. From its closing time on it is closed."""\n'
    return text.replace(start, start + "    if opens == closes:\n        return True\n")


def reformatted(text: str) -> str:
    """Return Python code as an editor with other settings would save it: indented by two."""
    lines = []
    for line in text.splitlines(keepends=True):
        bare = line.lstrip(" ")
        lines.append(" " * ((len(line) - len(bare)) // 2) + bare)
    return "".join(lines)
