"""Which files a set of profiles needs, and all of them read with every problem at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from icp_sync.domain.facts import FactType
from icp_sync.domain.profile import NamedList, Profile
from icp_sync.domain.roster import Absence, Tables, Territories
from icp_sync.errors import ConfigError
from icp_sync.roster_file.people import read_absences, read_named
from icp_sync.roster_file.sheets import Findings, Sheet, read_bytes, read_sheet
from icp_sync.roster_file.territories import read_territories

ABSENCES = "absences.csv"
NEXT_STEP = "icp-sync routes check"


@dataclass(frozen=True, slots=True)
class Names:
    """The files a set of profiles names, each once, in order."""

    territories: tuple[str, ...]
    named: tuple[str, ...]


def table_names(profiles: Sequence[Profile]) -> Names:
    """Every table a route names; a list the profile itself holds needs no file."""
    targets = [(profile, route.target) for profile in profiles for route in profile.routes]
    return Names(
        territories=tuple(dict.fromkeys(t.territory for _, t in targets if t.territory)),
        named=tuple(dict.fromkeys(t.named for p, t in targets if t.named and t.named not in p.named)),
    )


def load_tables(
    folder: Path,
    profiles: Sequence[Profile],
    *,
    types: Mapping[str, FactType],
    currency: str,
    had_absences: bool = False,
) -> Tables:
    """Every table the profiles name, and `absences.csv` where it is there, from one folder.

    types: every fact's kind, for the columns that are facts. currency: ISO 4217, of amounts of money in
    the tables. had_absences: `absences.csv` was there before, so that it must not be missing now. Raises
    ConfigError with every problem of every file.
    """
    names = table_names(profiles)
    findings = Findings()
    digest = blake2b(digest_size=12)
    territories: dict[str, Territories] = {}
    named: dict[str, NamedList] = {}
    absences: dict[str, tuple[Absence, ...]] = {}
    for name in dict.fromkeys((*names.territories, *names.named)):
        sheet = _sheet(folder, name, findings, digest)
        if sheet is None:
            continue
        if name in names.territories:
            pools = [p.pools for p in profiles if any(r.target.territory == name for r in p.routes)]
            table = read_territories(sheet, pools=pools, types=types, currency=currency, findings=findings)
            _check_narrowed(table, sheet, profiles, findings)
            territories[name] = table
        if name in names.named:
            named[name] = read_named(sheet, findings)
    if (folder / ABSENCES).exists():
        sheet = _sheet(folder, ABSENCES, findings, digest, may_be_empty=True)
        absences = read_absences(sheet, findings) if sheet is not None else {}
    elif had_absences:
        hint = "put it back; its header alone says that nobody is away"
        findings.at(str(folder / ABSENCES), 0, "was there and is gone", hint)
    if findings.count:
        raise ConfigError(findings.ordered(), next_step=NEXT_STEP)
    digested = digest.hexdigest() if territories or named or absences else ""
    return Tables(territories=territories, named=named, absences=absences, digest=digested)


def _check_narrowed(
    table: Territories, sheet: Sheet, profiles: Sequence[Profile], findings: Findings
) -> None:
    """Where a table only narrows pools, an owner outside all of them would never get an account."""
    routes = [(p, r.target) for p in profiles for r in p.routes if r.target.territory == sheet.name]
    if not all(target.pool for _, target in routes):
        return
    able = {m.email for p, target in routes for m in p.pools[target.pool].members}
    names = ", ".join(dict.fromkeys(target.pool for _, target in routes))
    for row in table.rows:
        if row.owner and row.owner not in able:
            what = f"{row.owner} is in none of the pools this table narrows: {names}"
            findings.at(sheet.source, row.line, what, "add them to the pool, or correct the address")


def _sheet(
    folder: Path, name: str, findings: Findings, digest: blake2b, *, may_be_empty: bool = False
) -> Sheet | None:
    """One file of the folder, None when it cannot be read at all."""
    path = folder / name
    if name != Path(name).name or "\\" in name or name in (".", "..") or ":" in name or "\0" in name:
        findings.at(repr(name), 0, "a table is named by its file name alone", f"put it into {folder}")
        return None
    try:
        data = read_bytes(path)
        digest.update(f"{name}\x00{len(data)}\x00".encode() + data)
        return read_sheet(path, findings, may_be_empty=may_be_empty)
    except ConfigError as error:
        for problem in error.problems:
            findings.at(str(path), 0, problem.what, problem.hint)
        return None
