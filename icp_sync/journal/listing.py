"""Accounts page by page, for people who look for one: by tier and status, by how a name or domain begins.

Every query walks an index and stops soon, however many accounts there are. Pages go on after an id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, union_all

from icp_sync.domain.account import Previous
from icp_sync.domain.plan import Hold
from icp_sync.domain.standing import STATES
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import loads, plain, previous_from_text
from icp_sync.journal.guarding import holds_of

_ACCOUNT = schema.account
_HELD = schema.left_alone

TIERS = (*STATES, "")
"""What an account's tier may be; "" is one that no profile is for."""
STATUSES = ("", "dead", "deferred", "gone", "held", "refused", "settled")
"""What its status may be; "" was only met so far."""
LOOKED = 2_000
"""Accounts of a name's beginning that one page looks at."""
_LAST = "\U0010ffff"
Where = Collection[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One account in a list. holds: what the guard keeps of it until a person says so. theirs: values people
    hold."""

    id: str
    name: str
    domain: str
    owner: str
    tier: str
    status: str
    in_scope: bool
    score: int | None
    profile_version: int
    settled_at: float
    wake_at: float | None
    problem: str
    survivor: str
    previous: Previous | None
    evidence: Mapping[str, object]
    holds: tuple[Hold, ...] = ()
    theirs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """accounts: in order. after: where the next page begins, "" on the last one."""

    accounts: tuple[Shown, ...]
    after: str = ""


class Listing(Bound):
    def accounts_page(
        self, *, tiers: Where = None, statuses: Where = None, after: str = "", limit: int = 50
    ) -> Page:
        """Accounts in the database's order of ids; None is any tier or status."""
        with self.reading() as conn:
            ids = self._filtered(conn, tiers, statuses, after, limit + 1)
            shown = self._shown(conn, ids[:limit])
        return Page(accounts=shown, after=ids[limit - 1] if len(ids) > limit else "")

    def accounts_named(
        self,
        text: str,
        *,
        tiers: Where = None,
        statuses: Where = None,
        after: str = "",
        limit: int = 50,
        by_domain: bool = False,
    ) -> Page:
        """Accounts whose name, in any case, or domain begins so, in that order; after: an account's id.

        A page of few may have a next one: only so many are looked at for it.
        """
        column = _ACCOUNT.c.domain if by_domain else _ACCOUNT.c.name_key
        wanted = plain(text.strip()).lower() if by_domain else plain(text.strip()).casefold()
        c = _ACCOUNT.c
        beginning = [c.connection == self.connection, column >= wanted, column < wanted + _LAST]
        with self.reading() as conn:
            if after:
                one = conn.execute(
                    select(column).where(c.connection == self.connection, c.id == after)
                ).scalar()
                if one is not None:
                    beginning += [column >= one, or_(column > one, and_(column == one, c.id > after))]
            seen = conn.execute(
                select(c.id, c.tier, c.status).where(*beginning).order_by(column, c.id).limit(LOOKED)
            ).all()
            fit = _fitting(tiers, statuses)
            found = [account_id for account_id, tier, status in seen if fit(tier, status)]
            shown = self._shown(conn, found[:limit])
        if len(found) > limit:
            return Page(accounts=shown, after=found[limit - 1])
        return Page(accounts=shown, after=seen[-1].id if len(seen) == LOOKED else "")

    def accounts_of(self, ids: Sequence[str]) -> tuple[Shown, ...]:
        """These accounts as far as they are known, in this order."""
        with self.reading() as conn:
            return self._shown(conn, ids)

    def holds_of(self, account_id: str) -> tuple[Hold, ...]:
        """What the guard keeps of one account, let pass or not."""
        with self.reading() as conn:
            return holds_of(conn, self.connection, [account_id]).get(account_id, ())

    def _filtered(self, conn: Connection, tiers: Where, statuses: Where, after: str, limit: int) -> list[str]:
        c = _ACCOUNT.c
        mine = (c.connection == self.connection, c.id > after)
        if tiers is None and statuses is None:
            those = select(c.id).where(*mine, c.status != "gone").order_by(c.id).limit(limit)
            return list(conn.execute(those).scalars())
        ranges = [
            select(
                select(c.id)
                .where(*mine, c.tier == tier, c.status == status)
                .order_by(c.id)
                .limit(limit)
                .subquery()
            )
            for tier in (TIERS if tiers is None else tiers)
            for status in ([s for s in STATUSES if s != "gone"] if statuses is None else statuses)
        ]
        if not ranges:
            return []
        united = union_all(*ranges).subquery()
        return list(conn.execute(select(united.c.id).order_by(united.c.id).limit(limit)).scalars())

    def _shown(self, conn: Connection, ids: Sequence[str]) -> tuple[Shown, ...]:
        """Whole rows of a page's accounts."""
        if not ids:
            return ()
        c = _ACCOUNT.c
        names = [
            "id", "name", "domain", "owner", "tier", "status", "in_scope", "score", "profile_version",
            "settled_at", "wake_at", "problem", "survivor", "previous", "evidence",
        ]  # fmt: skip
        those: ColumnElement[bool] = c.id.in_(ids)
        rows = conn.execute(select(*(c[n] for n in names)).where(c.connection == self.connection, those))
        held = conn.execute(
            select(_HELD.c.account, func.count())
            .where(_HELD.c.connection == self.connection, _HELD.c.account.in_(ids))
            .group_by(_HELD.c.account)
        )
        theirs = {account_id: int(n) for account_id, n in held}
        holds = holds_of(conn, self.connection, list(ids))
        found = {}
        for row in rows:
            read = row._asdict() | {
                "previous": previous_from_text(row.previous),
                "evidence": loads(row.evidence),
            }
            found[row.id] = Shown(**read, holds=holds.get(row.id, ()), theirs=theirs.get(row.id, 0))
        return tuple(found[one] for one in ids if one in found)


def _fitting(tiers: Where, statuses: Where) -> Callable[[str, str], bool]:
    """Whether an account of a tier and a status is asked for; those that are gone only by name."""

    def fit(tier: str, status: str) -> bool:
        right = status != "gone" if statuses is None else status in statuses
        return right and (tiers is None or tier in tiers)

    return fit
