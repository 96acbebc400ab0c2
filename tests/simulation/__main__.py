"""`python -m tests.simulation [days] [accounts] [seed]`: a long simulation, and what happened in it.

Ends with status 1 when a promise was broken, naming seed and day; the seed is kept in `seeds.txt`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from icp_sync.observe import configure_logs
from tests.postgres import DATABASES
from tests.simulation import SEEDS
from tests.simulation.days import simulate
from tests.simulation.referee import BrokenPromise

DAYS, ACCOUNTS = 1_000, 200
FIRST_SEED, WEEKS = 1_000, 28


def run(budget_seconds: float) -> dict[str, object]:
    """Simulate for about so long, a thousand days at most: one seed after the other, some weeks of each,
    the journal on either database in turn.

    Returns days, writes, seeds and what happened how often; `broken` names each broken promise.
    """
    configure_logs(level="CRITICAL")
    began, seed, days = time.monotonic(), FIRST_SEED, 0
    happened: Counter[str] = Counter()
    broken: list[str] = []
    while days < DAYS and time.monotonic() - began < budget_seconds:
        length = min(WEEKS, DAYS - days)
        try:
            happened += simulate(seed, length, ACCOUNTS // 2, DATABASES[seed % 2]).happened
        except BrokenPromise as error:
            broken.append(str(error))
            _keep(seed, length, ACCOUNTS // 2)
        days, seed = days + length, seed + 1
    return {"days": days, "seeds": seed - FIRST_SEED, "broken": broken, **dict(happened)}


def main(days: int, accounts: int, seed: int) -> int:
    configure_logs(level="CRITICAL")
    try:
        told = simulate(seed, days, accounts)
    except BrokenPromise as error:
        print(f"BROKEN {error}")
        _keep(seed, days, accounts)
        return 1
    print(f"seed {seed}: {told.days:,} days, {told.writes:,} writes, no promise broken")
    for what, n in sorted(told.happened.items()):
        print(f"{what:<20}{n:>9,}")
    return 0


def _keep(seed: int, days: int, accounts: int) -> None:
    with SEEDS.open("a", encoding="ascii") as kept:
        kept.write(f"{seed} {days} {accounts}\n")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(given + [DAYS, ACCOUNTS, FIRST_SEED][len(given) :])))
