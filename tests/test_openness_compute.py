"""6ND, GPU hours, prices and tokens: units hold, nothing unknown becomes a no, limits are said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from osai import openness, tables
from osai.openness import compute

amounts = st.floats(1e-3, 1e3)


def test_6nd_is_six_operations_for_each_parameter_and_token():
    assert compute.training_flop(1, 1) == 6e21
    row = openness.model("SmolLM2-135M")
    ours = compute.training_flop(row["parameters_b"], row["training_tokens_t"])
    assert ours == pytest.approx(row["training_compute_flop"], rel=0.01)


@given(amounts, amounts, st.floats(0.1, 10))
def test_6nd_depends_on_the_product_alone(parameters, tokens, factor):
    moved = compute.training_flop(parameters * factor, tokens / factor)
    assert moved == pytest.approx(compute.training_flop(parameters, tokens))


@given(amounts, st.floats(1, 100))
def test_half_the_utilisation_doubles_hours_and_rent(tokens, utilisation):
    flop = compute.training_flop(1, tokens)
    once = compute.gpu_hours(flop, utilisation)
    assert compute.gpu_hours(flop, utilisation / 2) == pytest.approx(2 * once)
    assert compute.training_cost(flop, utilisation, 3) == pytest.approx(3 * once)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compute.training_flop(0, 1), "parameters_b must be above 0"),
        (lambda: compute.training_flop(1, math.nan), "tokens_t must be above 0"),
        (lambda: compute.gpu_hours(1e20, 120), "120 percent"),
        (lambda: compute.peak("abacus"), "There are: H100 SXM"),
        (lambda: compute.own_price(2, 100, 101), "101 percent"),
        (lambda: compute.yearly_factor(1, 2, 0), "years must be above 0"),
        (lambda: compute.assumed("luck"), "There are: utilisation"),
        (lambda: compute.data_by("mood"), "Choose one of: release year"),
        (lambda: compute.token_costs("poems"), "There are: customer service"),
    ],
)
def test_a_wrong_number_or_name_is_said(call, said):
    with pytest.raises(openness.OpennessError, match=said):
        call()


def test_the_rule_is_near_what_developers_reported():
    ratios = compute.gaps()["ratio"]
    assert len(ratios) >= 5
    assert ratios.between(0.8, 1.2).all()


def test_a_mixture_of_experts_counts_only_active_parameters():
    row = openness.model("Qwen3-235B-A22B")
    assert compute.active_parameters(row) == row["active_parameters_b"] < row["parameters_b"]
    assert compute.active_parameters(openness.model("SmolLM2-135M")) == 0.135


def test_no_published_run_used_more_than_its_gpus_can():
    assert compute.implied_utilisation()["utilisation"].between(5, 60).all()


def test_runs_name_known_models_and_gpus_and_hours_that_fit_their_basis():
    runs = tables.load("openness", "training_runs").data
    assert set(runs["model"]) <= set(tables.load("openness", "models").data["model"])
    assert set(runs["gpu"]) <= set(tables.load("openness", "gpus").data["gpu"])
    product = runs.query("basis == 'GPUs times days'")
    assert (product["gpus"] * product["days"] * 24 == product["gpu_hours"]).all()
    assert runs.query("basis == 'hours as published'")["gpus"].isna().all()


def test_long_numbers_are_written_as_powers_and_others_left_alone():
    written = compute.powers(compute.gaps(), "six_nd")
    assert written["six_nd"].str.fullmatch(r"\d\.\d\de\+\d\d").all()
    assert written["ratio"].equals(compute.gaps()["ratio"])


def test_each_assumption_lies_in_its_range_and_says_why():
    for one in compute.ASSUMED:
        assert one.low <= one.value <= one.high
        assert one.unit and len(one.why.split()) > 4


def test_each_model_with_compute_has_a_cost_that_rises_with_it():
    runs = compute.final_runs()
    known = tables.load("openness", "models").data["training_compute_flop"].notna().sum()
    assert len(runs) == known
    assert runs["usd"].is_monotonic_increasing
    assert runs["training_compute_flop"].is_monotonic_increasing


@pytest.mark.parametrize("grouping", compute.GROUPINGS)
@pytest.mark.parametrize("only", [True, False])
def test_every_model_is_counted_once_however_they_are_grouped(grouping, only):
    data = tables.load("openness", "models").data.query("weights_available == 'yes'")
    wanted = (data["osi_approved"] == "yes").sum() if only else len(data)
    counted = compute.data_by(grouping, only)
    assert counted.to_numpy().sum() == wanted
    assert tuple(counted.columns) == compute.DATA_WORDS


@pytest.mark.parametrize(
    ("flop", "size"), [(9e21, 0), (1e22, 1), (9.9e23, 2), (1e24, 3), (1e25, 4), (1e27, 4), (1, 0)]
)
def test_a_size_is_the_power_of_ten_it_lies_in(flop, size):
    assert compute._size(flop) == compute.SIZES[size]


def test_silence_on_the_data_stays_unknown():
    told = compute.provenance({"training_data": None, "data_documentation": "partial"})
    assert list(told.values()) == ["not known", "in part", "not known", "not known", "not known"]
    told = compute.provenance({"training_data": "closed", "training_tokens_t": 2.0})
    assert told["Can the data itself be had?"] == "no"
    assert told["Is it said how much there was?"] == "yes"


@given(amounts, amounts, st.floats(0.5, 20))
def test_a_yearly_factor_leads_from_the_first_amount_to_the_last(first, last, years):
    factor = compute.yearly_factor(first, last, years)
    assert compute.grown(first, factor, years) == pytest.approx(last)


@given(st.floats(0.5, 10), st.floats(10, 5000), st.floats(0.05, 50))
def test_busy_enough_is_where_both_prices_meet(rent, speed, price):
    share = compute.busy_enough(rent, speed, price)
    if share <= 100:
        assert compute.own_price(rent, speed, share) == pytest.approx(price)
    else:
        assert compute.own_price(rent, speed, 100) > price


def test_a_bill_grows_with_messages_syllables_tokens_and_price():
    assert compute.month_of_messages(1000, 60, 2, 1) == pytest.approx(3.6)


def test_vietnamese_costs_more_than_english_and_least_with_the_newest_tokenizers():
    costs = compute.token_costs()
    assert (costs["Vietnamese"] > costs["English"]).all()
    assert (costs["NFD"] > costs["Vietnamese"]).all()
    assert costs.loc["SmolLM2 extended", "Vietnamese"] < costs.loc["SmolLM2", "Vietnamese"] / 2
    same = compute.same_message()
    assert (same["ratio"] == same["Vietnamese"] / same["English"]).all()


def test_a_table_in_words_names_each_row_and_leaves_zeros_out():
    said = compute.in_words(compute.data_by("licence"))
    assert said.startswith("approved by the OSI: ")
    assert " 0 " not in f" {said} "
