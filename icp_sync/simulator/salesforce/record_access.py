"""UserRecordAccess: what a user may do with each record. Nothing is stored; sharing is asked anew.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userrecordaccess.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record, Source

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import User

SHARED = ("account", "contact", "opportunity")
"""Objects of the Sharing Settings page; of others nothing can be asked."""
_LEVELS = ("All", "Transfer", "Delete", "Edit", "Read")
_WORKED_OUT = Source("PLATFORM", user_id=0)


class RecordAccess(SObject):
    """An object whose rows are somebody's rights to the records that a query names."""

    def rights_of(self, asker: User, user: User, ids: Iterable[str]) -> Iterator[Record]:
        """One row for each record. What the asker may not read is left out.

        Whether there is a row for a record hidden from somebody who asks of themselves, older editions of
        the Object Reference leave open: a switch.
        """
        told = self.org.switches.hidden_access_told and asker.number == user.number
        for sobject, record in self._named(ids):
            if not (told or self.org.visible(asker, sobject, record)):
                continue
            rights = self.org.rights.access(user, sobject, record)
            values = {name: "true" if allowed else "false" for name, allowed in rights.items()}
            highest = next((level for level in _LEVELS if rights[f"Has{level}Access"]), "None")
            values |= {"UserId": user.id, "RecordId": sobject.id_of(record), "MaxAccessLevel": highest}
            yield Record(record.id, record.created, values, _WORKED_OUT)

    def _named(self, ids: Iterable[str]) -> Iterator[tuple[SObject, Record]]:
        """The live records behind ids, by id, each once."""
        for id_text in sorted(set(ids)):
            for key in SHARED:
                record = self.org.objects[key].record(id_text)
                if record is not None:
                    yield self.org.objects[key], record
