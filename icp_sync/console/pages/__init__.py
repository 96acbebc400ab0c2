"""The pages of a connection, one module each; every module has `routes()`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from icp_sync.console.pages import (
    account,
    accounts,
    audit,
    backfill,
    held,
    overview,
    plan,
    profile,
    runs,
    vendors,
)

_MODULES = (overview, accounts, account, runs, plan, held, backfill, vendors, profile, audit)


def routes() -> list[BaseRoute]:
    """Every page and action below a connection."""
    return [route for one in _MODULES for route in one.routes()]
