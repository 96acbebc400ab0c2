"""Stamps onto deals: which may be sent now, what is written down before, and what becomes of each answer.

Knows of a deal what the journal says of it; how its company stood is decided elsewhere (`beginnings`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from icp_sync.domain.plan import Result
from icp_sync.domain.standing import Mode
from icp_sync.journal import Lease, Stamp, Stamped, StoredDeal, patience
from icp_sync.observe import fault_point, log
from icp_sync.ports import FILLED, Note, Noted, Position
from icp_sync.sync.cycle import Parts
from icp_sync.sync.following import DEALS, Following

STAMPING = "deals stamped since"
"""Under this name the journal keeps from when on deals are stamped; older ones never are."""
GAP = 2 * 86_400.0
"""Seconds without a read after which stamping begins anew: nobody followed, or the journal is a backup's, and
what was in force meanwhile is not known."""
NOTES = 100
GIVEN_UP = 6
"""Refusals after which a deal is not tried again."""

before_annotate = fault_point("deals.annotate.before", "stamps of which only the intents know")
after_annotate = fault_point("deals.annotate.after", "stamps the CRM holds and only the intents know")


class Stamping:
    """What one cycle stamps, under its lease. store: keeps a position of the stream. done: state → how many
    deals came to it."""

    def __init__(
        self,
        parts: Parts,
        following: Following,
        lease: Lease,
        *,
        store: Callable[[str, Position], None],
        done: Counter[Stamp],
        going: Callable[[], bool],
    ) -> None:
        self._journal, self._crm, self._clock = parts.journal, parts.crm, parts.clock
        self._following, self._lease, self._store = following, lease, store
        self._done, self._going = done, going

    def since(self, now: float) -> float | None:
        """From when on (by the CRM's clock) deals are stamped, None while they are not. Switched on again, or
        after a gap, it begins anew: nobody looked in between."""
        known = self._journal.position(STAMPING).done_to
        if not self._allowed():
            if known:
                self._store(STAMPING, Position())
            return None
        read = self._journal.position(DEALS).done_to / 1000
        gap = bool(known and read) and now - read > GAP
        if gap:
            log("deals").warning(
                "deals were not followed for long; those created meanwhile are not stamped",
                connection=self._journal.connection,
                days=round((now - read) / 86_400, 1),
            )
        if gap or not known:
            known = round(now * 1000)
            self._store(STAMPING, Position(done_to=known))
        return known / 1000

    def stamp(self, since: float) -> None:
        """Stamp what was created since and is known, a batch at a time, while something gets through."""
        last, now = "", self._clock()
        while self._going() and self._allowed():
            deals = self._journal.deals_to_stamp(created_since=since, now=now, after=last, limit=NOTES)
            if not deals:
                return
            last = deals[-1].id
            meant = [replace(deal, attempts=deal.attempts + 1) for deal in deals]
            self.settle([_becoming(deal, Stamp.INTENDED) for deal in meant])
            if not self._send(meant):
                return

    def settle(self, outcomes: Sequence[Stamped]) -> None:
        self._journal.settle_stamps(outcomes, self._lease, now=self._clock())
        self._done.update(one.stamp for one in outcomes if one.stamp is not Stamp.INTENDED)

    def _allowed(self) -> bool:
        return self._following.stamp and self._journal.mode().allows(Mode.WRITE)

    def _send(self, deals: Sequence[StoredDeal]) -> bool:
        """Stamp deals of which is written down that they are about to be; what the replies leave open the
        next read tells. False where nothing came through: then the others would not either."""
        known = {deal.id: deal for deal in deals}
        self._journal.check_fence(self._lease)
        before_annotate()
        notes = [Note(id=deal.id, values=deal.values) for deal in deals]
        answers = [one for one in self._crm.annotate(DEALS, notes) if one.id in known]
        after_annotate()
        became = [self._became(known[one.id], one) for one in answers]
        self.settle(became)
        for why, n in Counter(one.message for one in became if one.message).items():
            log("deals").warning(
                "deals could not be stamped", connection=self._journal.connection, count=n, why=why
            )
        return any(
            one.code == FILLED or one.result not in (Result.FAILED, Result.UNCERTAIN) for one in answers
        )

    def _became(self, deal: StoredDeal, answer: Noted) -> Stamped:
        said, due = answer.message or answer.code, self._clock() + patience(deal.attempts)
        match answer.result:
            case Result.WRITTEN:
                return _becoming(deal, Stamp.STAMPED)
            case Result.UNCERTAIN:
                return _becoming(deal, Stamp.INTENDED, message=said)
            case Result.FAILED if answer.code == FILLED:
                return _becoming(deal, Stamp.FOREIGN)
            case Result.FAILED:
                return _becoming(deal, Stamp.INTENDED, message=said, due=due)
        refused = replace(deal, refusals=deal.refusals + 1)
        again = answer.result is Result.REFUSED and refused.refusals < GIVEN_UP
        return _becoming(refused, Stamp.REFUSED, message=said, due=due if again else None)


def _becoming(deal: StoredDeal, stamp: Stamp, *, message: str = "", due: float | None = None) -> Stamped:
    return Stamped(
        id=deal.id, stamp=stamp, due=due, attempts=deal.attempts, refusals=deal.refusals, message=message
    )
