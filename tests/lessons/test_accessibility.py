"""What a lesson shows can be read without colours, without a picture and without a mouse.

Headings in order, words beside figures and images, and captions are rules of the page grammar
(`osai.authoring.grammar`), labels of controls are looked at in the kernel (`conftest.py`), and the template's
contrast in ``tests/test_figures.py``. Here: nothing in a figure is told by its colour alone, and the text of a
figure's own labels can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from osai import figures
from osai.authoring import derived

TOP = Path(__file__).parents[2]


def drawn() -> Iterator[pytest.param]:
    for lesson in derived.lessons(TOP):
        for cell in nbformat.read(lesson, as_version=4).cells:
            for place, output in enumerate(cell.get("outputs", [])):
                figure = output.get("data", {}).get(figures.PLOTLY_MIME)
                if figure:
                    yield pytest.param(figure, id=f"{lesson.stem[:2]}-{cell.id}-{place}")


FIGURES = list(drawn())


def looks(figure: dict, kind: str) -> list[tuple[str, tuple]]:
    """Each named trace of a kind, and all that tells it apart besides its colour."""
    template = figure["layout"]["template"]["data"].get(kind) or [{}]
    found = []
    for place, trace in enumerate(t for t in figure["data"] if t.get("type", "scatter") == kind):
        default = template[place % len(template)]
        if trace.get("visible") in (False, "legendonly") or not trace.get("name"):
            continue
        if trace.get("showlegend") is False:
            continue
        line = {**default.get("line", {}), **(trace.get("line") or {})}
        marker = {**default.get("marker", {}), **(trace.get("marker") or {})}
        mode = trace.get("mode") or "lines"
        seen = {
            "scatter": (
                line.get("dash") if "lines" in mode else None,
                str(marker.get("symbol")) if "markers" in mode else None,
                mode,
                line.get("width"),
                trace.get("fill"),
                bool(trace.get("text")) and str(trace.get("text")),
            ),
            "bar": (
                str((marker.get("pattern") or {}).get("shape")),
                trace.get("offsetgroup"),
                bool(trace.get("text")) and str(trace.get("text")),
            ),
        }[kind]
        found.append((trace["name"], seen))
    return found


def test_there_are_figures():
    assert FIGURES


@pytest.mark.parametrize("figure", FIGURES)
def test_no_two_series_differ_in_colour_only(figure: dict):
    for kind in ("scatter", "bar"):
        found = looks(figure, kind)
        alike = [
            (a, b)
            for i, (a, first) in enumerate(found)
            for b, second in found[i + 1 :]
            if first == second
        ]
        assert not alike, f"told apart by colour only: {alike}"


@pytest.mark.parametrize("figure", FIGURES)
def test_several_colours_in_one_series_come_with_words_or_patterns(figure: dict):
    for trace in figure["data"]:
        marker = trace.get("marker") or {}
        colours = marker.get("color")
        if not isinstance(colours, list) or len(set(map(str, colours))) < 2:
            continue
        shape = (marker.get("pattern") or {}).get("shape")
        symbols = marker.get("symbol")
        told = isinstance(shape, list) or isinstance(symbols, list) or trace.get("text")
        assert told, "colours inside a series say something that nothing else says"


@pytest.mark.parametrize("figure", FIGURES)
def test_text_inside_a_figure_can_be_read(figure: dict):
    notes = figure["layout"].get("annotations", [])
    for font in (note.get("font") or {} for note in notes):
        assert font.get("size", 13) >= 11
        colour = font.get("color", figures.INK)
        if colour.startswith("#"):
            assert figures.contrast(colour, figures.PAPER) >= 4.5
