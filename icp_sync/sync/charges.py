"""What sources really charge, as far as this process has seen: a stated price may be too low.

Must not know what is asked, nor what budgets there are.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

from icp_sync.observe import log
from icp_sync.ports import Answer, Enricher, Hit, Miss

ENOUGH = 50
"""Answers without any charge after which a source is believed to charge nothing for such."""


class Charges:
    """Of all sources of one connection. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[str, float] = {}
        self._fetches: dict[str, float] = {}
        self._answers: dict[str, int] = defaultdict(int)

    def of_order(self, enricher: Enricher) -> float:
        """Credits to reserve for a question: its price, or the most that one has cost."""
        return max(enricher.price, self._orders.get(enricher.name, 0.0))

    def of_fetch(self, enricher: Enricher) -> float:
        """The most credits that fetching what was ordered before has cost."""
        return self._fetches.get(enricher.name, 0.0)

    def known(self, enricher: Enricher) -> bool:
        """Whether enough answers were seen to trust in what the next ones will cost."""
        name = enricher.name
        seen = bool(self._orders.get(name) or self._fetches.get(name))
        return seen or self._answers.get(name, 0) >= ENOUGH

    def add(self, enricher: Enricher, answers: Iterable[tuple[Answer, bool]]) -> None:
        """Learn from answers; of each whether it was fetched."""
        name = enricher.name
        with self._lock:
            before = self._orders.get(name, 0.0)
            for answer, fetched in answers:
                most = self._fetches if fetched else self._orders
                most[name] = max(most.get(name, 0.0), answer.charge)
                if isinstance(answer, Hit | Miss):
                    as_said = isinstance(answer, Hit) and not enricher.price and not answer.charge
                    self._answers[name] += ENOUGH if as_said else 1
            after = self._orders.get(name, 0.0)
        if after > max(before, enricher.price):
            log("enrich").warning(
                "source charges more than its price", enricher=name, price=enricher.price, charge=after
            )
