"""A first contribution, practised on this computer with real git and without a network.

    from osai import practice

    desk = practice.start()            # three repositories in my-work/first-contribution/
    desk.git("clone --bare upstream.git fork.git")
    practice.check(desk, "fork")       # asked of the repositories themselves

`desk` runs git and Python, `checks` looks at each step, `maintainer` plays the people on the
other side, `history` counts for figures, `sample` holds the project with its bug, and `ci` is the
hook that tests what is pushed.
"""

from osai.practice.checks import STEPS, Checked, check
from osai.practice.desk import Desk, resume, start
from osai.practice.git import PracticeError
from osai.practice.history import diff_size, reformat, steps, where
from osai.practice.maintainer import Request, Review, merge, open_request, review, upstream_moves

__all__ = [
    "STEPS",
    "Checked",
    "Desk",
    "PracticeError",
    "Request",
    "Review",
    "check",
    "diff_size",
    "merge",
    "open_request",
    "reformat",
    "resume",
    "review",
    "start",
    "steps",
    "upstream_moves",
    "where",
]
