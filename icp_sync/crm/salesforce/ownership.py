"""Giving an account to another owner: alone, and only if nobody touched the account since we looked.

The one write Salesforce can make conditional is that of a single record, by `If-Unmodified-Since`
("Conditional Requests" in the REST API Developer Guide). Its dates have whole seconds, so a record changed
within the last two may change once more unseen: such an account waits for its next turn. Whatever comes of
the owner, the other fields are written after it.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.comparing import CHANGED
from icp_sync.crm.salesforce.preparing import BY_KIND, OWNER, Input, Outputs
from icp_sync.crm.salesforce.replies import codes, kind, summary
from icp_sync.domain.plan import Result
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.observe import fault_point

SETTLED_SECONDS = 2.0
LOCK_TRIES = 3
TOO_RECENT = "CHANGED_JUST_NOW"

_replied = fault_point(
    "salesforce.owner", "an owner Salesforce confirmed and the journal does not know of yet"
)


class Ownership:
    def __init__(self, client: Client, outputs: Outputs) -> None:
        self._client = client
        self._outputs = outputs

    def transfer(self, item: Input, looked_at: float) -> Input:
        """The input less its owner, with what became of that. Never raises for what the other side does.

        looked_at: Salesforce's clock just before the account was compared, UTC epoch seconds.
        """
        modified = instant(item.unchanged_since)
        if modified is None or looked_at - modified < SETTLED_SECONDS:
            why = f"{TOO_RECENT}: the account was changed within the last seconds; its owner can wait"
            return item.left_out(OWNER, why, Result.FAILED)
        since = format_datetime(datetime.fromtimestamp(modified, UTC), usegmt=True)
        for attempt in range(1, LOCK_TRIES + 1):
            try:
                self._client.update_one(
                    item.id, {self._outputs.properties[OWNER]: item.sent[OWNER]}, unmodified_since=since
                )
                _replied()
                return item.done(OWNER)
            except UncertainError as error:
                return replace(item.without(OWNER), uncertain=f"the owner may be written or not: {error}")
            except (UnavailableError, AuthError) as error:
                return item.left_out(OWNER, f"UNAVAILABLE: {error}", Result.FAILED)
            except RequestError as error:
                if attempt == LOCK_TRIES or kind(codes(error)) != "transient" or not self._rested(attempt):
                    return _refused(item, error)
        return item

    def _rested(self, attempt: int) -> bool:
        """Whether there was time to wait for a lock to be released. The condition still holds afterwards."""
        try:
            self._client.transport.wait(attempt * random.uniform(0.3, 0.9))  # noqa: S311  spreads workers
        except UnavailableError:
            return False
        return True


def _refused(item: Input, error: RequestError) -> Input:
    if error.status == 412:
        why = f"{CHANGED}: somebody changed the account while its owner was being written"
        return item.left_out(OWNER, why, Result.FAILED)
    found = codes(error)
    code, message = summary(found)
    return item.left_out(OWNER, f"{code}: {message or error}", BY_KIND[kind(found)])
