"""What monthly counts say about a project, and that the bounds hold for every possible month."""

import math

import numpy as np
import pytest
from osai.commons import health


def test_equal_authors_count_in_full():
    assert health.effective([3, 3, 3, 3]) == pytest.approx(4)


def test_one_busy_author_counts_for_little_more_than_one():
    assert 1 < health.effective([98, 1, 1]) < 1.1


def test_an_author_without_commits_changes_nothing():
    assert health.effective([5, 3, 0]) == health.effective([5, 3])


@pytest.mark.parametrize("counts", [[], [0, 0], [3, -1]])
def test_counts_that_nobody_can_have_are_refused(counts):
    with pytest.raises(health.HealthError, match="0 or more"):
        health.effective(counts)


def test_half_is_reached_by_the_busiest_first():
    assert health.busiest_with_half([1, 1, 1, 9]) == 1
    assert health.busiest_with_half([4, 3, 2, 1]) == 2
    assert health.busiest_with_half([1] * 10) == 5


def random_month(rng: np.random.Generator) -> list[int]:
    authors = int(rng.integers(1, 30))
    return [int(n) for n in 1 + rng.negative_binomial(1, rng.uniform(0.02, 0.9), size=authors)]


@pytest.mark.parametrize("seed", range(5))
def test_the_bounds_hold_for_months_whose_counts_are_known(seed):
    rng = np.random.default_rng(seed)
    for _ in range(300):
        counts = random_month(rng)
        found = health.half_by(
            round(max(counts) / sum(counts), 3),
            round(health.hhi(counts), 3),
            len(counts),
            sum(counts),
        )
        assert found.low <= health.busiest_with_half(counts) <= found.high, counts


def test_half_or_more_by_one_is_certain():
    assert health.half_by(0.5, 0.276, 13, 38) == health.Bounds(1, 1)
    assert str(health.half_by(1.0, 1.0, 1, 4)) == "1"


def test_values_that_no_month_can_have_are_refused():
    with pytest.raises(health.HealthError):
        health.half_by(0.5, 0.3, 5, 4)
    with pytest.raises(health.HealthError, match="No author of 3 commits"):
        health.half_by(0.5, 0.4, 2, 3)


def test_every_month_of_the_table_has_bounds():
    months = health.monthly()
    for project in months["project"].unique():
        found = health.halves(project)
        one = months[(months["project"] == project) & (months["commits"] > 0)]
        assert list(found["month"]) == list(one["month"])
        assert (found["low"] <= found["high"]).all()
        assert (found["high"] <= one["authors"].to_numpy()).all()


def test_months_of_others_and_half_months_are_left_out():
    months = health.monthly()
    assert not months["inherited"].any() and not months["partial"].any()
    assert (months["commits"] == 0).any(), "months without commits stay"


def test_the_effective_number_lies_between_one_and_the_authors():
    months = health.monthly().query("commits > 0")
    assert (months["effective"] >= 1 - 1e-9).all()
    # the index has three decimals, so 1 / index can pass the number of authors a little
    assert (months["effective"] <= months["authors"] * 1.02).all()


def test_a_month_without_commits_has_no_effective_number():
    empty = health.monthly().query("commits == 0")
    assert empty["effective"].isna().all() and empty["load"].isna().all()


def test_an_unknown_project_is_named_with_those_there_are():
    with pytest.raises(health.HealthError, match="spaCy"):
        health.monthly("Linux")


def test_a_year_without_work_pulls_the_mean_of_authors_down():
    year = health.by_year().set_index(["project", "year"]).loc[("spaCy", 2025)]
    months = health.monthly("spaCy").query("year == 2025 and commits > 0")
    assert year["without_commits"] == year["months"] - len(months)
    assert year["authors"] < months["authors"].mean()


def test_smoothing_starts_when_the_window_is_full():
    months, rolled = health.monthly("Redis"), health.smoothed("Redis", 12)
    assert len(rolled) == len(months) - 11
    assert rolled["month"].iloc[0] == months["month"].iloc[11]
    assert math.isclose(rolled["authors"].iloc[0], months["authors"].iloc[:12].median())
    with pytest.raises(health.HealthError, match="window"):
        health.smoothed("Redis", 0)


def test_limits_name_yes_no_and_in_between():
    assert set(health.limits()["answer"]) == {"yes", "no", "within bounds"}
