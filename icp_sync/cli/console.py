"""`icp-sync console`: who may log in to the admin console, which `icp-sync run --console` serves."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from icp_sync.cli.options import AsJson
from icp_sync.errors import ConfigError, Problem

ROLES = ("viewer", "operator", "approver")
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")


def register(app: typer.Typer) -> None:
    family = typer.Typer(no_args_is_help=True, help="Who may log in to the admin console.")
    family.command()(password)
    family.callback()(_family)
    app.add_typer(family, name="console")


def _family() -> None:
    """Who may log in to the admin console."""


def password(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who logs in with it.")],
    role: Annotated[
        str, typer.Option("--role", metavar="viewer|operator|approver", help="What they may do.")
    ] = "viewer",
    as_json: AsJson = False,
) -> None:
    """Make a user of the console: asks for a password and prints the lines for the settings.

    Without a terminal the password is read from the first line of standard input.
    """
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.console.access import hashed

    _refuse(name, role)
    try:
        kept = hashed(_asked())
    except ValueError as error:
        raise ConfigError(
            [Problem(where="password", what=str(error))],
            next_step=f"icp-sync console password {name} --role {role}",
        ) from None
    if as_json:
        document({"name": name, "role": role, "password": kept})
        return
    screen = Screen.here()
    screen.say("Into the settings, and restart the worker:\n")
    key = f'"{name}"' if "." in name else name
    screen.say(f'[console.users.{key}]\nrole = "{role}"\npassword = "{kept}"')


def _refuse(name: str, role: str) -> None:
    problems = []
    if not _NAME.fullmatch(name):
        what = "is no name for a user: lower-case letters, digits, dots, dashes; at most 64"
        problems.append(Problem(where=f"'{name[:64]}'", what=what))
    if role not in ROLES:
        what = f"is none of {', '.join(ROLES)}"
        problems.append(Problem(where=f"--role '{role[:40]}'", what=what))
    if problems:
        raise ConfigError(problems, next_step="icp-sync console password ada --role operator")


def _asked() -> str:
    if not sys.stdin.isatty():
        try:
            return sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:  # whose words would quote a part of it
            raise ValueError("what came is no UTF-8 text") from None
    typed: str = typer.prompt("Password, at least 12 characters", hide_input=True, confirmation_prompt=True)
    return typed
