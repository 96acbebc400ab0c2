"""What becomes of the others when a worker dies for good, or a portal hangs: a run with it, and without."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from tests.scale.costs import Assumed, Costs
from tests.scale.measuring import HOUR, WARM, percentiles
from tests.scale.scenarios import Ran, Scenario, agency, largest, run

AT, SECONDS = 2_400.0, 600.0
"""When it happens, and for how long a portal hangs."""
WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """p95 of freshness, seconds: of the same minutes without it, while it lasts, and after."""

    name: str
    without: float
    during: float
    after: float
    more: str

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def dying(costs: Costs, assumed: Assumed, portals: int = 200) -> Failure:
    """One worker of four ends for good, in an hour of work; and what that costs a backfill."""
    steady = _steady(portals)
    well = run(steady, WORKERS, costs, assumed)
    ill = run(replace(steady, dies=AT), WORKERS, costs, assumed)
    filling = Scenario(name="twenty", crm="hubspot", sizes=agency(min(20, portals)))
    whole = run(filling, WORKERS, costs, assumed)
    less = run(replace(filling, dies=whole.seconds / 2), WORKERS, costs, assumed)
    return Failure(
        name="one worker of four dies",
        without=_p95(well, AT, AT + SECONDS),
        during=_p95(ill, AT, AT + SECONDS),
        after=_p95(ill, AT + SECONDS, ill.seconds),
        more=f"a backfill of {len(filling.sizes)} portals that loses it half way takes "
        f"{less.seconds / HOUR:.2f} h instead of {whole.seconds / HOUR:.2f} h",
    )


def hanging(costs: Costs, assumed: Assumed, portals: int = 200) -> Failure:
    """The largest portal answers nothing for ten minutes."""
    steady = _steady(portals)
    well = run(steady, WORKERS, costs, assumed)
    ill = run(replace(steady, hangs=(AT, SECONDS)), WORKERS, costs, assumed)
    own = max((one.seconds for one in largest(ill.portals).fresh if one.at >= AT), default=0.0)
    return Failure(
        name="one portal hangs for ten minutes: the others",
        without=_p95(well, AT, AT + SECONDS, others=True),
        during=_p95(ill, AT, AT + SECONDS, others=True),
        after=_p95(ill, AT + SECONDS, ill.seconds, others=True),
        more=f"its own changes wait up to {own / 60:.0f} min",
    )


def _steady(portals: int) -> Scenario:
    return Scenario(name="an hour", crm="hubspot", sizes=agency(portals), steady=2 * AT)


def _p95(ran: Ran, since: float, until: float, *, others: bool = False) -> float:
    portals = [one for one in ran.portals if not (others and one is largest(ran.portals))]
    since = max(since, WARM)
    return percentiles(one.seconds for p in portals for one in p.fresh if since <= one.at < until)[1]


def failure_table(failures: list[Failure]) -> list[str]:
    """Markdown."""
    found = ["| freshness p95 | without | while it lasts | after | |", "|---|---|---|---|---|"]
    return found + [
        f"| {one.name} | {one.without:.0f} s | {one.during:.0f} s | {one.after:.0f} s | {one.more} |"
        for one in failures
    ]
