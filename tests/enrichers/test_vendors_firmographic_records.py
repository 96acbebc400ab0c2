"""How records of firmographics are read: several codes or rounds in one field, and rubbish in any."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.facts import choice
from icp_sync.enrichers.manifest import load, shipped
from icp_sync.enrichers.manifest.answers import understood
from icp_sync.enrichers.manifest.expressions import search
from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.setup import Setup, plain
from icp_sync.ports import Hit, Request

NOW = 1_800_000_000.0
BOREALIS = Request(account_id="1", domain="borealis-lathe.com")
RECORDS = {
    "apollo": "organization",
    "cufinder": "data.company",
    "zoominfo": "data[0].attributes",
    "cognism": "result[0]",
    "the_companies_api": "@",
    "coresignal": "@",
    "six_sense": "company",
}
"""Where the facts stand in a good reply."""


def sample(use: str) -> Any:
    text = files("icp_sync.enrichers").joinpath("vendors", "samples", use, "hit.json").read_text("utf-8")
    return json.loads(text)["body"]


def setup_of(use: str) -> Setup:
    return plain(load(shipped()[use], rehearsed=False))


def answer(setup: Setup, body: Any) -> Hit:
    said = understood(setup, BOREALIS, Said(status=200, body=body), now=NOW)
    assert isinstance(said, Hit), said
    return said


def values(said: Hit) -> Mapping[str, object]:
    return {signal.fact: signal.value for signal in said.signals}


def zoominfo(**attributes: Any) -> Hit:
    body = {"data": [{"attributes": {"id": 1, **attributes}, "meta": {"matchStatus": "FULL_MATCH"}}]}
    return answer(setup_of("zoominfo"), body)


def test_a_code_that_begins_another_says_nothing_beside_it() -> None:
    said = values(zoominfo(naicsCodes=[{"id": "33"}, {"id": "333"}, {"id": "333517"}]))
    assert (said["industry"], said["sector"]) == (choice("MACHINERY"), choice("31-33"))


def test_codes_that_agree_on_the_sector_alone_tell_the_sector() -> None:
    said = values(zoominfo(naicsCodes=[{"id": "541511"}, {"id": "541512"}, {"id": "54"}]))
    assert said["sector"] == choice("54")
    assert "industry" not in said


def test_codes_that_contradict_each_other_tell_nothing_and_are_shown() -> None:
    said = zoominfo(naicsCodes=[{"id": "333517"}, {"id": "511210"}])
    assert {"industry", "sector"}.isdisjoint(values(said))
    assert said.unread["industry"] == "333517; 511210"


def test_the_stage_is_that_of_the_newest_round_of_equity() -> None:
    rounds = [
        {"date": "2016-02-01", "type": "Series A"},
        {"date": "2024-03-11", "type": "Debt Financing"},
        {"date": "2019-06-01", "type": "Series B"},
        {"date": None, "type": "Series D"},
        {"date": "2025-01-01", "type": "Grant"},
    ]
    assert values(zoominfo(companyFunding=rounds))["funding_stage"] == choice("series_b")


def test_loans_alone_leave_the_stage_unknown_and_are_shown() -> None:
    said = zoominfo(companyFunding=[{"date": "2024-03-11", "type": "Debt Financing"}])
    assert "funding_stage" not in values(said)
    assert said.unread["funding_stage"] == "Debt Financing"


RUBBISH = st.sampled_from(
    [None, "", " ", -1, 0, 1e308, True, [], {}, [None], "\x00\x1b[31m", "9" * 400, {"a": [1]}, ["x", 1, None]]
)


@pytest.mark.parametrize("use", sorted(RECORDS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_rubbish_in_one_field_costs_only_the_facts_read_there(use: str, data: st.DataObject) -> None:
    """Whatever replaces one field of a good reply: nothing raises, and no other fact changes."""
    setup, body = setup_of(use), sample(use)
    record = search(RECORDS[use], body)
    kept = {"id", "name", "company_name", "domain", "website", "company", "about", "result"}
    name = data.draw(st.sampled_from(sorted(set(record) - kept)))
    before = values(answer(setup, body))
    record[name] = data.draw(RUBBISH)
    after = values(answer(setup, body))
    for fact in before.keys() | after.keys():
        if name not in _paths(setup, "industry" if fact == "sector" else fact):
            assert after.get(fact) == before.get(fact), fact


def _paths(setup: Setup, fact: str) -> str:
    lines = setup.manifest.facts[fact]
    return " ".join(f"{line.from_} {line.low} {line.high} {line.currency_from}" for line in lines)
