"""Named accounts and absences: tables that say something of a person, one row each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from icp_sync.domain.profile import NamedList
from icp_sync.domain.roster import Absence
from icp_sync.normalize.domains import identifies, registrable
from icp_sync.profile_file.reading import suggestion
from icp_sync.roster_file import cells
from icp_sync.roster_file.sheets import Findings, Row, Sheet

NAMED = ("domain", "website", "id", "owner")
REMARKS = ("name", "company", "note", "notes")
"""Columns of a named list that are for people alone."""

AWAY = ("email", "from", "until", "reason")


def read_named(sheet: Sheet, findings: Findings) -> NamedList:
    """Account → owner: a registrable domain, or "#" and a record id → email."""
    _check_columns(sheet, NAMED, REMARKS, findings)
    _require(sheet, "owner", "it says whose the account is", findings)
    if not {"domain", "website", "id"} & set(sheet.header):
        findings.at(sheet.source, 1, "there is no column 'domain' or 'id'", "one says which account")
    owners: dict[str, str] = {}
    lines: dict[str, int] = {}
    for row in sheet.rows:
        owner = _email(row, "owner", sheet.source, findings)
        keys = _keys(row, sheet.source, findings)
        for key in keys:
            if owner and owners.setdefault(key, owner) != owner:
                what = f"{key} belongs to {owner} here and to {owners[key]} in row {lines[key]}"
                findings.at(sheet.source, row.line, what, "an account has one owner")
            lines.setdefault(key, row.line)
    return NamedList(name=sheet.name, owners=owners)


def read_absences(sheet: Sheet, findings: Findings) -> dict[str, tuple[Absence, ...]]:
    """Email → absences in order of time, those that touch or overlap made one."""
    _check_columns(sheet, AWAY, (), findings)
    _require(sheet, "email", "it says who is away", findings)
    _require(sheet, "from", "the first day away", findings)
    found: dict[str, list[Absence]] = {}
    for row in sheet.rows:
        absence = _absence(row, sheet, findings)
        if absence is not None:
            found.setdefault(absence.email, []).append(absence)
    return {email: merged(several) for email, several in sorted(found.items())}


def merged(absences: Iterable[Absence]) -> tuple[Absence, ...]:
    """One person's absences as stretches of time that do not touch; reasons are listed once each."""
    stretches: list[Absence] = []
    for absence in sorted(absences, key=lambda a: (a.start, a.until)):
        last = stretches[-1] if stretches else None
        if last is None or absence.start > last.until:
            stretches.append(absence)
            continue
        reasons = dict.fromkeys([*last.reason.split(", "), *absence.reason.split(", ")])
        stretches[-1] = Absence(
            email=last.email,
            start=last.start,
            until=max(last.until, absence.until),
            reason=", ".join(filter(None, reasons)),
        )
    return tuple(stretches)


def _absence(row: Row, sheet: Sheet, findings: Findings) -> Absence | None:
    before = findings.count
    email = _email(row, "email", sheet.source, findings)
    days: dict[str, float] = {"from": -inf, "until": inf}
    for column, read in (("from", cells.first_day), ("until", cells.day_of_return)):
        text = row.cell(column)
        if not text:
            continue
        try:
            cells.refuse_formula(text)
            days[column] = read(text)
        except ValueError as error:
            findings.at(sheet.source, row.line, f"{column}: {error}")
    if not row.cell("from") and "from" in sheet.header:
        findings.at(sheet.source, row.line, "'from' is blank", "the first day away")
    if findings.count > before:
        return None
    if days["from"] >= days["until"]:
        what = f"from {row.cell('from')} until {row.cell('until')} is no time at all"
        findings.at(sheet.source, row.line, what, "'until' is the day of return")
        return None
    return Absence(email=email, start=days["from"], until=days["until"], reason=row.cell("reason")[:200])


def _email(row: Row, column: str, source: str, findings: Findings) -> str:
    text = row.cell(column)
    try:
        if text:
            return cells.email(text)
        findings.at(source, row.line, f"'{column}' is blank", "people are named by their email")
    except ValueError as error:
        findings.at(source, row.line, f"{column}: {error}")
    return ""


def _keys(row: Row, source: str, findings: Findings) -> list[str]:
    """How an account is named in a row: by its id, its domain, or both."""
    keys = []
    if account_id := row.cell("id").removeprefix("#"):
        keys.append(f"#{account_id}")
    if text := row.cell("domain") or row.cell("website"):
        domain = registrable(text)
        if not domain:
            findings.at(source, row.line, f"'{text[:60]}' is no domain of a company", "for example acme.com")
        elif not identifies(domain):
            findings.at(
                source, row.line, f"{domain} is shared by many companies", "name the account by its id"
            )
        else:
            keys.append(domain)
    elif not keys:
        findings.at(source, row.line, "names no account", "a domain, or a record id")
    return keys


def _check_columns(sheet: Sheet, known: Sequence[str], remarks: Sequence[str], findings: Findings) -> None:
    for column in sheet.header:
        if column not in known and column not in remarks:
            hint = suggestion(column, known) or f"known here: {', '.join((*known, *remarks))}"
            findings.at(sheet.source, 1, f"unknown column '{column}'", hint)


def _require(sheet: Sheet, column: str, why: str, findings: Findings) -> None:
    if column not in sheet.header:
        findings.at(sheet.source, 1, f"there is no column '{column}'", why)
