"""Processes killed while they buy facts, fifty times; judged by the vendors' own log. See `tests/vendors`."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from tests.sync.processes import Nursery
from tests.vendors.market import Market, market

DATABASES = ("sqlite", "postgresql")
POINTS = (
    "enrich.ask.before",
    "enrich.answer.after",
    "journal.reserve.before",
    "journal.reserve.after",
    "journal.record.before",
    "journal.record.after",
    "http.reply",
)
"""Where every third process ends; the others are killed at random instants."""
SEASON = 10
"""Kills of one portal: then it settles within its budgets, and without them."""


def run(
    budget_seconds: float, kills: int = 50, told: Callable[[str], object] = lambda _: None
) -> dict[str, int | str]:
    """So many kills, on either database in turn, or as many as the time allows."""
    folder = Path(mkdtemp(prefix="icp-sync-nursery-"))
    nursery = Nursery(folder)
    ends, total, season = time.monotonic() + budget_seconds, Counter[str](), 0
    try:
        while total["kills"] < kills and time.monotonic() < ends:
            database = DATABASES[season % len(DATABASES)]
            with market(database, nursery, seed=100 + season) as place:
                figures = _season(place, season, min(SEASON, kills - total["kills"]), told)
            total.update(figures)
            season += 1
    finally:
        nursery.close()
        shutil.rmtree(folder, ignore_errors=True)
    return dict(total)


def _season(place: Market, season: int, kills: int, told: Callable[[str], object]) -> Counter[str]:
    """A portal that is filled by processes that are killed. Figures, all of them even where they are 0."""
    tries = 0
    while sum(life.killed for life in place.lives) < kills and tries < 3 * kills:
        tries += 1
        if tries % 3 == 0:
            place.dies_at(POINTS[(season + tries // 3) % len(POINTS)], place.dice.randint(1, 6))
        else:
            place.dies_at_random()
    worst: dict[str, int] = {}
    for limited in (True, False):
        if not limited:
            place.without_limits()
        place.settle()
        table = place.judged()
        if not table.clean():
            told(f"season {season}, {'within' if limited else 'without'} budgets: {table.said()}")
        worst = {name: max(worst.get(name, 0), count) for name, count in table.figures().items()}
    return Counter({"kills": sum(life.killed for life in place.lives), **worst})
