"""What one look at the journal finds: deals, customers and accounts as rows, and the findings made of them.

Reads only. What is to be kept of it, and whom to tell, is `watch`'s.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from icp_sync.domain.conditions import facts_of
from icp_sync.domain.facts import Facts, FactType
from icp_sync.domain.profile import Profile
from icp_sync.domain.why import facts_of_evidence
from icp_sync.journal import Journal, StoredDeal, Watched
from icp_sync.learning.census import SAMPLE, STATES, Bands, Census, bands_from, compared
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.drift import (
    DAY,
    Customer,
    Finding,
    Sold,
    churn,
    few,
    outside_wins,
    retention,
)
from icp_sync.learning.reviewing import Event, begins, events, reviews
from icp_sync.learning.segments import Segments, left_when, segments_of

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
        segments, left = self._read(census, {deal.account_id for deal in deals})
        sold, customers = self._sold(deals), self._customers(deals, left)
        return [
            *outside_wins(sold, segments, standing),
            *self._losses(customers, segments, standing),
            *self._since_activation(before, census, standing),
            *reviews(self._profiles, now=self._now),
            *events(self._watching.events, activated_at=self._activated_at, now=self._now),
        ]

    # Rows

    def _deals(self) -> list[StoredDeal]:
        found: list[StoredDeal] = []
        while page := self._journal.deals(after=found[-1].id if found else "", limit=AT_ONCE):
            found += page
        return [deal for deal in found if deal.tier and not deal.open]

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

    def _read(
        self, census: Census, sold: Collection[str]
    ) -> tuple[dict[str, tuple[str, ...]], dict[str, float | None]]:
        """Count everybody; of those who bought or did not, their segments and when they left."""
        segments: dict[str, tuple[str, ...]] = {}
        left: dict[str, float | None] = {}
        churned_on, value = self._definitions.churned_on, self._definitions.value
        for account, tier, overridden, facts in self._rows():
            if tier in STATES:
                census.add(account, tier, facts, overridden=overridden)
            if account in sold:
                left[account] = left_when(facts.get(churned_on), facts.get(value), self._now)
                segments[account] = segments_of(
                    facts, self._watching.segments, types=self._types, currency=self._currency
                )
        return segments, left

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

    def _sold(self, deals: Sequence[StoredDeal]) -> list[Sold]:
        since = self._now - self._watching.window
        return [
            Sold(account=deal.account_id, tier=deal.tier, won=deal.won)
            for deal in deals
            if since <= _closed(deal) <= self._now
        ]

    def _customers(self, deals: Sequence[StoredDeal], left: Mapping[str, float | None]) -> list[Customer]:
        """Whom a deal won, by their first one; who is not known any more tells nothing."""
        won: dict[str, list[StoredDeal]] = defaultdict(list)
        for deal in deals:
            if deal.won and deal.account_id in left and _closed(deal) <= self._now:
                won[deal.account_id].append(deal)
        firsts = [min(some, key=_closed) for some in won.values()]
        return [
            Customer(account=d.account_id, tier=d.tier, since=_closed(d), left=left[d.account_id])
            for d in firsts
        ]

    def _losses(
        self, customers: Sequence[Customer], segments: Segments, standing: Collection[str]
    ) -> list[Finding]:
        if not self._definitions.churned_on and not self._definitions.value:
            where = f"connections.{self._journal.connection}.learning.churned_on"
            why = f"no fact says who left; name one in {where}"
            return [few("churn", why), few("retention", why)]
        stayed = self._definitions.retained_after
        return [
            *churn(customers, segments, standing),
            retention(customers, now=self._now, stayed=stayed, standing=standing),
        ]

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


def _closed(deal: StoredDeal) -> float:
    """When a deal was decided, UTC epoch seconds; its last change where the CRM has no day."""
    try:
        return begins(date.fromisoformat(deal.closed_on[:10]))
    except ValueError:
        return deal.changed_at
