"""Many portals, many workers: whose turn it is, ranges of a backfill, who works, who was paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
beside = "0008"  # programs of before know no schema but their own


def upgrade() -> None:
    op.add_column("connection_state", sa.Column("paused", sa.Text(), nullable=False, server_default=""))
    op.add_column("run", sa.Column("partition", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "turn",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("partition", sa.String(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("began_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("last_success", sa.Double(), nullable=True),
        sa.Column("waits_until", sa.Double(), nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("down_since", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "stream", "partition"),
    )
    op.create_table(
        "partition",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("partition", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("up_to", sa.String(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "stream", "partition"),
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("schema", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
    )
    op.create_table(
        "moved",
        sa.Column("mark", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
