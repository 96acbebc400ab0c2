"""What an account's tier was and became, and what was sent for it; the latest of both. Reads the journal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from icp_sync.domain.standing import FIELDS
from icp_sync.reporting.explain.explanation import FieldRow, WriteRow

if TYPE_CHECKING:
    from icp_sync.journal import Changed, Evaluated, Journal

CAUSES = ("DATA", "PROFILE", "ENGINE", "OVERRIDE")
_CAUSE = re.compile(rf"\b({'|'.join(CAUSES)})\b(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One evaluation that was news. at: UTC epoch seconds. before: the tier until then, "" for the first.

    cause: DATA, PROFILE, ENGINE or OVERRIDE, "" where the tier stayed; what: what changed, in words. version:
    of the profile, 0 where that was not kept.
    """

    at: float
    run: str
    before: str
    tier: str
    score: int | None
    low: int | None
    high: int | None
    cause: str
    what: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One field that was sent. label: its name in the CRM, as provisioned."""

    field: str
    label: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write and what became of it. run: "" or a word where no run wrote it."""

    at: float
    run: str
    result: str
    fields: tuple[Sent, ...]


def moments(journal: Journal, account_id: str, last: int) -> tuple[Moment, ...]:
    """The latest evaluations that were news, newest first."""
    found = journal.evaluations(account_id, last=last + 1)
    pairs = [(None, found[0])] if found and len(found) <= last else []
    return tuple(_moment(one, before) for before, one in reversed([*pairs, *pairwise(found)]))


def _moment(one: Evaluated, before: Evaluated | None) -> Moment:
    result = _mapping(_mapping(one.evaluation.get("proof")).get("result"))
    bounds = result.get("range")
    low, high = bounds if isinstance(bounds, list) and len(bounds) == 2 else (None, None)
    said = _CAUSE.search(one.why)
    moved = before is not None and before.tier != one.tier
    version = _mapping(one.evaluation.get("evidence")).get("version")
    return Moment(
        at=one.at,
        run=one.run,
        before=(before.tier or "out of scope") if before is not None else "",
        tier=one.tier or "out of scope",
        score=one.score,
        low=low,
        high=high,
        cause=said[1] if said and moved else "",
        what=(said[2].strip(" .") if said else one.why) if moved else "",
        version=version if isinstance(version, int) else 0,
    )


def writes(journal: Journal, account_id: str, last: int) -> tuple[Write, ...]:
    """The latest writes, newest first, with the fields of each; without the seal."""
    groups: dict[tuple[str, float, str], list[Sent]] = {}
    for one in journal.history(account_id, last=last):
        rows = groups.setdefault((one.run, one.at, one.result), [])
        field = FIELDS.get(one.field)
        if field is None or not field.hidden:
            label = field.label if field else one.field
            sent = Sent(field=one.field, label=label, before=one.before, after=one.after, reason=one.reason)
            rows.append(sent)
    found = [Write(at=at, run=run, result=how, fields=tuple(rows)) for (run, at, how), rows in groups.items()]
    return tuple(reversed(found))


def rows_of(history: Sequence[Changed]) -> Iterator[WriteRow]:
    """The history with the fields of one write together, oldest first."""
    groups: dict[tuple[str, float, str], list[FieldRow]] = {}
    for change in history:
        key = (change.run, change.at, change.result)
        row = FieldRow(field=change.field, before=change.before, after=change.after)
        groups.setdefault(key, []).append(row)
    for (_, at, result), fields in groups.items():
        yield WriteRow(at=at, result=result, fields=tuple(f for f in fields if f.field != "seal"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
