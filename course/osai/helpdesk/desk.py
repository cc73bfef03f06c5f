"""The desk: it stores a customer's message, lets the chatbot answer, and calls a person where one is due.

One thread runs the model; what has come in while it was writing is answered together. When more wait than
it can answer soon, fixed words with the same facts are sent instead, so that nobody waits for minutes. The database is the
truth about what waits: what was stored and not answered, whatever went wrong, is found there again, after a
few seconds or after the next start.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any

from osai.chatbot import address, templates
from osai.chatbot.conversations import Message
from osai.chatbot.facts import Found
from osai.chatbot.reply import Reply, Request, as_reply, clean, understand
from osai.chatbot.shops import Shop
from osai.helpdesk.store import AGENT, CUSTOMER, Answer, Store, Stored, StoreError

if TYPE_CHECKING:
    from osai.chatbot.systems import System

log = logging.getLogger("osai.helpdesk")
TOGETHER = 8  # messages that the model answers in one go
MOST_WAITING = 200  # more than these, and the desk asks customers to come back
MOST_FOR_THE_MODEL = (
    8  # more than these behind the ones in hand, and templates answer, which takes no time
)
SWEEP_SECONDS = 5.0  # how often the database is asked what still waits
MODEL_RETRY = (5.0, 300.0)  # shortest and longest pause between attempts to load a model
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
        self._load_again = 0.0
        self._pause = MODEL_RETRY[0]
        self._queue: queue.Queue[int | None] = queue.Queue()
        self._lock = threading.Lock()
        self._in_hand: set[int] = set()
        self._futures: dict[int, list[Future[Stored | None]]] = {}
        self._stopping = threading.Event()
        self._worker: threading.Thread | None = None

    def __enter__(self) -> Desk:
        self._stopping.clear()
        self._sweep()
        self._worker = threading.Thread(target=self._work, name="chatbot", daemon=True)
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
    def working(self) -> bool:
        """Whether the thread that answers is alive."""
        return self._worker is not None and self._worker.is_alive()

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
        with self._lock:
            self._futures.setdefault(message.id, []).append(future)
        try:
            if not message.waiting or self.store.taken(conversation):
                self._settle([message.id], self.store.reply)
                return message, future
        except StoreError:  # it is stored: the worker will see what is to be done
            log.warning("stored, but the database cannot be read")
        self._take(message.id)
        return message, future

    def _take(self, message: int) -> None:
        with self._lock:
            if message in self._in_hand:
                return
            self._in_hand.add(message)
        self._queue.put(message)

    def _sweep(self) -> None:
        """Take every message that waits in the database."""
        try:
            for message in self.store.waiting():
                self._take(message.id)
        except StoreError as error:
            log.error("the database cannot be read", extra={"reason": str(error)})

    # The model's thread

    def _work(self) -> None:
        self._try_to_load()
        while True:
            chosen = self._next()
            if chosen is None:
                return
            if not chosen:
                self._sweep()
                continue
            if self._system is None and time.monotonic() > self._load_again:
                self._try_to_load()
            try:
                self._answer(chosen)
            except (
                BaseException
            ):  # also a panic of a library in Rust: the next customer must be served
                log.exception("answering failed")
                for one in chosen:
                    self._give_up(one)
            finally:
                with self._lock:
                    self._in_hand.difference_update(chosen)
                self._settle(chosen, self.store.reply)  # whoever still waits: "not yet"

    def _next(self) -> list[int] | None:
        """The messages to answer now; none where it is time to sweep, None where it is time to end."""
        chosen: list[int] = []
        while len(chosen) < TOGETHER:
            try:
                one = self._queue.get_nowait() if chosen else self._queue.get(timeout=SWEEP_SECONDS)
            except queue.Empty:
                break
            if one is not None:
                chosen.append(one)
            elif chosen or not self._queue.empty():
                self._queue.put(None)  # the last word, once everything before it is answered
                if chosen:
                    break
            elif self._stopping.is_set():
                return None
        return chosen

    def _try_to_load(self) -> None:
        try:
            self._system = self._load()
            self.failed = None
        except BaseException as error:  # a missing or broken model must not close the desk
            self.failed = f"{type(error).__name__}: {error}"
            log.error("no model", extra={"reason": self.failed})
            self._load_again = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, MODEL_RETRY[1])
        self.ready.set()

    def _answer(self, chosen: Sequence[int]) -> None:
        """Answer messages together. What cannot be stored stays waiting, and the next sweep finds it."""
        started = time.monotonic()
        try:
            waiting = {message.id: message for message in self.store.waiting()}
            asked = [waiting[i] for i in dict.fromkeys(chosen) if i in waiting]
            histories = [self._turns(message) for message in asked]
        except StoreError as error:
            log.error("the database cannot be read", extra={"reason": str(error)})
            return
        replies = self._replies(histories)
        seconds = time.monotonic() - started
        for message, reply in zip(asked, replies, strict=True):
            self._store(message, reply, seconds, len(asked))
        done = {message.id for message in asked}
        self._settle([i for i in chosen if i not in done], self.store.reply)

    def _store(self, message: Stored, reply: Reply, seconds: float, together: int) -> None:
        answer = Answer(
            reply.text, reply.intent or None, reply.address,
            [fact_text(self.shop, path) for path in reply.facts],
            reply.handoff, reply.source, reply.problems, seconds,
        )  # fmt: skip
        try:
            stored = self.store.answer(message.id, answer)
        except StoreError as error:
            log.error("an answer could not be stored", extra={"reason": str(error)})
            return
        log.info(
            "answered",
            extra={
                "asked": message.id, "intent": reply.intent, "handoff": reply.handoff,
                "source": reply.source, "problems": list(reply.problems),
                "seconds": round(seconds, 3), "together": together,
            },
        )  # fmt: skip
        self._settle([message.id], lambda _: stored)

    def _give_up(self, message: int) -> None:
        """Hand a message to a person that could not be answered in any other way."""
        try:
            for one in self.store.waiting():
                if one.id == message:
                    self._store(one, self._without_model(self._turns(one)), 0.0, 1)
        except Exception:
            log.exception("handing over failed")

    def _turns(self, message: Stored) -> list[Message]:
        return [
            Message("user" if turn.role == CUSTOMER else "assistant", turn.text)
            for turn in self.store.turns(message.conversation)
            if turn.id <= message.id or turn.role == AGENT
        ]

    def _replies(self, histories: Sequence[list[Message]]) -> list[Reply]:
        if not histories:
            return []
        if self._system is not None:
            requests = [(self.shop, turns) for turns in histories]
            try:
                if self._queue.qsize() > MOST_FOR_THE_MODEL:
                    return [_by_template(request) for request in requests]
                return self._system.replies(requests)
            except Exception:  # one bad message must not cost the others their reply
                log.exception("the chatbot failed on a batch")
                if len(histories) > 1:
                    return [reply for one in histories for reply in self._replies([one])]
        return [self._without_model(turns) for turns in histories]

    def _without_model(self, turns: list[Message]) -> Reply:
        words = [clean(turn.content) for turn in turns if turn.role == "user"]
        terms = address.of(words[-1], words[:-1])
        text = templates.answer(self.shop, Found("human", person=True), terms)
        return Reply(text, "", (), True, terms.customer, NO_MODEL, ("no model",))

    def _settle(self, chosen: Sequence[int], result: Callable[[int], Stored | None]) -> None:
        for i in dict.fromkeys(chosen):
            with self._lock:
                futures = self._futures.pop(i, [])
            if not futures:
                continue
            try:
                reply = result(i)
            except StoreError:
                reply = None
            for future in futures:
                with contextlib.suppress(InvalidStateError):  # nobody waits any more
                    future.set_result(reply)


def _by_template(request: Request) -> Reply:
    """A reply from the same facts in fixed words, for when more customers write than a model can answer."""
    one = understand(request)
    text = templates.answer(one.shop, one.found, one.terms)
    return as_reply(text, one, source="template", problems=("busy",))


def fact_text(shop: Shop, path: str) -> str:
    """A dotted path with what stands there in the shop's file: ``hotline: "1900 0011"``."""
    value: Any = shop.model_dump()
    try:
        for part in path.split("."):
            value = value[int(part)] if part.isdigit() else value[part]
    except (KeyError, IndexError, TypeError, ValueError):
        return path
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return path  # a whole table: the path says enough
    return f"{path}: {json.dumps(value, ensure_ascii=False, default=str)}"
