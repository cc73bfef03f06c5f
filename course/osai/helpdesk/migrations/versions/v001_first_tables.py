"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision = None


def upgrade() -> None:
    """Make conversations, messages, tickets and agents."""
    when = sa.DateTime(timezone=True)
    op.create_table(
        "conversations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session_sha256", sa.String(64), nullable=False),
        sa.Column("shop", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("opened_at", when, nullable=False),
        sa.UniqueConstraint("session_sha256", name="uq_conversations_session_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(64)),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", when, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Column("reply_to", sa.Integer),
        sa.Column("intent", sa.String(40)),
        sa.Column("address", sa.String(20)),
        sa.Column("facts", sa.JSON),
        sa.Column("handoff", sa.Boolean),
        sa.Column("source", sa.String(20)),
        sa.Column("problems", sa.JSON),
        sa.Column("seconds", sa.Float),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_messages_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["reply_to"], ["messages.id"], name="fk_messages_reply_to", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("reply_to", name="uq_messages_reply_to"),
        sa.UniqueConstraint("conversation_id", "key", name="uq_messages_conversation_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_conversation_id_id", "messages", ["conversation_id", "id"])
    op.create_index("ix_messages_waiting", "messages", ["waiting"])
    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.Integer, nullable=False),
        sa.Column("message_id", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("agent", sa.String(100)),
        sa.Column("opened_at", when, nullable=False),
        sa.Column("taken_at", when),
        sa.Column("closed_at", when),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_tickets_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_tickets_message_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tickets_state_id", "tickets", ["state", "id"])
    op.create_index("ix_tickets_conversation_id", "tickets", ["conversation_id"])
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("made_at", when, nullable=False),
        sa.UniqueConstraint("name", name="uq_agents_name"),
        sa.UniqueConstraint("token_sha256", name="uq_agents_token_sha256"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Take everything away again."""
    for table in ("agents", "tickets", "messages", "conversations"):
        op.drop_table(table)
