"""Buying only what can change the answer, against buying everything: the worst of some seeds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench.enrichment.comparing import Compared, compared
from tests.bench.sections.size import Size
from tests.bench.table import Row, Section

PROFILES = tuple(Path(f"config/profiles/{name}.yaml") for name in ("b2b-saas-mid-market", "manufacturing"))


def buying(folder: Path, size: Size) -> Section:
    """Two rows a profile: credits, and accounts with one tier either way."""
    rows: list[Row] = []
    with ProcessPoolExecutor() as pool:
        for profile in PROFILES:
            seeds = range(1, size.seeds + 1)
            rows += _rows(profile.stem, list(pool.map(partial(compared, profile, most=size.bought), seeds)))
    return Section(
        title=f"Facts bought by what they are worth, worst of {size.seeds} seeds (1,500 real companies, "
        "the rest resampled)",
        rows=rows,
    )


def _rows(profile: str, found: list[Compared]) -> Iterator[Row]:
    dearest = max(found, key=lambda one: one.share)
    worst = min(found, key=lambda one: one.equal)
    yield Row(
        key=f"buying.{profile}.credits",
        what=f"{profile}: credits, against buying everything",
        unit="credits",
        ours=dearest.credits,
        beside=dearest.everything,
        goal="≤ 0.40 ×",
        met=dearest.share <= 0.40,
    )
    yield Row(
        key=f"buying.{profile}.tiers",
        what=f"{profile}: accounts with the tier that buying everything gives, of all",
        unit="accounts",
        ours=float(worst.same),
        beside=float(worst.accounts),
        goal="≥ 0.99 ×",
        met=worst.equal >= 0.99,
    )
