"""What was sent and what was thought, by account and by run. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select

from icp_sync.domain.facts import FactValue
from icp_sync.domain.why import facts_of_evidence
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import changes_from_text, loads
from icp_sync.journal.records import Changed, Evaluated

_LOG = schema.change_log


class Histories(Bound):
    def history(self, account_id: str, *, last: int | None = None) -> list[Changed]:
        """Every field ever sent for this account, oldest first; of the last so many writes."""
        columns = (_LOG.c.run, _LOG.c.at, _LOG.c.result, _LOG.c.changes)
        with self.reading() as conn:
            rows = conn.execute(
                select(*columns)
                .where(_LOG.c.connection == self.connection, _LOG.c.account == account_id)
                .order_by(_LOG.c.seq.desc())
                .limit(last)
            ).all()
        return [
            one
            for run, at, result, text in reversed(rows)
            for one in _changed(account_id, run, at, result, text)
        ]

    def changed_in(self, run: str, *, after: str = "", limit: int = 1000) -> dict[str, list[Changed]]:
        """What a run sent, by account in order of id, oldest first: the next `limit` accounts after an id."""
        mine = (_LOG.c.connection == self.connection, _LOG.c.run == run)
        with self.reading() as conn:
            ids = conn.execute(
                select(_LOG.c.account)
                .where(*mine, _LOG.c.account > after)
                .distinct()
                .order_by(_LOG.c.account)
                .limit(limit)
            ).scalars()
            found: dict[str, list[Changed]] = {account_id: [] for account_id in ids}
            for chunk in chunks(list(found)):
                rows = conn.execute(
                    select(_LOG.c.account, _LOG.c.at, _LOG.c.result, _LOG.c.changes)
                    .where(*mine, _LOG.c.account.in_(chunk))
                    .order_by(_LOG.c.seq)
                )
                for account_id, at, result, text in rows:
                    found[account_id] += _changed(account_id, run, at, result, text)
        return found

    def evaluations(self, account_id: str, *, last: int | None = None) -> list[Evaluated]:
        """Every material change of this account's evaluation, oldest first; the last so many of them."""
        log = schema.evaluation_log
        columns = (log.c.run, log.c.at, log.c.tier, log.c.score, log.c.why, log.c.data)
        with self.reading() as conn:
            rows = conn.execute(
                select(*columns)
                .where(log.c.connection == self.connection, log.c.account == account_id)
                .order_by(log.c.seq.desc())
                .limit(last)
            ).all()
        return [
            Evaluated(
                account_id=account_id, run=run, at=at, tier=tier, score=score, why=why, evaluation=loads(text)
            )
            for run, at, tier, score, why, text in reversed(rows)
        ]

    def facts_before(self, instants: Mapping[str, float]) -> dict[str, dict[str, FactValue]]:
        """Account id → the facts of its last evaluation at or before an instant (epoch seconds).

        Of those only that have one, and whose facts were kept with it.
        """
        log = schema.evaluation_log
        last: dict[int, str] = {}
        found: dict[str, dict[str, FactValue]] = {}
        with self.reading() as conn:
            for chunk in chunks(list(instants)):
                mine = (log.c.connection == self.connection, log.c.account.in_(chunk))
                rows = conn.execute(
                    select(log.c.account, log.c.at, log.c.seq).where(*mine).order_by(log.c.seq)
                )
                latest = {account_id: seq for account_id, at, seq in rows if at <= instants[account_id]}
                last |= {seq: account_id for account_id, seq in latest.items()}
            for some in chunks(list(last)):
                for seq, text in conn.execute(select(log.c.seq, log.c.data).where(log.c.seq.in_(some))):
                    if facts := _facts(loads(text)):
                        found[last[seq]] = facts
        return found


def _facts(evaluation: Mapping[str, object]) -> dict[str, FactValue]:
    """The facts of a logged evaluation, none where it kept none that can be read."""
    evidence = evaluation.get("evidence")
    try:
        return facts_of_evidence(evidence) if isinstance(evidence, dict) else {}
    except (ValueError, TypeError, LookupError):
        return {}


def _changed(account_id: str, run: str, at: float, result: str, text: str) -> Iterator[Changed]:
    for change in changes_from_text(account_id, text):
        yield Changed(
            account_id=account_id,
            run=run,
            field=change.field,
            before=change.live,
            after=change.desired,
            reason=change.reason,
            result=result,
            at=at,
            origin=change.origin,
        )
