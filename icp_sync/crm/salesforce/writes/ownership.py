"""Giving an account to another owner: alone, and only if nobody touched the account since we looked.

The one write Salesforce can make conditional is that of a single record, by `If-Unmodified-Since`
("Conditional Requests" in the REST API Developer Guide). Its dates have whole seconds, so a record changed
within the last two may change once more unseen: such an account waits for its next turn. Whatever comes of
the owner, the other fields are written after it.

One call an owner is dear where all of them fail. So what stops one and would stop the others (nobody answers,
a right is missing, somebody has left) leaves the rest of the page out.
"""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.replies import Complaint, codes, kind, summary
from icp_sync.crm.salesforce.writes.chunks import CAPACITY
from icp_sync.crm.salesforce.writes.comparing import CHANGED
from icp_sync.crm.salesforce.writes.preparing import BY_KIND, OWNER, Input, Outputs
from icp_sync.domain.plan import Result
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.observe import fault_point, log

SETTLED_SECONDS = 2.0
LOCK_TRIES = 3
LOCKS_WAITED_FOR = 3
"""Accounts of one page whose lock is waited for; the locked ones after them have their turn another time."""

SAME_REFUSALS = 5
LOST_REPLIES = 3
TOO_RECENT = "CHANGED_JUST_NOW"
UNAVAILABLE = "UNAVAILABLE"
EVERYBODY = ""

ABOUT_THE_OWNER = frozenset({"INACTIVE_OWNER_OR_USER", "TRANSFER_REQUIRES_READ"})
"""Refusals that say nothing of other owners ("StatusCode" in the SOAP API Developer Guide)."""

_log = log("salesforce")
_replied = fault_point(
    "salesforce.owner", "an owner Salesforce confirmed and the journal does not know of yet"
)


class Ownership:
    def __init__(self, client: Client, outputs: Outputs) -> None:
        self._client = client
        self._outputs = outputs

    def page(self, looked_at: float) -> Transfers:
        """The transfers of one page. looked_at: Salesforce's clock just before its accounts were compared,
        UTC epoch seconds."""
        return Transfers(self._client, self._outputs, looked_at)


class Transfers:
    """One page's owners, and what made us leave the rest of them out. Safe to share between threads."""

    def __init__(self, client: Client, outputs: Outputs, looked_at: float) -> None:
        self._client = client
        self._outputs = outputs
        self._looked_at = looked_at
        self._stopped: dict[
            str, tuple[str, Result]
        ] = {}  # owner, or EVERYBODY → why, and what that makes of it
        self._in_a_row: dict[tuple[str, str], int] = {}  # (code, owner or EVERYBODY) → how often just now
        self._waited_for = 0
        self._lock = threading.Lock()

    def transfer(self, item: Input) -> Input:
        """The input less its owner, with what became of that. Never raises for what the other side does."""
        if stopped := self._stopped.get(EVERYBODY) or self._stopped.get(item.values[OWNER]):
            return item.left_out(OWNER, *stopped)
        modified = instant(item.unchanged_since)
        if modified is None or self._looked_at - modified < SETTLED_SECONDS:
            why = f"{TOO_RECENT}: the account was changed within the last seconds; its owner can wait"
            return item.left_out(OWNER, why, Result.FAILED)
        since = format_datetime(datetime.fromtimestamp(modified, UTC), usegmt=True)
        for attempt in range(1, LOCK_TRIES + 1):
            try:
                self._client.update_one(
                    item.id, {self._outputs.properties[OWNER]: item.sent[OWNER]}, unmodified_since=since
                )
                _replied()
                self._count(item, "")
                return item.done(OWNER)
            except UncertainError as error:
                return self._uncertain(item, error)
            except (UnavailableError, AuthError) as error:
                why = f"{UNAVAILABLE}: {error}"
                self._stop(EVERYBODY, why, Result.FAILED)
                return item.left_out(OWNER, why, Result.FAILED)
            except RequestError as error:
                if kind(codes(error)) != "transient" or not self._rested(attempt):
                    return self._refused(item, error)
        return item

    def _rested(self, attempt: int) -> bool:
        """Whether there was time to wait for a lock to be released. The condition still holds afterwards."""
        if attempt == LOCK_TRIES:
            return False
        if attempt == 1:
            with self._lock:
                self._waited_for += 1
                if self._waited_for > LOCKS_WAITED_FOR:
                    return False
        try:
            self._client.transport.wait(attempt * random.uniform(0.3, 0.9))  # noqa: S311  spreads workers
        except UnavailableError:
            return False
        return True

    # What stops the others too

    def _uncertain(self, item: Input, error: UncertainError) -> Input:
        if self._count(item, UNAVAILABLE) >= LOST_REPLIES:
            self._stop(EVERYBODY, f"{UNAVAILABLE}: one reply after the other is lost: {error}", Result.FAILED)
        return replace(item.without(OWNER), uncertain=f"the owner may be written or not: {error}")

    def _refused(self, item: Input, error: RequestError) -> Input:
        if error.status == 412:
            why = f"{CHANGED}: somebody changed the account while its owner was being written"
            return item.left_out(OWNER, why, Result.FAILED)
        found = codes(error)
        code, said = summary(found)
        said = said or str(error)
        if any(one.code in CAPACITY for one in found) and (reason := self._lost(item)):
            self._stop(EVERYBODY, f"DISABLED: {reason}", Result.REFUSED)
            return item.left_out(OWNER, f"DISABLED: {reason}", Result.REFUSED)
        times = self._count(item, code)
        if times >= SAME_REFUSALS and _concerns_others(found):
            why = f"{code}: not tried, as {times} in a row were refused: {said}"
            self._stop(_whom(item, code), why, Result.FAILED)  # nobody has refused those
        return item.left_out(OWNER, f"{code}: {said}", BY_KIND[kind(found)])

    def _lost(self, item: Input) -> str:
        """Why the org does not let us write owners any more, "" where it does."""
        try:
            lost = self._outputs.suspect({OWNER: ()})
        except (UnavailableError, AuthError, RequestError) as error:
            name = self._client.transport.name
            _log.warning("could not read the fields again", connection=name, error=str(error))
            return ""
        return self._outputs.disabled.get(OWNER, "disabled") if OWNER in lost else ""

    def _stop(self, owner: str, why: str, result: Result) -> None:
        with self._lock:
            news = owner not in self._stopped
            self._stopped.setdefault(owner, (why, result))
        if news:
            name = self._client.transport.name
            _log.warning("the page's other owners are left out", connection=name, owner=owner, reason=why)

    def _count(self, item: Input, code: str) -> int:
        """How often in a row this code, "" for success, was the answer; any other answer begins anew."""
        key, owner = (code, _whom(item, code)), item.values[OWNER]
        with self._lock:
            others = {k: n for k, n in self._in_a_row.items() if k == key or k[1] not in (EVERYBODY, owner)}
            self._in_a_row = {**others, key: others.get(key, 0) + 1}
            return self._in_a_row[key]


def _whom(item: Input, code: str) -> str:
    return item.values[OWNER] if code in ABOUT_THE_OWNER else EVERYBODY


def _concerns_others(found: list[Complaint]) -> bool:
    """A missing right, or an owner nobody can give anything to. A rule or a lock is the record's own."""
    return kind(found) == "permission" or any(one.code in ABOUT_THE_OWNER for one in found)
