"""An event study compares what it says it compares, and its placebos contain no event."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from osai import tables
from osai.commons import events


def months(values, start="2020-01"):
    index = pd.period_range(start, periods=len(values), freq="M")
    return pd.Series([float(value) for value in values], index=index, name="a project")


# --- the table ---------------------------------------------------------------------------------


def test_each_studied_change_closed_a_licence():
    rows = tables.load("careers", "relicensing").data.set_index("id")
    for project, change in events.changes().items():
        assert rows.loc[change.id, "direction"] == "to source-available", project
        assert pd.Period(change.month, "M") in events.history(project).index


def test_each_fork_begins_in_the_month_after_the_licence_or_with_it():
    for project, fork in events.FORKS.items():
        change = pd.Period(events.changes()[project].month, "M")
        assert 0 <= (events.history(fork).index.min() - change).n <= 1


def test_a_history_has_no_inherited_and_no_incomplete_month():
    data = tables.load("careers", "relicense_commits_monthly").data
    for project in events.projects():
        own = data[(data["project"] == project) & ~data["inherited"] & ~data["partial"]]
        assert list(events.history(project).index.astype(str)) == list(own["month"])


def test_a_quiet_month_counts_as_zero_people():
    assert events.history("spaCy").loc["2025-06"] == 0


@pytest.mark.parametrize(("project", "measure"), [("Rediss", "authors"), ("Redis", "stars")])
def test_an_unknown_project_or_measure_is_named(project, measure):
    with pytest.raises(events.EventError, match=r"Rediss|stars"):
        events.history(project, measure)


def test_the_figures_quoted_for_redis_can_be_found_again():
    figures = tables.load("careers", "figures").data.set_index("id")["value"]
    redis = events.history("Redis")
    assert round(redis.loc["2023-03":"2024-02"].mean(), 1) == figures["F058"]
    assert round(redis.loc["2024-04":].mean(), 1) == figures["F059"]


# --- one effect --------------------------------------------------------------------------------


def test_the_month_of_the_event_is_on_neither_side():
    quiet = months([10] * 6 + [10] + [5] * 6)
    loud = months([10] * 6 + [900] + [5] * 6)
    assert events.effect(quiet, "2020-07", 6) == events.effect(loud, "2020-07", 6)
    assert events.effect(loud, "2020-07", 6).percent == -50


@given(level=st.floats(0.5, 1000), length=st.integers(1, 6), trend=st.booleans())
def test_nothing_happens_where_nothing_changes(level, length, trend):
    flat = months([level] * 30)
    assert events.effect(flat, "2021-06", length, trend=trend).change == pytest.approx(0)


@given(factor=st.floats(0.8, 1.25), length=st.integers(1, 6))
def test_steady_growth_is_no_effect_once_the_trend_is_expected(factor, length):
    steady = months([100 * factor**n for n in range(30)])
    assert events.effect(steady, "2021-06", length, trend=True).change == pytest.approx(0)


def test_without_the_trend_a_project_that_was_shrinking_seems_to_be_hit():
    shrinking = months([100 * 0.95**n for n in range(30)])
    assert events.effect(shrinking, "2021-06", 6).change < -0.2


def test_too_long_a_window_says_how_long_it_may_be():
    with pytest.raises(events.EventError, match="at most 2 months"):
        events.effect(months([3] * 5), "2020-03", 3)


def test_a_mean_of_zero_gives_no_ratio():
    with pytest.raises(events.EventError, match="zero"):
        events.effect(months([0] * 5 + [4] * 5), "2020-05", 3)
    with pytest.raises(events.EventError, match="one month or more"):
        events.effect(months([3] * 5), "2020-03", 0)


@given(before=st.integers(0, 20), after=st.integers(0, 20), trend=st.booleans())
def test_the_longest_window_fits_and_one_more_does_not(before, after, trend):
    values = months([7] * (before + 1 + after))
    month = str(values.index[before])
    longest = events.longest(values, month, trend=trend)
    if longest:
        events.effect(values, month, longest, trend=trend)
    with pytest.raises(events.EventError):
        events.effect(values, month, longest + 1, trend=trend)


# --- placebos ----------------------------------------------------------------------------------


@pytest.mark.parametrize("trend", [False, True])
def test_no_placebo_window_touches_the_event(trend):
    redis = events.history("Redis")
    event = pd.Period("2024-03", "M")
    for one in events.placebos(redis, "2024-03", 6, trend=trend):
        assert pd.Period(one.month, "M") + 6 < event


def test_placebos_do_not_know_what_came_after():
    quiet = [5, 7, 6, 8, 5, 9, 7, 6, 8, 7]
    some = events.placebos(months([*quiet, 1, 1, 1]), "2020-11", 2)
    others = events.placebos(months([*quiet, 90, 90, 90]), "2020-11", 2)
    assert some == others != ()


def test_months_with_a_zero_mean_are_left_out():
    assert events.placebos(months([0, 0, 0, 4, 4, 4, 4]), "2020-07", 1)
    for one in events.placebos(months([0, 0, 0, 4, 4, 4, 4]), "2020-07", 1):
        assert one.before > 0


def test_a_standing_counts_how_many_fell_as_far():
    values = months([8, 8, 4, 4, 8, 8, 8, 2, 2])
    real = events.effect(values, "2020-07", 1)
    tried = events.placebos(values, "2020-07", 1)
    found = events.standing(real, tried)
    assert found.as_low == sum(one.change <= real.change for one in tried)
    assert found.tried == len(tried)


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("length", [1, 3, 6])
def test_separate_placebos_really_fit_side_by_side(length, trend):
    values = months([5] * 60)
    tried = events.placebos(values, "2024-12", length, trend=trend)
    found = events.standing(tried[0], tried, trend=trend)
    span = (3 * length + 2) if trend else (2 * length + 1)
    assert found.separate == 59 // span  # 59 months lie before the event
    assert found.smallest_p == 1 / (found.separate + 1)


def test_no_placebo_means_no_small_p():
    values = months([5] * 9)
    real = events.effect(values, "2020-05", 4)
    assert events.standing(real, ()).smallest_p == 1
    assert str(events.standing(real, ())) == "no placebo fits"


# --- other projects ----------------------------------------------------------------------------


def test_the_same_month_elsewhere_leaves_out_projects_without_the_months():
    found = events.others("2024-03", 6)
    assert "Redis" in found and "Valkey" not in found
    assert all(one.months == 6 for one in found.values())


def test_a_project_beside_itself_did_not_change():
    for one in events.others("2024-03", 6).values():
        assert events.beside(one, one) == pytest.approx(0)


def test_a_project_beside_one_that_fell_further_seems_to_rise():
    real = events.effect(months([10, 10, 8]), "2020-02", 1)
    other = events.effect(months([10, 10, 4]), "2020-02", 1)
    assert events.beside(real, other) == pytest.approx(1.0)
    gone = events.effect(months([10, 10, 0]), "2020-02", 1)
    with pytest.raises(events.EventError, match="zero"):
        events.beside(real, gone)
