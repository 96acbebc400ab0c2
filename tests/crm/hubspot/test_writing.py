"""Batches against a portal that refuses, falls silent, answers in part, or changes under us."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.ports import Query, Stream
from tests.crm.contract import STANDARD, live, write_one
from tests.crm.hubspot.world import Portal, connect


def write_all(portal: Portal, ids: Sequence[str], **values: str) -> dict[str, Outcome]:
    writes = [Write(account_id=id, values=values) for id in ids]
    return {outcome.account_id: outcome for outcome in portal.crm.write(writes)}


def results(outcomes: dict[str, Outcome]) -> set[Result]:
    return {outcome.result for outcome in outcomes.values()}


def calls(portal: Portal, endpoint: str) -> int:
    requests = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(requests, dict)
    return int(requests.get(endpoint, 0))


def test_a_thousand_writes_are_ten_calls(portal: Portal) -> None:
    ids = portal.create_many(1000)
    assert results(write_all(portal, ids, tier="A", fit_score="80")) == {Result.WRITTEN}
    assert calls(portal, "POST batch/update") == 10
    assert calls(portal, "POST batch/read") == 0


def test_a_batch_refused_whole_for_one_record_is_halved_until_only_that_is_left(portal: Portal) -> None:
    ids = portal.create_many(100)
    writes = [Write(account_id=id, values={"fit_score": "x" if id == ids[77] else "1"}) for id in ids]
    outcomes = {outcome.account_id: outcome for outcome in portal.crm.write(writes)}
    assert outcomes[ids[77]].result is Result.REFUSED
    assert results({id: o for id, o in outcomes.items() if id != ids[77]}) == {Result.WRITTEN}
    assert calls(portal, "POST batch/update") <= 1 + 2 * 7


def test_a_batch_answered_in_part_is_reconciled_record_by_record(portal: Portal) -> None:
    ids = portal.create_many(10)
    portal.fault("207_mixed", "batch/update", nth=1)
    outcomes = write_all(portal, ids, tier="B")
    landed = {id for id in ids if live(portal.crm, id)["tier"] == "B"}
    assert {id for id, o in outcomes.items() if o.result is Result.WRITTEN} == landed
    assert len(landed) == 5
    assert all(outcomes[id].code for id in set(ids) - landed)


@pytest.mark.parametrize("kind", ["empty_results", "error_200"])
def test_an_answer_that_says_nothing_is_checked_by_reading(portal: Portal, kind: str) -> None:
    id = portal.create()
    portal.fault(kind, "batch/update", nth=1)
    assert write_one(portal.crm, id, tier="A").result is Result.FAILED
    assert live(portal.crm, id)["tier"] == ""
    assert write_one(portal.crm, id, tier="A").result is Result.WRITTEN


@pytest.mark.parametrize(
    "kind", ["reset", "reset_after_apply", "empty_200", "truncated", "gzip_garbage", "500", "502_html"]
)
def test_a_reply_that_is_lost_or_garbled_leaves_every_record_of_its_batch_uncertain(
    portal: Portal, kind: str
) -> None:
    ids = portal.create_many(150)
    portal.fault(kind, "batch/update", nth=1)
    outcomes = write_all(portal, ids, tier="A")
    uncertain = {id for id, o in outcomes.items() if o.result is Result.UNCERTAIN}
    assert len(uncertain) in (50, 100)
    assert results({id: o for id, o in outcomes.items() if id not in uncertain}) == {Result.WRITTEN}


@pytest.mark.parametrize("kind", ["429", "429_daily", "401", "403"])
def test_a_batch_that_was_certainly_not_carried_out_failed(portal: Portal, kind: str) -> None:
    id = portal.create()
    portal.fault(kind, "batch/update")
    outcome = write_one(portal.crm, id, tier="A")
    assert outcome.result is Result.FAILED
    assert outcome.message


def test_a_property_removed_while_we_run_disables_that_output_alone(portal: Portal) -> None:
    ids = portal.create_many(3)
    assert portal.crm.disabled == {}
    portal.simulator.admin("POST settings", property_lag=0.0)
    remove(portal, "icp_lane")
    outcomes = write_all(portal, ids, tier="A", lane="sales")
    assert {(o.result, o.code) for o in outcomes.values()} == {(Result.FAILED, "OUTPUT_DISABLED")}
    assert portal.crm.disabled == {"lane": "the portal has no property icp_lane"}
    assert write_one(portal.crm, ids[0], tier="A", lane="sales").code == "OUTPUT_DISABLED"
    assert write_one(portal.crm, ids[0], tier="A").result is Result.WRITTEN
    assert "lane" not in live(portal.crm, ids[0])
    assert write_one(portal.crm, ids[0], lane="sales").code == "DISABLED"
    portal.crm.provision(STANDARD, apply=True)
    assert portal.crm.disabled == {}
    assert write_one(portal.crm, ids[0], lane="sales").result is Result.WRITTEN


def test_an_option_removed_while_we_run_disables_that_output_alone(portal: Portal) -> None:
    ids = portal.create_many(3)
    options = [{"label": tier, "value": tier, "displayOrder": at} for at, tier in enumerate("AB")]
    portal.crm._client.change_property("icp_tier", {"options": options})
    outcomes = write_all(portal, ids, tier="C", fit_score="50")
    assert {(o.result, o.code) for o in outcomes.values()} == {(Result.FAILED, "OUTPUT_DISABLED")}
    assert portal.crm.disabled == {"tier": "icp_tier has no option C"}
    assert write_one(portal.crm, ids[0], fit_score="50").result is Result.WRITTEN
    portal.crm.provision(STANDARD, apply=True)
    assert write_one(portal.crm, ids[0], tier="C").result is Result.WRITTEN


def test_an_account_is_written_whole_or_not_at_all_and_the_others_of_its_batch_go_on(portal: Portal) -> None:
    partly, wholly, free = portal.create_many(3)
    remove(portal, "icp_lane")
    writes = [
        Write(account_id=partly, values={"tier": "A", "lane": "sales", "seal": "of both"}),
        Write(account_id=wholly, values={"lane": "sales"}),
        Write(account_id=free, values={"tier": "A", "seal": "of the tier"}),
    ]
    outcomes = {outcome.account_id: outcome for outcome in portal.crm.write(writes)}
    assert (outcomes[partly].result, outcomes[partly].code) == (Result.FAILED, "OUTPUT_DISABLED")
    assert "lane: the portal has no property icp_lane" in outcomes[partly].message
    assert (outcomes[wholly].result, outcomes[wholly].code) == (Result.REFUSED, "DISABLED")
    assert outcomes[free].result is Result.WRITTEN
    assert (live(portal.crm, partly)["tier"], live(portal.crm, partly)["seal"]) == ("", "")
    assert (live(portal.crm, free)["tier"], live(portal.crm, free)["seal"]) == ("A", "of the tier")


@pytest.mark.parametrize(
    ("edited", "result", "differs"),
    [
        ({}, Result.WRITTEN, ""),
        ({"lane": "nurture"}, Result.UNCERTAIN, "lane"),
        ({"lane": "nurture", "tier": "C"}, Result.FAILED, ""),
    ],
)
def test_what_an_answer_says_nothing_of_is_uncertain_when_some_of_it_is_there(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    edited: dict[str, str],
    result: Result,
    differs: str,
) -> None:
    id = portal.create()
    send = portal.crm._client.batch_update

    def silent(inputs: Sequence[Json]) -> Json:
        """Carried out, then edited by a person, and answered without results."""
        send(inputs)
        portal.edit(id, **edited)
        return {"results": []}

    monkeypatch.setattr(portal.crm._client, "batch_update", silent)
    outcome = write_one(portal.crm, id, tier="A", lane="sales")
    assert outcome.result is result
    assert outcome.message.endswith(differs)


def test_a_rule_of_the_portal_about_other_properties_refuses_the_record_and_is_named() -> None:
    portal = Portal(version="2026-09")
    rule = {"when": {"property": "city", "value": "Oslo"}, "require": ["industry"]}
    portal.simulator.admin("POST settings", conditional_required=[rule])
    ruled, free = portal.create_many(2)
    portal.simulator.admin("POST edit", id=ruled, properties={"city": "Oslo"})
    outcomes = write_all(portal, [ruled, free], tier="A")
    assert outcomes[free].result is Result.WRITTEN
    assert outcomes[ruled].result is Result.REFUSED
    assert outcomes[ruled].code == "MISSING_CONDITIONAL_REQUIRED_PROPERTY"
    portal.close()


def test_a_record_that_changed_hands_after_our_write_is_confirmed_as_we_wrote_it(portal: Portal) -> None:
    id = portal.create()
    assert write_one(portal.crm, id, tier="A").confirmed == {"tier": "A"}
    portal.edit(id, tier="D")
    portal.advance(10)
    (page,) = portal.crm.pages(Query(stream=Stream.SWEEP))
    assert page.accounts[0].live["tier"] == "D"


def remove(portal: Portal, name: str) -> None:
    portal.crm._client._properties.archive("companies", name, _preload_content=False)


def test_an_endpoint_that_is_gone_fails_a_batch_in_one_call(portal: Portal) -> None:
    ids = portal.create_many(100)
    portal.fault("404", "batch/update")
    assert results(write_all(portal, ids, tier="A")) == {Result.FAILED}
    assert calls(portal, "POST batch/update") == 1


def test_properties_that_cannot_be_read_fail_the_writes_and_raise_nothing(portal: Portal) -> None:
    id = portal.create()
    fresh = connect(portal.simulator)
    portal.fault("404", "GET properties")
    assert write_one(fresh, id, tier="A").result is Result.FAILED
    portal.mend()
    assert write_one(fresh, id, tier="A").result is Result.WRITTEN
    fresh.close()
