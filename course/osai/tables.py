"""Tables of the course's `data/`: each with its columns, units, source, licence and credit.

    from osai import tables

    accounts = tables.load("careers", "github_by_country_year")
    accounts.data                 # a pandas DataFrame, every cell checked against the schema
    accounts.unit("developers")   # "accounts"
    accounts.source_line          # for osai.figures.show(..., source=...)
    tables.show(accounts, rows=5) # with caption, units and source

The one truth about a table is `datapackage.json` in its folder (the Data Package standard,
https://datapackage.org, plus `unit`, `years` and `credit`); the folder's README repeats it by
command. An empty cell means "not known", never "no" or zero.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import html
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osai import places
from osai.plain import PlainError

if TYPE_CHECKING:
    import pandas as pd

CARD = "datapackage.json"


class TableError(PlainError, ValueError):
    """A table that does not exist or does not match its schema. The message says where."""


@dataclasses.dataclass(frozen=True)
class Field:
    """One column. type: string, integer, number, boolean, date, year or yearmonth."""

    name: str
    type: str
    title: str
    description: str = ""
    unit: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def label(self) -> str:
        """The title with the unit in brackets, as an axis title wants it."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclasses.dataclass(frozen=True, repr=False)
class Table:
    """A checked table with what must be known to use it."""

    topic: str
    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    years: str
    source: str
    url: str
    licence: str
    credit: str
    data: pd.DataFrame

    @property
    def source_line(self) -> str:
        """Credit, years and licence in one line, as it stands under a figure."""
        return f"{self.credit}, {self.years} ({self.licence}), {self.url}"

    def field(self, column: str) -> Field:
        """Return what is known about a column. Raises TableError for an unknown one."""
        for field in self.fields:
            if field.name == column:
                return field
        known = ", ".join(field.name for field in self.fields)
        raise TableError(f"{self.topic}/{self.name} has no column {column!r}. It has: {known}.")

    def unit(self, column: str) -> str:
        """Return the unit of a column, empty if it has none."""
        return self.field(column).unit

    def label(self, column: str) -> str:
        """Return the column's title with its unit in brackets."""
        return self.field(column).label

    def __repr__(self) -> str:
        return f"{self.title}: {len(self.data)} rows. {self.source_line}"

    def _repr_html_(self) -> str:
        return as_html(self)


def topics() -> tuple[str, ...]:
    """Return the folders of `data/` that hold tables."""
    return tuple(sorted(card.parent.name for card in places.data_dir().glob(f"*/{CARD}")))


def names(topic: str) -> tuple[str, ...]:
    """Return the names of a topic's tables. Raises TableError for an unknown topic."""
    return tuple(str(resource.get("name")) for resource in _card(topic).get("resources", []))


def load(topic: str, name: str) -> Table:
    """Return a table of `data/`, every cell checked against its schema.

    Raises TableError, with the line and column, for an unknown table, a missing or extra column,
    a cell of the wrong type, an empty cell that must not be, a key that is there twice.
    """
    for resource in _card(topic).get("resources", []):
        if resource.get("name") == name:
            return _table(topic, resource)
    raise TableError(f"There is no table {name!r} in {topic}. It has: {', '.join(names(topic))}.")


def _card(topic: str) -> dict[str, Any]:
    card = places.data_dir() / topic / CARD
    if topic not in topics():
        raise TableError(f"There is no topic {topic!r} in data. It has: {', '.join(topics())}.")
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TableError(f"data/{topic}/{CARD} cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise TableError(f"data/{topic}/{CARD} is not a data package.")
    return found


def _table(topic: str, resource: Mapping[str, Any]) -> Table:
    where = f"data/{topic}/{CARD}, table {resource.get('name')!r}"
    try:
        fields = tuple(_field(field) for field in resource["schema"]["fields"])
        key = tuple(resource["schema"].get("primaryKey", ()))
        source, licence = resource["sources"][0], resource["licenses"][0]
        path = places.data_dir() / topic / resource["path"]
        return Table(
            topic=topic,
            name=resource["name"],
            title=resource["title"],
            description=resource.get("description", ""),
            fields=fields,
            key=key,
            years=resource["years"],
            source=source["title"],
            url=source["path"],
            licence=licence["name"],
            credit=resource["credit"],
            data=_read(path, fields, key),
        )
    except (KeyError, IndexError) as error:
        raise TableError(f"{where}: {error} is missing.") from None


def _field(given: Mapping[str, Any]) -> Field:
    limits = given.get("constraints", {})
    if given["type"] not in _PARSERS:
        known = ", ".join(_PARSERS)
        raise TableError(f"Column {given['name']!r} has type {given['type']!r}, not of: {known}.")
    return Field(
        name=given["name"],
        type=given["type"],
        title=given["title"],
        description=given.get("description", ""),
        unit=given.get("unit", ""),
        required=bool(limits.get("required", False)),
        choices=tuple(limits.get("enum", ())),
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
    )


# --- reading a file ----------------------------------------------------------------------------


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or "_" in text:
        raise ValueError
    return value


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _yearmonth(text: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise ValueError
    return text


def _year(text: str) -> int:
    if not re.fullmatch(r"\d{4}", text):
        raise ValueError
    return int(text)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": dt.date.fromisoformat,
    "year": _year,
    "yearmonth": _yearmonth,
}
_DTYPES = {"integer": "Int64", "year": "Int64", "number": "float64", "boolean": "boolean"}


def _read(path: Path, fields: tuple[Field, ...], key: tuple[str, ...]) -> pd.DataFrame:
    """Read a CSV (UTF-8, first line the column names) into a checked DataFrame."""
    rows: list[list[Any]] = []
    seen: dict[tuple[Any, ...], int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            _check_header(path, next(reader, []), fields)
            for cells in reader:
                line = reader.line_num
                if len(cells) != len(fields):
                    raise TableError(
                        f"{path.name}, line {line}: {len(cells)} cells, but there are"
                        f" {len(fields)} columns."
                    )
                row = [_cell(path, line, *pair) for pair in zip(fields, cells, strict=True)]
                rows.append(row)
                _check_key(path, line, row, fields, key, seen)
    except FileNotFoundError:
        raise TableError(f"{path.parent.name}/{path.name} is missing from data.") from None
    except UnicodeDecodeError as error:
        raise TableError(f"{path.name} is not UTF-8 text (byte {error.start}).") from None
    except csv.Error as error:
        raise TableError(f"{path.name} is not a well-formed CSV file: {error}.") from None
    return _frame(rows, fields)


def _check_header(path: Path, header: list[str], fields: tuple[Field, ...]) -> None:
    wanted = [field.name for field in fields]
    missing = [name for name in wanted if name not in header]
    extra = [name for name in header if name not in wanted]
    if missing or extra or header != wanted:
        problem = (
            f"column {missing[0]!r} is missing"
            if missing
            else f"column {extra[0]!r} is not in {CARD}"
            if extra
            else "its columns are in another order"
        )
        raise TableError(f"{path.name}: {problem}. Expected: {', '.join(wanted)}.")


def _cell(path: Path, line: int, field: Field, text: str) -> Any:
    where = f"{path.name}, line {line}, column {field.name!r}"
    if text == "":
        if field.required:
            raise TableError(f"{where}: it is empty, and it must not be.")
        return None
    try:
        value = _PARSERS[field.type](text)
    except (ValueError, KeyError):
        raise TableError(f"{where}: {text!r} is not of type {field.type}.") from None
    if field.choices and text not in field.choices:
        raise TableError(f"{where}: {text!r} is not one of {', '.join(field.choices)}.")
    if field.minimum is not None and value < field.minimum:
        raise TableError(f"{where}: {text} is below {field.minimum}.")
    if field.maximum is not None and value > field.maximum:
        raise TableError(f"{where}: {text} is above {field.maximum}.")
    return value


def _check_key(
    path: Path,
    line: int,
    row: list[Any],
    fields: tuple[Field, ...],
    key: tuple[str, ...],
    seen: dict[tuple[Any, ...], int],
) -> None:
    if not key:
        return
    index = {field.name: position for position, field in enumerate(fields)}
    values = tuple(row[index[name]] for name in key)
    if values in seen:
        raise TableError(
            f"{path.name}, line {line}: {', '.join(key)} = {', '.join(map(str, values))} is"
            f" already in line {seen[values]}."
        )
    seen[values] = line


def _frame(rows: list[list[Any]], fields: tuple[Field, ...]) -> pd.DataFrame:
    import pandas as pd

    columns = {}
    for position, field in enumerate(fields):
        values = [row[position] for row in rows]
        dtype = _DTYPES.get(field.type, "str")
        # plain int64 and bool where nothing is missing: what every other library expects
        if None not in values:
            dtype = {"Int64": "int64", "boolean": "bool"}.get(dtype, dtype)
        if field.type == "date":
            columns[field.name] = pd.to_datetime(pd.Series(values, dtype="object"))
        else:
            columns[field.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)


# --- showing -----------------------------------------------------------------------------------


def show(
    table: Table | pd.DataFrame,
    *,
    caption: str | None = None,
    units: Mapping[str, str] | None = None,
    rows: int | None = None,
) -> None:
    """Display a table with a caption, units under its column names and, if known, its source.

    A Table brings its own; a DataFrame needs a caption, and units for its measured columns.
    rows: show only the first ones, and say so. Raises TableError without a caption.
    """
    from IPython.display import display

    data = table.data if isinstance(table, Table) else table
    text = (data if rows is None else data.head(rows)).to_string(index=False)
    bundle = {
        "text/html": as_html(table, caption=caption, units=units, rows=rows),
        "text/plain": text,
    }
    display(bundle, raw=True)


def as_html(
    table: Table | pd.DataFrame,
    *,
    caption: str | None = None,
    units: Mapping[str, str] | None = None,
    rows: int | None = None,
) -> str:
    """Return a table as HTML (see `show`): caption, column heads with units, rows, source."""
    known = {field.name: field for field in table.fields} if isinstance(table, Table) else {}
    data = table.data if isinstance(table, Table) else table
    caption = caption or (table.title if isinstance(table, Table) else None)
    if not caption:
        raise TableError("A table needs a caption: tables.show(data, caption='What it shows').")
    shown = data if rows is None else data.head(rows)
    if len(shown) < len(data):
        caption += f" (first {len(shown)} of {len(data)} rows)"
    heads, cells = [], []
    for column in shown.columns:
        field = known.get(column)
        unit = (units or {}).get(column) or (field.unit if field else "")
        small = f"<br><small>{html.escape(unit)}</small>" if unit else ""
        heads.append(f'<th scope="col">{html.escape(str(column))}{small}</th>')
    written = [_written(list(shown[column]), known.get(column)) for column in shown.columns]
    for row in zip(*written, strict=True):
        cells.append("<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>")
    source = f"<p><small>Source: {html.escape(table.source_line)}</small></p>" if known else ""
    # wider than the page: the table scrolls by itself, also by keyboard once it has the focus
    return (
        f'<div style="overflow-x: auto" tabindex="0" role="region" aria-label="Table">\n<table>'
        f"<caption>{html.escape(caption)}</caption>\n<thead><tr>{''.join(heads)}</tr></thead>\n"
        "<tbody>\n" + "\n".join(cells) + f"\n</tbody></table></div>{source}"
    )


def _written(values: list[Any], field: Field | None) -> list[str]:
    """Return a column's cells as people read them.

    Thousands are set apart, decimals are as many in each row (six digits in all at most), and
    what is missing is said in words. Without a schema, whole numbers that could all be years are
    left as they are.
    """
    import pandas as pd

    known = [value for value in values if not pd.isna(value)]
    decimals = max((_decimals(value) for value in known if isinstance(value, float)), default=0)
    whole = [value for value in known if isinstance(value, int)]
    years = field.type == "year" if field else all(1900 <= value <= 2100 for value in whole)

    def cell(value: Any) -> str:
        if pd.isna(value):
            return "not known"
        if isinstance(value, float):
            return f"{value:,.{decimals}f}"
        if isinstance(value, int) and not isinstance(value, bool) and not years:
            return f"{value:,}"
        if isinstance(value, dt.datetime):
            return value.date().isoformat()
        return html.escape(str(value))

    return [cell(value) for value in values]


def _decimals(value: float) -> int:
    """Return how many decimals show six digits of a number, and no zeros at its end."""
    if value == 0:
        return 0
    shown = f"{value:.{max(0, 5 - math.floor(math.log10(abs(value))))}f}"
    return len(shown.rstrip("0").partition(".")[2])
