"""`icp-sync export`: what the journal knows, as files for other programs."""

from __future__ import annotations

import typer

from icp_sync.cli.export import evaluations


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="export",
        help="Write what is known to files, for spreadsheets, warehouses and notebooks.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    family.callback()(_family)
    family.command("evaluations")(evaluations.evaluations)
    app.add_typer(family)


def _family() -> None:
    """Write what is known to files, for spreadsheets, warehouses and notebooks."""
