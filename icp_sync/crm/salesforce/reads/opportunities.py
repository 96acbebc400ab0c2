"""What an account's Opportunities say about it: how many are open and won, and when one last changed.

An Opportunity belongs to its account for our purposes: a change of one puts the account into the windows,
so an account's stamp here is the latest of its own and theirs. They may be hidden from us altogether; then
nothing is said. "Closed" and "won" are the fields derived from the stage, never the stage's name.

An Opportunity that is moved to another account is seen on the account it came to. The one it left is told
of by nothing but field history, which an org may not keep (OpportunityFieldHistory, Object Reference); its
number stays too high until that account changes, or is read by the next sweep.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.columns import STAMP
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.rights import is_missing_right
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.observe import log

OBJECT = "Opportunity"
OPEN, WON = "Opportunities.Open", "Opportunities.Won"
PSEUDO = (OPEN, WON)
"""Properties a facts map may name as if they were fields of the account."""

AGAIN = 900.0
"""Seconds after which what we could not read is asked for again."""

_log = log("salesforce")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The Opportunities of one account that are not deleted. stamp: of the latest change, ms, 0 for none."""

    open: int = 0
    won: int = 0
    stamp: int = 0

    @property
    def values(self) -> Mapping[str, str]:
        return {OPEN: str(self.open), WON: str(self.won)}


NONE = Tally()


class Opportunities:
    """wanted: whether anything is made of them; else nobody asks. clock: monotonic seconds."""

    def __init__(
        self, client: Client, *, wanted: bool, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._wanted = wanted
        self._name = name
        self._clock = clock
        self._hidden_until = float("-inf")
        self._said = False
        self._lock = threading.Lock()

    @property
    def readable(self) -> bool:
        """Whether they are worth asking for now."""
        with self._lock:
            return self._wanted and self._clock() >= self._hidden_until

    def tally(self, ids: Sequence[str]) -> Mapping[str, Tally] | None:
        """The tally of each of these accounts, None where we may not read Opportunities. Raises AuthError,
        and UnavailableError for every refusal that is no matter of rights."""
        if not self.readable:
            return None
        found = dict.fromkeys(ids, NONE)
        try:
            for chunk in soql.chunks(ids):
                for row in self._rows(_tallies([soql.among("AccountId", chunk)])):
                    account = long_id(str(row.get("AccountId") or ""))
                    found[account] = _added(found.get(account, NONE), row)
        except RequestError as error:
            self._hide(error)
            return None
        return found

    def changed(self, lower: int, upper: int, last: str) -> Iterator[tuple[str, int]]:
        """Accounts after `last` in order, of which an Opportunity was changed, made or deleted in a window
        (ms), with the latest such instant."""
        window = soql.between(STAMP, lower, upper)
        return self._latest([window], last, "", deleted=True)

    def stamps(self, last: str, up_to: str) -> Mapping[str, int]:
        """Account → when one of its Opportunities last changed (ms), of the ids in `(last, up_to]`."""
        return dict(self._latest([], last, up_to, deleted=False))

    def touched(self, since: int, first: str, up_to: str) -> frozenset[str]:
        """Accounts with ids in `[first, up_to]` of which an Opportunity was changed since (ms)."""
        bounds = [f"{STAMP} >= {soql.instant(since)}", f"AccountId >= {soql.literal(first)}"]
        return frozenset(id for id, _ in self._latest(bounds, "", up_to, deleted=True))

    def told(self, error: RequestError) -> None:
        """A read of Opportunities elsewhere was refused. Raises UnavailableError for what is no matter of
        rights."""
        self._hide(error)

    def _latest(
        self, where: Iterable[str], last: str, up_to: str, *, deleted: bool
    ) -> Iterator[tuple[str, int]]:
        bounds = [*where, soql.up_to("AccountId", up_to)]
        while self.readable:
            statement = soql.select(
                ("AccountId", f"MAX({STAMP}) latest"),
                OBJECT,
                [*bounds, soql.after("AccountId", last)],
                group="AccountId",
                order="AccountId",
                limit=soql.PAGE,
            )
            try:
                rows = self._rows(statement, deleted=deleted)
            except RequestError as error:
                self._hide(error)
                return
            found = [(long_id(str(row.get("AccountId") or "")), _latest_of(row)) for row in rows]
            fresh = [pair for pair in found if pair[0] > last]
            if [id for id, _ in fresh] != sorted({id for id, _ in found}):
                raise UnavailableError("Salesforce answered Opportunities out of order")
            yield from fresh
            if len(found) < soql.PAGE:
                return
            last = fresh[-1][0]

    def _rows(self, statement: str, *, deleted: bool = False) -> list[Json]:
        return [row for page in self._client.query(statement, deleted=deleted) for row in page]

    def _hide(self, error: RequestError) -> None:
        """Leave Opportunities alone for a while, for we lack a right. Raises UnavailableError for all else:
        an account settled as if its deals were unknown would lose its owner's protection to a bad minute."""
        if not is_missing_right(error):
            raise UnavailableError(f"Opportunities: {error}") from error
        with self._lock:
            self._hidden_until = self._clock() + AGAIN
            said, self._said = self._said, True
        (_log.info if said else _log.warning)(
            "opportunities cannot be read: open and won deals are unknown",
            connection=self._name,
            error=str(error)[:300],
            next_step="let the integration user read Opportunities, then icp-sync check",
        )


def _tallies(where: Iterable[str]) -> str:
    fields = ("AccountId", "IsClosed", "IsWon", "COUNT(Id) total", f"MAX({STAMP}) latest")
    return soql.select(fields, OBJECT, where, group="AccountId, IsClosed, IsWon")


def _added(tally: Tally, row: Json) -> Tally:
    total = int(row.get("total") or 0)
    return Tally(
        open=tally.open + (0 if row.get("IsClosed") else total),
        won=tally.won + (total if row.get("IsWon") else 0),
        stamp=max(tally.stamp, _latest_of(row)),
    )


def _latest_of(row: Json) -> int:
    seconds = instant(str(row.get("latest") or ""))
    return 0 if seconds is None else round(seconds * 1000)
