"""Opportunities as deals: what was sold to whom, for how much, and when. Judges nothing.

`IsClosed` and `IsWon` follow from the stage, whose name every org changes; `CloseDate` is typed in by people.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from icp_sync.crm.canonical import canonical_text, instant
from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.columns import CURRENCY, STAMP
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.reads.opportunities import OBJECT
from icp_sync.crm.salesforce.replies import codes
from icp_sync.domain import stamp as stamps
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.ports import Deal

NEEDED = ("Id", "AccountId", "StageName", "IsClosed", "IsWon", STAMP)
FURTHER = ("Name", "Amount", CURRENCY, "CloseDate", "CreatedDate", "OwnerId")
"""What an org may not have, or hide from us; then the deal says nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What the org shows of opportunities. stamp: field of the stamp → API name, of those we may read."""

    fields: tuple[str, ...]
    stamp: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Deals changed since (ms), 0 for all; whose ids come after one; less those whose last change is told."""

    since: int
    after: str
    spare: Mapping[str, int]


def deals(
    client: Client,
    roster: Roster,
    wanted: Wanted,
    currency: Callable[[], str],
    stamp: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Deal]:
    """The deals wanted, in order of id. currency: the org's, for amounts without one of their own. stamp:
    field of the stamp → API name, empty where deals are not stamped. Raises AuthError naming the right that
    is missing."""
    shown = _shown(client, stamp)
    last = wanted.after
    while True:
        where = [
            f"{STAMP} >= {soql.instant(wanted.since)}" if wanted.since > 0 else "",
            soql.after("Id", last) if last else "",
        ]
        statement = soql.select(shown.fields, OBJECT, where, order="Id", limit=soql.PAGE)
        rows = [row for page in client.query(statement) for row in page]
        for row in rows:
            id = long_id(str(row.get("Id") or ""))
            if id <= last:
                raise UnavailableError("Salesforce answered opportunities out of order")
            last = id
            if id not in wanted.spare or wanted.spare[id] != _ms(row.get(STAMP)):
                yield _deal(row, roster, currency, shown.stamp)
        if len(rows) < soql.PAGE:
            return


def stamp_text(name: str, raw: object) -> str:
    """A value of the stamp as Salesforce has it, in canonical form."""
    return canonical_text(stamps.STAMP[name].type, None if raw is None else str(raw))


def _shown(client: Client, stamp: Mapping[str, str]) -> _Shown:
    try:
        described = client.describe(OBJECT)["fields"]
    except RequestError as error:
        if error.status != 404 and not any(one.code in ("NOT_FOUND", "INVALID_TYPE") for one in codes(error)):
            raise
        described = []
    shown = {str(one.get("name")) for one in described if isinstance(one, dict)}
    if missing := [name for name in NEEDED if name not in shown]:
        raise AuthError(
            f"the integration user may not read {', '.join(f'{OBJECT}.{name}' for name in missing)}",
            next_step="give its permission set Read on Opportunity and these fields, then icp-sync check",
        )
    spelled = {name.lower(): name for name in shown}
    ours = {name: spelled[api.lower()] for name, api in stamp.items() if api.lower() in spelled}
    usual = (*NEEDED, *(name for name in FURTHER if name in shown))
    return _Shown(fields=(*usual, *dict.fromkeys(ours.values())), stamp=ours)


def _deal(row: Json, roster: Roster, currency: Callable[[], str], stamp: Mapping[str, str]) -> Deal:
    amount = row.get("Amount")
    known = isinstance(amount, int | float) and not isinstance(amount, bool) and math.isfinite(amount)
    return Deal(
        id=long_id(str(row["Id"])),
        account_id=long_id(str(row.get("AccountId") or "")),
        name=str(row.get("Name") or "").strip(),
        amount=float(str(amount)) if known else None,
        currency=str(row.get(CURRENCY) or currency()),
        stage=str(row.get("StageName") or ""),
        open=not row.get("IsClosed"),
        won=bool(row.get("IsWon")),
        closed_on=str(row.get("CloseDate") or "")[:10],
        created_at=_ms(row.get("CreatedDate")),
        changed_at=_ms(row.get(STAMP)),
        owner=roster.email(long_id(str(row.get("OwnerId") or ""))),
        stamp={name: stamp_text(name, row.get(api)) for name, api in stamp.items()},
    )


def _ms(value: object) -> int:
    seconds = instant(str(value or ""))
    return 0 if seconds is None else round(seconds * 1000)
