"""`icp-sync check`: everything that is wrong with a connection, at once, each with what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.check.examination import ERROR, PROVISION, WARNING, Examination, Finding
from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.profile import Profile
    from icp_sync.domain.roster import Tables
    from icp_sync.journal import Journal
    from icp_sync.ports import Enricher
    from icp_sync.settings import Connection, Settings
    from icp_sync.wiring import Wired


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Settle what the vendor leaves open, on one scratch record."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --probe: begin without asking.")] = False,
    yes_production: Annotated[
        bool, typer.Option("--yes-production", help="With --probe: also where people work, without asking.")
    ] = False,
    provoke: Annotated[
        bool, typer.Option("--provoke", help="With --probe, HubSpot: run into the search limit once.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Find every problem with a connection at once; changes nothing.

    With --probe instead: about thirty calls on a record of its own, removed again, that show which of our
    assumptions about the CRM hold here.
    """
    from icp_sync.cli.rendering import Screen, document

    if probe:
        from icp_sync.cli.check import probe as probing

        probing.probe(
            config,
            connection,
            yes=yes,
            yes_production=yes_production,
            provoke=provoke,
            as_json=as_json,
        )
        return
    if yes or yes_production or provoke:
        raise ConfigError("--yes, --yes-production and --provoke go with --probe")
    found = examine(config, connection)
    if as_json:
        document(found.to_json())
    else:
        show(Screen.here(), found)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def examine(config: Path | None, connection: str | None) -> Examination:
    """Look at everything; what cannot be used is left out so that the rest is still looked at."""
    from icp_sync.cli.check import inbound, sources
    from icp_sync.cli.check.connected import look
    from icp_sync.cli.opening import read_settings

    found = Examination()
    settings = found.attempt("settings", lambda: read_settings(config, only=connection), lambda _: "read")
    if settings is None:
        return found
    found.add(WARNING, "settings", settings.exposed)
    chosen = found.attempt(
        "settings", lambda: settings.connection(connection), lambda c: f"connection {c[0]}"
    )
    if chosen is None:
        return found
    found.connection = chosen[0]
    with TemporaryDirectory(prefix="icp-sync-check-") as spare:
        wired = _usable(found, settings, chosen[1], Path(spare))
        if wired is not None:
            try:
                inbound.look(found, settings, wired)
                sources.look(found, wired)
                profiles = _profiles(found, wired)
                look(found, wired, profiles or ())
            finally:
                wired.journal.close()
    return found


def _usable(found: Examination, settings: Settings, chosen: Connection, spare: Path) -> Wired | None:
    """The connection wired from those parts that work; the others are left out, or made in `spare`."""
    from icp_sync.wiring import facts_of, open_journal, seal_key, wire

    name = found.connection
    without: dict[str, object] = {}
    instead: dict[str, object] = {}
    if (
        found.attempt("facts map", lambda: facts_of(chosen), lambda f: f"{len(f[0].properties)} fields")
        is None
    ):
        without |= {"facts": [], "custom_facts": {}}
    if found.attempt("enrichers", lambda: _enrichers(chosen, name), _names) is None:
        without |= {"enrichers": [], "enrichment": type(chosen.enrichment)()}
    path = settings.seal_file
    if found.attempt("seal", lambda: seal_key(path), lambda _: str(path)) is None:
        instead["seal_file"] = spare / "seal.key"
    journal = found.attempt(
        "journal", lambda: open_journal(settings, name), lambda _: "opens, schema current"
    )
    if journal is None:
        instead["journal"] = f"sqlite:///{spare}/journal.sqlite"
    _seal_file(found, path, journal)
    if journal is not None:
        journal.close()
    usable = settings.model_copy(update={**instead, "connections": {name: chosen.model_copy(update=without)}})
    return found.attempt("connection", lambda: wire(usable, name), lambda _: "wired")


def _enrichers(chosen: Connection, name: str) -> Sequence[Enricher]:
    """The enrichers, which the settings name in no order without having them."""
    from icp_sync.wiring import buying_of, enrichers_of

    loaded = enrichers_of(chosen, name)
    buying_of(chosen, loaded)
    return loaded


def _names(loaded: Sequence[Enricher]) -> str:
    return ", ".join(enricher.name for enricher in loaded) or "none"


def _tables(tables: Tables) -> str:
    from icp_sync.reporting.text import counted

    rows = sum(len(table.rows) for table in tables.territories.values())
    named = sum(len(listed.owners) for listed in tables.named.values())
    away = sum(map(len, tables.absences.values()))
    said = [(rows, "territory row"), (named, "named account"), (away, "absence")]
    return ", ".join(counted(n, what) for n, what in said if n) or "none needed"


def _seal_file(found: Examination, path: Path, journal: Journal | None) -> None:
    from icp_sync.sync.foreign import RESTORE

    if not path.exists():
        found.passed.pop("seal", None)
        if journal is not None and journal.ever_wrote():
            what = "the seal key is gone: our own values would look like people's"
            found.add(ERROR, "seal", [Problem(where=str(path), what=what, hint=RESTORE)])
        else:
            what = "not made yet: nothing can be written before"
            found.add(WARNING, "seal", [Problem(where=str(path), what=what, hint=PROVISION)])
    elif path.stat().st_mode & 0o077:
        what = "others on this machine may read the seal key"
        found.add(WARNING, "seal", [Problem(where=str(path), what=what, hint=f"chmod 600 {path}")])


def _profiles(found: Examination, wired: Wired) -> tuple[Profile, ...] | None:
    """The candidate files, with advice; and how they stand to the active version."""
    from datetime import UTC, datetime

    from icp_sync.profile_file import advice, load_all
    from icp_sync.wiring import sources_of, tables_of

    loaded = found.attempt(
        "profile",
        lambda: load_all(wired.settings.profiles, types=wired.types),
        lambda all_: ", ".join(one.profile.name for one in all_),
    )
    if loaded is None:
        return None
    profiles = tuple(one.profile for one in loaded)
    found.attempt("tables", lambda: tables_of(wired.settings, profiles, wired.types), _tables)
    tiers = wired.journal.tiers()
    counted = sum(tiers.values())
    warnings = advice(
        profiles,
        sources=sources_of(wired),
        in_scope_firm=tiers.get("A", 0) + tiers.get("B", 0) if counted else None,
        accounts=counted or None,
        today=datetime.now(UTC).date(),
    )
    found.add(WARNING, "profile", warnings)
    if "journal" not in found.passed:
        return profiles
    active = wired.journal.active()
    if active is None:
        problem = Problem(where="profile", what="none is active yet", hint="icp-sync profile activate")
        found.add(WARNING, "profile", [problem])
    elif active[1] != tuple((one.path.name, one.text) for one in loaded):
        what = f"the files differ from the active version {active[0]}, which is what evaluates"
        hint = "icp-sync profile plan, then icp-sync profile activate"
        found.add(WARNING, "profile", [Problem(where="profile", what=what, hint=hint)])
    return profiles


def show(screen: Screen, found: Examination) -> None:
    """What is fine in a line each, then the problems with the command that helps."""
    from icp_sync.reporting.text import counted

    for area, said in found.passed.items():
        screen.say(f"ok  {area}" + (f": {said}" if said else ""))
    if found.findings:
        screen.say()
        rows = [(f.severity, f.where, f.what, f.next) for f in collapsed(found.findings)]
        screen.table(["", "where", "what is wrong", "next"], rows)
    warnings = len(found.findings) - found.errors
    screen.say()
    screen.say(f"{counted(found.errors, 'error')}, {counted(warnings, 'warning')}.")


def collapsed(findings: list[Finding]) -> list[Finding]:
    """Findings that differ only in their place as one, errors first."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for f in sorted(findings, key=lambda f: f.severity != ERROR):
        groups.setdefault((f.severity, f.area, f.what, f.next), []).append(f.where)
    return [
        Finding(
            severity=severity,
            area=area,
            where=where[0] if len(where) == 1 else f"{where[0]} and {len(where) - 1} more",
            what=what,
            next=step,
        )
        for (severity, area, what, step), where in groups.items()
    ]
