"""What a student thinks of the claims: file a verdict, read it again, lay it beside the course's.

    from osai import careers, tables

    tables.show(careers.verdicts("05"))   # what the course thinks of the claims of lesson 05
    careers.form("05")                    # a form to file one's own; also careers.form(["C07"])
    careers.my_verdicts()                 # {"C07": {"verdict": "mixed", "confidence": 70, ...}}
    tables.show(careers.compare("05"))    # both, side by side

Everything filed lies in one file, `my-work/verdicts.json`. Each lesson adds to it, and the last
lesson reads it again. A new verdict on the same claim takes the place of the old one.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from osai import controls, tables, work
from osai.careers.claims import ClaimError, claim, claims, planned

if TYPE_CHECKING:
    import ipywidgets

NAME = "verdicts"
"""Under this name `osai.work` keeps them: `my-work/verdicts.json`."""

NOT_DECIDED = "not decided yet"
NOT_FILED = "not filed yet"

VERDICTS = {
    "strong": "good evidence found for it, little against it",
    "moderate": "some good evidence for it, with limits",
    "mixed": "good evidence on both sides",
    "weak": "little evidence for it, or evidence for something else",
    "unsupported": "no evidence for it was found",
    "contradicted": "good evidence found against it",
    "anecdote": "one story: it may be true, and shows nothing in general",
    "opinion": "cannot be tested as it is worded",
}
"""The words for a verdict and what each means; the words are those of `claims.csv`."""

LONGEST_REASON = 300  # characters: one sentence, so that it can be read beside the others

_KEYS = {"verdict", "confidence", "reason", "lesson"}


def verdicts(lesson: str) -> tables.Table:
    """Return the course's verdict on each claim of a lesson, in the order of their ids.

    lesson: its number or name: "05", "05-the-commons.ipynb". Where the verdict has no limit,
    verdict_note says so. Raises ClaimError for a name without a number.
    """
    found = planned(lesson)
    data = found.data[["id", "claim", "verdict", "verdict_note", "section"]]
    data = data.fillna({"verdict_note": "the whole claim"})
    title = f"The course's verdict on the claims of lesson {_lesson(lesson)}"
    return dataclasses.replace(found, title=title, data=data)


def file_verdict(id: str, verdict: str, confidence: int, reason: str, lesson: str) -> Any:
    """Save a verdict on a claim with the others and return the Path of their file.

    verdict: one of `VERDICTS`. confidence: how sure, in per cent, 0 to 100. reason: one sentence.
    lesson: where it was filed, by number or name. What is filed for other claims stays.
    Raises ClaimError if something is missing or wrong, WorkError if it cannot be saved.
    """
    filed = {
        "verdict": _checked_verdict(verdict),
        "confidence": _checked_confidence(confidence),
        "reason": _checked_reason(reason),
        "lesson": _lesson(lesson),
    }
    everything = my_verdicts() | {claim(id).id: filed}
    return work.save(NAME, dict(sorted(everything.items())))


def my_verdicts() -> dict[str, dict[str, Any]]:
    """Return what was filed, by claim: verdict, confidence (per cent), reason, lesson.

    Empty where nothing was filed. Raises ClaimError if the file holds something else, WorkError
    if it cannot be read.
    """
    if not any(entry.name == f"{NAME}.json" for entry in work.contents()):
        return {}
    filed = work.load(f"{NAME}.json")
    if not isinstance(filed, dict):
        raise ClaimError(_faulty("a list, not verdicts by claim"))
    for id, one in filed.items():
        if not isinstance(one, dict) or not one.keys() >= _KEYS:
            raise ClaimError(_faulty(f"{id} lacks one of: {', '.join(sorted(_KEYS))}"))
        try:
            _checked_verdict(one["verdict"])
            _checked_confidence(one["confidence"])
        except ClaimError as error:
            raise ClaimError(_faulty(f"{id}: {error}")) from None
    return filed


def compare(lesson_or_ids: str | Iterable[str]) -> tables.Table:
    """Return own verdicts beside the course's: id, claim, mine, sure, reason, course, same.

    lesson_or_ids: a lesson's number or name, a claim's id, or several ids. Where nothing is
    filed, `mine` says "not filed yet". Raises ClaimError for a lesson or claim that does not exist.
    """
    import pandas as pd

    filed, rows = my_verdicts(), []
    for id in _ids(lesson_or_ids):
        judged, mine = claim(id), filed.get(id)
        rows.append(
            {
                "id": id,
                "claim": judged.claim,
                "mine": mine["verdict"] if mine else NOT_FILED,
                "sure": f"{mine['confidence']} %" if mine else "–",
                "reason": mine["reason"] if mine else "–",
                "course": judged.verdict,
                "same": "–" if not mine else "yes" if mine["verdict"] == judged.verdict else "no",
            }
        )
    columns = ["id", "claim", "mine", "sure", "reason", "course", "same"]
    data = pd.DataFrame(rows, columns=columns)
    return dataclasses.replace(claims(), title="My verdicts beside those of the course", data=data)


def form(lesson_or_ids: str | Iterable[str]) -> ipywidgets.VBox:
    """Return a form to file verdicts: for each claim a verdict, how sure, why, and a button.

    lesson_or_ids: as in `compare`. What was filed before stands in it already. All parts have
    labels, and the keyboard reaches them. Raises ClaimError for a claim that does not exist.
    """
    import ipywidgets as widgets

    lesson = lesson_or_ids if isinstance(lesson_or_ids, str) else ""
    filed = my_verdicts()
    parts = [_entry(id, filed.get(id), lesson) for id in _ids(lesson_or_ids)]
    return controls.group(*(parts or [widgets.HTML("This lesson judges no claim.")]))


def _entry(id: str, filed: dict[str, Any] | None, lesson: str) -> ipywidgets.VBox:
    """Return the part of the form for one claim."""
    import ipywidgets as widgets

    judged = claim(id)
    # a form for single claims has no lesson of its own: it files for the one that judges them
    where = judged.planned_lesson if not lesson or lesson == id else lesson
    label, wide = {"description_width": "initial"}, {"max_width": "100%", "width": "40rem"}
    words = widgets.HTML(f"<p><strong>{id}:</strong> {html.escape(judged.claim, quote=False)}</p>")
    verdict = widgets.Dropdown(
        options=[(NOT_DECIDED, NOT_DECIDED), *((f"{v}: {m}", v) for v, m in VERDICTS.items())],
        value=filed["verdict"] if filed else NOT_DECIDED,
        description=f"My verdict on {id}",
        style=label,
        layout=wide,
    )
    confidence = widgets.IntSlider(
        value=filed["confidence"] if filed else 50,
        min=0,
        max=100,
        step=5,
        description="How sure am I (per cent)?",
        style=label,
        layout=wide,
    )
    reason = widgets.Text(
        value=filed["reason"] if filed else "",
        placeholder="one sentence",
        description="Because",
        style=label,
        layout=wide,
    )
    button = widgets.Button(description=f"Save my verdict on {id}", layout={"width": "auto"})
    feedback = widgets.HTML("<p>Filed before; you can change it.</p>" if filed else "")

    def save(_: object) -> None:
        try:
            file_verdict(id, verdict.value, confidence.value, reason.value, where)
            said = (
                f"Saved: {id}, {verdict.value}, {confidence.value} per cent sure. It lies in"
                f" my-work/{NAME}.json."
            )
        except (ClaimError, work.WorkError) as error:
            said = str(error)
        # role=alert: a screen reader reads the feedback without moving the focus
        feedback.value = f'<p role="alert">{html.escape(said, quote=False)}</p>'

    button.on_click(save)
    return widgets.VBox(
        [words, verdict, confidence, reason, button, feedback],
        layout={"max_width": "100%", "margin": "0 0 1rem 0"},
    )


def _ids(lesson_or_ids: str | Iterable[str]) -> list[str]:
    """Return the ids of the claims that are meant."""
    if not isinstance(lesson_or_ids, str):
        return [claim(id).id for id in lesson_or_ids]
    if lesson_or_ids.startswith("C"):
        return [claim(lesson_or_ids).id]
    return planned(lesson_or_ids).data["id"].tolist()


def _lesson(lesson: str) -> str:
    """Return a lesson's number, two digits."""
    planned(lesson)  # says what is wrong with a name that has no number
    return lesson[:2]


def _faulty(why: str) -> str:
    return (
        f"{NAME}.json in my-work is not as verdicts are filed ({why.rstrip('.')}). Rename it, if you"
        " want to keep it, and file your verdicts again."
    )


def _checked_verdict(verdict: str) -> str:
    if verdict == NOT_DECIDED:
        raise ClaimError(
            "Nothing is saved yet: choose a verdict first. If you cannot decide, look at the"
            " evidence again; “mixed” and “unsupported” are verdicts too."
        )
    if verdict not in VERDICTS:
        raise ClaimError(f"{verdict!r} is no verdict. Choose one of: {', '.join(VERDICTS)}.")
    return verdict


def _checked_confidence(confidence: int) -> int:
    whole = isinstance(confidence, int) and not isinstance(confidence, bool)
    if not whole or not 0 <= confidence <= 100:
        raise ClaimError(
            f"How sure you are is a whole number of per cent from 0 to 100, not {confidence!r}."
        )
    return confidence


def _checked_reason(reason: str) -> str:
    reason = " ".join(str(reason).split())
    if not reason:
        raise ClaimError(
            "Nothing is saved yet: write one sentence that says why. In two months you will want"
            " to know."
        )
    if len(reason) > LONGEST_REASON:
        raise ClaimError(
            f"Nothing is saved yet: the reason has {len(reason)} characters, and at most"
            f" {LONGEST_REASON} fit. Keep the strongest point."
        )
    return reason
