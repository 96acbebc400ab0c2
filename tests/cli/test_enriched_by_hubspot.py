"""A value HubSpot enriched by itself is shown as that, with its date, where an account is explained."""

from __future__ import annotations

import re

from tests.cli.conftest import Place

MADE = "made.example"
SOURCE = "crm:hs_employee_range, HubSpot enrichment of 2026-05-01"
ENRICHED = {
    "hs_employee_range": "501-1000",
    "hs_is_enriched": "true",
    "hs_last_metered_enrichment_timestamp": "2026-05-01T00:00:00.000Z",
}


def test_explain_says_which_value_is_hubspots_enrichment_and_since_when(fresh: Place) -> None:
    made = fresh.crm.admin("POST create", properties={"name": "Made", "domain": MADE, **ENRICHED})
    account = str(made["id"])
    for command in (("provision", "--apply"), ("profile", "activate"), ("mode", "write")):
        fresh.run(*command)
    fresh.settle()
    told = fresh.json("explain", account)
    facts = {fact["fact"]: fact for verdict in told["verdicts"] for fact in verdict["facts"]}
    assert facts["employees"]["source"] == SOURCE
    shown = re.sub(r"\s+", " ", fresh.run("explain", account).stdout)
    assert "HubSpot enrichment of 2026-05-01" in shown

    fresh.crm.admin("POST edit", id=account, properties={"numberofemployees": "40"})
    fresh.settle()
    told = fresh.json("explain", account)
    facts = {fact["fact"]: fact for verdict in told["verdicts"] for fact in verdict["facts"]}
    assert facts["employees"]["source"] == "crm:numberofemployees"
    assert told["overruled"]["employees"][0].startswith(SOURCE)
