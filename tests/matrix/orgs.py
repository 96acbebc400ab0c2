"""A simulated Salesforce org as a place of the matrix, its accounts read and written by retrieves and
collections or by bulk jobs; and every place by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.hubspot import HubSpot
from icp_sync.crm.salesforce import Credentials, Salesforce
from icp_sync.crm.salesforce.reads.reading import BULK_FROM
from icp_sync.quota import Daily
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET
from tests.matrix.places import Portal
from tests.matrix.waits import Hurried


@dataclass(frozen=True, slots=True)
class _Jobs:
    """The journal as the list of bulk jobs."""

    place: Portal

    def begun(self, job_id: str, account_ids: Sequence[str]) -> None:
        self.place.wired.journal.begin_job(job_id, account_ids, now=self.place.clock())

    def ended(self, job_id: str) -> None:
        self.place.wired.journal.end_job(job_id)

    def open(self) -> Mapping[str, Sequence[str]]:
        return self.place.wired.journal.open_jobs()


class Org(Portal):
    """A Salesforce org."""

    kind = "salesforce"
    names = ("Name", "Website", "BillingCountry", "NumberOfEmployees")
    source = "API"

    def _access(self) -> str:
        return f"""[connections.main.salesforce]
my_domain = "simulator.my"
consumer_key = "{CONSUMER_KEY}"
consumer_secret = "{CONSUMER_SECRET}"
vacant_owners = ["unassigned@sales.example"]
"""

    def _client(self, patience: float) -> HubSpot | Salesforce:
        settings = self.wired.settings
        org = settings.salesforce
        assert org is not None
        crm = Salesforce(
            credentials=Credentials(
                consumer_key=org.consumer_key, consumer_secret=org.consumer_secret, my_domain=org.my_domain
            ),
            base_url=self.crm.url,
            facts_map=self.wired.facts_map,
            properties=settings.field_properties,
            quota=self._quota({}, Daily(rolling=True)),
            name="main",
            stop=Hurried(),
            patience=patience,
            vacant_owners=org.vacant_owners,
            bulk_from=0 if self.bulk else BULK_FROM,
            bulk_writes=self.bulk,
            jobs=_Jobs(self),
        )
        if self.bulk:
            crm._writer._bulk_from = 1
        return crm

    def _transports(self, crm: Any) -> Sequence[Any]:
        return [crm._client.transport, crm._login.transport]

    def _employ(self, id: str) -> None:
        self.crm.admin("POST create", type="contacts", account=id, properties={"Title": "VP Sales"})


class BulkOrg(Org):
    """An org whose accounts are read and written by bulk jobs."""

    bulk = True


PLACES: Mapping[str, type[Portal]] = {"hubspot": Portal, "salesforce": Org, "salesforce by bulk": BulkOrg}
