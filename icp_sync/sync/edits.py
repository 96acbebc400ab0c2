"""Whose hand it was: what a CRM's history tells of values people hold, and of edits our write went over.

Asked only where it matters: for values nobody had seen before, and once for the fields of each write of ours,
when a later read finds it. Between our read and our write anybody may edit the same field; where a CRM cannot
prevent that, its history shows the value that stood in between, and it is given back. Who wrote a value last
never decides whether it is ours; evidence does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from icp_sync.domain.account import Confirmed, Memory, Origin
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import Crm, Edit, Editor
from icp_sync.sync.draft import Draft, Policy

ECHO_SECONDS = 3600.0
"""How long after a write its history is asked for, where the CRM does not tell at once."""


def with_edits(drafts: Sequence[Draft], memory: Memory, policy: Policy, crm: Crm, now: float) -> Memory:
    """The memory with whose edits the accounts hold, and which of them our last write went over."""
    new = {d.account.id: fields for d in drafts if (fields := _unseen(d))}
    echoes = {d.account.id: d for d in drafts if _echoed(d)}
    if not new and not echoes:
        return memory
    names = {name for fields in new.values() for name in fields}
    names |= {name for d in echoes.values() for name in d.remembered.unechoed}
    told = crm.history(sorted({*new, *echoes}), sorted(names))
    edits: dict[str, dict[str, Confirmed]] = {}
    live = {d.account.id: d.account.live for d in drafts}
    for account_id, fields in new.items():
        for name in fields:
            edit = _set_by(told.get(account_id, {}).get(name, ()), live[account_id][name])
            if edit is not None:
                edits.setdefault(account_id, {})[name] = _human(edit)
    restore: dict[str, dict[str, Confirmed]] = {}
    done: set[str] = set()
    for account_id, d in echoes.items():
        versions = told.get(account_id)
        if versions or now - d.remembered.sent_at > ECHO_SECONDS:
            done.add(account_id)
        if lost := _overwritten(d, versions or {}, policy):
            restore[account_id] = lost
    return replace(memory, edits=edits, restore=restore, echoed=frozenset(done))


def _unseen(d: Draft) -> list[str]:
    """Fields of ours on which somebody holds a value we had not seen there before."""
    found = []
    for name, claim in d.differences.claims.items():
        value = claim.value
        last = d.remembered.confirmed.get(name)
        known = last is not None and last.origin is Origin.HUMAN and last.value == value
        if not known and not FIELDS[name].native and (value or name in d.differences.left_alone):
            found.append(name)
    return found


def _echoed(d: Draft) -> bool:
    """Whether this read is the first that can have seen our last write."""
    return bool(d.remembered.unechoed) and d.account.read_at / 1000 >= d.remembered.sent_at


def _set_by(versions: Iterable[Edit], value: str) -> Edit | None:
    return next((edit for edit in versions if edit.value == value), None)


def _overwritten(d: Draft, versions: Mapping[str, tuple[Edit, ...]], policy: Policy) -> dict[str, Confirmed]:
    """Values that stood between our read and our write, on fields that hold what we wrote."""
    found = {}
    for name, (assumed, sent) in d.remembered.unechoed.items():
        edits = versions.get(name, ())
        if not edits or d.account.live.get(name) != sent or edits[0].value != sent:
            continue  # it did not land, or somebody has changed it since: nothing of ours to take back
        before = next((edit for edit in edits if edit.value != sent), None)
        if before is None or before.value == assumed or before.by is Editor.OURS:
            continue
        if policy.editors.get(before.by.value, policy.editors.get("", 1.0)) > 0:
            found[name] = _human(before)
    return found


def _human(edit: Edit) -> Confirmed:
    by = "" if edit.by is Editor.OURS else edit.by.value
    return Confirmed(value=edit.value, origin=Origin.HUMAN, at=edit.at / 1000, by=by)
