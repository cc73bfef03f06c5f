"""Tables of data/: each loads, is described in full, and a bad one is refused with its line."""

import json
import re
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from osai import places, tables

ACCOUNTS = ("careers", "github_by_country_year")


def shipped() -> list[tuple[str, str]]:
    return [(topic, name) for topic in tables.topics() for name in tables.names(topic)]


# --- what ships


@pytest.mark.parametrize(("topic", "name"), shipped())
def test_every_shipped_table_loads_and_is_described_in_full(topic, name):
    table = tables.load(topic, name)
    assert len(table.data) > 0
    for text in (table.title, table.source, table.url, table.licence, table.credit, table.years):
        assert text.strip()
    for field in table.fields:
        assert field.title and field.description
        if field.type in ("integer", "number"):
            assert field.unit, f"{field.name} is a number without a unit"


@pytest.mark.parametrize(("topic", "name"), shipped())
def test_every_shipped_table_is_nfc_and_ends_its_lines_as_git_wants(topic, name):
    raw = (places.data_dir() / topic / f"{name}.csv").read_bytes()
    text = raw.decode("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    assert b"\r" not in raw
    assert text.endswith("\n")


def test_yearly_accounts_are_the_stock_of_the_fourth_quarter_and_pushes_the_sum():
    data = tables.load(*ACCOUNTS).data.set_index(["country_code", "year"])
    # GitHub Innovation Graph, version 8faec9d72c7e: Viet Nam 2024, quarters 1 to 4
    accounts, pushes = (
        [1739877, 1832224, 1931120, 2068806],
        [2211104, 2887192, 2551899, 3541633],
    )
    row = data.loc[("VN", 2024)]
    assert row["developers"] == accounts[-1] != sum(accounts)
    assert row["git_pushes"] == sum(pushes)


def test_every_country_has_the_same_complete_years():
    data = tables.load(*ACCOUNTS).data
    years = data.groupby("country")["year"].agg(lambda column: tuple(sorted(column)))
    assert set(years) == {(2020, 2021, 2022, 2023, 2024)}
    assert len(years) == 11


def test_a_table_knows_its_units_and_its_source():
    table = tables.load(*ACCOUNTS)
    assert table.unit("developers") == "accounts"
    assert table.label("developers") == "Developer accounts (accounts)"
    assert table.label("country") == "Country"
    assert "GitHub Innovation Graph, 2020-2024 (CC0-1.0)" in table.source_line


# --- bad tables, made here

FIELDS = [
    {"name": "project", "type": "string", "title": "Project", "constraints": {"required": True}},
    {"name": "stars", "type": "integer", "title": "Stars", "unit": "stars"},
    {"name": "share", "type": "number", "title": "Share", "unit": "percent",
     "constraints": {"minimum": 0, "maximum": 100}},
    {"name": "open", "type": "boolean", "title": "Open"},
    {"name": "since", "type": "date", "title": "Since"},
    {"name": "year", "type": "year", "title": "Year"},
    {"name": "month", "type": "yearmonth", "title": "Month"},
    {"name": "kind", "type": "string", "title": "Kind", "constraints": {"enum": ["a", "b"]}},
]  # fmt: skip
HEADER = "project,stars,share,open,since,year,month,kind"
ROW = "Valkey,10,2.5,true,2024-03-28,2024,2024-03,a"


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Write a topic `demo` with one table `things` and make it the only data there is."""

    def write(text: str | bytes, **changes) -> None:
        folder = tmp_path / "demo"
        folder.mkdir(exist_ok=True)
        content = text.encode() if isinstance(text, str) else text
        (folder / "things.csv").write_bytes(content)
        resource = {
            "name": "things", "path": "things.csv", "title": "Things", "years": "2024",
            "sources": [{"title": "S", "path": "https://example.org"}],
            "licenses": [{"name": "CC0-1.0"}], "credit": "Somebody",
            "schema": {"fields": FIELDS, "primaryKey": ["project"]},
        }  # fmt: skip
        resource.update(changes)
        card = json.dumps({"resources": [resource]})
        (folder / tables.CARD).write_text(card, encoding="utf-8")
        monkeypatch.setattr(places, "data_dir", lambda: tmp_path)

    return write


def test_types_are_those_of_the_schema(make):
    make(f"{HEADER}\n{ROW}\nRedis,,,,,,,\n")
    data = tables.load("demo", "things").data
    first = data.iloc[0]
    assert (first["stars"], first["share"], first["open"]) == (10, 2.5, True)
    assert first["since"] == pd.Timestamp("2024-03-28")
    assert (first["year"], first["month"], first["kind"]) == (2024, "2024-03", "a")


def test_an_empty_cell_stays_unknown_and_never_becomes_no_or_zero(make):
    make(f"{HEADER}\n{ROW}\nRedis,,,,,,,\n")
    table = tables.load("demo", "things")
    assert table.data.iloc[1].drop("project").isna().all()
    assert tables.as_html(table).count("not known") == 7


def test_whole_columns_keep_plain_types(make):
    make(f"{HEADER}\n{ROW}\n")
    data = tables.load("demo", "things").data
    assert (data["stars"].dtype, data["open"].dtype) == ("int64", "bool")


def test_a_byte_order_mark_does_no_harm(make):
    make(b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}\n".encode())
    assert tables.load("demo", "things").data["project"].tolist() == ["Valkey"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("10", "ten", r"line 3, column 'stars': 'ten' is not of type integer"),
        ("10", "10.5", r"column 'stars': '10.5' is not of type integer"),
        ("2.5", "2,5", r"line 3: 9 cells, but there are 8 columns"),
        ("2.5", "nan", r"column 'share': 'nan' is not of type number"),
        ("2.5", "inf", r"column 'share'"),
        ("2.5", "-1", r"column 'share': -1 is below 0"),
        ("2.5", "101", r"column 'share': 101 is above 100"),
        ("true", "yes", r"column 'open': 'yes' is not of type boolean"),
        ("2024-03-28", "28/03/2024", r"column 'since'"),
        ("2024-03-28", "2024-02-30", r"column 'since'"),
        (",2024,", ",24,", r"column 'year'"),
        ("2024-03,", "2024-13,", r"column 'month'"),
        (",a", ",c", r"column 'kind': 'c' is not one of a, b"),
        ("Valkey", "", r"column 'project': it is empty, and it must not be"),
        ("Valkey", "Redis", r"line 3: project = Redis is already in line 2"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line_and_column(old, new, said, make):
    make(f"{HEADER}\nRedis,,,,,,,\n{ROW.replace(old, new, 1)}\n")
    with pytest.raises(tables.TableError, match=said):
        tables.load("demo", "things")


def test_the_line_is_that_of_the_file_also_after_a_cell_of_two_lines(make):
    make(f'{HEADER}\n"Redis\nLtd",,,,,,,\nValkey,ten,,,,,,\n')
    with pytest.raises(tables.TableError, match="line 4, column 'stars'"):
        tables.load("demo", "things")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("project,share,open,since,year,month,kind\n", "column 'stars' is missing"),
        (f"{HEADER},more\n", "column 'more' is not in datapackage.json"),
        ("stars,project,share,open,since,year,month,kind\n", "in another order"),
        ("", "column 'project' is missing"),
        (f"{HEADER}\n{ROW},x\n", "line 2: 9 cells"),
        (f"{HEADER}\nValkey\n", "line 2: 1 cells"),
        (f'{HEADER}\n"Valkey,1\n', "not a well-formed CSV"),
        (f"{HEADER}\n{ROW}\n".encode().replace(b"Valkey", b"\xe9"), "not UTF-8"),
    ],
)
def test_a_file_of_another_shape_is_refused(text, said, make):
    make(text)
    with pytest.raises(tables.TableError, match=said):
        tables.load("demo", "things")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path": "gone.csv"}, r"demo/gone\.csv is missing"),
        ({"sources": []}, "is missing"),
        ({"credit": "x", "schema": {}}, "'fields' is missing"),
        ({"schema": {"fields": [{"name": "a", "type": "money", "title": "A"}]}}, "type 'money'"),
    ],
)
def test_a_description_with_a_hole_is_refused(changes, said, make):
    make(f"{HEADER}\n{ROW}\n", **changes)
    with pytest.raises(tables.TableError, match=said):
        tables.load("demo", "things")


def test_an_unknown_table_or_topic_lists_what_there_is(make):
    make(f"{HEADER}\n{ROW}\n")
    with pytest.raises(tables.TableError, match=r"no table 'thing' in demo\. It has: things"):
        tables.load("demo", "thing")
    with pytest.raises(tables.TableError, match=r"no topic 'dmo' in data\. It has: demo"):
        tables.load("dmo", "things")
    with pytest.raises(tables.TableError, match="no topic"):
        tables.load("../demo", "things")
    with pytest.raises(tables.TableError, match=r"no column 'star'\. It has: project"):
        tables.load("demo", "things").unit("star")


def test_a_broken_description_is_refused(make, tmp_path):
    make(f"{HEADER}\n{ROW}\n")
    (tmp_path / "demo" / tables.CARD).write_text("{", encoding="utf-8")
    with pytest.raises(tables.TableError, match=r"data/demo/datapackage\.json cannot be read"):
        tables.load("demo", "things")


# --- showing


def test_a_shown_table_has_a_caption_units_and_a_source():
    shown = tables.as_html(tables.load(*ACCOUNTS), rows=3)
    assert "<caption>GitHub activity of eleven countries by year (first 3 of 55 rows)" in shown
    assert "developers<br><small>accounts</small>" in shown
    assert "Source: GitHub Innovation Graph" in shown
    assert "<td>2020</td><td>6,968,848</td>" in shown


def test_a_plain_dataframe_needs_a_caption():
    data = pd.DataFrame({"Country": ["Việt Nam <b>"], "Accounts": [1234567]})
    with pytest.raises(tables.TableError, match="needs a caption"):
        tables.show(data)
    shown = tables.as_html(data, caption="Accounts", units={"Accounts": "accounts"})
    assert "1,234,567" in shown
    assert "Việt Nam &lt;b&gt;" in shown


def test_numbers_are_written_as_people_read_them():
    data = pd.DataFrame(
        {
            "year": [2020, 2024],
            "count": [2020, 1234567],
            "growth": [3.3, 3.188],
            "share": [float("nan"), 12.0],
            "large": [12345678.9, 0.0],
            "small": [0.00012, 1.0],
            "open": [True, False],
            "day": pd.to_datetime(["2024-03-28", "2024-03-29"]),
        }
    )
    shown = tables.as_html(data, caption="x")
    rows = re.findall("<tr>(<td>.*?)</tr>", shown)
    cells = [re.findall("<td>(.*?)</td>", row) for row in rows]
    assert cells == [
        ["2020", "2,020", "3.300", "not known", "12,345,679", "0.00012", "True", "2024-03-28"],
        ["2024", "1,234,567", "3.188", "12", "0", "1.00000", "False", "2024-03-29"],
    ]


# --- where the data is


def test_the_checkouts_data_is_used():
    assert places.data_dir() == places.checkout() / "data"


def test_without_a_checkout_the_installed_copy_is_used_and_without_both_it_is_said(
    tmp_path, monkeypatch
):
    package = tmp_path / "site-packages" / "osai"
    package.mkdir(parents=True)
    monkeypatch.setattr(places, "__file__", str(package / "places.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(places.PlaceError, match="data folder was not found"):
        places.data_dir()
    (package / "_data").mkdir()
    assert places.data_dir() == package / "_data"


def test_a_checkout_is_found_from_a_folder_inside_it(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README.md").write_text("x", encoding="utf-8")
    (tmp_path / "course").mkdir()
    monkeypatch.setattr(places, "__file__", str(tmp_path / "elsewhere" / "places.py"))
    monkeypatch.chdir(tmp_path / "course")
    assert places.checkout() == tmp_path
    monkeypatch.delenv(places.WORK_VARIABLE, raising=False)
    assert places.work_dir() == tmp_path / "my-work"
    monkeypatch.setenv(places.WORK_VARIABLE, str(tmp_path / "other"))
    assert places.work_dir() == Path(tmp_path / "other")
