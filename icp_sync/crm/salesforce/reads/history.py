"""Whose hand gave our fields the values they had, as far as the org keeps their history.

AccountHistory has a row for every change of a tracked field, from the moment tracking was turned on: the new
value, when, and by which user. An org tracks at most twenty fields of an object. Of long text and of several
choices it keeps no values, so nothing is told of those ("EntityHistory" in the Object Reference). What flows
and triggers do for a user is that user's, and so is an import: neither can be told from typing.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_entityhistory.htm
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.replies import codes
from icp_sync.crm.salesforce.rights import is_missing_right
from icp_sync.crm.salesforce.soql import among, chunks, select
from icp_sync.crm.salesforce.values import Values
from icp_sync.domain.standing import FIELDS, FieldType
from icp_sync.errors import RequestError
from icp_sync.observe import log
from icp_sync.ports import Edit, Editor, Edits

TTL = 900.0
ACCOUNTS = 200
"""Accounts of one query: their ids, and the names of twenty fields, fit into an address."""

VERSIONS = 20
OWNER_ID, OWNER = "OwnerId", "Owner"
"""The owner's field, and what history calls it."""

PLATFORM = frozenset({"AutomatedProcess"})
"""Kinds of user that are the org's own automation."""

PEOPLE = frozenset(
    {
        "Standard",
        "PowerPartner",
        "PowerCustomerSuccess",
        "CustomerSuccess",
        "CspLitePortal",
        "CsnOnly",
        "SelfService",
        "Guest",
    }
)
"""Kinds of user that people sign in as (UserType of User, Object Reference). Others are programs."""

_API_ONLY = "Profile.PermissionsApiUserOnly"
_WITHOUT_VALUES = frozenset({FieldType.LONG_TEXT, FieldType.MULTI})
_log = log("salesforce")


class History:
    """properties: logical field → API name. clock: monotonic seconds.

    A user whose profile only lets it use the API is a program; what our own user did counts as ours, so it
    must be nobody else's.
    """

    def __init__(
        self,
        client: Client,
        values: Values,
        properties: Mapping[str, str],
        *,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._values = values
        self._properties = properties
        self._name = name
        self._clock = clock
        self._us = ""
        self._tracked: frozenset[str] = frozenset()
        self._users: dict[str, tuple[Editor, str]] = {}
        self._read_at = float("-inf")
        self._lock = threading.RLock()

    def of(self, ids: Sequence[str], fields: Sequence[str]) -> Edits:
        """Account → field → its values, newest first; those of one second come in no order.

        A field of an account that is missing is not told of: it is not tracked, has not changed since it is,
        or keeps no values.
        """
        names = self._told(fields)
        asked = [id for one in dict.fromkeys(ids) if (id := long_id(one))]
        if not names or not asked:
            return {}
        rows = [row for part in chunks(asked, ACCOUNTS) for row in self._rows(part, names)]
        who = self._editors({str(row.get("CreatedById") or "") for row in rows})
        found: dict[str, dict[str, list[Edit]]] = {}
        for row in rows:
            field = names.get(str(row.get("Field")).lower(), "")
            made = instant(str(row.get("CreatedDate") or ""))
            if not field or made is None or not _is_value(field, row):
                continue
            by, shown = who.get(str(row.get("CreatedById") or ""), (Editor.UNKNOWN, ""))
            value = self._values.canonical(field, row.get("NewValue"))
            edit = Edit(value=value, at=round(made * 1000), by=by, who=shown)
            found.setdefault(str(row.get("AccountId")), {}).setdefault(field, []).append(edit)
        return {
            id: {field: tuple(edits[:VERSIONS]) for field, edits in told.items()}
            for id, told in found.items()
        }

    def _told(self, fields: Iterable[str]) -> Mapping[str, str]:
        """What history calls a field, in lower case → the field, of those it keeps values of."""
        tracked = self._tracking()
        wanted = {
            field: self._properties[field]
            for field in fields
            if field in self._properties and FIELDS[field].type not in _WITHOUT_VALUES
        }
        return {
            (OWNER if name == OWNER_ID else name).lower(): field
            for field, name in wanted.items()
            if name.lower() in tracked
        }

    def _tracking(self) -> frozenset[str]:
        """Lower-case API names of the fields whose history is kept, at most 15 minutes old."""
        with self._lock:
            if self._clock() - self._read_at <= TTL:
                return self._tracked
            where = ["EntityDefinitionId = 'Account'"]
            rows = self._asked(
                select(["QualifiedApiName", "IsFieldHistoryTracked"], "FieldDefinition", where)
            )
            self._tracked = frozenset(
                str(row.get("QualifiedApiName")).lower() for row in rows if row.get("IsFieldHistoryTracked")
            )
            self._users.clear()
            self._read_at = self._clock()
            return self._tracked

    def _rows(self, ids: Sequence[str], names: Iterable[str]) -> Iterator[Json]:
        columns = ["AccountId", "Field", "OldValue", "NewValue", "CreatedById", "CreatedDate"]
        spelt = [OWNER if name == OWNER.lower() else name for name in names]
        where = [among("AccountId", ids), among("Field", spelt)]
        yield from self._asked(select(columns, "AccountHistory", where, order="CreatedDate DESC, Id DESC"))

    def _editors(self, ids: Iterable[str]) -> Mapping[str, tuple[Editor, str]]:
        """User → its class, and what to call it."""
        with self._lock:
            self._us = self._us or long_id(str(self._client.userinfo().get("user_id") or ""))
            new = sorted({id for one in ids if (id := long_id(one))} - self._users.keys())
            for part in chunks(new):
                for row in self._people(part):
                    id = long_id(str(row.get("Id")))
                    self._users[id] = self._class(id, row), str(row.get("Name") or id)
            return dict(self._users)

    def _people(self, ids: Sequence[str]) -> list[Json]:
        columns, where = ["Id", "Name", "UserType"], [among("Id", ids)]
        try:
            return list(self._all(select([*columns, _API_ONLY], "User", where)))
        except RequestError as error:
            if not any(one.code == "INVALID_FIELD" for one in codes(error)):
                raise
        return self._asked(select(columns, "User", where))  # whose profiles are hidden from us

    def _class(self, id: str, row: Json) -> Editor:
        if id == self._us:
            return Editor.OURS
        if row.get("UserType") in PLATFORM:
            return Editor.WORKFLOW
        profile = row.get("Profile")
        api_only = isinstance(profile, dict) and profile.get("PermissionsApiUserOnly")
        return Editor.APP if api_only or row.get("UserType") not in PEOPLE else Editor.PERSON

    def _asked(self, soql: str) -> list[Json]:
        """All rows, none where the org does not let us look: then nothing is told."""
        try:
            return list(self._all(soql))
        except RequestError as error:
            if not is_missing_right(error):
                raise
            _log.info("the history of fields is hidden from us", connection=self._name, error=str(error))
            return []

    def _all(self, soql: str) -> Iterator[Json]:
        return (row for page in self._client.query(soql) for row in page)


def _is_value(field: str, row: Json) -> bool:
    """Whether a row names values. Of a reference there are two rows: one has the ids, one what people see."""
    if FIELDS[field].type is not FieldType.OWNER:
        return True
    held = [str(row[side]) for side in ("OldValue", "NewValue") if row.get(side)]
    return bool(held) and all(long_id(one) for one in held)
