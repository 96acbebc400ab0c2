"""What a read tells of an account that we gave to somebody. Pure but for its types."""

from __future__ import annotations

from datetime import tzinfo

from icp_sync.domain.account import Account, Remembered, Withdrawn
from icp_sync.domain.assignment import Assignment, Seen, looked_at
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import Facts


def given_now(
    account: Account,
    remembered: Remembered,
    evaluation: Evaluation,
    facts: Facts,
    withdrawn: Withdrawn | None,
    zone: tzinfo,
    now: float,
) -> Assignment | None:
    """How it was given to its owner, with what has become of that; None where nobody watches it."""
    if remembered.assignment is None or "owner" not in account.live:
        return remembered.assignment
    seen = Seen(
        owner=account.owner,
        facts=facts,
        in_scope=evaluation.in_scope,
        ours=account.owner in remembered.intents.get("owner", ()),
        undone=withdrawn is not None and "owner" in withdrawn.fields,
    )
    return looked_at(remembered.assignment, seen, now, zone)
