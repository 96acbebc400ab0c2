"""Whose hand it was: what a CRM's history tells of values people hold, and of edits our write went over.

Asked only where it matters: for values nobody had seen before, and once for the fields of each write of ours,
when a later read finds it. Between our read and our write anybody may edit the same field; where a CRM cannot
prevent that, its history shows the value that stood in between, and it is given back. Who wrote a value last
never decides whether it is ours; evidence does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.domain.account import Confirmed, Memory, Origin, Owed
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import Crm, Edit, Editor
from icp_sync.sync.draft import Draft, Policy

ECHO_SECONDS = 3600.0
"""How long after a write its history is asked for, where the CRM does not tell at once."""
MEANWHILE = 120.0
"""Seconds before a write in which an edit may be newer than the read it was decided on."""
_HANDS = (Editor.PERSON, Editor.WORKFLOW, Editor.IMPORT)
"""Who is certainly not we: another app may be ourselves under a name the CRM does not tell."""


@dataclass(slots=True)
class _Told:
    """What one account's history comes to. edits: values people set, with when. owed: what our writes went
    over and is to be given back. unechoed: writes of ours it does not tell of yet."""

    edits: dict[str, Confirmed] = field(default_factory=dict)
    owed: dict[str, Owed] = field(default_factory=dict)
    unechoed: dict[str, tuple[str, str]] = field(default_factory=dict)


def with_edits(drafts: Sequence[Draft], memory: Memory, policy: Policy, crm: Crm, now: float) -> Memory:
    """The memory with whose edits the accounts hold, and which of them our writes went over.

    The same memory where there is nothing to know.
    """
    new = {d.account.id: fields for d in drafts if (fields := _unseen(d))}
    echoes = {d.account.id: d for d in drafts if _echoed(d)}
    owing = [d.account.id for d in drafts if d.remembered.owed]
    if not new and not echoes and not owing:
        return memory
    names = {name for fields in new.values() for name in fields}
    names |= {name for d in echoes.values() for name in d.remembered.unechoed}
    told = crm.history(sorted({*new, *echoes}), sorted(names)) if names else {}
    found = {
        d.account.id: _told(d, new.get(d.account.id, ()), told.get(d.account.id, {}), policy, now)
        for d in drafts
        if d.account.id in new or d.account.id in echoes or d.account.id in owing
    }
    return replace(
        memory,
        edits={i: one.edits for i, one in found.items() if one.edits},
        restore={i: {n: o.edit for n, o in one.owed.items()} for i, one in found.items() if one.owed},
        owed={i: one.owed for i, one in found.items()},
        unechoed={i: one.unechoed for i, one in found.items()},
    )


def _told(
    d: Draft, new: Iterable[str], versions: Mapping[str, tuple[Edit, ...]], policy: Policy, now: float
) -> _Told:
    found = _Told(unechoed=dict(d.remembered.unechoed))
    live = d.account.live
    for name in new:
        edit = next((edit for edit in versions.get(name, ()) if edit.value == live[name]), None)
        if edit is not None:
            found.edits[name] = _human(edit)
    for name, owed in d.remembered.owed.items():
        if live.get(name) == owed.edit.value:
            found.edits[name] = owed.edit  # it stands again
        elif live.get(name) == owed.over:
            found.owed[name] = owed
    if _echoed(d):
        for name in d.remembered.unechoed:
            _look_for(name, d, versions.get(name, ()), policy, found, now)
    return found


def _look_for(name: str, d: Draft, edits: Sequence[Edit], policy: Policy, found: _Told, now: float) -> None:
    """What the history of a field we wrote says of the hands before and after ours."""
    assumed, sent = d.remembered.unechoed[name]
    live = d.account.live.get(name)
    if not edits or edits[0].value != live:  # it does not tell yet, or of later than this read
        if now - d.remembered.sent_at > ECHO_SECONDS:
            del found.unechoed[name]
        return
    del found.unechoed[name]
    inherited = live != sent and live in d.remembered.intents.get(name, ())  # ours, by way of a merge
    recent = edits[0].at / 1000 > d.remembered.sent_at - MEANWHILE
    if edits[0].by in _HANDS and recent and not inherited:
        found.edits[name] = _human(edits[0])  # theirs, also where it is what we wrote or would have
        found.owed.pop(name, None)
        return
    before = next((edit for edit in edits if edit.value != sent), None)
    if live != sent or before is None or before.value == assumed or before.by is Editor.OURS:
        return
    if policy.editors.get(before.by.value, policy.editors.get("", 1.0)) > 0:
        found.owed[name] = Owed(edit=_human(before), over=sent)


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
    """Whether this read can have seen our last write."""
    return bool(d.remembered.unechoed) and d.account.read_at / 1000 >= d.remembered.sent_at


def _human(edit: Edit) -> Confirmed:
    by = "" if edit.by is Editor.OURS else edit.by.value
    return Confirmed(value=edit.value, origin=Origin.HUMAN, at=edit.at / 1000, by=by)
