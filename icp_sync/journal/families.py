"""Parents and groups: who belongs together, what is known of those above, and who is due when it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, case, or_, select, update

from icp_sync.domain.account import Kin
from icp_sync.domain.facts import GROUP, PARENT, Signal, value_from_json
from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import loads, plain
from icp_sync.journal.records import Settled

_ACCOUNT = schema.account

HIGHEST = 12
"""Steps up to an ultimate parent; beyond that the parents are no hierarchy anybody meant."""


class Relative(NamedTuple):
    """One company of a page as the CRM holds it now; "" for no parent, registrable domain or owner."""

    id: str
    parent: str = ""
    domain: str = ""
    owner: str = ""


class _Above(NamedTuple):
    id: str
    parent: str
    domain: str
    owner: str
    evidence: str = ""
    status: str = ""
    survivor: str = ""

    @property
    def gone(self) -> bool:
        return self.status == "gone"


class Families(Bound):
    def kin(
        self, members: Sequence[Relative], *, asked: frozenset[str] = frozenset(), owners: bool = False
    ) -> dict[str, Kin]:
        """Account id → its family. Parents come from the CRM for these accounts, from the journal above.

        asked: names such as `group.employees` to be answered from what was last known of those above.
        owners: whether to look up who owns the parent and the group.
        """
        here = {m.id: _Above(m.id, m.parent, m.domain, m.owner) for m in members}
        with self.reading() as conn:
            above = self._above(conn, {m.parent for m in members if m.parent})
            known = {**above, **here}
            found = {m.id: _family(m, above, known, asked) for m in members}
            if not owners:
                return found
            owned = self._owners(conn, {kin.group for kin in found.values()})
        for m in members:  # as the CRM says now, whatever was known before
            owned.setdefault(found[m.id].group, {})[m.id] = m.owner
        return {account_id: _with_owners(account_id, kin, known, owned) for account_id, kin in found.items()}

    def _above(self, conn: Connection, ids: set[str]) -> dict[str, _Above]:
        """Everybody above, by id; of a record merged away its survivor too."""
        found: dict[str, _Above] = {}
        columns = [_ACCOUNT.c[name] for name in _Above._fields]
        for _ in range(HIGHEST):
            mine = (_ACCOUNT.c.connection == self.connection, among(_ACCOUNT.c.id, sorted(ids)))
            if ids:
                for row in map(
                    _Above._make, conn.execute(select(*columns).where(*mine, _ACCOUNT.c.status != ""))
                ):
                    found[row.id] = row
            next_ones = {row.survivor if row.gone else row.parent for row in found.values()}
            ids = next_ones - {""} - found.keys() - ids
            if not ids:
                break
        return found

    def _owners(self, conn: Connection, groups: set[str]) -> dict[str, dict[str, str]]:
        """Group → its accounts that somebody owns, or has just been given, with who."""
        found: dict[str, dict[str, str]] = {}
        rows = conn.execute(
            select(_ACCOUNT.c.group_key, _ACCOUNT.c.id, _ACCOUNT.c.owner, _ACCOUNT.c.counted_owner).where(
                _ACCOUNT.c.connection == self.connection,
                among(_ACCOUNT.c.group_key, sorted(groups)),
                or_(_ACCOUNT.c.owner != "", _ACCOUNT.c.counted_owner != ""),
                _ACCOUNT.c.status != "gone",
            )
        )
        for group, account_id, owner, counted in rows:
            found.setdefault(group, {})[account_id] = counted or owner
        return found


def _family(
    member: Relative, above: Mapping[str, _Above], known: Mapping[str, _Above], asked: frozenset[str]
) -> Kin:
    """Climbs from an account to the top. A parent that was deleted is none; one merged away its survivor."""
    chain = [member.id]
    at, problem, unread = member.parent, "", ""
    steps = 0
    while at and not problem:
        steps += 1
        if at in chain:
            problem = f"its parents run in a circle: {' → '.join([*chain[chain.index(at) :], at])}"
        elif steps > HIGHEST:
            problem = f"it has more than {HIGHEST} parents above it"
        elif at not in known:
            problem, unread = f"its parent {at} has not been read", at
        elif known[at].gone:
            at = known[at].survivor
        else:
            chain.append(at)
            at = known[at].parent
    if problem:
        group = member.domain or f"#{member.id}"
        return Kin(parent=member.parent, group=group, problem=problem, unread=unread)
    root = known[chain[-1]] if len(chain) > 1 else _Above(member.id, "", member.domain, "")
    if len(chain) == 1:
        return Kin(group=root.domain or f"#{root.id}")
    parent = known[chain[1]]
    signals: dict[str, Signal] = {}
    for level, company in ((PARENT, above.get(parent.id)), (GROUP, above.get(root.id))):
        wanted = {name.partition(".")[2] for name in asked if name.startswith(f"{level}.")}
        if wanted and company is not None:
            signals |= {f"{level}.{s.fact}": s for s in _signals(company, level) if s.fact in wanted}
    return Kin(
        parent=parent.id,
        parent_domain=parent.domain,
        root=root.id,
        root_domain=root.domain,
        group=root.domain or f"#{root.id}",
        signals=signals,
    )


def _signals(company: _Above, level: str) -> Iterable[Signal]:
    """What was last known of a company, as said by the level it stands on."""
    stored = loads(company.evidence).get("facts") if company.evidence else None
    for fact, (value, source) in (stored or {}).items():
        if "." in fact:
            continue
        said_by = f"{level} {company.id}, {source}"
        yield Signal(fact=fact, value=value_from_json(value), source=said_by, observed_at=0.0)


def _with_owners(
    account_id: str, kin: Kin, known: Mapping[str, _Above], owned: Mapping[str, Mapping[str, str]]
) -> Kin:
    """Who owns the parent, and who the rest of the group: the top's owner first, then by age of record."""
    if kin.problem:
        return kin
    others = {i: owner for i, owner in owned.get(kin.group, {}).items() if owner and i != account_id}
    by_age = sorted(others, key=lambda i: (i != kin.root, len(i), i))
    parent = known.get(kin.parent)
    return replace(
        kin,
        parent_owner=others.get(kin.parent) or (parent.owner if parent else ""),
        group_owners=tuple(dict.fromkeys(others[i] for i in by_age)),
    )


def stir(conn: Connection, connection: str, changed: Sequence[Settled], now: float) -> None:
    """Make those due who depend on what changed: on a parent's facts, or, while nobody owns them, on who
    owns the group.

    What the group says is among a child's own facts, so news from the top travels down level by level;
    who has no parent answers with its own facts, so no sibling wakes another.
    """
    above = sorted({plain(one.account_id) for one in changed if one.stirs_facts or one.stirs_owner})
    groups = sorted({plain(one.group) for one in changed if one.stirs_owner and one.group})
    wake(conn, connection, _ACCOUNT.c.parent, above, now)
    wake(conn, connection, _ACCOUNT.c.group_key, groups, now, _ACCOUNT.c.owner == "")


def wake(
    conn: Connection,
    connection: str,
    column: ColumnElement[str],
    values: Sequence[str],
    now: float,
    *also: ColumnElement[bool],
) -> int:
    """Make the live accounts due whose column holds one of these values; returns how many."""
    due = case((_ACCOUNT.c.wake_at < now, _ACCOUNT.c.wake_at), else_=now)
    woken = 0
    for chunk in chunks(values):
        mine = (_ACCOUNT.c.connection == connection, column.in_(chunk))
        live = _ACCOUNT.c.status.not_in(("", "gone"))
        woken += conn.execute(update(_ACCOUNT).where(*mine, live, *also).values(wake_at=due)).rowcount
    return woken
