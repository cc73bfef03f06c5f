"""A business-model canvas for an open-source AI project, which looks for its own holes.

    from osai import tables, work
    from osai.commons import canvas

    mine = canvas.read({**canvas.EXAMPLE, "maintainers": 2})
    for hole in canvas.holes(mine):
        print(hole.block, hole.problem)
    tables.show(canvas.as_table(mine), caption="My canvas")
    work.save("canvas", mine)             # my-work/canvas.json
    canvas.form()                         # the same as a form

The blocks follow the business model canvas of Osterwalder and Pigneur ("Business Model Generation",
2010); what an open project must answer besides (what is open, under which licence, who keeps it up,
what a stronger rival does with it) is ours. A canvas without holes is complete. Whether it works,
only customers can say.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from osai import controls, work
from osai.plain import PlainError

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd

NAME = "canvas"
"""Under this name `osai.work` keeps it: `my-work/canvas.json`."""
PARTS = ("code", "weights", "training data", "evaluation", "documentation")
"""What an AI project can give away."""
OPEN_LICENCES = ("MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "GPL-3.0", "AGPL-3.0")
"""Approved by the Open Source Initiative (a choice, not all of them)."""
OTHER_LICENCES = ("BUSL-1.1", "SSPL-1.0", "FSL-1.1-Apache-2.0", "terms of our own")
"""Not approved by it: the source can be read, but not everybody may use it for everything."""
SELLS = ("hosting", "a tool beside it", "paid functions", "support", "members' fees", "grants")
"""Ways to earn, as in `data/careers/business_models.csv`."""
ENOUGH_MONTHS = 6
"""Below so many months of money the canvas warns. An assumption: what a search for money takes."""
NO_ANSWERS = frozenset({"", "?", "-", "all", "anyone", "everybody", "everyone", "later", "tbd"})

FIELDS = {
    "name": ("Name", "What is the project called?"),
    "users": ("Users", "Who uses it? Name a group that you could visit tomorrow."),
    "value": ("Value", "Which job does it do for them, and better than what?"),
    "channels": ("Channels", "How do they find it?"),
    "payers": ("Payers", "Who pays? It need not be those who use it."),
    "sells": ("What is sold", "What do they get for their money?"),
    "open_parts": ("What is open", "Which parts do you give away?"),
    "licence": ("Licence", "Under which licence?"),
    "data_rights": ("Rights in the data", "Where is the training data from, and who allowed it?"),
    "maintainers": ("Maintainers", "How many people could publish a new version today?"),
    "governance": ("Governance", "Who decides, and how does a newcomer come to decide too?"),
    "rival_plan": ("Rivals", "A large cloud company offers it tomorrow. What do you do?"),
    "stop_plan": ("If you stop", "What can users still do if you stop?"),
    "costs": ("Costs (million VND a month)", "What does a month cost: people, computing, rent?"),
    "income": ("Income (million VND a month)", "What comes in today? Not what is hoped for."),
    "reserve": ("Reserve (million VND)", "How much money is there?"),
    "largest_payer": ("Largest payer (per cent)", "Which part of the income comes from one payer?"),
}
"""Block: its label and the question that it answers."""
NUMBERS = ("maintainers", "costs", "income", "reserve", "largest_payer")


class CanvasError(PlainError, ValueError):
    """A canvas that cannot be read. The message names the block and what belongs there."""


@dataclasses.dataclass(frozen=True)
class Canvas:
    """One canvas; `FIELDS` says what each block asks. Money in million VND."""

    name: str = ""
    users: str = ""
    value: str = ""
    channels: str = ""
    payers: str = ""
    sells: tuple[str, ...] = ()
    open_parts: tuple[str, ...] = ()
    licence: str = ""
    data_rights: str = ""
    maintainers: int = 0
    governance: str = ""
    rival_plan: str = ""
    stop_plan: str = ""
    costs: float = 0
    income: float = 0
    reserve: float = 0
    largest_payer: float = 0

    @property
    def months_of_money(self) -> float | None:
        """How many months the reserve lasts; None if the income covers the costs."""
        loss = self.costs - self.income
        return self.reserve / loss if loss > 0 else None


@dataclasses.dataclass(frozen=True)
class Hole:
    """What is missing or does not fit. because: whose story says so, with rows of `data/careers`."""

    block: str
    problem: str
    ask: str
    because: str = ""


EXAMPLE: dict[str, Any] = {
    "name": "Chào Shop",
    "users": "everyone",
    "value": "answers the customers of small shops in Vietnamese, with the right word for each",
    "channels": "people find our documentation by searching",
    "payers": "",
    "sells": [],
    "open_parts": ["weights"],
    "licence": "Apache-2.0",
    "data_rights": "",
    "maintainers": 1,
    "governance": "I decide; whoever had three changes merged may review",
    "rival_plan": "",
    "stop_plan": "the weights and the page stay where they are",
    "costs": 45,
    "income": 0,
    "reserve": 120,
    "largest_payer": 0,
}
"""An invented project with holes, to begin with. Its numbers are assumptions."""


def read(given: Mapping[str, Any]) -> Canvas:
    """Return a canvas from a dictionary, such as the one that was saved.

    Blocks that are left out are empty. Raises CanvasError for a block that does not exist, a
    choice that is not offered, or a number that cannot be.
    """
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise CanvasError(f"There is no block {unknown[0]!r}. There are: {', '.join(FIELDS)}.")
    blocks: dict[str, Any] = {}
    for block, value in given.items():
        if block in NUMBERS:
            blocks[block] = _number(block, value)
        elif block in ("sells", "open_parts"):
            offered = SELLS if block == "sells" else PARTS
            blocks[block] = _choices(block, value, offered)
        elif not isinstance(value, str):
            raise CanvasError(f"{block!r} wants words, not {value!r}.")
        else:
            blocks[block] = " ".join(value.split())
    return Canvas(**blocks)


def _number(block: str, value: Any) -> float:
    label = FIELDS[block][0]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise CanvasError(f"{label}: a number of 0 or more belongs here, not {value!r}.")
    if block == "maintainers" and value != int(value):
        raise CanvasError(f"{label}: people come whole, not {value!r}.")
    if block == "largest_payer" and value > 100:
        raise CanvasError(f"{label}: at most 100 per cent, not {value!r}.")
    return int(value) if block == "maintainers" else value


def _choices(block: str, value: Any, offered: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(value, str) or not all(one in offered for one in value):
        raise CanvasError(f"{block!r} wants a list of some of: {', '.join(offered)}.")
    return tuple(one for one in offered if one in value)


# --- looking for holes -------------------------------------------------------------------------

CHECKS: list[Callable[[Canvas], Iterator[Hole]]] = []
"""Each looks at one thing; `holes` asks them all, in this order."""


def _check(function: Callable[[Canvas], Iterator[Hole]]) -> Callable[[Canvas], Iterator[Hole]]:
    CHECKS.append(function)
    return function


def holes(canvas: Canvas | Mapping[str, Any]) -> tuple[Hole, ...]:
    """Return what is missing in a canvas or does not fit together, in the order of `CHECKS`.

    canvas: a Canvas, or a dictionary as `read` takes it. None found: the canvas is complete, which
    is not to say that it is good. Raises CanvasError as `read` does.
    """
    checked = canvas if isinstance(canvas, Canvas) else read(canvas)
    return tuple(hole for check in CHECKS for hole in check(checked))


@_check
def empty_blocks(canvas: Canvas) -> Iterator[Hole]:
    """A block in words has no answer, or one that fits everybody."""
    for block, (label, question) in FIELDS.items():
        words = getattr(canvas, block)
        if isinstance(words, str) and words.strip(" .!").lower() in NO_ANSWERS:
            said = f"{words!r} is no answer" if words else "nothing is written here"
            yield Hole(label, said, question)


@_check
def free_first(canvas: Canvas) -> Iterator[Hole]:
    """It costs money and sells nothing: the price will have to come later."""
    if not canvas.sells and canvas.costs > 0:
        yield Hole(
            "What is sold",
            "nothing is sold, and it costs money: free first, and a price later",
            "What can you sell from the first day, without taking back what you gave?",
            "Stable Diffusion 3 (L13): earlier models allowed more; then came limits, for revenue",
        )


@_check
def grants_only(canvas: Canvas) -> Iterator[Hole]:
    """All income is grants."""
    if canvas.sells == ("grants",):
        yield Hole(
            "What is sold",
            "grants are the only income, and they end",
            "Who pays when the grant is over?",
            "the German fund was asked for far more than it could give (F018, F019)",
        )


@_check
def money_runs_out(canvas: Canvas) -> Iterator[Hole]:
    """The reserve is gone in less than half a year."""
    months = canvas.months_of_money
    if months is not None and months < ENOUGH_MONTHS:
        yield Hole(
            "Reserve",
            f"the money lasts {months:.1f} months; {ENOUGH_MONTHS} is what we assume a search takes",
            "Which cost can go, or which payer can come first?",
        )


@_check
def one_payer(canvas: Canvas) -> Iterator[Hole]:
    """One payer brings more than half of the income."""
    if canvas.income > 0 and canvas.largest_payer > 50:
        yield Hole(
            "Largest payer",
            f"one payer brings {canvas.largest_payer:g} per cent of the income",
            "What happens in the month in which this payer goes?",
            "llama.cpp: since 2026 it depends on one employer (business_models)",
        )


@_check
def hosting_without_computing(canvas: Canvas) -> Iterator[Hole]:
    """It runs a model for others, and that costs nothing?"""
    if "hosting" in canvas.sells and canvas.costs <= 0:
        yield Hole(
            "Costs",
            "a model that runs for customers needs computers, and the costs are 0",
            "What does one conversation cost you, and how many are there in a month?",
        )


@_check
def hosting_and_rivals(canvas: Canvas) -> Iterator[Hole]:
    """It sells hosting of something that everybody may host."""
    told = canvas.rival_plan.strip(" .!").lower()
    if "hosting" in canvas.sells and canvas.licence in OPEN_LICENCES and told in NO_ANSWERS:
        yield Hole(
            "Rivals",
            f"{canvas.licence} lets every company host it, and hosting is what you sell",
            "Why would a customer stay with you? Do not answer: we can change the licence.",
            "MongoDB (L02), Elastic (L05), Redis (L11)",
        )


@_check
def not_open(canvas: Canvas) -> Iterator[Hole]:
    """Parts are called open, under a licence that is not."""
    if canvas.open_parts and canvas.licence in OTHER_LICENCES:
        yield Hole(
            "Licence",
            f"{canvas.licence} is not approved by the Open Source Initiative",
            "Say “source available”, or choose another licence. What do you lose by each?",
            "Terraform (L09), Redis (L11), Stable Diffusion 3 (L13)",
        )


@_check
def only_weights(canvas: Canvas) -> Iterator[Hole]:
    """Nothing but weights is given away."""
    if canvas.open_parts == ("weights",):
        yield Hole(
            "What is open",
            "weights alone are “open weights”: nobody can build them again",
            "Can you add the code, or say what the data was? Lesson 07 has the definitions.",
        )
    if not canvas.open_parts:
        yield Hole("What is open", "nothing is given away", FIELDS["open_parts"][1])


@_check
def few_maintainers(canvas: Canvas) -> Iterator[Hole]:
    """Fewer than two people can publish a version."""
    if canvas.maintainers < 2:
        yield Hole(
            "Maintainers",
            f"{canvas.maintainers} can publish a new version: one illness stops the project",
            "Whom could you give the keys to this month?",
            "truck factor 1 in nearly half of 133 popular projects in 2015 (F050)",
        )


@_check
def found_by_documentation(canvas: Canvas) -> Iterator[Hole]:
    """Buyers come by a page that an AI tool can answer from."""
    words = canvas.channels.lower()
    if any(word in words for word in ("documentation", "docs", "search", "tài liệu")):
        yield Hole(
            "Channels",
            "people find it by reading, and AI tools read for them now",
            "Where else would a buyer meet you?",
            "Tailwind: visits and revenue fell, its founder says (F178, F179)",
        )


# --- showing and filling in --------------------------------------------------------------------


def as_table(canvas: Canvas | Mapping[str, Any]) -> pd.DataFrame:
    """Return a canvas as a table: block, answer, and the holes found in the block."""
    import pandas as pd

    checked = canvas if isinstance(canvas, Canvas) else read(canvas)
    found = holes(checked)
    rows = []
    for block, (label, _) in FIELDS.items():
        value = getattr(checked, block)
        answer = ", ".join(value) if isinstance(value, tuple) else str(value)
        count = sum(hole.block == label.split(" (")[0] for hole in found)
        rows.append({"block": label, "answer": answer or "(empty)", "holes": count})
    return pd.DataFrame(rows)


def holes_table(canvas: Canvas | Mapping[str, Any]) -> pd.DataFrame:
    """Return the holes as a table: block, hole, ask, because. No rows: none was found."""
    import pandas as pd

    rows = [
        {
            "block": h.block,
            "hole": h.problem,
            "ask": h.ask,
            "because": h.because or "it must be said",
        }
        for h in holes(canvas)
    ]
    return pd.DataFrame(rows, columns=["block", "hole", "ask", "because"])


def saved() -> dict[str, Any] | None:
    """Return the student's own canvas as it was saved, or None if there is none yet.

    Raises CanvasError if the file holds something else, WorkError if it cannot be read.
    """
    if not any(entry.name == f"{NAME}.json" for entry in work.contents()):
        return None
    found = work.load(f"{NAME}.json")
    if not isinstance(found, dict):
        raise CanvasError(f"{NAME}.json in my-work holds no canvas. Rename it, and start again.")
    return found


def form(start: Mapping[str, Any] | None = None) -> ipywidgets.VBox:
    """Return a form with all blocks, a button that looks for holes, and one that saves.

    start: what stands in it first; without it the saved canvas, else `EXAMPLE`. All parts have
    labels, and the keyboard reaches them. Raises CanvasError as `read` does.
    """
    import ipywidgets as widgets

    first = read(start if start is not None else (saved() or EXAMPLE))
    entries = {block: _entry(block, getattr(first, block)) for block in FIELDS}
    look = widgets.Button(description="Look for holes", layout={"width": "auto"})
    save = widgets.Button(description="Save my canvas", layout={"width": "auto"})
    said = widgets.HTML()

    def now() -> Canvas:
        return read({block: _value(entry) for block, entry in entries.items()})

    def tell(button: object) -> None:
        try:
            filled = now()
            text = _told(holes(filled))
            if button is save:
                work.save(NAME, dataclasses.asdict(filled))
                text = f"<p>Saved in my-work/{NAME}.json.</p>{text}"
        except (CanvasError, work.WorkError) as error:
            text = f"<p>{html.escape(str(error), quote=False)}</p>"
        # role=alert: a screen reader reads the feedback without moving the focus
        said.value = f'<div role="alert">{text}</div>'

    look.on_click(tell)
    save.on_click(tell)
    return controls.group(*entries.values(), look, save, said)


def _entry(block: str, value: Any) -> ipywidgets.Widget:
    import ipywidgets as widgets

    label, question = FIELDS[block]
    look = {"style": {"description_width": "initial"}, "layout": {"max_width": "100%"}}
    wide = look | {"layout": {"max_width": "100%", "width": "44rem"}}
    if block in NUMBERS:
        made = widgets.BoundedIntText if block == "maintainers" else widgets.BoundedFloatText
        most = 100 if block == "largest_payer" else 1_000_000
        return made(value=value, min=0, max=most, description=label, tooltip=question, **look)
    if isinstance(value, tuple):
        offered = SELLS if block == "sells" else PARTS
        boxes = [
            widgets.Checkbox(value=one in value, description=one, indent=False, **look)
            for one in offered
        ]
        head = widgets.HTML(f"<p>{label}: {html.escape(question, quote=False)}</p>")
        return widgets.VBox([head, *boxes])
    if block == "licence":
        options = list(dict.fromkeys(["", *OPEN_LICENCES, *OTHER_LICENCES, value]))
        return widgets.Dropdown(options=options, value=value, description=label, **look)
    return widgets.Text(value=value, placeholder=question, description=label, **wide)


def _value(entry: Any) -> Any:
    if hasattr(entry, "value"):
        return entry.value
    return [box.description for box in entry.children[1:] if box.value]


def _told(found: tuple[Hole, ...]) -> str:
    if not found:
        return "<p>No hole found: the canvas is complete. Ask a customer whether it is good.</p>"
    items = "".join(
        f"<li><strong>{html.escape(hole.block, quote=False)}:</strong>"
        f" {html.escape(hole.problem, quote=False)}. {html.escape(hole.ask, quote=False)}</li>"
        for hole in found
    )
    return f"<p>Holes found: {len(found)}.</p><ol>{items}</ol>"
