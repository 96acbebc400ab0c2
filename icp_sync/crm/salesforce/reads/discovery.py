"""Which accounts there are to read: ids and stamps in order of id, and what became of those that are gone.

Everything is walked by `Id > last` inside fixed bounds, never by OFFSET (which ends at 2,000) and never by a
stamp alone (which has whole seconds and thousands of ties): no cap is reached, no tie is cut, nothing loops.
A window includes both its ends, for the second it begins in was not over when the last one ended. Reads no
record in full and settles nothing.

An account has one stamp here, the latest of its own and of its Opportunities'; but each of these is committed
by itself, and a late one may hide behind a newer one that was read before. So the trailing pass spares no
account that an Opportunity put into its window.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_offset.htm
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from icp_sync.crm.salesforce.reads.opportunities import Opportunities
from icp_sync.crm.salesforce.replies import codes, named_fields
from icp_sync.crm.salesforce.rights import is_missing_right
from icp_sync.crm.windows import Window, Windows
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log
from icp_sync.ports import Position, Stream

AHEAD = 3
MASTER = "MasterRecordId"
JUMP_SECONDS = 2.0
MOST_SECONDS = 60.0
"""By which a window may end too late: half the poll's overlap."""

UNSPARED = -1
"""A stamp at which nothing was ever settled."""

RIGHTS_AT_ONCE = 200
"""Records of one question about access ("UserRecordAccess", Object Reference)."""

_log = log("salesforce")


def window(
    client: Client, opportunities: Opportunities, windows: Windows, stream: Stream, position: Position
) -> tuple[Window, Iterator[Found]]:
    """The window to read from `position`, and the accounts stamped in it, read ahead.

    Salesforce's clock is known from its last reply. When the first reply shows that it has moved otherwise
    than ours since (we were suspended, say), a window not yet begun is opened again by the new reading.
    Raises UnavailableError when that one moved far as well: one of the two is wrong, and a window that ends
    in the future passes over what is yet to come.
    """
    opened, found, moved = _opened(client, opportunities, windows, stream, position)
    if not position.upper and abs(moved) >= JUMP_SECONDS:
        _log.info("the server's clock moved, opening the window again", seconds=round(moved, 1))
        opened, found, moved = _opened(client, opportunities, windows, stream, position)
        if abs(moved) >= MOST_SECONDS:
            raise UnavailableError(f"Salesforce's clock moved by {moved:.0f} s between two replies")
    return opened, found


def _opened(
    client: Client, opportunities: Opportunities, windows: Windows, stream: Stream, position: Position
) -> tuple[Window, Iterator[Found], float]:
    """A window, what is in it, and by how many seconds the server's clock moved meanwhile against ours."""
    before, ours = client.now(), time.monotonic()
    opened = windows.open(stream, position, before)
    late = stream is Stream.TRAILING
    found = ahead(_in_window(client, opportunities, opened, late=late), AHEAD)
    first = next(found)
    moved = (client.now() - before) - (time.monotonic() - ours)
    return opened, chain([first], found), moved


def _in_window(
    client: Client, opportunities: Opportunities, opened: Window, *, late: bool
) -> Iterator[Found]:
    """late: whether the window is read for what came too late for an earlier read."""
    accounts = walk(client, [soql.between(STAMP, opened.lower, opened.upper)], opened.last_id)
    stamped = ((id, stamp) for found in accounts for id, stamp in found.stamps.items())
    touched = opportunities.changed(opened.lower, opened.upper, opened.last_id)
    if not late:
        return _united(stamped, touched, max)
    return _united(stamped, ((id, UNSPARED) for id, _ in touched), min)


def _united(
    stamped: Iterator[tuple[str, int]],
    touched: Iterator[tuple[str, int]],
    of_two: Callable[[int, int], int],
) -> Iterator[Found]:
    """Both in one order: an account stamped or touched, with one stamp of the two."""
    stamps: dict[str, int] = {}
    for id, stamp in merge(stamped, touched):
        if len(stamps) >= soql.PAGE and id not in stamps:
            yield Found(stamps=stamps)
            stamps = {}
        stamps[id] = of_two(stamps.get(id, stamp), stamp)
    yield Found(stamps=stamps)


def everything(client: Client, opportunities: Opportunities, last: str, up_to: str = "") -> Iterator[Found]:
    """Every account after `last`, up to and with `up_to` if one is named, with the latest stamp of it and
    its Opportunities."""
    for found in walk(client, [soql.up_to(ID, up_to)], last):
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
    """What became of accounts that cannot be read: each id is in one of these.

    gone: deleted or merged away, id → survivor or "". hidden: there, and not for us to see. untold: nothing
    tells of them. They were deleted more than 15 days ago, or purged, or they are hidden where nobody tells
    us so; no call can say which, so they count as hidden.
    """

    gone: Mapping[str, str]
    hidden: tuple[str, ...]
    untold: tuple[str, ...]


def fate(client: Client, ids: Sequence[str]) -> Fate:
    """What became of accounts no read brought.

    A deleted or merged one is in the recycle bin for 15 days, where a query for deleted rows sees it; only
    what is seen there is gone. Of one that is not, UserRecordAccess may know that it exists and is not ours
    to see. A mistake in sharing hides a thousand accounts in a second: none of them is to be buried for it.
    """
    rows = _deleted_rows(client, ids)
    unknown = [id for id in ids if id not in rows]
    hidden = {id for id, row in rows.items() if not row.get("IsDeleted")} | _beyond_our_rights(
        client, unknown
    )
    gone = {id: row for id in ids if (row := rows.get(id, {})).get("IsDeleted")}
    survivors = _survivors(client, gone)
    return Fate(
        gone={id: survivors.get(id, "") for id in gone},
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
        found = _bin(client, where, order=ID, limit=soql.PAGE)
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
    found: dict[str, Json] = {}
    for chunk in soql.chunks(ids):
        found |= _bin(client, [soql.among(ID, chunk)])
    return found


def _bin(client: Client, where: Sequence[str], *, order: str = "", limit: int = 0) -> dict[str, Json]:
    """Accounts by id with what is told of their end, those in the recycle bin among them. Where the survivor
    of a merge is hidden from us, one that was merged away looks deleted."""

    def asked(fields: Sequence[str]) -> dict[str, Json]:
        statement = soql.select(fields, "Account", where, order=order, limit=limit)
        rows = [row for page in client.query(statement, deleted=True) for row in page]
        return {id: row for row in rows if (id := long_id(str(row.get(ID) or "")))}

    try:
        return asked((ID, "IsDeleted", MASTER))
    except RequestError as error:
        if MASTER not in named_fields(codes(error)):
            raise
    _log.warning("survivors of merges are not told", next_step=f"let the integration user read {MASTER}")
    return asked((ID, "IsDeleted"))


def _beyond_our_rights(client: Client, ids: Sequence[str]) -> set[str]:
    """Which of these records are there although nothing shows them to us. Not every org can be asked; then
    none is known to be. Raises every error that is no matter of rights."""
    user = _user_id(client) if ids else ""
    found: set[str] = set()
    try:
        for chunk in soql.chunks(ids, RIGHTS_AT_ONCE) if user else ():
            asked = [f"UserId = {soql.literal(user)}", soql.among("RecordId", chunk)]
            statement = soql.select(("RecordId", "HasReadAccess"), "UserRecordAccess", asked)
            rows = [row for page in client.query(statement) for row in page]
            found |= {long_id(str(row.get("RecordId") or "")) for row in rows}
    except RequestError as error:
        if not is_missing_right(error):
            raise
        _log.info("whether records exist that we may not see cannot be asked", error=str(error)[:300])
    return found & set(ids)


def _user_id(client: Client) -> str:
    """Who we are, "" where we are not told: an app may be without the scope for it ("OAuth Tokens and
    Scopes", Salesforce Help), and what the answer is used for must not end a read."""
    try:
        return long_id(str(client.userinfo().get("user_id") or ""))
    except (RequestError, AuthError) as error:
        _log.info("the org does not tell who we are", error=str(error)[:300])
        return ""


def _master(row: Mapping[str, object]) -> str:
    return long_id(str(row.get(MASTER) or ""))


def _stamp(row: Json) -> int:
    seconds = instant(str(row.get(STAMP) or ""))
    return 0 if seconds is None else round(seconds * 1000)
