"""The tables of the help desk. A change here needs a migration in ``migrations/versions``."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session_sha256", String(64), nullable=False, unique=True),
    Column("shop", String(200), nullable=False),
    Column("channel", String(20), nullable=False),  # page or api
    Column("opened_at", DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,  # a deleted row's number must not be the next customer's
)
messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(64)),  # the sender's own, so that one sent twice is stored once
    Column("role", String(10), nullable=False),  # customer, shop (the chatbot) or agent
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("waiting", Boolean, nullable=False),  # a customer's message that nobody has answered
    Column("reply_to", ForeignKey("messages.id", ondelete="CASCADE"), unique=True),
    Column("intent", String(40)),
    Column("address", String(20)),
    Column("facts", JSON),
    Column("handoff", Boolean),
    Column("source", String(20)),  # model, second try, template, or none where no model was there
    Column("problems", JSON),
    Column("seconds", Float),
    UniqueConstraint("conversation_id", "key"),
    Index(None, "conversation_id", "id"),
    Index(None, "waiting"),
    sqlite_autoincrement=True,
)
tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # open, taken or closed
    Column("agent", String(100)),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("taken_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Index(None, "state", "id"),
    Index(None, "conversation_id"),
    sqlite_autoincrement=True,
)
agents = Table(
    "agents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("made_at", DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,
)
