"""Errors that a student reads in a notebook as one line: what is wrong, where, what to do next."""

from __future__ import annotations


class PlainError(Exception):
    """An error whose message is for the person on the page; without a traceback, which would bury it."""

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this
        return [f"{type(self).__name__}: {self}"]
