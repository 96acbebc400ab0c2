"""Changes to given values and to nothing else, with the seal over what lands.

A seal is made of all that is ours once a write has landed. Where only part of what was drafted is written, as
some of it waits for a person or a plan says less, the drafted seal would speak of values nobody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from icp_sync.domain.account import Account, Memory, Remembered
from icp_sync.domain.desired import as_before, told
from icp_sync.domain.differences import Differences, cosmetic, difference
from icp_sync.domain.ownership import Editing
from icp_sync.domain.plan import Change
from icp_sync.domain.standing import Standing
from icp_sync.sync.draft import Draft, Policy

SEAL, REASONS = "seal", "reasons"

Changes = tuple[Change, ...]


def exactly(
    account: Account,
    wanted: Standing,
    remembered: Remembered,
    policy: Policy,
    now: float,
    memory: Memory | None = None,
) -> Differences:
    """The changes to these values as far as they are ours to change, and the seal over what lands.

    memory: of the page, where its edits of people were looked up.
    """
    memory = memory or Memory()
    restore = memory.restore.get(account.id, {})
    found = difference(
        account,
        {**account.live, **wanted},
        remembered,
        policy.key,
        mode=policy.mode,
        editing=Editing(now=now, editors=policy.editors, edits=memory.edits.get(account.id, {})),
        restore={name: held for name, held in restore.items() if name in wanted},
    )
    if not any(c.field in wanted for c in found.changes):
        return replace(found, changes=())  # a seal alone is not wanted
    return found


def resealed(
    landing: Mapping[str, Changes],
    planned: Mapping[str, Changes],
    drafts: Sequence[Draft],
    memory: Memory,
    policy: Policy,
    now: float,
) -> dict[str, Changes]:
    """What lands of a page's plan, each account of which less lands than was planned sealed anew, and with
    reasons that name the owner it keeps. Where only words are left, nothing lands."""
    drafted = {d.account.id: d for d in drafts}
    found: dict[str, Changes] = {}
    for account_id, changes in landing.items():
        if len(changes) < len(planned[account_id]):
            d = drafted[account_id]
            changes = _still_true(changes, d, memory)
            if all(map(cosmetic, changes)) and not d.differences.gives_back:
                continue
            wanted = {c.field: c.desired for c in changes}
            sealed = exactly(d.account, wanted, d.remembered, policy, now, memory).changes
            changes += tuple(c for c in sealed if c.field == SEAL)
        found[account_id] = changes
    return found


def _still_true(changes: Changes, d: Draft, memory: Memory) -> Changes:
    """The same without the seal, the reasons as they are while the owner stays."""
    was = as_before(d.carried, d.previous)
    kept = []
    for change in changes:
        if change.field == REASONS and REASONS not in memory.restore.get(d.account.id, {}):
            owner, owners, sources = d.account.owner, memory.roster.owners, d.known.sources
            said = told(owner, d.evaluation, d.decision, was, d.known.facts, owners, sources)
            change = replace(change, desired=said)
        if change.field != SEAL and change.desired != change.live:
            kept.append(change)
    return tuple(kept)
