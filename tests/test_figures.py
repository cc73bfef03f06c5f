"""Figures that everyone can read: contrast, colour blindness, words, units, sources."""

import itertools
import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from osai import figures
from plotly.subplots import make_subplots

ALT = "Two bars. Viet Nam has 2.1 million accounts and Thailand has 1.1 million."
SOURCE = "GitHub Innovation Graph, 2024"


@pytest.fixture
def fig() -> go.Figure:
    made = go.Figure(go.Bar(x=["Viet Nam", "Thailand"], y=np.array([2.1, 1.1])))
    made.update_layout(title="Viet Nam has more accounts than Thailand")
    made.update_xaxes(title="Country")
    made.update_yaxes(title="Accounts (million)")
    return made


# --- colours, by computation


def test_contrast_is_that_of_wcag():
    assert figures.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert figures.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)
    assert figures.contrast("#123456", "#123456") == 1


def test_text_reaches_enhanced_contrast_and_context_still_counts_as_text():
    assert figures.contrast(figures.INK, figures.PAPER) >= 7  # WCAG 1.4.6
    assert figures.contrast(figures.MUTED, figures.PAPER) >= 4.5  # WCAG 1.4.3


@pytest.mark.parametrize("colour", figures.COLOURS)
def test_every_series_stands_out_from_the_paper(colour):
    assert figures.contrast(colour, figures.PAPER) >= 3  # WCAG 1.4.11


def test_the_template_paints_its_paper_so_that_a_dark_theme_changes_no_contrast():
    layout = figures.template().layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == figures.PAPER
    assert layout.font.color == figures.INK


# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, seen_with: object) -> np.ndarray:
    """The CIE Lab coordinates of a colour as an eye sees it."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    x, y, z = (XYZ @ np.clip(np.asarray(seen_with) @ linear, 0, 1)) / [0.9505, 1, 1.089]
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISION)
def test_series_stay_apart_for_the_colour_blind(vision):
    for first, second in itertools.combinations(figures.COLOURS, 2):
        distance = np.linalg.norm(lab(first, VISION[vision]) - lab(second, VISION[vision]))
        assert distance >= 15, f"{first} and {second} look alike with {vision}"


def test_colour_never_carries_meaning_alone():
    data = figures.template().data
    lines = [(trace.line.dash, trace.marker.symbol) for trace in data.scatter]
    assert len(set(lines)) == len(lines) == len(figures.COLOURS)
    bars = [trace.marker.pattern.shape for trace in data.bar]
    assert len(set(bars)) == len(bars) == len(figures.COLOURS)


@pytest.mark.parametrize("colour", ["red", "#fff", "rgb(0,0,0)", "#12345g"])
def test_a_colour_in_another_notation_is_refused_not_misread(colour):
    with pytest.raises(figures.FigureError, match="not a colour written #rrggbb"):
        figures.contrast(colour, "#FFFFFF")


# --- what show() gives to readers


def test_the_same_figure_gives_the_same_bundle_each_time(fig):
    first = figures.bundles(fig, alt=ALT, source=SOURCE)
    assert first == figures.bundles(fig, alt=ALT, source=SOURCE)
    assert json.loads(json.dumps(first[0])) == first[0]


def test_the_students_own_figure_stays_as_it_is(fig):
    before = fig.to_json()
    figures.bundles(fig, alt=ALT, source=SOURCE)
    assert fig.to_json() == before


def test_numbers_can_be_read_in_the_notebooks_history(fig):
    fig.add_scatter(x=pd.Series(["a", "b"]), y=pd.Series([1.5, np.nan]))
    fig.add_heatmap(x=["a", "b"], y=[1, 2], z=np.array([[1, 2], [3, 4]]))
    shown = figures.bundles(fig, alt=ALT, source=SOURCE)[0][figures.PLOTLY_MIME]
    assert shown["data"][0]["y"] == [2.1, 1.1]
    assert shown["data"][1]["y"] == [1.5, None]  # a gap, not a number
    assert shown["data"][2]["z"] == [[1, 2], [3, 4]]
    assert "bdata" not in json.dumps(shown)


def test_words_and_source_stand_beside_the_figure(fig):
    _, words = figures.bundles(fig, alt=ALT, source=SOURCE)
    assert figures.TEXT_CLASS in words["text/html"]
    for text in (ALT, SOURCE):
        assert text in words["text/html"]
        assert text in words["text/plain"]


def test_text_is_escaped(fig):
    fig.update_layout(title="Less is <b>more</b> & more is less")
    picture, words = figures.bundles(fig, alt=f"{ALT} a < b & c", source=SOURCE)
    assert "a &lt; b &amp; c" in words["text/html"]
    assert "<b>" not in picture["text/html"]


def test_without_a_plotly_renderer_the_title_is_still_said(fig):
    picture, _ = figures.bundles(fig, alt=ALT, source=SOURCE)
    assert "Viet Nam has more accounts than Thailand" in picture["text/html"]
    assert "Viet Nam has more accounts than Thailand" in picture["text/plain"]


def test_the_numbers_can_be_folded_out_as_a_table_with_a_caption(fig):
    table = pd.DataFrame({"Country": ["Viet Nam"], "Accounts (million)": [2.1]})
    _, words = figures.bundles(fig, alt=ALT, source=SOURCE, table=table)
    assert "<details><summary>The numbers as a table" in words["text/html"]
    assert "<caption>The numbers behind the figure</caption>" in words["text/html"]
    assert "<td>Viet Nam</td><td>2.1</td>" in words["text/html"]


def test_a_long_title_is_broken_into_lines_and_keeps_its_words(fig):
    title = " ".join(["message"] * 12)
    fig.update_layout(title=title)
    layout = figures.bundles(fig, alt=ALT, source=SOURCE)[0][figures.PLOTLY_MIME]["layout"]
    lines = layout["title"]["text"].split("<br>")
    assert len(lines) == 3
    assert " ".join(lines) == title
    assert layout["margin"]["t"] > figures.template().layout.margin.t


def test_show_displays_the_figure_and_then_the_words(fig, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    figures.show(fig, alt=ALT, source=SOURCE)
    assert [figures.PLOTLY_MIME in bundle for bundle in shown] == [True, False]


# --- what show() refuses


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda fig: fig.update_layout(title=None), "a title that says the message"),
        (lambda fig: fig.update_layout(title="Accounts"), "a title that says the message"),
        (lambda fig: fig.update_xaxes(title=None), "a title on xaxis"),
        (lambda fig: fig.update_yaxes(title=""), "a title on yaxis"),
        (lambda fig: fig.update_yaxes(title="Accounts"), "a unit in brackets on yaxis"),
        (lambda fig: fig.update_traces(marker_color="#F0E442"), "a darker colour than #F0E442"),
        (lambda fig: fig.update_traces(marker_color=["#000000", "#56B4E9"]), "#56B4E9"),
        (lambda fig: fig.add_scatter(x=[1], y=[2], yaxis="y2"), "a title on yaxis2"),
    ],
)
def test_a_figure_that_some_reader_cannot_read_is_refused(change, said, fig):
    change(fig)
    with pytest.raises(figures.FigureError, match=said):
        figures.bundles(fig, alt=ALT, source=SOURCE)


@pytest.mark.parametrize("alt", ["", "A bar chart", "Viet Nam has more accounts than Thailand"])
def test_words_that_say_nothing_more_than_the_title_are_refused(alt, fig):
    with pytest.raises(figures.FigureError, match="the figure in words"):
        figures.bundles(fig, alt=alt, source=SOURCE)


@pytest.mark.parametrize("source", ["", "GitHub", "Chapter 12345"])
def test_a_source_without_a_year_is_refused(source, fig):
    with pytest.raises(figures.FigureError, match="a source with its year"):
        figures.bundles(fig, alt=ALT, source=source)


def test_everything_that_is_missing_is_said_at_once():
    empty = go.Figure(go.Scatter(x=[1, 2], y=[1, 2]))
    with pytest.raises(figures.FigureError) as caught:
        figures.bundles(empty, alt="", source="")
    assert str(caught.value).count("\n- ") == 5


@pytest.mark.parametrize("title", ["Year", "Month (2024)", "Date of the release"])
def test_points_in_time_need_no_unit(title):
    made = go.Figure(go.Scatter(x=[2020, 2024], y=[0.6, 2.1]))
    made.update_layout(title="Accounts in Viet Nam have tripled")
    made.update_xaxes(title=title)
    made.update_yaxes(title="Accounts (million)")
    figures.check(made, alt=ALT, source=SOURCE)


def test_inner_axes_of_small_multiples_may_stay_bare():
    made = make_subplots(rows=2, cols=1, shared_xaxes=True)
    made.add_scatter(x=[2020, 2021], y=[1, 2], row=1, col=1)
    made.add_scatter(x=[2020, 2021], y=[1, 2], row=2, col=1)
    made.update_layout(title="Both countries have doubled their accounts")
    made.update_yaxes(title="Accounts (million)")
    made.update_xaxes(title="Year", row=2, col=1)
    figures.check(made, alt=ALT, source=SOURCE)


def test_a_figure_without_axes_needs_no_axis_titles():
    made = go.Figure(go.Pie(labels=["MIT", "GPL"], values=[3, 1]))
    made.update_layout(title="Three of four projects use MIT")
    figures.check(made, alt=ALT, source=SOURCE)


def test_a_patterned_bar_keeps_its_colour():
    # in plotly's default mode, replace, the pattern's colour (the paper's) would fill the bar
    for bar in figures.template().data.bar:
        assert bar.marker.pattern.fillmode == "overlay"
