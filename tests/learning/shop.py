"""A connection's journal with accounts, deals and customers, as settling and following deals leave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from icp_sync.domain.account import Previous
from icp_sync.domain.facts import Facts, value_to_json
from icp_sync.journal import Journal, Recorded, Settled
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.drift.finding import Finding
from icp_sync.learning.drift.look import USUAL, Watching
from icp_sync.learning.drift.watch import WatchReport, watch
from icp_sync.ports import Deal
from icp_sync.profile_file import parse_all

DAY = 86_400.0
NOW = 1_800_000_000.0  # 2027-01-15
PROFILE = """
profile: shop
currency: USD
review: {minor: 2028-01-01, full: 2028-06-01}
criteria:
  - {name: Size, layer: firmographic, fact: employees, between: [50, 500], weight: 20}
  - {name: Trade, layer: firmographic, fact: industry, any_of: [RETAIL, BANKING], weight: 10}
tiers: {A: 80, B: 60, C: 40, D: 0}
"""


@dataclass
class Shop:
    """now: what the clock says. raised, ended: what its looks told, in order."""

    journal: Journal
    now: float = NOW
    definitions: Definitions = field(default_factory=lambda: Definitions(churned_on="left_on"))
    watching: Watching = USUAL
    profile: str = PROFILE
    raised: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, **more: Any) -> Shop:
        shop = cls(journal=Journal.open(f"sqlite:///{folder}/journal.db", "main"), **more)
        shop.activate()
        return shop

    def activate(self, profile: str = "") -> int:
        self.profile = profile or self.profile
        return self.journal.activate([("shop.yaml", self.profile)], now=self.now)

    def settle(
        self,
        accounts: Mapping[str, tuple[str, Facts]],
        *,
        overridden: Iterable[str] = (),
        version: int | None = None,
    ) -> None:
        """Account → (tier the profile gives, facts)."""
        active = self.journal.active()
        version = version if version is not None else active[0] if active else 0
        changed = set(overridden)
        lease = self.journal.lease("poll", holder="shop", now=self.now)
        assert lease is not None
        rows = [
            Settled(
                account_id=account,
                name=f"Company {account}",
                domain=f"{account}.example",
                in_scope=True,
                tier=tier,
                score=50,
                profile_version=version,
                previous=Previous(
                    tier="D" if account in changed else tier, model_tier=tier if account in changed else ""
                ),
                evidence={
                    "in_scope": True,
                    "facts": {name: [value_to_json(value), "crm"] for name, value in facts.items()},
                },
            )
            for account, (tier, facts) in accounts.items()
        ]
        self.journal.commit(rows, gone={}, position=None, stream="poll", lease=lease, run="run", now=self.now)
        self.journal.release_lease(lease)

    def sell(self, deals: Iterable[tuple[str, str, str, bool, float]]) -> None:
        """(id, account, tier at creation, won, closed at) of decided deals."""
        lease = self.journal.lease("deals", holder="shop", now=self.now)
        assert lease is not None
        rows = list(deals)
        self.journal.keep_deals(
            [
                Deal(
                    id=deal,
                    account_id=account,
                    open=False,
                    won=won,
                    closed_on=datetime.fromtimestamp(at, UTC).date().isoformat(),
                    created_at=round((at - 30 * DAY) * 1000),
                    changed_at=round(at * 1000),
                )
                for deal, account, _, won, at in rows
            ],
            lease,
            now=self.now,
        )
        found = {
            deal: Recorded(at=at, tier=tier, score=50, profile="shop", version=1)
            for deal, _, tier, _, at in rows
        }
        self.journal.judge_deals(found, lease)
        self.journal.release_lease(lease)

    def look(self) -> WatchReport:
        """One look of the watch now."""
        report = watch(
            self.journal,
            parse_all([(self.profile, "shop.yaml")]),
            self.definitions,
            lambda: self.now,
            watching=self.watching,
        )
        self.raised += report.raised
        self.ended += report.ended
        return report

    def alerts(self) -> list[str]:
        return [alert.name for alert in self.journal.alerts()]


def found(report: WatchReport, name: str) -> Finding:
    """The one finding of that name."""
    (one,) = [finding for finding in report.findings if finding.name == name]
    return one
