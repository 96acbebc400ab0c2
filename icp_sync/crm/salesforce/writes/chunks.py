"""Values onto accounts, two hundred a call, and what became of each.

Salesforce answers a collection row by row in the order sent ("Update Multiple Records with Fewer Round-Trips"
in the REST API Developer Guide); it may refuse the whole for the sake of one, and its reply may be lost. So a
refused chunk is halved, locked rows are looked at again and sent in ever smaller chunks, and a lost reply is
UNCERTAIN and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from icp_sync.crm.salesforce.client import COLLECTION, Client, Json
from icp_sync.crm.salesforce.replies import Complaint, codes, complaints, kind, named_fields
from icp_sync.crm.salesforce.writes.comparing import Comparing
from icp_sync.crm.salesforce.writes.preparing import Input, Preparing, outcome, rejected
from icp_sync.crm.windows import id_order
from icp_sync.domain.plan import Outcome, Result
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.observe import fault_point, log

SMALLER = (50, 10, 1)
"""Rows a call, one size for each time rows were locked, or ran into the limits of the org's own code."""

CAPACITY = frozenset(
    {
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    }
)
"""Codes that may mean the org has changed, rather than that the value is bad."""

_ABOUT_VALUES = frozenset({400, 413, 414})
"""Statuses that fewer or other rows can avoid; a 404 or 405 would only be met two hundred times."""

_log = log("salesforce")
_replied = fault_point(
    "salesforce.written", "values Salesforce confirmed and the journal does not know of yet"
)


class Chunks:
    def __init__(self, client: Client, preparing: Preparing, comparing: Comparing) -> None:
        self._client = client
        self._preparing = preparing
        self._comparing = comparing

    def of(self, items: Sequence[Input], size: int = COLLECTION) -> list[list[Input]]:
        """The inputs by id, so many in each: neighbours of one parent are locked together, once."""
        ordered = sorted(items, key=lambda item: id_order(item.id))
        return [ordered[at : at + size] for at in range(0, len(ordered), size)]

    def send(self, items: Sequence[Input], times: int = 0) -> list[Outcome]:
        """What became of each of these, in any order; never raises for what the other side does.

        times: how often they were sent before.
        """
        try:
            rows = self._client.update([self._preparing.record(item) for item in items])
            _replied()
        except UncertainError as error:
            return [outcome(item.id, Result.UNCERTAIN, message=str(error)) for item in items]
        except (UnavailableError, AuthError) as error:
            return [outcome(item.id, Result.FAILED, message=str(error)) for item in items]
        except RequestError as error:
            return self._refused_whole(items, error, times)
        return self._reconcile(items, rows, times)

    # A chunk answered

    def _reconcile(self, items: Sequence[Input], rows: Sequence[Json], times: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        complained: list[tuple[Input, tuple[Complaint, ...]]] = []
        for item, row in zip(items, rows, strict=True):
            named = row.get("id")
            if named is not None and str(named)[:15] != item.id[:15]:
                message = f"the reply has {named} in its place"
                outcomes.append(outcome(item.id, Result.UNCERTAIN, message=message))
            elif row.get("success") is True:
                outcomes.append(outcome(item.id, Result.WRITTEN, confirmed=item.values))
            elif found := complaints(row.get("errors")):
                complained.append((item, found))
            else:
                message = "Salesforce did not write it and did not say why"
                known = row.get("success") is False
                outcomes.append(
                    outcome(item.id, Result.FAILED if known else Result.UNCERTAIN, message=message)
                )
        return outcomes + self._complained(complained, times)

    def _complained(
        self, complained: Sequence[tuple[Input, tuple[Complaint, ...]]], times: int
    ) -> list[Outcome]:
        items, all_found = [item for item, _ in complained], [one for _, found in complained for one in found]
        lost = lost_outputs(self._client, self._preparing, items, all_found)
        outcomes: list[Outcome] = []
        locked: list[tuple[Input, tuple[Complaint, ...]]] = []
        buried: list[Input] = []
        for item, found in complained:
            what = kind(found)
            if lost & item.values.keys() and any(one.code in CAPACITY for one in found):
                outcomes.append(self._preparing.dropped(item.id, item.values, lost))
            elif what == "transient" and times < len(SMALLER):
                locked.append((item, found))
            elif what == "gone":
                buried.append(item)
            else:
                outcomes.append(rejected(item, found))
        return outcomes + self._comparing.missing(buried) + self._again(locked, times)

    def _again(self, locked: Sequence[tuple[Input, tuple[Complaint, ...]]], times: int) -> list[Outcome]:
        """Send locked rows once more. Who held the lock was writing: what they wrote is looked at first."""
        if not locked:
            return []
        try:
            self._client.transport.wait((times + 1) * random.uniform(0.3, 0.9))  # noqa: S311  spreads workers
        except UnavailableError:
            return [rejected(item, found) for item, found in locked]
        ready, outcomes = self._comparing.look([item for item, _ in locked])
        for chunk in self.of(ready, SMALLER[times]):
            outcomes += self.send(chunk, times + 1)
        return outcomes

    # A chunk refused whole

    def _refused_whole(self, items: Sequence[Input], error: RequestError, times: int) -> list[Outcome]:
        found = codes(error)
        if error.status not in _ABOUT_VALUES or (found and kind(found) in ("transient", "quota")):
            return [outcome(item.id, Result.FAILED, message=str(error)) for item in items]
        lost = lost_outputs(self._client, self._preparing, items, found)
        if lost:
            kept = [item for item in items if not lost & item.values.keys()]
            gone = [item for item in items if lost & item.values.keys()]
            outcomes = [self._preparing.dropped(item.id, item.values, lost) for item in gone]
            return outcomes + (self.send(kept, times) if kept else [])
        if len(items) == 1:
            return [rejected(items[0], found, str(error))]
        parts = self._parts(items, found)
        if len(parts) == 1:
            return [rejected(item, found, str(error)) for item in items]
        return [became for part in parts for became in self.send(part, times)]

    def _parts(self, items: Sequence[Input], found: Sequence[Complaint]) -> list[Sequence[Input]]:
        """Those that carry a field that was named, and the others; halves where nothing was named."""
        named = {name.lower() for name in named_fields(found)}
        if named:
            with_it = [i for i in items if named & {n.lower() for n in self._preparing.record(i)}]
            if with_it and len(with_it) < len(items):
                return [with_it, [item for item in items if item not in with_it]]
            if with_it and all(one.code == "INVALID_FIELD" for one in found):
                return [items]  # about the field, not about one of the rows: fewer of them meet it too
        middle = len(items) // 2
        return [items[:middle], items[middle:]]


def lost_outputs(
    client: Client, preparing: Preparing, items: Sequence[Input], found: Sequence[Complaint]
) -> frozenset[str]:
    """The outputs these complaints name that the org can carry no more; none when nobody can tell."""
    try:
        return preparing.lost(items, [one for one in found if one.code in CAPACITY])
    except (UnavailableError, AuthError, RequestError) as error:
        _log.warning("could not read the fields again", connection=client.transport.name, error=str(error))
        return frozenset()
