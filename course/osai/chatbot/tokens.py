"""Tokens and Vietnamese syllables: what a text costs, and how to give frequent syllables tokens.

A tokenizer learned on English cuts Vietnamese into single bytes: *được* costs five tokens where
*the* costs one. `learn_merges` goes on with byte-pair encoding (Sennrich et al., 2016) from where
the base stopped, on Vietnamese text; `extend` appends the new merges after the base's own, so that
every text without them keeps its tokens and decoding stays exact. (Adding whole words beside the
BPE does not work: " tra" would split " trang", and words after a space would not match.)
"""

from __future__ import annotations

import functools
import html
import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Merge = tuple[str, str]


def syllables(text: str) -> list[str]:
    """The syllables of a Vietnamese text: runs of letters, in NFC (numbers and signs left out)."""
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text))


def tokens_per_syllable(tokenizer: PreTrainedTokenizerBase, text: str) -> float:
    """Mean number of tokens a syllable of the text costs; for English, read word for syllable.

    Counts the tokens of the text's letters only, so that numbers do not blur the comparison.
    Raises ValueError for a text without letters.
    """
    words = syllables(text)
    if not words:
        raise ValueError("The text has no letters, so it has no syllables to count.")
    letters = " ".join(words)
    return len(tokenizer(letters, add_special_tokens=False)["input_ids"]) / len(words)


@functools.cache
def byte_alphabet() -> dict[str, int]:
    """The byte behind each letter of byte-level BPE's own alphabet (GPT-2's table).

    Printable bytes stand for themselves, the others follow from U+0100 on.
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {
        chr(0x100 + i): byte for i, byte in enumerate(rest)
    }


def _inside_letter(pair: Merge) -> bool:
    """Whether the border of a pair cuts a letter: a UTF-8 continuation byte follows it."""
    return byte_alphabet().get(pair[1][0], 0) & 0xC0 == 0x80


def pieces(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """Each token as readable text; bytes that are no whole letter are shown as ``⟨e1⟩``."""
    table = byte_alphabet()
    shown = []
    for token in tokenizer.convert_ids_to_tokens(list(ids)):
        try:
            raw = bytes(table[letter] for letter in token)
            shown.append(raw.decode("utf-8"))
        except KeyError:
            shown.append(token)  # a special token, written as it is
        except UnicodeDecodeError:
            shown.append("".join(f"⟨{byte:02x}⟩" for byte in raw))
    return shown


def as_html(
    tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], learned: Sequence[bool] | None = None
) -> str:
    """Tokens as boxes for a notebook; where ``learned`` is true a box is dark, bold, underlined."""
    boxes = []
    for i, piece in enumerate(pieces(tokenizer, ids)):
        text = html.escape(piece).replace("\n", "⏎").replace(" ", "␣")
        style = "border:1px solid #888;border-radius:3px;padding:0 2px;margin:1px;"
        if learned is not None and learned[i]:
            style += "background:#0b3d63;color:#fff;font-weight:bold;text-decoration:underline;"
        boxes.append(f'<span style="{style}display:inline-block">{text}</span>')
        if piece.endswith("\n"):
            boxes.append("<br>")
    return f'<div style="line-height:1.9">{"".join(boxes)}</div>'


def learn_merges(
    tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], size: int, least: int = 4
) -> list[Merge]:
    """Learn up to ``size`` new merges by going on with byte-pair encoding on ``texts``.

    Each round joins the pair of neighbouring tokens that is most frequent inside the words, ties
    broken by the pair itself; stops when no pair occurs ``least`` times. Pairs that cut a letter
    go first, however rare: a letter that is one token cannot be written by half. A merge is a
    pair of token strings in the tokenizer's own alphabet (bytes as letters, ``Ġ`` for a space).
    Only words of letters and the sign ₫ are merged: numbers stay digit by digit, because they must
    be copied exactly.
    """
    split = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str
    words = Counter(
        word
        for text in texts
        for run in re.findall(r" ?(?:[^\W\d_]+|₫)", unicodedata.normalize("NFC", text))
        for word, _ in split(run)
    )
    model = tokenizer.backend_tokenizer.model
    pieces = {word: [token.value for token in model.tokenize(word)] for word in words}
    merges: list[Merge] = []
    while len(merges) < size:
        pairs: Counter[Merge] = Counter()
        for word, parts in pieces.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += words[word]
        best = max(
            pairs.items(),
            key=lambda item: (_inside_letter(item[0]), item[1], item[0]),
            default=None,
        )
        if best is None or (best[1] < least and not _inside_letter(best[0])):
            break
        merges.append(best[0])
        for word, parts in pieces.items():
            pieces[word] = apply_merge(parts, best[0])
    return merges


def apply_merge(parts: Sequence[str], merge: Merge) -> list[str]:
    """The pieces of one word after one merge, from left to right."""
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == merge:
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def extend(tokenizer: PreTrainedTokenizerBase, merges: Sequence[Merge]) -> PreTrainedTokenizerBase:
    """A copy of the tokenizer with the merges appended; new tokens get the next free ids.

    Raises ValueError for a tokenizer that is not byte-pair encoding, or for merges whose parts it
    does not have.
    """
    from tokenizers import Tokenizer

    state = json.loads(tokenizer.backend_tokenizer.to_str())
    model = state["model"]
    if model.get("type") != "BPE":
        raise ValueError(f"Merges need a byte-pair encoding tokenizer, not {model.get('type')}.")
    vocabulary = model["vocab"]
    next_id = max([*vocabulary.values(), *(t["id"] for t in state["added_tokens"])]) + 1
    for left, right in merges:
        if left not in vocabulary or right not in vocabulary:
            raise ValueError(f"The merge {left!r} + {right!r} has a part that is no token.")
        if left + right not in vocabulary:
            vocabulary[left + right] = next_id
            next_id += 1
        model["merges"].append([left, right])
    longer = type(tokenizer)(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)), **_settings(tokenizer)
    )
    longer.chat_template = tokenizer.chat_template
    return longer


def _settings(tokenizer: PreTrainedTokenizerBase) -> dict[str, object]:
    return {
        **tokenizer.special_tokens_map,
        "model_max_length": tokenizer.model_max_length,
        "clean_up_tokenization_spaces": False,
    }


def grow_embedding(
    model: PreTrainedModel, base: PreTrainedTokenizerBase, longer: PreTrainedTokenizerBase
) -> list[int]:
    """Give the new tokens of ``longer`` rows in the model's embedding; return their ids.

    A new row starts as the mean of the rows of its pieces in the base tokenizer. The output layer
    shares the embedding (tied weights), so a new token can be written as well as read.
    """
    import torch

    known = len(base)
    new = list(range(known, len(longer)))
    if not new:
        return new
    if len(longer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(longer), mean_resizing=False)
    layers = (model.get_input_embeddings(), model.get_output_embeddings())
    tables = {layer.weight.data_ptr(): layer.weight for layer in layers}  # one where they are tied
    with torch.no_grad():
        for token in new:
            pieces = base.backend_tokenizer.model.tokenize(longer.convert_ids_to_tokens(token))
            for weight in tables.values():
                weight[token] = weight[[piece.id for piece in pieces]].mean(dim=0)
    return new
