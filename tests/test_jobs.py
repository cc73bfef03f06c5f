"""Models of lesson 04: tasks, demand, a queue, one programmer, and the decision of a shop."""

import itertools
import re

import pytest
from osai import tables
from osai.careers import decision, jobs


@pytest.fixture(scope="module")
def figures():
    return tables.load("careers", "figures").data.set_index("id")


# --- tasks


@pytest.mark.parametrize("team", jobs.TEAMS[:2])
def test_a_team_of_five_has_its_hours_in_the_table(team):
    assert jobs.hours(team)["before"].sum() == 5 * jobs.FULL_TIME


@pytest.mark.parametrize("team", jobs.TEAMS)
def test_without_take_up_nothing_changes(team):
    table = jobs.hours(team, take_up=0)
    assert table["after"].tolist() == table["before"].tolist()


@pytest.mark.parametrize("team", jobs.TEAMS[:2])
def test_more_take_up_saves_more_and_more_checking_saves_less(team):
    left = [jobs.hours(team, share / 10)["after"].sum() for share in range(11)]
    assert left == sorted(left, reverse=True)
    less = [jobs.hours(team, 1, checking)["after"].sum() for checking in (0, 1, 2, 3)]
    assert less == sorted(less)
    assert less[0] < jobs.hours(team)["before"].sum()


def test_new_tasks_have_no_hours_before_and_save_nothing():
    data = tables.load("careers", "tasks").data
    assert (data.loc[data["only_with_ai"], "saved_percent"] == 0).all()
    for team in jobs.TEAMS[:2]:
        table = jobs.hours(team)
        assert (table.loc[table["new"], "before"] == 0).all()


def test_what_is_no_assumption_names_a_figure(figures):
    basis = tables.load("careers", "tasks").data["basis"]
    assert set(basis) - {"assumption"} <= set(figures.index)


def test_time_saved_follows_from_the_study_that_is_named(figures):
    data = tables.load("careers", "tasks").data
    saved = data.loc[data["basis"] == "F132", "saved_percent"].tolist()
    assert saved == [round(100 * (1 - 1 / (1 + figures.loc["F132", "value"] / 100)))]


@pytest.mark.parametrize(
    "call",
    [
        lambda: jobs.tasks("nobody"),
        lambda: jobs.hours("AI team", take_up=1.5),
        lambda: jobs.hours("AI team", checking=-1),
        lambda: jobs.after_demand(0, 1),
        lambda: jobs.after_demand(0.5, -1),
        lambda: jobs.studies("Is it good?"),
        lambda: jobs.serve(bot_share=60),
        lambda: jobs.serve(people=0),
        lambda: jobs.coverage({"magic"}),
        lambda: jobs.after_loss(60),
        lambda: jobs.after_loss(40, finds=80),
        lambda: decision.cost("pray"),
        lambda: decision.cost("buy", price=3),
        lambda: decision.cost("buy", solved=50),
        lambda: decision.cost("buy", minutes=-1),
    ],
)
def test_what_a_model_cannot_take_is_refused(call):
    with pytest.raises(jobs.JobsError):
        call()


# --- demand


def test_at_elasticity_one_the_hours_stay():
    for left in (0.1, 0.5, 0.765, 1, 1.3):
        assert jobs.after_demand(left, 1) == pytest.approx(1)


def test_savings_cost_work_only_where_demand_moves_little():
    assert jobs.after_demand(0.7, 0) == pytest.approx(0.7)
    assert jobs.after_demand(0.7, 0.9) < 1 < jobs.after_demand(0.7, 1.1)


# --- studies


@pytest.mark.parametrize("question", jobs.STUDIES)
def test_studies_are_rows_in_one_unit(question, figures):
    table = jobs.studies(question)
    assert set(figures.loc[table["id"], "unit"]) == {"percent"}
    assert table["label"].is_unique


def test_intervals_stand_in_the_notes_of_their_rows(figures):
    for study in itertools.chain(*jobs.STUDIES.values()):
        if study.interval:
            numbers = {float(n) for n in re.findall(r"[+-]?\d+", figures.loc[study.id, "note"])}
            assert set(study.interval) <= numbers
            assert study.interval[0] <= figures.loc[study.id, "value"] <= study.interval[1]


def test_time_saved_is_drawn_as_less_time(figures):
    table = jobs.studies("Time for a task (change, percent)").set_index("id")
    assert table.loc["F123", "value"] == -figures.loc["F123", "value"]


# --- a queue


def test_the_same_seed_serves_the_same_customers():
    assert jobs.serve(bot_share=0.5) == jobs.serve(bot_share=0.5)
    assert jobs.serve(bot_share=0.5).minutes != jobs.serve(bot_share=0.5, seed=5).minutes


def test_every_customer_gets_the_right_answer_in_the_end():
    served = [jobs.serve(bot_share=share, wrong_share=0.3) for share in (0, 0.4, 1)]
    assert len({one.customers for one in served}) == 1
    assert 5000 < served[0].customers < 7000


def test_without_a_bot_first_and_right_answer_are_one():
    alone = jobs.serve(bot_share=0, wrong_share=0.5)
    assert alone.misled == 0
    assert alone.minutes == pytest.approx(alone.minutes_shown)
    assert alone.minutes >= 5 * 0.9  # service alone takes five on average


def test_a_bot_that_is_never_wrong_helps_and_one_that_is_always_wrong_does_not():
    alone = jobs.serve(bot_share=0)
    perfect, hopeless = (jobs.serve(bot_share=0.6, wrong_share=wrong) for wrong in (0, 1))
    assert perfect.minutes < alone.minutes < hopeless.minutes
    assert perfect.busy < alone.busy < hopeless.busy


def test_the_first_answer_comes_no_later_than_the_right_one():
    for share, wrong in itertools.product((0.2, 0.6, 0.9), (0.05, 0.2, 0.5)):
        served = jobs.serve(bot_share=share, wrong_share=wrong, people=2, days=5)
        assert served.minutes_shown <= served.minutes
        assert served.minutes_misled >= 30


def test_fewer_people_mean_longer_waiting():
    times = [jobs.serve(bot_share=0.4, people=people).minutes for people in (5, 4, 3, 2)]
    assert times == sorted(times)


def test_the_queue_agrees_with_the_formula_of_one_server():
    # M/M/1 at half load: a customer stays 1 / (mu - lambda); days that begin empty bring less
    served = jobs.serve(people=1, customers=48, minutes=5, days=300)
    assert served.minutes == pytest.approx(1 / (1 / 5 - 48 / jobs.OPEN_MINUTES), rel=0.1)


def test_people_are_cut_whole_and_one_stays():
    assert [jobs.people_left(4, share) for share in (0, 0.2, 0.25, 0.5, 0.6, 1)] == [
        4,
        4,
        3,
        2,
        2,
        1,
    ]


# --- one programmer


def test_all_skills_leave_hours_eyes_and_absence():
    found = jobs.coverage(jobs.skills())
    assert not found.without_skill
    assert found.too_many_hours and found.needs_second and found.sole
    assert len(found.holes) == 1 + len(found.needs_second) + 1


def test_with_time_readers_and_a_stand_in_nothing_is_left_undone():
    assert jobs.coverage(jobs.skills(), 240, second_reader=True, stand_in=True).holes == ()


def test_one_skill_more_is_never_one_hole_more():
    names = jobs.skills()
    holes = [len(jobs.coverage(names[:count]).holes) for count in range(len(names) + 1)]
    assert holes == sorted(holes, reverse=True)


# --- a new trade


def test_who_loses_a_trade_late_earns_back_less():
    won = [jobs.after_loss(age) for age in range(22, 50)]
    assert won == sorted(won, reverse=True)
    assert won[0] > 0 > won[-1]


def test_without_better_pay_everybody_loses():
    assert all(jobs.after_loss(age, new_pay=1.0) < 0 for age in range(22, 60))


def test_learning_never_lasts_beyond_the_working_life():
    assert jobs.after_loss(58, learn_months=600) == -2


# --- the decision


def test_ranges_are_in_order_and_rows_hold_their_numbers(figures):
    for one in decision.ASSUMPTIONS:
        assert 0 <= one.low < one.base < one.high or one.name == "token_price"
        for id in re.findall(r"F\d{3}", one.basis):
            assert id in figures.index
    pay = {one.name: one for one in decision.ASSUMPTIONS}["engineer_pay"]
    assert "more than 30 million VND" in figures.loc["F196", "note"] and pay.base == 30
    assert "upper median is 15" in figures.loc["F194", "note"] and pay.low == 15
    assert "40 in 2022" in figures.loc["F195", "note"] and pay.high == 40
    price = {one.name: one for one in decision.ASSUMPTIONS}["token_price"]
    assert price.low == figures.loc["F102", "value"]
    assert price.base == figures.loc["F101", "value"]


def test_people_only_is_hours_times_pay():
    # 300 a day, 26 days, 5 minutes: 650 hours; 9 million for 160 hours, 25 % on top; 24 months
    expected = 24 * 650 * 9 * 1.25 / 160
    assert decision.cost("people only").total == pytest.approx(expected)


@pytest.mark.parametrize("option", decision.OPTIONS[1:])
def test_a_project_that_surely_fails_costs_its_money_and_all_the_people(option):
    name = {"buy": "buy_fails", "fine-tune": "tune_fails", "build": "build_fails"}[option]
    failed = decision.cost(option, **{name: 1})
    assert failed.running == 0
    assert failed.service == pytest.approx(decision.cost("people only").total)
    assert failed.total > decision.cost("people only").total


@pytest.mark.parametrize("option", decision.OPTIONS[1:])
def test_a_bot_that_solves_nothing_saves_nothing(option):
    none = {"solved": 0, "solved_tuned": 0, "solved_built": 0}
    assert decision.cost(option, **none).service == pytest.approx(
        decision.cost("people only").total
    )


def test_building_from_nothing_costs_most_at_every_setting_of_the_lessons_controls():
    for customers, pay in itertools.product((50, 3000), (10, 60)):
        costs = {
            option: decision.cost(option, customers_day=customers, engineer_pay=pay).total
            for option in decision.OPTIONS
        }
        assert max(costs, key=costs.get) == "build"


def test_a_tornado_starts_with_the_longest_bar_and_leaves_out_what_moves_nothing():
    bars = decision.tornado("fine-tune", "buy")
    assert bars["swing"].is_monotonic_decreasing
    assert not {"build_people", "build_fails"} & set(bars["name"])


def test_what_is_set_has_no_bar_so_that_every_bar_holds_the_middle():
    for customers in (50, 300, 3000):
        bars = decision.tornado("buy", "people only", customers_day=customers)
        middle = decision.difference("buy", "people only", customers_day=customers)
        assert "customers_day" not in set(bars["name"])
        for bar in bars.itertuples():
            low, high = sorted((bar.at_low, bar.at_high))
            assert low - 1e-9 <= middle <= high + 1e-9


def test_a_bar_flips_exactly_if_one_of_its_ends_is_beyond_zero():
    bars = decision.tornado("buy", "people only")
    for bar in bars.itertuples():
        assert bar.flips == (max(bar.at_low, bar.at_high) > 0)
    assert bars["flips"].any()


def test_at_the_break_even_both_cost_the_same():
    number = decision.break_even("buy", "people only", "customers_day", 10, 5000)
    assert decision.difference("buy", "people only", customers_day=number) == pytest.approx(
        0, abs=1
    )
    assert decision.break_even("build", "buy", "customers_day", 10, 5000) is None
