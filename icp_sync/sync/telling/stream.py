"""The stream that tells people what is due: look once more whether it is still true, send, cross off.

At least once: what was sent and not crossed off is sent again under the same key. A webhook of Slack's knows
no keys, so there a crash may show a message twice; the plain format carries the key, a task is found again.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter as Metric

from icp_sync.domain.telling import ASSIGNED, TIER
from icp_sync.errors import IcpSyncError
from icp_sync.journal import (
    DROPPED,
    FAILED,
    OPERATOR,
    REP,
    SENT,
    WAITING,
    Journal,
    Lease,
    StoredNotice,
    Told,
    patience,
)
from icp_sync.observe import fault_point, log, registry
from icp_sync.quota import working_for
from icp_sync.sync.cycle import LEASE_SECONDS, Parts
from icp_sync.sync.keeping import kept
from icp_sync.sync.telling.message import BREACH, Message, digest_of
from icp_sync.sync.telling.outgoing import Answer, Outgoing

TELLING = "telling"
"""The stream's name: of its lease."""
TRIES = 8
"""After so many a message is given up."""
UNTOLD = "people are not told"
"""The name of the alert that stands while messages are given up."""
URGENT = (BREACH,)
"""Kinds that wait for no digest."""
AT_ONCE = 2_000

notices_total = Metric(
    "icp_sync_notices_total",
    "Notices to people, by what became of them",
    ["connection", "audience", "outcome"],
    registry=registry,
)
OUTCOMES = ("sent", "dropped", "failed", "retried")
before_tell = fault_point("telling.send.before", "messages of which only the journal knows that they are due")
after_tell = fault_point("telling.send.after", "messages that arrived and are still due in the journal")


@dataclass(slots=True, kw_only=True)
class Sent:
    """What a cycle did. messages: how many arrived. notices: state → how many notices came to it."""

    messages: int = 0
    notices: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, object]:
        return {"messages": self.messages, **{state: n for state, n in sorted(self.notices.items()) if n}}


def tell(
    parts: Parts, *, going: Callable[[], bool] = lambda: True, audiences: Sequence[str] = (OPERATOR, REP)
) -> Sent | None:
    """Send what is due; None when another worker is at it, or nobody is told anything.

    Raises LostLeaseError when another took over, and what the journal raises.
    """
    if parts.outgoing is None:
        return None
    lease = parts.journal.lease(TELLING, holder=parts.holder, now=parts.clock(), ttl=LEASE_SECONDS)
    if lease is None:
        return None
    sent = Sent()
    try:
        with working_for(TELLING), kept(lease, parts.journal, parts.clock, LEASE_SECONDS):
            cycle = _Cycle(parts, parts.outgoing, lease, sent, going)
            for audience in audiences:
                cycle.tell(audience)
    finally:
        parts.journal.release_lease(lease)
    return sent


def last_words(halted: Iterable[Parts]) -> None:
    """Before the process ends: operators hear of connections that were halted; what cannot be sent now waits
    for the next start."""
    for parts in halted:
        try:
            tell(parts, audiences=(OPERATOR,))
        except IcpSyncError as error:
            log("telling").warning(
                "a stop could not be told", connection=parts.journal.connection, error=str(error)
            )


def due_now(journal: Journal, outgoing: Outgoing, audience: str, now: float) -> list[StoredNotice]:
    """What may be sent now: what a digest waits for only once its period is over."""
    if audience == OPERATOR:
        return journal.notices_due(now, audience, limit=AT_ONCE)
    telling = outgoing.telling
    upto = telling.goes_out(now) - telling.digest if telling.digest else None
    return journal.notices_due(now, audience, upto=upto, urgent=URGENT, limit=AT_ONCE)


def outdated(journal: Journal, notices: Sequence[StoredNotice]) -> dict[int, str]:
    """Notices that are not true any more, by number, each with what changed."""
    about = [notice for notice in notices if notice.audience == REP]
    stands = journal.stands({notice.subject for notice in about})
    found: dict[int, str] = {}
    for notice in about:
        now = stands.get(notice.subject)
        if now is None:
            found[notice.seq] = "the account is gone"
        elif notice.kind in (TIER, ASSIGNED) and now.tier != notice.data.get("tier"):
            found[notice.seq] = f"the tier is {now.tier or 'another'} by now"
        elif notice.kind in (TIER, ASSIGNED) and now.owner != notice.to:
            found[notice.seq] = f"{now.owner or 'nobody'} owns it by now"
    return found


def together(notices: Iterable[StoredNotice], outgoing: Outgoing) -> list[list[StoredNotice]]:
    """Notices that make one message each time: a person's, unless each is told at once; every alert alone."""
    single = not outgoing.telling.digest
    parted: dict[tuple[object, ...], list[StoredNotice]] = {}
    for notice in notices:
        alone = single or notice.audience == OPERATOR or notice.kind in URGENT
        key = (notice.batch,) if notice.batch else (notice.seq,) if alone else ("", notice.to)
        parted.setdefault(key, []).append(notice)
    return list(parted.values())


class _Cycle:
    """One cycle under its lease."""

    def __init__(
        self, parts: Parts, outgoing: Outgoing, lease: Lease, sent: Sent, going: Callable[[], bool]
    ) -> None:
        self._journal, self._crm, self._clock = parts.journal, parts.crm, parts.clock
        self._outgoing, self._lease, self._sent, self._going = outgoing, lease, sent, going

    def tell(self, audience: str) -> None:
        due = due_now(self._journal, self._outgoing, audience, self._clock())
        self._drop(due)
        for batch in self._batched(due):
            if not self._going():
                return
            self._send(batch)

    def _drop(self, notices: Sequence[StoredNotice]) -> set[int]:
        untrue = outdated(self._journal, notices)
        dropped = [notice for notice in notices if notice.seq in untrue]
        self._settle(
            Told(seq=one.seq, state=DROPPED, attempts=one.attempts, message=untrue[one.seq])
            for one in dropped
        )
        self._count(dropped, DROPPED)
        return set(untrue)

    def _batched(self, due: Sequence[StoredNotice]) -> list[str]:
        """The names under which what is due is sent, given where there is none yet."""
        groups = together(due, self._outgoing)
        names = {group[0].batch or secrets.token_hex(6): group for group in groups}
        fresh = {name: [n.seq for n in group] for name, group in names.items() if not group[0].batch}
        self._journal.batch_notices(fresh, self._lease)
        return list(names)

    def _send(self, batch: str) -> None:
        """One message, by what its notices say now, and what became of it."""
        notices = self._journal.notices_in(batch)
        untrue = self._drop(notices)
        notices = [notice for notice in notices if notice.seq not in untrue]
        if not notices:
            return
        message = self._message(notices, batch)
        self._journal.check_fence(self._lease)
        before_tell()
        accounts = tuple(dict.fromkeys(notice.subject for notice in notices))
        answer = self._outgoing.send(message, self._crm, accounts=accounts)
        after_tell()
        self._became(notices, answer)

    def _message(self, notices: Sequence[StoredNotice], batch: str) -> Message:
        connection, url = self._journal.connection, self._outgoing.record_url
        return digest_of(notices, batch, connection=connection, record_url=url)

    def _became(self, notices: Sequence[StoredNotice], answer: Answer) -> None:
        now = self._clock()
        attempts = max(notice.attempts for notice in notices) + 1
        again = WAITING if answer.again and attempts < TRIES else FAILED
        state = SENT if answer.taken else DROPPED if answer.moot else again
        due = now + max(patience(attempts), answer.retry_after)
        said = answer.by if answer.taken else answer.why
        self._settle(
            Told(seq=one.seq, state=state, due=due, attempts=attempts, message=said) for one in notices
        )
        self._count(notices, state)
        self._sent.messages += answer.taken
        if not answer.taken and not answer.moot:
            self._say(notices, answer, state)
        elif answer.taken and self._journal.end_alert(UNTOLD, now=now):
            log("telling").info("messages arrive again", connection=self._journal.connection)

    def _say(self, notices: Sequence[StoredNotice], answer: Answer, state: str) -> None:
        log("telling").warning(
            "a message did not arrive",
            connection=self._journal.connection,
            audience=notices[0].audience,
            notices=len(notices),
            why=answer.why,
            given_up=state == FAILED,
        )
        if state == FAILED:
            text = f"a message to {notices[0].audience}s was given up: {answer.why}. next: icp-sync notices"
            self._journal.raise_alert(UNTOLD, text, now=self._clock())

    def _settle(self, outcomes: Iterable[Told]) -> None:
        self._journal.settle_notices(outcomes, self._lease, now=self._clock())

    def _count(self, notices: Sequence[StoredNotice], state: str) -> None:
        outcome = "retried" if state == WAITING else state
        if not notices:
            return
        self._sent.notices[outcome] += len(notices)
        for notice in notices:
            notices_total.labels(self._journal.connection, notice.audience, outcome).inc()
