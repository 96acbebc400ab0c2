"""What a control's arguments mean: which record, which values, by whom, when, seen by search how late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from icp_sync.simulator.clock import instant
from icp_sync.simulator.desk import Arguments, Desk, Unusable
from icp_sync.simulator.store import Record

PAGE = 1_000


def record_named(desk: Desk, given: Arguments, *, anything: bool = False) -> Record:
    """The record an `id` or a `domain` means. With `anything` also one that is gone."""
    if given.get("id") is not None:
        record = desk.store.records.get(desk.number(str(given["id"])))
        if record is not None and not anything and record.archived_at is not None:
            record = None
    else:
        domain = str(given.get("domain", ""))
        records = map(desk.store.records.__getitem__, desk.store.live)
        record = next((r for r in records if domain and desk.domain_of(r) == domain), None)
    if record is None:
        raise Unusable(f"no such record: {given.get('id') or given.get('domain')!r}")
    return record


def values_given(desk: Desk, given: Arguments, record: Record | None) -> dict[str, str]:
    """`properties` in the form they are kept in; read-only ones may be set here."""
    wanted = given.get("properties") or {}
    if not isinstance(wanted, Mapping):
        raise Unusable("properties: a JSON object of names and values")
    return desk.kept({str(name): value for name, value in wanted.items()}, record)


def names_given(given: Arguments, name: str) -> list[str]:
    """A list of names or ids; one alone may stand for itself, absent is none."""
    value = given.get(name, [])
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list | tuple):
        raise Unusable(f"{name}: a list, was {value!r}")
    return [str(one) for one in value]


def stamp_given(given: Arguments) -> int | None:
    return instant(given["at"]) if given.get("at") is not None else None


def lateness_given(given: Arguments) -> int:
    return int(seconds_given(given, "visible_late") * 1000) if given.get("visible_late") is not None else 0


def follows_up(given: Arguments) -> bool:
    return bool(given.get("follow_up", True))


def seconds_given(given: Arguments, name: str) -> float:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unusable(f"{name}: a number of seconds, was {value!r}")
    return float(value)


def page_size(given: Arguments) -> int:
    return int(str(given.get("limit", PAGE)))


def entries_after(log: deque[Any], given: Arguments, seq: Callable[[Any], int]) -> list[Any]:
    """Entries behind `after`. Sequence numbers are gapless, so the place is arithmetic."""
    if not log:
        return []
    start = max(0, int(str(given.get("after", 0))) - seq(log[0]) + 1)
    return list(islice(log, start, None))
