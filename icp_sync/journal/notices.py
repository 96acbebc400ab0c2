"""What somebody is to be told: kept with what made it true, and crossed off once they were.

What a page's accounts give to tell is kept in the transaction that commits the page, so that a crash neither
loses nor doubles it. Sending happens elsewhere, at least once: a batch keeps its name until it is settled, so
that whoever receives it twice can know. Must not know channels, nor what a message looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import dumps, loads, plain
from icp_sync.journal.records import Lease, Notice, Settled
from icp_sync.journal.runs import count

_NOTICE = schema.notice
_ACCOUNT = schema.account

REP, OPERATOR = "rep", "operator"
WAITING, SENT, DROPPED, FAILED = "waiting", "sent", "dropped", "failed"
ALERT = "alert"
CALM = 2
"""Of an alert that comes and goes, so many notices are sent within the quiet time."""
SILENT = "notices_silent"
"""Event counted for each notice that was kept back: during a backfill, or a first reading."""
_NOBODY: Mapping[str, float] = MappingProxyType({})
_AT_ONCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNotice:
    """A notice with what became of it. state: waiting, sent, dropped (no longer true), failed (given up).

    batch: under which name it was sent, "" before the first try.
    """

    seq: int
    audience: str
    kind: str
    subject: str
    to: str
    key: str
    data: Mapping[str, Any]
    at: float
    state: str
    due: float | None = None
    batch: str = ""
    sent_at: float | None = None
    attempts: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a notice. due: from when it is tried again, for one that still waits. sent_at: when it
    arrived, None for just now."""

    seq: int
    state: str
    due: float | None = None
    attempts: int = 0
    message: str = ""
    sent_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """tier: "" where another one is on the record than was evaluated."""

    tier: str
    owner: str


@dataclass(slots=True, kw_only=True)
class NoticeCounts:
    """How many there are: audience → state → n; and how many were kept silent ever."""

    of: dict[str, dict[str, int]] = field(default_factory=dict)
    silent: int = 0

    def count(self, state: str, audience: str = "") -> int:
        chosen = [self.of.get(audience, {})] if audience else list(self.of.values())
        return sum(states.get(state, 0) for states in chosen)


class Listening(Bound):
    """Who is told at all: what is noted for anybody else is not kept."""

    quiet: Mapping[str, float] = _NOBODY
    """Audience → seconds in which the same news is told once; an audience not in it hears nothing."""

    def listening(self, quiet: Mapping[str, float]) -> Self:
        """The same journal, keeping what these audiences are to be told."""
        self.quiet = MappingProxyType(dict(quiet))
        return self


class Notices(Listening):
    def note(self, *notices: Notice, now: float) -> int:
        """Keep what somebody is to be told; returns how many of it is news.

        Not kept: what nobody listens for, and what the same subject's same key was noted for within the
        audience's quiet time, unless that was dropped. To note something together with what became of an
        account, put it into `Settled.notices`.
        """
        with self.writing("notice") as conn:
            return put_notices(conn, self, notices, now)

    def notices_due(
        self,
        now: float,
        audience: str,
        *,
        upto: float | None = None,
        urgent: Sequence[str] = (),
        limit: int = 2_000,
    ) -> list[StoredNotice]:
        """Those that may be sent now, person by person, oldest first. upto: only what was noted before then,
        or is of an urgent kind."""
        ready = [self._here, _NOTICE.c.due <= now, _NOTICE.c.audience == audience]
        if upto is not None:
            ready.append(or_(_NOTICE.c.at < upto, _NOTICE.c.kind.in_(urgent)))
        ordered = select(*_NOTICE.c).where(*ready).order_by(_NOTICE.c.to, _NOTICE.c.seq)
        with self.reading() as conn:
            return [_stored(row) for row in conn.execute(ordered.limit(limit))]

    def notices_in(self, batch: str) -> list[StoredNotice]:
        """Those of a batch that are still to be sent, oldest first."""
        mine = (self._here, _NOTICE.c.state == WAITING, _NOTICE.c.batch == batch)
        with self.reading() as conn:
            found = conn.execute(select(*_NOTICE.c).where(*mine).order_by(_NOTICE.c.seq))
            return [_stored(row) for row in found]

    def stands(self, ids: Collection[str]) -> dict[str, Stand]:
        """How these accounts stand now, by id; those that are gone are left out."""
        columns = (_ACCOUNT.c.id, _ACCOUNT.c.tier, _ACCOUNT.c.owner, _ACCOUNT.c.confirmed)
        found: dict[str, Stand] = {}
        with self.reading() as conn:
            for some in chunks(sorted(ids), _AT_ONCE):
                here = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.status != "gone")
                for id, tier, owner, confirmed in conn.execute(
                    select(*columns).where(*here, _ACCOUNT.c.id.in_(some))
                ):
                    written = loads(confirmed).get("tier", [tier])[0]
                    found[str(id)] = Stand(tier=tier if written == tier else "", owner=owner)
        return found

    def batch_notices(self, batches: Mapping[str, Sequence[int]], lease: Lease) -> None:
        """Batch → the notices that are sent under its name from now on; one that has a batch keeps it."""
        rows = [{"b_seq": seq, "b_batch": batch} for batch, seqs in batches.items() for seq in seqs]
        if not rows:
            return
        free = (self._here, _NOTICE.c.seq == bindparam("b_seq"), _NOTICE.c.batch == "")
        with self.writing("notice") as conn:
            self.guard(conn, lease)
            conn.execute(update(_NOTICE).where(*free).values(batch=bindparam("b_batch")), rows)

    def readdress_notices(self, notices: Iterable[StoredNotice], lease: Lease) -> None:
        """Keep whom these are for by now, and their keys; one that was tried stays as it is."""
        rows = [{"b_seq": one.seq, "b_to": plain(one.to), "b_key": plain(one.key)} for one in notices]
        if rows:
            free = (self._here, _NOTICE.c.seq == bindparam("b_seq"), _NOTICE.c.batch == "")
            with self.writing("notice") as conn:
                self.guard(conn, lease)
                conn.execute(
                    update(_NOTICE).where(*free).values(to=bindparam("b_to"), key=bindparam("b_key")), rows
                )

    def retry_notices(self, *, now: float) -> int:
        """What was given up waits again and is due at once; returns how many that are."""
        failed = (self._here, _NOTICE.c.state == FAILED)
        with self.writing("notice") as conn:
            again = update(_NOTICE).where(*failed).values(state=WAITING, due=now, attempts=0)
            return int(conn.execute(again).rowcount)

    def notice_before(self, notice: StoredNotice) -> StoredNotice | None:
        """What was noted last of the same subject before this one, None for nothing that is kept."""
        same = (_NOTICE.c.audience == notice.audience, _NOTICE.c.subject == notice.subject)
        before = select(*_NOTICE.c).where(self._here, *same, _NOTICE.c.seq < notice.seq)
        with self.reading() as conn:
            row = conn.execute(before.order_by(_NOTICE.c.seq.desc()).limit(1)).one_or_none()
            return None if row is None else _stored(row)

    def settle_notices(self, outcomes: Iterable[Told], lease: Lease, *, now: float) -> None:
        """What became of notices; one that is settled already stays as it is."""
        rows = [
            {
                "b_seq": one.seq,
                "state": one.state,
                "due": one.due if one.state == WAITING else None,
                "sent_at": (now if one.sent_at is None else one.sent_at) if one.state == SENT else None,
                "attempts": one.attempts,
                "message": plain(one.message, 1000),
            }
            for one in outcomes
        ]
        if rows:
            still = (self._here, _NOTICE.c.seq == bindparam("b_seq"), _NOTICE.c.state == WAITING)
            with self.writing("notice") as conn:
                self.guard(conn, lease)
                conn.execute(update(_NOTICE).where(*still), rows)

    def notices(self, *states: str, audience: str = "", limit: int = 100) -> list[StoredNotice]:
        """The latest notices, newest first, of these states or of all."""
        chosen = [self._here]
        chosen += [_NOTICE.c.state.in_(states)] if states else []
        chosen += [_NOTICE.c.audience == audience] if audience else []
        with self.reading() as conn:
            found = conn.execute(
                select(*_NOTICE.c).where(*chosen).order_by(_NOTICE.c.seq.desc()).limit(limit)
            )
            return [_stored(row) for row in found]

    def notice_counts(self) -> NoticeCounts:
        by_state = (
            select(_NOTICE.c.audience, _NOTICE.c.state, func.count())
            .where(self._here)
            .group_by(_NOTICE.c.audience, _NOTICE.c.state)
        )
        event = schema.event
        silent = select(event.c.count).where(event.c.connection == self.connection, event.c.name == SILENT)
        counts = NoticeCounts()
        with self.reading() as conn:
            for audience, state, n in conn.execute(by_state):
                counts.of.setdefault(str(audience), {})[str(state)] = int(n)
            counts.silent = int(conn.execute(silent).scalar() or 0)
        return counts

    @property
    def _here(self) -> ColumnElement[bool]:
        return _NOTICE.c.connection == self.connection


def keep_notices(conn: Connection, journal: Listening, landed: Iterable[Settled], now: float) -> None:
    """Within a page's commit: what its accounts give to tell, and how much of that is kept silent."""
    settled = list(landed)
    put_notices(conn, journal, [notice for one in settled for notice in one.notices], now)
    if silent := sum(one.silent for one in settled):
        count(conn, journal.connection, SILENT, silent)


def put_notices(conn: Connection, journal: Listening, notices: Iterable[Notice], now: float) -> int:
    """Within a transaction: keep those that somebody listens for and that are news; returns how many."""
    heard = [notice for notice in notices if notice.audience in journal.quiet]
    told = _told_lately(conn, journal, heard, now)
    rows = {}
    for notice in heard:
        same = (notice.audience, notice.subject, plain(notice.key))
        if same not in told:
            rows[same] = _row(journal.connection, notice, now)
    if rows:
        conn.execute(_NOTICE.insert(), list(rows.values()))
    return len(rows)


def note_alert(
    conn: Connection, journal: Listening, name: str, text: str, *, begun: bool, now: float
) -> None:
    """Within a transaction: an alert began, or ended, and operators are told.

    One that ends before anybody was told of it is told to nobody. One that comes and goes is told of twice
    within the quiet time; what follows becomes one notice, which waits until that is over and says how often
    it changed.
    """
    if OPERATOR not in journal.quiet:
        return
    quiet = journal.quiet[OPERATOR]
    mine = (_NOTICE.c.connection == journal.connection, _NOTICE.c.audience == OPERATOR)
    lately = or_(_NOTICE.c.state == WAITING, _NOTICE.c.at > now - quiet)
    of_it = select(*_NOTICE.c).where(*mine, _NOTICE.c.subject == plain(name), lately)
    found = [_stored(row) for row in conn.execute(of_it.order_by(_NOTICE.c.seq))]
    data: dict[str, Any] = {"text": text, "begun": begun, "changes": 1}
    if found and found[-1].state == WAITING and not found[-1].batch:  # nobody has seen it yet
        data["changes"] += int(found[-1].data.get("changes", 1))
        last = update(_NOTICE).where(_NOTICE.c.seq == found[-1].seq)
        damped = found[-1].due is not None and found[-1].due > found[-1].at
        if found[-1].data.get("begun") and not begun and not damped and data["changes"] == 2:
            conn.execute(last.values(state=DROPPED, due=None, message="over before anybody was told"))
        else:
            conn.execute(last.values(data=dumps(data)))
        return
    row = _row(journal.connection, Notice(audience=OPERATOR, kind=ALERT, subject=name, data=data), now)
    if len(recent := [one.at for one in found if one.at > now - quiet]) >= CALM:
        row["due"] = recent[0] + quiet
    conn.execute(_NOTICE.insert(), row)


def about(ids: Collection[str]) -> ColumnElement[bool]:
    """Notices about these accounts."""
    return and_(_NOTICE.c.audience == REP, _NOTICE.c.subject.in_(ids))


def move_notices(conn: Connection, connection: str, heirs: Mapping[str, str]) -> None:
    """What was, or is to be, told of accounts that were merged away is the survivor's from now on."""
    rows = [{"b_id": id, "b_heir": heir} for id, heir in heirs.items() if heir]
    if rows:
        theirs = (_NOTICE.c.connection == connection, _NOTICE.c.audience == REP)
        conn.execute(
            update(_NOTICE)
            .where(*theirs, _NOTICE.c.subject == bindparam("b_id"))
            .values(subject=bindparam("b_heir")),
            rows,
        )


def _row(connection: str, notice: Notice, now: float) -> dict[str, Any]:
    return {
        "connection": connection,
        "audience": notice.audience,
        "kind": notice.kind,
        "subject": plain(notice.subject),
        "to": plain(notice.to),
        "key": plain(notice.key),
        "data": dumps(dict(notice.data)),
        "at": now,
        "state": WAITING,
        "due": now,
    }


def _told_lately(
    conn: Connection, journal: Listening, notices: Sequence[Notice], now: float
) -> set[tuple[str, str, str]]:
    """Audience, subject and key of what was noted within the quiet time, and not dropped since."""
    found: set[tuple[str, str, str]] = set()
    subjects = sorted({plain(notice.subject) for notice in notices})
    columns = (_NOTICE.c.audience, _NOTICE.c.subject, _NOTICE.c.key, _NOTICE.c.at)
    for some in chunks(subjects, _AT_ONCE):
        mine = (_NOTICE.c.connection == journal.connection, _NOTICE.c.subject.in_(some))
        for audience, subject, key, at in conn.execute(
            select(*columns).where(*mine, _NOTICE.c.state != DROPPED)
        ):
            if at > now - journal.quiet.get(audience, 0.0):
                found.add((audience, subject, key))
    return found


def _stored(row: Row[Any]) -> StoredNotice:
    return StoredNotice(
        seq=row.seq,
        audience=row.audience,
        kind=row.kind,
        subject=row.subject,
        to=row.to,
        key=row.key,
        data=loads(row.data),
        at=row.at,
        state=row.state,
        due=row.due,
        batch=row.batch,
        sent_at=row.sent_at,
        attempts=row.attempts,
        message=row.message,
    )
