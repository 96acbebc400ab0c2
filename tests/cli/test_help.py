"""Help answers at once and names every command; every command is documented."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from icp_sync.cli.app import build
from tests.cli.conftest import command

HEAVY = ("sqlalchemy", "pydantic", "hubspot", "structlog", "prometheus_client", "requests", "ruamel", "rich")
ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "icp_sync/README.md")


def commands() -> Iterator[str]:
    """Every command a person can type, "profile check" among them."""
    root = typer.main.get_command(build())
    for name, found in sorted(root.commands.items()):  # type: ignore[attr-defined]
        inner = getattr(found, "commands", None)
        if inner is None:
            yield name
        else:
            yield from (f"{name} {below}" for below in sorted(inner))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from icp_sync.cli.app import build\n"
        "try: build()(['--help'])\n"
        f"finally: print('loaded:', [m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "loaded: []" in done.stdout


def test_help_names_every_command() -> None:
    shown = command("--help").stdout
    assert [name for name in commands() if name.split()[0] not in shown] == []


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_explains_itself(name: str) -> None:
    result = command(*name.split(), "--help")
    assert result.exit_code == 0
    assert f"Usage: icp-sync {name}" in result.stdout


def test_no_command_at_all_shows_help() -> None:
    assert "Commands:" in command().output


def test_the_version_is_the_packages() -> None:
    from icp_sync import __version__

    assert command("--version").stdout == f"icp-sync {__version__}\n"


def test_every_command_is_documented() -> None:
    prose = "\n".join((ROOT / name).read_text() for name in DOCUMENTS if (ROOT / name).exists())
    assert [name for name in commands() if f"icp-sync {name}" not in prose] == []
