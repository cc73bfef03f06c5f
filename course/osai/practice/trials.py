"""Try tests on versions of the program: do they fail where they should, and only there?

A test is worth something if it notices when the program is wrong. So the tests of a commit (or of
the files as they lie in the clone) are run again and again, each time with another version of
deskkit/hours.py. The method is known as mutation testing.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

from osai.practice import git as program
from osai.practice import sample
from osai.practice.ci import Tests, environment, run_tests, unpack
from osai.practice.desk import Desk
from osai.practice.git import PracticeError

HOURS = "deskkit/hours.py"
_ASK = """
import json, sys
sys.path.insert(0, ".")
from datetime import time
from deskkit.hours import is_open
read = time.fromisoformat
print(json.dumps([bool(is_open(*map(read, case))) for case in json.loads(sys.argv[1])]))
"""


@dataclasses.dataclass(frozen=True)
class Trial:
    """What tests say of a right program, and which wrong ones they do not notice.

    new: the names of tests that were not there before. missed: what is wrong with each version
    that all tests let pass. seen: the first failure of each version that was noticed.
    """

    new: tuple[str, ...]
    right: Tests
    missed: tuple[str, ...]
    seen: dict[str, Tests]


def tests(desk: Desk, commit: str | None = None, hours: str | None = None) -> Tests:
    """Run the tests of a commit, or of the clone's files if none is named.

    hours: the text that stands in the place of deskkit/hours.py.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        _copy(desk, commit, folder)
        if hours is not None:
            (folder / HOURS).parent.mkdir(exist_ok=True)
            (folder / HOURS).write_text(hours, encoding="utf-8")
        return run_tests(folder)


def try_out(desk: Desk, commit: str | None = None, *, with_huys: bool = False) -> Trial:
    """Run the tests on a right version of hours.py and on each wrong one."""
    right = tests(desk, commit, sample.right_hours(with_huys=with_huys))
    seen, missed = {}, []
    for what, text in sample.wrong_hours(with_huys=with_huys).items():
        found = tests(desk, commit, text)
        if found.green:
            missed.append(what)
        else:
            seen[what] = found
    old = set(known_tests())
    new = tuple(name for name in right.names if name.rsplit(".", 1)[-1] not in old)
    return Trial(new, right, tuple(missed), seen)


def known_tests() -> tuple[str, ...]:
    """Return the names of the sample project's own tests, Huy's included."""
    texts = [sample.TEST_MONEY, sample.TEST_PHONES, sample.TEST_REPLY]
    texts.append(sample.HUYS_CHANGE.files["tests/test_hours.py"])
    lines = "\n".join(texts).splitlines()
    return tuple(line.split("def ")[1].split("(")[0] for line in lines if "def test_" in line)


def is_open(folder: Path, cases: list[tuple[str, str, str]]) -> list[bool] | str:
    """Ask the program in `folder` whether shops are open: (opens, closes, now) as "HH:MM".

    Returns an answer for each case, or in one line why the program gives none.
    """
    done = program.run(
        [sys.executable, "-E", "-s", "-B", "-c", _ASK, json.dumps(cases)],
        cwd=folder,
        env=environment(),
    )
    if not done.ok:
        return (done.errors.strip().splitlines() or ["it ended without a word"])[-1]
    return json.loads(done.said.splitlines()[-1])


def wrong_answer(folder: Path, *, with_huys: bool = False) -> str | None:
    """Say what the program in `folder` answers wrongly, or None if all is right.

    Asked for shops by day, over midnight and until midnight, at and around both ends.
    """
    shops = [("08:00", "22:00"), ("18:00", "02:00"), ("17:30", "00:00")]
    shops += [("00:00", "00:00")] if with_huys else []
    times = [f"{hour:02d}:{minute}" for hour in range(24) for minute in ("00", "01", "30", "59")]
    cases = [(opens, closes, now) for opens, closes in shops for now in times]
    answers = is_open(folder, cases)
    if isinstance(answers, str):
        return f"the program stops: {answers}"
    for case, answer in zip(cases, answers, strict=True):
        opens, closes, now = case
        if answer != should_be_open(*case):
            said, true = ("open", "closed") if answer else ("closed", "open")
            return f"a shop with {opens}-{closes} is said to be {said} at {now}; it is {true}"
    return None


def should_be_open(opens: str, closes: str, now: str) -> bool:
    """Say whether a shop is open, from the words of the report: times as "HH:MM"."""
    minutes = [int(t[:2]) * 60 + int(t[3:]) for t in (opens, closes, now)]
    start, end, moment = minutes
    length = (end - start) % 1440 or 1440
    return (moment - start) % 1440 < length


def _copy(desk: Desk, commit: str | None, folder: Path) -> None:
    if commit is None:
        if not desk.cloned():
            raise PracticeError("There is no clone yet. First: git clone fork.git deskkit")
        skip = shutil.ignore_patterns(".git", "__pycache__")
        shutil.copytree(desk.clone, folder, ignore=skip)
        return
    folder.mkdir()
    where = desk.clone if desk.cloned() else desk.upstream
    if not desk.ask("cat-file", "-t", commit, at=where):
        where = desk.upstream
    env = program.environment(desk.root, desk.state / "settings", desk.moment())
    unpack(where, commit, folder, program.program(), env)
