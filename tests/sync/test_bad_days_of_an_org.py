"""A Salesforce org on its bad days, met by the whole engine: good rows land, each refusal names account,
field and reason, the position never passes an unsettled row, and once it is mended everything converges.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.errors import AuthError, IcpSyncError, UnavailableError
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.sync.report import Report
from tests.sync.station import ACCOUNTS, OrgStation

TIER = "ICP_Tier__c"
NOBODY = "unassigned@sales.example"


@pytest.fixture
def org(tmp_path: Path) -> Iterator[OrgStation]:
    station = OrgStation(tmp_path)
    station.crm.admin("POST clock", freeze=True)
    yield station
    station.close()


def backfill(org: OrgStation) -> Report:
    """One pass over everything, a minute later."""
    org.crm.admin("POST clock", advance=60)
    report = cycle(Stream.BACKFILL, org.wired.parts, Scope(restart=True))
    assert report is not None
    return report


def tiers(org: OrgStation) -> dict[str, str]:
    """What the org holds: id → tier, of those that have one."""
    found = org.crm.org.objects["account"]
    tier = found.field(TIER)
    assert tier is not None
    held = {found.id_of(r): found.value(r, tier) for r in found.rows(org.crm.org.admin)}
    return {id: str(value) for id, value in held.items() if value}


def converges(org: OrgStation) -> None:
    """After what was refused has come due again."""
    backfill(org)
    org.assert_converged()
    assert org.stats()["auto_assigned"] == 0
    assert backfill(org).written == 0


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("401_session", "POST composite/sobjects/{id}"),  # the token is revoked in the midst of a page
        ("401_session", "PATCH composite/sobjects"),
        ("401_session", "GET query"),
    ],
)
def test_a_token_revoked_in_the_midst_is_renewed_and_nothing_is_lost(
    org: OrgStation, fault: str, match: str
) -> None:
    org.crm.admin("POST faults", kind=fault, match=f"^{match.replace('{', chr(92) + '{')}$", nth=1)
    report = backfill(org)
    assert report.problems == []
    assert len(tiers(org)) == report.written
    converges(org)


@pytest.mark.parametrize(
    ("fault", "match", "error"),
    [
        ("request_limit", "GET query", UnavailableError),  # the org is at its daily limit
        ("html_200", "GET query", UnavailableError),  # a gateway's page where JSON is due
        ("502_html", "POST composite/sobjects/", UnavailableError),
        ("truncated", "POST composite/sobjects/", UnavailableError),
        ("403", "POST composite/sobjects/", AuthError),
    ],
)
def test_an_org_that_cannot_be_read_abandons_the_cycle_where_it_stands(
    org: OrgStation, fault: str, match: str, error: type[IcpSyncError]
) -> None:
    org.wired.crm._client.transport._tries = 1  # type: ignore[attr-defined]
    org.crm.admin("POST faults", kind=fault, match=match)
    with pytest.raises(error):
        backfill(org)
    assert tiers(org) == {}
    assert not org.wired.journal.position("backfill").finished
    org.crm.admin("DELETE faults")
    if fault == "request_limit":
        org.wired.journal.change_quota(lambda *_: ("", None))  # as if hours had passed
    assert backfill(org).written == len(tiers(org)) > 0
    converges(org)


def test_a_rule_an_admin_made_refuses_one_value_and_the_others_land(org: OrgStation) -> None:
    why = "Tier D is not what we say here"
    org.crm.admin("POST rules", field=TIER, value="D", message=why)
    report = backfill(org)
    refused = dict(report.problems)
    assert refused, "somebody is a D"
    assert all(TIER in said and why in said for said in refused.values())
    assert "D" not in tiers(org).values()
    assert tiers(org).keys().isdisjoint(refused)
    assert len(tiers(org)) == report.written
    assert all(org.wired.journal.account(id).status == "refused" for id in refused)  # type: ignore[union-attr]
    assert org.wired.journal.position("backfill").finished, "one bad account never blocks the others"
    org.crm.admin("POST rules", clear=True)
    converges(org)


def test_a_picklist_that_lost_our_tier_costs_that_field_loudly_and_comes_back(org: OrgStation) -> None:
    backfill(org)
    before = tiers(org)
    account = org.crm.org.objects["account"]
    whole = account.field(TIER)
    assert whole is not None
    kept = [choice.value for choice in whole.choices if choice.value != "Needs data"]
    org.crm.admin(
        "POST fields",
        object="Account",
        define={"name": TIER, "type": "picklist", "restricted": True, "values": kept},
    )
    made = org.crm.admin("POST create", properties={"Name": "Of whom nobody knows anything"})
    id = str(made["id"])
    for _ in range(2):  # refused, then planned without the field that cannot be carried
        backfill(org)
    assert "Needs data" in org.wired.crm.disabled["tier"]  # type: ignore[attr-defined]
    (account_now,) = org.wired.crm.fetch([id]).accounts
    assert account_now.live["model_tier"] == "Needs data"
    assert tiers(org) == before, "nobody's tier is taken away for it"
    org.wired.crm.provision(org.wired.blueprint(org.profiles), apply=True)
    converges(org)
    assert tiers(org)[id] == "Needs data"


def test_an_inactive_owner_costs_the_owner_and_never_the_score(org: OrgStation) -> None:
    backfill(org)
    given = [
        o
        for o in org.wired.crm.owners()
        if o.active and o.email.endswith("@sales.example") and o.email != NOBODY
    ]
    for owner in given:
        org.crm.admin("POST users", email=owner.email, active=False)
    for n in range(4):
        new = {"Name": f"New {n}", "Website": f"new-{n}.com", "BillingCountry": "France"}
        org.crm.admin(
            "POST create", properties={**new, "NumberOfEmployees": "5000", "Industry": "Manufacturing"}
        )
    report = backfill(org)
    assert {id for id, said in report.problems if said.startswith("owner")} == {
        id for id, _ in report.problems
    }
    assert len(tiers(org)) >= ACCOUNTS // 2
    for owner in given:
        org.crm.admin("POST users", email=owner.email, active=True)
    converges(org)
