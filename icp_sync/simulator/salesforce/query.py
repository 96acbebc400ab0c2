"""/query and /queryAll: a first page, and the pages behind a locator.

A query's answer is what there was when it was asked; its locator is good for two days and only for the user
who asked. A page may be shorter than asked for: `done` says whether it was the last.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_queryoptions.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.explain import explained
from icp_sync.simulator.salesforce.kept import Kept
from icp_sync.simulator.salesforce.org import Org, SObject, User
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.soql.binding import Place
from icp_sync.simulator.salesforce.soql.documents import frozen, shower
from icp_sync.simulator.salesforce.soql.evaluate import Selection, select
from icp_sync.simulator.salesforce.soql.grammar import parse
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError
from icp_sync.simulator.salesforce.soql.tree import Query
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

Json = dict[str, object]
PREFIX = "0r8"
SMALLEST_PAGE, LARGEST_PAGE = 200, 2_000
LONG_TEXT = 255
"""A text area longer than this is a long one."""
_LOCATOR = re.compile(r"([A-Za-z0-9]{18})-(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A query somebody has not read to its end. ends: epoch seconds; page: records, unless asked anew."""

    user: int
    ends: float
    sobject: SObject
    columns: tuple[Place, ...]
    records: list[Record]
    page: int


class Cursors:
    """The open queries of an org."""

    def __init__(self) -> None:
        self._open: dict[int, Cursor] = {}
        self._made = 0

    def keep(self, cursor: Cursor, now: float) -> str:
        """Its locator, without the place in it. Those that have ended are let go."""
        self._open = {number: one for number, one in self._open.items() if one.ends > now}
        self._made += 1
        self._open[self._made] = cursor
        return ids.shown(PREFIX, self._made)

    def find(self, locator: str, user: User, now: float) -> tuple[Cursor, str, int]:
        """The query of a locator, its name and the place. Raises Refusal INVALID_QUERY_LOCATOR."""
        match = _LOCATOR.fullmatch(locator)
        name, start = (match[1], int(match[2])) if match is not None else ("", 0)
        number = ids.number(name) if name.startswith(PREFIX) else None
        cursor = None if number is None else self._open.get(number)
        if cursor is None or cursor.ends <= now or cursor.user != user.number or start >= len(cursor.records):
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor, name, start


CURSORS = Kept(Cursors)


def query(call: Call) -> Reply:
    """A first page or, for `explain`, how the query would be run."""
    if call.request.one("explain"):
        return Reply(body=explained(call, read(call.request.one("explain"))))
    return _first(call, deleted=False)


def query_all(call: Call) -> Reply:
    return _first(call, deleted=True)


def more(call: Call) -> Reply:
    now = call.org.clock.now()
    cursor, name, start = CURSORS.of(call.org).find(call.rest[0], call.user, now)
    return Reply(body=_page(call, cursor, name, start))


def read(statement: str) -> Query:
    """A statement as a tree. Raises Refusal."""
    try:
        return parse(statement)
    except SoqlError as wrong:
        raise refused(wrong, statement) from None


def selected(org: Org, user: User, tree: Query, statement: str, *, deleted: bool) -> Selection:
    """What a query selects. Raises Refusal."""
    try:
        return select(org, user, tree, deleted=deleted)
    except SoqlError as wrong:
        raise refused(wrong, statement) from None


def refused(wrong: SoqlError, statement: str) -> Refusal:
    return Refusal(400, wrong.code, wrong.said(statement))


def _first(call: Call, *, deleted: bool) -> Reply:
    statement = call.request.one("q")
    if not statement.strip():
        raise Refusal(400, MALFORMED, "SOQL statement cannot be null or empty")
    found = selected(call.org, call.user, read(statement), statement, deleted=deleted)
    if found.counted:
        return Reply(body={"totalSize": found.total, "done": True, "records": []})
    size = _page_size(call, found.columns)
    if found.groups is not None:
        return _grouped(found, size)
    now = call.org.clock.now()
    cursor = Cursor(
        user=call.user.number,
        ends=now + call.org.switches.locator_seconds,
        sobject=found.binder.sobject,
        columns=found.columns,
        records=found.records if found.total <= size else frozen(found.records),
        page=size,
    )
    name = CURSORS.of(call.org).keep(cursor, now) if found.total > size else ""
    return Reply(body=_page(call, cursor, name, 0))


def _page(call: Call, cursor: Cursor, name: str, start: int) -> Json:
    size = _page_size(call, cursor.columns) if call.header("Sforce-Query-Options") else cursor.page
    end = start + size
    show = shower(cursor.sobject, cursor.columns, call.root)
    records = [show(record) for record in cursor.records[start:end]]
    body: Json = {"totalSize": len(cursor.records), "done": end >= len(cursor.records)}
    if end < len(cursor.records):
        body["nextRecordsUrl"] = f"{call.root}/query/{name}-{end}"
    return body | {"records": records}


def _grouped(found: Selection, size: int) -> Reply:
    """Groups come in one page or not at all."""
    groups = found.groups or []
    if len(groups) > size:
        limit = "use LIMIT to restrict the results to a single batch"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"Aggregate query does not support queryMore(), {limit}")
    kind: Json = {"attributes": {"type": "AggregateResult"}}
    return Reply(body={"totalSize": len(groups), "done": True, "records": [kind | one for one in groups]})


def _page_size(call: Call, columns: tuple[Place, ...]) -> int:
    asked = call.option("Sforce-Query-Options", "batchSize")
    size = int(asked) if asked.isdigit() and len(asked) < 10 else LARGEST_PAGE
    size = min(max(size, SMALLEST_PAGE), LARGEST_PAGE)
    long = sum(column.field.type == "textarea" and column.field.length > LONG_TEXT for column in columns)
    if long >= 2:
        size = SMALLEST_PAGE
    most = call.org.switches.page_size
    return size if most is None else max(1, min(size, int(most)))


ROUTES = (
    Route(method="GET", pattern="query", run=query),
    Route(method="GET", pattern="queryAll", run=query_all),
    Route(method="GET", pattern="query/*", run=more),
    Route(method="GET", pattern="queryAll/*", run=more),
)
