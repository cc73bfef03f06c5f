"""The practice folder: three repositories on this computer, and how to work in them.

    desk = start()                 # my-work/first-contribution/, anew
    desk.git("status")             # real git, with its output
    desk.python("-m unittest")     # Python in the clone
    desk.edit("deskkit/hours.py", old="...", new="...")

`upstream.git` is the project's own repository, `fork.git` the student's copy on the "server", and
`deskkit/` the student's clone, where files are read and changed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from osai import packing, places
from osai.practice import ci, sample
from osai.practice import git as program
from osai.practice.git import Done, PracticeError

FOLDER = "first-contribution"
UPSTREAM, FORK, CLONE = "upstream.git", "fork.git", sample.PROJECT
_FIRST_MOMENT = dt.datetime(2026, 3, 2, 9, 0)
_HOOK = """\
#!/bin/sh
# Started by git for each branch that is pushed to this repository.
exec {python} "$(dirname "$0")/ci.py" "$@"
"""


@dataclasses.dataclass(frozen=True, repr=False)
class Desk:
    """The practice folder. root: where it lies, an absolute path without links."""

    root: Path

    @property
    def upstream(self) -> Path:
        """The project's own repository; only its maintainers write to it."""
        return self.root / UPSTREAM

    @property
    def fork(self) -> Path:
        """The student's copy of it on the server."""
        return self.root / FORK

    @property
    def clone(self) -> Path:
        """The student's copy on the own computer, with files to work on."""
        return self.root / CLONE

    @property
    def state(self) -> Path:
        """What the practice itself has to remember."""
        return self.root / "state"

    def __repr__(self) -> str:
        return f"The practice folder {places.work_dir().name}/{FOLDER}"

    # --- what a student calls ------------------------------------------------------------------

    def git(self, command: str) -> None:
        """Run git and print what it says. It runs in the clone, as soon as there is one.

        command: as in a terminal, without the word git: 'commit -m "Say why"'.
        """
        arguments = _split(command, "git")
        here = self._here()
        self._print(f"git {command}", self.run_git(*arguments, at=here, tick=True), here)

    def python(self, command: str) -> None:
        """Run Python in the clone (before there is one: in the practice folder) and print."""
        done = self._python(_split(command, "python"))
        self._print(f"python {command}", done, self._here())

    def debug(self, command: str, typed: Sequence[str]) -> None:
        """Run Python where it stops in the debugger, type these lines there, print all of it."""
        done = self._python(_split(command, "python"), stdin="".join(f"{t}\n" for t in typed))
        parts = done.said.split("(Pdb) ")
        lines = iter([*typed, *[""] * len(parts)])
        said = parts[0] + "".join(f"(Pdb) {next(lines)}\n{part}" for part in parts[1:])
        self._print(f"python {command}", Done(done.code, said, done.errors), self._here())

    def show(self, path: str, first: int = 1, last: int | None = None) -> None:
        """Print a text file of the practice folder or the clone, with line numbers."""
        lines = self._existing(path).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines[first - 1 : last], start=first):
            print(f"{number:3d}  {line}".rstrip())

    def write(self, path: str, text: str) -> None:
        """Write a whole file of the clone, and print how it differs from before."""
        target = self._inside(path)
        before = target.read_text(encoding="utf-8") if target.is_file() else ""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
        _print_difference(path, before, text)

    def edit(self, path: str, *, old: str, new: str) -> None:
        """Put `new` in the place of `old`, which must be in the file once; print the difference.

        Run again, it changes nothing. Raises PracticeError if `old` is not there, or twice.
        """
        text = self._existing(path).read_text(encoding="utf-8")
        # spaces at the start mean the start of a line: else they are found in deeper lines, too
        pattern = ("(?m:^)" if old[:1].isspace() else "") + re.escape(old)
        count = len(re.findall(pattern, text))
        if count != 1 or (new in text and old in new):
            if new in text:
                print(f"{path} has this already: nothing to change.")
                return
            times = f"is in it {count} times" if count else "is not in it"
            raise PracticeError(
                f"{path}: the text to replace {times}. Copy it from the file as it is now"
                f" (desk.show({path!r})), with the spaces at the start of its lines."
            )
        self.write(path, re.sub(pattern, lambda _: new, text))

    def resolve(self, path: str, new: str) -> None:
        """Put `new` in the place of the first conflict in a file: markers, both sides, all.

        Raises PracticeError if there is no conflict in the file.
        """
        text = self._existing(path).read_text(encoding="utf-8")
        start, end = text.find("<<<<<<< "), text.find(">>>>>>> ")
        if start < 0 or end < start:
            raise PracticeError(f"{path} has no conflict. What does git status say?")
        after = text.find("\n", end) + 1 or len(text)
        self.write(path, text[:start] + new.rstrip("\n") + "\n" + text[after:])

    # --- what the checks and the sample people use ---------------------------------------------

    def run_git(
        self, *arguments: str, at: Path | None = None, tick: bool = False, **more: str
    ) -> Done:
        """Run git quietly. at: where (default: the clone, else the practice folder).

        tick: let the practice's clock go on by a minute. more: variables for this command.
        """
        moment = self.moment(minutes=1 if tick else 0)
        env = program.environment(self.root, self.state / "settings", moment, **more)
        command = [program.program(), *arguments]
        return program.run(command, cwd=at or self._here(), env=env)

    def ask(self, *arguments: str, at: Path | None = None) -> str:
        """Return what a git command says, without the last line end; empty if it fails."""
        done = self.run_git(*arguments, at=at)
        return done.said.rstrip("\n") if done.ok else ""

    def must(self, *arguments: str, at: Path | None = None, **more: str) -> str:
        """Return what a git command says. Raises PracticeError if it fails."""
        done = self.run_git(*arguments, at=at, **more)
        if not done.ok:
            said = program.tidy(done.errors or done.said, self.root)
            raise PracticeError(
                f"The practice itself is stuck at git {arguments[0]}: {said}. Begin anew with"
                " practice.start(); what you have now is kept aside."
            )
        return done.said.rstrip("\n")

    def moment(self, *, minutes: int = 0, not_before: str = "") -> str:
        """Return the practice's own time, which no clock of a computer changes, and let it go on.

        minutes: how far. not_before: and at least until this time ("2026-03-07 10:00").
        """
        file = self.state / "clock"
        now = _FIRST_MOMENT
        if file.is_file():
            now = dt.datetime.fromisoformat(file.read_text(encoding="utf-8").strip())
        then = now + dt.timedelta(minutes=minutes)
        if not_before:
            then = max(then, dt.datetime.fromisoformat(not_before))
        if then != now:
            file.write_text(f"{then.isoformat()}\n", encoding="utf-8")
        return f"{then:%Y-%m-%d %H:%M:%S} +0700"

    def branch(self) -> str:
        """Return the branch the clone is on: empty if there is no clone or it is on none."""
        return self.ask("symbolic-ref", "--short", "HEAD", at=self.clone) if self.cloned() else ""

    def cloned(self) -> bool:
        """Whether there is a clone that git can read."""
        return (self.clone / ".git").exists()

    def load(self, name: str) -> dict:
        """Return what the practice remembers under a name; an empty dictionary for nothing."""
        file = self.state / f"{name}.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def save(self, name: str, what: dict) -> None:
        """Remember something."""
        text = json.dumps(what, ensure_ascii=False, indent=1)
        (self.state / f"{name}.json").write_text(text + "\n", encoding="utf-8", newline="\n")

    def _python(self, arguments: Sequence[str], stdin: str = "") -> Done:
        env = program.environment(self.root, self.state / "settings", self.moment())
        return program.run([sys.executable, *arguments], cwd=self._here(), env=env, stdin=stdin)

    def _here(self) -> Path:
        if not self.state.is_dir():
            raise PracticeError("The practice folder is gone. Make it again: practice.start().")
        return self.clone if self.cloned() else self.root

    def _inside(self, path: str) -> Path:
        target = (self.clone / path).resolve()
        if not self.cloned():
            raise PracticeError("There is no clone yet. First: git clone fork.git deskkit")
        if not target.is_relative_to(self.clone) or ".git" in target.relative_to(self.clone).parts:
            raise PracticeError(f"{path!r} is outside the files of the clone.")
        return target

    def _existing(self, path: str) -> Path:
        for folder in (self.clone, self.root):
            if (folder / path).is_file():
                return folder / path
        raise PracticeError(f"There is no file {path!r}. Paths start in {CLONE}/.")

    def _print(self, command: str, done: Done, here: Path) -> None:
        print(f"{here.name}$ {command}")
        for text in (done.said, done.errors):
            if text := program.tidy(text, self.root):
                print(text)


def start(name: str = "You (practice)", email: str = "you@example.org") -> Desk:
    """Make the practice folder anew and return it. What lay there before is kept aside.

    name, email: what stands in your commits. Raises PracticeError without git, or if the folder
    cannot be made.
    """
    program.program()
    for what, given in (("name", name), ("email", email)):
        if not given.strip() or any(sign in given for sign in '"\\\n<>'):
            raise PracticeError(f"This {what} cannot stand in a commit: {given!r}.")
    root = places.work_dir().resolve() / FOLDER
    try:
        aside = _keep_aside(root)
        (root / "state" / "empty").mkdir(parents=True)
        (root / "requests").mkdir()
        settings = program.SETTINGS.format(
            name=f'"{name.strip()}"',
            email=f'"{email.strip()}"',
            empty=json.dumps((root / "state" / "empty").as_posix(), ensure_ascii=False),
        )
        (root / "state" / "settings").write_text(settings, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PracticeError(
            f"The folder {root.parent.name}/{FOLDER} cannot be made: {error.strerror or error}."
            " Close what is open in it and run this cell again."
        ) from None
    desk = Desk(root)
    (root / "issue-12.md").write_text(sample.REPORT, encoding="utf-8", newline="\n")
    _make_upstream(desk)
    if aside is not None:
        kept = f"{places.work_dir().name}/{packing.KEPT_ASIDE}/{aside.name}"
        print(f"Your earlier practice is not lost: it lies in {kept}.")
    print(f"Made {places.work_dir().name}/{FOLDER} with upstream.git and issue-12.md.")
    return desk


def resume() -> Desk:
    """Go on with the practice of another day, also after it came back from a zip.

    A zip holds no names that begin with a dot, so the clone comes back without its `.git`. Then
    it is cloned from the fork again: what was pushed is there, and the files that lay in the
    clone are kept aside. Raises PracticeError if there is no practice.
    """
    program.program()
    desk = Desk(places.work_dir().resolve() / FOLDER)
    if not (desk.state / "settings").is_file():
        raise PracticeError("There is no practice to go on with yet. Begin: practice.start().")
    (desk.state / "empty").mkdir(exist_ok=True)
    empty = json.dumps((desk.state / "empty").as_posix(), ensure_ascii=False)
    desk.must("config", "--file", "settings", "init.templateDir", json.loads(empty), at=desk.state)
    for repository in (desk.upstream, desk.fork):
        if repository.is_dir():  # a zip holds no empty folders, and git needs these
            for part in ("refs/heads", "objects/info", "objects/pack"):
                (repository / part).mkdir(parents=True, exist_ok=True)
    _install_hook(desk)
    if desk.clone.is_dir() and not desk.cloned():
        aside = _keep_aside(desk.clone)
        desk.must("clone", "--quiet", FORK, CLONE, at=desk.root)
        desk.must("remote", "add", "upstream", f"../{UPSTREAM}", at=desk.clone)
        print(f"The clone is new, from your fork. Its old files: {packing.KEPT_ASIDE}/{aside.name}")
    print(
        f"Steps done so far: {', '.join(desk.load('steps')) or 'none'}. Go on after the last one."
    )
    return desk


def _make_upstream(desk: Desk) -> None:
    desk.must("init", "--quiet", "--bare", UPSTREAM, at=desk.root)
    work = desk.state / "first-history"
    desk.must("init", "--quiet", work.name, at=desk.state)
    for change in sample.HISTORY:
        commit(desk, work, change)
    desk.must("push", "--quiet", str(desk.upstream), "main", at=work)
    remove(work)
    _install_hook(desk)


def commit(desk: Desk, work: Path, change: sample.Change) -> None:
    """Write the files of a sample change into a work tree and commit them in its author's name."""
    for path, text in change.files.items():
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    desk.must("add", "--all", at=work)
    desk.must("commit", "--quiet", "-m", change.message, at=work, **identity(change))


def identity(change: sample.Change) -> dict[str, str]:
    """Return the variables that let git commit in the name and at the time of a sample change."""
    who = {"NAME": change.author.name, "EMAIL": change.author.email, "DATE": change.date}
    return {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}


def _install_hook(desk: Desk) -> None:
    hooks = desk.upstream / "hooks"
    hooks.mkdir(exist_ok=True)
    shutil.copyfile(ci.__file__, hooks / "ci.py")
    update = hooks / "update"
    update.write_text(
        _HOOK.format(python=shlex.quote(program.python())), encoding="utf-8", newline="\n"
    )
    update.chmod(0o755)


def _keep_aside(folder: Path) -> Path | None:
    if not folder.exists():
        return None
    aside = places.work_dir().resolve() / packing.KEPT_ASIDE
    aside.mkdir(parents=True, exist_ok=True)
    number = 1
    while (aside / f"{folder.name}-{number}").exists():
        number += 1
    return Path(shutil.move(folder, aside / f"{folder.name}-{number}"))


def remove(folder: Path) -> None:
    """Delete a folder that holds a repository."""
    for inner, _, names in os.walk(folder):
        for name in names:  # git writes its objects read-only, and Windows deletes no such file
            os.chmod(os.path.join(inner, name), 0o600)
    shutil.rmtree(folder)


def _split(command: str, what: str) -> list[str]:
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise PracticeError(f"This command cannot be read ({error}): {command}") from None
    if found and found[0] == what:
        raise PracticeError(f"Leave out the word {what}: it is the name of the function.")
    return found


def _print_difference(path: str, before: str, after: str) -> None:
    if before == after:
        print(f"{path} is as it was.")
        return
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    print(f"changed: {path}" if before else f"new: {path}")
    print("\n".join(list(lines)[3:]))
