"""The CI of the practice upstream: it runs the tests of what is pushed, and lets it in or not.

git starts this file as the hook `update` of the upstream repository, once for each branch that
somebody pushes. Standard library only: it is copied into the hooks of the repository.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

PUSHER = "PRACTICE_PUSHER"
"""Says who is pushing. A real server knows it from the password or key."""

_MARK = "practice-tests:"
_RUNNER = """
import json, sys, unittest
sys.path.insert(0, ".")
suite = unittest.defaultTestLoader.discover("tests", top_level_dir=".")
class Result(unittest.TestResult):
    def startTest(self, test): super().startTest(test); names.append(test.id())
    def addSkip(self, test, why): super().addSkip(test, why); skipped.add(test.id())
names, skipped, result = [], set(), Result()
suite.run(result)
names = [name for name in names if name not in skipped]
def last(pairs): return {t.id(): text.strip().splitlines()[-1] for t, text in pairs}
print("%s" + json.dumps([names, last(result.failures), last(result.errors)]))
"""


@dataclass(frozen=True)
class Tests:
    """What the tests of a folder said: names of those that ran; why some failed or crashed.

    A test fails if what it expects is not so; it crashes if it cannot run to its end.
    """

    names: tuple[str, ...]
    failed: dict[str, str]
    crashed: dict[str, str]

    @property
    def green(self) -> bool:
        """Whether there are tests and all passed."""
        return bool(self.names) and not self.failed and not self.crashed

    def __str__(self) -> str:
        if not self.names and not self.crashed:
            return "red: no tests were found"
        bad = len(self.failed) + len(self.crashed)
        total = max(len(self.names), bad)
        return f"green: {total} tests passed" if self.green else f"red: {bad} of {total} failed"


def run_tests(folder: Path, timeout: float = 30) -> Tests:
    """Run the tests under `folder`/tests in a Python of their own and return what they said."""
    try:
        done = subprocess.run(
            [sys.executable, "-E", "-s", "-c", _RUNNER % _MARK],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Tests((), {}, {"all tests": f"they were not done after {timeout:g} seconds"})
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(_MARK):
            names, failed, crashed = json.loads(line.removeprefix(_MARK))
            return Tests(tuple(names), failed, crashed)
    said = (done.stderr.strip().splitlines() or ["the tests did not start"])[-1]
    return Tests((), {}, {"all tests": said})


def environment() -> dict[str, str]:
    """Return this program's variables without git's, for a Python that reads and writes UTF-8."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def unpack(
    repository: Path,
    commit: str,
    folder: Path,
    git: str = "git",
    env: dict[str, str] | None = None,
) -> None:
    """Write the files of a commit into an empty folder."""
    packed = subprocess.run(
        [git, "archive", "--format=tar", commit],
        cwd=repository,
        env=env,
        capture_output=True,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)


def verdict(reference: str, old: str, new: str, pusher: str) -> str | None:
    """Say why a push must not come in before any test is run, or None if it may be tested.

    reference: the full name of the branch. new: the commit pushed, only zeros to delete it.
    """
    if pusher != "maintainer":
        return "only maintainers may write here. Push to your fork, and open a request."
    if not new.strip("0"):
        return f"{reference} is not deleted here."
    return None


def update(reference: str, old: str, new: str) -> int:
    """Be the hook `update`: 0 lets the push in, 1 refuses it. What is printed, the pusher sees."""
    refusal = verdict(reference, old, new, os.environ.get(PUSHER, ""))
    if refusal:
        print(f"CI: refused: {refusal}")
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        unpack(Path.cwd(), new, Path(scratch))
        tests = run_tests(Path(scratch))
    print(f"CI: {tests}")
    for name, why in {**tests.failed, **tests.crashed}.items():
        print(f"CI:   {name}: {why}")
    return 0 if tests.green else 1


if __name__ == "__main__":
    sys.exit(update(*sys.argv[1:4]))
