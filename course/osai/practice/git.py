"""Real git, kept apart from the student's own settings and from the course's own repository.

Every command runs with a settings file of ours, without the system's and the user's, without a
pager, an editor or a password prompt, in English, and never looks for a repository above the
practice folder: that folder lies inside the checkout of the course.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from osai.plain import PlainError

OLDEST = (2, 32)
"""First version that reads GIT_CONFIG_GLOBAL, June 2021 (git's release notes for 2.32)."""

SETTINGS = """\
[user]
\tname = {name}
\temail = {email}
[init]
\tdefaultBranch = main
\tdefaultObjectFormat = sha1
\tdefaultRefFormat = files
\ttemplateDir = {empty}
[core]
\tautocrlf = false
\tabbrev = 7
\tlongpaths = true
\tquotePath = false
[commit]
\tgpgSign = false
[merge]
\tconflictStyle = merge
[push]
\tdefault = simple
[pull]
\tff = only
[safe]
\tdirectory = *
\tbareRepository = all
[advice]
\tdetachedHead = false
"""


class PracticeError(PlainError, RuntimeError):
    """Something in the practice that cannot go on. The message says what to do next."""


@dataclasses.dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code, and what it said on both streams."""

    code: int
    said: str
    errors: str

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.code == 0


def version_of(text: str) -> tuple[int, ...]:
    """Return the numbers in what `git --version` says: "git version 2.39.5" gives (2, 39, 5)."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number) for number in found.groups() if number) if found else ()


@functools.cache
def program() -> str:
    """Return the path of git. Raises PracticeError if it is missing or too old."""
    wanted = ".".join(map(str, OLDEST))
    path = shutil.which("git")
    if path is None:
        raise PracticeError(
            f"This lesson needs the program git ({wanted} or newer), and this computer has none"
            " that it can find. Install it from https://git-scm.com/downloads (on Ubuntu: sudo"
            " apt install git; on macOS: xcode-select --install), restart JupyterLab, and run"
            " this cell again."
        )
    try:
        asked = subprocess.run(
            [path, "--version"], capture_output=True, encoding="utf-8", check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PracticeError(f"git was found, but it does not start: {error}.") from None
    said = asked.stdout
    if asked.returncode or not version_of(said):
        raise PracticeError(
            "git was found, but it does not say its version. On macOS that means that Apple's"
            " tools are not installed yet: type xcode-select --install in a terminal. Elsewhere"
            " install git again from https://git-scm.com/downloads. Then restart JupyterLab, and"
            " run this cell again."
        )
    if version_of(said) < OLDEST:
        raise PracticeError(
            f"This lesson needs git {wanted} or newer; here is {said.strip() or 'an unknown one'}."
            " Install a newer one from https://git-scm.com/downloads, restart JupyterLab, and run"
            " this cell again."
        )
    return path


def environment(root: Path, settings: Path, date: str, **more: str) -> dict[str, str]:
    """Return the variables for a command in the practice folder `root`.

    settings: the only settings file git reads. date: stands in each commit made ("2026-03-02
    09:00:00 +0700"), so that a commit gets the same hash on every computer.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for name in ("LANGUAGE", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONBREAKPOINT", "EDITOR", "VISUAL"):
        kept.pop(name, None)
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": str(root / "state" / "empty"),  # the user's git/ignore, git/attributes
        "GIT_CEILING_DIRECTORIES": os.pathsep.join((str(root), str(root.parent))),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": ":",
        "GIT_SEQUENCE_EDITOR": ":",
        "GIT_PAGER": "cat",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "LC_ALL": "C",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: str = "",
    timeout: float = 60,
) -> Done:
    """Run a program to its end and return what it said. Nothing is read from the terminal.

    Raises PracticeError if it does not start, or is not done after `timeout` seconds.
    """
    try:
        ended = subprocess.run(
            list(command),
            cwd=cwd,
            env=dict(env),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PracticeError(
            f"{Path(command[0]).name} was not done after {timeout:g} seconds and was stopped."
            " Is there a loop without an end, or a question that nobody answers?"
        ) from None
    except OSError as error:
        raise PracticeError(f"{Path(command[0]).name} cannot run here: {error}.") from None
    return Done(ended.returncode, ended.stdout, ended.stderr)


def tidy(text: str, root: Path) -> str:
    """Make output the same on every computer: short paths, no times, no hints, no progress.

    Paths inside `root` lose what stands before it; git's lines `hint: ...`, whose words change
    from version to version, are left out.
    """
    anyhow = re.IGNORECASE if os.name == "nt" else re.NOFLAG  # pdb on Windows writes c:\users
    for form in {str(root), root.as_posix()}:
        end = r"(?:[/\\]|(?=$|['\"\s]))"
        text = re.sub("(?:file://)?" + re.escape(form) + end, "", text, flags=anyhow)
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    text = re.sub(r"(could not apply [0-9a-f]+\.\.\.) # ", r"\1 ", text, flags=re.IGNORECASE)
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
    noise = re.compile(r"(remote: )?hint:|Rebasing \(\d+/\d+\)$")
    kept = [line for line in lines if not noise.match(line)]
    return re.sub(r"(Ran \d+ tests?) in [\d.]+s", r"\1", "\n".join(kept)).strip("\n")


def python() -> str:
    """Return the Python that runs this, in a form that the shell of git understands."""
    return Path(sys.executable).as_posix()
