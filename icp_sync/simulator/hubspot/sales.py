"""Deals and the companies they are tied to: who names whom, and what a company's roll-ups say of its deals.

A tie keeps the id it was made with. Whom it means today, after merges, is worked out when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from icp_sync.simulator.hubspot.pipelines import FIRST, marks
from icp_sync.simulator.store import Record, Store
from icp_sync.simulator.ties import Ties


class Sales:
    """Works on the two stores of a portal; serialised, as they are, by the portal's lock."""

    def __init__(self, companies: Store, deals: Store) -> None:
        self._companies = companies
        self._deals = deals
        self._ties = Ties()

    def tie(self, company: Record, deals: Iterable[Record]) -> None:
        for deal in deals:
            self._ties.tie(company.id, deal.id)
        self.recount([company.id])

    def named(self, deal: int) -> list[int]:
        """Companies a deal was tied to, the primary one first; some may be archived or merged away."""
        return self._ties.companies_of(deal)

    def companies_of(self, deal: int) -> list[int]:
        """Companies a deal belongs to, the primary one first."""
        living = map(self._companies.survivor, self.named(deal))
        return list(dict.fromkeys(company.id for company in living if company is not None))

    def merge(self, survivor: Record, other: Record) -> None:
        """The survivor of a merged deal takes over its companies."""
        self.recount(self._ties.adopt(other.id, survivor.id))

    def follow(self, deal: Record) -> None:
        """A deal has changed: its companies' roll-ups follow, and their stamps stay."""
        self.recount(self.companies_of(deal.id))

    def recount(self, companies: Iterable[int]) -> None:
        """Count the deals anew of those companies that ever had one."""
        for company in filter(None, map(self._companies.survivor, companies)):
            tied = {i for id in (company.id, *company.merged_from) for i in self._ties.of(id)}
            if not tied:
                continue
            live = [deal for deal in map(self._deals.get, tied) if deal is not None]
            unsettled = sum(deal.props.get("hs_is_closed") != "true" for deal in live)
            counts = {"num_associated_deals": str(len(live)), "hs_num_open_deals": str(unsettled)}
            company.props = {**company.props, **counts}
            self._companies.publish(company)


def effects(record: Record | None, kept: Mapping[str, str]) -> dict[str, str]:
    """What HubSpot changes along with a deal: the marks of its stage. A new deal is in the first one."""
    stage = kept.get("dealstage") or (FIRST.id if record is None else "")
    return {"dealstage": stage, **marks(stage), **kept} if stage else dict(kept)
