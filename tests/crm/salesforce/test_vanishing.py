"""Fields, values and rights that somebody takes away while we run: that output is left out, loudly and alone,
until it is there again. Against the simulated org, by collections and by bulk jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from icp_sync.domain.plan import Outcome, Result, Write
from tests.crm.contract import OWNED, live
from tests.crm.salesforce.ingest import Notebook
from tests.crm.salesforce.world import OURS, PROPERTIES, Org

COUNT = 4
LANE = OURS["lane"]
NEWS = ("outputs disabled", "outputs work again")


@pytest.fixture(params=["collections", "bulk jobs"])
def org(request: pytest.FixtureRequest) -> Iterator[Org]:
    bulk = request.param == "bulk jobs"
    org = Org(bulk_writes=True, jobs=Notebook()) if bulk else Org()
    org.crm._client.transport._sleep = lambda _: False
    org.crm._writer._bulk_from = COUNT
    yield org
    org.close()


def setup(**change: object) -> Callable[[Org], object]:
    return lambda org: org.simulator.admin("POST fields", object="Account", **change)


WAYS: dict[str, tuple[Callable[[Org], object], Callable[[Org], object]]] = {
    "deleted": (lambda org: org.take_away("lane"), lambda org: org.give_back("lane")),
    "hidden": (setup(hide=[LANE]), setup(show=[LANE])),
    "read-only": (setup(lock=[LANE]), setup(show=[LANE])),
    "a value gone": (lambda org: org.drop_option("lane", "none"), lambda org: org.give_back("lane")),
}


def write(org: Org, ids: list[str], **values: str) -> list[Outcome]:
    return list(org.crm.write([Write(account_id=id, values=values) for id in ids]))


def results(outcomes: list[Outcome]) -> set[Result]:
    return {outcome.result for outcome in outcomes}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_taken_away_disables_that_output_alone_loudly_and_once_until_it_is_back(
    org: Org, way: str
) -> None:
    ids = list(org.create_many(COUNT))
    assert results(write(org, ids, tier="B", lane="sales")) == {Result.WRITTEN}
    take, give = WAYS[way]
    structlog.reset_defaults()
    with capture_logs() as logs:
        take(org)
        assert results(write(org, ids, tier="A", lane="none", fit_score="80")) == {Result.FAILED}
        assert results(write(org, ids, tier="A", lane="none")) == {Result.FAILED}
        assert org.crm.disabled.keys() == {"lane"}
        assert LANE in org.crm.disabled["lane"]
        assert results(write(org, ids, tier="A", fit_score="80")) == {Result.WRITTEN}
        assert {live(org.crm, id)["tier"] for id in ids} == {"A"}
        give(org)
        org.grow_old()
        assert results(write(org, ids, lane="none")) == {Result.WRITTEN}
    assert org.crm.disabled == {}
    assert {live(org.crm, id)["lane"] for id in ids} == {"none"}
    assert [(log["log_level"], log["event"]) for log in logs if log["event"] in NEWS] == [
        ("error", "outputs disabled"),
        ("warning", "outputs work again"),
    ]
    (lost,) = (log for log in logs if log["event"] == "outputs disabled")
    assert (lost["fields"], lost["next_step"]) == (["lane"], "icp-sync check")


@pytest.mark.parametrize("way", WAYS)
def test_what_vanishes_between_our_look_and_our_write_is_understood_from_the_refusal(
    org: Org, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = list(org.create_many(COUNT))
    write(org, ids, tier="B", lane="sales")
    take, _ = WAYS[way]
    look = org.crm._writer._comparing.look

    def late(*given: Any) -> Any:
        found = look(*given)
        take(org)
        return found

    monkeypatch.setattr(org.crm._writer._comparing, "look", late)
    outcomes = write(org, ids, tier="A", lane="none")
    assert {(outcome.result, outcome.code) for outcome in outcomes} == {(Result.FAILED, "OUTPUT_DISABLED")}
    assert org.crm.disabled.keys() == {"lane"}


def test_a_second_loss_right_after_the_first_is_looked_for_too(org: Org) -> None:
    ids = list(org.create_many(COUNT))
    write(org, ids, tier="B", lane="sales", certainty="firm")
    org.drop_option("lane", "none")
    write(org, ids, tier="A", lane="none")
    org.drop_option("certainty", "provisional")
    outcomes = write(org, ids, tier="A", certainty="provisional")
    assert {(outcome.result, outcome.code) for outcome in outcomes} == {(Result.FAILED, "OUTPUT_DISABLED")}
    assert org.crm.disabled.keys() == {"lane", "certainty"}


def test_a_field_of_another_kind_than_it_was_costs_no_other(org: Org) -> None:
    ids = list(org.create_many(COUNT))
    write(org, ids, tier="B", fit_score="60")
    org.take_away("fit_score")
    org.simulator.admin("POST fields", define={"name": OURS["fit_score"], "type": "boolean"})
    assert Result.WRITTEN not in results(write(org, ids, tier="A", fit_score="80"))
    assert results(write(org, ids, tier="A")) == {Result.WRITTEN}
    assert {live(org.crm, id)["tier"] for id in ids} == {"A"}


def test_owners_are_given_while_one_of_our_fields_is_gone(org: Org) -> None:
    ids = list(org.create_many(COUNT))
    org.advance(10)
    org.take_away("tier")
    outcomes = write(org, ids, tier="A", owner=OWNED)
    assert results(outcomes) <= {Result.FAILED}
    assert results(write(org, ids, owner=OWNED)) == {Result.WRITTEN}
    assert "tier" in PROPERTIES
    assert {live(org.crm, id)["owner"] for id in ids} == {OWNED}
