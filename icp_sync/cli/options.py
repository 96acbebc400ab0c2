"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="The settings file, instead of config/icp-sync.toml."),
]
ConnectionName = Annotated[
    str | None,
    typer.Option("--connection", metavar="NAME", help="Which connection, where there are several."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="FACT=VALUE", help="Only accounts this certainly holds for; repeatable."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after about so many accounts.")]
Account = Annotated[
    str, typer.Argument(metavar="ID|DOMAIN", help="A record id, a domain, or a company's whole name.")
]
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILES]…", help="Profile files; those of the settings when left out."),
]
