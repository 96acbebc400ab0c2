"""Our side of the comparison, in a process of its own as the others' are: `python -m … ACCOUNTS.json`.

Of each account the compiled profile makes range, score, coverage and the verdict of every criterion; as in
the engine itself, these are dropped when the next account comes.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.facts import Facts
from icp_sync.domain.profile import Profile
from icp_sync.domain.whole_points import rounded
from icp_sync.profile_file import load_all
from tests.bench.sections.scoring.accounts import facts_of

PROFILE = Path(__file__).parent / "profile.yaml"
NOW = 1_790_000_000.0


def profile() -> Profile:
    return load_all([PROFILE])[0].profile


def scores_of(known: Sequence[Facts]) -> list[float]:
    answer = compile_profile(profile()).answer
    return [answer(facts, NOW)[2] for facts in known]


def digest(scores: Sequence[float]) -> str:
    """Of all whole scores, as `engine_work.py` makes it."""
    return hashlib.sha256(",".join(str(rounded(points)) for points in scores).encode()).hexdigest()


def main(accounts: Path) -> None:
    told = json.loads(accounts.read_text(encoding="utf-8"))
    currency = profile().currency
    known = [facts_of(account, currency) for account in told]
    gc.disable()  # as for the others
    began = time.process_time()
    scores = scores_of(known)
    seconds = time.process_time() - began
    print(json.dumps({"seconds": seconds, "digest": digest(scores)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
