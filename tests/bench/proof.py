"""``make proof``: what needs minutes of load, or harm done on purpose."""

from __future__ import annotations

import sys

from tests.bench.__main__ import run

PROOFS = ("helpdesk_load",)

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], PROOFS))
