"""What HubSpot filled by itself is shown as that, with its date, and stands behind what people typed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from icp_sync.domain.account import Account
from icp_sync.domain.facts import Signal, merge, number
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap
from icp_sync.sync.plan_file.inputs import mark_of

NOW = 1_795_000_000.0
MAY = 1_777_593_600.0  # 2026-05-01
RECORD = {
    "numberofemployees": "620",
    "hs_employee_range": "501-1000",
    "hs_keywords": "saas;b2b",
    "hs_is_enriched": "true",
    "hs_last_metered_enrichment_timestamp": "2026-05-01T00:00:00Z",
}


def signals(facts: FactsMap = HUBSPOT_DEFAULTS, **said: str | None) -> dict[str, Signal]:
    """By property."""
    read, _ = facts.read({**RECORD, **said}, observed_at=NOW, account_currency="")
    return {s.source.removeprefix("crm:").partition(",")[0]: s for s in read}


def test_what_hubspot_filled_says_so_and_since_when() -> None:
    band = signals()["hs_employee_range"]
    assert band.source == "crm:hs_employee_range, HubSpot enrichment of 2026-05-01"
    assert band.observed_at == MAY


def test_what_people_may_have_typed_is_theirs_and_wins() -> None:
    read = signals()
    assert read["numberofemployees"].source == "crm:numberofemployees"
    assert read["numberofemployees"].observed_at == NOW
    known = merge(read.values())
    assert known.facts["employees"] == number(620)
    assert known.losers["employees"][0].source.endswith("HubSpot enrichment of 2026-05-01")


@pytest.mark.parametrize("flag", ["", None, "false", "no"])
def test_a_record_nobody_enriched_has_plain_sources(flag: str | None) -> None:
    read = signals(hs_is_enriched=flag)
    assert {s.source for s in read.values()} == {f"crm:{name}" for name in read}


@pytest.mark.parametrize("at", ["", None, "soon", "2031-01-01T00:00:00Z", "-99999999999999"])
def test_enrichment_without_a_date_that_can_be_is_named_without_one(at: str | None) -> None:
    band = signals(hs_last_metered_enrichment_timestamp=at)["hs_employee_range"]
    assert band.source == "crm:hs_employee_range, HubSpot enrichment"
    assert band.observed_at == NOW


def test_an_entry_of_ones_own_for_the_property_is_ones_own_value() -> None:
    own = FactsMap.from_config([{"property": "hs_keywords", "fact": "keywords"}], HUBSPOT_DEFAULTS)
    assert signals(own)["hs_keywords"].source == "crm:hs_keywords"
    assert "hs_is_enriched" in own.properties
    without = FactsMap([replace(source, enriched=False) for source in own.sources], own.provenance)
    assert "hs_is_enriched" not in without.properties


def test_enriching_a_record_again_with_the_same_values_does_not_outdate_a_plan() -> None:
    def account(at: str) -> Account:
        read, unread = HUBSPOT_DEFAULTS.read(
            {**RECORD, "hs_last_metered_enrichment_timestamp": at}, observed_at=NOW, account_currency=""
        )
        return Account(
            id="1", name="", signals=read, unread=unread, live={}, owner="", parent="",
            stamp=1, read_at=1, stamp_is_old=True,
        )  # fmt: skip

    assert mark_of(account("2026-05-01T00:00:00Z")) == mark_of(account("2026-06-01T00:00:00Z"))
