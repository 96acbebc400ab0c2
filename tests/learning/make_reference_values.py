"""Writes reference_values.json: what scipy and statsmodels make of random and extreme cases.

Run by hand where both are installed: `python tests/learning/make_reference_values.py`. The project and its
tests need neither. Where a library has no such function, or rounds away what we keep, exact fractions or an
independent optimiser stand in, and the JSON says so.
"""

from __future__ import annotations

import json
from fractions import Fraction
from math import comb
from pathlib import Path
from random import Random

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import power_proportions_2indep, proportion_confint

RANDOM = Random(7)
HOW = {
    "wilson": "statsmodels proportion_confint(method='wilson')",
    "fisher": "exact fractions up to 400 cases, scipy.stats.fisher_exact beyond",
    "chi_square": "scipy.stats.chi2_contingency(correction=False), empty rows and columns dropped before",
    "chi_tail": "scipy.stats.chi2.sf",
    "trend": "statsmodels Table.test_ordinal_association (linear by linear, variance with n - 1)",
    "benjamini_hochberg": "statsmodels multipletests(method='fdr_bh')",
    "power": "statsmodels power_proportions_2indep at the size found by searching upwards",
    "auc": "scipy.stats.mannwhitneyu U / (n m)",
    "ridge": "scipy.optimize.minimize(trust-exact), then optimize.root on its slope",
    "isotonic": "scipy.optimize.isotonic_regression",
}


def wilsons() -> list[object]:
    pairs = [(0, 1), (1, 1), (0, 50), (50, 50), (1, 1_000_000), (10**9, 2 * 10**9), (3, 7)]
    pairs += [(RANDOM.randint(0, n), n) for n in (RANDOM.randint(1, 5000) for _ in range(60))]
    found = []
    for hits, n in pairs:
        confidence = RANDOM.choice((0.8, 0.9, 0.95, 0.99, 0.999))
        low, high = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
        found.append([hits, n, confidence, float(low), float(high)])
    return found


def exact(a: int, b: int, c: int, d: int) -> float:
    row, column, n = a + b, a + c, a + b + c + d
    ways = {
        k: comb(row, k) * comb(n - row, column - k)
        for k in range(max(0, row + column - n), min(row, column) + 1)
    }
    return float(Fraction(sum(way for way in ways.values() if way <= ways[a]), sum(ways.values())))


def fishers() -> list[object]:
    tables = [(0, 0, 0, 0), (5, 0, 0, 5), (0, 9, 7, 0), (3, 0, 4, 0), (1, 1, 1, 1), (10, 10, 10, 10)]
    tables += [(100, 0, 0, 100), (2, 198, 9, 191), (0, 200, 8, 192)]
    for size in (4, 12, 40, 99):
        tables += [tuple(RANDOM.randint(0, size) for _ in range(4)) for _ in range(20)]
    found: list[object] = [[*table, exact(*table)] for table in tables]
    large = [(300, 700, 250, 750), (30, 970, 60, 940), (9_000, 21_000, 3_100, 6_900), (4, 1996, 900, 100_000)]
    large += [(500_000, 500_000, 499_000, 501_000)]
    found += [[*table, float(stats.fisher_exact([table[:2], table[2:]]).pvalue)] for table in large]
    return found


def chis() -> list[object]:
    tables = [
        [[10, 20], [30, 40]],
        [[900, 100], [100, 900]],
        [[3, 0, 4], [0, 0, 0], [5, 0, 1]],
        [[10**8, 10**8 + 10**5], [10**8, 10**8 - 10**5]],
    ]
    for _ in range(60):
        shape = RANDOM.randint(2, 6), RANDOM.randint(2, 6)
        tables.append([[RANDOM.randint(1, 300) for _ in range(shape[1])] for _ in range(shape[0])])
    found = []
    for table in tables:
        kept = numpy.array(table)
        kept = kept[kept.sum(1) > 0][:, kept.sum(0) > 0]
        result = stats.chi2_contingency(kept, correction=False)
        found.append([table, float(result.statistic), int(result.dof), float(result.pvalue)])
    return found


def tails() -> list[object]:
    grid = [
        (x, k)
        for k in (1, 2, 3, 4, 7, 10, 31, 100)
        for x in (1e-9, 0.1, 1.0, 3.84, 20.0, 150.0, 700.0, 1200.0)
    ]
    return [[x, k, float(stats.chi2.sf(x, k))] for x, k in grid if stats.chi2.sf(x, k) > 1e-300]


def trends() -> list[object]:
    found = []
    for _ in range(60):
        total = [RANDOM.choice((0, RANDOM.randint(1, 400))) for _ in range(RANDOM.randint(3, 9))]
        good = [RANDOM.randint(0, n // RANDOM.choice((1, 2, 5))) for n in total]
        kept = [(i, g, n) for i, (g, n) in enumerate(zip(good, total, strict=True)) if n]
        if len(kept) < 2 or not 0 < sum(good) < sum(total):
            continue
        table = Table(numpy.array([[g, n - g] for _, g, n in kept], float), shift_zeros=False)
        result = table.test_ordinal_association(numpy.array([i for i, _, _ in kept]), numpy.array([1, 0]))
        found.append([good, total, float(result.pvalue)])
    return found


def corrections() -> list[object]:
    found = []
    for n in (1, 2, 3, 10, 40, 200):
        ps = [RANDOM.random() ** RANDOM.choice((1, 4)) for _ in range(n)]
        ps[-1] = ps[0]
        found.append([ps, [float(p) for p in multipletests(ps, method="fdr_bh")[1]]])
    return found


def powers() -> list[object]:
    """What is needed for a gap, by walking up in size until statsmodels says the power is there."""
    found = []
    for base, rate, share, alpha in (
        (0.15, 0.25, 0.3, 0.05),
        (0.2, 0.1, 0.5, 0.01),
        (0.05, 0.12, 0.2, 0.001),
    ):
        rest = (base - share * rate) / (1 - share)

        asked = {"diff": rate - rest, "prop2": rest, "ratio": (1 - share) / share, "alpha": alpha}
        n = 10
        while power_proportions_2indep(nobs1=n * share, **asked).power < 0.8:
            n += 1
        found.append([base, rate, share, alpha, n])
    return found


def aucs() -> list[object]:
    found = []
    for _ in range(30):
        n, levels = RANDOM.randint(2, 300), RANDOM.choice((3, 20, 1000))
        scores = [RANDOM.randint(0, levels) for _ in range(n)]
        good = [True, False, *(RANDOM.random() < 0.3 for _ in range(n - 2))]
        wins = [s for s, g in zip(scores, good, strict=True) if g]
        rest = [s for s, g in zip(scores, good, strict=True) if not g]
        u = float(stats.mannwhitneyu(wins, rest).statistic)
        found.append([scores, [int(g) for g in good], u / (len(wins) * len(rest))])
    return found


def ridges() -> list[object]:
    found = []
    for n, width, penalty in ((40, 1, 1.0), (120, 3, 0.1), (300, 5, 10.0), (60, 4, 1e-3), (30, 8, 2.5)):
        rows = [[round(RANDOM.gauss(0, 1), 2) for _ in range(width)] for _ in range(n)]
        good = [RANDOM.random() < 1 / (1 + 2.7 ** -(row[0] - 0.5)) for row in rows]
        weights = [RANDOM.choice((0.5, 1.0, 3.0)) for _ in range(n)]
        x = numpy.hstack([numpy.ones((n, 1)), numpy.array(rows)])
        y, w = numpy.array(good, float), numpy.array(weights)
        shrunk = numpy.diag([0.0] + [penalty] * width)

        def loss(b, x=x, y=y, w=w, s=shrunk):
            return (w * (numpy.logaddexp(0, x @ b) - y * (x @ b))).sum() + b @ s @ b / 2

        def slope(b, x=x, y=y, w=w, s=shrunk):
            return x.T @ (w * (1 / (1 + numpy.exp(-x @ b)) - y)) + s @ b

        def bend(b, x=x, w=w, s=shrunk):
            p = 1 / (1 + numpy.exp(-x @ b))
            return (x.T * (w * p * (1 - p))) @ x + s

        fit = optimize.minimize(
            loss, numpy.zeros(width + 1), jac=slope, hess=bend, method="trust-exact", options={"gtol": 1e-12}
        )
        fit = optimize.root(slope, fit.x, jac=bend, tol=1e-15)
        found.append([rows, [int(g) for g in good], weights, penalty, [float(b) for b in fit.x]])
    return found


def isotonics() -> list[object]:
    found = []
    for _ in range(20):
        n = RANDOM.randint(1, 30)
        values = [round(RANDOM.gauss(i / 10, 1), 3) for i in range(n)]
        weights = [RANDOM.choice((0.5, 1.0, 4.0)) for _ in range(n)]
        fit = optimize.isotonic_regression(values, weights=weights)
        found.append([values, weights, [float(v) for v in fit.x]])
    return found


def main() -> None:
    values = {
        "made_by": {
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
            "numpy": numpy.__version__,
        },
        "how": HOW,
        "wilson": wilsons(),
        "fisher": fishers(),
        "chi_square": chis(),
        "chi_tail": tails(),
        "trend": trends(),
        "benjamini_hochberg": corrections(),
        "power": powers(),
        "auc": aucs(),
        "ridge": ridges(),
        "isotonic": isotonics(),
    }
    path = Path(__file__).with_name("reference_values.json")
    path.write_text(
        "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in values.items()) + "\n}\n"
    )


if __name__ == "__main__":
    main()
