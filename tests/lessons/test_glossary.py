"""The glossary: complete rows, natural order, and words that the named lesson really uses."""

import re
import unicodedata
from pathlib import Path

import nbformat
import pytest
from osai.authoring import derived

TOP = Path(__file__).parents[2]
TEXT = (TOP / "course" / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [part.strip() for part in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|") and not re.match(r"\|[-| ]+\|$|\| English ", line)
]


def plain(text: str) -> str:
    return re.sub(r"[\s*-]+", " ", re.sub(r"\]\([^)]*\)", "]", text)).lower()


def words_of(lesson: Path, *kinds: str) -> str:
    cells = nbformat.read(lesson, as_version=4).cells
    return " ".join(
        plain(cell.source)
        for cell in cells
        if cell.cell_type in kinds and cell.id != derived.FRONT_MATTER
    )


PAGES = {path.name[:2]: words_of(path, "markdown", "code") for path in derived.lessons(TOP)}
PROSE = {path.name[:2]: words_of(path, "markdown") for path in derived.lessons(TOP)}


def test_there_are_words_and_all_text_is_nfc():
    assert len(ROWS) >= 10
    assert unicodedata.is_normalized("NFC", TEXT)


def test_words_are_in_order_and_each_is_there_once():
    words = [row[0].lower() for row in ROWS]
    assert words == sorted(set(words))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_word_has_its_vietnamese_one_sentence_and_a_lesson_that_uses_it(row):
    english, vietnamese, sentence, first = row
    assert vietnamese
    assert sentence.endswith(".")
    assert len(re.findall(r"[.!?](?= |$)", sentence)) == 1
    assert plain(english) in PAGES[first]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_no_earlier_lesson_uses_the_word(row):
    english, *_, first = row
    word = re.compile(rf"\b{re.escape(plain(english))}(s|es|d|ed|ing)?\b")
    earlier = [number for number, text in PROSE.items() if number < first and word.search(text)]
    assert not earlier, f"{english!r} is used first in lesson {earlier[0]}: name that one"
