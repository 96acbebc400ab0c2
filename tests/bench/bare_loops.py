"""The loops a user would write with the CRMs' own clients: `python -m tests.bench.bare_loops WHAT URL TOKEN`.

WHAT is one of `LOOPS`: read everything; or read, score and write everything, one by one or in batches. They
know nothing of what was there before, of limits, of refusals or of people.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

BATCH = 100
READ = ("name", "domain", "numberofemployees", "annualrevenue", "country", "industry", "lifecyclestage")
ACCOUNT = "Id, Name, Website, NumberOfEmployees, AnnualRevenue, BillingCountry, Industry, Type"
SPARED = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}
"""Without these an update gives accounts away, or is refused, by the org's rules."""


def scored(employees: object, revenue: object, country: object, industry: object) -> tuple[int, str]:
    """A score and a tier as a script has them."""
    score = 0
    size, money = float(str(employees or 0)), float(str(revenue or 0))
    if 50 <= size <= 500:
        score += 40
    elif size > 500:
        score += 20
    if money >= 10_000_000:
        score += 20
    elif money >= 1_000_000:
        score += 10
    if country in ("US", "United States", "Canada", "Germany"):
        score += 20
    if industry:
        score += 20
    return score, "A" if score >= 80 else "B" if score >= 60 else "C" if score >= 40 else "D"


def hubspot_read(url: str, token: str) -> int:
    return len(_companies(url, token)[1])


def hubspot_each(url: str, token: str) -> int:
    client, everyone = _companies(url, token)
    for company in everyone:
        values = {"properties": _hubspot_values(company.properties)}
        client.crm.companies.basic_api.update(company.id, values)
    return len(everyone)


def hubspot_batch(url: str, token: str) -> int:
    client, everyone = _companies(url, token)
    for some in _batches(everyone):
        inputs = [{"id": one.id, "properties": _hubspot_values(one.properties)} for one in some]
        client.crm.companies.batch_api.update({"inputs": inputs})
    return len(everyone)


def _companies(url: str, token: str) -> tuple[Any, list[Any]]:
    """What the vendor's own documentation shows: `get_all`."""
    from hubspot import HubSpot

    client = HubSpot(access_token=token, host=url)
    return client, client.crm.companies.get_all(properties=list(READ))


def _hubspot_values(held: Mapping[str, str]) -> dict[str, str]:
    score, tier = scored(held["numberofemployees"], held["annualrevenue"], held["country"], held["industry"])
    return {"icp_fit_score": str(score), "icp_tier": tier}


def salesforce_read(url: str, token: str) -> int:
    return len(_accounts(salesforce(url, token)))


def salesforce_each(url: str, token: str) -> int:
    client = salesforce(url, token)
    everyone = _accounts(client)
    for account in everyone:
        client.Account.update(account["Id"], _salesforce_values(account), headers=SPARED)
    return len(everyone)


def salesforce_bulk(url: str, token: str, wait: float = 5) -> int:
    """wait: seconds between two looks at the job, as the library has it unless told otherwise."""
    client = salesforce(url, token)
    everyone = _accounts(client)
    rows = [{"Id": one["Id"], **{n: str(v) for n, v in _salesforce_values(one).items()}} for one in everyone]
    client.bulk2.Account.update(records=rows, wait=wait)
    return len(everyone)


def salesforce(url: str, token: str) -> Any:
    """simple-salesforce at the simulator: it writes https:// into every address, which the adapter undoes."""
    from simple_salesforce import Salesforce

    session = requests.Session()
    session.mount("https://", _Plain(url))
    return Salesforce(instance_url=url, session_id=token, session=session, version="66.0")


class _Plain(HTTPAdapter):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.url = self.url + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *args, **how)


def _accounts(client: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.query_all(f"SELECT {ACCOUNT} FROM Account")["records"]
    return rows


def _salesforce_values(held: Mapping[str, Any]) -> dict[str, object]:
    score, tier = scored(
        held["NumberOfEmployees"], held["AnnualRevenue"], held["BillingCountry"], held["Industry"]
    )
    return {"ICP_Fit_Score__c": score, "ICP_Tier__c": tier}


def _batches(everyone: list[Any]) -> Iterator[Iterable[Any]]:
    return (everyone[start : start + BATCH] for start in range(0, len(everyone), BATCH))


LOOPS: Mapping[str, Callable[[str, str], int]] = {
    "hubspot.read": hubspot_read,
    "hubspot.each": hubspot_each,
    "hubspot.batch": hubspot_batch,
    "salesforce.read": salesforce_read,
    "salesforce.each": salesforce_each,
    "salesforce.bulk": salesforce_bulk,
}

if __name__ == "__main__":
    print(LOOPS[sys.argv[1]](sys.argv[2], sys.argv[3]))
