"""New tokens for Vietnamese: cheaper, exact, and no change for anything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osai.chatbot import tokens


@pytest.fixture(scope="module")
def merges(base, conversations):
    texts = [message.content for messages in conversations for message in messages]
    return tokens.learn_merges(base.tokenizer, texts, size=300)


@pytest.fixture(scope="module")
def longer(base, merges):
    return tokens.extend(base.tokenizer, merges)


def ids(tokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_syllable_is_a_run_of_letters_in_either_unicode_form():
    assert tokens.syllables("Dạ, 2 đơn BH1042 ạ!") == ["Dạ", "đơn", "BH", "ạ"]
    assert tokens.syllables("Da\u0323") == ["Dạ"]


def test_a_text_without_letters_has_no_price_per_syllable(base):
    with pytest.raises(ValueError, match="no letters"):
        tokens.tokens_per_syllable(base.tokenizer, "12 345 !")


def test_vietnamese_costs_more_than_english_and_less_after(base, longer):
    english = tokens.tokens_per_syllable(base.tokenizer, "Where is my order, please?")
    before = tokens.tokens_per_syllable(base.tokenizer, "Đơn hàng của chị đang ở đâu ạ?")
    after = tokens.tokens_per_syllable(longer, "Đơn hàng của chị đang ở đâu ạ?")
    assert english < 1.5 < 2 < before
    assert after < before / 1.5


def test_english_and_code_keep_their_tokens(base, longer):
    for text in ("The quick brown fox.", "def f(x):\n    return x + 1", "<|im_start|>user\nHi"):
        assert ids(base.tokenizer, text) == ids(longer, text)


def test_numbers_stay_digit_by_digit(longer):
    assert len(ids(longer, "1.250.000")) == len("1.250.000")
    assert len(ids(longer, "BH1042")[-4:]) == 4
    assert tokens.pieces(longer, ids(longer, "1042")) == ["1", "0", "4", "2"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ạảãáàđơưê nghtrc123.,\n€😀"), max_size=60))
def test_decoding_gives_the_text_back(longer, text: str):
    assert longer.decode(ids(longer, text), clean_up_tokenization_spaces=False) == text


def test_a_saved_tokenizer_is_the_same(longer, tmp_path):
    from transformers import AutoTokenizer

    longer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = "Dạ đơn của chị đang giao, dự kiến 24/11/2026 ạ."
    assert ids(again, text) == ids(longer, text)
    assert again.chat_template == longer.chat_template


def test_special_tokens_stay_whole(base, longer):
    assert longer.special_tokens_map == base.tokenizer.special_tokens_map
    assert len(ids(longer, "<|im_end|>")) == 1


def test_new_rows_start_as_the_mean_of_their_pieces(fresh, merges):
    chatbot = fresh()
    longer = tokens.extend(chatbot.tokenizer, merges[:50])
    new = tokens.grow_embedding(chatbot.model, chatbot.tokenizer, longer)
    rows = chatbot.model.get_input_embeddings().weight.detach()
    assert new == list(range(len(chatbot.tokenizer), len(longer)))
    token = new[0]
    pieces = chatbot.tokenizer.backend_tokenizer.model.tokenize(longer.convert_ids_to_tokens(token))
    mean = rows[[piece.id for piece in pieces]].mean(dim=0)
    assert len(pieces) > 1
    assert rows[token].allclose(mean, atol=1e-6)
    assert chatbot.model.get_output_embeddings().weight.data_ptr() == rows.data_ptr()


def test_a_merge_of_unknown_parts_is_refused(base):
    with pytest.raises(ValueError, match="no token"):
        tokens.extend(base.tokenizer, [("ạạạạạ", "đđđđđ")])


def test_pieces_show_letters_bytes_and_special_tokens(base):
    shown = tokens.pieces(base.tokenizer, ids(base.tokenizer, "Dạ OK<|im_end|>"))
    assert shown == ["D", "⟨e1⟩⟨ba⟩", "⟨a1⟩", " OK", "<|im_end|>"]


def test_boxes_escape_the_text_and_mark_what_is_learned(base):
    some = ids(base.tokenizer, "<b>x")
    page = tokens.as_html(base.tokenizer, some, [True] * len(some))
    assert "<b>" not in page and "underline" in page
