"""`icp-sync`: the commands put together. Knows their names, nothing of what they do."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from icp_sync.cli.exits import Guarded, finish
from icp_sync.cli.memory import keep_memory_flat

FAMILIES = (
    "demo",
    "init",
    "score",
    "check",
    "provision",
    "binding",
    "profile",
    "learn",
    "outcomes",
    "touches",
    "facts",
    "routes",
    "reassign",
    "plan",
    "apply",
    "approve",
    "mode",
    "run",
    "worker",
    "console",
    "health",
    "status",
    "pausing",
    "notices",
    "explain",
    "enrich",
    "vendors",
    "history",
    "lookalikes",
    "duplicates",
    "release",
    "undo",
    "retry",
    "audit",
    "export",
    "drift",
    "journal",
    "config",
    "simulator",
)
"""Modules of this package in the order help shows them; each has `register(app)`."""


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="icp-sync",
        cls=Guarded,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain help: no markup, no colour, and no rich to load
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110},
    )
    app.callback()(_root)
    for family in FAMILIES:
        import_module(f"icp_sync.cli.{family}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from icp_sync import __version__

        print(f"icp-sync {__version__}")
        raise typer.Exit


def _root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unforeseen error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keep one truth on every CRM account: how well it fits your ICP, why, and who should own it."""


def main() -> NoReturn:
    """Run the command line and exit with the code `exits` gives it."""
    keep_memory_flat()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? and no traceback
    code = 0
    try:
        build()()
    except KeyboardInterrupt:
        code = 130
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finish()
    sys.exit(code)
