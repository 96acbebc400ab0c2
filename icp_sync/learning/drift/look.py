"""What one look at the journal finds: deals, customers and accounts as rows, and the findings made of them.

Reads only. What is to be kept of it, and whom to tell, is `watch`'s.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from icp_sync.domain.conditions import facts_of
from icp_sync.domain.facts import Facts, FactType
from icp_sync.domain.profile import Profile
from icp_sync.domain.why import facts_of_evidence
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal, StoredDeal, Watched
from icp_sync.learning.cases import Goal
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.drift.census import SAMPLE, STATES, Bands, Census, bands_from
from icp_sync.learning.drift.decided import cases, customers, outcomes_of, sold
from icp_sync.learning.drift.drift import outside_wins, tiers_win
from icp_sync.learning.drift.finding import DAY, Finding, few
from icp_sync.learning.drift.foretold import TIER, foretells, foretold
from icp_sync.learning.drift.losses import churn, retention
from icp_sync.learning.drift.reviewing import Event, events, reviews
from icp_sync.learning.drift.segments import left_when, segments_of
from icp_sync.learning.drift.shifts import compared
from icp_sync.profile_file import parse_all

ROLLED_OUT = 0.95
"""Share of the accounts in scope evaluated under the active profile from which a baseline is taken."""
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """segments: facts whose values are compared. window: seconds back in which deals were decided.
    events: what somebody declared."""

    segments: tuple[str, ...] = ("industry", "country", "employees")
    window: float = 365 * DAY
    events: tuple[Event, ...] = ()


USUAL = Watching()


def rolled_out(done: int, total: int) -> bool:
    """Whether so many of all accounts in scope stand for all of them."""
    return total > 0 and done >= ROLLED_OUT * total


@dataclass(slots=True)
class _Buyers:
    """Of accounts that deals name: their segments, when they left, and what says what became of them."""

    segments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left: dict[str, float | None] = field(default_factory=dict)
    fates: dict[str, Facts] = field(default_factory=dict)


class Look:
    """One look. kept: what the journal shall keep, the baseline among it."""

    def __init__(
        self,
        journal: Journal,
        profiles: Sequence[Profile],
        definitions: Definitions,
        types: Mapping[str, FactType],
        watching: Watching,
        now: float,
    ) -> None:
        self._journal, self._profiles, self._definitions = journal, profiles, definitions
        self._types, self._watching, self._now = types, watching, now
        self._done, self._total = journal.progress()
        self._currency = profiles[0].currency if profiles else "USD"
        active = next((version for version in journal.versions() if version.active), None)
        self.version = active.version if active else 0
        self._activated_at = active.activated_at if active else 0.0
        kept = journal.watched()
        fits = kept is not None and kept.version == self.version and bool(kept.baseline)
        self.kept = replace(kept, at=now) if kept and fits else Watched(at=now)

    def findings(self, standing: Collection[str]) -> list[Finding]:
        deals = self._deals()
        before = Census.from_json(self.kept.baseline) if self.kept.baseline else None
        census = Census(
            bands=before.bands if before else self._bands_when_rolled_out(),
            currency=before.currency if before else self._currency,
        )
        buyers = self._read(census, {deal.account_id for deal in deals})
        since = self._now - self._watching.window
        won = list(sold(deals, since=since, now=self._now))
        return [
            tiers_win(won, standing),
            *outside_wins(won, buyers.segments, standing),
            *self._foretold(deals, buyers, standing),
            *self._losses(deals, buyers, standing),
            *self._since_activation(before, census, standing),
            *reviews(self._profiles, now=self._now),
            *events(self._watching.events, activated_at=self._activated_at, now=self._now),
        ]

    # Rows

    def _deals(self) -> list[StoredDeal]:
        found: list[StoredDeal] = []
        while page := self._journal.deals(after=found[-1].id if found else "", limit=AT_ONCE):
            found += page
        return found

    def _rows(self) -> Iterator[tuple[str, str, bool, Facts]]:
        """Of each account: id, the profile's own tier ("" out of scope), whether it is overridden, facts."""
        last = ""
        while page := self._journal.evaluable_page(last, AT_ONCE):
            last = page[-1].id
            for one in page:
                evidence = json.loads(one.evidence)
                previous = one.remembered
                inside = previous is not None and evidence.get("in_scope", True)
                tier = (previous.model_tier or previous.tier) if previous and inside else ""
                overridden = previous is not None and bool(previous.model_tier)
                yield one.id, tier, overridden, facts_of_evidence(evidence)

    def _read(self, census: Census, sold_to: Collection[str]) -> _Buyers:
        """Count everybody; of those who bought or did not, what findings on deals ask for."""
        buyers = _Buyers()
        by = self._definitions
        for account, tier, overridden, facts in self._rows():
            if tier in STATES:
                census.add(account, tier, facts, overridden=overridden)
            if account in sold_to:
                buyers.left[account] = left_when(facts.get(by.churned_on), facts.get(by.value), self._now)
                buyers.fates[account] = outcomes_of(facts, by.outcomes)
                buyers.segments[account] = segments_of(
                    facts, self._watching.segments, types=self._types, currency=self._currency
                )
        return buyers

    def _bands_when_rolled_out(self) -> dict[str, Bands]:
        """How facts are counted from now on; nothing while the profile is being rolled out."""
        if not self._rolled_out():
            return {}
        sample: list[Facts] = []
        random, met = Random(0), 0  # noqa: S311 (a sample, no secret)
        for _, tier, _, facts in self._rows():
            if tier not in STATES:
                continue
            met += 1
            if len(sample) < SAMPLE:
                sample.append(facts)
            elif (at := random.randrange(met)) < SAMPLE:
                sample[at] = facts
        asked = (self._watching.segments, *(asked_by(profile) for profile in self._profiles))
        names = [name for some in asked for name in some]
        return bands_from(sample, names, types=self._types, currency=self._currency)

    def _rolled_out(self) -> bool:
        return bool(self.version) and rolled_out(self._done, self._total)

    # Findings

    def _losses(
        self, deals: Sequence[StoredDeal], buyers: _Buyers, standing: Collection[str]
    ) -> list[Finding]:
        if not self._definitions.churned_on and not self._definitions.value:
            where = f"connections.{self._journal.connection}.learning.churned_on"
            why = f"no fact says who left; name one in {where}"
            return [few("churn", why), few("retention", why)]
        now, stayed = self._now, self._definitions.retained_after
        there = customers(deals, buyers.left, now=now)
        return [
            *churn(there, buyers.segments, now=now, stayed=stayed, standing=standing),
            retention(there, now=now, stayed=stayed, standing=standing),
        ]

    def _foretold(
        self, deals: Sequence[StoredDeal], buyers: _Buyers, standing: Collection[str]
    ) -> Iterator[Finding]:
        """Of every profile that was learned: what became of its tier A, as it judged them at the time."""
        by, now = self._definitions, self._now
        for profile in self._profiles:
            if profile.learned is None or not foretells(profile):
                continue
            versions = self._versions_like(profile)
            goal = Goal(profile.learned.goal)
            found = [
                one
                for one, deal in cases(deals, buyers.fates, by, goal, now=now, currency=self._currency)
                if (deal.tier, deal.profile) == (TIER, profile.name)
                and deal.version in versions
                and deal.created_at <= now - by.stale_after
            ]
            yield foretold(profile, found, settled=by.stale_after, standing=standing)

    def _versions_like(self, profile: Profile) -> set[int]:
        """The active version and those just before it that hold the profile as it was learned."""
        found: set[int] = set()
        for one in self._journal.versions():
            documents = self._journal.documents(one.version) or ()
            try:
                held = parse_all([(text, name) for name, text in documents], types=self._types)
            except ConfigError:
                break  # of a time when other facts were known
            if not any(each.name == profile.name and each.learned == profile.learned for each in held):
                break
            found.add(one.version)
        return found

    def _since_activation(
        self, before: Census | None, census: Census, standing: Collection[str]
    ) -> list[Finding]:
        """What moved since the profile was activated; the first look after its roll-out is the baseline."""
        if before is None and self._rolled_out():
            before = census
            self.kept = Watched(
                at=self._now, version=self.version, baseline_at=self._now, baseline=census.to_json()
            )
        if before is not None:
            return compared(before, census, standing)
        why = f"profile v{self.version} is being rolled out, {self._done:,} of {self._total:,} accounts"
        return [few(kind, why) for kind in ("tier-shares", "inputs", "fill", "overrides")]


def asked_by(profile: Profile) -> tuple[str, ...]:
    """The facts a profile's criteria and flags ask about, in reading order."""
    asked = (*(c.when for c in profile.criteria), *(flag.when for flag in profile.flags))
    return tuple(dict.fromkeys(name for when in asked for name in facts_of(when)))
