"""The canvas finds the holes it is meant to find, and no others."""

import dataclasses

import pytest
from osai import tables, work
from osai.commons import canvas

WHOLE = {
    "name": "Chào Shop",
    "users": "online shops in Hà Nội with fewer than ten staff",
    "value": "answers customers at night",
    "channels": "the association of online shops",
    "payers": "shops with more than fifty messages a day",
    "sells": ["hosting", "support"],
    "open_parts": ["code", "weights", "evaluation"],
    "licence": "Apache-2.0",
    "data_rights": "written for the project; each author agreed",
    "maintainers": 3,
    "governance": "three maintainers decide; after five merged changes you are asked to join",
    "rival_plan": "we answer in Vietnamese within an hour, and know the shops",
    "stop_plan": "the code and the weights stay, with a guide to host them",
    "costs": 60,
    "income": 40,
    "reserve": 200,
    "largest_payer": 20,
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OSAI_WORK", str(tmp_path / "my-work"))


def blocks(**changed):
    return [hole.block for hole in canvas.holes(WHOLE | changed)]


def test_a_whole_canvas_has_no_hole():
    assert canvas.holes(WHOLE) == ()


def test_the_example_has_holes_of_several_kinds():
    found = canvas.holes(canvas.EXAMPLE)
    assert len(found) >= 6
    assert len({hole.block for hole in found}) >= 6


def test_an_empty_canvas_asks_for_each_block_in_words():
    asked = {hole.block for hole in canvas.holes({})}
    words = {f.name for f in dataclasses.fields(canvas.Canvas) if f.type == "str"}
    assert {canvas.FIELDS[block][0] for block in words} <= asked


@pytest.mark.parametrize(
    ("changed", "block"),
    [
        ({"users": "everyone"}, "Users"),
        ({"payers": " Later. "}, "Payers"),
        ({"sells": []}, "What is sold"),
        ({"sells": ["grants"]}, "What is sold"),
        ({"reserve": 30}, "Reserve"),
        ({"largest_payer": 80}, "Largest payer"),
        ({"costs": 0}, "Costs"),
        ({"rival_plan": "?"}, "Rivals"),
        ({"licence": "BUSL-1.1"}, "Licence"),
        ({"open_parts": ["weights"]}, "What is open"),
        ({"open_parts": []}, "What is open"),
        ({"maintainers": 1}, "Maintainers"),
        ({"channels": "they search and read our Documentation"}, "Channels"),
        ({"channels": "họ đọc tài liệu"}, "Channels"),
    ],
)
def test_one_fault_makes_a_hole_in_its_block_only(changed, block):
    assert set(blocks(**changed)) == {block}


def test_a_closed_licence_is_fine_where_nothing_is_called_open():
    assert "Licence" not in blocks(licence="BUSL-1.1", open_parts=[])


def test_money_that_does_not_run_out_is_no_hole():
    assert blocks(income=60, reserve=0) == []
    assert canvas.read(WHOLE | {"income": 60}).months_of_money is None
    assert canvas.read(WHOLE).months_of_money == 10


def test_each_check_explains_itself_and_each_hole_asks():
    for check in canvas.CHECKS:
        assert check.__doc__
    for hole in canvas.holes({}) + canvas.holes(canvas.EXAMPLE):
        assert hole.problem and hole.ask.rstrip().endswith(("?", ".")), hole


def test_every_row_that_a_hole_names_exists():
    import re

    rows = set(tables.load("careers", "figures").data["id"])
    rows |= set(tables.load("careers", "relicensing").data["id"])
    cases = [{}, canvas.EXAMPLE, WHOLE | {"sells": ["grants"], "largest_payer": 90},
             WHOLE | {"licence": "BUSL-1.1", "rival_plan": ""}, WHOLE | {"rival_plan": ""}]  # fmt: skip
    for hole in (hole for case in cases for hole in canvas.holes(case)):
        assert set(re.findall(r"\b[FL]\d{2,3}\b", hole.because)) <= rows


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colour": "red"}, "colour"),
        ({"users": 5}, "words"),
        ({"maintainers": 1.5}, "whole"),
        ({"maintainers": True}, "number"),
        ({"costs": -1}, "0 or more"),
        ({"costs": float("nan")}, "0 or more"),
        ({"largest_payer": 101}, "100"),
        ({"sells": "hosting"}, "list"),
        ({"open_parts": ["everything"]}, "weights"),
    ],
)
def test_what_cannot_be_read_is_named(given, said):
    with pytest.raises(canvas.CanvasError, match=said):
        canvas.read(given)


def test_a_canvas_comes_back_as_it_was_saved():
    mine = canvas.read(WHOLE)
    assert canvas.saved() is None
    work.save(canvas.NAME, mine)
    assert canvas.read(canvas.saved()) == mine


def test_a_file_that_holds_no_canvas_is_named():
    work.save(canvas.NAME, [1, 2])
    with pytest.raises(canvas.CanvasError, match="no canvas"):
        canvas.saved()


def test_tables_show_each_block_and_each_hole():
    assert len(canvas.as_table(WHOLE)) == len(canvas.FIELDS)
    assert canvas.as_table(WHOLE)["holes"].sum() == 0
    assert canvas.as_table(canvas.EXAMPLE)["holes"].sum() == len(canvas.holes(canvas.EXAMPLE))
    assert len(canvas.holes_table(canvas.EXAMPLE)) == len(canvas.holes(canvas.EXAMPLE))
    assert canvas.holes_table(WHOLE).empty


def parts(form):
    found = list(form.children)
    for child in form.children:
        found += parts(child) if hasattr(child, "children") else []
    return found


def test_the_form_saves_what_stands_in_it():
    form = canvas.form(WHOLE)
    buttons = {p.description: p for p in parts(form) if type(p).__name__ == "Button"}
    buttons["Save my canvas"].click()
    assert canvas.read(canvas.saved()) == canvas.read(WHOLE)
    assert "No hole found" in form.children[-1].value


def test_the_form_begins_with_what_was_saved_and_says_what_is_missing():
    work.save(canvas.NAME, canvas.read(WHOLE | {"payers": ""}))
    form = canvas.form()
    buttons = {p.description: p for p in parts(form) if type(p).__name__ == "Button"}
    buttons["Look for holes"].click()
    assert "Payers" in form.children[-1].value and 'role="alert"' in form.children[-1].value


def test_every_control_of_the_form_has_a_label():
    for part in parts(canvas.form(canvas.EXAMPLE)):
        if hasattr(part, "value") and type(part).__name__ != "HTML":
            assert part.description, part
