"""Is a step done? Asked of the repositories themselves, and explained.

    checks.check(desk, "fork")

Each step's function yields findings: what is so, and, where something is not, what was probably
mixed up and what to do. The first fault ends the check.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

from osai.practice import history, maintainer, sample, trials
from osai.practice.desk import CLONE, FORK, UPSTREAM, Desk
from osai.practice.git import PracticeError


@dataclasses.dataclass(frozen=True, repr=False)
class Checked:
    """A step with what was found. done: nothing is missing."""

    step: str
    found: tuple[str, ...]
    missing: str = ""

    @property
    def done(self) -> bool:
        """Whether the step is done."""
        return not self.missing

    def __repr__(self) -> str:
        lines = [f"Step “{self.step}”: {'done' if self.done else 'not yet'}"]
        lines += [f"  yes: {text}" for text in self.found]
        return "\n".join(lines + ([f"  no:  {self.missing}"] if self.missing else []))


class _Missing(Exception):
    """Ends a check: its text says what was mixed up, and what to do."""


Step = Callable[..., Iterator[str]]
STEPS: dict[str, Step] = {}


def check(desk: Desk, step: str, **answer: str) -> Checked:
    """Look whether a step is done; if it is, remember who has which commit now.

    answer: what the step asks for beside the repositories (see `reproduce`).
    Raises PracticeError for a step that does not exist.
    """
    if step not in STEPS:
        raise PracticeError(f"There is no step {step!r}. The steps: {', '.join(STEPS)}.")
    try:
        inspect.signature(STEPS[step]).bind(desk, **answer)
    except TypeError:
        raise PracticeError(f"The step {step!r} wants another kind of answer: see above.") from None
    found: list[str] = []
    try:
        for text in STEPS[step](desk, **answer):
            found.append(text)
    except (_Missing, PracticeError) as missing:
        return Checked(step, tuple(found), str(missing))
    history.record(desk, step)
    return Checked(step, tuple(found))


def _step(function: Step) -> Step:
    STEPS[function.__name__] = function
    return function


def _must(holds: object, missing: str) -> None:
    if not holds:
        raise _Missing(missing)


@_step
def fork(desk: Desk) -> Iterator[str]:
    """fork.git is a bare copy of the upstream, beside it."""
    _must(desk.fork.is_dir(), "There is no fork.git. First: git clone --bare upstream.git fork.git")
    bare = desk.ask("rev-parse", "--is-bare-repository", at=desk.fork)
    _must(
        bare == "true",
        "fork.git is a clone with files to work on. A fork lies on a server, where nobody edits"
        " files: make it with --bare. Begin anew with practice.start().",
    )
    yield "fork.git is a bare repository: history, but no files to edit"
    started = desk.ask("rev-list", "--max-parents=0", "main", at=desk.upstream)
    same = started and started == desk.ask("rev-list", "--max-parents=0", "main", at=desk.fork)
    _must(same, "fork.git has another history than upstream.git: it is a copy of something else.")
    count = desk.ask("rev-list", "--count", "main", at=desk.fork)
    yield f"it shares its first commit with upstream.git, and has {count} commits"


@_step
def clone(desk: Desk) -> Iterator[str]:
    """The clone knows the fork as origin and the upstream as upstream."""
    _must(desk.cloned(), "There is no clone. First: git clone fork.git deskkit")
    yield f"{CLONE}/ is a clone, with files to work on"
    origin, upstream = (_remote(desk, name) for name in ("origin", "upstream"))
    _must(
        origin != desk.upstream,
        "You cloned the upstream, not your fork. Reading works, but you may not push there:"
        " git remote set-url origin ../fork.git",
    )
    _must(origin == desk.fork, "origin is not your fork: git remote set-url origin ../fork.git")
    yield f"origin is {FORK}: there you may push"
    _must(
        upstream == desk.upstream,
        "The clone knows only your fork. A fork does not follow its upstream by itself, so tell"
        " the clone where it is: git remote add upstream ../upstream.git",
    )
    yield f"upstream is {UPSTREAM}: from there you get what others did"
    fetched = desk.ask("rev-parse", "--verify", "--quiet", "upstream/main", at=desk.clone)
    _must(fetched, "A remote is only an address until you fetch from it: git fetch upstream")
    yield "you have fetched from upstream"


@_step
def reproduce(desk: Desk, hours: str = "", now: str = "") -> Iterator[str]:
    """hours "HH:MM-HH:MM" and now "HH:MM" are a case in which the program as it was is wrong."""
    opens, _, closes = (part.strip() for part in hours.partition("-"))
    times = (opens, closes, now.strip())
    well = all(len(t) == 5 and t[2] == ":" and (t[:2] + t[3:]).isdigit() for t in times)
    _must(
        well and all(t[:2] < "24" and t[3:] < "60" for t in times),
        'Write the hours as "18:00-02:00" and the moment as "09:05", in 24 hours.',
    )
    if opens < closes:
        raise _Missing(
            f"With {hours} the program is right at any time: such a shop closes on the day it"
            " opens. What is special about the shop in the report?"
        )
    _must(
        trials.should_be_open(*times),
        f"At {now} that shop really is closed, and the program says so: no bug. A bug is a"
        " difference between what should be and what is.",
    )
    yield f"a shop with {hours} is open at {now}, and the program says it is closed"
    yield "the time zone cannot be the cause: you gave the time yourself"


@_step
def test(desk: Desk) -> Iterator[str]:
    """A new test in the clone fails on the bug, and passes on a right program."""
    _own_branch(desk)
    yield f"you are on a branch of your own, {desk.branch()}"
    trial = trials.try_out(desk, with_huys=_with_huys(desk))
    _must(
        trial.new,
        "There is no new test. unittest finds only methods whose names begin with test_, in a"
        " class in a file tests/test_....py.",
    )
    names = ", ".join(name.rsplit(".", 1)[-1] for name in trial.new)
    yield f"new: {names}"
    _must(
        "the bug is back" in trial.seen,
        "All tests pass with the bug in the program. A test that never failed has shown nothing:"
        " expect what should be, not what the program answers now.",
    )
    seen = trial.seen["the bug is back"]
    new_crashed = [why for name, why in seen.crashed.items() if name not in seen.failed]
    _must(
        not new_crashed,
        "A test stops before it can compare anything. A crash is no failing test: "
        + "".join(new_crashed[:1]),
    )
    yield "with the bug it fails, because what it expects is not so"
    wrong = [*trial.right.failed.values(), *trial.right.crashed.values()]
    _must(
        trial.right.green,
        "The tests also fail with a program that does what the report asks for, so they expect"
        f" something else: {''.join(wrong[:1])}",
    )
    yield "with a right program it passes"


@_step
def fix(desk: Desk) -> Iterator[str]:
    """The program in the clone answers rightly, and all tests pass."""
    found = trials.tests(desk)
    why = "".join([*found.failed.values(), *found.crashed.values()][:1])
    _must(found.green, f"The tests are {found}: {why}")
    yield f"the tests are {found}"
    _not_weakened(desk, found)
    wrong = trials.wrong_answer(desk.clone, with_huys=_with_huys(desk))
    _must(
        not wrong,
        f"The tests pass, but the program is wrong: {wrong}. Green tests say only that what they"
        " ask is so; nobody asked this.",
    )
    yield "asked at 96 times a day for several shops, the program answers rightly"
    known = trials.known_tests(with_huys=True)
    _must(
        any(name.rsplit(".", 1)[-1] not in known for name in found.names),
        "But no test is new. Without one nobody notices when the bug comes back: go back to"
        " the test that fails first.",
    )


@_step
def commit(desk: Desk) -> Iterator[str]:
    """The change is committed on its own branch, whole, and with a message that says why."""
    _own_branch(desk)
    branch = desk.branch()
    subjects = _own_commits(desk, "%s")
    _must(subjects, "There is no commit of yours yet. A changed file is not a commit: git commit")
    yield f"commits on {branch}: {len(subjects)}"
    _must(
        not _ahead(desk),
        "main in your clone has a commit of yours, too, so it is no copy of upstream any more."
        f" Your branch {branch} keeps the commit; put main back: git branch -f main upstream/main",
    )
    files = desk.ask("diff", "--name-only", "upstream/main...HEAD", at=desk.clone).splitlines()
    _must(
        trials.HOURS in files and any(name.startswith("tests/") for name in files),
        f"The commits change {', '.join(files)}. The repair and its test belong together:"
        " git add puts what you name into the next commit, and nothing else.",
    )
    yield f"in them: {', '.join(files)}"
    left = desk.ask("status", "--porcelain", at=desk.clone).splitlines()
    _must(not left, f"Not committed yet, or not meant to be: {left[0].strip()}" if left else "")
    yield "nothing else is lying about"
    bodies = "\0".join(_own_commits(desk, "%B%x00", whole=True)).split("\0")
    faults = maintainer.message_faults([text.strip() for text in bodies if text.strip()])
    _must(
        not faults,
        "".join(faults[:1])
        + ' To write the message of the last commit anew: git commit --amend -m "..." -m "..."',
    )
    yield "the message says what and why"


@_step
def push(desk: Desk) -> Iterator[str]:
    """The branch lies in the fork as it is in the clone."""
    _own_branch(desk)
    branch = desk.branch()
    here = desk.ask("rev-parse", "HEAD", at=desk.clone)
    there = desk.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", at=desk.fork)
    _must(
        there,
        "Your fork does not have this branch. A commit stays on your computer until you push it:"
        f" git push --set-upstream origin {branch}",
    )
    _must(there == here, "Your fork has an older or another version of this branch: push again.")
    yield f"the fork has your branch {branch} at {here[:7]}"
    yield "upstream.git knows nothing of it yet"


@_step
def request(desk: Desk) -> Iterator[str]:
    """A request is open, for what lies in the fork, and CI is green."""
    found = maintainer.refresh(desk)
    yield f"the request asks to take in {found.branch} at {found.head[:7]}"
    _must(found.ci.startswith("green"), f"CI is {found.ci}. A red request is not read: mend it.")
    yield f"CI is {found.ci}"


@_step
def answer(desk: Desk) -> Iterator[str]:
    """Lan has nothing more to ask for."""
    found = maintainer.refresh(desk)
    here = desk.ask("rev-parse", "HEAD", at=desk.clone)
    _must(
        here == found.head,
        "The request still shows the old commits: it follows your fork, not your computer."
        " Commit and push.",
    )
    yield "the request has your newest commit"
    judged = maintainer.judge(desk, found.head)
    _must(judged.approved, "".join(judged.points[:1]))
    yield "nothing is left of what Lan asked for"


@_step
def rebase(desk: Desk) -> Iterator[str]:
    """The branch stands on the newest upstream, both changes work, and the fork has it."""
    git_dir = desk.clone / ".git"
    _must(
        not (git_dir / "MERGE_HEAD").exists(),
        "You are in the middle of a merge, and this project asks for a rebase:"
        " git merge --abort, then git rebase upstream/main",
    )
    unmerged = desk.ask("diff", "--name-only", "--diff-filter=U", at=desk.clone).splitlines()
    open_files = f": in conflict are {', '.join(unmerged)}" if unmerged else ""
    _must(
        not any((git_dir / name).exists() for name in ("rebase-merge", "rebase-apply")),
        f"The rebase is not finished{open_files}. Mend the conflict, git add each file, and"
        " git rebase --continue. Or go back to before it: git rebase --abort.",
    )
    _own_branch(desk)
    newest = desk.ask("rev-parse", "main", at=desk.upstream)
    known = desk.ask("rev-parse", "upstream/main", at=desk.clone)
    _must(newest == known, "Your clone does not know the newest upstream yet: git fetch upstream")
    base = desk.ask("merge-base", "HEAD", "upstream/main", at=desk.clone)
    _must(base == newest, "Your branch still begins at an old commit: git rebase upstream/main")
    branch = desk.branch()
    tip = desk.ask("rev-parse", f"refs/heads/{branch}", at=desk.fork)
    pushed = tip == desk.ask("rev-parse", "HEAD", at=desk.clone)
    merges = desk.ask("rev-list", "--merges", "upstream/main..HEAD", at=desk.clone)
    _must(
        not merges,
        "You merged main into your branch. That is no rebase; this project asks for"
        " a straight line (CONTRIBUTING.md): git rebase upstream/main. The conflict comes once"
        " more.",
    )
    yield "your commits stand on the newest commit of upstream"
    marked = desk.ask("grep", "-l", "-E", "^(<{7}|>{7}) ", at=desk.clone).splitlines()
    again = "mend the file, then git add and git commit"
    if not pushed:
        again = f"git reset --hard origin/{branch}, and git rebase upstream/main once more"
    _must(
        not marked,
        f"Lines with <<<<<<< or >>>>>>> are still in {', '.join(marked)}, and were committed. git"
        f" add says that you are done; git does not look whether you are. Now: {again}.",
    )
    wrong = trials.wrong_answer(desk.clone, with_huys=_with_huys(desk))
    _must(
        not wrong,
        f"One side of the conflict was lost: {wrong}. To resolve is not to choose a winner; both"
        " changes had a reason.",
    )
    found = trials.tests(desk)
    _must(found.green, f"The tests are {found}.")
    _not_weakened(desk, found)
    yield f"both changes work; the tests are {found}"
    _must(
        pushed,
        "The fork still has the commits from before the rebase. They were made anew, so an"
        " ordinary push is refused: git push --force-with-lease",
    )
    yield "the fork has the new commits"


@_step
def merged(desk: Desk) -> Iterator[str]:
    """Lan has merged the request, and CI let it in."""
    found = maintainer.refresh(desk)
    _must(found.merged, "The request is open. It is Lan who merges: practice.merge(desk)")
    inside = desk.run_git("merge-base", "--is-ancestor", found.head, "main", at=desk.upstream).ok
    _must(inside, "Upstream main does not hold your commits.")
    newest = desk.ask("rev-parse", "main", at=desk.upstream)
    yield "upstream main holds your commits, with your name in them"
    yield f"tests of upstream main: {trials.tests(desk, newest)}"


@_step
def synced(desk: Desk) -> Iterator[str]:
    """main is the same in all three repositories."""
    newest = desk.ask("rev-parse", "main", at=desk.upstream)
    here = desk.ask("rev-parse", "refs/heads/main", at=desk.clone)
    there = desk.ask("rev-parse", "refs/heads/main", at=desk.fork)
    _must(
        not _ahead(desk),
        "main in your clone has a commit that upstream does not have, so it cannot simply follow."
        " Your work is in upstream. Put main back: git fetch upstream, git switch main, and"
        " git reset --hard upstream/main",
    )
    _must(
        here == newest,
        "main in your clone is behind: git fetch upstream, git switch main, and"
        " git merge --ff-only upstream/main",
    )
    yield "main in your clone is the same as upstream"
    inside = desk.run_git("merge-base", "--is-ancestor", there, newest, at=desk.clone).ok
    _must(
        inside,
        "main in your fork has a commit that upstream does not have. It is your fork, so you may:"
        " git push --force-with-lease origin main",
    )
    _must(
        there == newest, "main in your fork is behind; a fork does not follow: git push origin main"
    )
    yield "main in your fork, too"


def _remote(desk: Desk, name: str) -> Path | None:
    address = desk.ask("remote", "get-url", name, at=desk.clone)
    return (desk.clone / address).resolve() if address else None


def _own_branch(desk: Desk) -> None:
    _must(desk.cloned(), "There is no clone yet. First: git clone fork.git deskkit")
    _must(desk.branch(), "The clone is on no branch. What does git status say?")
    _must(
        desk.branch() != "main",
        "You are on main. Keep main as a copy of upstream, and make a branch for each change:"
        " git switch -c NAME. What you changed comes with you.",
    )


def _ahead(desk: Desk) -> str:
    """Return the commits that main in the clone has and upstream does not have."""
    return desk.ask("rev-list", "upstream/main..refs/heads/main", at=desk.clone)


def _not_weakened(desk: Desk, found: trials.Tests) -> None:
    base = desk.ask("merge-base", "HEAD", "upstream/main", at=desk.clone) or "HEAD"
    less = trials.weakened(desk, found, base, with_huys=_with_huys(desk))
    _must(
        not less,
        f"The tests are green, but {less}. A test that is in the way is a promise to somebody:"
        " put it back, and mend the program.",
    )


def _own_commits(desk: Desk, form: str, *, whole: bool = False) -> list[str]:
    said = desk.ask("log", f"--format={form}", "upstream/main..HEAD", at=desk.clone)
    return [said] if whole else said.splitlines()


def _with_huys(desk: Desk) -> bool:
    subject = sample.HUYS_CHANGE.message.splitlines()[0]
    return subject in desk.ask("log", "--format=%s", "HEAD", at=desk.clone).splitlines()
