"""Properties and options that vanish or change while we write: that output alone stops until it is back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.plan import Outcome, Result, Write
from tests.crm.contract import live, write_one
from tests.crm.hubspot.test_writing import calls, results, write_all
from tests.crm.hubspot.world import Portal

GOOD = {"tier": "A", "fit_score": "80", "lane": "sales", "reasons": "Because."}


def again_without(portal: Portal, outcomes: dict[str, Outcome], values: dict[str, str]) -> dict[str, Outcome]:
    """What the next cycle writes: the same, without what is disabled now."""
    left = {field: value for field, value in values.items() if field not in portal.crm.disabled}
    return write_all(portal, list(outcomes), **left)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"archived_at": 1}, "no property"),
        ({"read_only": True}, "read-only"),
        ({"calculated": True, "read_only": True}, "read-only"),
        ({"type": "number", "field_type": "number", "options": ()}, "type number"),
        ({"type": "date", "field_type": "date", "options": ()}, "type date"),
        ({"options": ()}, "no option sales"),
    ],
)
def test_whatever_becomes_of_a_property_the_others_land_and_it_comes_back(
    portal: Portal, how: dict[str, Any], reason: str
) -> None:
    ids = portal.create_many(30)
    assert results(write_all(portal, ids, **{**GOOD, "lane": "none"})) == {Result.WRITTEN}
    portal.change("lane", **how)
    with capture_logs() as said:
        outcomes = write_all(portal, ids, **GOOD)
        again = again_without(portal, outcomes, GOOD)
    assert results(outcomes) == {Result.FAILED}
    assert list(portal.crm.disabled) == ["lane"]
    assert reason in portal.crm.disabled["lane"]
    assert results(again) == {Result.WRITTEN}
    assert [(line["log_level"], line["fields"]) for line in said if line["event"] == "outputs disabled"] == [
        ("error", ["lane"])
    ]
    portal.give_back("lane")
    portal.grow_old()
    with capture_logs() as said:
        assert write_one(portal.crm, ids[0], lane="sales").result is Result.WRITTEN
    assert [line["fields"] for line in said if line["event"] == "outputs work again"] == [["lane"]]
    assert portal.crm.disabled == {}


def test_a_type_that_still_takes_our_values_is_noticed_when_the_list_is_read_again(portal: Portal) -> None:
    id = portal.create()
    live(portal.crm, id)  # now it knows the list of properties
    portal.change("lane", type="string", field_type="text", options=())
    assert write_one(portal.crm, id, lane="sales").result is Result.WRITTEN
    portal.grow_old()
    assert "lane" not in live(portal.crm, id)
    assert "type string" in portal.crm.disabled["lane"]


def test_properties_that_vanish_one_after_the_other_are_each_found(portal: Portal) -> None:
    ids = portal.create_many(5)
    write_all(portal, ids, **GOOD)
    values = {"tier": "B", "fit_score": "60", "lane": "none", "reasons": "Otherwise."}
    for lost in ("lane", "fit_score", "reasons"):
        portal.take_away(lost)
        assert results(write_all(portal, ids, **values)) == {Result.FAILED}
        assert lost in portal.crm.disabled
        del values[lost]
    assert results(write_all(portal, ids, **values)) == {Result.WRITTEN}


def test_several_that_vanish_at_once_cost_two_looks_at_most(portal: Portal) -> None:
    ids = portal.create_many(300)
    write_all(portal, ids, **GOOD)
    before = calls(portal, "GET properties")
    portal.take_away("lane")
    portal.take_away("reasons")
    outcomes = write_all(portal, ids, tier="B", fit_score="60", lane="none", reasons="Otherwise.")
    assert results(outcomes) == {Result.FAILED}
    assert portal.crm.disabled.keys() == {"lane", "reasons"}
    assert calls(portal, "GET properties") - before <= 2


def test_a_list_that_still_shows_what_was_archived_just_now_is_looked_at_again(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, tier="B", lane="none")
    portal.simulator.admin("POST settings", property_lag=0.3)
    portal.crm._client.archive_property("icp_lane")
    assert write_one(portal.crm, id, tier="A", lane="sales").code == "OUTPUT_DISABLED"
    assert portal.crm.disabled.keys() == {"lane"}


def test_a_bad_value_of_one_record_is_that_records_fault_and_costs_one_look(portal: Portal) -> None:
    ids = portal.create_many(100)
    write_one(portal.crm, ids[0], tier="B")
    before = calls(portal, "GET properties")
    writes = [Write(account_id=id, values={"fit_score": "x" if id == ids[7] else "1"}) for id in ids]
    outcomes = {outcome.account_id: outcome for outcome in portal.crm.write(writes)}
    assert [id for id, o in outcomes.items() if o.result is not Result.WRITTEN] == [ids[7]]
    assert portal.crm.disabled == {}
    assert calls(portal, "GET properties") - before == 1


def test_an_option_of_a_multiple_choice_that_is_gone_disables_the_field(portal: Portal) -> None:
    id = portal.create()
    write_one(portal.crm, id, flags="agency", tier="A")
    portal.drop_option("flags", "b2c")
    assert write_one(portal.crm, id, flags="agency;b2c", tier="C").code == "OUTPUT_DISABLED"
    assert portal.crm.disabled == {"flags": "icp_flags has no option b2c"}
    assert write_one(portal.crm, id, tier="C").result is Result.WRITTEN


def test_a_native_field_made_read_only_stops_and_ours_go_on(portal: Portal) -> None:
    id = portal.create()
    portal.change("target_account", read_only=True)
    assert write_one(portal.crm, id, tier="A", target_account="true").code == "OUTPUT_DISABLED"
    assert portal.crm.disabled.keys() == {"target_account"}
    assert write_one(portal.crm, id, tier="A").result is Result.WRITTEN


# Answers that keep quiet about something


def answering(portal: Portal, monkeypatch: pytest.MonkeyPatch, change: Any, *, write: bool = True) -> None:
    """HubSpot carries a batch out, or not, and answers with something else than it should."""
    send = portal.crm._client.batch_update

    def altered(inputs: Sequence[Json]) -> Json:
        reply = send(inputs) if write else {"status": "COMPLETE", "results": []}
        return dict(change(reply))

    monkeypatch.setattr(portal.crm._client, "batch_update", altered)


def half(reply: Json) -> Json:
    return {**reply, "results": reply["results"][::2]}


def other_values(reply: Json) -> Json:
    shown = [{**one, "properties": {**one["properties"], "icp_tier": "D"}} for one in reply["results"]]
    return {**reply, "results": shown}


def without_values(reply: Json) -> Json:
    return {**reply, "results": [{"id": one["id"]} for one in reply["results"]]}


def of_others(reply: Json) -> Json:
    return {**reply, "results": [{**one, "id": f"9{one['id']}"} for one in reply["results"]]}


def unnamed_errors(reply: Json) -> Json:
    errors = [
        {"status": "error", "category": "INTERNAL_ERROR", "message": "There was a problem.", "context": {}}
    ]
    return {**reply, "results": reply["results"][:1], "numErrors": 5, "errors": errors}


def shapeless(reply: Json) -> Json:
    return {**reply, "results": [None, 3, {"properties": {}}, {"id": None}], "errors": ["x", None]}


@pytest.mark.parametrize("change", [half, other_values, without_values, of_others, unnamed_errors, shapeless])
def test_a_reply_that_is_silent_or_wrong_about_a_record_is_settled_by_reading_it(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    ids = portal.create_many(7)
    answering(portal, monkeypatch, change)
    outcomes = write_all(portal, ids, tier="A", lane="sales")
    assert outcomes.keys() == set(ids)
    assert results(outcomes) == {Result.WRITTEN}
    assert calls(portal, "POST batch/read") == 1


@pytest.mark.parametrize("change", [half, unnamed_errors, shapeless])
def test_what_a_reply_is_silent_about_and_was_not_written_failed_and_is_tried_again(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    ids = portal.create_many(7)
    answering(portal, monkeypatch, change, write=False)
    assert results(write_all(portal, ids, tier="A")) == {Result.FAILED}
    monkeypatch.undo()
    assert results(write_all(portal, ids, tier="A")) == {Result.WRITTEN}


def test_what_neither_the_reply_nor_a_read_tells_is_uncertain(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = portal.create_many(3)
    answering(portal, monkeypatch, half)
    portal.fault("503", "batch/read")
    outcomes = write_all(portal, ids, tier="A")
    assert sorted(o.result for o in outcomes.values()) == sorted(
        [Result.WRITTEN, Result.WRITTEN, Result.UNCERTAIN]
    )
