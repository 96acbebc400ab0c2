"""What people are told, what became of what they were given, how each day ended, and the views they use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _notice()
    _assignment()
    op.create_table(
        "daily",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "day"),
    )
    op.create_table(
        "view",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "key"),
    )
    op.create_index("run_started", "run", ["connection", "started_at"], unique=False)
    op.create_index("run_kind", "run", ["connection", "kind", "id"], unique=False)
    op.create_index("account_listed", "account", ["connection", "tier", "status", "id"], unique=False)
    op.add_column("movement", sa.Column("account", sa.String(), nullable=False, server_default=""))
    op.create_index("movement_account", "movement", ["connection", "account", "at"], unique=False)


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, nullable=False
        ),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due", sa.Double(), nullable=True),
        sa.Column("batch", sa.String(), nullable=False, server_default=""),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
    )
    op.create_index("notice_due", "notice", ["connection", "due"], unique=False)
    op.create_index("notice_subject", "notice", ["connection", "subject"], unique=False)
    op.create_index("notice_latest", "notice", ["connection", "seq"], unique=False)


def _assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("routed_at", sa.Double(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("rule", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=True),
        sa.Column("touched_at", sa.Double(), nullable=True),
        sa.Column("breached_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("how", sa.String(), nullable=False, server_default=""),
        sa.Column("action", sa.String(), nullable=False, server_default=""),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account", "routed_at"),
    )
    op.create_index("assignment_ended", "assignment", ["connection", "ended_at"], unique=False)
    op.create_index("assignment_routed", "assignment", ["connection", "routed_at"], unique=False)
