"""Everything wrong with a Salesforce connection, found by asking, each with what to do next.

Changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning import access, existing, reach, record_types
from icp_sync.crm.salesforce.provisioning.check_deals import deal_problems
from icp_sync.crm.salesforce.provisioning.metadata import PICKLISTS, Choice, wanted_choices
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS, editable_by_people
from icp_sync.crm.salesforce.writes import tasks
from icp_sync.crm.windows import Windows
from icp_sync.domain.standing import FIELDS, Field
from icp_sync.errors import AuthError, IcpSyncError, Problem, RequestError, UnavailableError
from icp_sync.ports import Blueprint

LOGIN = "check the connection's address and credentials"
PROVISION = "icp-sync provision --apply"
OFFER = f"{PROVISION}, or Setup → Object Manager → Account → Record Types"
OFFER_PEOPLE = "add them there: Setup → Person Account Record Types"
ASSIGN = f"assign the permission set {INTEGRATION} to the integration user"
LATE_COMMITS = 1_000.0
"""Seconds a transaction may take from stamping a record to showing it: the longest API call and Apex run,
"API Request Limits and Allocations" in the Salesforce Developer Limits Quick Reference."""

LOW = 10
"""Percent of the day's calls below which what is left is told."""

_NAMED = 6
_REFUSALS = (AuthError, UnavailableError, RequestError)


def check(
    client: Client,
    catalogue: Catalogue,
    roster: Roster,
    blueprint: Blueprint,
    windows: Windows,
    *,
    visible_accounts: int | None = None,
) -> list[Problem]:
    """All problems at once; only a login nobody accepts ends the list early.

    visible_accounts: how many the administrator says we must see at least.
    """
    try:
        user = str(client.userinfo().get("user_id") or "")
    except _REFUSALS as error:
        return [_refused("login", error, LOGIN)]
    if not user.isalnum():
        return [Problem(where="login", what="Salesforce did not say who we are", hint=LOGIN)]
    try:
        described = client.describe("Account")
        catalogue.refresh()
    except _REFUSALS as error:
        return [_refused("object Account", error)]
    return [
        *_object(described),
        *_asked("fields", lambda: list(_fields(catalogue, blueprint))),
        *_asked("record types", lambda: list(_record_types(client, catalogue, blueprint))),
        *_asked("users", roster.owners),
        *_asked("rights on accounts", lambda: _reach(client, catalogue, user)),
        *_asked("visible accounts", lambda: _visible(client, visible_accounts)),
        *_asked("people", lambda: _people(client, blueprint, user)),
        *_asked("overrides", lambda: _overrides(client, blueprint, user)),
        *_asked("deals", lambda: deal_problems(client, blueprint, user)),
        *_asked("object Task", lambda: list(_tasks(client, blueprint))),
        *_asked("daily limit", lambda: _limit(client)),
        *_late(windows),
    ]


def _tasks(client: Client, blueprint: Blueprint) -> Iterator[Problem]:
    """Whether owners can be given tasks."""
    if blueprint.tasks and client.describe(tasks.OBJECT).get("createable") is not True:
        yield Problem(where="object Task", what="the user may not make tasks", hint=tasks.RIGHTS)


def _refused(where: str, error: IcpSyncError, hint: str = "") -> Problem:
    return Problem(where=where, what=str(error), hint=error.next_step or hint or ASSIGN)


def _asked(where: str, ask: Callable[[], object]) -> list[Problem]:
    """The problems a question brings up, or that it was refused."""
    try:
        found = ask()
    except _REFUSALS as error:
        return [_refused(where, error)]
    return [one for one in found if isinstance(one, Problem)] if isinstance(found, list) else []


def _object(described: Mapping[str, Any]) -> Iterator[Problem]:
    for key, right in (("queryable", "read"), ("updateable", "edit")):
        if described.get(key) is False:
            yield Problem(where="object Account", what=f"the user may not {right} accounts", hint=ASSIGN)


def _fields(catalogue: Catalogue, blueprint: Blueprint) -> Iterator[Problem]:
    definitions = existing.by_name(catalogue.definitions())
    for field, name in {**catalogue.properties, **blueprint.fields}.items():
        ours, known, found = field in blueprint.fields, FIELDS.get(field), definitions.get(name.lower())
        where = f"field {name}"
        if found is None:
            hint = (
                f"{PROVISION}, or {ASSIGN}" if ours else "correct its name in the outputs, or make it visible"
            )
            yield Problem(where=where, what="the org does not have it, or hides it from us", hint=hint)
            continue
        wanted = wanted_choices(known, blueprint) if known and ours else ()
        if reason := _reason(known, found, wanted):
            yield Problem(where=where, what=reason, hint="give this output another field name")
            continue
        if found.get("updateable") is False and not (known and known.theirs):
            yield Problem(where=where, what="the user may not edit it", hint=ASSIGN)
        if lacking := existing.missing(found, wanted):
            values = ", ".join(choice.value for choice in lacking)
            yield Problem(where=where, what=f"it lacks the values {values}", hint=PROVISION)


def _reason(known: Field | None, found: Mapping[str, Any], wanted: Sequence[Choice]) -> str:
    """Why a field cannot carry an output of ours; the CRM's own are what they are."""
    if known is None or known.native:
        return ""
    return existing.conflict(known, found) or existing.doubles(found, wanted)


def _record_types(client: Client, catalogue: Catalogue, blueprint: Blueprint) -> Iterator[Problem]:
    """Values a record type blocks; those it is not told of count as offered."""
    definitions = existing.by_name(catalogue.definitions())
    picklists = {
        name: [choice.value for choice in wanted_choices(FIELDS[field], blueprint)]
        for field, name in blueprint.fields.items()
        if FIELDS[field].type in PICKLISTS and _fits(field, definitions.get(name.lower()))
    }
    found = record_types.record_types(client, picklists, person_accounts="ispersonaccount" in definitions)
    for one in found:
        blocked = [
            f"{name} lacks {', '.join(lacking)}"
            for name, wanted in picklists.items()
            if (lacking := record_types.lacking(one, name, wanted))
        ]
        if blocked and (one.active or record_types.used(client, one)):
            hint = OFFER_PEOPLE if one.person else OFFER
            yield Problem(where=f"record type {one.name}", what="; ".join(blocked), hint=hint)


def _fits(field: str, definition: Mapping[str, Any] | None) -> bool:
    return definition is not None and not existing.conflict(FIELDS[field], definition)


def _reach(client: Client, catalogue: Catalogue, user: str) -> list[Problem]:
    found = reach.reach(client, user)
    if found is None:
        what = "whether we may edit and transfer accounts cannot be asked (UserRecordAccess)"
        return [Problem(where="rights on accounts", what=what, hint=ASSIGN)]
    from_where = "from all over the org" if found.spread else "that came first; no others could be found"
    wanted = [("read", found.read), ("edit", found.edit)]
    if "owner" in catalogue.properties:
        wanted.append(("transfer", found.transfer))
    return [
        Problem(
            where=f"may {right}",
            what=f"{count} of {found.asked} accounts {from_where} ({100 * count // found.asked} %)",
            hint=f"{ASSIGN}, and share the accounts with that user",
        )
        for right, count in wanted
        if count < found.asked
    ]


def _visible(client: Client, stated: int | None) -> list[Problem]:
    seen = client.count("SELECT COUNT() FROM Account")
    if stated is None or seen >= stated:
        return []
    what = f"we see {seen:,}, you said there are {stated:,}: the others are neither scored nor counted"
    return [Problem(where="visible accounts", what=what, hint=f"{ASSIGN}, which gives View All on accounts")]


def _people(client: Client, blueprint: Blueprint, user: str) -> list[Problem]:
    """Our fields are read-only to people: what they typed in there would be ours to explain."""
    theirs = editable_by_people(blueprint)
    ours = [name for field, name in blueprint.fields.items() if field not in theirs]
    found = access.editors(client, ours, user)
    if found is None:
        what = "who may edit our fields cannot be asked (FieldPermissions)"
        return [
            Problem(where="people", what=what, hint=f"{ASSIGN}, which gives View Setup and Configuration")
        ]
    return [
        Problem(
            where=one.name,
            what=f"lets {one.people} {'person' if one.people == 1 else 'people'} edit {_listed(one.fields)}",
            hint=f"take edit access to our fields away; people read them by {READERS}",
        )
        for one in found
    ]


def _overrides(client: Client, blueprint: Blueprint, user: str) -> list[Problem]:
    """The override is for people to make: whoever reads our fields must find somebody who can."""
    theirs = [name for field, name in blueprint.fields.items() if field in editable_by_people(blueprint)]
    readers = access.held(client, READERS) if theirs else None
    if readers is None or not access.people(client, readers.id):
        return []  # people do not read our fields yet, or by rights of somebody else's making
    given = access.editors(client, theirs, user)
    held = {name for one in given or () for name in one.fields}
    lacking = tuple(name for name in theirs if name not in held)
    if given is None or not lacking:
        return []
    what = f"people read our fields, and nobody of them may edit {_listed(lacking)}"
    return [Problem(where="overrides", what=what, hint=PROVISION)]


def _limit(client: Client) -> list[Problem]:
    entry = client.limits().get("DailyApiRequests")
    limit, left = (entry.get("Max"), entry.get("Remaining")) if isinstance(entry, dict) else (None, None)
    if not isinstance(limit, int) or not isinstance(left, int) or left * 100 >= limit * LOW:
        return []
    what = f"{left:,} of {limit:,} calls in 24 hours are left, for all programs of the org together"
    return [Problem(where="daily limit", what=what, hint="find out who uses them: Setup → API Usage")]


def _late(windows: Windows) -> Iterator[Problem]:
    if windows.lag < LATE_COMMITS:
        what = (
            f"it stays {windows.lag:.0f} s behind; a record may show up {LATE_COMMITS:.0f} s after its stamp"
        )
        yield Problem(
            where="trailing pass", what=what, hint="set the connection's schedule.lag to 20m or more"
        )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
