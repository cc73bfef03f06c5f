"""What a desk's own records show: plotly figures, each with its message in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osai import figures
from osai.helpdesk.mask import mask

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

Rows = Sequence[dict[str, Any]]
CHECK_NAMES = {
    "numbers": "invented number",
    "orders": "another's order",
    "complete": "fact missing",
    "promise": "promise without a fact",
    "address": "wrong word for the customer",
    "self": "wrong word for the shop",
    "polite": "not polite",
    "language": "not Vietnamese",
    "handoff": "hand-off missing or not due",
    "no model": "no model there",
    "busy": "too many customers at once",
}


NOT_TRIED = {"no model", "busy"}  # no reply of the model was there to be caught


@dataclass(frozen=True)
class Drawn:
    """A figure: a short name, the figure, and what it shows in words."""

    name: str
    figure: go.Figure
    alt: str


def draw(messages: Rows, tickets: Rows, price_an_hour: float = 0.0) -> list[Drawn]:
    """All figures of a desk's records, as ``Store.records`` returns them; empty for an empty desk.

    ``price_an_hour``: what an hour of the computer costs, in đồng, for the cost of 1,000 conversations.
    """
    import pandas as pd

    said = pd.DataFrame(list(messages))
    if said.empty or not (said["role"] == "shop").any():
        return []
    said["at"] = pd.to_datetime(said["at"], utc=True)
    said["week"] = said["at"].dt.tz_convert(None).dt.to_period("W").dt.start_time
    # What a program brings along as history is no reply of this desk.
    replies = said[(said["role"] == "shop") & said["reply_to"].notna()].copy()
    if replies.empty:
        return []
    drawn = [
        _hand_off(replies),
        _latency(said, replies),
        _intents(replies),
        _caught(replies),
        _drift(replies),
        _cost(said, replies, price_an_hour),
    ]
    for one in drawn:
        one.figure.update_layout(template=figures.template())
    return drawn


def _hand_off(replies: pd.DataFrame) -> Drawn:
    import plotly.graph_objects as go

    weekly = replies.groupby("week")["handoff"].agg(["mean", "size"])
    share = 100 * replies["handoff"].astype(bool).mean()
    figure = go.Figure(
        go.Bar(x=_days(weekly.index), y=(100 * weekly["mean"].astype(float)).round(1))
    )
    figure.update_layout(title=f"{share:.0f} % of replies pass the customer on to a person")
    figure.update_xaxes(title="Week (its Monday)", type="category")
    figure.update_yaxes(title="Replies with hand-off (%)", range=[0, 100])
    words = "; ".join(f"{week:%d/%m/%Y}: {100 * row['mean']:.0f} % of {row['size']:.0f}"
                      for week, row in weekly.iterrows())  # fmt: skip
    return Drawn("hand-off", figure, f"Share of replies with hand-off by week. {words}.")


def _days(weeks: pd.DatetimeIndex) -> list[str]:
    return [f"{week:%d/%m/%Y}" for week in weeks]


def _latency(said: pd.DataFrame, replies: pd.DataFrame) -> Drawn:
    import plotly.graph_objects as go

    asked = said.set_index("id")["at"]
    seconds = (replies["at"] - replies["reply_to"].map(asked)).dt.total_seconds().dropna()
    middle, slow = seconds.quantile(0.5), seconds.quantile(0.95)
    figure = go.Figure(go.Histogram(x=seconds.round(2), nbinsx=30))
    figure.update_layout(
        title=f"Half of the replies are there after {middle:.1f} s, 95 % after {slow:.1f} s"
    )
    figure.update_xaxes(title="From message to reply (seconds)", rangemode="tozero")
    figure.update_yaxes(title="Replies (number)")
    return Drawn(
        "latency",
        figure,
        f"Histogram of {len(seconds)} replies: median {middle:.2f} s, 95th percentile {slow:.2f} s.",
    )


def _intents(replies: pd.DataFrame) -> Drawn:
    import plotly.graph_objects as go

    counts = replies["intent"].fillna("not read").value_counts().sort_values()
    figure = go.Figure(go.Bar(x=counts.to_list(), y=counts.index.to_list(), orientation="h"))
    figure.update_layout(title=f"Most asked: {counts.index[-1]}", height=200 + 22 * len(counts))
    figure.update_xaxes(title="Messages (number)")
    figure.update_yaxes(title="Intent")
    words = "; ".join(f"{name} {count}" for name, count in counts[::-1].items())
    return Drawn("intents", figure, f"Messages by intent: {words}.")


def _caught(replies: pd.DataFrame) -> Drawn:
    import plotly.graph_objects as go

    names = replies["problems"].map(lambda found: list(found or ())).explode().dropna()
    counts = names.map(lambda name: CHECK_NAMES.get(name, name)).value_counts()
    tried = replies[~replies["problems"].map(lambda found: bool(NOT_TRIED & set(found or ())))]
    share = 100 * tried["problems"].map(bool).mean() if len(tried) else 0.0
    figure = go.Figure(go.Bar(x=counts.index.to_list(), y=counts.to_list()))
    figure.update_layout(title=f"The checks caught {share:.0f} % of the model's replies")
    figure.update_xaxes(title="What was wrong")
    figure.update_yaxes(title="Replies (number)", rangemode="tozero")
    words = "; ".join(f"{name} {count}" for name, count in counts.items()) or "none"
    return Drawn("checks", figure, f"Replies not let out as they were, by check: {words}.")


def _drift(replies: pd.DataFrame) -> Drawn:
    import plotly.graph_objects as go

    table = (
        replies.assign(intent=replies["intent"].fillna("not read"))
        .groupby(["week", "intent"])
        .size()
        .unstack(fill_value=0)
    )
    whole = table.sum() / table.to_numpy().sum()
    distance = [distance_of(row / row.sum(), whole) for _, row in table.iterrows()]
    figure = go.Figure(
        go.Scatter(
            x=_days(table.index), y=[round(one, 3) for one in distance], mode="lines+markers"
        )
    )
    last = distance[-1]
    figure.update_layout(
        title=f"This week's questions differ from all by {last:.2f} (0 alike, 1 nothing in common)"
    )
    figure.update_xaxes(title="Week (its Monday)", type="category")
    figure.update_yaxes(title="Distance of intents (0 to 1)", range=[0, 1])
    words = "; ".join(
        f"{week:%d/%m/%Y}: {one:.2f}" for week, one in zip(table.index, distance, strict=True)
    )
    return Drawn(
        "drift", figure, f"Distance of each week's intents from those of all weeks. {words}."
    )


def distance_of(first: pd.Series, second: pd.Series) -> float:
    """Jensen and Shannon's distance of two distributions over the same kinds: 0 alike, 1 disjoint.

    Source: Endres and Schindelin (2003), "A new metric for probability distributions", base 2.
    """
    middle = (first + second) / 2
    half = [
        sum(p * math.log2(p / m) for p, m in zip(one, middle, strict=True) if p > 0)
        for one in (first, second)
    ]
    return math.sqrt(max(0.0, sum(half) / 2))


def _cost(said: pd.DataFrame, replies: pd.DataFrame, price_an_hour: float) -> Drawn:
    import plotly.graph_objects as go

    spent = replies.groupby("conversation_id")["seconds"].sum()
    seconds = 1000 * spent.mean()
    figure = go.Figure()
    if price_an_hour:
        cost = seconds / 3600 * price_an_hour
        figure.add_bar(x=["1,000 conversations"], y=[round(cost)])
        message = f"1,000 conversations cost {cost:,.0f} ₫ of computing"
        figure.update_yaxes(title="Cost of computing (₫)", rangemode="tozero")
        given = f" At {price_an_hour:,.0f} ₫ an hour, as you gave it: {cost:,.0f} ₫."
    else:
        figure.add_bar(x=["1,000 conversations"], y=[round(seconds / 60, 1)])
        message = f"1,000 conversations take {seconds / 60:,.1f} minutes of computing"
        figure.update_yaxes(title="Computing time (minutes)", rangemode="tozero")
        given = " Give the price of an hour to see a cost."
    figure.update_layout(title=message)
    figure.update_xaxes(title="People's time is not counted")
    return Drawn(
        "cost",
        figure,
        f"The model worked {spent.mean():.2f} s on the mean of {len(spent)} conversations.{given}",
    )


def export_lines(messages: Rows) -> Iterator[str]:
    """All messages as JSON lines without personal data, and without anything that names the customer."""
    for row in messages:
        yield (
            json.dumps(
                {
                    "conversation": row["conversation_id"],
                    "role": row["role"],
                    "text": mask(row["text"]),
                    "at": row["at"].isoformat(),
                    "intent": row["intent"],
                    "handoff": bool(row["handoff"]),
                    "source": row["source"],
                    "problems": row["problems"] or [],
                },
                ensure_ascii=False,
            )
            + "\n"
        )
