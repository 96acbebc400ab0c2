"""Facts of the companies an account belongs to, beside its own: `parent.employees`, `group.employees`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from icp_sync.domain.account import Account, Kin, Memory
from icp_sync.domain.buying import AS_USUAL, Buying
from icp_sync.domain.conditions import Condition, facts_of
from icp_sync.domain.facts import LEVELS, FactType, Known, merge
from icp_sync.domain.populations import with_population
from icp_sync.domain.profile import Profile
from icp_sync.domain.roster import NO_TABLES, Tables


def kin_facts(profiles: Iterable[Profile], tables: Tables = NO_TABLES) -> frozenset[str]:
    """The facts of parents and groups that profiles and their tables ask about, by their full names."""
    asked = [fact for p in profiles for c in _conditions(p) for fact in facts_of(c)]
    asked += [fact for table in tables.territories.values() for fact in table.facts]
    return frozenset(fact for fact in asked if fact.partition(".")[0] in LEVELS)


def _conditions(profile: Profile) -> Iterable[Condition]:
    yield from (c.when for c in profile.criteria)
    yield from (t.when for t in profile.timing)
    yield from (f.when for f in profile.flags)
    yield from (r.when for r in profile.routes if r.when is not None)
    yield from (s for s in (profile.score_scope, profile.route_scope) if s is not None)


def with_kin(known: Known, kin: Kin, asked: frozenset[str]) -> Known:
    """What is known, with the facts of parent and group that are asked about.

    Who has no parent is its own group and answers with its own facts. Nothing is added while the family
    is not known (`kin.problem`), so what is asked of it stays unknown.
    """
    if not asked or kin.problem:
        return known
    facts, winners = dict(known.facts), dict(known.winners)
    for name in asked:
        level, _, fact = name.partition(".")
        own = not kin.above(level)[0]
        signal = known.winners.get(fact) if own else kin.signals.get(name)
        if signal is not None:
            facts[name] = known.facts[fact] if own else signal.value
            winners[name] = replace(signal, fact=name)
    return replace(known, facts=facts, winners=winners)


def levels_alone(kin: Kin) -> frozenset[str]:
    """The levels an account has nobody on, so that it answers for them with its own facts."""
    return frozenset() if kin.problem else frozenset(level for level in LEVELS if not kin.above(level)[0])


def with_news_above(
    memory: Memory,
    asked: frozenset[str],
    here: Mapping[str, Account],
    types: Mapping[str, FactType],
    buying: Buying = AS_USUAL,
) -> Memory:
    """The memory whose families also know what this page and fresh answers say of those above.

    here: the accounts of the page by id: what the CRM says of them now outranks what was last known. buying:
    in which order sources count, and from which confidence on.
    """
    if not asked:
        return memory
    read: dict[str, Known] = {}
    kin = {}
    for account_id, family in memory.kin.items():
        signals = dict(family.signals)
        for name in asked:
            level, _, fact = name.partition(".")
            above = family.above(level)[0]
            if above in here:
                if above not in read:
                    said = (*here[above].signals, *buying.ranked(memory.of(above).signals))
                    read[above] = with_population(merge(said, types=types, floors=buying.floors))
                if fact in read[above].facts:
                    signals[name] = replace(read[above].winners[fact], value=read[above].facts[fact])
            elif name not in signals:
                said = buying.ranked(tuple(s for s in memory.of(above).signals if s.fact == fact))
                bought = merge(said, types=types, floors=buying.floors)
                if fact in bought.facts:
                    signals[name] = replace(bought.winners[fact], value=bought.facts[fact])
        kin[account_id] = replace(family, signals=signals)
    return replace(memory, kin=kin)


@dataclass(slots=True)
class Given:
    """Who was given what so far: those of one family who come later are told."""

    accounts: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def note(self, account_id: str, kin: Kin, owner: str) -> None:
        self.accounts[account_id] = owner
        self.groups.setdefault(kin.group, owner)

    def known_to(self, kin: Kin) -> Kin:
        """The family with its new owners after those it has."""
        first = (self.groups[kin.group],) if kin.group and kin.group in self.groups else ()
        parent = self.accounts.get(kin.parent, kin.parent_owner)
        return replace(kin, parent_owner=parent, group_owners=(*kin.group_owners, *first))
