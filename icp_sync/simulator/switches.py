"""Behaviour nobody documents, or that differs between portals, as switches. The defaults are the harsh ones.

`Switches` are HubSpot's; each other CRM has a board of its own. A test, or `POST /__simulator/settings`,
turns them while the simulator runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Protocol


class Habits(Protocol):
    """The switches that change what a store of records does."""

    @property
    def index_lag(self) -> float: ...
    @property
    def index_jitter(self) -> float: ...
    @property
    def same_value_bumps(self) -> bool: ...
    @property
    def follow_up(self) -> bool: ...
    @property
    def merged_in_archived_list(self) -> bool: ...


class Switchboard:
    """Switches that can be turned by name; a dataclass of each CRM says which there are."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def turn(self, changes: Mapping[str, object]) -> None:
        """Turn some switches. Raises ValueError naming everything that is no switch or of a wrong type."""
        kinds = {f.name: str(f.type) for f in fields(self)}
        wrong = []
        for name, value in changes.items():
            kind = kinds.get(name)
            if kind is None:
                wrong.append(f"{name}: no such switch")
            elif not _fits(value, kind):
                wrong.append(f"{name}: {value!r} is not {kind}")
        if wrong:
            raise ValueError("; ".join(wrong))
        for name, value in changes.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, object]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(slots=True, kw_only=True)
class Switches(Switchboard):
    """Every switch, its unit and its default.

    index_lag, index_jitter: seconds until the search index shows a write; a random extra on top.
    property_lag: real seconds until a property definition just made can be read back.
    same_value_bumps: whether writing the value a record already holds moves its modification stamp.
    follow_up: whether HubSpot's own processing stamps a record again 0.3–0.5 s after a change.
    retry_after: whether a 429 carries Retry-After (seconds).
    update_validation_207: whether batch/update with trace ids writes the good records beside invalid ones.
    dated_batch_207: whether the 2026-09 paths answer 207 (as v3 does) or 200 with `errors` inside.
    batch_read_follows_merges: whether batch/read of a merged-away id finds the survivor.
    merged_in_archived_list: whether a merged-away company shows among the archived ones.
    list_after_inclusive: whether `after` of a list is the first id of the next page or the last of this one.
    stale_associations: whether associations still name records archived or merged away.
    history_lag: seconds until the history of a property shows a version.
    list_lag: seconds for which a list just made or changed is PROCESSING and shows its old members.
    active_lists: how many active lists the portal may have; null keeps the plan's figure.
    shuffle: whether batch results come back in another order than the inputs.
    conditional_required: [{"when": {"property": …, "value": …}, "require": [names]}], enforced on 2026-09.
    conditional_on_any_write: whether those rules fire on a write that touches neither property.
    creator_required: names a POST must give on 2026-09.
    burst_limit, search_limit, daily_limit: override the plan's figures; null keeps them.
    daily_headers: whether normal answers name the calls of the day; to an OAuth app they do not.
    reserve: calls of a day below which a call is noted in the statistics; null notes none.
    latency: seconds added to every answer.
    """

    index_lag: float = 3.0
    index_jitter: float = 0.0
    property_lag: float = 0.3
    same_value_bumps: bool = True
    follow_up: bool = True
    retry_after: bool = False
    update_validation_207: bool = False
    dated_batch_207: bool = False
    batch_read_follows_merges: bool = False
    merged_in_archived_list: bool = False
    list_after_inclusive: bool = True
    stale_associations: bool = True
    history_lag: float = 0.0
    list_lag: float = 0.0
    active_lists: int | None = None
    shuffle: bool = True
    conditional_required: list[dict[str, object]] = field(default_factory=list)
    conditional_on_any_write: bool = True
    creator_required: list[str] = field(default_factory=list)
    burst_limit: int | None = None
    search_limit: int | None = None
    daily_limit: int | None = None
    daily_headers: bool = True
    reserve: int | None = None
    latency: float = 0.0


def _fits(value: object, kind: str) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind.startswith("list"):
        return isinstance(value, list)
    if value is None:
        return kind.endswith("None")
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
