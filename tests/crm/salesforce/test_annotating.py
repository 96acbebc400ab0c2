"""Stamps onto opportunities: three fields of ours, once, whatever else the org holds against a write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.domain.plan import Result
from icp_sync.domain.standing import STATES
from icp_sync.errors import ConfigError
from icp_sync.ports import FILLED, Deal, Note, Noted
from tests.crm.salesforce.world import STAMPED, Org, connect

A = {"tier": "A", "score": "72", "profile": "mid-market v7"}


@pytest.fixture
def org() -> Iterator[Org]:
    running = Org()
    running.crm._client.transport._sleep = lambda _: False
    yield running
    running.close()


def sold(org: Org, count: int = 1) -> list[str]:
    return list(org.add_deals(org.create(), count))


def annotated(org: Org, *ids: str, values: dict[str, str] = A) -> dict[str, Noted]:
    notes = [Note(id=id, values=values) for id in ids]
    return {noted.id: noted for noted in org.crm.annotate("deals", notes)}


def one(org: Org, id: str, values: dict[str, str] = A) -> Noted:
    return annotated(org, id, values=values)[id]


def shown(org: Org) -> dict[str, Deal]:
    return {deal.id: deal for deal in org.crm.deals(0)}


def sent(org: Org) -> int:
    calls = org.simulator.org.requests
    return sum(f"{c['method']} {c['path']}".endswith("composite/sobjects") for c in calls)


def test_a_deal_is_stamped_and_the_next_read_shows_it(org: Org) -> None:
    (deal,) = sold(org)
    assert shown(org)[deal].stamp == {"tier": "", "score": "", "profile": ""}
    assert one(org, deal).result is Result.WRITTEN
    assert shown(org)[deal].stamp == A


@pytest.mark.parametrize("state", STATES)
def test_every_tier_and_state_can_be_stamped(org: Org, state: str) -> None:
    (deal,) = sold(org)
    values = {"tier": state, "score": "", "profile": "v1"}
    assert one(org, deal, values).result is Result.WRITTEN
    assert shown(org)[deal].stamp == values


def test_hundreds_are_stamped_two_hundred_a_call_without_assignment_rules(org: Org) -> None:
    deals = sold(org, 450)
    told = annotated(org, *deals)
    assert {noted.result for noted in told.values()} == {Result.WRITTEN}
    assert sent(org) == 3
    assert org.simulator.admin("GET tripwire")["results"] == []


def test_a_stamp_that_is_there_already_is_not_sent_again(org: Org) -> None:
    (deal,) = sold(org)
    assert one(org, deal).result is Result.WRITTEN
    before, stamp = sent(org), shown(org)[deal].changed_at
    assert one(org, deal).result is Result.WRITTEN
    assert (sent(org), shown(org)[deal].changed_at) == (before, stamp)


def test_what_somebody_filled_meanwhile_is_not_overwritten(org: Org) -> None:
    (deal,) = sold(org)
    org.type_on_deal(deal, tier="D")
    told = one(org, deal)
    assert (told.result, told.code) == (Result.FAILED, FILLED)
    assert shown(org)[deal].stamp == {"tier": "D", "score": "", "profile": ""}


def test_a_lost_reply_is_uncertain_and_the_stamp_is_found_later(org: Org) -> None:
    (deal,) = sold(org)
    org.lose_next_reply()
    assert one(org, deal).result is Result.UNCERTAIN
    assert one(org, deal).result is Result.WRITTEN
    assert (sent(org), shown(org)[deal].stamp) == (1, A)


def test_a_deleted_deal_is_gone_and_its_neighbours_land(org: Org) -> None:
    first, deleted, last = sold(org, 3)
    org.drop_deal(deleted)
    told = annotated(org, first, deleted, last)
    assert [told[id].result for id in (first, deleted, last)] == [Result.WRITTEN, Result.GONE, Result.WRITTEN]


def test_a_deal_out_of_our_sight_is_gone_for_us(org: Org) -> None:
    (deal,) = sold(org)
    org.simulator.admin("POST access", hide=[deal])
    assert one(org, deal).result is Result.GONE


@pytest.mark.parametrize(
    ("how", "code"),
    [("read_only", "INSUFFICIENT_ACCESS_OR_READONLY"), ("lock", "ENTITY_IS_LOCKED")],
)
def test_a_deal_we_may_not_edit_is_refused_and_the_others_land(org: Org, how: str, code: str) -> None:
    stubborn, other = sold(org, 2)
    org.simulator.admin("POST access", **{how: [stubborn]})
    told = annotated(org, stubborn, other)
    assert (told[stubborn].result, told[stubborn].code) == (Result.REFUSED, code)
    assert told[other].result is Result.WRITTEN
    org.simulator.admin("POST access", show=[stubborn])
    assert one(org, stubborn).result is Result.WRITTEN


def test_a_validation_rule_refuses_with_its_own_words(org: Org) -> None:
    (deal,) = sold(org)
    org.simulator.admin(
        "POST rules", object="Opportunity", field="StageName", value="Prospecting", message="Name a buyer"
    )
    told = one(org, deal)
    assert (told.result, told.code) == (Result.REFUSED, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert "Name a buyer" in told.message
    assert not any(shown(org)[deal].stamp.values())


def test_a_trigger_that_fails_on_many_rows_gets_fewer(org: Org) -> None:
    deals = sold(org, 120)
    org.simulator.admin("POST triggers", object="Opportunity", name="RollUp", most=60)
    told = annotated(org, *deals)
    assert {noted.result for noted in told.values()} == {Result.WRITTEN}


def test_a_trigger_that_always_fails_is_told_by_name(org: Org) -> None:
    (deal,) = sold(org)
    org.simulator.admin("POST triggers", object="Opportunity", name="Pricing", message="List has no rows")
    told = one(org, deal)
    assert (told.result, told.code) == (Result.REFUSED, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    assert "Pricing" in told.message


def test_a_row_locked_for_a_moment_is_sent_again(org: Org) -> None:
    (deal,) = sold(org)
    org.fault("unable_to_lock_row", "PATCH composite/sobjects", nth=1)
    assert one(org, deal).result is Result.WRITTEN


def test_a_row_that_stays_locked_may_land_another_time(org: Org) -> None:
    (deal,) = sold(org)
    org.fault("unable_to_lock_row", "PATCH composite/sobjects")
    told = one(org, deal)
    assert (told.result, told.code) == (Result.FAILED, "UNABLE_TO_LOCK_ROW")


@pytest.mark.parametrize("what", ["hide", "lock"])
def test_a_field_we_may_not_edit_keeps_the_stamp_waiting_and_is_named(org: Org, what: str) -> None:
    deals = sold(org, 3)
    org.simulator.admin("POST fields", object="Opportunity", **{what: [STAMPED["score"]]})
    for told in annotated(org, *deals).values():
        assert told.result is Result.FAILED
        assert STAMPED["score"] in told.message
    assert not any(any(deal.stamp.values()) for deal in shown(org).values())


def test_a_hidden_field_of_the_stamp_is_absent_from_what_is_read(org: Org) -> None:
    (deal,) = sold(org)
    org.simulator.admin("POST fields", object="Opportunity", hide=[STAMPED["score"]])
    assert shown(org)[deal].stamp == {"tier": "", "profile": ""}


def test_a_value_the_picklist_does_not_offer_is_refused(org: Org) -> None:
    (deal,) = sold(org)
    told = one(org, deal, {**A, "tier": "Platinum"})
    assert (told.result, told.code) == (Result.REFUSED, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


@pytest.mark.parametrize(
    ("id", "values", "code"),
    [
        ("006", {"owner": "x"}, "NOT_CONFIGURED"),
        ("006", {}, "NOT_CONFIGURED"),
        ("nonsense", A, "MALFORMED_ID"),
        ("006000000000001AAA", {**A, "score": "many"}, "VALUE_DOES_NOT_FIT"),
    ],
)
def test_a_note_that_cannot_be_sent_is_refused_without_a_call(
    org: Org, id: str, values: dict[str, str], code: str
) -> None:
    told = one(org, id, values)
    assert (told.result, told.code) == (Result.REFUSED, code)
    assert sent(org) == 0


def test_an_org_that_is_away_fails_every_stamp_and_loses_none(org: Org) -> None:
    deals = sold(org, 2)
    org.fault("maintenance", "composite/sobjects")
    assert {told.result for told in annotated(org, *deals).values()} == {Result.FAILED}
    org.mend()
    assert {told.result for told in annotated(org, *deals).values()} == {Result.WRITTEN}


def test_a_connection_that_does_not_stamp_reads_no_stamp_and_writes_none(org: Org) -> None:
    (deal,) = sold(org)
    plain = connect(org.simulator, stamp={})
    try:
        assert [one.stamp for one in plain.deals(0)] == [{}]
        (told,) = plain.annotate("deals", [Note(id=deal, values=A)])
        assert (told.result, told.code) == (Result.REFUSED, "NOT_CONFIGURED")
        with pytest.raises(ConfigError, match="only deals"):
            plain.annotate("tasks", [])
    finally:
        plain.close()
