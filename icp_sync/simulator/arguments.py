"""What a control's arguments mean: which record, which values, by whom, when, seen by search how late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from icp_sync.simulator.clock import instant
from icp_sync.simulator.hubspot.portal import Portal
from icp_sync.simulator.hubspot.validation import Invalid, accepted
from icp_sync.simulator.store import Record, Source

Arguments = Mapping[str, object]
USER = 73_074_756
PAGE = 1_000


class Unusable(ValueError):
    """A control that cannot be carried out as asked. Becomes a 400 with this message."""


def record_named(portal: Portal, given: Arguments, *, anything: bool = False) -> Record:
    """The record an `id` or a `domain` means. With `anything` also one that is gone."""
    if given.get("id") is not None:
        text = str(given["id"])
        number = int(text) if text.isascii() and text.isdigit() else -1
        record = portal.store.records.get(number)
        if record is not None and not anything and record.archived_at is not None:
            record = None
    else:
        domain = str(given.get("domain", ""))
        records = map(portal.store.records.__getitem__, portal.store.live)
        record = next((r for r in records if domain and r.props.get("domain") == domain), None)
    if record is None:
        raise Unusable(f"no such record: {given.get('id') or given.get('domain')!r}")
    return record


def values_given(portal: Portal, given: Arguments, record: Record | None) -> dict[str, str]:
    """`properties` in the form they are kept in; read-only ones may be set here."""
    wanted = given.get("properties") or {}
    if not isinstance(wanted, Mapping):
        raise Unusable("properties: a JSON object of names and values")
    kept = {}
    for name, value in wanted.items():
        definition = portal.catalogue.get(str(name))
        if definition is None:
            raise Unusable(f"no such property: {name}")
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        held = record.props.get(str(name), "") if record is not None else ""
        try:
            kept[str(name)] = accepted(definition, text, held, {o.id for o in portal.owners})
        except Invalid as wrong:
            raise Unusable(f"{name}: {wrong.message}") from None
    return kept


def source_given(given: Arguments) -> Source:
    """Who does it: a user of the interface unless `source` names another sourceType."""
    user = int(str(given.get("user", USER)))
    kind = str(given.get("source", "CRM_UI"))
    if kind == "CRM_UI":
        return Source(kind, f"userId:{user}", user)
    return Source(kind, str(given.get("source_id", "")), None)


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
