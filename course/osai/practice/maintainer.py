"""The sample maintainer Lan: takes requests, reviews them by fixed rules, merges, lets others in.

Lan is a program. She looks at what really lies in the repositories: she runs the tests of the
request, also on wrong versions of the program, reads the added lines and the commit messages.
A person would see more, and might be wrong.
"""

from __future__ import annotations

import dataclasses
import re

from osai.practice import sample, trials
from osai.practice.ci import PUSHER
from osai.practice.desk import FORK, Desk, commit, identity, remove
from osai.practice.git import PracticeError, tidy

NOTE = f"changes/{sample.ISSUE}.md"
REQUEST = "refs/pull/1/head"
"""Where the upstream keeps the head of the request, as GitHub does."""
_HABITS = re.compile(
    r"(fix|add|updat|chang|remov|improv|correct|mak)(ed|es|s|ing)$|made$", re.IGNORECASE
)
_LEFT_OVERS = re.compile(r"\bbreakpoint\(\)|\bpdb\b|^\s*print\(|^(<{7}|={7}|>{7})")


@dataclasses.dataclass(frozen=True, repr=False)
class Request:
    """A pull request as it is now. ci: what CI says of its head."""

    branch: str
    head: str
    title: str
    description: str
    ci: str
    merged: bool = False

    def __repr__(self) -> str:
        state = "merged" if self.merged else "open"
        return (
            f"Request 1 ({state}): {self.title}\n"
            f"  from fork.git, branch {self.branch}, to upstream.git, branch main\n"
            f"  CI: {self.ci}\n"
            "  To read it: requests/1.md"
        )


@dataclasses.dataclass(frozen=True, repr=False)
class Review:
    """What Lan says of a request. points: what she asks for; none if she approves."""

    head: str
    points: tuple[str, ...]
    praise: tuple[str, ...]

    @property
    def approved(self) -> bool:
        """Whether nothing is left to do."""
        return not self.points

    def __repr__(self) -> str:
        state = "approved" if self.approved else "changes requested"
        lines = [f"Review by {sample.LAN.name} of {self.head[:7]}: {state}"]
        lines += [f"  + {text}" for text in self.praise]
        lines += [f"  {n}. {text}" for n, text in enumerate(self.points, start=1)]
        return "\n".join(lines)


def open_request(desk: Desk, title: str, description: str) -> Request:
    """Open a pull request from the fork's branch to the upstream's main, or change its text.

    Writes requests/1.md. Raises PracticeError if nothing is there to ask for.
    """
    branch = _branch_to_offer(desk)
    if len(title.split()) < 3 or len(description.split()) < 8:
        raise PracticeError(
            "Lan reads the title and the description before any line of code. Write at least"
            " three words and at least eight: what was wrong, what you changed, how you know."
        )
    desk.save("request", {"branch": branch, "title": title, "description": description})
    return refresh(desk)


def refresh(desk: Desk) -> Request:
    """Let the upstream take the head of the request from the fork, and run CI on it.

    A server does this at each push. Raises PracticeError if no request is open.
    """
    known = desk.load("request")
    if not known:
        raise PracticeError("There is no request yet: practice.open_request(desk, title, ...).")
    if not known.get("merged"):
        source = f"+refs/heads/{known['branch']}:{REQUEST}"
        desk.must("fetch", "--quiet", f"../{FORK}", source, at=desk.upstream)
    head = desk.must("rev-parse", REQUEST, at=desk.upstream)
    if known.get("head") != head:
        known |= {"head": head, "ci": str(trials.tests(desk, head))}
        desk.save("request", known)
    request = Request(**known)
    _write_request(desk, request)
    return request


def review(desk: Desk) -> Review:
    """Let Lan review the request as it is now, on the first weekend after it was opened."""
    request = refresh(desk)
    desk.moment(not_before="2026-03-07 10:00")
    found = judge(desk, request.head)
    number = desk.load("reviews").get("number", 0)
    if desk.load("reviews").get("head") != request.head:
        number += 1
    desk.save("reviews", {"number": number, "head": request.head, "approved": found.approved})
    file = desk.root / "requests" / f"1-review-{number}.md"
    file.write_text(f"{found!r}\n", encoding="utf-8", newline="\n")
    return found


def judge(desk: Desk, head: str) -> Review:
    """Apply Lan's rules to a commit. Nothing is stored."""
    base = desk.must("merge-base", "main", head, at=desk.upstream)
    with_huys = _contains_huys(desk, head)
    plain = trials.tests(desk, head)
    points, praise = [], []
    if plain.green:
        praise.append(f"CI is {plain}.")
    else:
        points.append(f"CI is {plain}. Please run python -m unittest before you push.")
    trial = trials.try_out(desk, head, with_huys=with_huys)
    if not trial.right.green:
        points.append(
            "Your tests refuse a program that does what the report asks for. What do they expect?"
        )
    less = trials.weakened(desk, plain, base, head, with_huys=with_huys) if plain.green else None
    if less:
        points.append(f"Please put this back: {less}. A test is a promise to users.")
    for what in trial.missed if trial.right.green else ():
        points.append(
            f"I changed hours.py so that {what}, and all tests still pass. Please add a test"
            " that fails then."
        )
    wrong = trials.wrong_in(desk, head, with_huys=with_huys)
    if wrong and plain.green:
        points.append(
            f"CI is green, but the program is wrong: {wrong}. Please mend it, with a test."
        )
    points += _about_files(desk, base, head)
    if desk.ask("rev-list", "--merges", f"{base}..{head}", at=desk.upstream):
        points.append("You merged main into your branch: please rebase (see CONTRIBUTING.md).")
    points += _about_messages(desk, base, head)
    if trial.seen and trial.right.green:
        praise.append("There is a test that fails with the bug. Thank you!")
    return Review(head, tuple(points), tuple(praise))


def message_faults(messages: list[str]) -> list[str]:
    """Say what a maintainer asks of the messages of commits, given from new to old."""
    faults = []
    for message in messages:
        subject = message.splitlines()[0] if message else ""
        first = subject.split()[0] if subject.split() else ""
        if len(subject.split()) < 3:
            faults.append(f"The message {subject!r} says too little: what does the change do?")
        elif len(subject) > 72:
            faults.append(f"The first line {subject[:30]!r}... is longer than 72 characters.")
        elif _HABITS.match(first) or not first[0].isupper():
            faults.append(
                f"Begin the message {subject!r} with a verb, as an order and with a capital:"
                " Count, Show, Keep."
            )
    if messages and not any(re.search(rf"\b{sample.ISSUE}\b", message) for message in messages):
        faults.append(f"No message names issue {sample.ISSUE}: in a year, who knows why?")
    return faults


def upstream_moves(desk: Desk) -> str:
    """Let Lan take in Huy's change, which touches the same line, and return what happened."""
    change = sample.HUYS_CHANGE
    subject = change.message.splitlines()[0]
    said = f"{sample.LAN.name} merged “{subject}” by {change.author.name} into upstream main."
    if _contains_huys(desk, "main"):
        return f"Already done: {said}"
    if desk.load("request").get("merged"):
        return "Your request was merged first: this time Huy has to rebase."
    work = _lans_clone(desk)
    commit(desk, work, change)
    desk.must("push", "--quiet", "origin", "main", at=work, **{PUSHER: "maintainer"})
    remove(work)
    desk.moment(not_before="2026-03-08 09:00")
    return said


def merge(desk: Desk) -> Request:
    """Let Lan merge the request. Raises PracticeError, with Lan's reason, if she does not."""
    request = refresh(desk)
    if request.merged:
        return request
    found = judge(desk, request.head)
    if not found.approved:
        raise PracticeError(f"Lan does not merge yet. {found.points[0]}")
    work = _lans_clone(desk)
    desk.must("fetch", "--quiet", "origin", REQUEST, at=work)
    note = f"Merge request 1: {request.title}\n\nIssue {sample.ISSUE}. {request.ci}."
    asked = sample.Change(sample.LAN, "2026-03-08 20:00:00 +0700", note, {})
    done = desk.run_git(
        "merge", "--quiet", "--no-ff", "-m", note, "FETCH_HEAD", at=work, **identity(asked)
    )
    if done.ok:
        done = desk.run_git("push", "origin", "main", at=work, **{PUSHER: "maintainer"})
        said = tidy(done.errors, desk.root)
    else:
        said = "It conflicts with main: somebody else changed the same lines. Please rebase."
    remove(work)
    if not done.ok:
        raise PracticeError(f"Lan cannot merge. {said}")
    desk.moment(not_before="2026-03-08 21:00")
    desk.save("request", desk.load("request") | {"merged": True})
    return refresh(desk)


def _branch_to_offer(desk: Desk) -> str:
    known = desk.load("request").get("branch")
    there = desk.ask("for-each-ref", "--format=%(refname:short)", "refs/heads", at=desk.fork)
    branch = desk.branch() or known or ""
    if branch in ("", "main"):
        raise PracticeError(
            "A request comes from a branch of its own, not from main. Go to it: git switch NAME"
        )
    if branch not in there.split():
        raise PracticeError(
            f"Your fork has no branch {branch!r}: a server sees only what was pushed. First:"
            f" git push --set-upstream origin {branch}"
        )
    tip = desk.ask("rev-parse", f"refs/heads/{branch}", at=desk.fork)
    if not desk.ask("log", "--format=%h", f"upstream/main..{tip}", at=desk.clone):
        raise PracticeError(f"The branch {branch!r} has no commit that upstream does not have.")
    return branch


def _write_request(desk: Desk, request: Request) -> None:
    base = desk.must("merge-base", "main", request.head, at=desk.upstream)
    if request.merged:
        base = desk.must("merge-base", "main^1", request.head, at=desk.upstream)
    span = f"{base}..{request.head}"
    log = desk.must("log", "--reverse", "--format=- %h %s", span, at=desk.upstream)
    stat = desk.must("diff", "--stat=72", span, at=desk.upstream)
    diff = desk.must("diff", span, at=desk.upstream)
    state = "merged" if request.merged else "open"
    text = (
        f"# Request 1 ({state}): {request.title}\n\n{request.description.strip()}\n\n"
        f"From fork.git, branch {request.branch}. CI: {request.ci}.\n\n"
        f"## Commits\n\n{log}\n\n## Files\n\n```\n{stat}\n```\n\n## Diff\n\n```diff\n{diff}\n```\n"
    )
    (desk.root / "requests" / "1.md").write_text(text, encoding="utf-8", newline="\n")


def _about_files(desk: Desk, base: str, head: str) -> list[str]:
    points = []
    files = desk.must("diff", "--name-only", base, head, at=desk.upstream).splitlines()
    other = [f for f in files if f not in (trials.HOURS, NOTE) and not f.startswith("tests/")]
    if other:
        points.append(f"What has {other[0]} to do with issue {sample.ISSUE}? Please leave it out.")
    added = desk.must("diff", "-U0", base, head, at=desk.upstream).splitlines()
    left = [x[1:] for x in added if x.startswith("+") and _LEFT_OVERS.search(x[1:])]
    if left:
        points.append(f"This line was meant for you, not for the project: {left[0].strip()}")
    note = desk.ask("show", f"{head}:{NOTE}", at=desk.upstream)
    if len(note.split()) < 4:
        points.append(f"Please write one sentence for users into {NOTE} (see CONTRIBUTING.md).")
    return points


def _about_messages(desk: Desk, base: str, head: str) -> list[str]:
    found = desk.must("log", "--no-merges", "--format=%B%x00", f"{base}..{head}", at=desk.upstream)
    return message_faults([message.strip() for message in found.split("\0") if message.strip()])


def _contains_huys(desk: Desk, head: str) -> bool:
    subject = sample.HUYS_CHANGE.message.splitlines()[0]
    at = desk.upstream
    if not desk.ask("cat-file", "-t", head, at=at):
        at = desk.clone
    return subject in desk.ask("log", "--format=%s", head, at=at).splitlines()


def _lans_clone(desk: Desk):
    work = desk.state / "lans-clone"
    if work.exists():
        remove(work)
    desk.must("clone", "--quiet", str(desk.upstream), str(work), at=desk.state)
    return work
