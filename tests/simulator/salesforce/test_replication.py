"""Which records were changed or deleted in a time span."""

import pytest

from tests.simulator.salesforce.org_world import ACCOUNTS, an_org


@pytest.fixture
def world():
    with an_org() as running:
        yield running


def span(world, kind, start, end):
    def text(at):
        return f"2026-11-21T{at}+00:00"

    return world.json("GET", f"sobjects/Account/{kind}/", params={"start": text(start), "end": text(end)})


def test_what_changed_in_a_span_is_named_as_far_as_all_is_committed(world):
    first, second, third = world.make(), world.make(), world.make()
    world.pass_by(120)
    world.edit(first, Site="a")
    world.edit(second, Site="b", late=3_600)
    world.pass_by(600)
    status, body = span(world, "updated", "12:01:00", "12:30:00")
    assert status == 200
    assert body == {"ids": [first], "latestDateCovered": "2026-11-21T12:02:00.000+0000"}
    assert third not in body["ids"]


def test_what_was_deleted_in_a_span_is_named_with_its_instant(world):
    gone, kept = world.make(), world.make()
    world.pass_by(61)
    world.json("DELETE", f"{ACCOUNTS}/{gone}")
    world.pass_by(300)
    status, body = span(world, "deleted", "12:00:00", "12:05:00")
    assert status == 200
    assert body["deletedRecords"] == [{"id": gone, "deletedDate": "2026-11-21T12:01:01.000+0000"}]
    assert body["earliestDateAvailable"].startswith("2026-11-06T12:06:01")
    assert kept not in str(body)


@pytest.mark.parametrize("kind", ["updated", "deleted"])
@pytest.mark.parametrize(
    ("start", "end"),
    [("12:00:30+00:00", "12:00:59+00:00"), ("13:00:00+00:00", "12:00:00+00:00"), ("12:00:00+00:00", "soon")],
)
def test_a_span_needs_a_minute_and_two_instants(world, kind, start, end):
    query = {"start": f"2026-11-21T{start}", "end": f"2026-11-21T{end}"}
    assert world.json("GET", f"sobjects/Account/{kind}", params=query)[0] == 400


@pytest.mark.parametrize(("kind", "day"), [("updated", "10-20"), ("deleted", "11-05")])
def test_a_span_reaches_back_only_so_far(world, kind, day):
    query = {"start": f"2026-{day}T12:00:00Z", "end": "2026-11-21T12:00:00Z"}
    status, body = world.json("GET", f"sobjects/Account/{kind}", params=query)
    assert (status, body[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")
