"""What of a planned account may be written now: what is still as planned and still ours, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from icp_sync.domain.account import Account, Remembered
from icp_sync.domain.plan import Change
from icp_sync.sync.draft import Policy
from icp_sync.sync.exactly import exactly
from icp_sync.sync.plan_file.document import Row
from icp_sync.sync.plan_file.inputs import mark_of

FACTS_MOVED = "its facts are others than when the plan was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A planned change that is not made. live: what stands there now; why: in words."""

    id: str
    name: str
    field: str
    planned: str
    live: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One account. changes: to write, the seal over them among these; empty for nothing. already: what holds
    the planned value and is ours, as the change that would have led there. moved: what is not made.
    facts_moved: its facts are others than it was planned by, so that nothing more of it is made."""

    row: Row
    account: Account
    remembered: Remembered
    changes: tuple[Change, ...] = ()
    already: tuple[Change, ...] = ()
    moved: tuple[Moved, ...] = ()
    facts_moved: bool = False

    @property
    def owner(self) -> str:
        """Whom the write gives the account to, or suggests where the CRM's owner is not ours to write."""
        given = {c.field: c.desired for c in self.changes}
        if "owner" in self.account.live:
            return given.get("owner", "")
        return given.get("routed_owner", "")


@dataclass(slots=True)
class _Sorted:
    """The planned values by what becomes of them."""

    wanted: dict[str, str] = field(default_factory=dict)
    already: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # field → why


def decided(row: Row, account: Account, remembered: Remembered, policy: Policy, now: float) -> Decided:
    """Hold a planned account against the record as it is now."""
    fate, facts_moved = _Sorted(), row.facts != mark_of(account)
    for change in row.changes:
        live = account.live.get(change.field)
        if live is None:
            fate.moved[change.field] = "the CRM has no such field any more"
        elif live == change.desired:
            fate.already[change.field] = live
        elif live != change.live:
            fate.moved[change.field] = "it was changed since the plan was made"
        elif facts_moved:
            fate.moved[change.field] = FACTS_MOVED
        else:
            fate.wanted[change.field] = change.desired
    found = exactly(account, fate.wanted, remembered, policy, now)
    reasons = {change.field: change.reason for change in row.changes}
    changes = tuple(replace(c, reason=reasons.get(c.field, c.reason)) for c in found.changes)
    for name in fate.wanted.keys() - {c.field for c in changes}:
        fate.moved[name] = found.held or "people hold it now"
    before = {change.field: change for change in row.changes}
    return Decided(
        row=row,
        account=account,
        remembered=remembered,
        changes=changes,
        already=tuple(
            Change(account_id=row.id, field=n, live=before[n].live, desired=v, reason=reasons[n])
            for n, v in fate.already.items()
            if n in found.ours or (not v and n not in found.theirs)
        ),
        moved=tuple(_moved(row, account, before[name].live, name, why) for name, why in fate.moved.items()),
        facts_moved=facts_moved and bool(fate.moved),
    )


def _moved(row: Row, account: Account, planned: str, name: str, why: str) -> Moved:
    live = account.live.get(name, "")
    return Moved(id=row.id, name=row.name, field=name, planned=planned, live=live, why=why)
