"""What was sold, and how its company stood when the deal began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "deal",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("closed_on", sa.String(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        *_stamp(),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("open_since", sa.Double(), nullable=True),
        sa.Column("gone_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "id"),
    )
    op.create_table(
        "watch",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("baseline_at", sa.Double(), nullable=True),
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.add_column("connection_state", sa.Column("history_since", sa.Double(), nullable=True))
    op.create_index("deal_account", "deal", ["connection", "account"], unique=False)
    op.create_index("deal_tier_of", "deal", ["connection", "tier_of"], unique=False)
    op.create_index("deal_created", "deal", ["connection", "created_at"], unique=False)
    op.create_index("deal_stamp", "deal", ["connection", "stamp", "created_at"], unique=False)


def _stamp() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("tier", sa.String(), nullable=False, server_default=""),
        sa.Column("tier_of", sa.String(), nullable=False, server_default=""),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("profile", sa.Text(), nullable=False, server_default=""),
        sa.Column("version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("stamp", sa.String(), nullable=False, server_default=""),
        sa.Column("stamped_at", sa.Double(), nullable=True),
        sa.Column("due", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
    )
