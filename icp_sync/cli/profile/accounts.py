"""`icp-sync profile accounts`: the target account list, and audiences for ad platforms, as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from icp_sync.cli.grounds import Columns, Currency, On
from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.cli.output import STDOUT, Out, exactly, rows_to, unfit
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.profile.targets import Listing
    from icp_sync.cli.rendering import Screen

SHOWN = 20

Tiers = Annotated[
    str, typer.Option("--tier", metavar="A,B", help="Only these tiers or states, with commas between them.")
]
Lane = Annotated[str, typer.Option("--lane", help="Only this lane.")]


def register(family: typer.Typer) -> None:
    family.command("accounts")(accounts)


def accounts(
    files: Files = None,
    tier: Tiers = "",
    lane: Lane = "",
    audience: Annotated[
        Literal["include", "suppress"] | None,
        typer.Option("--audience", help="Name, domain and country only, for ad platforms."),
    ] = None,
    out: Out = None,
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """List target accounts, best first, or an audience to advertise to or to keep out."""
    from icp_sync.cli.grounds import grounds, nothing_there
    from icp_sync.cli.profile.targets import BEST, audience_list, tables_of, target_accounts
    from icp_sync.cli.rendering import Screen, document, note

    tiers = _tiers(tier)
    _refuse(lane, audience, tiers, out, on, as_json=as_json)
    with grounds(on, config, connection, columns=columns, currency=currency) as here:
        profiles = here.profiles(files)
        if audience is None:
            listing = target_accounts(here, profiles, tables_of(here, profiles, files), tiers, lane)
        else:
            listing = audience_list(here, profiles, audience, tiers or BEST)
        here.tell()
        if not listing.accounts:
            raise nothing_there(here.source)
    if out is not None:
        with rows_to(out) as stream:
            _rows(listing, stream)
    if as_json:
        document(listing.to_json(here.source))
    elif out == STDOUT:
        note(_counted(listing, here.source))
    else:
        show(Screen.here(), listing, here.source, out)


def _tiers(text: str) -> tuple[str, ...]:
    """ "A,b" → ("A", "B"). Raises ConfigError for what is neither a tier nor a state."""
    from icp_sync.domain.standing import STATES

    by_key = {state.casefold(): state for state in STATES}
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part.casefold() not in by_key]
    if unknown:
        hint = f"one of {', '.join(STATES)}"
        raise ConfigError(
            [
                Problem(where="--tier", what=f"'{part[:40]}' is neither a tier nor a state", hint=hint)
                for part in unknown
            ]
        )
    return tuple(dict.fromkeys(by_key[part.casefold()] for part in wanted))


def _refuse(
    lane: str, audience: str | None, tiers: Sequence[str], out: Path | None, on: Path | None, *, as_json: bool
) -> None:
    """Options that contradict each other, all at once."""
    from icp_sync.cli.profile.targets import AUDIENCE_HEADER, HEADER
    from icp_sync.domain.profile import LANES

    problems = []
    if lane and lane not in LANES:
        hint = f"one of {', '.join(LANES)}"
        problems.append(Problem(where="--lane", what=f"'{lane[:40]}' is no lane", hint=hint))
    if audience is not None and lane:
        problems.append(Problem(where="--lane", what="an audience has no lanes", hint="leave one out"))
    if audience == "suppress" and tiers:
        what = "who is kept out does not depend on tiers"
        problems.append(Problem(where="--tier", what=what, hint="leave it out with --audience suppress"))
    header = HEADER if audience is None else AUDIENCE_HEADER
    problems += unfit(out, exactly(header), on, as_json=as_json)
    if problems:
        raise ConfigError(problems)


def _rows(listing: Listing, stream: TextIO) -> None:
    from icp_sync.tables.writing import writer

    into = writer(stream, listing.header)
    for row in listing.rows:
        into.row(row)


def show(screen: Screen, listing: Listing, source: str, out: Path | None) -> None:
    """The first of them for people, and how many were left out and why."""
    from icp_sync.reporting.text import short

    wanted = [c for c in ("name", "domain", "country", "tier", "score", "certainty") if c in listing.header]
    at = [listing.header.index(c) for c in wanted]
    if listing.rows and not out:
        rows = [tuple(short(row[i], 32) for i in at) for row in listing.rows[:SHOWN]]
        screen.table(wanted, rows, right=[i for i, c in enumerate(wanted) if c == "score"])
        if len(listing.rows) > SHOWN:
            screen.say(f"and {len(listing.rows) - SHOWN:,} more")
    screen.say(_counted(listing, source, f", written to {out}" if out else ""))
    if listing.rows and not out:
        screen.say("next: the same with --out FILE.csv writes them all")


def _counted(listing: Listing, source: str, where: str = "") -> str:
    from icp_sync.reporting.text import counted

    lines = [f"{len(listing.rows):,} of {counted(listing.accounts, 'account')} in {source}{where}."]
    lines += [f"left out, {reason}: {n:,}" for reason, n in listing.left_out.most_common()]
    return "\n".join(lines)
