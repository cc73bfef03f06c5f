"""The Hanoi data: rebuilt byte for byte, grounded, in NFC, and apart from what it is tested on."""

import csv
import re
import unicodedata
from collections import Counter

import pytest
from osai.authoring import hanoi as build
from osai.chatbot import address, checks, facts, hanoi, intents
from osai.chatbot.cases import load_cases
from osai.chatbot.conversations import ConversationError, load, training_messages
from osai.chatbot.evaluation import judge
from osai.chatbot.reply import Reply
from osai.chatbot.shops import load_shops, texts


@pytest.fixture(scope="module")
def pairs():
    return hanoi.conversations_with_shops()


@pytest.fixture(scope="module")
def validation():
    return {
        "valid_phrasing": hanoi.conversations_with_shops(hanoi.folder() / "valid_phrasing.jsonl"),
        "valid_shop": hanoi.conversations_with_shops(
            hanoi.folder() / "valid_shop.jsonl", hanoi.folder() / "valid_shops.jsonl"
        ),
    }


def customer_words(conversation) -> list[str]:
    return [turn.content for turn in conversation.messages if turn.role == "user"]


def test_the_made_files_are_what_the_command_builds():
    for name, text in build.build(hanoi.folder()).items():
        assert (hanoi.folder() / name).read_bytes() == text.encode(), f"{name} is stale"


def test_there_are_conversations_for_every_intent_and_style(pairs):
    assert len(pairs) >= 1500
    assert {conversation.intent for _, conversation in pairs} == set(intents.INTENTS)
    assert len({conversation.style for _, conversation in pairs}) == 8
    several = [conversation for _, conversation in pairs if len(conversation.messages) > 2]
    assert len(several) >= 0.1 * len(pairs)


def test_no_intent_is_one_pattern_with_slots(pairs):
    for name in intents.INTENTS:
        own = [conversation for _, conversation in pairs if conversation.intent == name]
        asked = Counter(frozenset(masked(customer_words(one)[-1])) for one in own)
        assert len(asked) >= 0.5 * len(own), name
        assert len({one.messages[-1].content for one in own}) >= min(6, 0.2 * len(own)), name


def test_validation_asks_in_words_and_shops_that_training_has_not_seen(pairs, validation):
    asked = {masked_text for _, one in pairs for masked_text in map(shape, customer_words(one))}
    for _, one in validation["valid_phrasing"]:
        assert shape(customer_words(one)[0]) not in asked, one.id
    names = {shop.name + shop.hotline for shop, _ in pairs}
    for shop, one in validation["valid_shop"]:
        assert shop.name + shop.hotline not in names, one.id


def shape(text: str) -> str:
    return " ".join(sorted(masked(text), key=str)[0]) + str(len(masked(text)))


def test_every_number_of_a_reply_stands_in_its_prompt(pairs, validation):
    for shop, conversation in [*pairs, *validation["valid_phrasing"], *validation["valid_shop"]]:
        *before, last = training_messages(shop, conversation)
        known = " ".join(message.content for message in before)
        digits = set(re.findall(r"\d+", last.content)) - set(re.findall(r"\d+", known))
        assert not digits, f"{conversation.id}: {digits} in {last.content!r}"


def test_every_reply_keeps_the_rules_of_service(pairs):
    for shop, conversation in pairs:
        words, reply = customer_words(conversation), conversation.messages[-1].content
        spoken = checks.without_quotes(reply, texts(shop))
        terms = address.of(words[-1], words[:-1])
        found = facts.find(shop, words[-1], words[:-1], conversation.topic)
        for check in (
            checks.customer_term(spoken, [terms.customer]),
            checks.self_term(spoken, [terms.self_]),
            checks.polite(reply),
            checks.in_vietnamese(reply),
            checks.hand_off(reply, found.person),
        ):
            assert check.passed, f"{conversation.id}: {check} in {reply!r}"


def test_the_review_sheet_holds_every_sentence_once():
    with (hanoi.folder() / "review.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["id"] for row in rows}) == len(rows) > 3000
    assert {row["kind"] for row in rows} == {"customer", "shop"}
    card = (hanoi.folder() / "README.md").read_text(encoding="utf-8")
    signed = any(row["reader"] for row in rows)
    assert signed or "Not read by a native speaker yet" in card


def test_all_vietnamese_is_nfc():
    for file in sorted(hanoi.folder().rglob("*.json*")):
        text = file.read_text(encoding="utf-8")
        assert text == unicodedata.normalize("NFC", text), file.name


def masked(text: str) -> set[tuple[str, ...]]:
    """Word 5-grams with order numbers and numbers masked."""
    plain = re.sub(r"\b[A-Z]{2}\d{4}\b|\d[\d.,/]*", "#", unicodedata.normalize("NFC", text))
    words = re.findall(r"[\w#]+", plain.lower())
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


CUSTOMERS = [
    "customers",
    "customers_dev",
    "customers_dev2",
    "customers_dev3",
    "customers_dev4",
    "test",
]


@pytest.mark.parametrize("name", [*CUSTOMERS, "unseen"])
def test_no_customer_resembles_a_training_message(pairs, name: str):
    training = [masked(words) for _, one in pairs for words in customer_words(one)]
    for case in hanoi.customers(name):
        ours = masked(case.message)
        closest = max(len(ours & theirs) / len(ours | theirs) for theirs in training)
        assert closest < 0.6, f"{case.id} is too close to a training message"


@pytest.mark.parametrize("name", [*CUSTOMERS, "unseen"])
def test_what_a_right_reply_needs_stands_in_the_shop_file(name: str):
    shops = load_shops(hanoi.folder() / ("unseen" if name == "unseen" else "shops"))
    for case in hanoi.customers(name):
        # A reply made of the first alternative of each group, with right words, must pass.
        wanted = ", ".join(group[0] for group in case.must_include)
        judged = judge(case, shops[case.shop], Reply(f"Dạ {wanted} ạ", case.intent, ()))
        failed = {check.name for check in judged.checks if not check.passed}
        assert not failed & {"facts", "forbidden", "numbers"}, f"{case.id}: {judged.checks}"


def test_no_training_conversation_is_set_in_a_shop_of_the_tests(pairs):
    assert not {shop.name for shop, _ in pairs} & {shop.name for shop in hanoi.shops().values()}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ('{"id": "1"}', "'messages' is missing"),
        ('{"id":"1","shop":"s","intent":"i","style":"s","messages":"x"}', "must be a list"),
        (
            '{"id":"1","shop":"s","intent":"i","style":"s","messages":[{"role":"assistant","content":"a"}]}',
            "turns must go",
        ),
        (
            '{"id":"1","shop":"s","intent":"i","style":"s","messages":'
            '[{"role":"user","content":" "},{"role":"assistant","content":"a"}]}',
            "turn is empty",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path, line: str, problem: str):
    good = (hanoi.folder() / "train.jsonl").read_text(encoding="utf-8").splitlines()[0]
    file = tmp_path / "data.jsonl"
    file.write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(ConversationError, match=problem) as error:
        load(file)
    assert "line 3" in str(error.value)


def test_mixed_encodings_empty_files_and_missing_files_are_told(tmp_path):
    file = tmp_path / "data.jsonl"
    file.write_bytes(b'{"a": 1}\n' + "Dạ".encode("utf-16") + b"\n")
    with pytest.raises(ConversationError, match="line 2: not UTF-8"):
        load(file)
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConversationError, match="no conversation"):
        load(file)
    with pytest.raises(ConversationError, match="check the path"):
        load(tmp_path / "nowhere.jsonl")
    with pytest.raises(ConversationError, match="check the path"):
        load_cases(tmp_path / "nowhere.jsonl")


def test_the_data_card_counts_right():
    card = (hanoi.folder() / "README.md").read_text(encoding="utf-8")
    counted = 0
    for names, counts in re.findall(r"^\| (`.+?) \| ([\d, ]+)(?: each)? \|", card, re.MULTILINE):
        files = re.findall(r"`([^`]+)`", names)
        numbers = [int(part.replace(",", "")) for part in re.split(r", (?!\d{3}\b)", counts)]
        for i, name in enumerate(files):
            if not (hanoi.folder() / name).is_file() or name.endswith(".json"):
                continue
            lines = (hanoi.folder() / name).read_text(encoding="utf-8").count("\n")
            lines -= name.endswith(".csv")  # its header
            assert lines == numbers[min(i, len(numbers) - 1)], name
            counted += 1
    assert counted >= 9
