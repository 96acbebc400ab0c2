"""The whole line of `learn` over many seeds: what it answers where nothing tells, and how its profiles rank.

Beside our profile stands a gradient-boosted model (scikit-learn) that learns from the very same cases and
ranks the very same later ones: it may use every fact, every cut and every interaction, and explains nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite, log1p, nan
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import Any

from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.learning.cases import Book, Labelled
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.figures.ranking import auc
from icp_sync.learning.learn import Wish, learn
from icp_sync.learning.sources.labelled import book_from_files
from tests.bench.figures import Figure
from tests.learning.planted import END, FACTS, TYPES, planted
from tests.learning.planted_file import columns, write_accounts

LEARNED, PROVED = 2_000, 860
"""Cases learned from, and later ones that prove it: 70 % and 30 %."""
Run = Callable[..., Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """One set of cases. ours, trees: forward AUC, None where no profile came out."""

    answered: bool
    promoted: bool
    ours: float | None = None
    trees: float | None = None


def book(seed: int, n: int = LEARNED + PROVED, **options: Any) -> Book:
    cases = planted(n, seed, **options).cases
    return Book(cases=cases, crowd={case.id: case.facts for case in cases}, types=TYPES)


def one_seed(seed: int, *, beside: bool = False, **options: Any) -> Seed:
    done = learn(book(seed, **options), Wish(rounds=400))
    answered = not done.enough
    promoted = answered and done.proof is not None and done.proof.verdict.passed
    if not beside or done.proof is None:
        return Seed(answered=answered, promoted=promoted)
    judged = done.proof.judged
    ours = auc([one.rank for one in judged], [one.good for one in judged])
    return Seed(answered=answered, promoted=promoted, ours=ours, trees=boosted(done.learning, done.proving))


def boosted(learning: Sequence[Labelled], proving: Sequence[Labelled]) -> float | None:
    """Forward AUC of gradient-boosted trees that see every fact as it is."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    shape = _shape(learning)
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=300, max_leaf_nodes=8, min_samples_leaf=30, l2_regularization=1.0,
        early_stopping=True, validation_fraction=0.2, n_iter_no_change=20, random_state=0,
    )  # fmt: skip
    with threadpool_limits(1):  # its threads wait for each other by spinning, which starves a busy machine
        trees.fit([_row(one.case.facts, shape) for one in learning], [one.good for one in learning])
        chances = trees.predict_proba([_row(one.case.facts, shape) for one in proving])[:, 1]
    return auc([float(chance) for chance in chances], [one.good for one in proving])


def _shape(learning: Sequence[Labelled]) -> Mapping[str, tuple[str, ...]]:
    """Fact → the words it may have, none for a number."""
    words: dict[str, set[str]] = {fact: set() for fact in FACTS}
    for one in learning:
        for fact, value in one.case.facts.items():
            if fact in words and isinstance(value, Members):
                words[fact] |= value.known
    return {fact: tuple(sorted(found)) for fact, found in words.items()}


def _row(facts: Mapping[str, FactValue], shape: Mapping[str, Sequence[str]]) -> list[float]:
    row: list[float] = []
    for fact, words in shape.items():
        value = facts.get(fact)
        if TYPES[fact] in (FactType.NUMBER, FactType.MONEY, FactType.DATE):
            row.append(_middle(value))
        elif isinstance(value, Members):
            row += [float(word in value.known) for word in words]
        else:
            row += [nan] * len(words)
    return row


def _middle(value: FactValue | None) -> float:
    if not isinstance(value, Interval | Money):
        return nan
    low, high = value.low, value.high
    middle = (low + high) / 2 if isfinite(high) else low
    return log1p(middle) if middle > 0 else middle


SILENT: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("outcomes independent of all facts", {"effect": "none"}),
    ("labels shuffled", {"shuffled": True}),
    ("odds ratio 1.2, 200 cases", {"effect": 1.2, "n": 200}),
)


def silent(seeds: Sequence[int], run: Run = map) -> list[Figure]:
    """What is answered where there is nothing, or too little, to learn."""
    figures = []
    for what, options in SILENT:
        done = list(run(partial(one_seed, **options), seeds))
        none, promoted = fmean(not one.answered for one in done), sum(one.promoted for one in done)
        figures += [
            Figure(what=f"not enough evidence, {what}", ours=f"{none:.1%}", goal="≥ 95 %"),
            Figure(what=f"profiles promoted, {what}", ours=f"{promoted} of {len(done)}", goal="0"),
        ]
    return figures


def beside_trees(seeds: Sequence[int], run: Run = map, **options: Any) -> list[Figure]:
    """How a learned profile ranks later cases, beside trees that learned from the same ones."""
    done = list(run(partial(one_seed, beside=True, **options), seeds))
    pairs = [(one.ours, one.trees) for one in done if one.ours is not None and one.trees is not None]
    if not pairs:
        return [Figure(what="a profile is learned", ours="never", goal="within 0.02")]
    gaps = sorted(trees - ours for ours, trees in pairs)
    answered, promoted = fmean(one.answered for one in done), fmean(one.promoted for one in done)
    ours, trees = (f"{fmean(side):.3f}" for side in zip(*pairs, strict=True))
    behind = f"{fmean(gaps):+.3f}, {median(gaps):+.3f}, {gaps[int(0.95 * (len(gaps) - 1))]:+.3f}"
    return [
        Figure(what="a profile is learned", ours=f"{answered:.1%}"),
        Figure(what="and would be promoted", ours=f"{promoted:.1%}"),
        Figure(what="forward AUC, mean (beside: boosted trees)", ours=ours, beside=trees, goal="within 0.02"),
        Figure(what="trees ahead by: mean, median, 95th percentile", ours=behind, goal="≤ +0.020"),
    ]


def whole_file(seeds: Sequence[int] = (), run: Run = map, *, n: int = 10_000) -> list[Figure]:
    """Processor seconds from a labelled CSV of forty columns to a proven profile: one file for all seeds."""
    with TemporaryDirectory() as folder:
        path = write_accounts(Path(folder) / "accounts.csv", planted(n).cases)
        began = time.process_time()
        told = book_from_files(
            path, None, None, Definitions(), columns=columns(), types=TYPES, currency="USD", now=END
        )
        done = learn(told, Wish())
        seconds = time.process_time() - began
    assert done.text
    what = f"{n:,} accounts, forty columns, from file to proof"
    return [Figure(what=what, ours=f"{seconds:.1f} CPU s", goal="< 60 s")]
