"""What a read tells of an account that we gave to somebody. Pure but for its types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo

from icp_sync.domain.account import Account, Owner, Remembered, Withdrawn
from icp_sync.domain.assignment import LAST_TOUCH, Assignment, Seen, looked_at
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import Known


def given_now(
    account: Account,
    remembered: Remembered,
    evaluation: Evaluation,
    known: Known,
    withdrawn: Withdrawn | None,
    owners: Mapping[str, Owner],
    zone: tzinfo,
    now: float,
    *,
    ahead: float,
    asked: bool,
) -> Assignment | None:
    """How it was given to its owner, with what has become of that; None where nobody watches it.

    ahead: seconds the CRM's clock is ahead of ours. asked: whether a route says by when to touch accounts.
    """
    if remembered.assignment is None or "owner" not in account.live:
        return remembered.assignment
    seen = Seen(
        owner=account.owner,
        facts=known.facts,
        in_scope=evaluation.in_scope,
        ours=account.owner in remembered.intents.get("owner", ()),
        undone=withdrawn is not None and "owner" in withdrawn.fields,
        owner_id=id_of(account.owner, owners),
        read_at=account.read_at / 1000 - ahead if account.read_at else None,
        unread=LAST_TOUCH in known.unread,
        asked=asked,
    )
    return looked_at(remembered.assignment, seen, now, zone)


def as_named_now(remembered: Remembered, account: Account, owners: Mapping[str, Owner]) -> Remembered:
    """What is remembered, where our owner of the account has another email by now, or is not listed any more:
    nobody gave it to anybody else, so the owner on the record is still the one we wrote."""
    given, live = remembered.assignment, account.owner
    held = remembered.confirmed.get("owner")
    if given is None or held is None or live == given.owner or held.value != given.owner:
        return remembered
    if not given.owner_id or id_of(live, owners) != given.owner_id:
        return remembered
    previous = remembered.previous
    if previous is not None and previous.routed_owner == given.owner and not live.startswith("#"):
        previous = replace(previous, routed_owner=live)
    confirmed = {**remembered.confirmed, "owner": held._replace(value=live)}
    return replace(remembered, confirmed=confirmed, previous=previous)


def id_of(email: str, owners: Mapping[str, Owner]) -> str:
    """The CRM's id of an owner; of one it does not list any more the id stands in place of the email."""
    if email.startswith("#"):
        return email[1:]
    return owners[email].id if email in owners else ""
