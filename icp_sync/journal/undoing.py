"""What an undo asks of the journal: the run it takes back, and a claim that survives its own crash.

The claim is one transaction, before anything is sent: from then on the restored value counts as whose it was,
the value still standing as ours, nobody writes the withdrawn one again, and the history knows of the write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import bindparam, func, select, update

from icp_sync.domain.account import Confirmed, Withdrawn
from icp_sync.domain.plan import Change, Result, awaited
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.clock import ahead
from icp_sync.journal.commit import log_changes
from icp_sync.journal.encoding import (
    changes_to_text,
    confirmed_to_json,
    dumps,
    loads,
    pairs_from_text,
    pairs_to_text,
    withdrawn_from_text,
    withdrawn_to_text,
)
from icp_sync.journal.intend import ACCOUNT_MOVED, with_intents
from icp_sync.journal.records import Amended, Lease, RunRecord
from icp_sync.journal.rows import ABSENT, Stored, lock

_ACCOUNT = schema.account
_LEASE = schema.lease
_LOG = schema.change_log
_PURCHASE = schema.purchase
_RUN = schema.run


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What an undo is about to restore on one account. version: as recalled.

    confirmed: the restored values with whose they are. withdrawn: what is not to be written again, the whole.
    """

    account_id: str
    version: int
    changes: tuple[Change, ...]
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    withdrawn: Withdrawn | None = None


class Undoing(Bound):
    def run(self, run_id: str) -> RunRecord | None:
        columns = (_RUN.c.id, _RUN.c.kind, _RUN.c.started_at, _RUN.c.ended_at, _RUN.c.detail, _RUN.c.report)
        with self.reading() as conn:
            row = conn.execute(
                select(*columns).where(_RUN.c.connection == self.connection, _RUN.c.id == run_id)
            ).first()
        if row is None:
            return None
        read = RunRecord(**row._asdict())
        return replace(read, detail=loads(row.detail), report=loads(row.report))

    def oldest_run(self) -> float | None:
        """When the oldest run there still is a record of began, epoch seconds."""
        with self.reading() as conn:
            return conn.execute(
                select(func.min(_RUN.c.started_at)).where(_RUN.c.connection == self.connection)
            ).scalar()

    def is_going(self, run: RunRecord, *, now: float) -> bool:
        """Whether somebody works on this run: it has no end, is the last of its kind and range, and
        is leased."""
        return self.leased_until(run, now=now) is not None

    def leased_until(self, run: RunRecord, *, now: float) -> float | None:
        """Until when (epoch seconds) this run counts as going on, also where a killed process left it; None
        for one that does not."""
        if run.ended_at is not None:
            return None
        its = (_RUN.c.connection == self.connection, _RUN.c.id == run.id)
        part = func.coalesce(select(_RUN.c.partition).where(*its).scalar_subquery(), "")
        later = (
            _RUN.c.connection == self.connection,
            _RUN.c.kind == run.kind,
            _RUN.c.id > run.id,
            _RUN.c.partition == part,
        )
        held = (
            _LEASE.c.connection == self.connection,
            _LEASE.c.stream == run.kind,
            _LEASE.c.partition == part,
            _LEASE.c.holder != "",
        )
        with self.reading() as conn:
            overtaken = conn.execute(select(_RUN.c.id).where(*later).limit(1)).first()
            if overtaken is not None:
                return None
            until = conn.execute(select(func.max(_LEASE.c.until)).where(*held)).scalar()
            here = float(until or 0.0) - ahead(conn)  # leases go by the database's clock
            return here if here > now else None

    def put_back(self) -> dict[str, int]:
        """Undo → the accounts that hold what it put back, and stay so while their inputs are the same."""
        c = _ACCOUNT.c
        mine = (c.connection == self.connection, c.status != "gone", c.withdrawn != "")
        with self.reading() as conn:
            found = (withdrawn_from_text(text) for (text,) in conn.execute(select(c.withdrawn).where(*mine)))
            return dict(Counter(taken.run for taken in found if taken and taken.fields))

    def spent_in(self, run_id: str) -> dict[str, float]:
        """Enricher → the credits a run spent; what may have been spent counts."""
        with self.reading() as conn:
            rows = conn.execute(
                select(_PURCHASE.c.enricher, func.sum(_PURCHASE.c.amount))
                .where(_PURCHASE.c.connection == self.connection, _PURCHASE.c.run == run_id)
                .group_by(_PURCHASE.c.enricher)
                .order_by(_PURCHASE.c.enricher)
            )
            return {name: float(amount) for name, amount in rows if amount}

    def take_back(
        self, taken: Sequence[TakenBack], *, run: str, lease: Lease, now: float, sent_at: float = 0.0
    ) -> dict[str, str]:
        """Claim these accounts for the undo `run`; returns why others could not be: id → reason.

        A claimed account's version grows by one. The history holds the changes as of unknown fate until
        `came_to` says more. Raises LostLeaseError when the lease was taken over.
        """
        with self.writing("intend") as conn:
            self.guard(conn, lease)
            stored = lock(conn, self.connection, (one.account_id for one in taken))
            kept = [one for one in taken if stored.get(one.account_id, ABSENT).version == one.version]
            rows = [_claim(one, stored[one.account_id]) for one in kept if one.account_id in stored]
            if rows:
                conn.execute(
                    update(_ACCOUNT)
                    .where(_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id == bindparam("b_id"))
                    .values(
                        version=bindparam("b_version"),
                        confirmed=bindparam("b_confirmed"),
                        intents=bindparam("b_intents"),
                        withdrawn=bindparam("b_withdrawn"),
                        unechoed=bindparam("b_unechoed"),
                        sent_at=sent_at,
                        intended_by=run,
                        intended_at=now,
                    ),
                    rows,
                )
            claimed = {str(row["b_id"]) for row in rows}
            entries = [
                Amended(
                    account_id=one.account_id,
                    version=one.version,
                    changes=one.changes,
                    result=Result.UNCERTAIN,
                )
                for one in kept
                if one.account_id in claimed
            ]
            log_changes(conn, self.connection, entries, run, now)
        return {one.account_id: ACCOUNT_MOVED for one in taken if one.account_id not in claimed}

    def came_to(
        self, fates: Mapping[str, tuple[Result, tuple[Change, ...]]], *, run: str, claimed_at: float
    ) -> None:
        """What became of the changes claimed at an instant: account → result, and those it is about."""
        rows = [
            {"b_account": account_id, "b_result": result.value, "b_changes": changes_to_text(changes)}
            for account_id, (result, changes) in fates.items()
        ]
        if not rows:
            return
        with self.writing("amend") as conn:
            conn.execute(
                update(_LOG)
                .where(
                    _LOG.c.connection == self.connection,
                    _LOG.c.run == run,
                    _LOG.c.account == bindparam("b_account"),
                    _LOG.c.at == claimed_at,
                )
                .values(result=bindparam("b_result"), changes=bindparam("b_changes")),
                rows,
            )


def _claim(one: TakenBack, before: Stored) -> dict[str, object]:
    """The columns of a claimed account. What still stands there is kept as evidence: it was ours."""
    standing = {change.field: change.live for change in one.changes}
    return {
        "b_id": one.account_id,
        "b_version": before.version + 1,
        "b_confirmed": dumps(loads(before.confirmed) | confirmed_to_json(one.confirmed)),
        "b_intents": with_intents(before.intents, standing),
        "b_withdrawn": withdrawn_to_text(one.withdrawn),
        "b_unechoed": pairs_to_text(pairs_from_text(before.unechoed) | awaited(one.changes)),
    }
