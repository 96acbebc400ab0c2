"""The claim of a page's writes: compare-and-set on its accounts, and on the loads of owners it gives them to.

Where an owner's load moved since the page was drafted, as it does while several workers give accounts to the
same people, those accounts are decided again on the loads as they are, a few times; nothing of them was sent.
Whoever loses even then, or loses the account itself, is deferred. Must not know what is written, nor how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from icp_sync.domain.account import Memory
from icp_sync.domain.guard import Split
from icp_sync.domain.plan import Change, Write
from icp_sync.journal import Journal, Lease
from icp_sync.journal.intend import LOAD_MOVED
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.exactly import resealed
from icp_sync.sync.guarding import Guard

TRIES = 4
"""Decisions on loads that had moved, before an account is left to a later cycle."""
_MOVED = LOAD_MOVED.partition("{")[0]

Changes = tuple[Change, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What may be sent of a page. plan: account → its changes. lost: account → why it may not."""

    drafts: list[Draft]
    plan: dict[str, Changes]
    kept: Split
    writes: tuple[Write, ...] = ()
    lost: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claiming:
    """By whom and on what a page is claimed. sent_at: the CRM's clock, epoch seconds."""

    memory: Memory
    policy: Policy
    guard: Guard
    journal: Journal
    lease: Lease
    run: str
    now: float
    sent_at: float

    def claim(self, drafts: list[Draft], plan: Mapping[str, Changes], kept: Split) -> Claim:
        """Claim what the guard kept of a page's plan."""
        landing = resealed(kept.plan, plan, drafts, self.memory, self.policy, self.now)
        writes, lost = self._intend(landing, drafts, self.memory)
        made = Claim(drafts=drafts, plan=landing, kept=kept, writes=writes, lost=lost)
        for _ in range(TRIES):
            moved = {id for id, why in made.lost.items() if why.startswith(_MOVED)}
            if not moved:
                break
            made = self._again(made, moved)
        return made

    def _again(self, before: Claim, moved: set[str]) -> Claim:
        """The same page, these of its accounts decided and claimed on the loads there are now."""
        memory = replace(self.memory, roster=self.journal.roster_now())
        again = {
            d.account.id: d
            for d in draft(
                [d.account for d in before.drafts if d.account.id in moved], self.policy, memory, self.now
            )
        }
        drafts = [again.get(d.account.id, d) for d in before.drafts]
        others = {id: changes for id, changes in before.plan.items() if id not in moved}
        wanted = {id: d.differences.changes for id, d in again.items() if d.differences.material}
        kept = self.guard.split({**others, **wanted}, drafts, self.now)
        landing = {id: kept.plan[id] for id in wanted if id in kept.plan}
        landing = resealed(landing, wanted, list(again.values()), memory, self.policy, self.now)
        writes, lost = self._intend(landing, again.values(), memory)
        return Claim(
            drafts=drafts,
            plan={**others, **landing},
            kept=_of_these(before.kept, kept, moved),
            writes=before.writes + writes,
            lost={**{id: why for id, why in before.lost.items() if id not in moved}, **lost},
        )

    def _intend(
        self, plan: Mapping[str, Changes], drafts: Iterable[Draft], memory: Memory
    ) -> tuple[tuple[Write, ...], Mapping[str, str]]:
        drafted = {d.account.id: d for d in drafts}
        writes = [Write.of(changes) for changes in plan.values()]
        if not writes:
            return (), {}
        assignments = {w.account_id: owner for w in writes if (owner := _given(w, drafted[w.account_id]))}
        together = {
            account_id: (kin.group, frozenset(memory.kin[account_id].group_owners))
            for account_id in assignments
            if drafted[account_id].decision.keeps and not (kin := drafted[account_id].kin).problem
        }
        return self.journal.intend(
            writes,
            versions={w.account_id: drafted[w.account_id].remembered.version for w in writes},
            assignments=assignments,
            load_versions=memory.roster.load_versions,
            run=self.run,
            lease=self.lease,
            now=self.now,
            together=together,
            sent_at=self.sent_at,
            owed={w.account_id: owed for w in writes if (owed := memory.owed.get(w.account_id))},
        )


def _of_these(before: Split, now: Split, ids: set[str]) -> Split:
    """What the guard says of a page: of these accounts now, of the others before."""
    return Split(
        plan=_mixed(before.plan, now.plan, ids),
        holds=_mixed(before.holds, now.holds, ids),
        counted=_mixed(before.counted, now.counted, ids),
    )


def _mixed(before: Mapping[str, T], now: Mapping[str, T], ids: set[str]) -> dict[str, T]:
    others = {id: one for id, one in before.items() if id not in ids}
    return others | {id: one for id, one in now.items() if id in ids}


def _given(write: Write, d: Draft) -> str:
    """Whom a write gives the account to; where the CRM's owner is not ours to write, whom it suggests."""
    return write.values.get("owner") or (
        "" if "owner" in d.account.live else write.values.get("routed_owner", "")
    )
