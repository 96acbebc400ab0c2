"""`icp-sync journal`: looking after what survives a restart."""

from __future__ import annotations

import typer

from icp_sync.cli.journal import backup, exporting, forget, moving, rebuild, restore, restored, verify


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="journal",
        help="Look after the journal: all that survives a restart.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for module in (verify, backup, restore, restored, moving, exporting, forget, rebuild):
        module.register(family)
    app.add_typer(family)
