"""Who speaks to whom: the address terms of Vietnamese service.

Vietnamese has no neutral "you" for strangers: a kinship word says age, sex and closeness. The rule
of service here: copy the customer's own word and keep it; never guess sex or age. The rules stand
in ``data/hanoi/README.md``, with their sources.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """A pair of terms: what the reply calls the customer, and what the shop calls itself."""

    customer: str
    self_: str


UNKNOWN = Address("anh/chị", "em")

PAIRS = {
    "anh": Address("anh", "em"),
    "chị": Address("chị", "em"),
    "cô": Address("cô", "cháu"),
    "chú": Address("chú", "cháu"),
    "bác": Address("bác", "cháu"),
    "ông": Address("ông", "cháu"),
    "bà": Address("bà", "cháu"),
    "mình": Address("bạn", "mình"),
    "em": Address("bạn", "mình"),
    "tôi": UNKNOWN,
}
_SPELLINGS = {
    "mk": "mình", "mik": "mình", "mình": "mình", "minh": "mình", "tớ": "mình", "t": "mình",
    "em": "em", "e": "em", "tôi": "tôi", "toi": "tôi", "tui": "tôi",
    "anh": "anh", "a": "anh", "chị": "chị", "chi": "chị", "c": "chị",
    "cô": "cô", "chú": "chú", "bác": "bác", "bac": "bác", "ông": "ông", "bà": "bà",
}  # fmt: skip
# Words that are only sometimes a person: "chi" (to spend), "bac" and single letters count when the
# whole message is typed without marks, or in the short style that goes with them.
_ONLY_UNMARKED = {"chi", "bac", "minh", "toi"}
_ONLY_BEFORE_VERB = {"a", "c", "t"}
_VERBS = {
    "muốn", "cần", "hỏi", "đặt", "mua", "chưa", "đã", "vừa", "có", "được", "nhận", "gửi", "trả",
    "thấy", "xem", "lấy", "ở", "đang", "tính", "bị", "chuyển", "thanh", "đợi", "chờ", "ko", "k",
    "không", "mới", "ck", "đổi", "hủy", "huỷ", "cũng", "vẫn", "nghe", "định", "sẽ", "ch", "dc",
    "đc", "nt", "ib", "qua", "phải", "quên", "lỡ", "cảm", "cám", "xin", "biết", "hóng", "mún", "bấm", "chốt", "khoe", "thích", "ưng", "mặc", "dùng", "đi", "về", "làm", "hay",
    "muon", "can", "hoi", "dat", "chua", "da", "vua", "co", "duoc", "nhan", "gui", "tra", "thay",
    "lay", "o", "dang", "tinh", "bi", "chuyen", "doi", "cho", "khong", "moi", "huy", "van",
}  # fmt: skip
_TO_ME = {"cho", "của", "giúp", "hộ", "gọi", "gửi", "báo", "với", "cua", "giup", "ho", "goi",
          "gui", "bao", "nhà", "rep", "lời", "loi", "để", "de", "tới"}  # fmt: skip
_NOT_ME_AFTER = {"ơi", "oi", "ấy", "ay", "ta", "shipper", "nhân", "nhan", "nv", "giao", "bưu",
                 "bán", "ban", "kia", "này", "chị", "chủ", "ngoại", "nội", "xã"}  # fmt: skip
_TO_SHOP_BEFORE = {"hả", "ha", "nhé", "nha", "nhỉ", "ạ", "à", "vậy", "không", "ko", "k", "chưa",
                   "rồi", "r", "đi", "thế", "đâu", "dâu", "đó", "luôn", "chào", "dạ", "thưa",
                   "nhờ", "khong", "chua", "vay", "roi", "di", "the"}  # fmt: skip

# Words that hold a term and mean no person: addresses, costs, children, branches.
_NO_PERSON = re.compile(
    r"địa chỉ|dia chi|đ/c|d/c|dchi|đchỉ|trẻ em|tre em|chi phí|chi phi|chi nhánh|chi nhanh|chi tiết|chi tiet"
    r"|anh/chị|anh chị|anh chi\b"
)
_OF_THE_SHOP = {"bên", "ben", "hàng", "shop", "tiệm", "quán"}  # "bên mình", "cửa hàng mình"
_ASKED = {"cho", "giúp", "xem", "kiểm", "check", "gửi", "báo", "coi", "rep", "giup"}
_PARTICLES = {"nhỉ", "ạ", "nhé", "nha", "à", "nghen", "ha", "hen"}
_GREETINGS = {"ơn", "on", "tks", "thanks", "thank", "chào", "chao", "hi", "hello", "alo", "ok"}


def of(message: str, history: Sequence[str] = ()) -> Address:
    """The terms for a conversation: those of the first message that names the customer, kept."""
    named = (pair for text in (*history, message) if (pair := detect(text)) != UNKNOWN)
    return next(named, UNKNOWN)


def detect(message: str) -> Address:
    """The address terms for a reply, from the word the customer uses for themselves.

    ``message`` is any text; marks may be missing. Falls back to *anh/chị* and *em* when the
    customer says *tôi* or nothing that names them.
    """
    text = _NO_PERSON.sub(" ", unicodedata.normalize("NFC", message).lower())
    marked = any(ord(letter) > 127 and letter.isalpha() for letter in text)
    votes: dict[str, float] = {}
    for clause in re.split(r"[.,!?;:\n…]+", text):
        words = re.findall(r"\w+", clause)
        for i, word in enumerate(words):
            term = _SPELLINGS.get(word)
            if term is None or (marked and word in _ONLY_UNMARKED):
                continue
            before = words[i - 1] if i else ""
            after = words[i + 1] if i + 1 < len(words) else ""
            if after in _NOT_ME_AFTER or (before in _TO_SHOP_BEFORE and not after):
                continue
            if before in _OF_THE_SHOP or (before in _GREETINGS and term != "mình"):
                continue
            if word in _ONLY_BEFORE_VERB and after not in _VERBS and before not in _TO_ME:
                continue
            if word == "em" and before in _TO_ME - {
                "của",
                "cho",
                "giúp",
                "hộ",
                "gọi",
                "báo",
                "nhà",
                "rep",
                "lời",
            }:
                continue
            if term == "em" and (
                (after in _ASKED and i + 2 < len(words) and words[i + 2] in _SPELLINGS)
                or (after in _PARTICLES and before not in _TO_ME)
            ):  # "em cho anh hỏi", "… em nhỉ": this is the shop
                continue
            at_end = not after and before not in _TO_ME
            if at_end and len(words) > 1:
                continue
            weight = 3.0 if before in _TO_ME else 2.0 if after in _VERBS else 1.0
            votes[term] = votes.get(term, 0.0) + (weight / 2 if word == "toi" else weight)
    if not votes:
        return UNKNOWN
    # "toi" may be "tới"; "mình" is also "our" ("đội tuyển mình"), so a word of kinship goes first
    best = max(votes, key=lambda term: (votes[term], term != "mình"))
    pair = PAIRS[best]
    if pair.self_ == "cháu" and re.search(r"\bcon\b", text) and "cháu" not in text:
        return Address(pair.customer, "con")
    return pair
