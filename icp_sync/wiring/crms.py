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
from icp_sync.quota import Quota, Rate
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
    return _hubspot(name, chosen, facts_map, stop)


def _windows(chosen: Connection) -> Windows:
    return Windows(overlap=chosen.schedule.overlap, lag=chosen.schedule.lag)


def _hubspot(name: str, chosen: Connection, facts_map: FactsMap, stop: threading.Event) -> Crm:
    from icp_sync.crm.hubspot import HubSpot

    if chosen.token is None:
        raise ConfigError(f"connection {name} has no token", next_step="icp-sync check")
    return HubSpot(
        token=chosen.token,
        base_url=chosen.address,
        version=chosen.path_version,
        facts_map=facts_map,
        properties=chosen.field_properties,
        quota=Quota(
            {
                "burst": Rate(limit=chosen.quota.burst, seconds=10.0),
                "search": Rate(limit=chosen.quota.search, seconds=1.0),
            },
            connection=name,
            stop=stop,
        ),
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
        name=name,
        windows=_windows(chosen),
        stop=stop,
        vacant_owners=org.vacant_owners,
        visible_accounts=org.visible_accounts,
        bulk_writes=org.bulk_writes,
        jobs=_Jobs(journal, clock),
    )


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
