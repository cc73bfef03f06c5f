"""What was measured at length is stored, is not stale, and reaches what we promise."""

from __future__ import annotations

import pytest
from osai.authoring import results

NAMES = sorted(file.stem for file in results.folder().glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_of_the_present_code(name: str):
    result = results.read(name)
    assert {"date", "command", "machine", "inputs"} <= result.keys()
    assert result["inputs_sha256"] == results.digest(result["inputs"]), (
        f"{name} was measured on other code or data. Next step: {result['command']}"
    )


def needs_result(name: str):
    return pytest.mark.skipif(
        name not in NAMES, reason=f"`make bench ARGS={name}` has not been run"
    )


def test_training_is_as_fast_and_small_as_promised():
    modes = results.read("training_speed")["modes"]
    assert "native" in modes
    for name, mode in modes.items():
        assert mode["times_faster"] >= {"native": 5, "avx2": 3}[name]
        assert mode["as_good"]
        assert mode["ours"]["peak_mb"] < 1500


@needs_result("evaluation")
def test_the_fine_tuned_model_is_far_better_than_its_base():
    systems = results.read("evaluation")["systems"]
    for cases in ("test", "unseen"):
        passed = {
            name: shares[cases]["passed"] / shares[cases]["total"]
            for name, shares in systems.items()
        }
        assert passed["finetuned"] - passed["base"] >= 0.6, cases


@needs_result("adapter")
def test_the_adapter_that_ships_can_be_made_again():
    result = results.read("adapter")
    assert result["steps"] >= 60 and result["largest_difference_of_a_loss"] < 0.2
    if result["steps"] == result["of_steps"]:
        assert result["same_replies"] >= 0.95 * result["replies"]
