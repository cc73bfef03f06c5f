"""Vietnamese letters: with and without their marks."""

from __future__ import annotations

import unicodedata


def strip_marks(text: str) -> str:
    """The text without Vietnamese marks, its case kept: ``Đổi trả`` becomes ``Doi tra``."""
    split = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def unmark(text: str) -> str:
    """Lower-case text without Vietnamese marks: ``Đổi trả`` becomes ``doi tra``."""
    return strip_marks(text.lower())


def has_marks(text: str) -> bool:
    """Whether the text is written with Vietnamese letters or marks."""
    return any(ord(letter) > 127 and letter.isalpha() for letter in text)
