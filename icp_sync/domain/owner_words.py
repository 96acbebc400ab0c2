"""Who owns an account and why, or why nobody does, in one line for a rep."""

from __future__ import annotations

import re
from collections.abc import Mapping

from icp_sync.domain.account import Owner, Previous
from icp_sync.domain.routing import Decision
from icp_sync.domain.spelling import date_text, ended, plain

_NAME = 40
_PASSED_OVER = 4
_IDLE = frozenset({"somebody owns it", "out of scope"})
"""Notes that tell a rep nothing."""
_CHOSEN_IN = re.compile(r"^Routed to .*? on \d{4}-\d\d-\d\d: (.+)$", re.MULTILINE)
CHOSEN = 220
"""Characters that are remembered of why somebody was chosen."""


def person(email: str, owners: Mapping[str, Owner]) -> str:
    """A name where the CRM knows one, else the email."""
    known = owners.get(email)
    return plain(known.name if known and known.name.strip() else email, _NAME)


def chosen_because(decision: Decision, owners: Mapping[str, Owner]) -> str:
    """Why this one: "from pool east, one of 2 who could take it; passed over: Ben (at their cap of 50)"."""
    free = sum(not one.skipped for one in decision.considered)
    among = f", one of {free} who could take it" if free > 1 else ""
    said = f"{_named(decision, owners)}{among}"
    skipped = _skipped(decision, owners)
    return plain(f"{said}; passed over: {skipped}" if skipped else said, CHOSEN)


def owner_text(decision: Decision, owner: str, carried: Previous, owners: Mapping[str, Owner]) -> str:
    """The line on the owner, "" where there is nothing to say.

    owner: who owns the account now ("" nobody, "#123" somebody the roster does not know). carried: with whom
    the route chose last, and why.
    """
    if decision.owner and decision.owner == carried.routed_owner:
        because = carried.routed_why or chosen_because(decision, owners)
        return _chosen(decision.owner, because, carried, owners)
    ours = bool(owner) and owner == carried.routed_owner
    if decision.owner:  # who is not given it here, or not yet
        return _chosen(owner, carried.routed_why, carried, owners) if ours and carried.routed_why else ""
    note = "" if decision.note in _IDLE else _named(decision, owners)
    if not owner:
        return _nobody(decision, note, owners)
    stays = f"owner {person(owner, owners)} stays"
    more = note.removeprefix(stays).lstrip(":, ")
    if more and (ours or note.startswith(stays)):
        return ended(f"O{stays[1:]}: {more}")
    return _chosen(owner, carried.routed_why, carried, owners) if ours and carried.routed_why else ""


def _chosen(email: str, because: str, carried: Previous, owners: Mapping[str, Owner]) -> str:
    """Says when it was, not that it still is: people may give the account to somebody else at any time, and
    no words are written anew for that."""
    at = f" on {date_text(carried.routed_at)}" if carried.routed_at is not None else ""
    return ended(f"Routed to {person(email, owners)}{at}: {because}")


def chosen_in(reasons: str) -> str:
    """Why the owner was chosen, read back from the reasons on a record, "" where they do not say."""
    found = _CHOSEN_IN.search(reasons)
    return found[1].removesuffix(".") if found else ""


def _nobody(decision: Decision, note: str, owners: Mapping[str, Owner]) -> str:
    if not note:
        return ""
    if len(decision.considered) > 1:
        pool = f" in {plain(decision.pool, _NAME)}" if decision.pool else ""
        note = f"nobody{pool} may take it: {_skipped(decision, owners)}"
    if decision.until is not None and (day := date_text(decision.until)) not in note:
        note = f"{note}; looked at again on {day}"
    return ended(f"No owner yet: {note}")


def _named(decision: Decision, owners: Mapping[str, Owner]) -> str:
    """The note of a decision with people's names in place of their emails."""
    note = decision.note
    emails = {one.email for one in decision.considered} | {word for word in note.split() if "@" in word}
    for email in sorted({one.strip(",:;") for one in emails}, key=len, reverse=True):
        note = note.replace(email, person(email, owners))
    return plain(note, CHOSEN)


def _skipped(decision: Decision, owners: Mapping[str, Owner]) -> str:
    """Who was passed over and why, at most four by name."""
    over = [one for one in decision.considered if one.skipped]
    named = ", ".join(f"{person(one.email, owners)} ({one.skipped})" for one in over[:_PASSED_OVER])
    return f"{named} and {len(over) - _PASSED_OVER} more" if len(over) > _PASSED_OVER else named
