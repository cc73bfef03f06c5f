"""Every conversation in a database: stored before it is answered, never twice, removed whole.

SQLite (write-ahead log, synchronous) by default; any other database that SQLAlchemy knows by its URL,
such as ``postgresql+psycopg://…`` where one machine is outgrown. Only this module talks to it.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from osai.helpdesk.schema import agents, conversations, messages, tickets

CUSTOMER, SHOP, AGENT = "customer", "shop", "agent"
OPEN, TAKEN, CLOSED = "open", "taken", "closed"
READING = "osai_reading"  # an option of connections that only read
POOL = {"pool_size": 20, "max_overflow": 100, "pool_timeout": 10}
BUSY_MS = 5000  # how long a statement waits for a locked SQLite file


class StoreError(RuntimeError):
    """The database cannot be used now; nothing of what was asked has been stored.

    The message is for whoever runs the desk: it may name the database. Customers get another.
    """


@dataclass(frozen=True)
class Stored:
    """A message as it is stored; ``waiting`` is true for a customer's that nobody has answered."""

    id: int
    conversation: int
    role: str
    text: str
    at: datetime
    waiting: bool
    reply_to: int | None
    intent: str | None
    facts: tuple[str, ...]
    handoff: bool
    source: str | None
    problems: tuple[str, ...]
    seconds: float | None


@dataclass(frozen=True)
class Ticket:
    """A hand-off: which message asked for a person, why, and who has it."""

    id: int
    conversation: int
    message: int
    reason: str
    state: str
    agent: str | None
    opened_at: datetime
    taken_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class Answer:
    """What is stored of a reply by the chatbot; the fields are those of ``chatbot.reply.Reply``."""

    text: str
    intent: str | None
    address: str | None
    facts: Sequence[str]
    handoff: bool
    source: str
    problems: Sequence[str]
    seconds: float


@dataclass(frozen=True)
class Removed:
    """What was deleted of a customer."""

    conversations: int
    messages: int
    tickets: int


class Store:
    """The database of a help desk. Every method is one transaction and may be called from any thread.

    Raises StoreError where the database is full, locked or gone.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with self._errors():
            self.engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True, **POOL)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        with self._errors():
            self._upgrade()

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option(
            "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
        )
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (SQLAlchemyError, CommandError, ImportError, OSError, sqlite3.Error) as error:
            said = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
            said = said.splitlines()[0]
            raise StoreError(f"The database cannot be used now ({said}).") from error

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        with self._errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._errors(), self.engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    # Customers

    def open(self, shop: str, channel: str = "page") -> tuple[int, str]:
        """Open a conversation; returns its number and the customer's secret session id."""
        session = secrets.token_urlsafe(32)
        with self._begin() as connection:
            row = connection.execute(
                sa.insert(conversations).values(
                    session_sha256=_sha256(session), shop=shop, channel=channel, opened_at=_now()
                )
            )
            return row.inserted_primary_key[0], session

    def conversation(self, session: str) -> int | None:
        """The conversation behind a session id, or None."""
        with self._read() as connection:
            return connection.scalar(
                sa.select(conversations.c.id).where(
                    conversations.c.session_sha256 == _sha256(session)
                )
            )

    def say(self, conversation: int, text: str, key: str | None = None) -> Stored:
        """Store a customer's message; with the same ``key`` again it returns the one stored before."""
        try:
            with self._begin() as connection:
                return self._add(connection, conversation, CUSTOMER, text, key=key, waiting=True)
        except IntegrityError:
            with self._begin() as connection:
                row = connection.execute(
                    sa.select(messages).where(
                        messages.c.conversation_id == conversation, messages.c.key == key
                    )
                ).one_or_none()
            if row is None:
                raise StoreError("The conversation is no longer there.") from None
            return _stored(row)

    def recall(self, conversation: int, turns: Sequence[tuple[str, str]]) -> None:
        """Store turns, role and text, that were said elsewhere before; nobody answers them."""
        with self._begin() as connection:
            for role, text in turns:
                self._add(connection, conversation, role, text)

    def answer(self, message: int, answer: Answer) -> Stored | None:
        """Store the chatbot's reply to a message, and a ticket where it hands over; once.

        Returns the reply that stands: the one stored before if there is one, None if the message has been
        deleted or a person has answered in the meantime.
        """
        try:
            with self._begin() as connection:
                asked = connection.execute(
                    sa.select(messages).where(messages.c.id == message)
                ).one_or_none()
                if asked is None or not asked.waiting:
                    return self._reply(connection, message)
                if self._taken(connection, asked.conversation_id):
                    return None
                reply = self._add(
                    connection,
                    asked.conversation_id,
                    SHOP,
                    answer.text,
                    reply_to=message,
                    intent=answer.intent,
                    address=answer.address,
                    facts=list(answer.facts),
                    handoff=answer.handoff,
                    source=answer.source,
                    problems=list(answer.problems),
                    seconds=answer.seconds,
                )
                _answered(connection, message)
                if answer.handoff:
                    reason = answer.intent or "no model"
                    self._open_ticket(connection, asked.conversation_id, message, reason)
                return reply
        except IntegrityError:  # another process was quicker, or the customer has deleted all
            return self.reply(message)

    def reply(self, message: int) -> Stored | None:
        """The reply to a message, or None."""
        with self._read() as connection:
            return self._reply(connection, message)

    def _reply(self, connection: sa.Connection, message: int) -> Stored | None:
        row = connection.execute(
            sa.select(messages).where(messages.c.reply_to == message)
        ).one_or_none()
        return None if row is None else _stored(row)

    def turns(self, conversation: int, after: int = 0, most: int = 500) -> list[Stored]:
        """The last messages of a conversation with a number above ``after``, oldest first."""
        with self._read() as connection:
            rows = connection.execute(
                sa.select(messages)
                .where(messages.c.conversation_id == conversation, messages.c.id > after)
                .order_by(messages.c.id.desc())
                .limit(most)
            ).all()
        return [_stored(row) for row in reversed(rows)]

    def waiting(self) -> list[Stored]:
        """Customers' messages that nobody has answered, oldest first, unless a person has taken over."""
        taken = sa.select(tickets.c.conversation_id).where(tickets.c.state == TAKEN)
        with self._read() as connection:
            rows = connection.execute(
                sa.select(messages)
                .where(messages.c.waiting, messages.c.conversation_id.not_in(taken))
                .order_by(messages.c.id)
            ).all()
        return [_stored(row) for row in rows]

    def delete(self, conversation: int) -> Removed:
        """Remove a conversation with its messages and tickets, also from SQLite's log; say what it was."""
        with self._begin() as connection:
            found = {
                table.name: connection.scalar(
                    sa.select(sa.func.count())
                    .select_from(table)
                    .where(table.c.conversation_id == conversation)
                )
                for table in (tickets, messages)
            }
            gone = connection.execute(
                sa.delete(conversations).where(conversations.c.id == conversation)
            ).rowcount  # the others go with it
        self._empty_log()
        return Removed(gone, found["messages"], found["tickets"])

    def _empty_log(self) -> None:
        if self.engine.dialect.name != "sqlite":
            return
        with self._errors():
            pooled = self.engine.raw_connection()
            connection = pooled.driver_connection
            try:
                connection.execute("PRAGMA busy_timeout = 0")
                for _ in range(100):  # a reader may hold the log for a moment
                    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if not busy:
                        return
                    time.sleep(0.02)
                raise StoreError("The rows are deleted, but SQLite's log is in use; try once more.")
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                pooled.close()

    # Agents

    def add_agent(self, name: str) -> str:
        """Make an agent, or a new token for one; returns the token, which is stored only as a hash."""
        token = secrets.token_urlsafe(32)
        with self._begin() as connection:
            known = connection.scalar(sa.select(agents.c.id).where(agents.c.name == name))
            values = {"token_sha256": _sha256(token), "made_at": _now()}
            if known is None:
                connection.execute(sa.insert(agents).values(name=name, **values))
            else:
                connection.execute(sa.update(agents).where(agents.c.id == known).values(**values))
        return token

    def has_agents(self) -> bool:
        """Whether any agent has been made."""
        with self._read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(agents)) > 0

    def agent(self, token: str) -> str | None:
        """The name of the agent with this token, or None."""
        with self._read() as connection:
            return connection.scalar(
                sa.select(agents.c.name).where(agents.c.token_sha256 == _sha256(token))
            )

    def tickets(self, states: Sequence[str] = (OPEN, TAKEN), most: int = 200) -> list[Ticket]:
        """Tickets in these states, oldest first."""
        with self._read() as connection:
            rows = connection.execute(
                sa.select(tickets)
                .where(tickets.c.state.in_(states))
                .order_by(tickets.c.id)
                .limit(most)
            ).all()
        return [_ticket(row) for row in rows]

    def ticket(self, ticket: int) -> Ticket | None:
        """A ticket by its number, or None."""
        with self._read() as connection:
            row = connection.execute(sa.select(tickets).where(tickets.c.id == ticket)).one_or_none()
        return None if row is None else _ticket(row)

    def taken(self, conversation: int) -> bool:
        """Whether a person has this conversation, so that the chatbot keeps silent."""
        with self._read() as connection:
            return self._taken(connection, conversation)

    def _taken(self, connection: sa.Connection, conversation: int) -> bool:
        mine = sa.select(tickets.c.id).where(
            tickets.c.conversation_id == conversation, tickets.c.state == TAKEN
        )
        return connection.scalar(mine.limit(1)) is not None

    def take(self, ticket: int, agent: str) -> bool:
        """Give an open ticket to an agent; false if another has it or it is closed."""
        with self._begin() as connection:
            done = connection.execute(
                sa.update(tickets)
                .where(
                    tickets.c.id == ticket,
                    sa.or_(
                        tickets.c.state == OPEN,
                        sa.and_(tickets.c.state == TAKEN, tickets.c.agent == agent),
                    ),
                )
                .values(
                    state=TAKEN,
                    agent=agent,
                    taken_at=sa.func.coalesce(tickets.c.taken_at, _now()),
                )
            )
            return done.rowcount == 1

    def answer_as(
        self, ticket: int, agent: str, text: str, key: str | None = None
    ) -> Stored | None:
        """Store an agent's answer to the customer of a ticket that they have; None if they have it not."""
        try:
            with self._begin() as connection:
                row = connection.execute(
                    sa.select(tickets).where(
                        tickets.c.id == ticket,
                        tickets.c.state == TAKEN,
                        tickets.c.agent == agent,
                    )
                ).one_or_none()
                if row is None:
                    return None
                connection.execute(
                    sa.update(messages)
                    .where(messages.c.conversation_id == row.conversation_id, messages.c.waiting)
                    .values(waiting=False)
                )
                return self._add(connection, row.conversation_id, AGENT, text, key=key)
        except IntegrityError:
            with self._begin() as connection:
                again = connection.execute(
                    sa.select(messages)
                    .join(tickets, tickets.c.conversation_id == messages.c.conversation_id)
                    .where(tickets.c.id == ticket, messages.c.key == key)
                ).one_or_none()
            return None if again is None else _stored(again)

    def close(self, ticket: int, agent: str, seen: int) -> bool:
        """Close a ticket that the agent has; False if they have it not.

        ``seen``: the last message that they have seen. What the customer wrote after it waits for the
        chatbot, which answers again from now on.
        """
        mine = sa.and_(tickets.c.id == ticket, tickets.c.state == TAKEN, tickets.c.agent == agent)
        with self._begin() as connection:
            conversation = connection.scalar(sa.select(tickets.c.conversation_id).where(mine))
            if conversation is None:
                return False
            connection.execute(
                sa.update(messages)
                .where(
                    messages.c.conversation_id == conversation,
                    messages.c.waiting,
                    messages.c.id <= seen,
                )
                .values(waiting=False)
            )
            connection.execute(
                sa.update(tickets).where(mine).values(state=CLOSED, closed_at=_now())
            )
            return True

    # Records

    def records(self, most: int = 50_000) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The newest messages and tickets as plain data, oldest first, for figures and exports."""
        with self._read() as connection:
            found = [
                connection.execute(sa.select(table).order_by(table.c.id.desc()).limit(most))
                .mappings()
                .all()
                for table in (messages, tickets)
            ]
        said, handed = ([dict(row) for row in reversed(rows)] for rows in found)
        return said, handed

    def check(self) -> None:
        """Write a row and remove it: is the database there, unlocked, with room? Raises StoreError."""
        with self._begin() as connection:
            row = connection.execute(
                sa.insert(agents).values(name="", token_sha256="", made_at=_now())
            )
            connection.execute(sa.delete(agents).where(agents.c.id == row.inserted_primary_key[0]))

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _add(
        self,
        connection: sa.Connection,
        conversation: int,
        role: str,
        text: str,
        waiting: bool = False,
        **more: Any,
    ) -> Stored:
        values = {
            "conversation_id": conversation,
            "role": role,
            "text": text,
            "at": _now(),
            "waiting": waiting,
            **more,
        }
        row = connection.execute(sa.insert(messages).values(values))
        return _stored(
            connection.execute(
                sa.select(messages).where(messages.c.id == row.inserted_primary_key[0])
            ).one()
        )

    def _open_ticket(
        self, connection: sa.Connection, conversation: int, message: int, reason: str
    ) -> None:
        known = connection.scalar(
            sa.select(tickets.c.id)
            .where(tickets.c.conversation_id == conversation, tickets.c.state != CLOSED)
            .limit(1)
        )
        if known is None:
            connection.execute(
                sa.insert(tickets).values(
                    conversation_id=conversation,
                    message_id=message,
                    reason=reason,
                    state=OPEN,
                    opened_at=_now(),
                )
            )


def _answered(connection: sa.Connection, message: int) -> None:
    connection.execute(sa.update(messages).where(messages.c.id == message).values(waiting=False))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event opens transactions instead
    for line in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        f"busy_timeout = {BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {line}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # To write, take the lock at once: a transaction that reads first and writes later can fail half-way.
    reading = connection.get_execution_options().get(READING)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _stored(row: Any) -> Stored:
    return Stored(
        id=row.id,
        conversation=row.conversation_id,
        role=row.role,
        text=row.text,
        at=_utc(row.at),
        waiting=row.waiting,
        reply_to=row.reply_to,
        intent=row.intent,
        facts=tuple(row.facts or ()),
        handoff=bool(row.handoff),
        source=row.source,
        problems=tuple(row.problems or ()),
        seconds=row.seconds,
    )


def _ticket(row: Any) -> Ticket:
    return Ticket(
        id=row.id,
        conversation=row.conversation_id,
        message=row.message_id,
        reason=row.reason,
        state=row.state,
        agent=row.agent,
        opened_at=_utc(row.opened_at),
        taken_at=_utc(row.taken_at),
        closed_at=_utc(row.closed_at),
    )


def _utc(when: datetime | None) -> Any:
    """SQLite forgets the time zone; everything is stored in UTC."""
    return when if when is None or when.tzinfo else when.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
