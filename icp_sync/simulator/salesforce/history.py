"""What an org remembers of the values fields had, and which fields it remembers: tables nobody writes to.

Tracking is not retroactive, holds for at most twenty fields, and ends without taking the rows away; what
happens within one second has no order. Rows of fields a reader may not see are not shown.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_entityhistory.htm
https://help.salesforce.com/s/articleView?id=platform.tracking_field_history.htm
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from icp_sync.simulator.salesforce.schema import FieldDef, printed
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record, Source

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import User

MOST_TRACKED = 20
LONGEST_VALUE = 255
"""Of a longer text, and of several choices at once, it is only told that they changed."""

_TYPES = {"boolean": "Boolean", "double": "Double", "datetime": "DateTime", "reference": "EntityId"}
_PLATFORM = Source("PLATFORM", user_id=0)


class AccountHistory(SObject):
    """One row for every change of a field that was tracked at the time, two where it refers to a record."""

    def note(
        self,
        account: Record,
        before: Mapping[str, str],
        values: Mapping[str, str],
        source: Source,
        at: int,
        late: int,
    ) -> None:
        """Remember what a write changed of tracked fields. before: the values it met; at, late: ms."""
        accounts = self.org.accounts
        for name, value in values.items():
            field, old = accounts.field(name), before.get(name, "")
            if field is None or not field.tracked or old == value:
                continue
            shown = field.relationship if field.name == "OwnerId" else field.name
            for kind, pair in self._told(field, old, value):
                row = {
                    "AccountId": accounts.id_of(account),
                    "Field": shown,
                    "DataType": kind,
                    "OldValue": json.dumps(pair[0]),
                    "NewValue": json.dumps(pair[1]),
                }
                self.create(row, source, at=at, late=late)

    def _told(self, field: FieldDef, old: str, new: str) -> Iterator[tuple[str, tuple[object, object]]]:
        """The type and the two values of each row of one change."""
        if field.type == "multipicklist" or (field.type == "textarea" and field.length > LONGEST_VALUE):
            yield "Text", (None, None)
            return
        if field.reference_to:
            yield "Text", (self._name(field, old), self._name(field, new))
        kind = _TYPES.get(field.type, "Text")
        yield kind, (printed(field, old), printed(field, new))

    def _name(self, field: FieldDef, id_text: str) -> object:
        target = self.org.object(field.reference_to)
        found, name = target.anything(id_text), target.field("Name")
        return None if found is None or name is None else target.value(found, name)

    def rows(
        self,
        user: User,
        *,
        deleted: bool = False,
        above: int = -1,
        stamped: tuple[int, int] | None = None,
    ) -> Iterator[Record]:
        accounts = self.org.accounts
        for record in super().rows(user, deleted=deleted, above=above, stamped=stamped):
            named = record.props["Field"]
            field = accounts.field("OwnerId" if named == "Owner" else named)
            account = accounts.record(record.props["AccountId"])
            if field is None or not accounts.org.readable(user, accounts, field):
                continue
            if account is not None and accounts.org.visible(user, accounts, account):
                yield record

    def forget(self, field: str) -> None:
        """A field was deleted, and its history with it, for good."""
        for number in list(self.store.live):
            record = self.store.records[number]
            if record.props["Field"].lower() == field.lower():
                self.archive(record)


class FieldDefinition(SObject):
    """The fields of accounts that a reader may see, and which of them are tracked."""

    def rows(
        self,
        user: User,
        *,
        deleted: bool = False,
        above: int = -1,
        stamped: tuple[int, int] | None = None,
    ) -> Iterator[Record]:
        accounts = self.org.accounts
        for number, field in enumerate(accounts.fields.values()):
            if self.org.readable(user, accounts, field):
                values = {
                    "DurableId": f"{accounts.name}.{field.name}",
                    "EntityDefinitionId": accounts.name,
                    "QualifiedApiName": field.name,
                    "Label": field.label,
                    "IsFieldHistoryTracked": "true" if field.tracked else "false",
                }
                yield Record(number, accounts.changed_at, values, _PLATFORM)


TABLES: Mapping[str, type[SObject]] = {"accounthistory": AccountHistory, "fielddefinition": FieldDefinition}
"""Lower-case object → what it is, for those that are no plain table."""
