"""Discovery and pages where HubSpot's search, its clock or its list misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import responses
from pydantic import SecretStr
from structlog.testing import capture_logs

from icp_sync.crm.ahead import ahead
from icp_sync.crm.hubspot import HubSpot, discovery
from icp_sync.crm.hubspot.records import Json
from icp_sync.errors import UnavailableError
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.ports import Position, Query, Stream
from tests.crm.contract import STANDARD, live
from tests.crm.hubspot.test_caches import Clock
from tests.crm.hubspot.test_client import SEARCH, URL, client
from tests.crm.hubspot.world import START, Portal, connect

START_MS = int(START * 1000)


def hit(id: int) -> dict[str, Any]:
    return {"id": str(id), "properties": {"hs_lastmodifieddate": "2026-11-21T22:00:00.000Z"}}


def test_a_search_that_repeats_a_page_is_an_error_and_no_loop() -> None:
    page = {"total": 400, "results": [hit(n) for n in range(1, 201)], "paging": {"next": {"after": "200"}}}
    with responses.RequestsMock() as server:
        server.add("GET", f"{URL}/account-info/2026-03/details", json={"portalId": 1})
        server.add("POST", SEARCH, json=page)
        with pytest.raises(UnavailableError, match="without a new id"):
            list(discovery.search(client(), [discovery.between(1000, 2000)], "", ["hs_lastmodifieddate"]))
        assert len(server.calls) == 3


def test_a_list_that_repeats_a_page_is_an_error_and_no_loop() -> None:
    page = {"results": [hit(n) for n in range(1, 101)], "paging": {"next": {"after": "100"}}}
    with responses.RequestsMock() as server:
        server.add("GET", f"{URL}/account-info/2026-03/details", json={"portalId": 1})
        server.add("GET", f"{URL}/crm/objects/2026-03/companies", json=page)
        with pytest.raises(UnavailableError, match="without a new id"):
            list(discovery.listing(client(), ["name"], ""))


def test_a_search_asks_in_order_of_id_within_fixed_bounds_and_never_by_offset(portal: Portal) -> None:
    portal.create_many(450)
    portal.advance(10)
    portal.simulator.admin("DELETE stats")
    list(portal.crm.pages(Query(stream=Stream.POLL, position=Position(done_to=1_795_302_000_000))))
    stats = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(stats, dict)
    assert stats["POST search"] <= 4 + 1  # one more when the clock was found moved


def test_a_window_opened_by_a_clock_that_had_moved_is_opened_again(portal: Portal) -> None:
    portal.crm.now()
    portal.advance(50_000)
    id = portal.create()
    portal.advance(10)
    pages = list(portal.crm.pages(Query(stream=Stream.POLL)))
    assert [page.ids for page in pages] == [(id,)]
    assert pages[-1].position.done_to > 1_795_302_000_000 + 50_000_000


def test_a_hit_whose_stamp_has_left_the_window_is_still_read(portal: Portal) -> None:
    list(portal.crm.pages(Query(stream=Stream.POLL)))
    start = Position(done_to=int(portal.crm.now() * 1000))
    id = portal.create()
    portal.advance(10)
    portal.edit(id, late=500, tier="B")
    (page,) = portal.crm.pages(Query(stream=Stream.POLL, position=start))
    assert [(account.id, account.live["tier"]) for account in page.accounts] == [(id, "B")]


def test_a_property_list_too_long_for_a_url_is_read_by_batch(portal: Portal) -> None:
    class Wide:
        properties = (*HUBSPOT_DEFAULTS.properties, *(f"property_number_{n:04}" for n in range(200)))
        read = staticmethod(HUBSPOT_DEFAULTS.read)

    ids = portal.create_many(250)
    wide = connect(portal.simulator, facts_map=Wide())
    pages = list(wide.pages(Query(stream=Stream.BACKFILL)))
    assert [id for page in pages for id in page.ids] == list(ids)
    stats = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(stats, dict)
    assert stats["POST batch/read"] == 3
    wide.close()


def test_a_backfill_makes_one_call_per_hundred_companies(portal: Portal) -> None:
    portal.create_many(1000)
    portal.simulator.admin("DELETE stats")
    crm = connect(portal.simulator)
    assert sum(len(page.accounts) for page in crm.pages(Query(stream=Stream.BACKFILL))) == 1000
    stats = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(stats, dict)
    assert stats["GET companies"] == 10
    assert "POST batch/read" not in stats
    crm.close()


def test_a_page_passes_over_what_is_settled_without_reading_it(portal: Portal) -> None:
    ids = portal.create_many(300)
    portal.advance(10)
    portal.simulator.admin("DELETE stats")
    start = Position(done_to=1_795_302_000_000)
    query = Query(stream=Stream.POLL, position=start, seen=lambda stamps: set(stamps) - {ids[150]})
    (page,) = portal.crm.pages(query)
    assert (page.ids, page.skipped) == ((ids[150],), 299)


def test_a_window_of_one_poll_is_not_mixed_with_another(portal: Portal) -> None:
    ids = portal.create_many(60)
    portal.advance(10)
    start = Position(done_to=1_795_302_000_000)
    one = portal.crm.pages(Query(stream=Stream.POLL, position=start))
    two = portal.crm.pages(Query(stream=Stream.POLL, position=start))
    together = [(a.ids, b.ids) for a, b in zip(one, two, strict=True)]
    assert [id for a, _ in together for id in a] == list(ids)
    assert all(a == b for a, b in together)


def test_a_company_a_batch_read_says_nothing_of_is_read_by_itself(portal: Portal) -> None:
    id = portal.create()
    portal.fault("empty_results", "batch/read")
    page = portal.crm.fetch([id])
    assert (page.ids, dict(page.gone)) == ((id,), {})


@pytest.mark.parametrize("kind", ["500", "423"])
def test_a_company_that_cannot_be_read_at_all_is_named_and_stops_no_window(portal: Portal, kind: str) -> None:
    sick, well = portal.create_many(2)
    portal.advance(10)
    portal.fault("empty_results", "batch/read")
    portal.fault(kind, f"GET .*companies/{sick}")
    with capture_logs() as said:
        pages = list(portal.crm.pages(Query(stream=Stream.POLL, position=Position(done_to=START_MS))))
    assert [page.ids for page in pages] == [(well,)]
    assert pages[-1].position.done_to > START_MS
    assert pages[-1].gone == {}
    assert [entry["accounts"] for entry in said if entry["log_level"] == "error"] == [[sick]]


def test_a_portal_that_is_down_is_an_error_and_no_company_that_cannot_be_read(portal: Portal) -> None:
    id = portal.create()
    portal.fault("empty_results", "batch/read", nth=1)
    portal.fault("503", "batch/read|GET .*companies/")
    with pytest.raises(UnavailableError):
        portal.crm.fetch([id])


@pytest.mark.parametrize("stream", [Stream.POLL, Stream.TRAILING, Stream.SWEEP, Stream.BACKFILL, Stream.DUE])
def test_a_survivor_read_by_any_stream_tells_which_companies_were_merged_into_it(
    portal: Portal, stream: Stream
) -> None:
    kept, loser, survivor = portal.create_many(3)
    portal.merge(loser, survivor)
    portal.advance(10_000)
    query = Query(stream=stream, position=Position(done_to=START_MS), ids=(kept, survivor))
    if stream in (Stream.SWEEP, Stream.BACKFILL):
        query = Query(stream=stream)
    pages = list(portal.crm.pages(query))
    assert [id for page in pages for id in page.ids] == [kept, survivor]
    assert {id: into for page in pages for id, into in page.gone.items()} == {loser: survivor}


def test_a_company_still_listed_after_it_was_merged_away_is_gone_and_no_account() -> None:
    def listed(id: str, merged: str | None) -> dict[str, Any]:
        return {"id": id, "properties": {**hit(int(id))["properties"], "hs_merged_object_ids": merged}}

    with responses.RequestsMock() as server:
        server.add("GET", f"{URL}/account-info/2026-03/details", json={"portalId": 1})
        server.add("GET", f"{URL}/crm/properties/2026-03/companies", json={"results": []})
        page = {"results": [listed("1", None), listed("2", "1;2")]}
        server.add("GET", f"{URL}/crm/objects/2026-03/companies", json=page)
        crm = HubSpot(token=SecretStr("t"), facts_map=HUBSPOT_DEFAULTS, properties={}, base_url=URL)
        (found,) = crm.pages(Query(stream=Stream.BACKFILL))
        crm.close()
    assert (found.ids, dict(found.gone)) == (("2",), {"1": "2"})


def test_a_property_archived_while_we_run_is_no_field_until_it_is_there_again(portal: Portal) -> None:
    id = portal.create()
    portal.edit(id, lane="sales", tier="A")
    running, clock = connect(portal.simulator), Clock()
    running._catalogue._clock = clock
    assert live(running, id)["lane"] == "sales"
    before = property_reads(portal)
    portal.crm._client._properties.archive("companies", "icp_lane", _preload_content=False)
    with capture_logs() as said:
        for found in (live(running, id), live(running, id)):
            assert "lane" not in found
            assert found["tier"] == "A"
    assert property_reads(portal) == before + 1
    assert running.disabled == {"lane": "the portal has no property icp_lane"}
    assert [entry["fields"] for entry in said if entry["log_level"] == "error"] == [["lane"]]
    (page,) = running.pages(Query(stream=Stream.SWEEP))
    assert "lane" not in page.accounts[0].live
    other = connect(portal.simulator)
    other.provision(STANDARD, apply=True)
    other.close()
    clock.now = 901.0
    assert "lane" in live(running, id)
    assert running.disabled == {}
    running.close()


def test_replies_that_do_not_name_a_property_read_the_schema_at_most_every_five_seconds(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = portal.create()
    running, clock = connect(portal.simulator), Clock()
    running._catalogue._clock = clock
    read = running._client.batch_read

    def forgetful(ids: Sequence[str], properties: Sequence[str]) -> Json:
        return read(ids, [name for name in properties if name != "icp_lane"])

    monkeypatch.setattr(running._client, "batch_read", forgetful)
    assert "lane" not in live(running, id)
    before, reads = property_reads(portal), []
    for clock.now in (1, 5, 6, 7, 12):
        assert "lane" not in live(running, id)
        reads.append(property_reads(portal) - before)
    assert reads == [0, 0, 1, 1, 2]
    assert running.disabled == {}  # the portal has it, whatever the replies say
    running.close()


def property_reads(portal: Portal) -> int:
    stats = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(stats, dict)
    return int(stats.get("GET properties", 0))


def test_nothing_to_fetch_is_an_empty_page(portal: Portal) -> None:
    assert portal.crm.fetch([]).ids == ()
    assert portal.crm.fetch(["no-id", "12", "12"]).gone == {"no-id": "", "12": ""}


def test_reading_ahead_keeps_the_order_and_brings_an_error_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise UnavailableError("late")

    running = ahead(items(), 2)
    assert [next(running) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(UnavailableError, match="late"):
        next(running)


def test_reading_ahead_stays_within_its_depth_and_ends_when_nobody_listens() -> None:
    made: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            if number == 3:
                third.set()
            yield number

    running = ahead(items(), 2)
    assert next(running) == 0
    assert third.wait(timeout=30)
    assert len(made) <= 5
    before = threading.active_count()
    running.close()  # type: ignore[attr-defined]
    for thread in [t for t in threading.enumerate() if t.name == "read-ahead"]:
        thread.join(timeout=30)
    assert threading.active_count() < before
    assert len(made) <= 5
