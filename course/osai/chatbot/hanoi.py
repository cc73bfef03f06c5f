"""The course's own data about shops in Hanoi: training conversations and held-out customers."""

from __future__ import annotations

from pathlib import Path

from osai.chatbot import cases, conversations, model
from osai.chatbot.cases import Case
from osai.chatbot.conversations import Conversation, ConversationError, Message
from osai.chatbot.model import Chatbot
from osai.chatbot.shops import Shop, load_shops, load_shops_jsonl
from osai.places import data_dir


def folder() -> Path:
    """``data/hanoi`` of the checkout, else the copy in the installed package."""
    return data_dir() / "hanoi"


def shops() -> dict[str, Shop]:
    """The hand-written shop files by stem; no training conversation is set in any of them."""
    return load_shops(folder() / "shops")


def adapter() -> Path:
    """Folder of the finished adapter that ships with the course."""
    return folder() / "adapter"


def source(name: str) -> str | Path | None:
    """Where a chatbot of a name lies: ``base`` (None), ``finetuned`` (the adapter that ships), else the name."""
    return {"base": None, "finetuned": adapter()}.get(name, name)


def load(name: str, dtype: str = "auto") -> Chatbot:
    """A chatbot by name as in `source`, ready to reply. Adapters are merged into the weights.

    Raises ModelError.
    """
    return model.merge(model.load(source(name), dtype=dtype))


def conversations_with_shops(
    data: Path | None = None, shop_file: Path | None = None
) -> list[tuple[Shop, Conversation]]:
    """Training conversations, each with the shop it is set in.

    ``data`` is a JSON-lines file of conversations (default: the course's); ``shop_file`` a
    JSON-lines file of shops or a folder of shop files (default: ``train_shops.jsonl`` beside the
    data). Raises ConversationError or ShopError, naming line and field.
    """
    data = data or folder() / "train.jsonl"
    shop_file = shop_file or data.with_name("train_shops.jsonl")
    load = load_shops if shop_file.is_dir() else load_shops_jsonl
    known = load(shop_file)
    pairs = []
    for conversation in conversations.load(data):
        if conversation.shop not in known:
            raise ConversationError(
                f"{data}: conversation {conversation.id} is set in the shop '{conversation.shop}', "
                f"which {shop_file} does not hold. Next step: name the file of its shops."
            )
        pairs.append((known[conversation.shop], conversation))
    return pairs


def training_messages(
    data: Path | None = None, shop_file: Path | None = None
) -> list[list[Message]]:
    """What the model is trained on: every conversation with its system turn."""
    return [
        conversations.training_messages(shop, conversation)
        for shop, conversation in conversations_with_shops(data, shop_file)
    ]


def validation_messages(size: int | None = None) -> list[list[Message]]:
    """Conversations that training has not seen, with system turns: in new words, then in new shops.

    ``size``: how many of each; None for all.
    """
    where = folder()
    new_words = training_messages(where / "valid_phrasing.jsonl")
    new_shops = training_messages(where / "valid_shop.jsonl", where / "valid_shops.jsonl")
    return new_words[:size] + new_shops[:size]


def customers(name: str = "customers") -> list[Case]:
    """The held-out customers; ``customers_dev`` are those that may be looked at while building."""
    return cases.load_cases(folder() / f"{name}.jsonl")
