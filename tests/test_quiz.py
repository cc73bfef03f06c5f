"""Check-yourself questions: every answer is explained, by mouse, by keyboard and without a kernel."""

import re

import ipywidgets as widgets
import pytest
from osai import controls, quiz


@pytest.fixture
def question() -> quiz.Question:
    return quiz.Question(
        "What does `x + 1` change?",
        quiz.wrong("It changes x", "That takes a value for an assignment.", see="Values"),
        quiz.right("Nothing", "It makes a new value and leaves x alone."),
        quiz.wrong("The <type>", "That mixes up values and types.", see="Types & values"),
    )


def test_the_right_answer_is_confirmed_and_explained(question):
    feedback = question.answer("Nothing")
    assert feedback.right
    assert feedback.text == "Right. It makes a new value and leaves x alone."


def test_a_wrong_answer_names_the_misconception_and_where_to_read(question):
    feedback = question.answer("It changes x")
    assert not feedback.right
    assert "takes a value for an assignment" in feedback.text
    assert "Read again: “Values”" in feedback.text


def test_answers_can_be_given_by_number(question):
    assert question.answer(2).right
    assert not question.answer(1).right


@pytest.mark.parametrize("choice", ["Everything", 0, 4, -1])
def test_an_answer_that_is_not_offered_is_refused(choice, question):
    with pytest.raises(quiz.QuizError):
        question.answer(choice)


RIGHT = quiz.right("Yes", "Because it is like this.")
WRONG = quiz.wrong("No", "That mixes up two things.", see="Here")


@pytest.mark.parametrize(
    ("prompt", "choices"),
    [
        ("Why?", ()),
        ("Why?", (RIGHT,)),
        ("Why?", (WRONG, quiz.wrong("Nor", "That mixes up two things.", see="Here"))),
        ("Why?", (RIGHT, quiz.right("Also", "Because it is like this."))),
        ("Why?", (RIGHT, WRONG, WRONG)),
        ("Why?", (RIGHT, quiz.wrong("No", "Wrong.", see="Here"))),
        ("Why?", (RIGHT, quiz.wrong("No", "That mixes up two things.", see=""))),
        ("Why?", (quiz.right("Yes", ""), WRONG)),
        (" ", (RIGHT, WRONG)),
    ],
)
def test_a_question_that_would_not_teach_is_refused(prompt, choices):
    with pytest.raises(quiz.QuizError):
        quiz.Question(prompt, *choices)


# --- the live question


def parts(question: quiz.Question) -> tuple[widgets.RadioButtons, widgets.Button, widgets.HTML]:
    box = question.controls()
    choices = next(w for w in box.children if isinstance(w, widgets.RadioButtons))
    button = next(w for w in box.children if isinstance(w, widgets.Button))
    return choices, button, box.children[-1]


def test_every_control_has_a_label(question):
    choices, button, _ = parts(question)
    assert choices.description == "Your answer"
    assert button.description == "Check my answer"
    assert choices.value is None  # nothing is chosen beforehand


@pytest.mark.parametrize("number", [1, 2, 3])
def test_choosing_and_checking_shows_the_feedback_of_that_answer(number, question):
    choices, button, feedback = parts(question)
    choices.index = number - 1
    button.click()
    shown = re.sub("<[^>]+>", "", feedback.value).replace("&amp;", "&")
    assert shown == question.answer(number).text
    assert 'role="alert"' in feedback.value  # read aloud without moving the focus


def test_checking_without_an_answer_asks_for_one(question):
    _, button, feedback = parts(question)
    button.click()
    assert "Choose an answer first" in feedback.value


def test_keys_stay_with_the_controls(question):
    first = question.controls().children[0]
    assert "data-lm-suppress-shortcuts" in first.value


# --- the twin without a kernel


def test_the_static_twin_explains_every_answer(question):
    static = question.static()
    for choice in question.choices:
        assert choice.why in static
    assert static.count("<details") == static.count("</details>") == 1 + len(question.choices)
    assert f'class="{quiz.STATIC_CLASS}"' in static


def test_text_is_escaped_and_code_is_set_as_code(question):
    static = question.static()
    assert "<code>x + 1</code>" in static
    assert "The &lt;type&gt;" in static
    assert "“Types &amp; values”" in static


def test_a_notebook_holds_words_for_both_and_is_the_same_each_time(question, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    question._ipython_display_()
    question._ipython_display_()
    live, static = shown[:2]
    assert "application/vnd.jupyter.widget-view+json" in live
    assert live["text/plain"] == "Question: What does `x + 1` change? (run this cell to answer)"
    assert static == shown[3]
    assert static["text/plain"].splitlines()[2] == "2. Nothing"


# --- exploring


def test_explore_draws_again_with_the_values_that_are_chosen():
    drawn = []
    box = controls.explore(
        lambda country, first_year: drawn.append((country, first_year)),
        country=["Viet Nam", "Thailand"],
        first_year=widgets.IntSlider(2020, 2020, 2024, description="First year"),
    )
    country, year = box.children[1:3]
    assert (country.description, year.description) == ("Country", "First year")
    country.value = "Thailand"
    year.value = 2022
    assert drawn == [("Viet Nam", 2020), ("Thailand", 2020), ("Thailand", 2022)]


def test_a_list_is_labelled_with_its_arguments_name():
    box = controls.explore(lambda first_year: None, first_year=[2020, 2021])
    assert box.children[1].description == "First year"


def test_a_control_without_a_label_is_refused():
    with pytest.raises(controls.ControlError, match=r"'year' needs a label"):
        controls.explore(lambda year: None, year=widgets.IntSlider())
