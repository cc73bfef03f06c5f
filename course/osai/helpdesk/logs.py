"""Structured logs: a JSON object a line on standard error. They hold numbers and kinds, no message."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter


def set_up(level: str = "INFO") -> None:
    """Send the desk's log and the web server's to standard error, a JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            timestamp=True,
            json_ensure_ascii=False,
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
            rename_fields={"levelname": "level", "name": "logger"},
        )
    )
    for name in ("osai.helpdesk", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
    access = logging.getLogger("uvicorn.access")  # it would write addresses of visitors
    access.handlers, access.propagate = [], False
