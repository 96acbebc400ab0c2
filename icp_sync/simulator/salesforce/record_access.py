"""UserRecordAccess: what a user may do with each record. Nothing is stored; sharing is asked anew.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userrecordaccess.htm
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record, Source

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import User

_LEVELS = ("All", "Transfer", "Delete", "Edit", "Read")
_WORKED_OUT = Source("PLATFORM", user_id=0)


class RecordAccess(SObject):
    """An object whose rows are the caller's own rights to accounts.

    Whether there is a row for an account that is hidden from the caller nobody documents: a switch.
    """

    def rows(
        self,
        user: User,
        *,
        deleted: bool = False,
        above: int = -1,
        stamped: tuple[int, int] | None = None,
    ) -> Iterator[Record]:
        accounts = self.org.accounts
        for number in list(accounts.index.ids):
            account = accounts.committed(number)
            told = self.org.switches.hidden_access_told
            if account is None or not (told or self.org.visible(user, accounts, account)):
                continue
            rights = self.org.rights.access(user, accounts, account)
            values = {name: "true" if allowed else "false" for name, allowed in rights.items()}
            highest = next((level for level in _LEVELS if rights[f"Has{level}Access"]), "None")
            values |= {"UserId": user.id, "RecordId": accounts.id_of(account), "MaxAccessLevel": highest}
            yield Record(number, account.created, values, _WORKED_OUT)
