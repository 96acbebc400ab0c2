"""`icp-sync status` of many connections: one line each."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.settings import Each

HEADS = ("connection", "state", "mode", "profile", "behind", "held", "to look at")
NUMBERS = ("behind", "held")
SPARED = ("profile", "behind")
"""Columns that make room for the reason, in this order, where a terminal is too narrow for all."""
GAP = 3
LEAST = 12
"""Characters a reason is not cut below."""
CONFIGURATION = 2
"""Exit code of what cannot be used as it is written."""
UNBOUND = 200
"""Characters of a reason where lines may have any length."""


def several(config: Path | None, connection: str | None = None) -> Each | None:
    """The settings, where they have more than one connection, or where the one that is asked for cannot be
    used: a line is what is left to say of that."""
    from icp_sync.cli.opening import read_each

    try:
        each = read_each(config, offline=True, only=None if connection is None else [connection])
    except ConfigError as error:
        return _unusable(config, connection, error)
    return each if connection is None and len({*each.settings.connections, *each.broken}) > 1 else None


def _unusable(config: Path | None, connection: str | None, why: ConfigError) -> Each:
    """Raises what is everybody's fault, or does not say which connection it is about."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.settings import Each

    settings = read_settings(config, offline=True, only=())
    if connection is None and len(settings.names) != 1:
        raise why
    return Each(settings=settings, broken={settings.named(connection): tuple(why.problems)})


def show_fleet(each: Each, *, as_json: bool) -> None:
    """Every connection, what needs somebody first."""
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.fleet import fleet
    from icp_sync.reporting.running import who_runs
    from icp_sync.reporting.text import counted
    from icp_sync.wiring import open_journal

    settings = each.settings
    root = open_journal(settings, "")
    try:
        names = sorted({*settings.connections, *each.broken})
        found = fleet({name: root.for_connection(name) for name in names}, each.broken, time.time())
    finally:
        root.close()
    sqlite = settings.journal.startswith("sqlite:///")
    running = who_runs(Path(settings.journal.removeprefix("sqlite:///"))) if sqlite else None
    states = Counter(one["state"] for one in found)
    if as_json:
        document({"running": running, "states": dict(states), "connections": found})
        _refuse_broken(each, found)
        return
    screen = Screen.here()
    worker = "unknown (ask the database)" if running is None else running or "nobody"
    told = ", ".join(f"{state} {n}" for state, n in states.items())
    screen.say(f"{counted(len(found), 'connection')}: {told}; working on them now: {worker}")
    table(screen, found)
    worst = found[0]
    if len(found) == 1:
        for problem in each.broken.get(worst["connection"], ()):
            screen.say(f"{problem}", "red")
        screen.say(f"next: icp-sync check --connection {worst['connection']}")
        _refuse_broken(each, found)
    elif worst["state"] != "ok":
        screen.say(f"more of one: icp-sync status --connection {worst['connection']}")


def _refuse_broken(each: Each, found: list[dict[str, Any]]) -> None:
    """What was asked about alone cannot be used as it is written: that is told, and the exit code says so."""
    if len(found) == 1 and each.broken:
        raise typer.Exit(CONFIGURATION)


def table(screen: Screen, found: list[dict[str, Any]]) -> None:
    """A line each, whatever the width: the reason is cut to what is left of it."""
    rows = [dict(zip(HEADS, _row(one), strict=True)) for one in found]
    heads, room = list(HEADS), UNBOUND
    if screen.console is not None:
        spared = list(SPARED)
        while (room := _room(screen.console.width, heads, rows)) < LEAST and spared:
            heads.remove(spared.pop(0))
        room = max(LEAST, room)
    cut = [[*(row[head] for head in heads[:-1]), _cut(row[heads[-1]], room)] for row in rows]
    screen.table(heads, cut, right=[at for at, head in enumerate(heads) if head in NUMBERS])


def _room(width: int, heads: list[str], rows: list[dict[str, str]]) -> int:
    """Characters left for the last column."""
    return width - sum(max(len(head), *(len(row[head]) for row in rows)) + GAP for head in heads[:-1])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    from icp_sync.reporting.text import span

    profile = one["profile"]
    share = f" {profile['evaluated'] * 100 // profile['accounts']} %" if profile["accounts"] else ""
    return (
        one["connection"],
        one["state"],
        one["mode"],
        f"v{profile['version']}{share}" if profile["version"] else "none",
        "" if one["behind"] is None else span(max(0.0, one["behind"])),
        f"{one['held']:,}" if one["held"] else "",
        " ".join(one["why"].split()),
    )


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
