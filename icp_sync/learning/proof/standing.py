"""What keeps a profile from being proven at all, however well it ranks: who wrote it, and from what.

Knows profiles and how many cases were found; judges no figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from icp_sync.domain.profile import Profile
from icp_sync.learning.past.suspects import suspected_of
from icp_sync.profile_file.marks import entry_edited

LEAST_LEARNED = 30
LEAST_PROVED = 15
"""So many good cases and so many others, below which nothing is decided."""
LEAST_FOUND = 0.8
"""Of the cases a profile says it was learned from, the share that has to be found again."""
ANEW = (
    f"Enough would be a profile learned from at least {LEAST_LEARNED} good and {LEAST_LEARNED} other cases, "
    f"and {LEAST_PROVED} of each decided since: icp-sync learn."
)
AGAIN = (
    "Enough would be all the cases it was learned from (every export, and learning.months as it was then), "
    "or a profile learned anew: icp-sync learn."
)
VOUCHED = "a profile that does not ask about it, or somebody's word that it was known before the sale"
"""What a suspect takes; the line that gives this word is told after it."""


class Obstacle(NamedTuple):
    """Why not, and what would be enough; a sentence each. fact: the suspect it is about, "" for another."""

    reason: str
    enough: str
    fact: str = ""


def obstacles(profiles: Sequence[Profile], found: int, suspected: Mapping[str, str]) -> tuple[Obstacle, ...]:
    """found: cases to learn from that are there. suspected: fact → why the sale may have caused it."""
    return tuple(one for profile in profiles for one in _of(profile, found, suspected))


def _of(profile: Profile, found: int, suspected: Mapping[str, str]) -> Iterator[Obstacle]:
    name, learned = profile.name, profile.learned
    if learned is None:
        said = f"{name} was written by hand, perhaps knowing these outcomes: no case proves it"
        yield Obstacle(said, ANEW)
        return
    if learned.hypothesis:
        yield Obstacle(f"{name} is a hypothesis, unproven: it was drafted from a few customers", ANEW)
        return
    if entry_edited(profile):
        said = f"the 'learned' entry of {name} was edited, so nobody knows which cases it has seen"
        yield Obstacle(said, ANEW)
    elif found < LEAST_FOUND * learned.cases:
        said = (
            f"{name} says it was learned from {learned.cases:,} cases before {learned.until}, and {found:,} "
            "are found here"
        )
        yield Obstacle(said, AGAIN)
    for fact, why in suspected_of(profile, suspected).items():
        yield Obstacle(f"{name} asks about what may come from the sale: {why}", VOUCHED, fact)
