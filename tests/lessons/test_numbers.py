"""A number in a lesson's text is shown by a cell, or its paragraph names the row that holds it."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from osai import tables
from osai.authoring import numbers


def page(text: str, shown: str = "", code: str = "x") -> NotebookNode:
    cell = new_code_cell(code, id="code", outputs=[new_output("stream", text=shown)])
    return new_notebook(cells=[new_markdown_cell(text, id="text"), cell])


def found(text: str, shown: str = "", code: str = "x") -> list[str]:
    return [number for _, number in numbers.unsupported(page(text, shown, code))]


@pytest.fixture(scope="module")
def row() -> dict:
    """A figure of the table with a value that is no small count."""
    data = tables.load("careers", "figures").data
    return data[(data["value"] > 20) & (data["value"] < 1900)].iloc[0].to_dict()


def test_a_number_that_nothing_supports_is_found():
    assert found("Pay rose by 37 percent.") == ["37"]
    assert found("It costs 4,150 dollars, or 0.37 of them.") == ["4,150", "0.37"]


def test_a_number_that_a_cell_shows_is_supported_also_rounded():
    assert found("Pay rose by 37 percent.", shown="gap: 36.8 percent") == []
    assert found("Pay rose by 36.8 percent.", shown="gap: 36.8123") == []
    assert found("Pay rose by 36.9 percent.", shown="gap: 36.8123") == ["36.9"]
    assert found("It costs 4,150 dollars.", shown="4150") == []


def test_an_html_output_counts_and_the_drawing_instructions_of_a_figure_do_not():
    notebook = page("Of 263 projects, 420 are alone.")
    notebook.cells[1].outputs = [
        new_output("display_data", data={"text/html": "<td>263</td>"}),
        new_output("display_data", data={"application/vnd.plotly.v1+json": {"height": 420}}),
    ]
    assert numbers.unsupported(notebook) == [("text", "420")]


def test_a_paragraph_that_names_a_row_may_quote_it(row):
    value = f"{row['value']:g}"
    assert found(f"It was {value} ([{row['id']}](../data/careers/README.md)).") == []
    assert found(f"It was {value}.\n\nSee {row['id']}.") == [value]  # another paragraph
    assert found("It was 98.7654 (F001).") == ["98.7654"]


def test_years_small_counts_code_links_headings_and_lessons_need_no_support():
    free = (
        "## The 99 ways\n\nIn 2024, 3 of 12 in lesson 11, lessons 03 to 08. `x = 77`\n\n"
        "[a](https://example.org/88)\n\n*About 45 minutes to here.*\n\nThe model is Llama 3.1."
    )
    assert found(free) == []


def test_an_assumption_needs_a_cell_that_sets_it_and_says_that_it_is_one():
    assert found("We assume 45 customers.", code="customers = 45") == []
    assert found("There are 45 customers.", code="customers = 45") == ["45"]
    assert found("We assume 46 customers.", code="customers = 45") == ["46"]
