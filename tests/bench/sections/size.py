"""How large the bench is. The suite runs each part at its smallest, so that it cannot rot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Size:
    """accounts: of the comparisons that are repeated. rounds: how often each is run, for the median.

    full: of the backfill with the defaults. growth: of the growing bases. journaled: of the what-if.
    minutes: of the freshness row. seeds: of the vendor bench, and bought: companies a seed, None for all.
    rows: of the CSV that is scored, and scored: accounts the scoring engines are given. org: accounts of the
    Salesforce org. waits: settings of a backfill's waits, "" for the shipped ones. echoes: seconds after
    which polls have seen its last writes.
    """

    accounts: int = 10_000
    ceiling: int = 30_000
    full: int = 50_000
    org: int = 100_000
    journaled: int = 1_000_000
    growth: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    rows: int = 100_000
    scored: int = 100_000
    minutes: float = 10.0
    seeds: int = 20
    bought: int | None = None
    rounds: int = 5
    waits: str = ""
    echoes: float = 150.0

    @classmethod
    def small(cls) -> Size:
        """Large enough to see that every part runs, for no figure to mean anything."""
        return cls(
            accounts=200,
            ceiling=300,
            full=300,
            org=200,
            journaled=2_000,
            growth=(100, 200, 400),
            rows=2_000,
            scored=500,
            minutes=0.2,
            seeds=1,
            bought=150,
            rounds=1,
            echoes=0.0,
            waits='[connections.bench.backfill]\nwatch = "1s"\npause = "1s"\n',
        )
