"""What stands against a move on the portal it would go to: people, fields, our own properties, the profile.

Everything is put together in a spare folder and looked at with the commands' own eyes. Writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icp_sync.cli.check.examination import ERROR, PROVISION, WARNING, Examination, Finding
from icp_sync.cli.config.sides import MOVES, leaves
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.config.sides import Moves, Side
    from icp_sync.domain.account import Owner
    from icp_sync.domain.profile import Profile
    from icp_sync.domain.roster import Tables
    from icp_sync.settings import Connection, Settings
    from icp_sync.wiring import Wired

SAMPLE = 300
"""Accounts whose values are looked at."""
SETTINGS = "icp-sync-settings.toml"
CONNECTIONS = "connections"


def staged(source: Side, target: Side, moves: Moves, folder: Path) -> tuple[Settings, Connection]:
    """The settings as they would be, with the moved files in `folder`. Raises ConfigError for what cannot be
    read so, or would not be what was moved."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.roster_file.loading import ABSENCES

    file, own = folder / SETTINGS, folder / CONNECTIONS / target.file.name
    own.parent.mkdir()
    (own if target.file != target.path else file).write_bytes(moves.text.encode("utf-8"))
    if target.file != target.path:
        file.write_bytes(target.path.read_bytes())
    settings = read_settings(file, offline=True, only=target.name, folder=own.parent)
    chosen = settings.connections[target.name]
    _refuse_shadowed(source, target, chosen)
    for move in moves.files:
        (folder / move.staged).parent.mkdir(parents=True, exist_ok=True)
        (folder / move.staged).write_bytes(move.content)
    absences = target.connection.tables_folder / ABSENCES
    if absences.exists():
        (folder / ABSENCES).write_bytes(absences.read_bytes())
    profiles = [folder / move.staged for move in moves.profiles[: len(moves.named)]]
    placed = {"profiles": profiles, "tables": folder, "enrichers": target.connection.enrichers}
    connection = chosen.model_copy(update=placed)
    usable = {"connections": {target.name: connection}, "seal_file": target.settings.seal_file}
    journal = target.settings.journal
    if journal.startswith("sqlite:///") and not Path(journal.removeprefix("sqlite:///")).exists():
        journal = f"sqlite:///{folder}/none-yet.sqlite"
    return settings.model_copy(update={**usable, "journal": journal}), connection


def _refuse_shadowed(source: Side, target: Side, then: Connection) -> None:
    """Raises ConfigError where something other than the two connections' files decides what would move."""
    problems = []
    for key in MOVES:
        meant, comes = leaves(source.connection, key), leaves(then, key)
        for name in dict.fromkeys([*meant, *comes]):
            if meant.get(name) != comes.get(name):
                where = f"connections.{target.name}.{name}"
                what = "is decided by the environment, a secret file or the defaults, whatever its file says"
                problems.append(Problem(where=where, what=what, hint="take it out there, then promote"))
    if problems:
        raise ConfigError(problems)


def look(source: Side, target: Side, moves: Moves, folder: Path) -> tuple[Examination, dict[str, Any]]:
    """Every finding, and what the move makes of the accounts: `profile` and `provision` of the report.

    Raises ConfigError where that cannot be told without migrating a journal.
    """
    _refuse_older(target)
    found, told = _looked(source, target, moves, folder)
    for name, file in _read_twice(target, moves):
        what = f"connection {name} reads it too: it changes for both"
        found.add(WARNING, "files", [Problem(where=str(file), what=what)])
    for move in moves.files:
        if move.state == "shared":
            what = "both sides read this one file: what is changed in it is changed for both"
            found.add(WARNING, "files", [Problem(where=str(move.target), what=what)])
    found.findings = [_at_source(finding, target, moves, folder) for finding in found.findings]
    return found, told


def _refuse_older(target: Side) -> None:
    """A look migrates nothing."""
    from icp_sync.journal.database import behind

    if older := behind(target.settings.journal):
        what = f"its schema is {older}, an older version's, and a look migrates nothing"
        hint = "upgrade first: back it up, then start this version's worker"
        where = f"the journal of {target.path}"
        raise ConfigError(
            [Problem(where=where, what=what, hint=hint)], next_step="icp-sync journal backup FILE"
        )


def _read_twice(target: Side, moves: Moves) -> Iterator[tuple[str, Path]]:
    """Other connections of the same settings, with the files of theirs that would change."""
    changing = {move.target.resolve() for move in moves.changing}
    for name, one in target.settings.connections.items():
        if name == target.name:
            continue
        files = {path.resolve() for path in one.profiles}
        for file in sorted(changing):
            if file in files or (file.suffix == ".csv" and file.parent == one.tables_folder.resolve()):
                yield name, file


def _at_source(finding: Finding, target: Side, moves: Moves, folder: Path) -> Finding:
    """What is wrong with a copy is wrong with the file it was made of."""
    from icp_sync.roster_file.loading import ABSENCES

    real = {str(move.staged): move.source for move in moves.files}
    real |= {SETTINGS: target.path, ABSENCES: target.connection.tables_folder / ABSENCES}
    real |= {f"{CONNECTIONS}/{target.file.name}": target.file}

    def told(text: str) -> str:
        for name, path in real.items():
            text = text.replace(str(folder / name), str(path))
        return text

    return replace(finding, where=told(finding.where), what=told(finding.what), next=told(finding.next))


def _looked(source: Side, target: Side, moves: Moves, folder: Path) -> tuple[Examination, dict[str, Any]]:
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import facts_of, tables_of, wire

    found = Examination(connection=target.name)
    told: dict[str, Any] = {"profile": None, "provision": []}
    read = found.attempt(
        "settings", lambda: staged(source, target, moves, folder), lambda _: "can be read as moved"
    )
    if read is None:
        return found, told
    settings, connection = read
    types = found.attempt("facts map", lambda: facts_of(connection)[1], lambda _: "can be read")
    if types is None:
        return found, told
    loaded = found.attempt(
        "profile", lambda: load_all(connection.profiles, types=types), lambda all_: f"{len(all_)} read"
    )
    if loaded is None:
        return found, told
    profiles = tuple(one.profile for one in loaded)
    tables = found.attempt("tables", lambda: tables_of(connection, profiles, types), lambda _: "read")
    wired = found.attempt("connection", lambda: wire(settings, target.name), lambda _: "wired")
    if wired is None:
        return found, told
    try:
        told["profile"] = found.attempt("accounts", lambda: _compared(settings, wired), lambda _: "")
        told["provision"] = _asked(found, wired, profiles, tables)
    finally:
        if callable(close := getattr(wired.crm, "close", None)):
            close()
        wired.journal.close()
    return found, told


def _asked(
    found: Examination, wired: Wired, profiles: tuple[Profile, ...], tables: Tables | None
) -> list[dict[str, str]]:
    """What the portal itself says: who it is, its people, its fields, and what provisioning would make."""
    from icp_sync.cli.facts.checks import examined

    identity = found.attempt("credentials", wired.crm.identity, lambda i: f"{wired.crm.kind} {i.id}")
    if identity is None:
        return []
    if not identity.production:
        what = f"{identity.id} is no production portal"
        found.add(WARNING, "credentials", [Problem(where=f"connection {wired.name}", what=what)])
    people = found.attempt("owners", wired.crm.owners, lambda o: f"{len(o)} in the CRM")
    if people is not None and tables is not None:
        for severity, problem in strangers(profiles, tables, people):
            found.add(severity, "owners", [problem])
    fields = found.attempt("fields", lambda: examined(wired, SAMPLE), lambda _: "")
    if fields is not None:
        found.findings += fields.findings
        found.exit_code = max(found.exit_code, fields.exit_code)
        found.passed.pop("fields")
    return _provisioned(found, wired, profiles)


def strangers(
    profiles: Sequence[Profile], tables: Tables, owners: Sequence[Owner]
) -> Iterator[tuple[str, Problem]]:
    """People that routes lead to and who can be given nothing there: severity and problem. A pool or route
    that is left with nobody is an error."""
    from icp_sync.cli.routes.ground import named_people

    known = {owner.email: owner.active for owner in owners}
    for email, named in sorted(named_people(profiles, tables, time.time()).items()):
        if not known.get(email):
            state = "is not active there" if email in known else "does not exist there"
            places = ", ".join(dict.fromkeys(named.places))
            what = f"{email} {state}, and is passed over"
            yield WARNING, Problem(where=places, what=what, hint="invite them, or name another")
    for profile in profiles:
        for pool in profile.pools.values():
            if not any(known.get(member.email) for member in pool.members):
                where = f"profile {profile.name}, pool {pool.name}"
                yield ERROR, Problem(where=where, what="nobody in it is an active owner there")
        for number, route in enumerate(profile.routes, start=1):
            if "@" in route.target.owner and not known.get(route.target.owner):
                where = f"profile {profile.name}, route {number}"
                what = f"leads to {route.target.owner} alone, who can be given nothing there"
                yield ERROR, Problem(where=where, what=what)


def _compared(settings: Settings, wired: Wired) -> Mapping[str, Any] | None:
    """What the moved profiles make of the accounts the journal knows, beside the active ones; without
    accounts, what differs between the two."""
    from icp_sync.cli.grounds import Grounds
    from icp_sync.reporting.rehearsal import compare

    here = Grounds(
        source="the journal",
        types=wired.types,
        settings=settings,
        connection=wired.settings,
        name=wired.name,
        opened=wired.journal,
    )
    if wired.journal.active() is None:
        return None
    after = here.profiles(wired.settings.profiles)
    version, before = here.active()
    return compare(here, before, after, version=version).to_json()


def _provisioned(found: Examination, wired: Wired, profiles: tuple[Profile, ...]) -> list[dict[str, str]]:
    """What provisioning would make there for the moved outputs and profiles."""
    steps = found.attempt(
        "outputs", lambda: wired.crm.provision(wired.blueprint(profiles), apply=False), lambda _: ""
    )
    told = [s for s in steps or () if s.kind.value not in ("keep", "note")]
    for step in told:
        if step.kind.value == "conflict":
            found.add(ERROR, "outputs", [Problem(where=step.what, what=step.detail or "is somebody else's")])
    missing = [step for step in told if step.kind.value in ("create", "add option")]
    if missing:
        what = f"{len(missing)} of our properties or options are not there yet"
        found.add(WARNING, "outputs", [Problem(where=missing[0].what, what=what, hint=PROVISION)])
    return [{"kind": step.kind.value, "what": step.what, "detail": step.detail} for step in told]
