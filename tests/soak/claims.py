"""Which values of ours people hold on one account, by the write log, and which of those we went over.

A value that somebody writes over one of ours is held from then on, unless it is what we had written last:
that is ours by evidence. One that we went over is given back, or the promise is broken. How old the edit was
then tells which: before our read nothing excuses it, between read and write it is to be given back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from icp_sync.domain.standing import FIELDS
from tests.soak.ledger import Entry

BETWEEN = 3_000
"""Milliseconds: an edit older than this at our write was there when we read."""

HELD = frozenset(name for name, one in FIELDS.items() if not one.theirs and name not in ("seal", "owner"))


@dataclass(slots=True)
class Claims:
    """held: field → value in the end. made: how many. given_back: the entries (seq) that gave one back.

    typed_after: entry (seq) of another's hand → the tier that is held after it.
    """

    held: dict[str, str] = field(default_factory=dict)
    made: int = 0
    restored: int = 0
    overwritten: list[str] = field(default_factory=list)
    unrestored: list[str] = field(default_factory=list)
    given_back: set[int] = field(default_factory=set)
    typed_after: dict[int, str] = field(default_factory=dict)


def claims_of(entries: Sequence[Entry]) -> Claims:
    """Follow one account's log."""
    claims = Claims()
    mine: dict[str, str] = {}
    since: dict[str, int] = {}
    lost: dict[str, tuple[str, int, int]] = {}  # field → what was held, since when, when we went over it
    overridden = False
    for e in entries:
        if e.field == "tier_override" and not e.ours:
            overridden = bool(e.value)
        if e.field in HELD:
            if e.ours:
                _we_wrote(e, claims, since, lost, overridden=overridden)
                mine[e.field] = e.value
            elif e.changed:
                _they_wrote(e, claims, mine, since, lost)
        if not e.ours:
            claims.typed_after[e.seq] = claims.held.get("tier", "")
    for name, (value, typed, written) in lost.items():
        said = f"{name} {value!r} was gone over {written - typed} ms later and not given back"
        (claims.overwritten if written - typed > BETWEEN else claims.unrestored).append(said)
    return claims


def _we_wrote(
    e: Entry,
    claims: Claims,
    since: dict[str, int],
    lost: dict[str, tuple[str, int, int]],
    *,
    overridden: bool,
) -> None:
    if e.field in lost and lost[e.field][0] == e.value:
        value, typed, _ = lost.pop(e.field)
        claims.held[e.field], since[e.field] = value, typed
        claims.restored += 1
        claims.given_back.add(e.seq)
    elif e.field in claims.held and claims.held[e.field] != e.value:
        value = claims.held.pop(e.field)
        if not (e.field == "tier" and overridden):  # theirs to decide there, not by typing over ours
            lost[e.field] = value, since[e.field], e.at


def _they_wrote(
    e: Entry,
    claims: Claims,
    mine: dict[str, str],
    since: dict[str, int],
    lost: dict[str, tuple[str, int, int]],
) -> None:
    lost.pop(e.field, None)  # a newer word of theirs
    claims.held.pop(e.field, None)
    if e.value != mine.get(e.field, ""):
        claims.held[e.field], since[e.field] = e.value, e.at
        claims.made += 1
