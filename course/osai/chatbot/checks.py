"""Checks of a reply: what can be tested of "right" without reading it.

Each check is a small pure function of the reply and what was known; `review` runs them all. They
find what is missing or forbidden; they do not find what is kind.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

CUSTOMER_TERMS = ("quý khách", "anh/chị", "anh chị", "anh", "chị", "cô", "chú", "bác", "ông", "bà",
                  "bạn")  # fmt: skip
SELF_TERMS = ("chúng tôi", "em", "cháu", "con", "mình", "shop")
RUDE = ("mày", "tao", "nó")
_MARKED = re.compile(
    r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE
)
_HAND_OFF = re.compile(
    r"(chuyển|báo|nhờ|gọi|mời)\b[^.?!]*\b(nhân viên|người phụ trách|bộ phận|quản lý)"
    r"|(nhân viên|người phụ trách|bộ phận|quản lý)\b[^.?!]*\b(liên hệ|gọi lại|hỗ trợ|xử lý)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Check:
    """One check of one reply: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    detail: str = ""


def nfc(text: str) -> str:
    """Lower-case text in NFC, white space made single, hard spaces made plain."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().lower()


def contains(reply: str, wanted: str) -> bool:
    """Whether ``wanted`` stands in the reply as whole words or numbers, in any case.

    ``38.000`` is found in ``38.000đ`` and ``38.000 ₫``, but ``8.000`` is not found in ``38.000``,
    nor ``14`` in ``14.000``.
    """
    text, goal = nfc(reply), re.escape(nfc(wanted))
    before = r"(?<![\d])(?<!\d[.,/])" if nfc(wanted)[:1].isdigit() else r"(?<!\w)"
    after = r"(?!\d)(?![.,/]\d)" if nfc(wanted)[-1:].isdigit() else r"(?!\w)"
    return re.search(before + goal + after, text) is not None


def numbers(text: str) -> set[str]:
    """The numbers of two or more digits in a text, as digits only (``1.250.000`` is 1250000)."""
    found = re.findall(r"\d+(?:[.,]\d{3})*(?!\d)", unicodedata.normalize("NFC", text))
    return {plain for number in found if len(plain := re.sub(r"\D", "", number)) >= 2}


def without_names(text: str) -> str:
    """The text in NFC without names of places and people: *Hai Bà Trưng* calls nobody *bà*.

    A name is a run of two or more words with a capital, the first word of a sentence not counted.
    """
    text = unicodedata.normalize("NFC", text)
    kept, run, fresh = [], [], True

    def close() -> None:
        words = [part for part in run if not part.isspace()]
        kept.extend(run if len(words) < 2 else [" "])
        run.clear()

    for part in re.findall(r"\w+|[^\w\s]|\s+", text):
        if part.isspace():
            (run if run else kept).append(part)
            continue
        if part[0].isupper() and not fresh:
            run.append(part)
        else:
            close()
            kept.append(part)
        fresh = part in ".!?"
    close()
    return "".join(kept)


def without_quotes(reply: str, texts: Sequence[str]) -> str:
    """The reply without what it quotes: the product *Xe đẩy em bé* calls nobody *em*."""
    text = unicodedata.normalize("NFC", reply)
    for quoted in texts:
        text = re.sub(rf"(?<!\w){re.escape(quoted)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text


def facts_present(reply: str, must_include: Sequence[Sequence[str]]) -> Check:
    """Every group of alternatives has one that stands in the reply."""
    missing = [group for group in must_include if not any(contains(reply, alt) for alt in group)]
    return Check("facts", not missing, f"missing: {missing}" if missing else "")


def nothing_forbidden(reply: str, must_not_include: Sequence[str]) -> Check:
    """None of the forbidden words stands in the reply."""
    found = [word for word in must_not_include if contains(reply, word)]
    return Check("forbidden", not found, f"found: {found}" if found else "")


def numbers_known(reply: str, known: str) -> Check:
    """Every number of two or more digits in the reply stands in ``known`` (facts and message)."""
    invented = sorted(numbers(reply) - numbers(known))
    return Check("numbers", not invented, f"invented: {invented}" if invented else "")


def customer_term(reply: str, accepted: Sequence[str]) -> Check:
    """The customer is called by an accepted term and by no other."""
    text = nfc(without_names(reply))
    if "mình" in accepted:
        text = re.sub(r"\bmình\b", " ", text)  # also the shop's own word; told apart by nobody
    used = []
    for term in CUSTOMER_TERMS:  # longer terms first, so that "anh/chị" is not read as "anh"
        text, count = re.subn(rf"(?<!\w){re.escape(term)}(?!\w)", " ", text)
        if count:
            used.append(term)
    wrong = [term for term in used if term not in accepted]
    if wrong:
        return Check("address", False, f"called {wrong}, expected {list(accepted)}")
    return Check("address", True, "" if used else "no term used")


def self_term(reply: str, accepted: Sequence[str]) -> Check:
    """The shop calls itself by an accepted term, where it names itself at all."""
    text = nfc(without_names(reply)).replace("trẻ em", " ")  # a child, not the speaker
    used = [term for term in SELF_TERMS if re.search(rf"(?<!\w){term}(?!\w)", text)]
    wrong = [term for term in used if term not in (*accepted, "shop", "chúng tôi")]
    return Check("self", not wrong, f"called itself {wrong}" if wrong else "")


def polite(reply: str) -> Check:
    """A word of respect (*dạ*, *vâng*, *ạ*, *xin*, *nhé*), no rude word, no shouting."""
    words = re.findall(r"\w+", nfc(reply))
    respect = {"dạ", "vâng", "ạ", "xin", "nhé"} & set(words)
    rude = [word for word in RUDE if word in words]
    shouting = "!!" in reply or (len(reply) > 8 and reply == reply.upper())
    problem = "no word of respect" if not respect else f"rude: {rude}" if rude else ""
    return Check("polite", bool(respect) and not rude and not shouting, problem)


def in_vietnamese(reply: str) -> Check:
    """Vietnamese with marks: at least a quarter of the words carry a Vietnamese letter or mark."""
    words = re.findall(r"[^\W\d_]+", nfc(reply))
    marked = sum(1 for word in words if _MARKED.search(word))
    share = marked / len(words) if words else 0.0
    return Check("language", share >= 0.25, f"{share:.0%} of {len(words)} words carry marks")


def hands_off(reply: str) -> bool:
    """Whether the reply says that a person takes over."""
    return _HAND_OFF.search(unicodedata.normalize("NFC", reply)) is not None


def hand_off(reply: str, expected: bool | None) -> Check:
    """The reply passes the customer on to a person exactly where it should; None accepts both."""
    found = hands_off(reply)
    passed = expected is None or found == expected
    return Check("handoff", passed, "" if passed else f"handed off: {found}, expected: {expected}")
