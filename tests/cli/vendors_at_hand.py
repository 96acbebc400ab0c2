"""Sources of facts for the commands' tests: what they know and whom they were asked about are files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from icp_sync.domain.facts import Signal, number
from icp_sync.ports import Answer, Hit, Miss, Pending, Request, Unavailable


class Headcounts:
    """Employees by domain, from a JSON file: a number, "pending" or the kind of a refusal. Paid by hit."""

    facts = frozenset({"employees"})
    ttl = 90 * 86_400.0
    miss_ttl = 30 * 86_400.0
    verified = False

    def __init__(self, path: str, *, name: str = "headcounts", price: float = 2.0, leaves: str = "") -> None:
        self.name, self.price, self._path = name, price, Path(path)

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        known = json.loads(self._path.read_text())
        with self._path.with_suffix(f".{self.name}").open("a") as log:
            log.writelines(f"{request.domain}\n" for request in requests)
        return [self._one(known.get(request.domain)) for request in requests]

    def _one(self, said: object) -> Answer:
        if isinstance(said, int):
            value = number(said)
            signal = Signal(fact="employees", value=value, source=self.name, observed_at=1.7e9, raw=str(said))
            return Hit(signals=(signal,), charge=self.price)
        if said == "pending":
            return Pending(job="j1", retry_after=600.0)
        return Unavailable(kind=said, message="says no") if isinstance(said, str) else Miss()
