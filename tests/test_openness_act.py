"""The Act's thresholds in three answers: a doubt is never turned into a yes or a no."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from osai import openness, tables
from osai.openness import act
from osai.openness.yardsticks import Answer

YES, UNKNOWN, NO = Answer.YES, Answer.UNKNOWN, Answer.NO
ROWS = tables.load("openness", "models").data.to_dict("records")
DUTIES = tables.load("openness", "act_duties").data


def row(flop=None, basis="Epoch estimate", covers=None, **more):
    return {
        "training_compute_flop": flop,
        "compute_basis": basis,
        "compute_covers": covers,
        "weights_available": "yes",
        "weights_licence": "Apache-2.0",
        "osi_approved": "yes",
        "use_restricted": "no",
        "country": "Viet Nam",
        "tech_report": "yes",
        **more,
    }


def test_without_compute_nothing_is_known():
    for threshold in (act.GENERAL_PURPOSE, act.SYSTEMIC):
        assert act.above(row(), threshold).answer is UNKNOWN
    assert act.exemption(row()).answer is UNKNOWN


def test_the_threshold_itself_is_not_above_it():
    assert act.systemic(row(1e25)).answer is NO
    assert act.systemic(row(1.01e25)).answer is YES


def test_an_estimate_near_the_line_is_unknown_and_a_report_is_not():
    assert act.systemic(row(2e25), factor=3).answer is UNKNOWN
    assert act.systemic(row(5e24), factor=3).answer is UNKNOWN
    assert act.systemic(row(2e25, basis="reported"), factor=3).answer is YES
    assert act.systemic(row(5e24, basis="reported"), factor=3).answer is NO


def test_a_part_of_the_training_can_show_above_and_never_below():
    part = "continued pretraining"
    assert act.general_purpose(row(6e22, covers=part)).answer is UNKNOWN
    assert act.general_purpose(row(6e23, covers=part)).answer is YES


@given(st.floats(1e20, 1e27), st.floats(1, 30), st.floats(1, 30))
def test_more_doubt_never_makes_an_answer_surer(flop, factor, more):
    first = act.systemic(row(flop), factor).answer
    later = act.systemic(row(flop), factor * more).answer
    assert later in (first, UNKNOWN)


def test_a_factor_below_one_is_refused():
    with pytest.raises(openness.OpennessError, match="1 or more"):
        act.systemic(row(1e24), factor=0.5)


def test_the_thresholds_are_those_of_the_act_and_of_the_guidelines():
    assert act.line(act.SYSTEMIC) == 1e25
    assert act.line(act.GENERAL_PURPOSE) == 1e23
    assert set(DUTIES["threshold"]) == {act.SYSTEMIC, act.GENERAL_PURPOSE}
    with pytest.raises(openness.OpennessError, match="only: general-purpose model"):
        act.line("charm")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Apertus-70B-2509", YES),  # Apache-2.0
        ("Llama-3.1-405B", NO),  # a threshold of users
        ("Command R+", NO),  # non-commercial
        ("BLOOM", UNKNOWN),  # a list of forbidden uses: may be allowed for safety
        ("Kimi", UNKNOWN),  # a threshold, but nobody is shut out
    ],
)
def test_a_licence_shuts_out_users_or_is_approved_or_needs_a_lawyer(name, answer):
    found = next(one for one in ROWS if one["model"].startswith(name))
    assert act.exemption(found).requirement("free licence").answer is answer


def test_the_exemption_lifts_the_duties_that_the_act_names_and_ends_with_systemic_risk():
    lifted = set(DUTIES.query("lifted")["place"])
    assert lifted == {"Article 53(1)(a)", "Article 53(1)(b)", "Article 54"}
    free = act.duties(row(1e24))
    assert [name for name, answer in free.items() if answer is YES] == list(
        DUTIES.query("not lifted and threshold == 'general-purpose model'")["duty"]
    )
    assert set(act.duties(row(1e26)).values()) == {YES}
    assert set(act.duties(row(1e22)).values()) == {NO}


@pytest.mark.parametrize(
    ("country", "answer"),
    [("France", NO), ("Viet Nam", YES), ("Switzerland", YES), ("International", UNKNOWN)],
)
def test_only_providers_outside_the_eu_need_a_representative(country, answer):
    limited = row(1e24, osi_approved="no", use_restricted="yes", country=country)
    limited["weights_licence"] = "Llama 3.1 Community License"
    assert act.duties(limited)["representative in the EU"] is answer


def test_the_eu_countries_are_countries_of_the_table():
    assert set(act.EU) <= {one["country"] for one in ROWS}


def test_without_public_weights_there_is_no_exemption():
    assert act.exemption(row(1e24, weights_available="no")).answer is NO


def test_what_the_tables_cannot_say_is_named():
    assert "is it paid for" in repr(act.exemption(row(1e24)))


@pytest.mark.parametrize(
    ("month", "said"),
    [("2025-07", "2 August 2027"), ("2025-08", "2025 or 2027"), ("2026-01", "2 August 2025")],
)
def test_the_month_of_august_2025_alone_is_in_doubt(month, said):
    assert act.since({"release_month": month}) == said
    assert act.since({"release_month": None}) == "not known"


def test_counts_hold_every_model_once():
    for threshold, factor in itertools.product((1e23, 1e25), (1, 3, 30)):
        assert sum(act.counts(threshold, factor).values()) == len(ROWS)
    assert len(act.overview()) == len(ROWS)


def test_without_doubt_seven_models_are_above_the_second_line():
    above = act.answers(act.SYSTEMIC).query("above == 'yes'")["model"]
    assert {"GPT-4", "Llama-3.1-405B"} <= set(above)
    data = tables.load("openness", "models").data
    assert len(above) == (data["training_compute_flop"] > 1e25).sum()


def test_where_no_duty_holds_no_date_is_given():
    found = act.overview()
    none = found["above 10^23"] == "no"
    assert set(found[none]["duties from"]) == {"–"}
    assert "–" not in set(found[~none]["duties from"])


def test_each_rule_says_where_it_stands_and_what_it_binds():
    rules = act.rules()
    assert len({rule.id for rule in rules}) == len(rules) == 10
    for rule in rules:
        assert rule.binds and set(rule.binds) <= set(act.BINDS)
        assert all(url.startswith("https://") for url in rule.source_urls.split())
    assert {name for rule in rules for name in rule.binds} == set(act.BINDS)


def test_sorting_is_laid_beside_the_courses_reading():
    found = act.sort_rules({"eu-papers": "model", "rail": "model"})
    assert list(found["same"]).count("yes") == 1
    assert list(found["same"]).count("no: discuss") == 1
    assert list(found["mine"]).count("not sorted yet") == 8


@pytest.mark.parametrize(
    ("answers", "said"),
    [({"mars": "use"}, "There is no rule 'mars'"), ({"rail": "all"}, "'all' is not one of model")],
)
def test_an_unknown_rule_or_answer_is_named(answers, said):
    with pytest.raises(openness.OpennessError, match=said):
        act.sort_rules(answers)


@given(st.floats(0, 1e7), st.floats(1, 100))
def test_at_the_smallest_firm_the_cost_is_the_profit(fixed, margin):
    assert act.smallest_firm(fixed, margin) * margin / 100 == pytest.approx(fixed)


def test_a_margin_of_nothing_is_refused():
    with pytest.raises(openness.OpennessError, match="margin"):
        act.smallest_firm(1, 0)


GOOD = {
    "bind": "system",
    "line": "hiring, credit, health",
    "open_source": "no duty for those who give weights away",
    "because": "The provider chooses the purpose and sees the users.",
    "against": "The provider may know too little of the model inside.",
    "would_change_my_mind": "Most harm comes from weights used with no provider.",
}


def test_a_whole_decision_has_no_holes():
    assert act.holes(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"against": "None."}, "slogan"),
        ({"line": " "}, "whom does it bind"),
        ({"open_source": ""}, "given away"),
        ({"bind": "model"}, "which ones"),
        (
            {"bind": "use", "open_source": "no", "would_change_my_mind": GOOD["because"]},
            "call back",
        ),
    ],
)
def test_each_hole_is_asked_for(change, said):
    assert any(said in hole for hole in act.holes(GOOD | change))


def test_a_decision_without_a_key_or_with_another_target_is_refused():
    with pytest.raises(openness.OpennessError, match="needs line"):
        act.holes({key: value for key, value in GOOD.items() if key != "line"})
    with pytest.raises(openness.OpennessError, match="bind is one of"):
        act.holes(GOOD | {"bind": "everything"})
