"""Facts without what may not be learned from: members of sets that give the outcome away, so that the rest of
a set stays, and dates of after the decision.

Knows neither why a member is withheld nor by whom.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from icp_sync.domain.facts import Facts, FactType, Interval, Members
from icp_sync.learning.cases import Labelled


def scrubbed(facts: Facts, members: Mapping[str, Collection[str]]) -> Facts:
    """The facts without these members of sets. A set that had nothing else and is not complete is unknown."""
    touched = {}
    for fact, gone in members.items():
        value = facts.get(fact)
        if isinstance(value, Members) and not value.known.isdisjoint(gone):
            touched[fact] = Members(value.known.difference(gone), value.complete)
    if not touched:
        return facts
    kept = {name: value for name, value in facts.items() if name not in touched}
    return kept | {name: value for name, value in touched.items() if value.known or value.complete}


def without_members(labelled: Sequence[Labelled], members: Mapping[str, Collection[str]]) -> list[Labelled]:
    """The cases with these members of sets taken out of their facts."""
    return [one._replace(case=replace(one.case, facts=scrubbed(one.case.facts, members))) for one in labelled]


def known_by(facts: Facts, types: Mapping[str, FactType], decided: float) -> Facts:
    """The facts without dates that lie after an instant (epoch seconds), which nobody knew then."""
    later = {
        fact
        for fact, value in facts.items()
        if types.get(fact) is FactType.DATE and isinstance(value, Interval) and value.low > decided
    }
    return {fact: value for fact, value in facts.items() if fact not in later} if later else facts
