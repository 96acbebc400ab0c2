"""How well what is true is found, over many seeds: `python -m tests.bench.learning [PART …] [--seeds 200]`.

Beside our share stands that of an oracle, which knows the five true facts, tests only them, each by what it
counts for, at the same rate. What it misses is hardly in the cases; what we miss beside it is the price of
looking among forty facts and of not knowing how each of them counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from math import erfc, sqrt
from statistics import fmean
from typing import Any

from icp_sync.learning.figures.chance import benjamini_hochberg
from icp_sync.learning.marks.attributes import RATE, find
from icp_sync.learning.marks.coded import coded
from tests.bench.figures import Figure
from tests.bench.learning_line import beside_trees, silent, whole_file
from tests.learning.planted import ODDS, TYPES, Planted, planted


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """What became of one seed."""

    found: frozenset[str]
    true: frozenset[str]
    oracle: bool

    @property
    def all_found(self) -> bool:
        return self.found >= self.true

    @property
    def false(self) -> float:
        return len(self.found - self.true) / len(self.found) if self.found else 0.0


def one_seed(seed: int, *, rotated: bool = False, **options: Any) -> Seed:
    """One set of cases, looked at by us and by the oracle. rotated: another fact gets another odds ratio."""
    facts, ratios = list(ODDS), list(ODDS.values())
    odds = dict(zip(facts, ratios[seed % 5 :] + ratios[: seed % 5], strict=True)) if rotated else ODDS
    made = planted(seed=seed, odds=odds, **options)
    asked = coded([case.facts for case in made.cases], TYPES, currency="USD")
    found = find(asked, made.labels, [case.cohort for case in made.cases])
    return Seed(
        found=frozenset(attribute.fact for attribute in found.found),
        true=frozenset(ODDS),
        oracle=max(benjamini_hochberg(oracle(made))) <= RATE,
    )


def oracle(made: Planted) -> list[float]:
    """p of each true fact: of the correlation of what it counts for with the labels."""
    return [_correlated(counts, made.labels) for counts in made.counts.values()]


def _correlated(counts: Sequence[float | None], labels: Sequence[bool]) -> float:
    told = [(count, float(good)) for count, good in zip(counts, labels, strict=True) if count is not None]
    middle, base = fmean(count for count, _ in told), fmean(good for _, good in told)
    both = sum((count - middle) * (good - base) for count, good in told)
    spread = sum((count - middle) ** 2 for count, _ in told) * sum((good - base) ** 2 for _, good in told)
    return erfc(abs(both) / sqrt(spread) * sqrt(len(told) / 2)) if spread else 1.0


def attributes(seeds: Sequence[int], run: Callable[..., Iterable[Seed]] = map) -> Iterator[Figure]:
    """Discovery, with and without something to discover."""
    for what, options, goal in SILENT:
        done = list(run(partial(one_seed, **options), seeds))
        yield Figure(what=f"anything found, {what}", ours=_share(bool(one.found) for one in done), goal=goal)
    for what, options, goal in PLANTED:
        done = list(run(partial(one_seed, **options), seeds))
        missed = {fact: sum(fact not in one.found for one in done) for fact in ODDS}
        said = ", ".join(f"{fact} {count}" for fact, count in missed.items() if count)
        yield Figure(
            what=f"all five found, {what}",
            ours=f"{_share(one.all_found for one in done)} (missed: {said or 'none'})",
            beside=_share(one.oracle for one in done),
            goal=goal and "≥ 95 %",
        )
        yield Figure(
            what=f"found that is not true, {what}",
            ours=f"{fmean(one.false for one in done):.1%}",
            goal=goal and "≤ 10 %",
        )
    yield from speed()


Case = tuple[str, Mapping[str, Any], str]
PLANTED: tuple[Case, ...] = (
    ("2,000 cases", {}, "yes"),
    ("the same, odds ratios dealt to the five facts in turn", {"rotated": True}, ""),
    ("2,000 cases, odds between yes and no", {"reading": "yes_no"}, ""),
    ("4,000 cases, dealt in turn", {"rotated": True, "n": 4_000}, ""),
)
SILENT: tuple[Case, ...] = (
    ("2,000 cases, nothing true", {"effect": "none"}, "≤ 10 %"),
    ("2,000 cases, labels dealt out anew", {"shuffled": True}, "≤ 10 %"),
    ("200 cases, nothing true", {"effect": "none", "n": 200}, "≤ 10 %"),
    ("200 cases, odds ratio 1.2", {"effect": 1.2, "n": 200}, ""),
)


def speed(n: int = 10_000) -> list[Figure]:
    """Processor seconds for a file of ten thousand."""
    made = planted(n)
    facts = [case.facts for case in made.cases]
    began = time.process_time()
    asked = coded(facts, TYPES, currency="USD")
    middle = time.process_time()
    find(asked, made.labels, [case.cohort for case in made.cases])
    ended = time.process_time()
    return [
        Figure(
            what=f"{n:,} cases of forty facts: asked and tested", ours=f"{ended - began:.2f} s", goal="< 4 s"
        ),
        Figure(what="the tests alone, for other labels", ours=f"{ended - middle:.3f} s", goal="< 1 s"),
    ]


def _share(hits: Iterable[bool]) -> str:
    return f"{fmean(hits):.1%}"


PARTS = {"attributes": attributes, "silent": silent, "beside": beside_trees, "file": whole_file}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "parts", nargs="*", default=[], help=f"of {', '.join(PARTS)}; all of them by default"
    )
    options.add_argument("--seeds", type=int, default=200)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    if unknown := set(chosen.parts) - PARTS.keys():
        options.error(f"there is no part {', '.join(sorted(unknown))}")
    _as_the_program_does()
    with ProcessPoolExecutor(chosen.jobs, initializer=_as_the_program_does) as pool:
        run = partial(pool.map, chunksize=5)
        figures = (f for part in chosen.parts or PARTS for f in PARTS[part](range(chosen.seeds), run))
        if chosen.json:
            print(json.dumps([asdict(figure) for figure in figures], indent=2))
            return
        print("| what | ours | oracle | goal |\n|---|---|---|---|")
        for figure in figures:
            line = f"| {figure.what} | {figure.ours} | {figure.beside} | {figure.goal} |"
            print(line, flush=True)


def _as_the_program_does() -> None:
    gc.set_threshold(100_000, 50, 100)


if __name__ == "__main__":
    main()
