"""One page's writes of a plan: claimed before they are sent, and what the journal shall remember of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

from icp_sync.domain.account import Confirmed, Memory, Origin, Withdrawn
from icp_sync.domain.plan import Change, Outcome, Result, Write, awaited
from icp_sync.journal import Journal, Lease
from icp_sync.journal.records import Amended
from icp_sync.sync.plan_file.deciding import Decided
from icp_sync.sync.remember import said


def claimed(
    decided: Sequence[Decided],
    memory: Memory,
    journal: Journal,
    lease: Lease,
    *,
    run: str,
    now: float,
    sent_at: float,
) -> tuple[tuple[Write, ...], Mapping[str, str]]:
    """The writes that may be sent, written down as intents; and why the others may not, by account.

    sent_at: the CRM's clock, epoch seconds.
    """
    writing = [d for d in decided if d.changes]
    if not writing:
        return (), {}
    writes = [Write.of(d.changes) for d in writing]
    return journal.intend(
        writes,
        versions={d.row.id: d.remembered.version for d in writing},
        assignments={d.row.id: d.owner for d in writing if d.owner},
        load_versions=memory.roster.load_versions,
        run=run,
        lease=lease,
        now=now,
        sent_at=sent_at,
    )


def amended(d: Decided, outcome: Outcome, sent_at: float, now: float, *, again: bool) -> Amended:
    """What a write made of its account.

    sent_at: the CRM's clock before it, epoch seconds. again: what was found there is an earlier attempt's.
    """
    uncertain = outcome.result is Result.UNCERTAIN
    landed = tuple(c for c in d.changes if c.field not in outcome.refused)
    ours = {c.field: c.desired for c in landed} if outcome.result is Result.WRITTEN else {}
    owner = ours.get("owner", d.account.owner) if d.owner and "owner" in d.account.live else None
    return Amended(
        account_id=d.row.id,
        version=d.remembered.version + 1,
        confirmed={n: Confirmed(value=v, origin=Origin.OURS, at=now) for n, v in ours.items()},
        changes=(*d.already, *landed) if again and ours else landed,
        result=outcome.result,
        owner=owner,
        stamp=round(sent_at * 1000),
        **_echo(d, landed if ours or uncertain else (), sent_at),
        withdrawn=_lifted(d.remembered.withdrawn, landed),
        problem=said(outcome) if outcome.refused or outcome.result is not Result.WRITTEN else "",
    )


def found_again(d: Decided) -> Amended:
    """What an attempt that was cut short had written without remembering it."""
    return Amended(
        account_id=d.row.id,
        version=d.remembered.version,
        changes=d.already,
        owner=d.account.owner if "owner" in {c.field for c in d.already} else None,
        unechoed=d.remembered.unechoed,
        sent_at=d.remembered.sent_at,
        withdrawn=_lifted(d.remembered.withdrawn, d.already),
    )


class _Echo(TypedDict):
    unechoed: Mapping[str, tuple[str, str]]
    sent_at: float


def _echo(d: Decided, sent: Sequence[Change], at: float) -> _Echo:
    """What the next read shall look for in the record's history: edits that our write went over."""
    if not sent:
        return _Echo(unechoed=d.remembered.unechoed, sent_at=d.remembered.sent_at)
    return _Echo(unechoed={**d.remembered.unechoed, **awaited(sent)}, sent_at=at)


def _lifted(withdrawn: Withdrawn | None, sent: Sequence[Change]) -> Withdrawn | None:
    """What an undo took back, less what a person has now asked for again."""
    if withdrawn is None:
        return None
    asked = {c.field for c in sent}
    left = {name: value for name, value in withdrawn.fields.items() if name not in asked}
    return replace(withdrawn, fields=left) if left else None
