"""Numbers for Prometheus, of this process since it started."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from osai.helpdesk.desk import Desk
from osai.helpdesk.store import Stored

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters of a desk, in a registry of their own, so that two desks in a process do not mix."""

    def __init__(self, desk: Desk) -> None:
        self._registry = CollectorRegistry()
        self._messages = Counter(
            "osai_messages", "Customers' messages stored.", registry=self._registry
        )
        self._replies = Counter(
            "osai_replies",
            "Replies by who wrote them and whether they hand over.",
            ["source", "handoff"],
            registry=self._registry,
        )
        self._caught = Counter(
            "osai_replies_caught",
            "Replies of the model that a check did not let out.",
            ["check"],
            registry=self._registry,
        )
        self._refused = Counter(
            "osai_refused", "Requests refused.", ["reason"], registry=self._registry
        )
        self._seconds = Histogram(
            "osai_reply_seconds",
            "From a message stored to its reply stored.",
            registry=self._registry,
            buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64),
        )
        waiting = Gauge("osai_waiting", "Messages that wait now.", registry=self._registry)
        waiting.set_function(lambda: desk.waiting)
        ready = Gauge("osai_model_ready", "1 if a model answers.", registry=self._registry)
        ready.set_function(lambda: float(desk.ready.is_set() and desk.failed is None))

    def heard(self) -> None:
        """A message was stored."""
        self._messages.inc()

    def answered(self, asked: Stored, reply: Stored) -> None:
        """A reply was stored."""
        self._replies.labels(reply.source or "", str(reply.handoff).lower()).inc()
        self._seconds.observe((reply.at - asked.at).total_seconds())
        for check in reply.problems:
            self._caught.labels(check).inc()

    def refused(self, reason: str) -> None:
        """A request was refused."""
        self._refused.labels(reason).inc()

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)
