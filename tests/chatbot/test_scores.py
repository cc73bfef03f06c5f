"""Shares with intervals, and the comparison of two systems."""

import pytest
from osai.chatbot.cases import Case
from osai.chatbot.checks import Check
from osai.chatbot.evaluation import Judged
from osai.chatbot.reply import Reply
from osai.chatbot.scores import difference, shares, wilson


def handed(pairs: list[tuple[bool | None, bool]]) -> list[Judged]:
    """One case a pair: whether a person was due, and whether the reply passed the customer on."""
    return [
        Judged(
            Case(str(i), "s", "m", "human", "bare", (), (), (), (), due),
            Reply("Dạ", "human", (), handoff=done),
            (Check("handoff", due in (None, done)),),
        )
        for i, (due, done) in enumerate(pairs)
    ]


def judged(outcomes: str, intent: str = "price") -> list[Judged]:
    """One case a letter: ``+`` passes, ``-`` fails the second of two checks."""
    return [
        Judged(
            Case(str(i), "s", "m", intent, "bare", (), (), (), (), None),
            Reply("Dạ", intent, ()),
            (Check("polite", True), Check("facts", outcome == "+")),
        )
        for i, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [  # statsmodels' proportion_confint(method="wilson")
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilsons_interval(passed, total, low, high):
    assert wilson(passed, total) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_no_cases_have_no_share():
    assert shares([]) == []
    with pytest.raises(ValueError, match="no share"):
        wilson(0, 0)


def test_shares_are_counted_by_check_intent_and_style():
    found = {
        (s.group, s.name): (s.passed, s.total) for s in shares(judged("++-") + judged("-", "stock"))
    }
    assert found == {
        ("all", "every check"): (2, 4),
        ("check", "polite"): (4, 4),
        ("check", "facts"): (2, 4),
        ("intent", "price"): (2, 3),
        ("intent", "stock"): (0, 1),
        ("style", "bare"): (2, 4),
    }


def test_recall_and_precision_of_the_hand_off():
    pairs = [(True, True), (True, True), (True, False), (False, True), (False, False), (None, True)]
    found = {s.name: (s.passed, s.total) for s in shares(handed(pairs)) if s.group == "hand-off"}
    assert found == {"recall": (2, 3), "precision": (2, 3)}


def test_two_systems_are_compared_case_by_case():
    found = difference(judged("+---------++"), judged("-+++++++++++"))
    assert (found.only_first, found.only_second, found.total) == (1, 9, 12)
    assert found.gap == pytest.approx(8 / 12)
    assert found.p_value == pytest.approx(2 * 11 / 1024)
    assert 0 < found.low < found.gap < found.high <= 1


def test_a_system_does_not_differ_from_itself():
    found = difference(judged("+-+"), judged("+-+"))
    assert (found.gap, found.p_value) == (0, 1) and found.low < 0 < found.high


def test_other_cases_cannot_be_compared():
    with pytest.raises(ValueError, match="same cases"):
        difference(judged("++"), judged("+"))
