"""Which parent an account has, and which group it belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("parent", "group_key"):
        op.add_column("account", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.create_index("account_parent", "account", ["connection", "parent"], unique=False)
    op.create_index("account_group", "account", ["connection", "group_key"], unique=False)
