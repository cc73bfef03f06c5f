"""Try tests on versions of the program: do they fail where they should, and only there?

A test is worth something if it notices when the program is wrong. So the tests of a commit (or of
the files as they lie in the clone) are run again and again, each time with another version of
deskkit/hours.py. The method is known as mutation testing.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
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
    old = set(known_tests(with_huys=True))
    new = tuple(name for name in right.names if name.rsplit(".", 1)[-1] not in old)
    return Trial(new, right, tuple(missed), seen)


def known_tests(*, with_huys: bool) -> tuple[str, ...]:
    """Return the names of the sample project's own tests; with_huys: with the one Huy brings."""
    texts = [sample.TEST_MONEY, sample.TEST_PHONES, sample.TEST_REPLY]
    huys = sample.HUYS_CHANGE.files["tests/test_hours.py"]
    texts.append(huys if with_huys else sample.TEST_HOURS)
    lines = "\n".join(texts).splitlines()
    return tuple(line.split("def ")[1].split("(")[0] for line in lines if "def test_" in line)


def weakened(
    desk: Desk, ran: Tests, base: str, head: str | None = None, *, with_huys: bool = False
) -> str | None:
    """Say which test that was there before is gone, is skipped or asks less; None if none is.

    ran: what the tests say now. base, head: commits; without head, the files in the clone.
    """
    names = {name.rsplit(".", 1)[-1] for name in ran.names}
    for name in known_tests(with_huys=with_huys):
        if name not in names:
            return f"the test {name} was there before, and does not run any more"
    at = desk.upstream if head else desk.clone
    span = [base, *([head] if head else [])]
    gone = taken_out(desk.ask("diff", "-U0", *span, "--", "tests", at=at))
    return f"this line of an earlier test is not there any more: {gone[0]}" if gone else None


def taken_out(difference: str) -> list[str]:
    """Return the lines of a diff that asked something, were taken out, and came in nowhere."""
    lines = [x for x in difference.splitlines() if not x.startswith(("---", "+++"))]
    added = Counter(x[1:].strip() for x in lines if x.startswith("+"))
    removed = Counter(x[1:].strip() for x in lines if x.startswith("-"))
    return [line for line in removed - added if re.search(r"\bassert|self\.fail\(", line)]


def wrong_in(desk: Desk, commit: str, *, with_huys: bool = False) -> str | None:
    """Say what the program of a commit answers wrongly, or None (see `wrong_answer`)."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "files"
        _copy(desk, commit, folder)
        return wrong_answer(folder, with_huys=with_huys)


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
    shops = [("08:00", "22:00"), ("18:00", "02:00"), ("17:30", "00:00"), ("10:00", "01:00")]
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
