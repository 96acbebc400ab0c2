"""Several workers and one process come to the same end: the same portals, made twice, settled both ways."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.cluster.fleet import STILL, Fleet, fleet, until
from tests.cluster.portals import Wanted

BURST, SEARCHES = 190, 4
"""What the plan allows in ten seconds, and what the settings leave of its searches in one."""
CLUSTER = 'lease = "60s"'
"""As by default."""
WHENS = ("tier_changed_at", "routed_at")
"""Instants: only whether there is one must be the same."""
OWNERS = ("owner", "routed_owner")
"""Who of a pool: only how many each got."""
NOT_SAME = ("seal",)
"""Made with a key of each installation."""
NAMES = "Routed to "
"""Begins the sentence of the reasons that names an owner."""

Told = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """different: records on which something else stands than after one process. shares: furthest apart that
    an owner's two shares of all that were given somebody are. refused: requests over a limit. peak: requests
    in any ten seconds. uneven: how far the worker that did most or least is from an even share."""

    accounts: int
    different: tuple[str, ...]
    owned: int
    shares: float
    refused: int
    peak: int
    uneven: float
    seconds: float
    alone: float

    def right(self) -> bool:
        return not self.different and self.shares <= 0.02 and not self.refused and self.uneven <= 0.2

    def row(self) -> dict[str, object]:
        return {
            "accounts": self.accounts,
            "different": len(self.different),
            "owners given": self.owned,
            "pool shares apart": f"{self.shares:.2%}",
            "over a limit": self.refused,
            "most in 10 s": self.peak,
            "furthest from even": f"{self.uneven:.0%}",
            "seconds": round(self.seconds),
            "one process": round(self.alone),
        }


def compare(
    portals: int, accounts: int, workers: int, *, apart: bool, told: Told = lambda _: None
) -> Compared:
    """accounts: of each portal. Limits are the plan's, on both sides."""
    now = time.time()
    wanted = [
        Wanted(accounts=accounts, seed=n + 1, made=n % 2 == 0, at=now, limits="pro") for n in range(portals)
    ]
    quota = f"burst = {BURST}\nsearch = {SEARCHES}\nreserve = '0%'"
    said = {"apart": apart, "quota": quota, "schedule": STILL, "cluster": CLUSTER}
    with fleet(wanted, **said) as many, fleet(wanted, url="sqlite", **said) as one:
        told("settling")
        seconds = _together(many, workers)
        alone = _alone(one)
        told(f"{seconds:.0f} s together, {alone:.0f} s alone; {dict(many.worked())}")
        different, owned, shares = _difference(many, one)
        stats = [portal.admin("GET stats") for portal in many.portals.values()]
        worked = many.worked()
        even = sum(worked.values()) / workers
        return Compared(
            accounts=portals * accounts,
            different=tuple(different),
            owned=owned,
            shares=shares,
            refused=sum(one["limited"] for one in stats),
            peak=max(one["peak_10s"] for one in stats),
            uneven=max(abs(n - even) for n in [*worked.values(), *[0] * (workers - len(worked))]) / even,
            seconds=seconds,
            alone=alone,
        )


def _together(many: Fleet, workers: int) -> float:
    began = time.monotonic()
    many.start(workers)
    return _ended(many, began)


def _alone(one: Fleet) -> float:
    """One process, `icp-sync run`."""
    began = time.monotonic()
    one.start(1, command="run")
    return _ended(one, began)


def _ended(at: Fleet, began: float) -> float:
    """Seconds until all is settled; then everybody is stopped."""
    until(at.all_backfilled, "every portal is backfilled", 3600)
    until(lambda: not at.deferred(), "what two were at at once is settled", 600)
    seconds = time.monotonic() - began
    at.stop()
    return seconds


def _difference(many: Fleet, one: Fleet) -> tuple[list[str], int, float]:
    """Records that differ; how many have an owner of ours; how far apart two shares are."""
    different: list[str] = []
    given: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for name in many.portals:
        ours, theirs = many.standing(name), one.standing(name)
        assert ours.keys() == theirs.keys(), "the two portals do not hold the same companies"
        for id, record in ours.items():
            for count, side in zip(given, (record, theirs[id]), strict=True):
                count[side["routed_owner"]] += bool(side["routed_owner"])
            here, there = _plain(record), _plain(theirs[id])
            if here != there:
                fields = [field for field in here if here[field] != there[field]]
                different.append(f"{name} {id}: {[(f, here[f], there[f]) for f in fields]}")
    totals = [max(1, count.total()) for count in given]
    people = given[0].keys() | given[1].keys()
    apart = max((abs(given[0][p] / totals[0] - given[1][p] / totals[1]) for p in people), default=0.0)
    return different, given[0].total(), apart


def _plain(record: dict[str, str]) -> dict[str, str]:
    """What must be equal."""
    kept = {field: value for field, value in record.items() if field not in NOT_SAME}
    for field in (*WHENS, *OWNERS):
        kept[field] = "some" if kept[field] else ""
    sentences = [line for line in kept["reasons"].split("\n") if NAMES not in line]
    return kept | {"reasons": "\n".join(sentences)}
