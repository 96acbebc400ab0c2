"""What `status` and `explain` ask. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from icp_sync.domain.account import Origin, Previous
from icp_sync.domain.facts import FactValue
from icp_sync.domain.why import facts_of_evidence
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import (
    confirmed_from_text,
    intents_from_text,
    loads,
    plain,
    previous_from_text,
    withdrawn_from_text,
)
from icp_sync.journal.records import Listed, StoredAccount

_ACCOUNT = schema.account
_HELD = schema.left_alone
_OURS = f',"{Origin.OURS.value}",'
"""How a value confirmed as ours stands in JSON text; inside a value its quotes would be escaped."""

SAME_DOMAIN = 500
"""Accounts of one domain that are looked at, at most."""
_MODEL = '"model_tier":'
"""Stands in the JSON text of a previous standing only while people override the tier."""


class Evaluable(NamedTuple):
    """What it takes to evaluate an account again, as stored; `facts` and `remembered` read it."""

    id: str
    name: str
    domain: str
    owner: str
    parent: str
    group_key: str
    evidence: str
    previous: str

    @property
    def facts(self) -> dict[str, FactValue]:
        """The facts of its last evaluation."""
        return facts_of_evidence(loads(self.evidence))

    @property
    def remembered(self) -> Previous | None:
        return previous_from_text(self.previous)


class Reports(Bound):
    def account(self, account_id: str) -> StoredAccount | None:
        """All that is remembered of one account, None when the journal never met it."""
        data = schema.evaluation
        with self.reading() as conn:
            row = conn.execute(
                select(*_ACCOUNT.c).where(_of(self.connection), _ACCOUNT.c.id == account_id)
            ).first()
            evaluation = conn.execute(
                select(data.c.data).where(data.c.connection == self.connection, data.c.account == account_id)
            ).scalar()
            held = conn.execute(
                select(_HELD.c.field, _HELD.c.held).where(
                    _HELD.c.connection == self.connection, _HELD.c.account == account_id
                )
            ).all()
        if row is None:
            return None
        return _stored(row, evaluation, {field: loads(text) for field, text in held})

    def find(self, text: str, limit: int = 20) -> list[tuple[str, str, str]]:
        """(id, name, domain) of the accounts with this id, domain, or whole name in any case."""
        wanted = plain(text.strip())
        matches = or_(
            _ACCOUNT.c.id == wanted,
            _ACCOUNT.c.domain == wanted.lower(),
            _ACCOUNT.c.name_key == wanted.casefold(),
        )
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.id, _ACCOUNT.c.name, _ACCOUNT.c.domain)
                .where(_of(self.connection), matches, _ACCOUNT.c.id != "")
                .order_by(_ACCOUNT.c.id)
                .limit(limit)
            ).all()
        return [(account_id, name, domain) for account_id, name, domain in rows] if wanted else []

    def tiers(self) -> Mapping[str, int]:
        """Tier or state → how many in-scope accounts."""
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.tier, func.count())
                .where(_live(self.connection), _ACCOUNT.c.in_scope)
                .group_by(_ACCOUNT.c.tier)
            )
            return dict(rows.all())

    def overridden(self) -> Mapping[tuple[str, str], int]:
        """(what the profiles say, the tier people put in its place) → how many in-scope accounts."""
        found: Counter[tuple[str, str]] = Counter()
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.previous, _ACCOUNT.c.tier).where(
                    _live(self.connection), _ACCOUNT.c.in_scope, _ACCOUNT.c.previous.contains(_MODEL)
                )
            )
            for text, tier in rows:
                previous = previous_from_text(text)
                if previous is not None and previous.model_tier:
                    found[previous.model_tier, tier] += 1
        return found

    def progress(self) -> tuple[int, int]:
        """(in-scope accounts settled on the active profile version, in-scope accounts)."""
        state = schema.connection_state
        active = select(state.c.active_version).where(state.c.connection == self.connection).scalar_subquery()
        with self.reading() as conn:
            on_active = func.count().filter(_ACCOUNT.c.profile_version == active)
            done, total = conn.execute(
                select(on_active, func.count()).where(_live(self.connection), _ACCOUNT.c.in_scope)
            ).one()
        return int(done), int(total)

    def counts(self) -> Mapping[str, int]:
        """Status → how many accounts; one only met so far counts as "met"."""
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.status, func.count())
                .where(_of(self.connection))
                .group_by(_ACCOUNT.c.status)
            )
            return {status or "met": n for status, n in rows}

    def out_of_scope(self) -> int:
        """How many live accounts were settled as outside every profile's scope; `tiers` leaves them out."""
        evaluated = _ACCOUNT.c.status.not_in(("", "gone"))
        with self.reading() as conn:
            found = conn.execute(
                select(func.count()).where(_of(self.connection), evaluated, ~_ACCOUNT.c.in_scope)
            )
            return int(found.scalar_one())

    def ever_wrote(self) -> bool:
        """Whether any account holds, or may hold, a value we sent, through whichever connection.

        All connections of a journal share one seal key, so what one of them wrote is sealed for all.
        """
        sent = or_(_ACCOUNT.c.intents.not_in(("", "{}")), _ACCOUNT.c.confirmed.contains(_OURS))
        with self.reading() as conn:
            return conn.execute(select(_ACCOUNT.c.id).where(sent).limit(1)).first() is not None

    def refused(self, limit: int = 1000) -> list[Listed]:
        """Accounts whose last write the CRM refused."""
        return self._listed("refused", limit)

    def dead(self, limit: int = 1000) -> list[Listed]:
        """Accounts refused so often that only a person, or a change of the record, has them tried again."""
        return self._listed("dead", limit)

    def deferred(self, limit: int = 1000) -> list[Listed]:
        """Accounts to be tried again at their `wake_at`."""
        return self._listed("deferred", limit)

    def held(self, limit: int = 1000) -> list[Listed]:
        """Accounts held for their seal; `problem` says why. Without those the guard holds something of."""
        guarded = select(schema.hold.c.account).where(schema.hold.c.connection == self.connection)
        return self._listed("held", limit, _ACCOUNT.c.id.not_in(guarded))

    def due(self, now: float, limit: int) -> tuple[str, ...]:
        """Live accounts whose wake-up time has come, oldest first."""
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.id)
                .where(_live(self.connection), _ACCOUNT.c.wake_at <= now)
                .order_by(_ACCOUNT.c.wake_at, _ACCOUNT.c.id)
                .limit(limit)
            )
            return tuple(rows.scalars())

    def live_ids_page(self, after: str, limit: int) -> tuple[str, ...]:
        """Ids of accounts not known to be gone, in the database's order of text, after this one."""
        with self.reading() as conn:
            rows = conn.execute(
                select(_ACCOUNT.c.id)
                .where(_live(self.connection), _ACCOUNT.c.id > after)
                .order_by(_ACCOUNT.c.id)
                .limit(limit)
            )
            return tuple(rows.scalars())

    def evaluable_page(self, after: str, limit: int, until: str = "") -> tuple[Evaluable, ...]:
        """Live accounts that were evaluated at least once, in the database's order of ids, after this one and
        up to that one, "" for the last there is."""
        those = _ACCOUNT.c.id > after
        return self._evaluable(and_(those, _ACCOUNT.c.id <= until) if until else those, limit)

    def cuts(self, parts: int, least: int) -> tuple[str, ...]:
        """Ids that cut all accounts into parts of about the same size, each the last of its part: so many
        parts, or fewer of at least so many accounts."""
        ids = select(_ACCOUNT.c.id).where(_of(self.connection)).order_by(_ACCOUNT.c.id)
        with self.reading() as conn:
            count = select(func.count()).select_from(_ACCOUNT).where(_of(self.connection))
            whole = int(conn.execute(count).scalar() or 0)
            parts = max(1, min(parts, whole // least))
            size = whole // parts
            found = [conn.execute(ids.offset(size * n).limit(1)).scalar() for n in range(1, parts)]
        return tuple(str(id) for id in found if id is not None)

    def evaluable_account(self, account_id: str) -> Evaluable | None:
        """One live account, None when it was never evaluated."""
        return next(iter(self._evaluable(_ACCOUNT.c.id == account_id, 1)), None)

    def evaluable_of(self, domain: str, limit: int = 20) -> tuple[Evaluable, ...]:
        """The evaluated live accounts of a registrable domain."""
        with self.reading() as conn:  # apart: asked for in order of id, SQLite would rather walk all ids
            those = select(_ACCOUNT.c.id).where(_of(self.connection), _ACCOUNT.c.domain == plain(domain))
            ids = list(conn.execute(those.limit(SAME_DOMAIN)).scalars())
        return self._evaluable(_ACCOUNT.c.id.in_(ids), limit) if ids else ()

    def _evaluable(self, those: ColumnElement[bool], limit: int) -> tuple[Evaluable, ...]:
        columns = [_ACCOUNT.c[name] for name in Evaluable._fields]
        with self.reading() as conn:
            rows = conn.execute(
                select(*columns)
                .where(_live(self.connection), _ACCOUNT.c.evidence.not_in(("", "{}")), those)
                .order_by(_ACCOUNT.c.id)
                .limit(limit)
            ).all()
        return tuple(map(Evaluable._make, rows))

    def _listed(self, status: str, limit: int, *those: ColumnElement[bool]) -> list[Listed]:
        c = _ACCOUNT.c
        with self.reading() as conn:
            rows = conn.execute(
                select(c.id, c.name, c.domain, c.problem, c.attempts, c.wake_at)
                .where(_of(self.connection), c.status == status, *those)
                .order_by(c.settled_at, c.id)
                .limit(limit)
            ).all()
        return [
            Listed(
                account_id=account_id,
                name=name,
                domain=domain,
                status=status,
                problem=problem,
                attempts=attempts,
                wake_at=wake_at,
            )
            for account_id, name, domain, problem, attempts, wake_at in rows
        ]


def _of(connection: str) -> ColumnElement[bool]:
    return _ACCOUNT.c.connection == connection


def _live(connection: str) -> ColumnElement[bool]:
    return and_(_ACCOUNT.c.connection == connection, _ACCOUNT.c.status != "gone")


_AS_THEY_ARE = tuple(f.name for f in fields(StoredAccount) if f.name in _ACCOUNT.c)
"""What `StoredAccount` and the table name alike."""


def _stored(row: Row[Any], evaluation: str | None, held: Mapping[str, list[str]]) -> StoredAccount:
    columns = {name: getattr(row, name) for name in _AS_THEY_ARE}
    read = {
        "account_id": row.id,
        "previous": previous_from_text(row.previous),
        "confirmed": confirmed_from_text(row.confirmed),
        "intents": intents_from_text(row.intents),
        "evidence": loads(row.evidence),
        "withdrawn": withdrawn_from_text(row.withdrawn),
        "evaluation": loads(evaluation),
        "left_alone": {field: (live, desired) for field, (live, desired) in held.items()},
    }
    return StoredAccount(**(columns | read))
