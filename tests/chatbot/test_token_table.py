"""The table of tokens in lesson 08 is what its command makes."""

import unicodedata

import pytest
from osai.authoring import token_table
from osai.chatbot import model, tokens


def test_the_table_is_not_stale():
    # the rows of the GPT models are counted anew only where their wheel is installed
    assert token_table.table_path().read_text(encoding="utf-8") == token_table.build()


def test_every_text_stands_in_every_form_and_tokenizer_once():
    wanted = len(token_table.TEXTS) * len(token_table.FORMS) * len(token_table.TOKENIZERS)
    assert len(token_table.kept()) == wanted


def test_the_numbers_are_those_of_the_chatbots_own_count(base):
    text = token_table.TEXTS[0]
    line = token_table.kept()[text.id, "Vietnamese", token_table.BASE]
    count = tokens.tokens_per_syllable(base.tokenizer, text.vietnamese)
    assert float(line["tokens_per_syllable"]) == pytest.approx(count, abs=0.001)


def test_forms_differ_in_marks_and_in_unicode_alone():
    text = token_table.TEXTS[0]
    nfd = token_table.written(text, "NFD")
    assert unicodedata.normalize("NFC", nfd) == text.vietnamese != nfd
    assert token_table.written(text, "without marks").isascii()
    with pytest.raises(ValueError, match="There are: Vietnamese"):
        token_table.written(text, "Klingon")


def test_texts_are_nfc_and_their_ids_unique():
    for text in token_table.TEXTS:
        assert unicodedata.is_normalized("NFC", text.vietnamese)
    assert len({text.id for text in token_table.TEXTS}) == len(token_table.TEXTS)


def test_a_new_text_for_a_missing_tokenizer_says_what_to_install(monkeypatch):
    new = token_table.Text("new", "formal", "Chào bạn.", "Hello.")
    monkeypatch.setattr(token_table, "TEXTS", (new,))
    monkeypatch.setattr(token_table, "OPENAI_WHEEL", "no_such_wheel")
    with pytest.raises(model.ModelError, match=r"pip install bpe-openai==0\.1\.4"):
        token_table.build()


def test_without_the_set_up_the_command_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(token_table, "base_dir", lambda: tmp_path)
    assert token_table.main(["--check"]) == 1
    assert "make course" in capsys.readouterr().err


def test_rows_that_were_not_counted_anew_are_said_with_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(token_table, "OPENAI_WHEEL", "no_such_wheel")
    assert token_table.main(["--check"]) == 0
    assert "GPT-4 and GPT-4o were kept" in (said := capsys.readouterr().out)
    assert token_table.INSTALL in said


def test_the_command_checks_and_writes(monkeypatch, tmp_path, capsys):
    assert token_table.main(["--check"]) == 0
    whole = token_table.build()
    monkeypatch.setattr(token_table, "table_path", lambda: tmp_path / "table.csv")
    monkeypatch.setattr(token_table, "build", lambda: whole)
    assert token_table.main(["--check"]) == 1
    assert token_table.main([]) == 0
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == whole
