"""Check-yourself questions: choose an answer, learn why it is right or what it mixes up.

A question is one expression at the end of a cell:

    from osai import quiz

    quiz.Question(
        "The loss goes down on training data and up on held-out data. What happened?",
        quiz.wrong("The model is learning", "Falling training loss alone is memory, not skill.",
                   see="Watch the loss"),
        quiz.right("The model is overfitting", "It fits the training set and nothing else."),
    )

In a live notebook it shows radio buttons, a button and the feedback. Beside them stands the same
question as plain HTML that folds open, which needs no kernel. Nothing is stored or sent.
In a test, no browser is needed: `question.answer("The model is learning").text`.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osai import controls
from osai.plain import PlainError

if TYPE_CHECKING:
    import ipywidgets

STATIC_CLASS = "osai-question"
"""Class of the HTML twin; tests look for it beside each question."""


class QuizError(PlainError, ValueError):
    """A question that would not teach. The message says what to add."""


@dataclass(frozen=True)
class Choice:
    """One answer: its text, whether it is right, why, and for a wrong one what to read again."""

    text: str
    right: bool
    why: str
    see: str | None = None


@dataclass(frozen=True)
class Feedback:
    """What a student reads after choosing."""

    right: bool
    text: str


def right(text: str, why: str) -> Choice:
    """Return the right answer; `why` says what makes it right."""
    return Choice(text, True, why)


def wrong(text: str, why: str, see: str) -> Choice:
    """Return a wrong answer; `why` names the misconception, `see` the section to read again.

    see: the words of a heading in the same lesson (checked by `osai.authoring.lint`).
    """
    return Choice(text, False, why, see)


class Question:
    """A question with one right answer and at least one wrong one, each explained.

    prompt and choices are plain text; `code` between backticks is set as code.
    Raises QuizError for a question without exactly one right answer, with equal answers, or with
    an answer that is not explained.
    """

    def __init__(self, prompt: str, *choices: Choice) -> None:
        self.prompt = " ".join(prompt.split())
        self.choices = choices
        if not self.prompt:
            raise QuizError("A question needs its words.")
        if sum(choice.right for choice in choices) != 1 or len(choices) < 2:
            raise QuizError(
                f"{self.prompt!r} needs exactly one quiz.right(...) "
                "and at least one quiz.wrong(...)."
            )
        if len({choice.text for choice in choices}) < len(choices):
            raise QuizError(f"{self.prompt!r} has the same answer twice.")
        for choice in choices:
            if len(choice.why.split()) < 4 or not (choice.right or choice.see):
                raise QuizError(
                    f"The answer {choice.text!r} needs an explanation of four words or more"
                    " and, if it is wrong, the section to read again (see=...)."
                )

    def __repr__(self) -> str:
        return f"Question({self.prompt!r}, {len(self.choices)} answers)"

    def answer(self, choice: str | int) -> Feedback:
        """Return the feedback for an answer, given by its text or its number from 1.

        Raises QuizError for an answer that is not offered.
        """
        if isinstance(choice, int):
            if not 1 <= choice <= len(self.choices):
                raise QuizError(f"Choose a number from 1 to {len(self.choices)}, not {choice}.")
            chosen = self.choices[choice - 1]
        else:
            offered = {c.text: c for c in self.choices}
            if choice not in offered:
                answers = "; ".join(offered)
                raise QuizError(f"{choice!r} is not one of the answers. They are: {answers}.")
            chosen = offered[choice]
        return Feedback(chosen.right, _feedback(chosen))

    def controls(self) -> ipywidgets.VBox:
        """Return the live question: prompt, radio buttons, button, feedback.

        All parts have labels: Tab moves between them, the arrow keys choose, Enter checks.
        """
        import ipywidgets as widgets

        prompt = widgets.HTML(f"<p><strong>{_rich(self.prompt)}</strong></p>")
        choices = widgets.RadioButtons(
            options=[choice.text.replace("`", "") for choice in self.choices],
            value=None,
            description="Your answer",
            style={"description_width": "initial"},
            layout={"width": "auto"},
        )
        button = widgets.Button(
            description="Check my answer", layout={"width": "auto", "align_self": "flex-start"}
        )
        feedback = widgets.HTML()

        def check(_: object) -> None:
            if choices.index is None:
                body = "Choose an answer first, then check it."
            else:
                body = _rich(self.answer(choices.index + 1).text)
            # role=alert: a screen reader reads the feedback without moving the focus
            feedback.value = f'<p role="alert">{body}</p>'

        button.on_click(check)
        return controls.group(prompt, choices, button, feedback)

    def static(self) -> str:
        """Return the question as HTML that works without a kernel: each answer folds open."""
        answers = "".join(
            f"<li><details><summary>{_rich(choice.text)}</summary>"
            f"<p>{_rich(_feedback(choice))}</p></details></li>"
            for choice in self.choices
        )
        return (
            f'<details class="{STATIC_CLASS}"><summary>The same question without a running '
            f"notebook: {_rich(self.prompt)}</summary>\n<ol>{answers}</ol></details>"
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display

        # Same MIME types as ipywidgets itself sends, but with words instead of the widget's repr
        live = self.controls()._repr_mimebundle_()
        live["text/plain"] = f"Question: {self.prompt} (run this cell to answer)"
        display(live, raw=True)
        text = "\n".join(
            [self.prompt, *(f"{n}. {c.text}" for n, c in enumerate(self.choices, start=1))]
        )
        display({"text/html": self.static(), "text/plain": text}, raw=True)


def _feedback(choice: Choice) -> str:
    if choice.right:
        return f"Right. {choice.why}"
    return f"Not yet. {choice.why} Read again: “{choice.see}”."


def _rich(text: str) -> str:
    """Escape text for HTML and set what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
