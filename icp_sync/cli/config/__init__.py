"""`icp-sync config`: settings as files, moved from one portal to another."""

from __future__ import annotations

import typer

from icp_sync.cli.config import promote


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="config",
        help="Move what was tried on one portal to another.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    promote.register(family)
    app.add_typer(family)


__all__ = ["register"]
