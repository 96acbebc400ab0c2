"""What the CRM itself says of who wrote what: its write log, taken down in time, and its records.

Field names are ours ("tier"), values the CRM's with numbers spelled plainly; nothing comes from a journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icp_sync.simulator import Simulator

AT_ONCE = 20_000
_WHOLE = re.compile(r"(-?\d+)\.0+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value somebody sent. ours: by our credentials. at: ms on the CRM's clock."""

    seq: int
    id: str
    field: str
    value: str
    before: str
    ours: bool
    at: int

    @property
    def changed(self) -> bool:
        return self.value != self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the checker may see.

    records: live account → field → value. gone: account that is no more → when (ms). survivors: accounts that
    took over another's values, which the log does not tell. kills: instants (ms) at which a process of ours
    died. reversals: (from, to) in ms while we took back on request. below_reserve: calls begun although too
    few were left. reads: requests for records
    after everything was settled; cycles: until nothing was written.
    """

    entries: Sequence[Entry]
    records: Mapping[str, Mapping[str, str]]
    gone: Mapping[str, int] = field(default_factory=dict)
    survivors: frozenset[str] = frozenset()
    kills: Sequence[int] = ()
    reversals: Sequence[tuple[int, int]] = ()
    below_reserve: int = 0
    reads: int = 0
    cycles: int = 0


class Ledger:
    """The log of one simulator. properties: field → property. ours: our credentials' (source, source id)."""

    def __init__(self, crm: Simulator, properties: Mapping[str, str], ours: tuple[str, str]) -> None:
        self._crm, self._ours = crm, ours
        self._fields = {name: logical for logical, name in properties.items()}
        self.entries: list[Entry] = []
        self.written: dict[str, None] = {}  # accounts that we wrote to, in order of the first time
        self._seq = 0

    def take(self) -> None:
        """Take down what is new. Call it often enough: the simulator keeps the last 200,000 entries."""
        while True:
            told: Any = self._crm.admin("GET writes", after=self._seq, limit=AT_ONCE)
            assert not told["results"] or told["oldest"] <= self._seq + 1, (
                "the log has forgotten some entries"
            )
            for raw in told["results"]:
                self._seq = raw["seq"]
                entry = self._entry(raw)
                self.entries.append(entry)
                if entry.ours:
                    self.written.setdefault(entry.id)
            if not told["more"]:
                return

    def _entry(self, raw: Mapping[str, Any]) -> Entry:
        return Entry(
            seq=raw["seq"],
            id=raw["id"],
            field=self._fields.get(raw["property"], raw["property"]),
            value=plain(raw["value"]),
            before=plain(raw["before"]),
            ours=(raw["source"], raw["sourceId"]) == self._ours,
            at=raw["at"],
        )

    def evidence(self, ids: Iterable[str], **more: Any) -> Evidence:
        """Everything up to now about these accounts."""
        self.take()
        records, gone, survivors = {}, {}, set()
        for id in ids:
            raw: Any = self._crm.admin(f"GET record/{id}")
            if raw["mergedInto"]:
                survivors.add(str(raw["mergedInto"]))
            if raw["archived"] or raw["mergedInto"]:
                gone[id] = round(datetime.fromisoformat(str(raw["archivedAt"])).timestamp() * 1000)
            else:
                told = {self._fields.get(name, name): plain(v) for name, v in raw["properties"].items()}
                records[id] = told
        stats: Any = self._crm.admin("GET stats")
        below = sum(app["knowing"] for app in stats["apps"].values())
        return Evidence(
            entries=self.entries,
            records=records,
            gone=gone,
            survivors=frozenset(survivors),
            below_reserve=below,
            **more,
        )


def plain(value: object) -> str:
    """A number without its empty decimals; nothing is ""."""
    if value is None:
        return ""
    return _WHOLE.sub(r"\1", text) if (text := str(value))[-1:] == "0" else text
