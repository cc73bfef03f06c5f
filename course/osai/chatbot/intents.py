"""What a customer wants: the intent of a message, found by words, and whether a person must take over.

A first, readable version: ordered rules, the first that matches wins. Patterns are matched on text
without marks, because many customers type none; a few need the marks (*đổi* is to exchange, *đợi*
to wait) and are matched on the text as written when it has any.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

LABELS = {
    "order_status": "xem đơn",
    "delivery_delay": "đơn chậm",
    "not_received": "chưa nhận hàng",
    "return": "trả hàng",
    "exchange": "đổi hàng",
    "refund": "hoàn tiền",
    "warranty": "bảo hành",
    "complaint": "phàn nàn",
    "address_change": "đổi địa chỉ",
    "vat_invoice": "hóa đơn",
    "payment": "thanh toán",
    "price": "hỏi giá",
    "stock": "còn hàng",
    "shipping_fee": "phí giao",
    "opening_hours": "cửa hàng",
    "cancel": "hủy đơn",
    "holiday_hours": "nghỉ lễ",
    "human": "gặp nhân viên",
    "ai_disclosure": "người hay máy",
    "privacy": "xóa thông tin",
    "thanks": "cảm ơn",
    "out_of_scope": "việc khác",
}
_NOT_YET = r"(chua|\bch\b|khong|\bko\b|\bk\b|\bdau\b|nao dau)"
_RULES = (
    ("privacy", r"\b(xoa|go)\b.*(thong tin|du lieu|dien thoai|sdt|tai khoan|\btt\b|\bso\b)"
     r"|(thong tin|du lieu|\bso\b).*\bxoa\b|giu thong tin|dung (goi|nhan).*(quang cao|\bqc\b)"
     r"|(lay|lo|ban|giu)\b.*(\bso\b|thong tin|sdt|du lieu).*(khuyen mai|quang cao|cho ai)"),
    ("ai_disclosure", r"\b(bot|may|robot|ai)\b.*\b(hay|hoac)\b.*\b(nguoi|ng)\b|\bla (bot|robot)\b"
     r"|\b(nguoi|ng)\b.*\b(hay|hoac)\b.*\b(bot|may|robot|ai|tu dong)\b|\bbot (a|ha|ak)\b"
     r"|(co )?phai (la )?(nguoi|bot|robot|may|ai)\b"),
    ("human", r"\bgap\b.*(nguoi|nhan vien|\bnv\b|quan ly|tu van)|goi quan ly|can nguoi (that|tu van)"
     r"|(noi chuyen|chat|trao doi|lam viec|noi) (voi|vs|cung) (nhan vien|\bnv\b|nguoi|quan ly)"
     r"|(\bso\b|\bxin\b|\bcho\b).*(hotline|tong dai)|(khong|dung).*\b(voi|vs) (may|bot)\b"
     r"|chuyen .*(nhan vien|nguoi that|\bnv\b)"),
    ("not_received", r"(bao|ghi|hien|\btt\b|trang thai|\bapp\b|he thong).*"
     rf"(da giao|giao thanh cong|giao roi|giao r\b|thanh cong|giao xong).*{_NOT_YET}"),
    ("refund", r"hoan (lai )?tien|tra lai tien|tra tien lai|refund|hoan tra|hoan lai"
     r"|(bao gio|may ngay|bao lau|khi nao).*tien.*(\bve\b|\blai\b)|tien.*ve tai khoan"),
    ("delivery_delay", r"(giao|ship|\bdon\b|hang|\bdoi\b|\bcho\b).*(\bcham\b|\btre\b(?! em)|\blau (qua|the|du|vay"
     r"|roi|lam)\b|\bhoai\b|qua hen|sai hen|tre hen)|\b(cham|tre)\b(?! em).*(giao|ship|\bdon\b)|\bgiuc\b"
     r"|\b(hen|noi|hua|bao)\b.*(giao|toi|nhan).*(chua|\bch\b|khong thay|k thay)|van chua (thay|toi|co)"
     r"|chua thay (dau|hang|giao)|\bdoi\b.*\bmai\b|\bcho mai\b|hoi lau"),
    ("payment", r"kiem hang|dong kiem|kiem tra hang|(xem|mo|kiem|nhan hang|nhan)\b.*(tra tien|thanh toan)"),
    ("warranty", r"bao hanh|\bbh\b|warranty"),
    ("cancel", r"\bhuy\b|\bcancel\b|(khong|\bk\b|\bko\b) lay nua"),
    ("address_change", r"(doi|sua|chuyen|thay) .*(dia chi|noi nhan|\bdchi\b)|dia chi (moi|nhan|giao)"),
    ("return", r"tra (lai )?(hang|do|may|sach)\b|tra lai|doi tra|hoan hang|gui tra|\breturn\b"),
    ("exchange", r"\bdoi\b.*(size|\bsz\b|mau|cai|hang|sang|san pham|quyen|khac|lon hon|to hon)"
     r"|\bchange\b|exchange|(khong|\bk\b|\bko\b) vua\b|\bdoi (duoc|dc|hang)"),
    ("vat_invoice", r"hoa don|\bvat\b|\bhd\b|ma so thue|\bmst\b|invoice"),
    ("holiday_hours", r"\btet\b|nghi le|dip le|30/4|2/9|quoc khanh|noel"),
    ("complaint", r"(qua|rat) te\b|te (qua|that|hai)|that vong|coi thuong|thai do|\bmop\b|\bdom\b|rach|\bbuc\b"
     r"|bi vo|\bvo (het|ca|tan)|lua (dao|khach)|hang gia|\bfake\b|kem chat luong|lam an|\bdo te\b"
     r"|khac (han )?(hinh|anh|mo ta)|quan ly thi truong|(khong|\bk\b|\bko\b) hai long|vo trach nhiem"
     r"|dung (mot|1).*hong|da hong|boc phot|bao cong an"),
    ("shipping_fee", r"freeship|free ship|mien phi (giao|ship|van chuyen)|(phi|tien|fee|cuoc) (ship|giao|van)"
     r"|(ship|giao|van chuyen).*(bao nhieu|\bbn\b|nhieu|nhiu|\bphi\b|\bfee\b|mat)|mat phi giao"),
    ("order_status", r"\bdon\b|bao (gio|h|lau).*(giao|\bco\b|toi|\bden\b|nhan|\bve\b)|giao (chua|toi|den|luc)"
     r"|gui (di )?(chua|\bch\b)|tracking|hang (cua|toi|ve|den)|(khi|hom|ngay|luc) nao.*(giao|toi|nhan|\bco\b|den)|chung nao"),
    ("payment", r"thanh toan|chuyen khoan|\bck\b|\bcod\b|tra tien|\bthe\b.*(dc|duoc)|momo|zalopay|\bqr\b"
     r"|tien mat|\bcash\b|tra gop|quet (the|ma)|payment"),
    ("opening_hours", r"may (gio|h\b)|mo cua|dong cua|con mo|gio (lam|mo)|lam viec den|\bopen\b|dia chi"
     r"|o dau|chi nhanh (nao|o )|co so|d/c|\bmo (den|toi|luc)|chay qua|\b(ghe|qua) (qua|shop|cua hang|tiem|xem)\b"),
    ("price", r"(?<!ty )\bgia\b|bao nhieu|\bbn\b|nhiu\b|nhieu (tien|vay|1|mot)|may tien|price"),
    ("stock", r"\bcon\b|het hang|san hang|co san|\bin stock\b"),
    ("thanks", r"cam on(?! truoc)|cam un|\btks\b|\bthank|\bung (ho|lam|y|qua)|xinh|dep (lam|qua|xiu)|tuyet voi"),
)  # fmt: skip
_WITH_MARKS = {
    "exchange": re.compile(r"đổi|change|vừa\b"),
    "cancel": re.compile(r"h[ủu][yỷ]|huỷ|cancel|nữa"),
}


def unmark(text: str) -> str:
    """Lower-case text without Vietnamese marks: ``Đổi trả`` becomes ``doi tra``."""
    split = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def has_marks(text: str) -> bool:
    """Whether the text is written with Vietnamese letters or marks."""
    return any(ord(letter) > 127 and letter.isalpha() for letter in text)


def intent(message: str) -> str | None:
    """The intent of a message by the first rule that matches; None where none does."""
    plain = unmark(message)
    written = unicodedata.normalize("NFC", message).lower()
    for name, pattern in _RULES:
        if not re.search(pattern, plain):
            continue
        marked = _WITH_MARKS.get(name)
        if marked and has_marks(message) and not marked.search(written):
            continue
        return name
    return None


def days_named(message: str, year: int) -> list[date]:
    """Days written as dd/mm or dd/mm/yyyy in a message; ``year`` completes the short form."""
    found = []
    for day, month, own_year in re.findall(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}))?\b", message):
        try:
            found.append(date(int(own_year or year), int(month), int(day)))
        except ValueError:  # 45/13 is no day
            continue
    return found


def promise_broken(message: str, eta: str | None) -> bool:
    """Whether the message itself says that the promised day has passed; no clock is read.

    Either in words (*quá hẹn*, *hẹn … hôm qua*) or by naming a day after ``eta`` (dd/mm/yyyy).
    """
    plain = unmark(message)
    if re.search(
        r"(qua|tre|sai|lo) hen|(hen|hua|noi|bao)\b.*(hom qua|hom kia|tuan truoc|bua truoc)"
        r"|(hom qua|hom kia|tuan truoc)\b.*(hen|hua)\b",
        plain,
    ):
        return True
    if eta is None:
        return False
    day, month, year = (int(part) for part in eta.split("/"))
    return any(named > date(year, month, day) for named in days_named(message, year))


def needs_person(name: str | None, message: str, status: str | None, eta: str | None) -> bool:
    """Whether the rules of service want a person to take over (see ``data/hanoi/README.md``).

    ``status`` and ``eta`` are those of the order the message names, None where it names none.
    """
    plain = unmark(message)
    if name in ("complaint", "human", "privacy", "not_received"):
        return True
    if name in ("delivery_delay", "order_status"):
        return promise_broken(message, eta)
    if name == "address_change":
        return status == "shipping"
    if name == "cancel":
        return status in ("preparing", "shipping")  # the bot itself cannot cancel anything
    if name == "refund":
        return bool(
            re.search(
                r"qua (han|lau)|ca (thang|tuan)|(thang|tuan) (nay|roi|r)\b|(chua|\bch\b|khong|\bk\b)"
                r" (thay|nhan|co|ve|dc|duoc)|mai (chua|khong)",
                plain,
            )
        )
    if name == "vat_invoice":
        return bool(re.search(r"\bsai\b|nham|dieu chinh|sua", plain))
    if name == "payment":
        return bool(re.search(r"(tru|mat|chuyen) (tien )?(roi|r)\b|bi tru|tru tien", plain))
    return False
