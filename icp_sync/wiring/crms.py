"""A connection's CRM, whichever it is. The vendor's library is loaded by those who have that CRM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.crm.windows import Windows
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal
from icp_sync.normalize.facts_map import FactsMap
from icp_sync.ports import Crm
from icp_sync.quota import BucketStanding, Daily, InJournal, Ledger, Quota, Rate
from icp_sync.settings import Connection


def crm_of(
    name: str,
    chosen: Connection,
    facts_map: FactsMap,
    journal: Journal,
    clock: Callable[[], float],
    stop: threading.Event,
) -> Crm:
    """The adapter of a connection; it talks to nobody yet."""
    if chosen.crm == "salesforce":
        return _salesforce(name, chosen, facts_map, journal, clock, stop)
    return _hubspot(name, chosen, facts_map, journal, stop)


def _windows(chosen: Connection) -> Windows:
    return Windows(overlap=chosen.schedule.overlap, lag=chosen.schedule.lag)


def _hubspot(
    name: str, chosen: Connection, facts_map: FactsMap, journal: Journal, stop: threading.Event
) -> Crm:
    from icp_sync.crm.hubspot import HubSpot

    if chosen.token is None:
        raise ConfigError(f"connection {name} has no token", next_step="icp-sync check")
    return HubSpot(
        token=chosen.token,
        base_url=chosen.address,
        version=chosen.path_version,
        facts_map=facts_map,
        properties=chosen.field_properties,
        stamp=chosen.deal_properties,
        quota=_quota(name, chosen, journal, stop),
        at_once=chosen.quota.at_once,
        name=name,
        windows=_windows(chosen),
        stop=stop,
    )


def _salesforce(
    name: str,
    chosen: Connection,
    facts_map: FactsMap,
    journal: Journal,
    clock: Callable[[], float],
    stop: threading.Event,
) -> Crm:
    from icp_sync.crm.salesforce import Credentials, Salesforce

    org = chosen.salesforce
    if org is None:
        raise ConfigError(f"connection {name} has no section salesforce", next_step="icp-sync check")
    return Salesforce(
        credentials=Credentials(
            consumer_key=org.consumer_key,
            consumer_secret=org.consumer_secret,
            username=org.username,
            private_key=org.private_key,
            session_id=org.session_id,
            my_domain=org.my_domain,
            audience=org.audience,
        ),
        base_url=chosen.address,
        version=org.api_version,
        facts_map=facts_map,
        properties=chosen.field_properties,
        stamp=chosen.deal_properties,
        name=name,
        windows=_windows(chosen),
        stop=stop,
        vacant_owners=org.vacant_owners,
        visible_accounts=org.visible_accounts,
        bulk_writes=org.bulk_writes,
        jobs=_Jobs(journal, clock),
        quota=_quota(name, chosen, journal, stop),
    )


def _rates(chosen: Connection) -> dict[str, Rate]:
    """Salesforce limits the calls of a day, and no rate."""
    if chosen.crm == "salesforce":
        return {}
    return {
        "burst": Rate(limit=chosen.quota.burst, seconds=10.0),
        "search": Rate(limit=chosen.quota.search, seconds=1.0),
    }


def _daily(chosen: Connection) -> Daily:
    said = chosen.quota
    rolling = chosen.crm == "salesforce"
    return Daily(share=said.reserve, calls=said.reserve_calls, backfill=said.backfill, rolling=rolling)


def _quota(name: str, chosen: Connection, journal: Journal, stop: threading.Event) -> Quota:
    """The limits of a connection, shared through its journal by all processes that work for it."""
    rates = _rates(chosen)
    return Quota(
        rates,
        daily=_daily(chosen),
        kept=InJournal(journal, rates),
        quiet=frozenset({"search"}),  # HubSpot's searches say nothing of the day
        connection=name,
        stop=stop,
    )


def limits_of(chosen: Connection, journal: Journal) -> list[BucketStanding]:
    """How the limits of a connection stand as far as the journal knows; asks nobody."""
    text, at, now = journal.quota_text()
    ledger = Ledger.from_text(text, _rates(chosen), at=at, now=now)
    return ledger.standing(now, _daily(chosen))


@dataclass(frozen=True, slots=True)
class _Jobs:
    """The journal as the list of jobs the adapter keeps."""

    journal: Journal
    clock: Callable[[], float]

    def begun(self, job_id: str, account_ids: Sequence[str]) -> None:
        self.journal.begin_job(job_id, account_ids, now=self.clock())

    def ended(self, job_id: str) -> None:
        self.journal.end_job(job_id)

    def open(self) -> Mapping[str, Sequence[str]]:
        return self.journal.open_jobs()
