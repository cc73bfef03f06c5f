"""How much one visitor may ask: requests a minute, counted in this process.

Counting is done by the library ``limits`` (fixed windows). Behind a proxy all visitors may share an
address; the limits for an address are therefore wide, and those for a session narrow.
"""

from __future__ import annotations

import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

MESSAGES = parse("20/minute")  # of one session
OPENINGS = parse("120/minute")  # conversations from one address
WRONG_SECRETS = parse("10/minute")  # tokens or session ids, from one address


class Limits:
    """Counts by kind and visitor. ``scale`` widens all limits, for load tests on one machine."""

    def __init__(self, scale: int = 1) -> None:
        self._scale = scale
        self._counts = FixedWindowRateLimiter(MemoryStorage())

    def wait(self, limit: RateLimitItem, who: str) -> int:
        """Count one more; 0 if it is allowed, else the seconds until it is."""
        wide = type(limit)(limit.amount * self._scale, limit.multiples)
        if self._counts.hit(wide, who):
            return 0
        return max(1, round(self._counts.get_window_stats(wide, who).reset_time - time.time()))
