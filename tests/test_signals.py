"""Lesson 03's models: self-selection, the signal game, and the plan for a portfolio."""

import dataclasses
import itertools
import json
import math

import pytest
from osai import work
from osai.careers import portfolio, signals
from osai.careers.portfolio import PlanError, plan
from osai.careers.signals import Market, SignalError, World, gap, live, play

NOTHING = World(seen=0, learned=0, drawn=1.5)


@pytest.fixture(autouse=True)
def my_work(tmp_path, monkeypatch):
    monkeypatch.setenv("OSAI_WORK", str(tmp_path / "my-work"))


def inside(found: signals.Gap, truth: float, slack: float = 1.0) -> bool:
    """Whether a gap's interval, a little widened, holds the truth."""
    return found.low - slack <= truth <= found.high + slack


# --- does it pay?


@pytest.mark.parametrize("seed", range(5))
def test_contributors_earn_more_in_a_world_where_contributing_adds_nothing(seed):
    people = live(NOTHING, seed)
    assert NOTHING.effect == 0
    assert gap(people).low > 10
    assert inside(gap(people, equal="skill"), 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_lottery_makes_the_plain_gap_fair(seed):
    world = World(seen=8, drawn=0)
    assert inside(gap(live(world, seed)), world.effect)


def test_a_blurred_test_takes_out_only_a_part_of_the_selection():
    gaps = [gap(live(World(blur=blur), 1), equal="test").points for blur in (0, 0.5, 1, 2)]
    assert gaps == sorted(gaps)
    assert gaps[-1] < gap(live(World(), 1)).points


def test_holding_equal_what_was_learned_hides_an_effect_that_is_there():
    world = World(learned=0.5)
    people = live(world, 1)
    assert inside(gap(people, equal="skill"), world.effect)
    assert inside(gap(people, equal="skill_now"), 0)
    assert world.effect > 5


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    assert live(NOTHING, 3).equals(live(NOTHING, 3))
    assert not live(NOTHING, 3).equals(live(NOTHING, 4))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_as_many_contribute_as_the_world_says(share):
    people = live(World(contributors=share), 1)
    assert people["contributes"].mean() == pytest.approx(share, abs=0.001)


def test_more_people_make_the_interval_narrower_and_no_fairer():
    few, many = (gap(live(World(people=n), 1)) for n in (400, 40_000))
    assert many.high - many.low < (few.high - few.low) / 5
    assert many.low > 10


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    world = World(people=500, seen=5)
    held = [gap(live(world, seed), equal="skill") for seed in range(300)]
    share = sum(found.low <= world.effect <= found.high for found in held) / len(held)
    assert 0.91 <= share <= 0.98


def test_a_gap_says_its_interval_in_words():
    assert str(signals.Gap(1.25, 0, 2.5)) == "1.2 points (95 % interval 0.0 to 2.5)"


def test_bad_worlds_and_columns_are_refused_in_words():
    with pytest.raises(SignalError, match="skill, test or skill_now"):
        gap(live(NOTHING, 1), equal="pay")
    with pytest.raises(SignalError, match="nobody to compare"):
        gap(live(NOTHING, 1).assign(contributes=True))
    with pytest.raises(SignalError, match="100 people"):
        World(people=10)
    with pytest.raises(SignalError, match="zero or more"):
        World(blur=-1)


@pytest.mark.parametrize("model", [World(), Market()])
def test_every_assumption_is_shown_with_its_value_and_what_it_means(model):
    shown = signals.assumptions(model).set_index("what")
    assert set(shown.index) == set(dataclasses.asdict(model))
    assert all(float(shown.loc[k, "value"]) == v for k, v in dataclasses.asdict(model).items())
    assert shown["means"].str.split().str.len().min() >= 4


# --- do employers see it?


def test_believers_are_right_where_the_game_comes_to_rest():
    market = Market()
    rest = play(market, ai_saves=50, found_out=20)
    skilled = market.skilled * rest.real
    others = (1 - market.skilled) * rest.fake
    assert rest.believed == pytest.approx(skilled / (skilled + others))


def test_nobody_sends_for_less_than_it_is_worth():
    market = Market(spread=0.01)  # nearly everybody needs the median hours
    assert play(market).real == pytest.approx(1)
    assert play(market).fake == pytest.approx(0)
    assert math.isnan(play(dataclasses.replace(market, prize=10)).believed)


@pytest.mark.parametrize("helps_all", [False, True])
def test_cheaper_fakes_lower_belief_until_the_signal_is_gone_or_says_nothing(helps_all):
    rests = [play(Market(), ai_saves=s, helps_all=helps_all).believed for s in range(0, 100, 10)]
    known = [b for b in rests if not math.isnan(b)]
    assert known == sorted(known, reverse=True)
    if helps_all:
        assert rests[-1] < Market().skilled + 0.1
    else:
        assert math.isnan(rests[-1])


@pytest.mark.parametrize("ai_saves", [0, 50, 80])
def test_readers_who_find_fakes_out_restore_belief(ai_saves):
    rests = [play(Market(), ai_saves=ai_saves, found_out=f).believed for f in (0, 30, 60, 90)]
    assert rests == sorted(rests)
    assert rests[-1] > 0.95


def test_a_percentage_outside_its_range_is_refused():
    with pytest.raises(SignalError, match="0 to 99"):
        play(Market(), ai_saves=100)
    with pytest.raises(SignalError, match="found_out"):
        play(Market(), found_out=-1)


def test_bad_markets_are_refused():
    with pytest.raises(SignalError, match="between 0 and 1"):
        Market(skilled=1)
    with pytest.raises(SignalError, match="above zero"):
        Market(prize=0)


# --- a portfolio


def made(*keys, hours_a_week=5, months=6, goal="programmer") -> portfolio.Plan:
    return plan(keys, hours_a_week=hours_a_week, months=months, goal=goal)


def spots(*keys, **more) -> str:
    return " ".join(made(*keys, **more).weak_spots)


def test_the_shortest_item_comes_first_and_weeks_follow_each_other():
    steps = made("model", "report", "fix").steps
    assert [step.item.key for step in steps] == ["report", "fix", "model"]
    assert steps[0].first_week == 1
    for earlier, later in itertools.pairwise(steps):
        assert earlier.first_week <= earlier.last_week
        assert later.first_week in (earlier.last_week, earlier.last_week + 1)
    assert steps[-1].last_week == math.ceil(made("model", "report", "fix").hours / 5)


def test_each_weak_spot_is_named():
    assert "Nothing is chosen" in spots()
    assert "Too much: 320 hours are planned, and 130 are there" in spots("internship")
    assert "nothing shows that you can" in spots("tutorial")
    assert "No outsider checks" in spots("tutorial", "course")
    assert "week 64" in spots("internship")
    assert "Less than half" in spots("report", "model", goal="AI engineer")
    assert "Nothing is public" in spots("internship", "course")
    assert "One piece only" in spots("fix")


def test_a_plan_can_be_without_weak_spots():
    assert made("report", "fix", "review").weak_spots == ()
    assert "Ask somebody" in portfolio.as_html(made("report", "fix", "review"))


@pytest.mark.parametrize("goal", portfolio.GOALS)
def test_every_goal_can_be_reached_with_the_items_there_are(goal):
    everything = made(*[item.key for item in portfolio.ITEMS], goal=goal, hours_a_week=40)
    assert "nothing shows" not in " ".join(everything.weak_spots)


def test_items_and_goals_name_known_skills_only():
    named = {skill for item in portfolio.ITEMS for skill in item.skills}
    assert named | {s for goal in portfolio.GOALS.values() for s in goal} == set(portfolio.SKILLS)
    assert len({item.key for item in portfolio.ITEMS}) == len(portfolio.ITEMS)


def test_an_unknown_item_or_goal_or_no_time_is_refused_in_words():
    with pytest.raises(PlanError, match="no item 'fame'"):
        made("fame")
    with pytest.raises(PlanError, match="no goal 'king'"):
        made("fix", goal="king")
    with pytest.raises(PlanError, match="at least one hour"):
        made("fix", hours_a_week=0)


def test_a_year_has_52_weeks():
    assert portfolio.weeks(12) == 52
    assert portfolio.weeks(1) == 4


def test_a_saved_plan_comes_back_as_it_was():
    mine = made("fix", "writeup")
    work.save(portfolio.NAME, mine.as_dict())
    assert portfolio.from_dict(work.load(portfolio.NAME)) == mine


@pytest.mark.parametrize("broken", [None, [], {"items": 3}, {"items": [{"name": "fix"}]}])
def test_a_file_that_is_no_plan_is_refused_in_words(broken):
    with pytest.raises(PlanError, match="not in the form"):
        portfolio.from_dict(broken)


def test_hours_that_are_no_number_are_refused():
    saved = made("fix").as_dict() | {"months": "six"}
    with pytest.raises(PlanError, match="whole numbers"):
        portfolio.from_dict(saved)


# --- the form


def controls_of(form) -> dict:
    return {c.description: c for c in form.children if getattr(c, "description", "")}


def test_the_form_starts_from_the_given_plan_and_saves_what_is_ticked():
    found = controls_of(portfolio.planner(start=made("fix", goal="maintainer", months=3)))
    assert found["Goal"].value == "maintainer"
    assert found["Months"].value == 3
    assert found["merged fix with a test (20 hours)"].value
    found["bug report that others could repeat (4 hours)"].value = True
    found["Hours a week"].value = 8
    found["Save my plan"].click()
    saved = portfolio.from_dict(work.load(portfolio.NAME))
    assert saved == made("fix", "report", goal="maintainer", months=3, hours_a_week=8)


def test_the_form_shows_weak_spots_as_one_ticks_and_says_that_it_saved():
    form = portfolio.planner()
    assert "Nothing is chosen" in form.children[-3].value
    controls_of(form)["merged fix with a test (20 hours)"].value = True
    assert "One piece only" in form.children[-3].value
    controls_of(form)["Save my plan"].click()
    assert "Saved in my-work/portfolio-plan.json" in form.children[-1].value


def test_the_form_starts_from_the_saved_plan_and_survives_a_broken_one():
    work.save(portfolio.NAME, made("docs", hours_a_week=80).as_dict())
    form = portfolio.planner(start=made("fix"))
    assert "saved before" in form.children[-1].value
    assert not controls_of(form)["merged fix with a test (20 hours)"].value
    work.save(portfolio.NAME, json.loads("[1]"))
    form = portfolio.planner(start=made("fix"))
    assert "not in the form" in form.children[-1].value
    assert controls_of(form)["merged fix with a test (20 hours)"].value
