"""The whole assessment of an account beside a plain walk over the conditions, which scores and no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from icp_sync.domain.assessment import assess
from icp_sync.domain.compile import compile_profile
from icp_sync.profile_file import load_all
from tests.bench.places import PROFILE
from tests.bench.sections.size import Size
from tests.bench.table import Row, in_turn
from tests.domain import oracle
from tests.domain.cases import NOW, facts


def walk_row(size: Size) -> Row:
    """Accounts a second under the flagship profile: gates, flags, range, verdicts."""
    profile = load_all([PROFILE])[0].profile
    known = facts(
        employees=(51, 200),
        industry="COMPUTER_SOFTWARE",
        technologies={"hubspot"},
        revenue=(5e6, 2e7),
        country="US",
    )
    ours, plain = in_turn(
        size.rounds,
        partial(_rate, partial(assess, compile_profile(profile), known, NOW), size.scored // 5),
        partial(_rate, partial(oracle.sums, profile, known, NOW), size.scored // 50),
    )
    return Row(
        key="scoring.walk",
        what="assessment with gates and flags, against a plain walk that scores",
        unit="accounts/s",
        ours=ours,
        beside=plain,
    )


def _rate(score: Callable[[], object], n: int) -> float:
    began = time.process_time()
    for _ in range(n):
        score()
    return n / (time.process_time() - began)
