"""``osai evaluate`` as a user runs it, on a small random model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from osai.chatbot import hanoi

SHOPS = str(hanoi.folder() / "shops")


def evaluate(*words: str) -> subprocess.CompletedProcess:
    """Run the command on a machine whose Python writes cp1252, as Windows does."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "osai.cli", "evaluate", "--shops", SHOPS, *words],
        capture_output=True, env=environment, check=False, timeout=300, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("cases") / "few.jsonl"
    lines = (hanoi.folder() / "customers_dev.jsonl").read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(lines[:3]) + "\n", encoding="utf-8")
    return file


def test_two_models_are_judged_and_compared(small_llama, few, tmp_path):
    twin = shutil.copytree(small_llama, tmp_path / "twin")
    done = evaluate(
        "--cases", str(few), "--model", str(small_llama), "--against", str(twin), "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["systems"]) == {str(small_llama), str(twin)}
    for system in found["systems"].values():
        assert [case["id"] for case in system["cases"]] == ["D01", "D02", "D03"]
        (whole,) = [share for share in system["shares"] if share["group"] == "all"]
        assert whole["total"] == 3
        assert whole["passed"] == sum(case["passed"] for case in system["cases"])
        for case in system["cases"]:
            assert bool(case["failed"]) is not case["passed"]
    assert found["difference"]["gap"] == 0  # the same model twice


def test_a_reader_gets_a_table_and_the_failures(small_llama, few):
    done = evaluate("--cases", str(few), "--model", str(small_llama))
    assert done.returncode == 0, done.stderr
    assert "every check" in done.stdout and "D01" in done.stdout and "style" in done.stdout


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"must_include": "giá"}, "must_include must be a list"),
        ({"must_include": ["giá"]}, "must_include, a group must be a list"),
        ({"address_ok": [1]}, "address_ok must hold texts"),
        ({"handoff": "yes"}, "handoff must be true, false or null"),
        ({"shop": "nowhere"}, "no shop file 'nowhere.json'"),
    ],
)
def test_a_bad_case_is_named(small_llama, few, tmp_path, change, told):
    first, second, _ = few.read_text(encoding="utf-8").splitlines()
    bad = tmp_path / "bad.jsonl"
    bad.write_text(f"{first}\n{json.dumps(json.loads(second) | change)}\n", encoding="utf-8")
    done = evaluate("--cases", str(bad), "--model", str(small_llama))
    assert done.returncode == 1 and told in done.stderr and "Next step" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_cases_and_a_comparison_with_itself_are_told(small_llama, few, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n", encoding="utf-8")
    assert "no case in it" in evaluate("--cases", str(empty), "--model", str(small_llama)).stderr
    same = evaluate("--cases", str(few), "--model", "base", "--against", "base")
    assert same.returncode == 1 and "cannot be compared with itself" in same.stderr
