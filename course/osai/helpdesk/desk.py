"""The desk: it stores a customer's message, lets the chatbot answer, and calls a person where one is due.

One thread runs the model; what has come in while it was writing is answered together. What was stored and
not answered when the program ended, however it ended, is answered after the next start.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING

from osai.chatbot import address, templates
from osai.chatbot.conversations import Message
from osai.chatbot.facts import Found
from osai.chatbot.shops import Shop
from osai.helpdesk.store import AGENT, CUSTOMER, Answer, Store, Stored, StoreError

if TYPE_CHECKING:
    from osai.chatbot.reply import Reply
    from osai.chatbot.systems import System

log = logging.getLogger("osai.helpdesk")
TOGETHER = 8  # messages that the model answers in one go
MOST_WAITING = 200  # more than these, and the desk asks customers to come back
RETRY_SECONDS = 5.0  # between attempts to store an answer, or to load a model
NO_MODEL = "none"  # the source of an answer that no model and no template of a topic wrote


class Busy(RuntimeError):
    """Too many messages wait; nothing was stored. ``seconds``: when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many messages wait. Try again in {seconds} seconds.")
        self.seconds = seconds


class Desk:
    """A shop's desk. ``load`` makes the system that replies; it may take long, or fail.

    While there is no system, messages are taken and handed to people. Use as a context manager.
    """

    def __init__(self, store: Store, shop: Shop, load: Callable[[], System]) -> None:
        self.store = store
        self.shop = shop
        self.ready = threading.Event()
        self.failed: str | None = None
        self._load = load
        self._system: System | None = None
        self._queue: queue.Queue[int | None] = queue.Queue()
        self._lock = threading.Lock()
        self._futures: dict[int, list[Future[Stored | None]]] = {}
        self._stopping = threading.Event()
        self._worker: threading.Thread | None = None

    def __enter__(self) -> Desk:
        self._stopping.clear()
        self._worker = threading.Thread(target=self._work, name="chatbot", daemon=True)
        for message in self.store.waiting():
            self._queue.put(message.id)
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, seconds: float = 30.0) -> None:
        """Answer what has been taken, then stop; what is not answered in time stays stored."""
        self._stopping.set()
        self._queue.put(None)
        if self._worker is not None:
            self._worker.join(seconds)

    @property
    def stopping(self) -> bool:
        """Whether new messages are refused because the desk closes."""
        return self._stopping.is_set()

    @property
    def waiting(self) -> int:
        """How many messages wait for the chatbot."""
        return self._queue.qsize()

    def say(
        self, conversation: int, text: str, key: str | None = None
    ) -> tuple[Stored, Future[Stored | None]]:
        """Store a customer's message; returns it, and the reply to come.

        The future's result is None where a person has the conversation. Raises Busy before anything is stored,
        StoreError where it cannot be.
        """
        if self._stopping.is_set() or self._queue.qsize() >= MOST_WAITING:
            raise Busy(5)
        message = self.store.say(conversation, text, key)
        future: Future[Stored | None] = Future()
        if not message.waiting or self.store.taken(conversation):
            future.set_result(self.store.reply(message.id))
            return message, future
        with self._lock:
            known = message.id in self._futures
            self._futures.setdefault(message.id, []).append(future)
        if not known:
            self._queue.put(message.id)
        return message, future

    # The model's thread

    def _work(self) -> None:
        self._try_to_load()
        tried = time.monotonic()
        while True:
            first = self._queue.get()
            if first is None:
                if self._stopping.is_set() and self._queue.empty():
                    return
                self._queue.put(None)
                continue
            if self._system is None and time.monotonic() - tried > RETRY_SECONDS:
                self._try_to_load()
                tried = time.monotonic()
            chosen = [first]
            while len(chosen) < TOGETHER:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    self._queue.put(None)
                    break
                chosen.append(more)
            try:
                self._answer(chosen)
            except StoreError as error:
                log.error("answers not stored", extra={"reason": str(error)})
                self._later(chosen)
            except Exception:  # whatever it is, the next customer must be served
                log.exception("answering failed")
                self._settle(chosen, lambda _: None)

    def _try_to_load(self) -> None:
        try:
            self._system = self._load()
            self.failed = None
        except Exception as error:  # a missing or broken model must not close the desk
            self.failed = f"{type(error).__name__}: {error}"
            log.error("no model", extra={"reason": self.failed})
        self.ready.set()

    def _later(self, chosen: Sequence[int]) -> None:
        """Try again to answer, unless the desk closes: then the next start does."""
        if not self._stopping.is_set():
            timer = threading.Timer(RETRY_SECONDS, lambda: [self._queue.put(i) for i in chosen])
            timer.daemon = True
            timer.start()
        else:
            self._settle(chosen, lambda _: None)

    def _answer(self, chosen: Sequence[int]) -> None:
        started = time.monotonic()
        waiting = {message.id: message for message in self.store.waiting()}
        asked = [waiting[i] for i in dict.fromkeys(chosen) if i in waiting]
        histories = [self._turns(message) for message in asked]
        replies = self._replies(histories)
        seconds = time.monotonic() - started
        found: dict[int, Stored | None] = {}
        for message, reply in zip(asked, replies, strict=True):
            found[message.id] = self.store.answer(
                message.id,
                Answer(
                    reply.text, reply.intent or None, reply.address, reply.facts, reply.handoff,
                    reply.source, reply.problems, seconds,
                ),
            )  # fmt: skip
            log.info(
                "answered",
                extra={
                    "asked": message.id, "intent": reply.intent, "handoff": reply.handoff,
                    "source": reply.source, "problems": list(reply.problems),
                    "seconds": round(seconds, 3), "together": len(asked),
                },
            )  # fmt: skip
        self._settle(chosen, lambda i: found.get(i) or self.store.reply(i))

    def _turns(self, message: Stored) -> list[Message]:
        roles = {CUSTOMER: "user"}
        return [
            Message(roles.get(turn.role, "assistant"), turn.text)
            for turn in self.store.turns(message.conversation)
            if turn.id <= message.id or turn.role == AGENT
        ]

    def _replies(self, histories: Sequence[list[Message]]) -> list[Reply]:
        if not histories:
            return []
        if self._system is not None:
            requests = [(self.shop, turns) for turns in histories]
            try:
                return self._system.replies(requests)
            except Exception:  # one bad message must not cost the others their reply
                log.exception("the chatbot failed on a batch")
                if len(histories) > 1:
                    return [reply for one in histories for reply in self._replies([one])]
        return [self._without_model(turns) for turns in histories]

    def _without_model(self, turns: list[Message]) -> Reply:
        from osai.chatbot.reply import Reply, clean

        words = [clean(turn.content) for turn in turns if turn.role == "user"]
        terms = address.of(words[-1], words[:-1])
        text = templates.answer(self.shop, Found("human", person=True), terms)
        return Reply(text, "", (), True, terms.customer, NO_MODEL, ("no model",))

    def _settle(self, chosen: Sequence[int], result: Callable[[int], Stored | None]) -> None:
        for i in dict.fromkeys(chosen):
            with self._lock:
                futures = self._futures.pop(i, [])
            if futures:
                reply = result(i)
                for future in futures:
                    with contextlib.suppress(InvalidStateError):  # nobody waits any more
                        future.set_result(reply)
