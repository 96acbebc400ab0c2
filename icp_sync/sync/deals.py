"""The stream that follows deals: what became of them, and how their companies stood when they began.

A deal is stamped once, by what the history of evaluations says of the moment it was created; or, where nobody
had looked at the company yet, by the first verdict within the grace while the deal is open. What nobody knew
by then is never stamped: it would know the outcome. Nothing on an account is written here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

from icp_sync.domain.plan import Result
from icp_sync.domain.standing import Mode
from icp_sync.errors import AuthError, UnavailableError
from icp_sync.journal import Lease, Recorded, Stamp, Stamped, StoredDeal
from icp_sync.observe import cycles_total, deals_total, fault_point, log, stream_lag_seconds
from icp_sync.ports import Deal, Note, Noted, Position
from icp_sync.quota import working_for
from icp_sync.sync.cycle import LEASE_SECONDS, Parts
from icp_sync.sync.following import DEALS, Following
from icp_sync.sync.keeping import kept

BEHIND = 3600.0
"""Seconds before the end of the last read from which deals are read again: an index shows them late."""
WHOLE_EVERY = 86_400.0
"""Seconds between two reads of all deals, which find what no index showed and who is gone."""
WHOLE = "deals whole"
"""Under this name the journal keeps when a read of all deals last began, on the CRM's clock."""
STAMPING = "deals stamped since"
"""Under this name the journal keeps from when on deals are stamped; older ones never are."""
AT_ONCE = 500
NOTES = 100
GIVEN_UP = 6
"""Refusals after which a deal is not tried again."""
_RETRY_FIRST, _RETRY_MOST = 60.0, 6 * 3600.0

before_annotate = fault_point("deals.annotate.before", "stamps of which only the intents know")
after_annotate = fault_point("deals.annotate.after", "stamps the CRM holds and only the intents know")


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
    lease = parts.journal.lease(DEALS, holder=parts.holder, now=parts.clock(), ttl=LEASE_SECONDS)
    if lease is None:
        log("deals").info("deals are followed elsewhere", connection=parts.journal.connection)
        return None
    outcome = "failed"
    done = Followed()
    run = parts.journal.start_run(DEALS, now=parts.clock())
    try:
        with working_for(DEALS), kept(lease, parts.journal, parts.clock, LEASE_SECONDS):
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

    def run(self) -> None:
        now = self._crm.now()
        self._ahead = self._clock() - now
        since = self._stamping_since(now)
        self._read(now)
        self._judge_the_rest(now)
        if since is not None and self._going():
            self._stamp(since)

    def _stamping_since(self, now: float) -> float | None:
        """From when on (by the CRM's clock) deals are stamped, None while they are not. Switched on again it
        begins anew: nobody looked in between."""
        known = self._journal.position(STAMPING).done_to
        if not self._following.stamp or not self._journal.mode().allows(Mode.WRITE):
            if known:
                self._store(STAMPING, 0)
            return None
        if not known:
            known = round(now * 1000)
            self._store(STAMPING, known)
        return known / 1000

    def _store(self, name: str, ms: int) -> None:
        self._journal.commit(
            [],
            gone={},
            position=Position(done_to=ms),
            stream=name,
            lease=self._lease,
            run=self._run,
            now=self._clock(),
        )

    # Reading

    def _read(self, now: float) -> None:
        """Deals changed since the last read; all of them once a day, and those not met are forgotten."""
        whole = now - self._journal.position(WHOLE).done_to / 1000 >= WHOLE_EVERY
        began = self._clock()
        for deals in _batches(self._crm.deals(0 if whole else self._since()), AT_ONCE):
            told = self._journal.keep_deals(deals, self._lease, now=max(began, self._clock()))
            self._done.read += len(deals)
            self._done.new += len(told.new)
            self._done.stamps += told.settled
            self._judge(self._journal.deals_named(told.new))
            if not self._going():
                return
        if whole:
            self._done.dropped += self._journal.drop_deals(self._lease, unseen_since=began)
            self._store(WHOLE, round(now * 1000))
        self._store(DEALS, round(now * 1000))
        stream_lag_seconds.labels(self._journal.connection, DEALS).set(self._crm.now() - now)

    def _since(self) -> int:
        """From where to read, ms: a little before the last read, and whatever stamp is unsure."""
        since = self._journal.position(DEALS).done_to / 1000 - BEHIND
        unsure = self._journal.unsure_since()
        return max(0, round(1000 * (since if unsure is None else min(since, unsure))))

    # How companies stood

    def _judge(self, deals: Sequence[StoredDeal]) -> Mapping[str, Recorded]:
        """Look up, once, how the company of each stood when it began."""
        found = self._at_creation(deals)
        self._journal.judge_deals(found, self._lease)
        return found

    def _judge_the_rest(self, now: float) -> None:
        """Deals whose companies nobody had looked at: now somebody has, or it is too late, or they wait."""
        grace = self._following.grace
        deals = self._journal.deals_without_tier(created_since=now - grace - WHOLE_EVERY)
        found = self._judge(deals)
        ended = []
        for deal in deals:
            if deal.id in found:
                ended += [] if found[deal.id].tier else [Stamped(id=deal.id, stamp=Stamp.OUTSIDE)]
            elif not deal.open or now > deal.created_at + grace:
                ended.append(Stamped(id=deal.id, stamp=Stamp.LATE))
        self._settle(ended)

    def _at_creation(self, deals: Iterable[StoredDeal]) -> Mapping[str, Recorded]:
        """What was known of each deal's company when it was created, or soon after while it was open."""
        wanted = {}
        for deal in deals:
            if _brought_in(deal):
                continue
            at = deal.created_at + self._ahead
            wanted[deal.id] = (deal.account_id, at, at + self._following.grace if deal.open else at)
        return self._journal.recorded(wanted)

    # Stamping

    def _stamp(self, since: float) -> None:
        last, now = "", self._clock()
        while self._going():
            deals = self._journal.deals_to_stamp(created_since=since, now=now, after=last, limit=NOTES)
            if not deals:
                return
            last = deals[-1].id
            self._settle(
                [Stamped(id=deal.id, stamp=Stamp.INTENDED, attempts=deal.attempts + 1) for deal in deals]
            )
            self._send([replace(deal, attempts=deal.attempts + 1) for deal in deals])

    def _send(self, deals: Sequence[StoredDeal]) -> None:
        """Stamp deals of which is written down that they are about to be; what the replies leave open the
        next read tells."""
        known = {deal.id: deal for deal in deals}
        self._journal.check_fence(self._lease)
        before_annotate()
        answers = list(self._crm.annotate(DEALS, [Note(id=deal.id, values=deal.values) for deal in deals]))
        after_annotate()
        became = [self._became(known[one.id], one) for one in answers if one.id in known]
        self._settle(became)
        for why, n in Counter(one.message for one in became if one.message).items():
            log("deals").warning(
                "deals could not be stamped", connection=self._journal.connection, count=n, why=why
            )

    def _became(self, deal: StoredDeal, answer: Noted) -> Stamped:
        said = answer.message or answer.code
        match answer.result:
            case Result.WRITTEN:
                return Stamped(id=deal.id, stamp=Stamp.STAMPED, attempts=deal.attempts)
            case Result.UNCERTAIN:
                return Stamped(id=deal.id, stamp=Stamp.INTENDED, attempts=deal.attempts, message=said)
        failed = answer.result is Result.FAILED
        again = failed or (answer.result is Result.REFUSED and deal.attempts < GIVEN_UP)
        wait = min(_RETRY_MOST, _RETRY_FIRST * 2.0 ** min(deal.attempts, 10))
        return Stamped(
            id=deal.id,
            stamp=Stamp.INTENDED if failed else Stamp.REFUSED,
            due=self._clock() + wait if again else None,
            attempts=deal.attempts,
            message=said,
        )

    def _settle(self, outcomes: Sequence[Stamped]) -> None:
        self._journal.settle_stamps(outcomes, self._lease, now=self._clock())
        self._done.stamps += Counter(one.stamp for one in outcomes if one.stamp is not Stamp.INTENDED)


def _brought_in(deal: StoredDeal) -> bool:
    """Whether it had ended before it was created, as deals have that were imported: whatever was known then
    knew the outcome. A day is allowed for time zones."""
    if deal.open or not deal.closed_on:
        return False
    try:
        closed = datetime.fromisoformat(deal.closed_on).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return False
    return closed + 2 * WHOLE_EVERY <= deal.created_at


def _batches(deals: Iterator[Deal], size: int) -> Iterator[list[Deal]]:
    while batch := list(islice(deals, size)):
        yield batch
