"""The Hanoi data: rebuilt byte for byte, grounded, in NFC, and apart from what it is tested on."""

import json
import re
import unicodedata

import pytest
from osai.authoring import hanoi as build
from osai.chatbot import address, checks, hanoi
from osai.chatbot.conversations import ConversationError, load, training_messages
from osai.chatbot.evaluation import judge, load_cases
from osai.chatbot.reply import Reply
from osai.chatbot.shops import load_shops


@pytest.fixture(scope="module")
def pairs():
    return hanoi.conversations_with_shops()


def test_the_training_data_is_what_the_command_builds():
    phrasings = json.loads((hanoi.folder() / "phrasings.json").read_text(encoding="utf-8"))
    for name, text in build.build(phrasings).items():
        assert (hanoi.folder() / name).read_bytes() == text.encode(), f"{name} is stale"


def test_there_are_about_300_conversations_and_20_intents(pairs):
    assert len(pairs) >= 300
    assert len({conversation.intent for _, conversation in pairs}) >= 20


def test_every_number_of_a_training_reply_stands_in_its_prompt(pairs):
    for shop, conversation in pairs:
        *before, last = training_messages(shop, conversation)
        known = " ".join(message.content for message in before)
        digits = set(re.findall(r"\d+", last.content)) - set(re.findall(r"\d+", known))
        assert not digits, f"{conversation.id}: {digits} in {last.content!r}"


def test_every_training_reply_keeps_the_rules_of_service(pairs):
    for _, conversation in pairs:
        message, reply = conversation.messages[0].content, conversation.messages[-1].content
        terms = address.detect(message)
        for check in (
            checks.customer_term(reply, [terms.customer]),
            checks.self_term(reply, [terms.self_]),
            checks.polite(reply),
            checks.in_vietnamese(reply),
        ):
            assert check.passed, f"{conversation.id}: {check} in {reply!r}"


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
    training = [masked(conversation.messages[0].content) for _, conversation in pairs]
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
