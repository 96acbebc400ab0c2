"""Which accounts there are to read: ids and stamps in order of id, and what became of those that are gone.

Everything is walked by `Id > last` inside fixed bounds, never by OFFSET (which ends at 2,000) and never by a
stamp alone (which has whole seconds and thousands of ties): no cap is reached, no tie is cut, nothing loops.
A window includes both its ends, for the second it begins in was not over when the last one ended. Reads no
record in full and settles nothing.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_offset.htm
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain

from icp_sync.crm.ahead import ahead
from icp_sync.crm.canonical import instant
from icp_sync.crm.paging import Found
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.columns import ID, STAMP
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.opportunities import Opportunities
from icp_sync.crm.windows import Window, Windows
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log
from icp_sync.ports import Position, Stream

AHEAD = 3
JUMP_SECONDS = 2.0
RIGHTS_AT_ONCE = 200
"""Records of one question about access ("UserRecordAccess", Object Reference)."""

_log = log("salesforce")


def window(
    client: Client, opportunities: Opportunities, windows: Windows, stream: Stream, position: Position
) -> tuple[Window, Iterator[Found]]:
    """The window to read from `position`, and the accounts stamped in it, read ahead.

    Salesforce's clock is known from its last reply. When the first reply shows that it has moved otherwise
    than ours since (we were suspended, say), a window not yet begun is opened again by the new reading.
    """
    for _ in range(2):
        before, ours = client.now(), time.monotonic()
        opened = windows.open(stream, position, before)
        found = ahead(_in_window(client, opportunities, opened), AHEAD)
        first = next(found)
        moved = (client.now() - before) - (time.monotonic() - ours)
        if position.upper or abs(moved) < JUMP_SECONDS:
            break
        _log.info("the server's clock moved, opening the window again", seconds=round(moved, 1))
    return opened, chain([first], found)


def _in_window(client: Client, opportunities: Opportunities, opened: Window) -> Iterator[Found]:
    accounts = walk(client, [soql.between(STAMP, opened.lower, opened.upper)], opened.last_id)
    return _united(accounts, opportunities.changed(opened.lower, opened.upper, opened.last_id))


def _united(accounts: Iterator[Found], touched: Iterator[tuple[str, int]]) -> Iterator[Found]:
    """Both in one order: an account stamped or touched, with the later of the two instants."""
    stamped = ((id, stamp) for found in accounts for id, stamp in found.stamps.items())
    stamps: dict[str, int] = {}
    for id, stamp in merge(stamped, touched):
        if len(stamps) >= soql.PAGE and id not in stamps:
            yield Found(stamps=stamps)
            stamps = {}
        stamps[id] = stamp  # the later one of two comes last
    yield Found(stamps=stamps)


def everything(client: Client, opportunities: Opportunities, last: str) -> Iterator[Found]:
    """Every account after `last`, with the latest stamp of it and its Opportunities."""
    for found in walk(client, [], last):
        if found.stamps:
            latest = opportunities.stamps(last, found.last(last))
            stamps = {id: max(stamp, latest.get(id, 0)) for id, stamp in found.stamps.items()}
            last = found.last(last)
            yield Found(stamps=stamps, read_at=found.read_at)
        else:
            yield found


def walk(client: Client, where: Sequence[str], last: str) -> Iterator[Found]:
    """Every account the conditions match, by ascending id after `last`, up to 2,000 at a time; always one
    part at least. Raises UnavailableError when the ids do not ascend."""
    while True:
        read_at = round(client.now() * 1000)
        statement = soql.select(
            (ID, STAMP),
            "Account",
            [*where, soql.after(ID, last) if last else ""],
            order=ID,
            limit=soql.PAGE,
        )
        rows = [row for page in client.query(statement) for row in page]
        stamps = {long_id(str(row.get(ID) or "")): _stamp(row) for row in rows}
        ids = list(stamps)
        if ids != sorted(ids) or any(id <= last for id in ids):
            raise UnavailableError("Salesforce answered accounts out of order")
        yield Found(stamps=stamps, read_at=read_at)
        if len(rows) < soql.PAGE:
            return
        last = ids[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of accounts that cannot be read. gone: id → survivor of a merge or "". hidden: there, and
    not for us to see. untold: among those gone, the ones nothing tells of."""

    gone: Mapping[str, str]
    hidden: tuple[str, ...]
    untold: tuple[str, ...]


def fate(client: Client, ids: Sequence[str]) -> Fate:
    """What became of accounts no read brought.

    A deleted or merged one is in the recycle bin for 15 days, where a query for deleted rows sees it. Of one
    that is not there either, UserRecordAccess may know that it exists and is not ours to see. Else it was
    deleted longer ago, or nobody tells us that it is hidden: gone for us, until it shows again.
    """
    rows = _deleted_rows(client, ids)
    unknown = [id for id in ids if id not in rows]
    hidden = {id for id, row in rows.items() if not row.get("IsDeleted")} | _beyond_our_rights(
        client, unknown
    )
    gone = {id: row for id, row in rows.items() if row.get("IsDeleted") and id in set(ids)}
    survivors = _survivors(client, gone)
    return Fate(
        gone={id: survivors.get(id, "") for id in ids if id not in hidden},
        hidden=tuple(id for id in ids if id in hidden),
        untold=tuple(id for id in unknown if id not in hidden),
    )


def departed(client: Client, since: int) -> dict[str, str]:
    """Accounts deleted or merged away since (ms), as far as the recycle bin reaches: id → survivor or ""."""
    rows: dict[str, Json] = {}
    last = ""
    while True:
        where = [
            "IsDeleted = true",
            f"{STAMP} >= {soql.instant(since)}",
            soql.after(ID, last) if last else "",
        ]
        statement = soql.select(
            (ID, "IsDeleted", "MasterRecordId"), "Account", where, order=ID, limit=soql.PAGE
        )
        found = {id: row for row in _rows(client, statement) if (id := long_id(str(row.get(ID) or "")))}
        if any(id <= last for id in found):
            raise UnavailableError("Salesforce answered accounts out of order")
        rows |= found
        if len(found) < soql.PAGE:
            survivors = _survivors(client, rows)
            return {id: survivors.get(id, "") for id in rows}
        last = max(found)


def _survivors(client: Client, rows: Mapping[str, Json]) -> dict[str, str]:
    """Merged account → the one that is left at the end of its merges; who has none is left out."""
    known = dict(rows)
    while True:
        masters = {_master(row) for row in known.values()} - {""}
        news = sorted(masters - known.keys())
        if not news:
            break
        found = _deleted_rows(client, news)
        # A survivor we may not see is taken for the last one: nothing says that it is gone.
        known |= {id: found.get(id, {}) for id in news}
    survivors = {}
    for id in rows:
        at, passed = id, {id}
        while (master := _master(known[at])) and master not in passed:
            passed.add(master)
            at = master
        if at != id and not known[at].get("IsDeleted"):
            survivors[id] = at
    return survivors


def _deleted_rows(client: Client, ids: Sequence[str]) -> dict[str, Json]:
    """These accounts, those in the recycle bin among them, as far as we may see them."""
    fields = (ID, "IsDeleted", "MasterRecordId")
    rows = [
        row
        for chunk in soql.chunks(ids)
        for row in _rows(client, soql.select(fields, "Account", [soql.among(ID, chunk)]))
    ]
    return {id: row for row in rows if (id := long_id(str(row.get(ID) or "")))}


def _beyond_our_rights(client: Client, ids: Sequence[str]) -> set[str]:
    """Which of these records are there although nothing shows them to us. Not every edition can be asked;
    then none is known to be."""
    found: set[str] = set()
    try:
        user = long_id(str(client.userinfo().get("user_id") or "")) if ids else ""
        for chunk in soql.chunks(ids, RIGHTS_AT_ONCE) if user else ():
            asked = [f"UserId = '{user}'", soql.among("RecordId", chunk)]
            statement = soql.select(("RecordId", "HasReadAccess"), "UserRecordAccess", asked)
            rows = [row for page in client.query(statement) for row in page]
            found |= {long_id(str(row.get("RecordId") or "")) for row in rows}
    except (RequestError, AuthError) as error:
        _log.info("whether records exist that we may not see cannot be asked", error=str(error)[:300])
    return found & set(ids)


def _rows(client: Client, statement: str) -> list[Json]:
    return [row for page in client.query(statement, deleted=True) for row in page]


def _master(row: Mapping[str, object]) -> str:
    return long_id(str(row.get("MasterRecordId") or ""))


def _stamp(row: Json) -> int:
    seconds = instant(str(row.get(STAMP) or ""))
    return 0 if seconds is None else round(seconds * 1000)
