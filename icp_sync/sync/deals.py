"""The stream that follows deals: what became of them, and how their companies stood when they began.

A deal is stamped once (`stamping`), by what the history of evaluations says of the moment it was created; or,
where nobody had looked at the company yet, by the first verdict within the grace while the deal is open
(`beginnings`). What nobody knew by then is never stamped: it would know the outcome. Nothing on an account is
written here.

What changed is read, then what is new is stamped; once a day all deals are read besides, piece by piece where
that does not come to its end at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from icp_sync.errors import AuthError, UnavailableError
from icp_sync.journal import Lease, Stamp, Stamped, StoredDeal
from icp_sync.observe import cycles_total, deals_total, log, stream_lag_seconds
from icp_sync.ports import Deal, Position
from icp_sync.quota import working_for
from icp_sync.sync.beginnings import Stood, first_met, met_before, stood
from icp_sync.sync.cycle import Parts
from icp_sync.sync.following import DEALS, Following
from icp_sync.sync.keeping import kept
from icp_sync.sync.stamping import Stamping

BEHIND = 3600.0
"""Seconds before the end of the last read from which deals are read again: an index shows them late."""
WHOLE_EVERY = 86_400.0
"""Seconds between two reads of all deals, which find what no index showed and who is gone."""
WHOLE = "deals whole"
"""Under this name the journal keeps when the last read of all deals began, on the CRM's clock, and how far
the one is that is under way."""
JITTER = 300.0
"""Seconds by which the two clocks may move against each other while all deals are read."""
FEW = 20
"""So many deals may all be gone at once."""
AT_ONCE = 500


@dataclass(slots=True, kw_only=True)
class Followed:
    """What a cycle did. stamps: state → how many deals came to it."""

    read: int = 0
    new: int = 0
    dropped: int = 0
    stamps: Counter[Stamp] = field(default_factory=Counter)

    def to_json(self) -> dict[str, object]:
        stamps = {state.value: n for state, n in sorted(self.stamps.items()) if n and state is not Stamp.NONE}
        return {"read": self.read, "new": self.new, "dropped": self.dropped, "stamps": stamps}


def follow_deals(parts: Parts, *, going: Callable[[], bool] = lambda: True) -> Followed | None:
    """Run one cycle; None when another worker is at it, or deals are not followed.

    Raises UnavailableError, also where the CRM does not let us read deals: accounts are settled all the same.
    LostLeaseError when another took over; what was stamped until then is known.
    """
    if parts.following is None:
        return None
    lease = parts.journal.lease(DEALS, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        log("deals").info("deals are followed elsewhere", connection=parts.journal.connection)
        return None
    outcome = "failed"
    done = Followed()
    run = parts.journal.start_run(DEALS, now=parts.clock())
    try:
        with working_for(DEALS), kept(lease, parts.journal, parts.clock, parts.lease):
            _Cycle(parts, parts.following, lease, run, done, going).run()
        outcome = "done" if going() else "interrupted"
    except AuthError as error:
        raise UnavailableError(str(error), next_step=error.next_step) from error
    finally:
        connection = parts.journal.connection
        cycles_total.labels(connection, DEALS, outcome).inc()
        for state, n in done.stamps.items():
            deals_total.labels(connection, state.value).inc(n)
        parts.journal.end_run(run, {**done.to_json(), "outcome": outcome}, now=parts.clock())
        parts.journal.release_lease(lease)
    return done


class _Cycle:
    """One cycle under its lease."""

    def __init__(
        self,
        parts: Parts,
        following: Following,
        lease: Lease,
        run: str,
        done: Followed,
        going: Callable[[], bool],
    ) -> None:
        self._parts, self._following, self._lease, self._run = parts, following, lease, run
        self._journal, self._crm, self._clock = parts.journal, parts.crm, parts.clock
        self._done, self._going = done, going
        self._ahead = 0.0  # our clock less the CRM's
        self._stamping = Stamping(parts, following, lease, store=self._store, done=done.stamps, going=going)

    def run(self) -> None:
        now = self._crm.now()
        self._ahead = self._clock() - now
        since = self._stamping.since(now)
        self._read_changed(now)
        self._settle_up(now, since)
        if self._going() and now - self._journal.position(WHOLE).done_to / 1000 >= WHOLE_EVERY:
            self._read_all(now)
            self._settle_up(now, since)

    def _store(self, name: str, position: Position) -> None:
        self._journal.commit(
            [],
            gone={},
            position=position,
            stream=name,
            lease=self._lease,
            run=self._run,
            now=self._clock(),
        )

    # Reading

    def _read_changed(self, now: float) -> None:
        """Deals changed since the last read. Where there was none, all will be read anyway."""
        if before := self._journal.position(DEALS).done_to:
            since, began = self._since(before / 1000, now), self._clock()
            told = self._journal.deals_told(since)
            for deals in _batches(self._crm.deals(max(1, round(since * 1000)), spare=told), AT_ONCE):
                self._keep(deals, began)
                if not self._going():
                    return
        self._store(DEALS, Position(done_to=round(now * 1000)))
        stream_lag_seconds.labels(self._journal.connection, DEALS).set(self._crm.now() - now)

    def _since(self, before: float, now: float) -> float:
        """From where to read: a little before the last read, and whatever only a read can tell."""
        unsure = self._journal.unsure_since()
        waiting = self._stood(deals := self._without_tier(now)).waiting
        changes = [deal.changed_at for deal in deals if deal.id in waiting]
        return min([before - BEHIND, *changes, *([] if unsure is None else [unsure])])

    def _read_all(self, now: float) -> None:
        """Once a day, from where the last one broke off: who was not met is gone."""
        at = self._journal.position(WHOLE)
        if not at.upper:
            at = replace(at, upper=round(now * 1000), last_id="")
        began = self._clock()
        for deals in _batches(self._crm.deals(0, after=at.last_id), AT_ONCE):
            self._keep(deals, began)
            at = replace(at, last_id=deals[-1].id)
            self._store(WHOLE, at)
            if not self._going():
                return
        self._miss(at.upper / 1000 + self._ahead - JITTER, first=not at.done_to)
        self._store(WHOLE, Position(done_to=at.upper))

    def _miss(self, unseen_since: float, *, first: bool) -> None:
        """Deals that were not met are gone; not when most would be, for then we do not see. first: no read of
        this CRM has come to its end before."""
        missing, known = self._journal.unseen_deals(unseen_since)
        if missing > FEW and missing > known / 2 and not first:
            log("deals").error(
                "most deals were not to be seen, so none counts as gone: may we still read them?",
                connection=self._journal.connection,
                missing=missing,
                known=known,
            )
            return
        self._done.dropped += self._journal.deals_gone(
            self._lease, unseen_since=unseen_since, now=self._clock()
        )

    def _keep(self, deals: Sequence[Deal], began: float) -> None:
        """Remember a batch, and at once how the companies of those stood that are new: a crash in between
        would leave them without for good."""
        known = self._journal.deals_known([deal.id for deal in deals])
        new = [deal for deal in deals if deal.id not in known]
        beginnings = (first_met(deal, seen_at=began, ahead=self._ahead) for deal in new)
        told = stood(filter(None, beginnings), self._following.grace, self._journal.recorded)
        kept = self._journal.keep_deals(deals, self._lease, now=began, stood=told.found)
        self._done.read += len(deals)
        self._done.new += len(kept.new)
        self._done.stamps += kept.settled

    # How companies stood

    def _settle_up(self, now: float, since: float | None) -> None:
        """Deals whose companies nobody had looked at: now somebody has, or it is too late, or they wait.
        Then what is new is stamped."""
        told = self._stood(deals := self._without_tier(now))
        self._journal.judge_deals(told.found, self._lease)
        ended = []
        for deal in deals:
            over = not deal.open or now > deal.created_at + self._following.grace
            if (found := told.found.get(deal.id)) is not None:
                ended += [] if found.tier else [Stamped(id=deal.id, stamp=Stamp.OUTSIDE)]
            elif deal.id in told.late or (over and deal.id not in told.waiting):
                ended.append(Stamped(id=deal.id, stamp=Stamp.LATE))
        self._stamping.settle(ended)
        if since is not None:
            self._stamping.stamp(since)

    def _without_tier(self, now: float) -> list[StoredDeal]:
        return self._journal.deals_without_tier(created_since=now - self._following.grace - WHOLE_EVERY)

    def _stood(self, deals: Sequence[StoredDeal]) -> Stood:
        """What can be told of those that are open. The others were looked at when they were met."""
        beginnings = [met_before(deal, ahead=self._ahead) for deal in deals if deal.open]
        return stood(beginnings, self._following.grace, self._journal.recorded)


def _batches(deals: Iterator[Deal], size: int) -> Iterator[list[Deal]]:
    while batch := list(islice(deals, size)):
        yield batch
