"""A student's rule, a search and a choice: each mistake is named, nothing unknown becomes a no."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from osai import openness, places, tables, work

YES, PART, NO, GAP = "yes", "part", "no", ""
CASES = [
    dict(zip(openness.FACTS, words, strict=True))
    for words in itertools.product((YES, PART, NO, GAP), repeat=5)
]
ROWS = tables.load("openness", "models").data.to_dict("records")


@pytest.fixture(autouse=True)
def own_work(tmp_path, monkeypatch):
    """Let each test have a my-work folder of its own."""
    monkeypatch.setenv("OSAI_WORK", str(tmp_path / "my-work"))
    return tmp_path / "my-work"


def good_rule(facts):
    answer = "yes"
    for word in facts.values():
        if word in ("no", "part"):
            return "no"
        if word == "":
            answer = "unknown"
    return answer


def missing_is_no(facts):
    return "yes" if set(facts.values()) == {"yes"} else "no"


def missing_is_yes(facts):
    return "no" if {"no", "part"} & set(facts.values()) else "yes"


def part_is_enough(facts):
    return good_rule({name: "yes" if word == "part" else word for name, word in facts.items()})


def points(facts):
    return "yes" if list(facts.values()).count("yes") >= 3 else "no"


def first_decides(facts):
    for word in facts.values():
        if word == "":
            return "unknown"
        if word != "yes":
            return "no"
    return "yes"


def never_yes(facts):
    return "unknown" if good_rule(facts) == "yes" else good_rule(facts)


def part_left_open(facts):
    words = set(facts.values())
    return "unknown" if words == {"yes", "part", ""} else good_rule(facts)


def licence_only(facts):
    return {"yes": "yes", "": "unknown"}.get(facts["open licence"], "no")


# --- the five facts


def test_the_course_rule_on_five_facts_says_for_every_model_what_osaid_says():
    for row in ROWS:
        known = openness.facts(row)
        assert tuple(known) == openness.FACTS
        assert openness.course_rule(known) == openness.osaid(row).answer.value, row["model"]


def test_a_part_is_named_as_a_part():
    assert openness.facts(openness.model("Llama-4-Maverick-17B-128E"))["training code"] == PART
    assert openness.facts(openness.model("Phi-4"))["data information"] == PART
    assert openness.facts({}) == dict.fromkeys(openness.FACTS, GAP)


# --- a rule of one's own


def test_a_right_rule_shows_no_mix_up_and_agrees_everywhere():
    found = openness.examine(good_rule)
    assert found.right
    assert found.differing.empty
    assert (found.mixups, found.ignored) == ((), ())
    assert "all 1,024 combinations" in repr(found)
    assert openness.examine(openness.course_rule).right


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (missing_is_no, "missing is read as no"),
        (missing_is_yes, "missing is read as yes"),
        (part_is_enough, "a part is taken for the whole"),
        (points, "one thing that is there makes up"),
        (first_decides, "something unknown hides a clear no"),
        (never_yes, "yes is never said"),
        (part_left_open, "a part beside something unknown"),
    ],
)
def test_each_wrong_rule_has_its_mix_up_named(rule, name):
    found = openness.examine(rule)
    assert not found.right
    assert any(mixup.name.startswith(name) for mixup in found.mixups)
    assert f"Mixed up: {name}" in repr(found)


def test_a_rule_with_one_mistake_is_told_of_that_one_only():
    wrong = (missing_is_no, missing_is_yes, part_is_enough, first_decides, never_yes)
    for rule in (*wrong, part_left_open):
        assert len(openness.examine(rule).mixups) == 1, rule.__name__


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.integers(0, len(CASES) - 1), st.sampled_from(["yes", "no", "unknown"])))
def test_a_rule_is_called_right_only_if_it_agrees_on_everything(changed):
    other = {tuple(CASES[place].values()): word for place, word in changed.items()}

    def rule(facts):
        return other.get(tuple(facts.values()), openness.course_rule(facts))

    same = all(rule(case) == openness.course_rule(case) for case in CASES)
    assert openness.examine(rule).right == same


def test_facts_that_a_rule_never_looks_at_are_named():
    found = openness.examine(licence_only)
    assert found.ignored == ("weights", "training code", "running code", "data information")
    assert "never looks at: weights" in repr(found)
    assert len(found.differing) > 0


def test_models_judged_otherwise_are_listed_with_what_is_not_a_yes():
    found = openness.examine(missing_is_no).differing.set_index("model")
    assert found.loc["SmolLM2-135M"].tolist() == ["no", "unknown", "data information: not known"]
    assert set(found["course"]) == {"unknown"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda facts: None, "Did you forget a return"),
        (lambda facts: True, "returned True"),
        (lambda facts: "maybe", "returned 'maybe'"),
        (lambda facts: facts["price"], "stopped with KeyError"),
    ],
)
def test_a_rule_that_does_not_answer_is_told_for_which_facts(rule, words):
    with pytest.raises(openness.OpennessError, match=words) as error:
        openness.examine(rule)
    assert "'weights'" in str(error.value)


def test_a_rule_cannot_change_the_facts_of_the_next_model():
    def greedy(facts):
        said = good_rule(facts)
        facts.clear()
        return said

    assert openness.examine(greedy).right


def test_a_kept_rule_comes_back_and_says_the_same(own_work):
    assert openness.keep_rule(missing_is_no) == own_work / "open-rule.py"
    assert "def missing_is_no(facts):" in (own_work / "open-rule.py").read_text()
    again = openness.reread_rule()
    assert [again(case) for case in CASES] == [missing_is_no(case) for case in CASES]


def test_a_rule_that_needs_the_notebook_is_not_kept(own_work):
    with pytest.raises(openness.OpennessError, match=r"Define everything|stopped with NameError"):
        openness.keep_rule(never_yes)  # it uses good_rule
    assert not own_work.exists()


@pytest.mark.parametrize("rule", [lambda facts: "no", "no", 3])
def test_only_a_function_with_a_name_is_kept(rule):
    with pytest.raises(openness.OpennessError, match="a function with a name"):
        openness.keep_rule(rule)


def test_without_a_kept_rule_the_message_says_so():
    with pytest.raises(work.WorkError, match=r"no 'open-rule\.py'"):
        openness.reread_rule()


@pytest.mark.parametrize(("text", "words"), [("1 +", "does not run"), ("x = 1\n", "no function")])
def test_a_broken_file_is_named(text, words):
    work.save("open-rule.py", text)
    with pytest.raises(openness.OpennessError, match=words):
        openness.reread_rule()


# --- searching


def test_more_criteria_never_let_more_models_fit():
    names = list(openness.CRITERIA)
    for count in range(len(names)):
        for row in ROWS:
            fewer = openness.fit(row, names[:count]).answer
            more = openness.fit(row, names[: count + 1]).answer
            assert openness.all_of([fewer, more]) is more


def test_an_empty_row_fits_nothing_for_certain_and_fails_nothing():
    judged = openness.fit({"model": "nobody's"}, openness.CRITERIA, max_b=8)
    assert judged.failed == ()
    assert len(judged.not_known) == len(openness.CRITERIA) + 1


def test_a_search_lists_every_model_once_those_that_fit_first():
    found = openness.search(["can be fetched", "meant for Vietnamese"], max_b=8)
    assert sorted(found["model"]) == sorted(row["model"] for row in ROWS)
    rank = found["fits"].map({"yes": 0, "unknown": 1, "no": 2})
    assert rank.is_monotonic_increasing
    assert set(found.query("fits == 'yes'")["failed"]) == {""}
    assert (found.query("fits == 'yes'")["parameters_b"] <= 8).all()
    assert (openness.search([])["fits"] == "yes").all()


def test_limits_and_unread_terms_are_unknown_and_a_ban_is_no():
    def business(name):
        return openness.fit(openness.model(name), ["may be used in business"]).answer.value

    assert business("PhoGPT-4B") == "yes"
    assert business("VinaLLaMA-7B") == business("URA-LLaMA-7B") == "unknown"
    assert business("Gemma-3-27B") == business("BLOOM") == "unknown"  # both: forbidden uses
    assert business("Nemotron-4-340B") == "unknown"  # whether uses are forbidden was not read
    assert business("Nemotron-3.5-Lightning-30B-A3B") == "yes"
    assert business("Qwen2.5-3B") == "no"


def test_an_unknown_criterion_lists_what_there_is():
    with pytest.raises(openness.OpennessError, match=r"no criterion 'cheap'\. There are: can be"):
        openness.search(["cheap"])


def test_the_size_of_weights_is_parameters_times_bits():
    assert openness.weights_gb(7, 16) == 14
    assert openness.weights_gb(7, 4) == 3.5


# --- families that call themselves open


def test_what_is_met_missing_and_not_known_are_the_five_facts():
    found = openness.gaps()
    assert (found[["met", "not_known", "missing"]].sum(axis=1) == 5).all()
    assert found["missing"].is_monotonic_decreasing
    assert found["system"].is_unique
    for row in found.to_dict("records"):
        failed = openness.osaid(openness.model(row["model"])).failed
        assert set(filter(None, row["what_is_missing"].split(", "))) == set(failed)


# --- a choice


def choice(**changed):
    return {
        "model": "PhoGPT-4B",
        "must": ["can be fetched", "may be used in business", "meant for Vietnamese"],
        "max_b": 8,
        "because": "It was made for Vietnamese, is small, and its licence lets us sell.",
        "against": "It is older than the others and its data is closed.",
        "find_out": [],
        "instead": "Qwen2.5-7B",
    } | changed


def test_a_choice_that_fits_and_is_argued_has_no_holes():
    assert openness.holes(choice()) == ()


def test_a_choice_against_ones_own_criterion_is_a_hole():
    assert "fails your own criterion “meant for Vietnamese”" in "".join(
        openness.holes(choice(model="SmolLM2-135M"))
    )


def test_what_is_not_known_must_be_found_out():
    asked = choice(model="VinaLLaMA-7B")
    assert "leave open “may be used in business”" in "".join(openness.holes(asked))
    told = choice(model="VinaLLaMA-7B", find_out=["May be used in business? Read the terms."])
    assert openness.holes(told) == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"because": "It is good."}, "because”"),
        ({"against": ""}, "against”"),
        ({"instead": "PhoGPT-4B"}, "first one again"),
        ({"must": []}, "Fewer than two"),
    ],
)
def test_each_hole_is_named(changed, words):
    assert any(words in hole for hole in openness.holes(choice(**changed)))


def test_a_choice_that_lacks_a_part_or_names_no_model_is_refused():
    with pytest.raises(openness.OpennessError, match="lacks: against"):
        openness.holes({key: word for key, word in choice().items() if key != "against"})
    for part in ("model", "instead"):
        with pytest.raises(openness.OpennessError, match="no model 'GPT-9'"):
            openness.holes(choice(**{part: "GPT-9"}))


def test_a_choice_can_be_saved_and_read_again():
    work.save("model-choice", choice())
    assert work.load("model-choice") == choice()
    assert places.work_dir().name == "my-work"
