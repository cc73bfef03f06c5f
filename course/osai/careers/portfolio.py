"""A plan for a portfolio: pieces of evidence, when to make them, and where the plan is weak.

    from osai.careers import portfolio

    made = portfolio.plan(["fix", "writeup"], hours_a_week=5, months=6, goal="programmer")
    made.weak_spots                      # in words; an empty tuple where the program knows of none
    portfolio.planner()                  # the same as a form; it saves my-work/portfolio-plan.json

Hours, marks and goals (`ITEMS`, `GOALS`) are assumptions of this course, no survey of employers.
"""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from osai import controls, tables, work
from osai.plain import PlainError

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd

NAME = "portfolio-plan"
"""Under this name `osai.work` keeps the plan: `my-work/portfolio-plan.json`."""


class PlanError(PlainError, ValueError):
    """A plan that cannot be made. The message says what to change."""


SKILLS = {
    "code": "write code that works",
    "reading": "find one's way in code of others",
    "analysis": "ask, measure, judge",
    "language": "write so that others understand, in Vietnamese and English",
    "people": "work with people one did not choose",
    "law": "licences and data rights",
}
"""Skills that a piece of evidence can show. The list is a choice of this course."""

GOALS = {
    "programmer": ("code", "reading", "people"),
    "AI engineer": ("code", "analysis", "reading"),
    "language data": ("analysis", "language", "law"),
    "maintainer": ("reading", "people", "law"),
}
"""What a goal asks for: assumptions of this course, no survey of employers."""


@dataclasses.dataclass(frozen=True)
class Item:
    """One piece of evidence. hours: assumed.

    outsider: before it counts, somebody must accept it who gains nothing by saying yes.
    check: how its maker sees that it is done.
    """

    key: str
    name: str
    hours: int
    skills: tuple[str, ...]
    public: bool
    outsider: bool
    check: str


ITEMS = (
    Item("report", "bug report that others could repeat", 4, ("analysis", "language"), True, True,
         "A maintainer repeated the bug from your text alone."),
    Item("answers", "questions answered in a forum", 10, ("language", "people"), True, True,
         "Those who asked marked five answers as the solution."),
    Item("fix", "merged fix with a test", 20, ("code", "reading", "people"), True, True,
         "The test fails without your change, and a maintainer merged it."),
    Item("review", "reviews of other people's changes", 10, ("reading", "people"), True, True,
         "Authors changed something because of you, three times."),
    Item("docs", "documentation put into Vietnamese", 12, ("language", "people"), True, True,
         "The project took it in; a newcomer could follow it."),
    Item("data", "Vietnamese data set with a data card", 30, ("analysis", "language", "law"), True,
         False, "Source, consent and licence are stated; someone else loaded it."),
    Item("model", "fine-tuned model, measured on held-out data", 40, ("code", "analysis"), True,
         False, "Somebody else ran your evaluation and got the same numbers."),
    Item("writeup", "notebook that judges a claim with data", 10, ("analysis", "language"), True,
         False, "It runs from the top, and names what speaks against you."),
    Item("tutorial", "code copied from a tutorial", 15, ("code",), True, False,
         "You can explain each line, and changed something on purpose."),
    Item("course", "online course with a certificate", 40, ("code",), False, False,
         "You can solve a task from it a month later without help."),
    Item("internship", "internship of two months", 320, ("code", "reading", "people"), False, True,
         "A named person will say what you did."),
)  # fmt: skip
"""Pieces of evidence to choose from. Hours and marks are assumptions of this course."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One item of a plan with the weeks in which it is done, counted from 1."""

    item: Item
    first_week: int
    last_week: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan for a portfolio: steps in order, and its weak spots in words."""

    goal: str
    hours_a_week: int
    months: int
    steps: tuple[Step, ...]
    weak_spots: tuple[str, ...]

    @property
    def hours(self) -> int:
        """Hours of all steps."""
        return sum(step.item.hours for step in self.steps)

    def table(self) -> pd.DataFrame:
        """Return the steps, one a row, ready for `tables.show`."""
        import pandas as pd

        columns = ["weeks", "evidence", "hours", "public", "outsider checks", "done when"]
        rows = [
            (
                f"{step.first_week}–{step.last_week}",
                step.item.name,
                step.item.hours,
                _yes(step.item.public),
                _yes(step.item.outsider),
                step.item.check,
            )
            for step in self.steps
        ]
        return pd.DataFrame(rows, columns=columns)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON can hold it; `from_dict` reads it again."""
        items = [
            {
                "key": step.item.key,
                "name": step.item.name,
                "hours": step.item.hours,
                "weeks": [step.first_week, step.last_week],
                "done_when": step.item.check,
            }
            for step in self.steps
        ]
        return {
            "goal": self.goal,
            "hours_a_week": self.hours_a_week,
            "months": self.months,
            "items": items,
            "weak_spots": list(self.weak_spots),
        }


def plan(keys: Iterable[str], *, hours_a_week: int, months: int, goal: str) -> Plan:
    """Return a plan of the chosen items, the shortest first, with its weak spots.

    keys: of `ITEMS`. The shortest comes first because it brings the first answer of an outsider
    soonest. Raises PlanError for an unknown item or goal, or no time at all.
    """
    known = {item.key: item for item in ITEMS}
    keys = set(keys)
    if unknown := sorted(keys - known.keys()):
        raise PlanError(f"There is no item {unknown[0]!r}. Choose from: {', '.join(known)}.")
    if goal not in GOALS:
        raise PlanError(f"There is no goal {goal!r}. Choose from: {', '.join(GOALS)}.")
    if hours_a_week < 1 or months < 1:
        raise PlanError("A plan needs at least one hour a week and one month.")
    steps, done = [], 0
    for item in sorted((known[key] for key in keys), key=lambda item: (item.hours, item.key)):
        first = done // hours_a_week + 1
        done += item.hours
        steps.append(Step(item, first, max(first, math.ceil(done / hours_a_week))))
    spots = tuple(_weak_spots(steps, hours_a_week, months, goal))
    return Plan(goal, hours_a_week, months, tuple(steps), spots)


def from_dict(saved: Any) -> Plan:
    """Return the plan that `Plan.as_dict` made, with its steps and weak spots worked out afresh.

    Raises PlanError if it is not in that form, or names an item or goal that there is not.
    """
    try:
        keys = [item["key"] for item in saved["items"]]
        hours, months, goal = saved["hours_a_week"], saved["months"], saved["goal"]
    except (KeyError, TypeError):
        raise PlanError(
            f"{NAME}.json is not in the form in which plans are saved. Rename it, if you want to"
            " keep it, and save your plan again."
        ) from None
    if not (isinstance(hours, int) and isinstance(months, int)):
        raise PlanError(f"{NAME}.json needs whole numbers for hours a week and months.")
    return plan(keys, hours_a_week=hours, months=months, goal=goal)


def weeks(months: int) -> int:
    """Return how many whole weeks lie in so many months (52 in twelve)."""
    return months * 52 // 12


def _weak_spots(steps: list[Step], hours_a_week: int, months: int, goal: str) -> Iterable[str]:
    if not steps:
        yield "Nothing is chosen: a plan without evidence shows nothing."
        return
    items = [step.item for step in steps]
    hours, there = sum(item.hours for item in items), weeks(months) * hours_a_week
    if hours > there:
        yield f"Too much: {hours} hours are planned, and {there} are there. Drop or shrink one."
    shown = {skill for item in items for skill in item.skills}
    if missing := [SKILLS[skill] for skill in GOALS[goal] if skill not in shown]:
        yield f"For the goal “{goal}” nothing shows that you can: {'; '.join(missing)}."
    checked = [step for step in steps if step.item.outsider]
    if not checked:
        yield "No outsider checks any of it: a reader cannot tell it from a fake."
    elif checked[0].last_week > 8:
        yield f"The first check by an outsider comes in week {checked[0].last_week}: you learn late."
    if checked and 2 * sum(step.item.hours for step in checked) < hours:
        yield "Less than half of the hours go into work that an outsider checks."
    if not any(item.public for item in items):
        yield "Nothing is public: nobody can see it unless you or your referee shows it."
    if len(items) == 1:
        yield "One piece only: if it goes wrong, or nobody answers, there is nothing left."


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def planner(start: Plan | None = None) -> ipywidgets.VBox:
    """Return a form that makes a plan while one ticks, and saves it as `my-work/portfolio-plan.json`.

    Hours a week, months, a goal, a box for each item; below them the plan with its weak spots.
    start: what it shows at first, where no plan was saved before; None: an empty plan.
    """
    import ipywidgets as widgets

    before, note = _before()
    first = before or start or plan([], hours_a_week=5, months=6, goal=next(iter(GOALS)))
    ticked = {step.item.key for step in first.steps}

    wide = {"max_width": "100%", "width": "32rem"}
    label = {"description_width": "initial"}
    time = widgets.IntSlider(
        first.hours_a_week, 1, 40, description="Hours a week", style=label, layout=wide
    )
    months = widgets.IntSlider(first.months, 1, 24, description="Months", style=label, layout=wide)
    goal = widgets.Dropdown(
        options=list(GOALS), value=first.goal, description="Goal", style=label, layout=wide
    )
    boxes = {
        item.key: widgets.Checkbox(
            value=item.key in ticked,
            description=f"{item.name} ({item.hours} hours)",
            indent=False,
            layout=wide,
        )
        for item in ITEMS
    }
    button = widgets.Button(description="Save my plan", layout={"width": "auto"})
    shown, said = widgets.HTML(), widgets.HTML()

    def made() -> Plan:
        keys = [key for key, box in boxes.items() if box.value]
        return plan(keys, hours_a_week=time.value, months=months.value, goal=goal.value)

    def draw(_: object = None) -> None:
        shown.value = as_html(made())
        said.value = ""  # what was said about an older state holds no longer

    def save(_: object) -> None:
        try:
            text = f"Saved in my-work/{work.save(NAME, made().as_dict()).name}."
        except work.WorkError as error:
            text = str(error)
        # role=alert: a screen reader reads the feedback without moving the focus
        said.value = f'<p role="alert">{html.escape(text, quote=False)}</p>'

    for control in (time, months, goal, *boxes.values()):
        control.observe(draw, names="value")
    button.on_click(save)
    draw()
    said.value = f"<p>{html.escape(note, quote=False)}</p>"
    return controls.group(time, months, goal, *boxes.values(), shown, button, said)


def _before() -> tuple[Plan | None, str]:
    """Return the plan that was saved before, if there is one, and what to say about it."""
    if not any(entry.name == f"{NAME}.json" for entry in work.contents()):
        return None, ""
    try:
        return from_dict(work.load(f"{NAME}.json")), "This is what you saved before."
    except (PlanError, work.WorkError) as error:
        return None, str(error)


def as_html(made: Plan) -> str:
    """Return a plan as HTML: its table, then its weak spots."""
    spots = made.weak_spots or ("None that this program knows of. Ask somebody who hires.",)
    caption = f"My plan for the goal “{made.goal}”: {made.hours} hours"
    table = tables.as_html(made.table(), caption=caption, units={"hours": "hours, assumed"})
    listed = "".join(f"<li>{html.escape(spot, quote=False)}</li>" for spot in spots)
    return f"{table}<p><strong>Weak spots</strong></p><ul>{listed}</ul>"
