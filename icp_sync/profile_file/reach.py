"""Can any company reach the top tier? Sound: what is reported as out of reach truly is.

Questions that share facts are answered together, over every combination of representative values; where
there are too many combinations nothing is claimed. The credits are those of the shipped evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import floor, prod

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import Condition, facts_of, leaves
from icp_sync.domain.facts import FactType
from icp_sync.domain.profile import Criterion, Effect, Profile
from icp_sync.profile_file.cells import NOW, cells
from icp_sync.profile_file.reading import Path, Report

MOST_COMBINATIONS = 5_000

Credits = tuple[tuple[float, float], ...]
"""Low and high credit of each demand of a cluster, for one combination of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demand:
    """One condition and what it must not do: a gate must not fail, a flag must not hold.

    rank: order in which demands are laid on: scope, gates, exclude flags, caps; criteria demand nothing.
    """

    rank: int
    name: str
    when: Condition
    path: Path
    weight: float = 0.0
    cap: str = ""

    def allows(self, low: float, high: float) -> bool:
        if self.rank in {_SCOPE, _GATE}:
            return high > 0.0
        return low < 1.0 if self.rank in {_EXCLUDE, _CAP} else True


_SCOPE, _GATE, _EXCLUDE, _CAP, _CRITERION = range(5)


def check_reach(profile: Profile, types: Mapping[str, FactType], report: Report) -> None:
    """Report why nobody can reach the top tier, if so, and criteria nobody can meet."""
    before = len(report.problems)
    total = sum(c.weight for c in profile.criteria)
    best, losses = 0.0, []
    for cluster in _clusters(_demands(profile)):
        points = 100 * sum(demand.weight for demand in cluster) / total
        rows = _rows(cluster, profile, types)
        if rows is None:
            best += points
            continue
        left = _lay_on(cluster, rows, profile, report)
        if not left:
            continue
        _report_unmeetable(cluster, left, report)
        reached = max(100 * _weighed(cluster, row) / total for row in left)
        best += reached
        if points - reached > 1e-6:
            losses.append((cluster, points, reached))
    if len(report.problems) == before and floor(best + 0.5 + 1e-6) < profile.tiers.a:
        _report_losses(losses, best, profile, report)


def _demands(profile: Profile) -> list[_Demand]:
    found = []
    if profile.score_scope is not None:
        found.append(_Demand(rank=_SCOPE, name="scope", when=profile.score_scope, path=("scope", "score")))
    for index, criterion in enumerate(profile.criteria):
        rank = _GATE if criterion.required else _CRITERION
        path: Path = ("criteria", index, "name")
        found.append(
            _Demand(rank=rank, name=criterion.name, when=criterion.when, path=path, weight=criterion.weight)
        )
    for index, flag in enumerate(profile.flags):
        if flag.effect is Effect.MARK or flag.cap == "A":
            continue
        rank = _EXCLUDE if flag.effect is Effect.EXCLUDE else _CAP
        path = ("flags", index, "name")
        found.append(_Demand(rank=rank, name=flag.name, when=flag.when, path=path, cap=flag.cap))
    return sorted(found, key=lambda demand: demand.rank)


def _clusters(demands: Sequence[_Demand]) -> list[list[_Demand]]:
    """Demands that share facts, directly or through others; each in order of rank."""
    clusters: list[tuple[set[str], list[_Demand]]] = []
    for demand in demands:
        facts = set(facts_of(demand.when))
        together = [demand]
        apart = []
        for others, members in clusters:
            if others & facts:
                facts |= others
                together = members + together
            else:
                apart.append((others, members))
        clusters = [*apart, (facts, together)]
    return [sorted(members, key=lambda d: d.rank) for _, members in clusters]


def _rows(
    cluster: Sequence[_Demand], profile: Profile, types: Mapping[str, FactType]
) -> list[Credits] | None:
    """The credits of every combination of representative values; None when there are too many."""
    asked = [leaf for demand in cluster for leaf in leaves(demand.when)]
    names = sorted({leaf.fact for leaf in asked})
    options = []
    for fact in names:
        about = [leaf for leaf in asked if leaf.fact == fact]
        values = cells(fact, types[fact], about, profile.currency, MOST_COMBINATIONS)
        if values is None:
            return None
        options.append(values)
    if prod(map(len, options)) > MOST_COMBINATIONS:
        return None
    questions = tuple(Criterion(name="", layer="", when=d.when, weight=1.0) for d in cluster)
    compiled = compile_profile(Profile(name="", currency=profile.currency, criteria=questions))
    rows = set()
    for combination in product(*options):
        known = {f: v for f, v in zip(names, combination, strict=True) if v is not None}
        flat = compiled.answer(known, NOW)[-1][4:]
        rows.add(tuple(zip(flat[::2], flat[1::2], strict=True)))
    return list(rows)


def _lay_on(
    cluster: Sequence[_Demand], rows: list[Credits], profile: Profile, report: Report
) -> list[Credits]:
    """The combinations that meet every demand; the demand that leaves none is reported."""
    left = rows
    for index, demand in enumerate(cluster):
        fitting = [row for row in left if demand.allows(*row[index])]
        if not fitting:
            report.value(demand.path, *_impossible(cluster, index, rows, profile))
            return []
        left = fitting
    return left


def _impossible(
    cluster: Sequence[_Demand], index: int, rows: list[Credits], profile: Profile
) -> tuple[str, str]:
    """Why a demand leaves nobody, and what to do."""
    demand = cluster[index]
    fitting = [row for row in rows if demand.allows(*row[index])]
    rivals = [
        other for i, other in enumerate(cluster[:index]) if not any(other.allows(*row[i]) for row in fitting)
    ]
    if fitting and not rivals:
        rivals = list(cluster[:index])
    given = " and ".join(_called(rival) for rival in rivals) if fitting else ""
    if demand.rank == _SCOPE:
        return "no account can ever be in this scope", "its parts contradict each other"
    if demand.rank == _GATE:
        what = f"no company can pass the gate '{demand.name}'" + (f" and {given}" if given else "")
        return what, "nobody could reach tier A: they contradict each other"
    after = f" that passes {given}" if given else ""
    if demand.rank == _EXCLUDE:
        return f"the flag '{demand.name}' excludes every company{after}", "nobody could reach tier A"
    return f"the flag '{demand.name}' caps every company{after} at {demand.cap}", "nobody could reach tier A"


def _called(demand: _Demand) -> str:
    if demand.rank == _SCOPE:
        return "the scope"
    return f"the gate '{demand.name}'" if demand.rank == _GATE else f"the flag '{demand.name}'"


def _report_unmeetable(cluster: Sequence[_Demand], left: Sequence[Credits], report: Report) -> None:
    above = " and ".join(_called(demand) for demand in cluster if demand.rank != _CRITERION)
    for index, demand in enumerate(cluster):
        if demand.rank == _CRITERION and all(row[index][1] == 0.0 for row in left):
            given = f" given {above}" if above else ""
            report.value(
                demand.path, f"no company can meet '{demand.name}'{given}", "its points are lost to all"
            )


def _weighed(cluster: Sequence[_Demand], row: Credits) -> float:
    return sum(demand.weight * high for demand, (_, high) in zip(cluster, row, strict=True))


def _report_losses(
    losses: Sequence[tuple[Sequence[_Demand], float, float]], best: float, profile: Profile, report: Report
) -> None:
    """Say which criteria cannot be met together, at the first of them."""
    reasons = []
    for cluster, points, reached in losses:
        names = ", ".join(f"'{demand.name}'" for demand in cluster if demand.weight)
        reasons.append(f"{names} give at most {reached:.0f} of their {points:.0f} points together")
    first = next(demand for demand in losses[0][0] if demand.weight)
    report.value(
        first.path,
        f"no company can score more than {best:.0f}, and tier A begins at {profile.tiers.a}: "
        + "; ".join(reasons),
        "join them with any, or lower tier A",
    )
