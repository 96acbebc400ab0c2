"""The tripwire: what an org's assignment rules do to an account that is written without a word against them.

`Sforce-Auto-Assign` counts as TRUE when it is absent, so a write without `FALSE` lets the territory rules
have the account. Bulk API 2.0 has no such header.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_autoassign.htm
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_understanding_bulk2_ingest.htm
"""

from __future__ import annotations

from icp_sync.simulator.clock import iso
from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.org import Org, User
from icp_sync.simulator.store import Record, Source

MANAGER = "territory.manager@sales.example"


def forbids(header: str) -> bool:
    """Whether a `Sforce-Auto-Assign` header keeps the rules away."""
    return header.strip().upper() == "FALSE"


def manager(org: Org) -> User:
    """The one who gets every account the rules take; made when the rules first run."""
    found = org.user(MANAGER)
    if found is not None and found.number in org.objects["user"].store.records:
        return found
    values = {
        "Username": MANAGER,
        "FirstName": "Territory",
        "LastName": "Manager",
        "Email": MANAGER,
        "Alias": "tmanager",
        "IsActive": "true",
        "UserType": "Standard",
        "ProfileId": org.admin.record.props.get("ProfileId", ""),
    }
    record = org.objects["user"].create(values, Source("PLATFORM", user_id=org.admin.number), at=org.born)
    made = User(record=record)
    org.employ(made)
    return made


def run(org: Org, account: Record, source: Source) -> None:
    """Let the rules have an account that was just written, and note that they did."""
    owner = manager(org)
    before = account.props.get("OwnerId", "")
    org.tripwire.append(
        {
            "id": ids.shown(org.accounts.prefix, account.id),
            "from": before,
            "to": owner.id,
            "client": source.id,
            "at": iso(org.clock.now_ms()),
        }
    )
    if before != owner.id:
        rules = Source("TERRITORY_RULES", user_id=source.user_id)
        org.accounts.write(account, {"OwnerId": owner.id}, rules)
