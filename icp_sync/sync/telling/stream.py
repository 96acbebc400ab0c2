"""The stream that tells people what is due: look once more whether it is still true, send, cross off.

At least once: what was sent and not crossed off is sent again under the same key. A webhook of Slack's knows
no keys, so there a crash may show a message twice; the plain format carries the key, a task is found again.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter as Metric

from icp_sync.domain.standing import Mode
from icp_sync.errors import IcpSyncError
from icp_sync.journal import (
    DROPPED,
    FAILED,
    OPERATOR,
    REP,
    SENT,
    WAITING,
    Lease,
    StoredNotice,
    Told,
)
from icp_sync.observe import fault_point, log, registry
from icp_sync.quota import working_for
from icp_sync.sync.cycle import Parts
from icp_sync.sync.keeping import kept
from icp_sync.sync.telling.due import AT_ONCE, as_they_stand, due_now, together
from icp_sync.sync.telling.message import Message, digest_of
from icp_sync.sync.telling.outgoing import Answer, Outgoing

TELLING = "telling"
"""The stream's name: of its lease."""
TRIES = 22
"""After so many a message is given up: more than three days, so that an outage of a weekend loses nothing."""
_FIRST, _MOST = 60.0, 6 * 3600.0
WORRIED = 6
"""After so many tries of one message it is an alert: half an hour."""
UNTOLD: Mapping[str, str] = {REP: "reps are not told", OPERATOR: "operators are not told"}
"""Audience → the name of the alert that stands while its messages do not arrive."""
UNREACHABLE = "somebody cannot be told"
"""The name of the alert that stands while there is no way to somebody who was to be told. Its text begins
with who that is."""
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
    lease = parts.journal.lease(TELLING, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        return None
    sent = Sent()
    try:
        with working_for(TELLING), kept(lease, parts.journal, parts.clock, parts.lease):
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


def patience(attempts: int) -> float:
    """Seconds to the next try of a message after so many."""
    return min(_MOST, _FIRST * 2.0 ** (min(attempts, 12) - 1))


class _Cycle:
    """One cycle under its lease."""

    def __init__(
        self, parts: Parts, outgoing: Outgoing, lease: Lease, sent: Sent, going: Callable[[], bool]
    ) -> None:
        self._journal, self._crm, self._clock = parts.journal, parts.crm, parts.clock
        self._outgoing, self._lease, self._sent, self._going = outgoing, lease, sent, going
        self._down: set[str] = set()

    def tell(self, audience: str) -> None:
        due = due_now(self._journal, self._outgoing, audience, self._clock())
        if audience == OPERATOR:
            due = self._in_turn(due)
        for batch in self._batched(self._true(due)):
            if not self._going():
                return
            self._send(batch)

    def _in_turn(self, due: Sequence[StoredNotice]) -> list[StoredNotice]:
        """Of each alert what came first: nobody hears that it is over before they hear of it."""
        first: dict[str, int] = {}
        for one in self._journal.notices(WAITING, audience=OPERATOR, limit=AT_ONCE):  # newest first
            first[one.subject] = one.seq
        return [one for one in due if one.seq <= first.get(one.subject, one.seq)]

    def _true(self, notices: Sequence[StoredNotice]) -> list[StoredNotice]:
        """Those that are still true, with whom they are for; the others are crossed off."""
        true, untrue = as_they_stand(self._journal, notices)
        dropped = [notice for notice in notices if notice.seq in untrue]
        self._settle(
            Told(seq=one.seq, state=DROPPED, attempts=one.attempts, message=untrue[one.seq])
            for one in dropped
        )
        self._count(dropped, DROPPED)
        was = {notice.seq: notice.to for notice in notices}
        self._journal.readdress_notices((one for one in true if one.to != was[one.seq]), self._lease)
        return true

    def _batched(self, due: Sequence[StoredNotice]) -> list[str]:
        """The names under which what is due is sent, given where there is none yet."""
        groups = together(due, self._outgoing)
        names = {group[0].batch or secrets.token_hex(6): group for group in groups}
        fresh = {name: [n.seq for n in group] for name, group in names.items() if not group[0].batch}
        self._journal.batch_notices(fresh, self._lease)
        return list(names)

    def _send(self, batch: str) -> None:
        """One message, by what its notices say now, and what became of it."""
        notices = self._true(self._journal.notices_in(batch))
        if not notices:
            return
        message = self._message(notices, batch)
        self._journal.check_fence(self._lease)
        before_tell()
        accounts = tuple(dict.fromkeys(notice.subject for notice in notices))
        writes = self._journal.mode().allows(Mode.WRITE)
        answer = self._outgoing.send(message, self._crm, accounts=accounts, down=self._down, writes=writes)
        after_tell()
        if answer is not None:  # else it waits, and that was no try
            self._down |= {answer.down} if answer.down else set()
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
            Told(seq=one.seq, state=state, due=due, attempts=attempts, message=said, sent_at=answer.made_at)
            for one in notices
        )
        self._count(notices, state)
        self._sent.messages += answer.taken
        if answer.taken:
            self._arrived(notices[0], now)
        elif not answer.moot:
            self._say(notices, answer, state, attempts)

    def _arrived(self, notice: StoredNotice, now: float) -> None:
        """What stood because nothing arrived is over."""
        over = [UNTOLD[notice.audience]]
        whom = f"{notice.to} "
        over += [a.name for a in self._journal.alerts() if a.name == UNREACHABLE and a.text.startswith(whom)]
        for name in over:
            if self._journal.end_alert(name, now=now):
                log("telling").info("messages arrive again", connection=self._journal.connection)

    def _say(self, notices: Sequence[StoredNotice], answer: Answer, state: str, attempts: int) -> None:
        audience = notices[0].audience
        log("telling").warning(
            "a message did not arrive",
            connection=self._journal.connection,
            audience=audience,
            notices=len(notices),
            why=answer.why,
            given_up=state == FAILED,
        )
        if answer.unreachable:
            name, text = UNREACHABLE, f"{answer.why}. next: icp-sync check, then icp-sync notices --retry"
        elif state == FAILED:
            name = UNTOLD[audience]
            text = f"a message to {audience}s was given up: {answer.why}. next: icp-sync notices --retry"
        elif attempts >= WORRIED:
            name, text = UNTOLD[audience], f"messages to {audience}s do not arrive: {answer.why}"
        else:
            return
        self._journal.raise_alert(name, text, now=self._clock())

    def _settle(self, outcomes: Iterable[Told]) -> None:
        self._journal.settle_notices(outcomes, self._lease, now=self._clock())

    def _count(self, notices: Sequence[StoredNotice], state: str) -> None:
        outcome = "retried" if state == WAITING else state
        if not notices:
            return
        self._sent.notices[outcome] += len(notices)
        for notice in notices:
            notices_total.labels(self._journal.connection, notice.audience, outcome).inc()
