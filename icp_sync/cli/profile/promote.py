"""`icp-sync profile promote`: activate what was learned, if it is proven on deals decided since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from icp_sync.cli.learn import Accounts, Columns, Currency, Deals, Join
from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.errors import UnsafePlanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from icp_sync.cli.profile.activation import Activated
    from icp_sync.cli.profile.proof import Source
    from icp_sync.domain.profile import Profile
    from icp_sync.learning.proof.proving import Proof
    from icp_sync.profile_file import Loaded
    from icp_sync.reporting.opened import Opened

Note = Annotated[str, typer.Option("--note", help="Why, for the list of versions.")]


def register(family: typer.Typer) -> None:
    family.command("promote")(promote)


def promote(
    files: Files = None,
    accounts: Accounts = None,
    deals: Deals = None,
    join: Join = None,
    columns: Columns = None,
    currency: Currency = "",
    note: Note = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also where it is not proven; the audit keeps why not.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Activate profiles that are proven on deals decided since they were learned.

    Refused with exit code 3 where they are not.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.cli.profile import activation
    from icp_sync.cli.profile.proof import Source
    from icp_sync.cli.rendering import Screen, document

    source = Source(
        config=config,
        connection=connection,
        accounts=accounts,
        deals=deals,
        join=join,
        columns=columns or (),
        currency=currency,
    )
    with opened(config, connection) as at:
        loaded = activation.ready(at, files)
        proven = not activation.is_active(at, loaded)
        if proven:
            done, told = _proven(at, loaded, source, Wanted(files, note, force, as_json))
        else:
            done, told = activation.make_active(at, loaded, note=note, what=activation.PROMOTED, who=""), {}
    if as_json:
        document({"promoted": proven, **told, **done.to_json()})
    else:
        activation.show(Screen.here(), done)


class Wanted(NamedTuple):
    """What the command was asked for beside its sources."""

    files: Sequence[Path] | None
    note: str
    force: bool
    as_json: bool


def _proven(
    at: Opened, loaded: Sequence[Loaded], source: Source, wanted: Wanted
) -> tuple[Activated, dict[str, Any]]:
    """Show how the profiles do, then activate them. Raises UnsafePlanError for a refusal."""
    from dataclasses import replace

    from icp_sync.cli.learn.cohorts import cohorts_json
    from icp_sync.cli.profile import proof
    from icp_sync.cli.rendering import Screen, document

    profiles = [one.profile for one in loaded]
    before, active = _active(at)
    book, definitions = proof.cases_of(source)
    found = proof.proven(profiles, active, book, definitions.goal)
    by = replace(definitions, goal=found.split.goal)
    told = {"cohorts": cohorts_json(book, by), **proof.to_json(profiles, found)}
    refused = not found.verdict.passed and not wanted.force
    if not wanted.as_json:
        proof.show(Screen.here(), profiles, found, reasons=not refused)
    elif refused:
        document({"promoted": False, **told})
    if refused:
        _noted(at, loaded, found)
        raise _refused(profiles, found)
    if _active(at)[0] != before:
        raise _overtaken(wanted.files)
    return _activated(at, loaded, found, wanted.note, before), told


def _active(at: Opened) -> tuple[int, Sequence[Profile]]:
    """The version in force, 0 for none, and its profiles."""
    from icp_sync.wiring import facts_of, parse_profiles

    active = at.journal.active()
    return (0, ()) if active is None else (active[0], parse_profiles(active[1], facts_of(at.connection)[1]))


def _activated(at: Opened, loaded: Sequence[Loaded], found: Proof, note: str, before: int) -> Activated:
    """Activate as `profile activate` does; the audit keeps the figures, and what was overruled."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.profile import activation, proof

    detail = {"before": before, **proof.audited(found), **activation.asked(loaded)}
    if not found.verdict.passed:
        detail |= {"forced": True, "overruled": list(found.verdict.reasons)}
    return activation.make_active(at, loaded, note=note, what=activation.PROMOTED, who=who(), **detail)


def _noted(at: Opened, loaded: Sequence[Loaded], found: Proof) -> None:
    """That it was refused, and why: whoever activates the same questions under another name is told."""
    import time

    from icp_sync.cli.acting import who
    from icp_sync.cli.profile import activation, proof

    at.journal.audit(
        activation.REFUSED,
        who=who(),
        now=time.time(),
        files=[one.path.name for one in loaded],
        reasons=list(found.verdict.reasons),
        **proof.audited(found),
        **activation.asked(loaded),
    )


def _overtaken(files: Sequence[Path] | None) -> UnsafePlanError:
    from icp_sync.cli.profile.activation import command

    message = "another version became active while this one was proven against the last; nothing was changed"
    return UnsafePlanError(message, next_step=command("promote", files))


def _refused(profiles: Sequence[Profile], found: Proof) -> UnsafePlanError:
    from icp_sync.cli.profile.proof import LATER, ended

    names = ", ".join(profile.name for profile in profiles)
    why = "; ".join(found.verdict.reasons)
    message = ended(f"{names} is not promoted, and nothing was changed: {why}") + f" {found.verdict.enough}"
    later = "icp-sync learn, for another profile" if found.verdict.hopeless else LATER
    return UnsafePlanError(message, next_step=f"{found.verdict.vouch or later}; or repeat with --force")
