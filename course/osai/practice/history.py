"""What lies where: the commits of each branch, step by step, and the size of a change.

All read from the repositories; nothing is assumed.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from osai.practice import sample
from osai.practice.desk import Desk, commit
from osai.practice.git import PracticeError

if TYPE_CHECKING:
    import pandas as pd

PLACES = ("upstream main", "fork main", "fork branch", "clone main", "clone branch")


@dataclasses.dataclass(frozen=True)
class FileDiff:
    """How one file changed. Lines a reviewer sees: added, removed, and context around them."""

    path: str
    added: int
    removed: int
    context: int


def record(desk: Desk, step: str) -> None:
    """Remember which commits each branch has after a step; done again, the first time stays."""
    known = desk.load("steps")
    if step in known:
        return
    desk.save("steps", known | {step: snapshot(desk)})


def snapshot(desk: Desk) -> dict[str, list[list[str]]]:
    """Return for each of PLACES its commits, old to new: short hash, author, subject."""
    branch = desk.load("request").get("branch") or _own_branch(desk)
    wanted = {
        "upstream main": (desk.upstream, "main"),
        "fork main": (desk.fork, "main"),
        "fork branch": (desk.fork, branch),
        "clone main": (desk.clone, "main"),
        "clone branch": (desk.clone, branch),
    }
    found = {}
    for place, (repository, name) in wanted.items():
        found[place] = []
        if name and (repository if repository.suffix else repository / ".git").exists():
            said = desk.ask(
                "log",
                "--reverse",
                "--topo-order",
                "--format=%h%x09%an%x09%s",
                f"refs/heads/{name}",
                "--",
                at=repository,
            )
            found[place] = [line.split("\t", 2) for line in said.splitlines()]
    return found


def steps(desk: Desk) -> tuple[str, ...]:
    """Return the steps that were checked and done, in their order."""
    return tuple(desk.load("steps"))


def where(desk: Desk, step: str) -> pd.DataFrame:
    """Return who had which commit after a step: one row for each place and commit.

    Columns: place, commit (short hash), who ("from before", "you", "Huy", "Lan"), subject, order (of first appearance, from 0).
    Commits that were in upstream from the start stand together as one, "start".
    Raises PracticeError for a step that was not done yet.
    """
    import pandas as pd

    known = desk.load("steps")
    if step not in known:
        done = ", ".join(known) or "none"
        raise PracticeError(f"The step {step!r} is not done yet. Done: {done}.")
    old = len(sample.HISTORY)
    first = next(iter(known.values()))["upstream main"][:old]
    started = {hash_ for hash_, *_ in first}
    order: dict[str, int] = {"start": 0}
    for state in known.values():
        for commits in state.values():
            for hash_, *_ in commits:
                if hash_ not in started:
                    order.setdefault(hash_, len(order))
    who = {person.name: person.name.split()[0] for person in (sample.HUY, sample.LAN)}
    rows = []
    for place, commits in known[step].items():
        if commits:
            rows.append((place, "start", "from before", f"{old} commits from before", 0))
        for hash_, author, subject in commits:
            if hash_ not in started:
                rows.append((place, hash_, who.get(author, "you"), subject, order[hash_]))
    return pd.DataFrame(rows, columns=["place", "commit", "who", "subject", "order"])


def diff_size(
    desk: Desk, base: str, head: str, *, context: int = 3, ignore_space: bool = False
) -> tuple[FileDiff, ...]:
    """Return what a reviewer has to read, for each file, from `git diff` in the clone.

    context: lines shown around each change. ignore_space: leave out changes of spaces only.
    """
    flags = [f"-U{context}", *(["--ignore-all-space"] if ignore_space else [])]
    text = desk.must("diff", *flags, base, head, at=desk.clone)
    found = []
    for part in re.split(r"^diff --git ", text, flags=re.MULTILINE)[1:]:
        path = re.search(r"b/(\S+)$", part.splitlines()[0])
        lines = [
            x
            for hunk in re.split(r"^@@.*$", part, flags=re.MULTILINE)[1:]
            for x in hunk.splitlines()
        ]
        count = [sum(x.startswith(sign) for x in lines) for sign in "+- "]
        if any(count) and path:
            found.append(FileDiff(path[1], *count))
    return tuple(found)


def reformat(desk: Desk, head: str) -> str:
    """Make a sample commit in the clone: `head` with every Python file indented by two spaces.

    What an editor does that formats files when it saves them. Branches and files of the clone
    stay as they are. Returns the commit's hash.
    """
    work = desk.state / "editor"
    desk.must("worktree", "prune", at=desk.clone)
    desk.must("worktree", "add", "--quiet", "--force", "--detach", str(work), head, at=desk.clone)
    files = {
        file.relative_to(work).as_posix(): sample.reformatted(file.read_text(encoding="utf-8"))
        for file in sorted(work.rglob("*.py"))
    }
    commit(desk, work, sample.Change(sample.HUY, "2026-03-02 12:00:00 +0700", "Mend it", files))
    made = desk.must("rev-parse", "HEAD", at=work)
    desk.must("worktree", "remove", "--force", str(work), at=desk.clone)
    return made


def _own_branch(desk: Desk) -> str:
    if not desk.cloned():
        return ""
    names = desk.ask("for-each-ref", "--format=%(refname:short)", "refs/heads", at=desk.clone)
    own = [name for name in names.split() if name != "main"]
    return desk.branch() if desk.branch() in own else next(iter(own), "")
