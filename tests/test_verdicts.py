"""A student's verdicts: filed one by one, found again, laid beside the course's."""

import ipywidgets as widgets
import pytest
from osai import careers, places, tables, work


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """An empty work folder."""
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "my-work"))


def put(id: str = "C07", verdict: str = "mixed", confidence: int = 70, **more: str):
    given = {"reason": "Both sides have good figures.", "lesson": "05-the-commons"} | more
    return careers.file_verdict(id, verdict, confidence, given["reason"], given["lesson"])


def controls_of(form: widgets.VBox, id: str) -> dict[str, widgets.Widget]:
    """The parts of a form for one claim, by what they are."""
    found: dict[str, widgets.Widget] = {}
    for entry in form.children:
        parts = getattr(entry, "children", ())
        if parts and f">{id}:" in parts[0].value:
            names = ("words", "verdict", "confidence", "reason", "button", "feedback")
            found = dict(zip(names, parts, strict=True))
    return found


# --- filing


def test_what_is_filed_is_found_again():
    path = put()
    assert path.name == "verdicts.json"
    assert careers.my_verdicts() == {
        "C07": {
            "verdict": "mixed",
            "confidence": 70,
            "reason": "Both sides have good figures.",
            "lesson": "05",
        }
    }


def test_a_verdict_stands_beside_the_earlier_ones_and_replaces_only_its_own():
    put("C47", "unsupported", 90, lesson="01")
    put("C07", "mixed")
    put("C07", "strong", 55)
    filed = careers.my_verdicts()
    assert list(filed) == ["C07", "C47"]
    assert filed["C07"]["verdict"] == "strong" and filed["C47"]["confidence"] == 90


def test_nothing_filed_is_an_empty_dictionary():
    assert careers.my_verdicts() == {}


@pytest.mark.parametrize("verdict", list(careers.VERDICTS))
def test_every_word_of_the_table_can_be_filed(verdict):
    put(verdict=verdict)
    assert careers.my_verdicts()["C07"]["verdict"] == verdict


def test_the_words_are_those_of_the_table_of_claims():
    choices = tables.load("careers", "claims").field("verdict").choices
    assert set(careers.VERDICTS) == set(choices)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"id": "C99"}, "C01 to C47"),
        ({"verdict": "true"}, "Choose one of: strong"),
        ({"verdict": "not decided yet"}, "choose a verdict first"),
        ({"confidence": 101}, "from 0 to 100"),
        ({"confidence": -1}, "from 0 to 100"),
        ({"confidence": 0.7}, "whole number"),
        ({"confidence": True}, "whole number"),
        ({"reason": "  \n "}, "one sentence"),
        ({"reason": "so " * 200}, "at most 300"),
        ({"lesson": "the commons"}, "is no lesson"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_saved(wrong, said):
    with pytest.raises(careers.ClaimError, match=said):
        put(**wrong)
    assert careers.my_verdicts() == {}


@pytest.mark.parametrize(
    "content",
    [
        {"C07": "mixed"},
        ["mixed"],
        {"C07": {"verdict": "mixed"}},
    ],
)
def test_a_file_of_another_form_is_left_alone_and_explained(content):
    work.save("verdicts", content)
    with pytest.raises(careers.ClaimError, match="Rename it"):
        put()
    assert work.load("verdicts") == content


def test_a_verdict_in_words_the_course_does_not_know_does_not_break_the_form():
    put()
    filed = careers.my_verdicts()
    filed["C07"]["verdict"] = "true"  # edited by hand
    work.save("verdicts", filed)
    with pytest.raises(careers.ClaimError, match="C07"):
        careers.form("05")


# --- beside the course's


def test_the_courses_verdicts_are_those_of_the_claims_planned_for_the_lesson():
    shown = careers.verdicts("05-the-commons.ipynb").data
    assert list(shown) == ["id", "claim", "verdict", "verdict_note", "section"]
    assert shown["id"].tolist() == careers.planned("05").data["id"].tolist()
    assert shown["verdict"].tolist() == careers.planned("05").data["verdict"].tolist()


def test_a_verdict_without_a_limit_is_not_said_to_be_unknown():
    for lesson in range(16):
        table = careers.verdicts(f"{lesson:02d}")
        assert table.data["verdict_note"].notna().all()
        assert "not known" not in tables.as_html(table)


def test_before_anything_is_filed_both_columns_say_so():
    shown = careers.compare("05").data
    assert set(shown["mine"]) == {"not filed yet"}
    assert set(shown["same"]) == {"–"}
    assert "not known" not in tables.as_html(careers.compare("05"))


def test_own_verdict_and_the_courses_are_compared_word_by_word():
    course = careers.claim("C07").verdict
    put("C07", course)
    put("C14", "opinion")
    shown = careers.compare("05").data.set_index("id")
    assert shown.loc["C07", "same"] == "yes"
    assert shown.loc["C14", "same"] == "no"
    assert shown.loc["C07", "sure"] == "70 %"


def test_claims_can_be_named_by_lesson_by_id_or_by_several_ids():
    assert careers.compare("C07").data["id"].tolist() == ["C07"]
    assert careers.compare(["C14", "C07"]).data["id"].tolist() == ["C14", "C07"]
    assert len(careers.compare("00").data) == 0
    with pytest.raises(careers.ClaimError, match="no claim"):
        careers.compare(["C07", "C48"])


# --- the form


def test_the_form_has_each_claim_of_the_lesson_in_words():
    form = careers.form("05")
    for id in careers.planned("05").data["id"]:
        assert careers.claim(id).claim[:20] in controls_of(form, id)["words"].value


def test_every_control_of_the_form_has_a_label():
    parts = controls_of(careers.form("C07"), "C07")
    for name in ("verdict", "confidence", "reason", "button"):
        assert parts[name].description


def test_the_button_saves_and_says_where():
    parts = controls_of(careers.form("05"), "C07")
    parts["verdict"].value = "weak"
    parts["confidence"].value = 35
    parts["reason"].value = "Code is not used up <by use>."
    parts["button"].click()
    assert careers.my_verdicts()["C07"] == {
        "verdict": "weak",
        "confidence": 35,
        "reason": "Code is not used up <by use>.",
        "lesson": "05",
    }
    assert "my-work/verdicts.json" in parts["feedback"].value
    assert 'role="alert"' in parts["feedback"].value


def test_the_form_says_kindly_what_is_missing_and_saves_nothing():
    parts = controls_of(careers.form("05"), "C07")
    parts["button"].click()
    assert "choose a verdict first" in parts["feedback"].value
    parts["verdict"].value = "weak"
    parts["button"].click()
    assert "write one sentence" in parts["feedback"].value
    assert careers.my_verdicts() == {}


def test_the_form_shows_what_was_filed_before():
    put()
    parts = controls_of(careers.form(["C07", "C14"]), "C07")
    assert parts["verdict"].value == "mixed"
    assert parts["confidence"].value == 70
    assert parts["reason"].value.startswith("Both sides")
    assert controls_of(careers.form(["C07", "C14"]), "C14")["verdict"].value == "not decided yet"


def test_two_forms_do_not_undo_each_other():
    first, second = careers.form("C07"), careers.form("C14")
    for form, id in ((first, "C07"), (second, "C14")):
        parts = controls_of(form, id)
        parts["verdict"].value = "strong"
        parts["reason"].value = "Because."
        parts["button"].click()
    assert list(careers.my_verdicts()) == ["C07", "C14"]


def test_a_claim_filed_without_a_lesson_is_filed_for_the_one_that_judges_it():
    parts = controls_of(careers.form(["C47"]), "C47")
    parts["verdict"].value = "unsupported"
    parts["reason"].value = "The link leads to no study."
    parts["button"].click()
    assert careers.my_verdicts()["C47"]["lesson"] == "01"


def test_a_lesson_without_claims_gets_a_form_that_says_so():
    texts = [getattr(part, "value", "") for part in careers.form("00").children]
    assert "This lesson judges no claim." in texts
