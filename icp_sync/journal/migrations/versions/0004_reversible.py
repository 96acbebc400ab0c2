"""What it takes to hold, undo, hand over and account for changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("unechoed", "owed", "withdrawn", "former"):
        op.add_column("account", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("account", sa.Column("sent_at", sa.Double(), nullable=False, server_default="0"))
    op.add_column(
        "connection_state", sa.Column("backfill_state", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("connection_state", sa.Column("audit_end", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "hold",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("released_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account", "rule"),
    )
    op.create_index("hold_rule", "hold", ["connection", "rule", "since"], unique=False)
    op.create_table(
        "movement",
        sa.Column("seq", _SEQUENCE, primary_key=True),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
    )
    op.create_index("movement_at", "movement", ["connection", "at"], unique=False)
    op.create_table(
        "alert",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "name"),
    )
    op.create_table(
        "request",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "id"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", _SEQUENCE, primary_key=True),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
    )
    op.create_index("audit_connection", "audit", ["connection", "seq"], unique=False)
    op.create_table(
        "quota",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection"),
    )
