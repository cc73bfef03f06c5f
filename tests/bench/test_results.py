"""What was measured at length is stored, is not stale, and reaches what we promise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .record import RESULTS, digest

FILES = sorted(RESULTS.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_result_is_of_the_present_code(file: Path):
    result = json.loads(file.read_text(encoding="utf-8"))
    assert {"date", "command", "machine", "inputs"} <= result.keys()
    assert result["inputs_sha256"] == digest(result["inputs"]), (
        f"{file.name} was measured on other code or data. Next step: {result['command']}"
    )


def stored(name: str) -> dict:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
