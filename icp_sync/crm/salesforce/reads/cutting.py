"""How many accounts there are in a range of ids, and where to cut all of them into ranges. Reads no account.

An id is a number with 62 digits behind the object's prefix, and ids in order are numbers in order. OFFSET
ends at 2,000 rows, so places are found by counting.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_count.htm
"""

from __future__ import annotations

from icp_sync.crm.cutting import Look, cut_evenly
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.columns import ID
from icp_sync.crm.salesforce.ids import ACCOUNT, account_id, number, numbered
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.observe import log

_log = log("salesforce")


def counted(client: Client, after: str, up_to: str) -> int:
    """Accounts in `(after, up_to]`, "" for no bound."""
    return client.count(soql.select(("COUNT()",), "Account", _between(after, up_to)))


def cuts(client: Client, parts: int, after: str) -> tuple[str, ...]:
    """See `ports.Crm.cuts`. Two queries where the ids are few, at most twelve or so for each cut."""
    if parts < 2:
        return ()
    low = number(after) if after else 0

    def look(at: int, upwards: bool) -> Look:
        id = numbered(ACCOUNT, at)
        beside = _first(client, id, "") if upwards else _first(client, after, id, "DESC")
        return Look(below=counted(client, after, id), beside=number(beside) if beside else None)

    try:
        total, last = counted(client, after, ""), _first(client, after, "", "DESC")
        found = cut_evenly(parts, low, number(last), total, look) if last else []
        return tuple(numbered(ACCOUNT, at) for at in found)
    except (UnavailableError, RequestError) as error:
        _log.info("the org does not tell where to cut, reading in one range", error=str(error)[:300])
        return ()


def _first(client: Client, after: str, up_to: str, direction: str = "") -> str:
    """The first account of a range in this direction, "" where there is none."""
    order = f"{ID} {direction}".strip()
    statement = soql.select((ID,), "Account", _between(after, up_to), order=order, limit=1)
    rows = [row for page in client.query(statement) for row in page]
    return account_id(str(rows[0].get(ID) or "")) if rows else ""


def _between(after: str, up_to: str) -> list[str]:
    return [soql.after(ID, after) if after else "", soql.up_to(ID, up_to)]
