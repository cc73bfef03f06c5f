"""Figures that everyone can read: one plotly template, a source line, and the figure in words.

A lesson draws with plain plotly and hands the figure to `show`:

    import plotly.graph_objects as go
    from osai import figures

    fig = go.Figure(go.Bar(x=["Viet Nam", "Thailand"], y=[2.1, 1.2]))
    fig.update_layout(title="Viet Nam has more developer accounts than Thailand")
    fig.update_xaxes(title="Country")
    fig.update_yaxes(title="Developer accounts (million)")
    figures.show(fig, alt="Two bars: ...", source="GitHub Innovation Graph, 2024")

`show` refuses a figure without a message in its title, without axis titles and units, without a
dated source or without words for those who cannot see it. What it displays is the same on every
run, so a test can compare it with what the notebook holds.
"""

from __future__ import annotations

import base64
import html
import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

from osai import tables
from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

PAPER = "#FFFFFF"
"""Background of every figure. It is painted, not transparent: one set of colours cannot reach
4.5:1 on JupyterLab's white and on its near-black page at once."""
INK = "#1A1A1A"
"""Text, axes and the strongest line."""
GRID = "#E3E3E3"
"""Grid lines: decoration, so free to be faint."""
MUTED = "#767676"
"""For series that are context only; still 4.5:1 on the paper."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
"""Blue, vermilion, green, pink, black: the colours of Okabe and Ito (2008, "Color Universal
Design") that reach 3:1 on white (WCAG 2.2, 1.4.11). Their orange, sky blue and yellow do not."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
"""Each series also has its own marker and dash, so that colour never carries meaning alone."""

PLOTLY_MIME = "application/vnd.plotly.v1+json"
TEXT_CLASS = "osai-figure-text"
"""Class of the HTML block under a figure; tests look for it beside each figure."""

_TITLE_WIDTH = 40  # characters a line: fits an output 290 pixels wide, a phone's, at 14 points
_TIME_AXES = re.compile(r"^(year|quarter|month|week|day|date|time of day)\b", re.IGNORECASE)
_HEX = re.compile(r"^#[0-9a-fA-F]{6}$")


class FigureError(PlainError, ValueError):
    """A figure that some reader could not read. The message says what to add."""


def contrast(first: str, second: str) -> float:
    """Return the WCAG 2.2 contrast ratio of two colours written `#rrggbb`, from 1 to 21.

    Source: W3C, WCAG 2.2, definitions of relative luminance and contrast ratio.
    """
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    if not _HEX.match(colour):
        raise FigureError(f"{colour!r} is not a colour written #rrggbb.")
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def template() -> go.layout.Template:
    """Return the course's plotly template: colours, markers, dashes, fonts, margins."""
    import plotly.graph_objects as go

    axis = {
        "showgrid": True,
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": INK,
        "showline": True,
        "ticks": "outside",
        "tickcolor": INK,
        "automargin": True,
        "title": {"standoff": 12, "font": {"size": 13}},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "colorway": list(COLOURS),
            "font": {
                "family": "system-ui, Segoe UI, Helvetica, Arial, sans-serif",
                "size": 13,
                "color": INK,
            },
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "yref": "container",
                "y": 1,
                "yanchor": "top",
                "pad": {"l": 12, "t": 12},
                "font": {"size": 14},
            },
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1, "xanchor": "left", "x": 0},
            "margin": {"l": 60, "r": 24, "t": 72, "b": 56},
            "height": 420,
            "hoverlabel": {"font": {"size": 13}},
            "colorscale": {"sequential": "Viridis", "sequentialminus": "Viridis"},
        },
        data={
            "scatter": [
                {
                    "line": {"dash": dash, "width": 2.5},
                    "marker": {"symbol": symbol, "size": 8, "line": {"color": PAPER, "width": 1}},
                }
                for symbol, dash in zip(SYMBOLS, DASHES, strict=True)
            ],
            "bar": [
                {
                    "marker": {
                        "pattern": {
                            "shape": shape,
                            "fillmode": "overlay",  # else plotly takes fgcolor for the whole bar
                            "fgcolor": PAPER,
                            "size": 6,
                            "solidity": 0.2,
                        }
                    }
                }
                for shape in ("", "/", ".", "x", "-")
            ],
        },
    )


def show(fig: go.Figure, *, alt: str, source: str, table: pd.DataFrame | None = None) -> None:
    """Display a figure, and under it the source, the figure in words and its numbers.

    alt: what a reader without the picture needs: what is drawn, what it shows, key values.
    source: who measured it and the year, for example `table.source_line` of `osai.tables`.
    table: the numbers behind the figure, folded away until asked for; columns carry units.

    The given figure stays as it is. Raises FigureError when something is missing.
    """
    from IPython.display import display

    for bundle in bundles(fig, alt=alt, source=source, table=table):
        display(bundle, raw=True)


def bundles(
    fig: go.Figure, *, alt: str, source: str, table: pd.DataFrame | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the two MIME bundles that `show` displays: the figure and the text under it.

    Where no plotly renderer exists (a web page made from the notebook, GitHub), the first one
    shows its title in words; the second is plain HTML everywhere.
    """
    import plotly.graph_objects as go

    check(fig, alt=alt, source=source)
    shown = go.Figure(fig)
    shown.update_layout(template=template())
    title = _one_line(shown.layout.title.text)
    lines = textwrap.wrap(title, _TITLE_WIDTH)
    shown.update_layout(title_text="<br>".join(lines))
    if len(lines) > 1 and shown.layout.margin.t is None:
        shown.update_layout(margin_t=72 + 20 * (len(lines) - 1))
    figure = _plain(json.loads(shown.to_json()))
    figure["config"] = {"displaylogo": False, "responsive": True}
    note = f"Figure: {title}"
    picture = {
        PLOTLY_MIME: figure,
        "text/html": f"<p><em>{html.escape(note, quote=False)}</em> "
        "(drawn in JupyterLab; in words below)</p>",
        "text/plain": note,
    }
    return picture, _words(alt, source, table)


def _words(alt: str, source: str, table: pd.DataFrame | None) -> dict[str, str]:
    alt, source = " ".join(alt.split()), " ".join(source.split())
    parts = [
        f'<div class="{TEXT_CLASS}">',
        f"<p><small>Source: {html.escape(source, quote=False)}</small></p>",
        f"<p><strong>In words:</strong> {html.escape(alt, quote=False)}</p>",
    ]
    if table is not None:
        rows = tables.as_html(table, caption="The numbers behind the figure")
        parts.append(f"<details><summary>The numbers as a table</summary>{rows}</details>")
    parts.append("</div>")
    return {"text/html": "\n".join(parts), "text/plain": f"Source: {source}\nIn words: {alt}"}


def check(fig: go.Figure, *, alt: str, source: str) -> None:
    """Raise FigureError if the figure lacks what some reader needs.

    Asked for: a title of at least four words, a title on each axis with its unit in brackets
    (years and other points in time need none), a source with a year, and words for the figure
    that say more than the title. Colours set by hand must reach 3:1 on the paper.
    """
    missing = []
    title = _one_line(fig.layout.title.text)
    if len(title.split()) < 4:
        missing.append('a title that says the message: fig.update_layout(title="...")')
    missing.extend(_axis_faults(fig))
    missing.extend(_colour_faults(fig))
    if not re.search(r"\b(19|20)\d\d\b", source):
        missing.append('a source with its year: source="Who measured it, 2024"')
    if len(alt.split()) < 10 or " ".join(alt.split()) == title:
        missing.append("the figure in words, ten or more: alt='Lines for ... show that ...'")
    if missing:
        raise FigureError("This figure is not ready. It needs:\n- " + "\n- ".join(missing))


def _axis_faults(fig: go.Figure) -> list[str]:
    drawn = _plain(json.loads(fig.to_json()))
    faults = []
    for name, values in _axis_values(drawn["data"]).items():
        axis = drawn["layout"].get(name, {})
        if axis.get("visible") is False or axis.get("showticklabels") is False:
            continue
        title = _one_line(axis.get("title", {}).get("text"))
        if not title:
            faults.append(f"a title on {name}: fig.update_{name[0]}axes(title='...')")
            continue
        numeric = any(isinstance(value, (int, float)) for value in values)
        if numeric and "(" not in title and not _TIME_AXES.match(title):
            faults.append(f"a unit in brackets on {name}, now {title!r}: 'Accounts (million)'")
    return faults


def _axis_values(traces: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the values on each axis that some trace uses, by layout name (`xaxis2`)."""
    found: dict[str, list[Any]] = {}
    for trace in traces:
        if not {"x", "y", "z"} & trace.keys():
            continue
        for letter in "xy":
            name = f"{letter}axis{trace.get(letter + 'axis', letter)[1:]}"
            found.setdefault(name, []).extend(_flat(trace.get(letter, [])))
    return found


def _flat(values: Any) -> list[Any]:
    if not isinstance(values, list):
        return [values]
    return [inner for value in values for inner in _flat(value)]


def _colour_faults(fig: go.Figure) -> list[str]:
    faults = []
    for trace in json.loads(fig.to_json())["data"]:
        for part in ("line", "marker"):
            colours = (trace.get(part) or {}).get("color")
            for colour in _flat(colours):
                # other notations (names, rgb(), numbers on a colour scale) are left to the eye
                if isinstance(colour, str) and _HEX.match(colour) and contrast(colour, PAPER) < 3:
                    faults.append(f"a darker colour than {colour} (3:1 on white, WCAG 1.4.11)")
    return faults


def _one_line(text: str | None) -> str:
    return " ".join(re.sub(r"<br\s*/?>", " ", text or "").split())


def _plain(value: Any) -> Any:
    """Turn plotly's base64 arrays into lists, so that a notebook's history can be read."""
    if isinstance(value, dict):
        if {"dtype", "bdata"} <= value.keys():
            import numpy as np

            array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
            if "shape" in value:
                array = array.reshape([int(n) for n in str(value["shape"]).split(",")])
            # a float that is not a number has no JSON; plotly draws a gap for null
            return [_gap(v) for v in array.tolist()]
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _gap(value: Any) -> Any:
    if isinstance(value, list):
        return [_gap(inner) for inner in value]
    return None if value != value else value
