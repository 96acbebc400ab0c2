"""What it takes to buy facts within budgets: ages, jobs, sums that are quick, what sources are worth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _answers()
    _purchases()
    op.create_table(
        "tally",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("enricher", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "enricher", "fact", "segment"),
    )
    op.create_table(
        "vendor",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("enricher", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "enricher"),
    )
    _inbound()


def _answers() -> None:
    """Hits of before are recalled for as long as they were."""
    op.add_column("answer", sa.Column("until", sa.Double(), nullable=False, server_default="0"))
    op.add_column("answer", sa.Column("job", sa.Text(), nullable=False, server_default=""))
    op.add_column("answer", sa.Column("run", sa.String(), nullable=False, server_default=""))
    op.add_column("answer", sa.Column("ordered", sa.Double(), nullable=False, server_default="0"))
    op.execute("UPDATE answer SET until = expires_at WHERE state = 'hit'")


def _purchases() -> None:
    op.drop_index("purchase_key", "purchase")
    op.create_index("purchase_key", "purchase", ["connection", "key", "enricher", "open"], unique=False)
    op.create_index("purchase_run", "purchase", ["connection", "run", "enricher", "amount"], unique=False)
    op.create_table(
        "spending",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("enricher", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "enricher", "day"),
    )
    on_postgres = op.get_bind().dialect.name == "postgresql"
    day = "CAST(floor(at / 86400) AS INTEGER)" if on_postgres else "CAST(at / 86400 AS INTEGER)"
    op.execute(
        "INSERT INTO spending (connection, enricher, day, amount) "  # noqa: S608 - constants of ours
        f"SELECT connection, enricher, {day}, sum(amount) FROM purchase GROUP BY connection, enricher, {day}"
    )


def _inbound() -> None:
    op.create_table(
        "inbound_event",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("recent", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "source", "id"),
    )
    op.create_index("inbound_domain", "inbound_event", ["connection", "source", "domain", "at"], unique=False)
    op.create_index("inbound_until", "inbound_event", ["connection", "until"], unique=False)
    op.create_index("inbound_recent", "inbound_event", ["connection", "recent", "at"], unique=False)
