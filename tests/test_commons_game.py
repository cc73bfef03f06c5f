"""The game of giving: its rules do what they say, luck is shared, and mistakes are explained."""

import dataclasses

import numpy as np
import pytest
from osai.commons import game

FEW = {"runs": 60}


@pytest.fixture(scope="module")
def free() -> game.Played:
    return game.play(**FEW)


def test_the_same_seed_gives_the_same_game(free):
    again = game.play(**FEW)
    assert all(np.array_equal(free.values[name], again.values[name]) for name in game.MEASURES)
    assert not np.array_equal(free.values["days"], game.play(seed=6, **FEW).values["days"])


def test_runs_share_their_luck_under_other_rules(free):
    """With a rule that changes nothing, every run is the same."""
    same = game.play(own_rule=lambda now: 0, **FEW)
    assert np.array_equal(free.values["givers"], same.values["givers"])


def test_values_stay_in_their_bounds(free):
    for name in ("health", "coverage"):
        assert ((free.measure(name) >= 0) & (free.measure(name) <= 1)).all()
    givers, effective = free.measure("givers"), free.measure("effective")
    assert (effective <= givers + 1e-9).all()
    assert (effective[givers > 0] >= 1 - 1e-9).all()


def test_nobody_gives_where_all_ride_free():
    world = game.World(maintainers=0, conditional=0, trust=0.5)
    assert game.play(world, **FEW).measure("givers").mean() < 0.5


def test_distrust_ends_worse_than_trust():
    low = game.play(game.World(trust=0.3), **FEW)
    high = game.play(game.World(trust=1.0), **FEW)
    assert game.difference(high, low, "health").low > 0


@pytest.mark.parametrize("rules", [game.Rules(recognition=0.5), game.Rules(club=0.5)])
def test_a_reward_for_givers_brings_more_of_them(free, rules):
    assert game.difference(game.play(rules=rules, **FEW), free, "givers").low > 0


def test_a_club_keeps_worth_from_those_outside():
    """Where all work is done under both rules, the club leaves less for everybody."""
    well = game.World(trust=1.0)
    thanks = game.play(well, game.Rules(recognition=0.5), **FEW)
    club = game.play(well, game.Rules(club=0.5), **FEW)
    assert game.ends_well(thanks).part == game.ends_well(club).part == 1
    assert game.difference(thanks, club, "benefit").low > 0


def test_asking_funders_for_too_much_brings_nothing():
    paid = [
        game.play(rules=game.Rules(sponsorship=ask), **FEW).last_year("paid").mean()
        for ask in (1, 3, 15)
    ]
    assert paid[1] > paid[0] > paid[2]


def test_paid_work_lies_in_few_hands():
    well = game.World(trust=1.0)
    free = game.play(well, **FEW)
    paid = game.play(well, game.Rules(sponsorship=3), **FEW)
    assert game.difference(paid, free, "effective").high < 0


def test_crowding_lowers_giving_where_there_is_money():
    pay = game.Rules(sponsorship=2)
    glad = game.play(rules=pay, **FEW)
    sour = game.play(rules=dataclasses.replace(pay, crowding=1.0), **FEW)
    assert game.difference(glad, sour, "givers").low > 0


def test_a_licence_binds_nobody_who_only_runs_the_program_unless_it_says_so():
    """With changers who all serve and hand on nothing, only network copyleft does something."""
    world = game.World(handed_on=0.0)
    plain, copyleft, network = (
        game.play(world, game.Rules(licence=name), **FEW) for name in game.LICENCES
    )
    assert np.array_equal(plain.values["days"], copyleft.values["days"])
    assert (network.values["users"] < plain.values["users"]).any()


def test_the_bonus_of_an_own_rule_is_paid_for_by_all():
    rich = game.play(game.World(trust=1.0), own_rule=lambda now: 2.0, **FEW)
    none = game.play(game.World(trust=1.0), **FEW)
    assert game.difference(rich, none, "givers").low > 0
    assert game.difference(rich, none, "benefit").high < 0


def test_an_own_rule_sees_the_month_that_has_ended():
    seen = []

    def watch(now: game.Month) -> float:
        seen.append(now)
        return 0.0

    played = game.play(own_rule=watch, runs=1)
    assert [now.month for now in seen] == list(range(60))
    assert seen[1].health == played.measure("health")[0, 0]


@pytest.mark.parametrize("bonus", [None, "much", -1, 6, float("nan")])
def test_an_own_rule_that_gives_no_bonus_is_explained(bonus):
    with pytest.raises(game.GameError, match="Your rule gave"):
        game.play(own_rule=lambda now: bonus, runs=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: game.World(people=0),
        lambda: game.World(maintainers=200),
        lambda: game.World(trust=1.5),
        lambda: game.World(noise=0),
        lambda: game.World(upkeep=0, support=0),
        lambda: game.Rules(licence="GPL"),
        lambda: game.Rules(club=2),
        lambda: game.Rules(recognition=-1),
        lambda: game.play(runs=0),
    ],
)
def test_a_world_that_cannot_be_played_is_refused(make):
    with pytest.raises(game.GameError):
        make()


def test_the_band_holds_its_part_of_the_runs(free):
    band, health = free.band("health"), free.measure("health")
    inside = (health >= band["low"].to_numpy() - 1e-9) & (health <= band["high"].to_numpy() + 1e-9)
    assert inside.mean() == pytest.approx(0.8, abs=0.05)
    with pytest.raises(game.GameError):
        free.band("health", inner=1)


def test_more_runs_give_a_narrower_interval():
    small, large = game.play(runs=40), game.play(runs=400)
    width = [game.ends_well(played).high - game.ends_well(played).low for played in (small, large)]
    assert width[1] < width[0]


def test_a_difference_needs_pairs(free):
    assert game.difference(free, free, "health") == game.Difference(0, 0, 0)
    with pytest.raises(game.GameError, match="same number of runs"):
        game.difference(free, game.play(runs=5), "health")


def test_an_unknown_measure_is_named_with_those_there_are(free):
    with pytest.raises(game.GameError, match="effective"):
        free.measure("happiness")


@pytest.mark.parametrize("setting", [game.World(), game.Rules()])
def test_every_assumption_is_listed_with_its_meaning(setting):
    listed = game.assumptions(setting)
    assert list(listed["name"]) == [field.name for field in dataclasses.fields(setting)]
    assert (listed["meaning"].str.len() > 5).all()
