"""The rows of the table: what is run in turn, and how it is counted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from icp_sync.domain.assessment import assess
from icp_sync.domain.compile import compile_profile
from icp_sync.profile_file import load_all
from tests.domain import oracle
from tests.domain.cases import NOW, facts

PROFILE = Path("config/profiles/b2b-saas-mid-market.yaml")
LISTED = Path("config/profiles/listed-companies.yaml")
COMPANIES = "/crm/objects/2026-03/companies"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison. ours, beside: medians in the stated unit; ratio: ours / beside."""

    what: str
    unit: str
    ours: float
    beside: float
    goal: str

    @property
    def ratio(self) -> float:
        return self.ours / self.beside if self.beside else float("inf")

    def line(self) -> str:
        ours, beside = (f"{figure:,.3g} {self.unit}" for figure in (self.ours, self.beside))
        return f"| {self.what} | {ours} | {beside} | {self.ratio:.2f} | {self.goal} |"

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """Median of each run, all of them once a round."""
    taken = [[run() for run in runs] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def scoring_row(rounds: int) -> Row:
    """Accounts a second with range and verdicts: compiled, against a plain walk over the conditions."""
    profile = load_all([PROFILE])[0].profile
    compiled = compile_profile(profile)
    known = facts(
        employees=(51, 200),
        industry="COMPUTER_SOFTWARE",
        technologies={"hubspot"},
        revenue=(5e6, 2e7),
        country="US",
    )

    def rate(score: Callable[[], object], n: int) -> float:
        began = time.perf_counter()
        for _ in range(n):
            score()
        return n / (time.perf_counter() - began)

    ours, plain = in_turn(
        rounds,
        lambda: rate(lambda: assess(compiled, known, NOW), 20_000),
        lambda: rate(lambda: oracle.sums(profile, known, NOW), 2_000),
    )
    return Row(
        what="scoring with range and verdicts, against a plain walk",
        unit="accounts/s",
        ours=ours,
        beside=plain,
        goal="> 1",
    )
