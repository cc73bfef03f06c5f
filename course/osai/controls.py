"""Controls on a page that everyone can use: labelled, by keyboard, on a narrow screen.

    from osai import controls

    controls.explore(draw, country=["Thailand", "Malaysia"], years=widgets.IntSlider(...))

JupyterLab takes arrow keys, Enter and single letters for itself while a control has the focus:
an arrow would leave a list of answers, and `d` twice would delete the cell. `group` and `explore`
switch that off for what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from osai.plain import PlainError

if TYPE_CHECKING:
    import ipywidgets

# Lumino, which JupyterLab is built on, leaves keys alone if the element with the focus has this
# attribute. ipywidgets can set no attribute; a style element that has loaded can run a line that
# does, for whatever gets the focus from then on.
_KEYS_STAY_HERE = (
    "<style onload=\"(this.closest('.jp-OutputArea-output') || this.parentElement)"
    ".addEventListener('focusin', e =>"
    " e.target.setAttribute('data-lm-suppress-shortcuts', 'true'))\"></style>"
)


class ControlError(PlainError, ValueError):
    """A control that some people could not use. The message says what to add."""


def group(*children: ipywidgets.Widget) -> ipywidgets.VBox:
    """Return controls one below the other, in which all keys go to the control with the focus."""
    import ipywidgets as widgets

    keys = widgets.HTML(_KEYS_STAY_HERE, layout={"display": "none"})
    return widgets.VBox([keys, *children], layout={"max_width": "100%"})


def explore(
    draw: Callable[..., object], **given: ipywidgets.Widget | Sequence[object]
) -> ipywidgets.VBox:
    """Return controls, and below them what `draw` shows, drawn anew whenever one changes.

    given: for each argument of `draw` a list to choose from or an ipywidgets control. A list's
    label is the argument's name (`first_year` becomes "First year").
    Raises ControlError for a control without a label (`description`).
    """
    import ipywidgets as widgets

    made = {name: _control(name, control) for name, control in given.items()}
    shown = widgets.interactive_output(draw, made)
    return group(*made.values(), shown)


def _control(name: str, given: ipywidgets.Widget | Sequence[object]) -> ipywidgets.Widget:
    import ipywidgets as widgets

    if isinstance(given, widgets.Widget):
        control = given
    else:
        label = name.replace("_", " ").capitalize()
        control = widgets.Dropdown(options=list(given), description=label)
    if not getattr(control, "description", ""):
        raise ControlError(f"The control for {name!r} needs a label: description='...'.")
    control.style.description_width = "initial"
    control.layout.max_width = "100%"
    return control
