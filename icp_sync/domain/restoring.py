"""Taking back what a run wrote: what each field held before, whose that was, and whether it may go back.

Only a value that is ours by evidence is replaced, whoever of us wrote it last. Whatever a person put there
since stays. Pure; knows neither runs nor journals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from icp_sync.domain.account import Account, Confirmed, Origin, Remembered, Withdrawn
from icp_sync.domain.ownership import is_ours
from icp_sync.domain.plan import Change
from icp_sync.domain.seal import THEIRS, Seal, SealKey, read_seal
from icp_sync.domain.standing import FIELDS, OWNERSHIP, FieldType, Standing


class Fate(StrEnum):
    """What becomes of one field of an undo."""

    RESTORED = "restored"
    AGAIN = "written again since, restored"  # by a later run of ours
    SAME = "as before already"
    PEOPLE = "changed by people since"
    ABSENT = "not carried any more"
    NOBODY = "its owner of then is no owner now"


BACK = frozenset({Fate.RESTORED, Fate.AGAIN})
"""The fates of a field that goes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """One field as a run found and left it. origin: whose `before` was, as in `Change`."""

    before: str
    after: str
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """What goes back on one account. held: why nothing may be written there at all.

    confirmed: the restored values with whose they are. fates: of every field of the run.
    """

    changes: tuple[Change, ...] = ()
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    fates: Mapping[str, Fate] = field(default_factory=dict)
    held: str = ""

    @property
    def values(self) -> Standing:
        """The restored values, without the seal."""
        return {name: held.value for name, held in self.confirmed.items()}


def restoring(
    account: Account,
    then: Mapping[str, Then],
    remembered: Remembered,
    key: SealKey,
    *,
    owners: Set[str],
    now: float,
    reason: str,
) -> Restoring:
    """What of these fields goes back on an account as it is now. owners: emails of those there are."""
    seal = read_seal(account.live.get("seal", ""), key)
    if seal.problem:
        return Restoring(held=seal.problem)
    fates = {
        name: _fate(name, account, one, remembered, seal, key, owners)
        for name, one in then.items()
        if name != "seal"
    }
    confirmed = {
        name: Confirmed(value=then[name].before, origin=_origin(then[name]), at=now)
        for name, fate in fates.items()
        if fate in BACK
    }
    changes = [
        Change(
            account_id=account.id,
            field=name,
            live=account.live[name],
            desired=held.value,
            reason=reason,
            origin=Origin.OURS.value,
        )
        for name, held in confirmed.items()
    ]
    sealed = _sealed(account, confirmed, remembered, seal, key) if changes else ()
    return Restoring(changes=(*changes, *sealed), confirmed=confirmed, fates=fates)


def _fate(
    name: str,
    account: Account,
    then: Then,
    remembered: Remembered,
    seal: Seal,
    key: SealKey,
    owners: Set[str],
) -> Fate:
    live = account.live.get(name)
    if live is None:
        return Fate.ABSENT
    if live == then.before:
        return Fate.SAME
    if not is_ours(account.id, name, live, remembered, seal, key):
        return Fate.PEOPLE
    if FIELDS[name].type is FieldType.OWNER and then.before and then.before not in owners:
        return Fate.NOBODY
    return Fate.RESTORED if live == then.after else Fate.AGAIN


def _origin(then: Then) -> Origin:
    """Whose a restored value is. A blank nobody ever wrote is ours to fill, like one we left blank."""
    return Origin.HUMAN if then.origin == Origin.HUMAN else Origin.OURS


def _sealed(
    account: Account,
    confirmed: Mapping[str, Confirmed],
    remembered: Remembered,
    seal: Seal,
    key: SealKey,
) -> tuple[Change, ...]:
    """The seal over what is ours once this is written, as a change; () where it stays or is not carried.

    What people hold is marked as theirs. An owner that moves is sealed once a read has seen it.
    """
    if "seal" not in account.live:
        return ()
    values, marks = {}, {n: mark for n, mark in seal.marks.items() if n not in account.live}
    for name, live in account.live.items():
        if name == "seal" or FIELDS[name].theirs:
            continue
        back = confirmed.get(name)
        ours = (
            back.origin is Origin.OURS
            if back
            else is_ours(account.id, name, live, remembered, seal, key) or (name == "owner" and not live)
        )
        if not ours:
            marks[name] = THEIRS
        elif not (back and name == "owner"):
            values[name] = back.value if back else live
    text = key.seal(account.id, values, marks=marks)
    if text == account.live["seal"]:
        return ()
    live = account.live["seal"]
    return (
        Change(account_id=account.id, field="seal", live=live, desired=text, reason="seal", origin="ours"),
    )


def withdrawal(
    restored: Standing,
    wanted: Standing,
    before: Withdrawn | None,
    *,
    mark: str,
    run: str,
    lifts: bool,
) -> Withdrawn | None:
    """What is not to be written again once these values are restored, None for nothing.

    wanted: our fields as the evaluation would have them now. before: what was withdrawn earlier; it goes on
    only while the inputs are the same. lifts: an undo is taken back, so what it withdrew may be written.
    """
    fields = dict(before.fields) if before and before.mark == mark else {}
    for name, value in restored.items():
        fields.pop(name, None)
        if not lifts and (name in OWNERSHIP or wanted.get(name, value) != value):
            fields[name] = wanted.get(name, value)
    return Withdrawn(mark=mark, fields=fields, run=run) if fields else None


def less(withdrawn: Withdrawn | None, names: Iterable[str], before: Withdrawn | None) -> Withdrawn | None:
    """What is withdrawn where these fields could not be restored after all: of them, what was so before."""
    fields = dict(withdrawn.fields) if withdrawn else {}
    same = before is not None and withdrawn is not None and before.mark == withdrawn.mark
    for name in names:
        fields.pop(name, None)
        if before is not None and same and name in before.fields:
            fields[name] = before.fields[name]
    return Withdrawn(mark=withdrawn.mark, fields=fields, run=withdrawn.run) if withdrawn and fields else None
