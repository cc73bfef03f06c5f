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
_WHEN = r"(bao gio|bao h\b|\bbh\b|bao lau|may (ngay|bua|hom)|khi nao|chung nao|hom nao|ngay nao|luc nao)"
_MINE = r"(minh|em|chi|anh|toi|bac|co|chu|mk|e)"
_RULES = (
    ("out_of_scope", r"gia vang|ha noi co mua|ty gia|gia xang|thoi tiet|troi mua|xo so|bong da (toi|hom)|bai (tap|van)|homework"
     r"|xem phim|phim (gi|nao)|tran bong|tiem (nail|toc)|recommend|quan (pho|an|cafe|bun|nhau)"),
    ("thanks", r"(?<!hong )(?<!khong )(?<!chua )\b(ngon|deo|dep|xinh|ung|thich|hai long)\b.*cam on(?! truoc)|cam on.*(ngon|dep|ung y|hai long)"),
    ("privacy", r"\b(xoa|go|bo)\b.*(thong tin|du lieu|dien thoai|sdt|tai khoan|\btt\b|\bso (cua )?" + _MINE + r"\b)"
     r"|(thong tin|du lieu|\bso\b).*\bxoa\b|(giu|luu) (so|thong tin|du lieu)|dung (goi|nhan|gui).*(quang cao|\bqc\b)"
     r"|(lay|lo|ban|giu)\b.*(\bso\b|thong tin|sdt|du lieu).*(khuyen mai|quang cao|cho ai)|\bspam\b|khoi (he thong|danh sach)|\bqcao\b|\bdelete\b"
     r"|(quang cao|khuyen mai).*(\bnua\b|lam phien)|danh sach (khach|nhan tin)|du lieu ca nhan"
     r"|(so nha|so may|so dien thoai|thong tin|\bsdt\b).*\b(bo|xoa|go)\b.*\b(het|ra|di|khoi)\b"),
    ("human", r"\bgap\b.*(nguoi|nhan vien|\bnv\b|quan ly|tu van)|goi quan ly|can nguoi (that|tu van)"
     r"|(noi chuyen|chat|trao doi|lam viec|noi) (truc tiep )?(voi|vs|cung) (nhan vien|\bnv\b|nguoi(?! hay)|quan ly)"
     r"|(\bso\b|\bxin\b|\bcho\b).*(hotline|tong dai)|(khong|dung).*\b(voi|vs) (may|bot)\b"
     r"|chuyen .*(nhan vien|nguoi that|\bnv\b)|(xin|cho) .*\b(so dien thoai|sdt)\b|tu van vien|connect|\bsupport\b|xuong bang thit|bang xuong|auto rep|\bcskh\b"
     r"|(can|muon) (nguoi|nhan vien|ai do)|nguoi that (tra loi|tu van|noi|nhan|rep|ho tro)"),
    ("ai_disclosure", r"\b(bot|may|robot|ai)\b.*\b(hay|hoac)\b.*\b(nguoi|ng)\b|\bla (bot|robot|chatbot|may)\b"
     r"|\b(nguoi|ng)\b.*\b(hay|hoac)\b.*\b(bot|may|robot|ai|tu dong)\b|\b(bot|robot) (a|ha|ak|dung|phai)\b"
     r"|(co )?phai (la )?(nguoi|bot|robot|may|ai|chatbot)\b|\bchatbot\b|(nguoi|ng) that (khong|ko|k|hong|hok|a|ha)\b"
     r"|(may|bot) (no )?tu (dap|rep|tra loi)|phan mem|go tay|nhan vien dang go|tra loi tu dong|tu dong tra loi|may tra loi"),
    ("not_received", r"(bao|ghi|hien|\btt\b|trang thai|\bapp\b|he thong|noi|web).*"
     r"(da giao|giao thanh cong|giao tc|giao roi|giao r\b|thanh cong|giao xong|da nhan|hoan thanh).*(chua|\bch\b|khong|\bko\b|\bk\b|\bdau\b|nao|\bai\b|\bma\b)"
     r"|(da giao|giao (roi|r|xong|thanh cong)|da nhan)\b.*\b(ma|nhung)\b"),
    ("refund", r"hoan (lai )?tien|tra lai tien|tra tien lai|refund|hoan tra|hoan lai|tien.*ve tai khoan|ngay tien ve|(cam|lay|nhan) lai duoc tien"
     rf"|{_WHEN}.*tien.*(\bve\b|\blai\b)|{_WHEN}.*(nhan|lay|tra|hoan|\bco\b)( lai| duoc| dc)*.* tien"
     r"|tien (hang |coc )?.*(tra lai|nhan lai|lay lai|hoan|chua ve|chua thay|ve chua)"),
    ("payment", r"(chuyen khoan|\bck\b|tru tien|momo).*(khong|chua|\bk\b|\bch\b) (thay|co|len|tao).*\bdon\b|kiem hang|dong kiem|kiem tra hang|(xem|mo|kiem|nhan hang|nhan)\b.*(tra tien|thanh toan)|xem hang truoc"),
    ("warranty", r"bao hanh|\bbh\b(?! (ms|moi|giao|toi|nhan|co|ship|thi|h))|warranty|guarantee"),
    ("cancel", r"\bhuy\b|\bcancel\b|(bam|dat) (lon|nham)|quay xe|(khong|\bk\b|\bko\b) lay nua|bo don"),
    ("address_change", r"(doi|sua|chuyen|thay) .*(dia chi|noi nhan|\bdchi\b|d/c)|dia chi (moi|nhan|giao)"
     r"|(giao|gui|ship) (sang|qua) (dia chi|noi|cho) khac"),
    (
        "exchange",
        r"\bdoi\b( \w+){0,3} (size|sz|mau|sang|khac|to hon|lon hon)\b|\bchange\b|\bswap\b|exchange"
        r"|(khong|\bk\b|\bko\b) vua\b|\bdoi (duoc|dc|qua|lay)\b|muon doi\b|\bdoi (hang|san pham)\b",
    ),
    ("delivery_delay", r"(giao|ship|\bdon\b|hang|\bdoi\b|\bcho\b).*(\bcham\b|\btre\b(?! em)|\blau (qua|the|du|vay|ghe"
     r"|roi|lam|kinh)\b|qua hen|sai hen|tre hen)|\b(cham|tre)\b(?! em).*(giao|ship|\bdon\b)|\bgiuc\b|\b(doi|cho|giao|ship)\b( \w+){0,3} hoai\b"
     r"|\b(hen|noi|hua|bao)\b.*(giao|toi|nhan).*(chua|\bch\b|khong thay|k thay)|van (chua|ch|k|ko|khong) (thay|toi|co|nhan|giao|den)"
     r"|(chua|\bch\b|khong|\bk\b) thay (dau|hang|giao|ship)|(hong|cho|doi) dai co|\bdoi\b( \w+){0,2} mai\b(?! (toi|minh|em|chi|anh))|\bcho mai\b|hoi lau|bao gio moi|(giao|hang|\bdon\b|ship).*\bmai (khong|k|ko|chua|ch|van)\b"
     r"|im (im|lang|re|thin|hoi)|(\d+|hai|ba|bon|nam|sau|bay|may|ca) (ngay|hom|bua|tuan) (roi|r|nay)\b.*(giao|hang|thay|nhan|dau|chua)"
     r"|(giao|hang|don).*(\d+|hai|ba|bon|nam|may|ca) (ngay|hom|bua|tuan) (roi|r)\b"),
    ("return", r"tra (lai )?(hang|do|may|sach|cai|chiec|ao|giay|vay|khan|cuon|bo)\b|tra lai|doi tra|hoan hang|gui tra|(gui|goi) nguoc|\breturn\b|\btra (trong|duoc|dc)\b"
     r"|(muon|can|dinh|xin|dem|mang|cho) (" + _MINE + r" )?tra\b(?! (tien|gop|truoc|loi|sau|bang))"),
    ("vat_invoice", r"hoa don|\bvat\b|\bhd\b|ma so thue|\bmst\b|invoice"),
    ("holiday_hours", r"\btet\b|nghi (le|tet)|dip le|30/4|2/9|quoc khanh|noel|giao thua|thang chap|am lich|\b(mung|mong) (\d|mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi|may)\b"),
    ("complaint", r"(qua|rat) te\b|te (qua|that|hai|nhi)|that vong|coi thuong|thai do|\bmop\b|\bdom\b|rach|\bbuc\b"
     r"|bi vo|\bvo (het|ca|tan)|lua (dao|khach)|hang (gia|loi|nhai|deu)|\bfake\b|kem chat luong|lam an|\bdo te\b"
     r"|khac (han |xa )?(voi )?(hinh|anh|mo ta)|quan ly thi truong|(khong|\bk\b|\bko\b) hai long|vo trach nhiem"
     r"|(dung (mot|1)\b.*|\bda )hong\b(?! (shop|em|ban|anh|chi))|boc phot|bao cong an|qua dang|vo ly|tao lao|tray xuoc|\bnat\b|tho lo|coc can"
     r"|ton trong|\bbeu\b|tay chay|len mang|thien ha|\b(1|mot) sao|giao (nham|sai|thieu)|thieu (hang|mon|do)|chan (qua|that|han)"),
    ("shipping_fee", r"free\s?ship|(free|mien phi).*(giao|ship|van chuyen)|(giao|ship|van chuyen).*(free|mien phi)"
     r"|(phi|tien|fee|cuoc|gia) (ship|giao|van chuyen|gui)\b|(ship|giao|van chuyen|gui).*(bao nhieu|\bbn\b|nhieu|nhiu|\bphi\b|\bfee\b|mat)"
     r"|(bao nhieu|\bbn\b).*\b(ship|phi giao|bao .*giao)|mat phi giao|\b(phi|fee)\b.*(giao|ship|gui)"),
    ("payment", r"thanh toan|chuyen khoan|\bck\b|\bcod\b|tra tien|\bthe\b.*(dc|duoc)|momo|zalo\s?pay|\bqr\b"
     r"|tien mat|\bcash\b|tra gop|quet (the|ma)|\bpay(ment)?\b|vi dien tu|ca the\b|visa"),
    ("order_status", rf"(?<!tu )\bdon\b|{_WHEN}.*(giao|\bco\b|toi|\bden\b|nhan|\bve\b)|giao (chua|toi|den|luc)|shipper"
     r"|gui (di )?(chua|\bch\b)|tracking|theo doi|\bhang (cua|toi|ve|den|dang|di den) |van don|ma van|(?<!cua )hang " + _MINE + r"\b"
     r"|(dat|mua|order)\b.*(hom|toi|tuan|ngay|thu|\bt\d|sang|chieu).*(chua|\bch\b|\bdau\b|giao|gui|nao|gio)"),
    ("opening_hours", r"may (gio|h\b)|mo cua|dong cua|con mo|co mo|gio (lam|mo|dong)|lam viec den|\bopen\b|dia chi|\d+ ?(h|gio) .*\bmo\b"
     r"|o dau|chi nhanh (nao|o )|co so|d/c|\bmo (den|toi|luc|khong|ko|k|hong|hay)\b|chay qua|showroom|so nha|cho nao|duong nao"
     r"|\b(ghe|qua) (qua|shop|cua hang|tiem|xem|mua)\b|(chu nhat|cuoi tuan|\bcn\b|thu (hai|ba|tu|nam|sau|bay|\d)).*\b(mo|ban|nghi)\b"),
    ("price", r"(?<!ty )\bgia\b(?! (vi|dung|tri)\b)|bao nhieu|\bbn\b|nhiu\b|nhieu (tien|vay|1|mot)|may tien|price|how much|giam gia|khuyen mai|\bsale\b"
     r"|bot (duoc|dc|khong|k|ko|chut|xiu|cho)|het bao"),
    ("stock", r"\bcon\b|het (hang|chua|roi)|san hang|co (san|hang|mau|size|ban)|\bin stock\b|(muon|can|dinh) mua|dat mua|con hang"),
    ("thanks", r"cam on(?! truoc)|cam un|\btks\b|\bthank|\bung (ho|lam|y|qua|ghe)|xinh|dep (lam|qua|xiu|ghe|that)|tuyet voi"
     r"|hai long|nhiet tinh|goi (hang )?ky|doi on|(5|nam) sao|tot (lam|qua)"),
)  # fmt: skip
# Where the marks decide, a text that has marks is matched as it is written.
_MARKED = {
    "exchange": r"\bđổi\b(?! (địa|ý|trả))|\bchange\b|\bswap\b|exchange|(không|\bk\b|\bko\b) vừa\b|chật|hơi rộng|rộng quá",
    "cancel": r"\b(hủy|huỷ|hũy|cancel)\b|(không|\bk\b|\bko\b) lấy nữa|bỏ đơn|(bấm|đặt) (lộn|nhầm)|quay xe",
}  # fmt: skip


# Without its marks a word can look like another that a rule looks for: "thế" like "thẻ" (card), "gấp"
# like "gặp" (meet), "con" (a child) like "còn" (still there). Where marks are written, these words
# are taken out before the rules look.
_LOOKALIKES = re.compile(
    r"\b(con|cơn|cồn|(?<!lâu )thế|thể|gấp|gập|trẻ|tre|già|gia|giã|chợ|chỗ|chó|đời|đôi|đội|đồi|đói|huy|cô|cố|cổ|cỏ|cờ"
    r"|cơ|đón|dọn|dồn|đòn|sổ|bộ|bố|gỗ|gõ|vợ|vở|quà|quả|mừng|mủng|mùn|phím|ghế|mơ|mỡ|mợ|mồ|đầu|dầu|dấu|trà"
    r"|bạn|bàn|bức|lẩu|lau|nát|chấm|chăm|đoái hoài|bếp từ đơn)\b"
)


def unmark(text: str) -> str:
    """Lower-case text without Vietnamese marks: ``Đổi trả`` becomes ``doi tra``."""
    split = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def has_marks(text: str) -> bool:
    """Whether the text is written with Vietnamese letters or marks."""
    return any(ord(letter) > 127 and letter.isalpha() for letter in text)


def intent(message: str) -> str | None:
    """The intent of a message by the first rule that matches; None where none does."""
    written = unicodedata.normalize("NFC", message).lower()
    marked = has_marks(message)
    plain = unmark(_LOOKALIKES.sub("~", written) if marked else message)
    for name, pattern in _RULES:
        found = (
            re.search(_MARKED[name], written)
            if marked and name in _MARKED
            else re.search(pattern, plain)
        )
        if found:
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
        r"(qua|tre|sai|lo) hen|qua (ngay|han)|tre (mat |hon )?(\d+|hai|ba|may) (ngay|hom)"
        r"|(dang le|le ra|dung ra).*(hom qua|hom kia|tuan truoc)|(hen|hua|noi|bao)\b.*(hom qua|hom kia|tuan truoc|bua truoc)"
        r"|(hom qua|hom kia|tuan truoc)\b.*(hen|hua)\b",
        plain,
    ):
        return True
    if eta is None:
        return False
    day, month, year = (int(part) for part in eta.split("/"))
    return any(named > date(year, month, day) for named in days_named(message, year))


_NUMBERS = ("khong", "mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi")
_DAYS = {"ngay": 1, "hom": 1, "bua": 1, "tuan": 7, "thang": 30}


def days_waited(message: str) -> int:
    """The longest time a message speaks of, in days (*hơn 1 tuần*, *mười ngày*); 0 for none."""
    found = re.findall(
        rf"\b(\d{{1,3}}|{'|'.join(_NUMBERS)}|ca|hon) ({'|'.join(_DAYS)})\b(?! \w+ lich)",
        unmark(message),
    )
    return max(
        (
            _DAYS[unit] * (int(n) if n.isdigit() else _NUMBERS.index(n) if n in _NUMBERS else 1)
            for n, unit in found
        ),
        default=0,
    )


def needs_person(
    name: str | None, message: str, status: str | None, eta: str | None, refund_days: int
) -> bool:
    """Whether the rules of service want a person to take over (see ``data/hanoi/README.md``).

    ``status`` and ``eta`` are those of the order the message names, None where it names none;
    ``refund_days`` are the shop's own.
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
        return days_waited(message) > refund_days or bool(
            re.search(
                r"qua (han|lau)|ca (thang|tuan)|(thang|(?<!cuoi )tuan) (nay|roi|r)\b|(chua|\bch\b|khong|\bk\b)"
                r" (thay|nhan|co|ve|dc|duoc)|mai (chua|khong)",
                plain,
            )
        )
    if name == "vat_invoice":
        return bool(re.search(r"\bsai\b|nham|dieu chinh|sua", plain))
    if name == "warranty":
        return bool(re.search(r"tu choi|khong (chiu|nhan|cho)|bi tra ve", plain))
    if name == "payment":
        return bool(
            re.search(
                r"(khong|chua|\bk\b|\bch\b) (thay|co|len|tao).*\bdon\b|(tru|mat|chuyen) (tien )?(roi|r)\b|bi tru|tru tien",
                plain,
            )
        )
    return False
