"""What sources really charge, as far as this process has seen: a stated price may be too low.

Must not know what is asked, nor what budgets there are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from icp_sync.observe import log
from icp_sync.ports import Answer, Enricher, Hit, Unavailable

SURE, ENOUGH = 8, 50
"""Answers, a hit among them, since a source has charged more than ever before, after which nothing dearer is
expected of it: so many where some of them were charged, and where none was."""


@dataclass(slots=True)
class _Since:
    """Answers since a source has charged more than ever before: all, hits, and those that were charged."""

    answers: int = 0
    hits: int = 0
    charged: int = 0


class Charges:
    """Of all sources of one connection. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, float] = {}
        self._fetches: dict[str, float] = {}
        self._since: dict[str, _Since] = {}

    def of_order(self, enricher: Enricher) -> float:
        """Credits to reserve for a question: its price, or the most that one has cost."""
        return max(enricher.price, self._orders.get(enricher.name, 0.0))

    def of_fetch(self, enricher: Enricher) -> float:
        """The most credits that fetching what was ordered before has cost."""
        return self._fetches.get(enricher.name, 0.0)

    def costs(self, enricher: Enricher) -> bool:
        """Whether it has a price, or has been seen to charge."""
        return bool(self.of_order(enricher) or self.of_fetch(enricher))

    def at_once(self, enricher: Enricher, most: int) -> int:
        """How many may be asked at once where a charge could exceed a budget: one, two, four while it is not
        known what the next ones will cost; `most` once it is."""
        since = self._since.get(enricher.name, _Since())
        if since.hits and since.answers >= (SURE if since.charged else ENOUGH):
            return most
        return min(1 + since.answers, SURE, most)

    def add(self, enricher: Enricher, answers: Iterable[tuple[Answer, bool]]) -> None:
        """Learn from answers; of each whether it was fetched."""
        name = enricher.name
        with self._lock:
            before = self.of_order(enricher)
            for answer, fetched in answers:
                self._learn(enricher, answer, fetched=fetched)
            after = self.of_order(enricher)
        if after > before:
            log("enrich").warning(
                "source charges more than its price", enricher=name, price=enricher.price, charge=after
            )

    def _learn(self, enricher: Enricher, answer: Answer, *, fetched: bool) -> None:
        name = enricher.name
        most, reserved = (
            (self._fetches, self.of_fetch(enricher)) if fetched else (self._orders, self.of_order(enricher))
        )
        since = self._since.setdefault(name, _Since())
        if answer.charge > reserved:
            most[name], self._since[name] = answer.charge, _Since()
            return
        if isinstance(answer, Unavailable) and answer.kind != "bad_input":
            return  # it says nothing of what an answer costs
        as_said = isinstance(answer, Hit) and not self.costs(enricher)
        since.answers += ENOUGH if as_said else 1
        since.hits += isinstance(answer, Hit)
        since.charged += bool(answer.charge)
