"""Buying only what can change the answer, against buying everything: the worst of some seeds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench.enrichment.comparing import Compared, compared
from tests.bench.rows import Row

PROFILES = tuple(Path(f"config/profiles/{name}.yaml") for name in ("b2b-saas-mid-market", "manufacturing"))


def enrichment_rows(seeds: int, accounts: int | None = None) -> Iterator[Row]:
    """Two rows a profile: credits, and accounts with one tier either way. accounts: only so many a seed."""
    with ProcessPoolExecutor() as pool:
        for profile in PROFILES:
            found = list(pool.map(partial(compared, profile, most=accounts), range(1, seeds + 1)))
            yield from _rows(profile.stem, found)


def _rows(profile: str, found: list[Compared]) -> Iterator[Row]:
    dearest = max(found, key=lambda one: one.share)
    worst = min(found, key=lambda one: one.equal)
    of = f"worst of {len(found)} seeds, {worst.accounts:,} companies (1,500 real, the rest resampled)"
    yield Row(
        what=f"enrichment, {profile}: credits by value / for everything, {of}",
        unit="credits",
        ours=dearest.credits,
        beside=dearest.everything,
        goal="≤ 0.40",
    )
    yield Row(
        what=f"enrichment, {profile}: accounts with the tier that buying everything gives, {of}",
        unit="accounts",
        ours=float(worst.same),
        beside=float(worst.accounts),
        goal="≥ 0.99",
    )
