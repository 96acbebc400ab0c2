"""The account a probe makes, and its removal. Touches no account that is called otherwise; makes no field.

What is asked about fields is asked of a deployment that only checks. What an earlier probe left behind, as it
was killed, goes first. A deleted account stays in the recycle bin for 15 days, as every deleted one does.
"""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.crm.probing import DOMAIN, LEFT, NAME, Calls, OutOfCallsError, Seen, plainly
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.soql import literal
from icp_sync.errors import AuthError, IcpSyncError, RequestError, UnavailableError

ACCOUNT = "sobjects/Account"
WEBSITE = f"https://{DOMAIN}"
RIGHTS = {"make": "createable", "delete": "deletable"}
"""What a probe does with its account → how describe says that we may ("sObject Describe", REST API guide)."""
HOW = "probe with somebody's session: salesforce.session_id"


class Scratch:
    """One account of our own. `refused`: why there is none, "" while there may be. described: of accounts."""

    def __init__(self, client: Client, calls: Calls) -> None:
        self._client = client
        self._calls = calls
        self.id = ""
        self.refused = ""
        self._unsure = False
        self.described: Json = {}
        self.removed: list[str] = []
        self.left: list[str] = []

    def clear(self, known: Sequence[str]) -> None:
        """Remove what earlier probes left: what is committed, a query sees at once. known: their ids, which
        are gone where it does not."""
        self._calls.tidying = True
        found = self._there()
        if len(found) < LEFT:  # else there may be more than are told
            self.removed += [id for id in known if id not in found]
        for id in found:
            self._remove(id)
        self._calls.tidying = False

    def make(self) -> None:
        """Where the user may not make accounts, or not delete them, `refused` says so and nothing is made."""
        self._calls.spend()
        self.described = self._client.describe()
        missing = [what for what, flag in RIGHTS.items() if not self.described.get(flag)]
        if missing:
            self.refused = f"it takes a user who may {' and '.join(missing)} accounts ({HOW})"
            return
        self._unsure = True
        try:
            made = self._calls("POST", ACCOUNT, json={"Name": NAME, "Website": WEBSITE})
        except AuthError as error:
            made = Seen(status=403, data=str(error))
        self._unsure = False
        if made.good and made.at("id"):
            self.id = str(made.at("id"))
        else:
            self.refused = f"no scratch account could be made: {said(made)}"

    def fields(self) -> frozenset[str]:
        """The API names of the account's fields as we are shown them."""
        found = self.described.get("fields")
        listed = found if isinstance(found, list) else []
        return frozenset(str(one.get("name")) for one in listed if isinstance(one, dict))

    def stamps(self) -> tuple[str, str]:
        """SystemModstamp and LastModifiedDate as they are now."""
        self._calls.spend()
        [row] = self._client.retrieve([self.id], ["SystemModstamp", "LastModifiedDate"])
        found = row or {}
        return str(found.get("SystemModstamp") or ""), str(found.get("LastModifiedDate") or "")

    def write(self, name: str) -> dict[str, object]:
        """A collection of one, as our own writes go out; what became of its row."""
        self._calls.spend()
        [row] = self._client.update([{"id": self.id, "Name": name}])
        return row

    def remove(self) -> None:
        """The account, as far as possible; what stays is noted in `left`. Raises nothing the org does."""
        self._calls.tidying = True
        if self._unsure:
            self._look_for_it()
        if self.id:
            self._remove(self.id)

    def _look_for_it(self) -> None:
        """The account whose making was not answered: what is committed, a query sees at once."""
        try:
            self.id = next(iter(self._there()), "")
        except (AuthError, UnavailableError, RequestError, OutOfCallsError):
            self.left.append(f"account {NAME!r}, if it was made: nobody said, and it could not be asked")

    def _there(self) -> list[str]:
        """The ids of the scratch accounts there are."""
        same = f"Website = {literal(WEBSITE)} AND Name = {literal(NAME)}"
        self._calls.spend()
        soql = f"SELECT Id FROM Account WHERE {same} LIMIT {LEFT}"  # noqa: S608  both are our own words
        return [str(row.get("Id")) for page in self._client.query(soql) for row in page]

    def _remove(self, id: str) -> None:
        try:
            seen = self._calls("DELETE", f"{ACCOUNT}/{id}")
        except (AuthError, UnavailableError, RequestError, OutOfCallsError) as error:
            why = plainly(error) if isinstance(error, IcpSyncError) else "no call was left for it"
            self.left.append(f"account {id}: {why}")
            return
        if seen.good or seen.status == 404:
            self.removed.append(id)
        else:
            self.left.append(f"account {id}: {said(seen)}")


def said(seen: Seen) -> str:
    """A refusal in Salesforce's own code and words."""
    first = seen.data[0] if isinstance(seen.data, list) and seen.data else None
    if isinstance(first, dict):
        return f"{first.get('errorCode') or first.get('statusCode')}: {first.get('message')}"[:300]
    return seen.said()
