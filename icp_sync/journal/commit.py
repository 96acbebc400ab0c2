"""What became of a page, in one short transaction whose last statement is the stream's position.

Everything that can be computed beforehand is: while the transaction is open only stored evidence is merged
with new. Nothing is looked up account by account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, update

from icp_sync import lean_json
from icp_sync.domain.account import Origin
from icp_sync.journal import schema
from icp_sync.journal.assignments import count_assignments, keep_assignments
from icp_sync.journal.bulk import insert_rows, upsert, upsert_rows
from icp_sync.journal.encoding import (
    changes_to_text,
    confirmed_to_json,
    dumps,
    loads,
    owed_to_text,
    pairs_to_text,
    plain,
    previous_to_text,
    withdrawn_to_text,
)
from icp_sync.journal.families import stir
from icp_sync.journal.guarding import keep_holds, note_movements
from icp_sync.journal.intend import with_intents
from icp_sync.journal.left_alone import keep_left_alone
from icp_sync.journal.merges import bury
from icp_sync.journal.notices import Listening, keep_notices
from icp_sync.journal.records import Amended, Lease, Settled
from icp_sync.journal.rows import ABSENT, MOVING, Loads, Stored, lock, overwrite
from icp_sync.journal.runs import count
from icp_sync.ports import Position

_ACCOUNT = schema.account
_POSITION = schema.position

OVERTAKEN = "commit_overtaken"
"""Event counted for each account whose state another worker had committed in between."""


class Commit(Listening):
    def commit(
        self,
        settled: Sequence[Settled],
        *,
        gone: Mapping[str, str],
        position: Position | None,
        stream: str,
        partition: str = "",
        lease: Lease,
        run: str,
        now: float,
    ) -> None:
        """Remember a page: its accounts, those gone (id → survivor or ""), and how far the stream is.

        All or nothing. `position` None leaves the stream where it was. Raises LostLeaseError, having
        changed nothing, when the lease was taken over.
        """
        drafts = [(one, _row(one, now)) for one in settled]
        evaluations = {one.account_id: lean_json.dumps(one.evaluation) for one in settled if one.evaluation}
        with self.writing("commit") as conn:
            self.guard(conn, lease)
            loads_moved = Loads()
            landed = self._store(conn, drafts, loads_moved, now)
            self._explain(conn, landed, evaluations)
            log_changes(conn, self.connection, settled, run, now)
            self._log_evaluations(conn, landed, evaluations, run, now)
            keep_left_alone(conn, self.connection, landed, now)
            keep_holds(conn, self.connection, {one.account_id: one.holds for one in landed}, run, now)
            note_movements(conn, self.connection, settled, run, now)
            stir(conn, self.connection, landed, now)
            keep_assignments(conn, self.connection, landed)
            keep_notices(conn, self, landed, now)
            bury(conn, self.connection, gone, loads_moved, now)
            loads_moved.store(conn, self.connection)
            if overtaken := len(settled) - len(landed):
                count(conn, self.connection, OVERTAKEN, overtaken)
            if position is not None:
                move(conn, self.connection, stream, partition, position, now)
        count_assignments(self.connection, landed)

    def _store(
        self, conn: Connection, drafts: Sequence[tuple[Settled, Stored]], moved: Loads, now: float
    ) -> list[Settled]:
        """Overwrite the accounts still at the version we know; returns those. Of one that stands as it stood
        only the date and the like are written: most pages change nothing, and its text is long."""
        stored = lock(conn, self.connection, (one.account_id for one, _ in drafts))
        quiet: dict[str, Stored] = {}
        rows: dict[str, Stored] = {}
        landed: list[Settled] = []
        overtaken: list[Settled] = []
        for one, row in drafts:
            before = stored.get(one.account_id, ABSENT)
            if one.version is not None and one.version != before.version:
                overtaken.append(one)
                continue
            after = row._replace(
                version=before.version + 1,
                confirmed=with_confirmed(before.confirmed, one),
                intents=without(before.intents, one.resolved),
                former=_former(before, row.domain),
                intended_by=before.intended_by,
                intended_at=before.intended_at,
            )
            moved.move(before.counted_owner, after.counted_owner)
            stored[one.account_id] = after
            same = after[len(MOVING) :] == before[len(MOVING) :]
            (quiet if same and one.account_id not in rows else rows)[one.account_id] = after
            landed.append(one)
        overwrite(conn, self.connection, quiet, MOVING)
        overwrite(conn, self.connection, rows)
        for one in overtaken:
            keep_evidence(conn, self.connection, one, stored.get(one.account_id, ABSENT), now)
        return landed

    def _explain(self, conn: Connection, landed: Iterable[Settled], evaluations: Mapping[str, str]) -> None:
        """The whole evaluation, for explain."""
        shown = {one.account_id: evaluations[one.account_id] for one in landed if one.evaluation}
        rows = [(self.connection, account_id, text) for account_id, text in shown.items()]
        upsert_rows(conn, schema.evaluation, ("connection", "account", "data"), rows)

    def _log_evaluations(
        self,
        conn: Connection,
        landed: Iterable[Settled],
        evaluations: Mapping[str, str],
        run: str,
        now: float,
    ) -> None:
        """What materially changed."""
        columns = ("connection", "run", "at", "account", "tier", "score", "why", "data")
        rows = [
            (
                *(self.connection, run, now, one.account_id, one.tier, one.score),
                plain(one.previous.why if one.previous else "", 2000),
                evaluations.get(one.account_id, ""),
            )
            for one in landed
            if one.log_evaluation
        ]
        insert_rows(conn, schema.evaluation_log, columns, rows)


def log_changes(
    conn: Connection, connection: str, written: Iterable[Settled | Amended], run: str, now: float
) -> None:
    """What was sent, whoever settled the account in the end."""
    columns = ("connection", "run", "at", "account", "result", "changes")
    rows = [
        (connection, run, now, one.account_id, one.result.value, changes_to_text(one.changes))
        for one in written
        if one.changes
    ]
    insert_rows(conn, schema.change_log, columns, rows)


def move(
    conn: Connection, connection: str, stream: str, partition: str, position: Position, now: float
) -> None:
    row = {
        "connection": connection,
        "stream": stream,
        "partition": partition,
        "data": dumps(position.to_json()),
        "at": now,
    }
    upsert(conn, _POSITION, [row])


def keep_evidence(
    conn: Connection, connection: str, one: Settled | Amended, before: Stored, now: float
) -> None:
    """Of an overtaken account, keep which values are ours: as intents, which overwrite nothing newer.

    It is due at once: the worker that overtook us may have read it before we did.
    """
    if before is ABSENT:
        return
    ours = {name: held.value for name, held in one.confirmed.items() if held.origin is Origin.OURS}
    conn.execute(
        update(_ACCOUNT)
        .where(_ACCOUNT.c.connection == connection, _ACCOUNT.c.id == one.account_id)
        .values(intents=with_intents(before.intents, ours) if ours else before.intents, wake_at=now)
    )


def with_confirmed(text: str, one: Settled | Amended) -> str:
    if not one.confirmed:
        return text
    return lean_json.dumps(loads(text) | confirmed_to_json(one.confirmed))


def _row(one: Settled, now: float) -> Stored:
    """The account's row, but for what depends on what is stored."""
    name, owner = plain(one.name), plain(one.owner)
    counted = owner if one.counts_for is None else plain(one.counts_for)
    return Stored(
        settled_at=now,
        stamp=one.stamp,
        seen_stamp=one.stamp if one.seen else None,
        unechoed=pairs_to_text(one.unechoed),
        sent_at=one.sent_at,
        status=one.status,
        counted_owner=counted if one.in_scope else "",
        in_scope=one.in_scope,
        tier=one.tier,
        profile_version=one.profile_version,
        score=one.score,
        wake_at=one.wake_at,
        attempts=one.attempts,
        domain=plain(one.domain),
        name=name,
        name_key=name.casefold(),
        owner=owner,
        problem=plain(one.problem, 2000),
        fingerprint=one.fingerprint,
        previous=previous_to_text(one.previous),
        evidence=lean_json.dumps(one.evidence) if one.evidence else "",
        parent=plain(one.parent),
        group_key=plain(one.group),
        owed=owed_to_text(one.owed),
        withdrawn=withdrawn_to_text(one.withdrawn),
    )


def _former(before: Stored, domain: str) -> str:
    """The domains the account's company had before this one: answers bought under them are about it, too."""
    if not before.former and before.domain in ("", domain):
        return ""
    known: list[str] = loads(before.former) or []
    left = [one for one in dict.fromkeys([*known, before.domain]) if one and one != domain]
    return lean_json.dumps(left) if left else ""


def without(text: str, resolved: Mapping[str, tuple[str, ...]]) -> str:
    """Stored intents less those a read has resolved."""
    if not text or not resolved:
        return text
    intents: dict[str, list[str]] = loads(text)
    for name, values in resolved.items():
        left = [value for value in intents.pop(name, []) if value not in values]
        if left:
            intents[name] = left
    return lean_json.dumps(intents) if intents else ""
