"""Parents and groups: who belongs together, what is known of those above, and who is due when it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, case, or_, select, update

from icp_sync.domain.account import Kin
from icp_sync.domain.facts import GROUP, PARENT, Signal, value_from_json
from icp_sync.journal import schema
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
    evidence: str


class Families(Bound):
    def kin(
        self, members: Sequence[Relative], *, asked: frozenset[str] = frozenset(), owners: bool = False
    ) -> dict[str, Kin]:
        """Account id → its family. Parents come from the CRM for these accounts, from the journal above.

        asked: names such as `group.employees` to be answered from what was last known of those above.
        owners: whether to look up who owns the parent and the group.
        """
        with self.reading() as conn:
            above = self._above(conn, {m.parent for m in members if m.parent})
            here = {m.id: _Above(m.id, m.parent, m.domain, m.owner, "") for m in members}
            known = {**above, **here}
            found = {m.id: _family(m, above, known, asked) for m in members}
            if not owners:
                return found
            owned = self._owners(conn, {kin.group for kin in found.values()})
        for m in members:  # as the CRM says now, whatever was known before
            owned.setdefault(found[m.id].group, {})[m.id] = m.owner
        return {account_id: _with_owner(kin, known, owned) for account_id, kin in found.items()}

    def _above(self, conn: Connection, ids: set[str]) -> dict[str, _Above]:
        """Everybody above, by id."""
        found: dict[str, _Above] = {}
        columns = [_ACCOUNT.c[name] for name in _Above._fields]
        for _ in range(HIGHEST):
            for chunk in chunks(sorted(ids)):
                mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id.in_(chunk))
                live = (_ACCOUNT.c.status != "", _ACCOUNT.c.status != "gone")
                for row in conn.execute(select(*columns).where(*mine, *live)):
                    found[row.id] = _Above(*row)
            ids = {row.parent for row in found.values() if row.parent} - found.keys() - ids
            if not ids:
                break
        return found

    def _owners(self, conn: Connection, groups: set[str]) -> dict[str, dict[str, str]]:
        """Group → the accounts of it that are owned, with their owners."""
        found: dict[str, dict[str, str]] = {}
        for chunk in chunks(sorted(groups)):
            rows = conn.execute(
                select(_ACCOUNT.c.group_key, _ACCOUNT.c.id, _ACCOUNT.c.owner).where(
                    _ACCOUNT.c.connection == self.connection,
                    _ACCOUNT.c.group_key.in_(chunk),
                    _ACCOUNT.c.owner != "",
                    _ACCOUNT.c.status != "gone",
                )
            )
            for group, account_id, owner in rows:
                found.setdefault(group, {})[account_id] = owner
        return found


def _family(
    member: Relative, above: Mapping[str, _Above], known: Mapping[str, _Above], asked: frozenset[str]
) -> Kin:
    chain = [member.id]
    at, problem, unread = member.parent, "", False
    while at and not problem:
        if at in chain:
            problem = f"its parents run in a circle: {' → '.join([*chain[chain.index(at) :], at])}"
        elif len(chain) > HIGHEST:
            problem = f"it has more than {HIGHEST} parents above it"
        elif at not in known:
            problem, unread = f"its parent {at} has not been read", True
        else:
            chain.append(at)
            at = known[at].parent
    if problem:
        group = member.domain or f"#{member.id}"
        return Kin(parent=member.parent, group=group, problem=problem, unread=unread)
    root = known[chain[-1]] if len(chain) > 1 else _Above(member.id, "", member.domain, "", "")
    signals: dict[str, Signal] = {}
    if len(chain) > 1:
        for level, company in ((PARENT, above.get(member.parent)), (GROUP, above.get(root.id))):
            wanted = {name.partition(".")[2] for name in asked if name.startswith(f"{level}.")}
            if wanted and company is not None:
                signals |= {f"{level}.{s.fact}": s for s in _signals(company, level) if s.fact in wanted}
    return Kin(
        parent=member.parent,
        parent_domain=known[member.parent].domain if member.parent else "",
        root=root.id if len(chain) > 1 else "",
        root_domain=root.domain if len(chain) > 1 else "",
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


def _with_owner(kin: Kin, known: Mapping[str, _Above], owned: Mapping[str, Mapping[str, str]]) -> Kin:
    """Who owns the parent, and who the group: the ultimate parent's owner, else that of its oldest record."""
    parent = known.get(kin.parent)
    group = {account_id: owner for account_id, owner in owned.get(kin.group, {}).items() if owner}
    oldest = min(group, key=lambda account_id: (len(account_id), account_id), default="")
    return replace(
        kin,
        parent_owner=parent.owner if parent else "",
        group_owner=group.get(kin.root) or group.get(oldest, ""),
    )


def stir(conn: Connection, connection: str, changed: Sequence[Settled], now: float) -> None:
    """Make those due whose parent one of these is, or who share the group of one that stands at its top."""
    table = _ACCOUNT
    for some in chunks(changed):
        ids = [plain(one.account_id) for one in some]
        tops = [plain(one.account_id) for one in some if not one.parent]
        groups = sorted({plain(one.group) for one in some if not one.parent and one.group})
        conn.execute(
            update(table)
            .where(
                table.c.connection == connection,
                or_(table.c.parent.in_(ids), table.c.group_key.in_(groups) & table.c.id.not_in(tops)),
                table.c.status.not_in(("", "gone")),
            )
            .values(wake_at=case((table.c.wake_at < now, table.c.wake_at), else_=now))
        )
