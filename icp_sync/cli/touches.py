"""`icp-sync touches`: how soon people touch the accounts they are given, and how many they let lie."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from icp_sync.cli.rendering import Screen


def register(app: typer.Typer) -> None:
    app.command()(touches)


def touches(
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="Accounts given on or after this day; 30 days.")
    ] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Show by owner how soon they touched the accounts our routes gave them.

    Reads the journal only. A touch is a sales activity that the CRM knows of, or an opened deal.
    """
    from icp_sync.cli.moments import moment
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting import touches as reporting

    now = time.time()
    begin = moment(since, option="--since") if since else now - reporting.MONTH
    if begin > now:
        raise ConfigError([Problem(where="--since", what=f"{since} is not over yet")])
    with opened(config, connection, existing=True) as at:
        rows = reporting.touches(at.journal, begin)
        counts = reporting.touch_counts(at.journal, now)
    if as_json:
        document({"connection": at.name, "since": begin, "owners": rows, "now": counts})
    else:
        _show(Screen.here(), rows, counts, begin)


def _show(
    screen: Screen, rows: Sequence[Mapping[str, object]], counts: Mapping[str, object], begin: float
) -> None:
    from icp_sync.reporting.text import day

    screen.say(f"Accounts our routes gave since {day(begin)}", "bold")
    if not rows:
        screen.say("none. Owners are given in mode route: icp-sync mode route")
    else:
        heads = ["owner", "assigned", "touched", "median hours", "waiting", "ended otherwise", "breached"]
        names = ("owner", "assigned", "touched", "median_hours", "waiting", "ended", "breached")
        cells = [["" if row[name] is None else row[name] for name in names] for row in rows]
        screen.table(heads, cells, right=(1, 2, 3, 4, 5, 6))
    screen.say(f"waiting for a first touch: {counts['watched']}, of these too late: {counts['overdue']}")
