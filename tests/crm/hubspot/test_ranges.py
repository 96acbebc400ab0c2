"""The list endpoint read in several ranges of ids at once: everything once, in order, for few calls more."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from itertools import count, pairwise
from math import ceil
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.crm.ahead import abreast
from icp_sync.crm.hubspot import ranges as whole
from icp_sync.errors import UnavailableError
from icp_sync.ports import Position, Query, Stream
from tests.crm.hubspot.test_client import SEARCH, URL, client
from tests.crm.hubspot.world import Portal, connect

LIST = f"{URL}/crm/objects/2026-03/companies"


class Listed:
    """HubSpot's list of companies and its search, over ids that may change with every call.

    inclusive: `after` is the first id of the next page, not the last of this one.
    strict: a cursor that is no id of the list is refused ("refuse") or taken for none ("ignore").
    """

    def __init__(self, ids: list[int], *, inclusive: bool = True, strict: str = "") -> None:
        self.ids = sorted(ids)
        self.inclusive, self.strict = inclusive, strict
        self.calls = 0
        self.last_end = (0, 0)  # cursor and number of the call that reached the end furthest up
        self.created: dict[int, int] = {}  # id → number of the call before which it was made
        self.changes: dict[int, tuple[int, list[int]]] = {}  # call → how many are made, ranks deleted
        self.found: dict[str, Any] | None = None
        self.search_status = 200
        self.deleted: set[int] = set()
        self._lock = threading.Lock()

    def list_page(self, request: Any) -> tuple[int, dict[str, str], str]:
        with self._lock:
            self.calls += 1
            self._change(*self.changes.get(self.calls, (0, [])))
            after = int(parse_qs(urlsplit(request.url).query).get("after", ["0"])[0])
            if self.strict and after and after not in self.ids:
                if self.strict == "refuse":
                    return 400, {}, json.dumps({"status": "error", "category": "VALIDATION_ERROR"})
                after = 0
            at = (bisect_left if self.inclusive else bisect_right)(self.ids, after)
            page = self.ids[at : at + 100]
            body: dict[str, Any] = {"results": [{"id": str(id), "properties": {}} for id in page]}
            if at + 100 < len(self.ids):
                cursor = self.ids[at + 100] if self.inclusive else page[-1]
                body["paging"] = {"next": {"after": str(cursor)}}
            else:
                self.last_end = max(self.last_end, (after, self.calls))
            return 200, {}, json.dumps(body)

    def search(self, request: Any) -> tuple[int, dict[str, str], str]:
        asked = {
            f["operator"]: int(f["value"]) for f in json.loads(request.body)["filterGroups"][0]["filters"]
        }
        end = bisect_right(self.ids, asked["LTE"]) if "LTE" in asked else len(self.ids)
        above = self.ids[bisect_right(self.ids, asked["GT"]) : end]
        found = {"total": len(above), "results": [{"id": str(id)} for id in above[-1:]]}
        return self.search_status, {}, json.dumps(self.found or found)

    def read(self, last: str = "", ranges: int = 6, up_to: str = "", **how: int) -> list[int]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as server:
            server.add("GET", f"{URL}/account-info/2026-03/details", json={"portalId": 1})
            server.add_callback("GET", LIST, self.list_page)
            server.add_callback("POST", SEARCH, self.search)
            pages = whole.everything(client(patience=0.0), ["name"], last, ranges=ranges, up_to=up_to, **how)
            return [int(id) for found in pages for id in found.stamps]

    def _change(self, made: int, ranks: list[int]) -> None:
        for _ in range(made):
            insort(self.ids, self.ids[-1] + 7 if self.ids else 7)
            self.created[self.ids[-1]] = self.calls
        for rank in ranks:
            if self.ids:
                self.deleted.add(self.ids.pop(rank % len(self.ids)))


@st.composite
def spread_ids(draw: st.DrawFn) -> list[int]:
    """Ids as portals have them: dense imports, years of a few, and jumps of billions."""
    runs = draw(st.lists(st.tuples(st.integers(1, 700), st.sampled_from([1, 3, 40, 10**6])), max_size=5))
    random = Random(draw(st.integers(0, 10**6)))
    ids, at = [], 5
    for many, step in runs:
        at += random.choice([1, 1000, 10**9])
        for _ in range(many):
            at += random.randrange(1, step + 1)
            ids.append(at)
    return ids


CHANGES = st.dictionaries(
    st.integers(1, 30),
    st.tuples(st.integers(0, 120), st.lists(st.integers(0, 10**6), max_size=30)),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    ids=spread_ids(),
    changes=CHANGES,
    inclusive=st.booleans(),
    ranges=st.integers(1, 6),
    resumed=st.integers(0, 3000),
)
def test_whatever_the_ids_everything_is_read_once_and_in_order_while_records_come_and_go(
    ids: list[int],
    changes: dict[int, tuple[int, list[int]]],
    inclusive: bool,
    ranges: int,
    resumed: int,
) -> None:
    listed = Listed(ids, inclusive=inclusive)
    listed.changes = changes
    last = str(ids[resumed % len(ids)]) if ids and resumed else ""
    read = listed.read(last, ranges, length=3, fewest=2)
    assert read == sorted(set(read))
    assert all(id > int(last or 0) for id in read)
    there = {id for id in ids if id > int(last or 0)} - listed.deleted
    in_time = {id for id, call in listed.created.items() if call <= listed.last_end[1]} - listed.deleted
    assert there | in_time <= set(read)
    pages = ceil((len(ids) + len(listed.created)) / 100)
    assert listed.calls <= pages + 2 * (1 + (pages + 1) / 2)


@settings(max_examples=40, deadline=None)
@given(ids=spread_ids(), cuts=st.lists(st.integers(0, 4_000), max_size=4), inclusive=st.booleans())
def test_cut_anywhere_the_parts_are_the_whole_for_few_calls_more(
    ids: list[int], cuts: list[int], inclusive: bool
) -> None:
    listed = Listed(ids, inclusive=inclusive)
    at = sorted({ids[cut % len(ids)] + cut % 2 for cut in cuts}) if ids else []
    bounds = ["", *map(str, at), ""]
    read = [listed.read(after, 3, up_to, length=3, fewest=2) for after, up_to in pairwise(bounds)]
    assert [id for part in read for id in part] == ids
    for part, (_, up_to) in zip(read, pairwise(bounds), strict=True):
        assert not up_to or not part or part[-1] <= int(up_to)
    pages = sum(ceil(len(part) / 100) for part in read)
    assert listed.calls <= pages + len(read) * 2 * (1 + (pages + 1) / 2)


@pytest.mark.parametrize("inclusive", [True, False])
def test_eight_parts_of_fifty_thousand_cost_a_few_calls_more_than_one(inclusive: bool) -> None:
    ids = list(range(5, 5 + 50_000 * 7, 7))
    listed = Listed(ids, inclusive=inclusive)
    cuts = ["", *(str(ids[nth * 6_250 - 1]) for nth in range(1, 8)), ""]
    read = [listed.read(after, 6, up_to) for after, up_to in pairwise(cuts)]
    assert [len(part) for part in read] == [6_250] * 8
    assert listed.calls <= 500 + 8 * (1 + 63 // whole.FEWEST)


@pytest.mark.parametrize("inclusive", [True, False])
def test_fifty_thousand_companies_cost_at_most_one_call_more_for_each_range(inclusive: bool) -> None:
    random = Random(4)
    at, ids = 28_000_000_000, []
    for _ in range(50_000):
        at += random.randrange(1, 40)
        ids.append(at)
    listed = Listed(ids, inclusive=inclusive)
    assert listed.read() == ids
    assert listed.calls <= 500 + (1 + 500 // whole.FEWEST)


def test_ids_in_two_far_clusters_are_cut_where_they_are_dense() -> None:
    ids = [*range(1000, 11_000), *range(9_000_000_000, 9_000_010_000)]
    listed = Listed(ids)
    assert listed.read() == ids
    assert listed.calls <= 200 + 200 / whole.FEWEST + 1


def test_two_ranges_are_under_way_at_once() -> None:
    both = threading.Barrier(2)
    calls = count(1)

    class Paired(Listed):
        def list_page(self, request: Any) -> tuple[int, dict[str, str], str]:
            if next(calls) in (2, 3):  # each waits for the other, or fails
                both.wait(timeout=30)
            return super().list_page(request)

    listed = Paired(list(range(1, 6001)))
    assert listed.read(ranges=2) == listed.ids


@pytest.mark.parametrize(
    "found", [{"total": 0, "results": []}, {"total": "many", "results": [{"id": "x"}]}, {"results": None}]
)
def test_without_a_highest_id_the_list_is_read_in_one_range(found: dict[str, Any]) -> None:
    listed = Listed(list(range(1, 6001)))
    listed.found = found
    assert listed.read() == listed.ids
    assert listed.calls == 60


def test_a_search_that_is_down_does_not_stop_the_list() -> None:
    listed = Listed(list(range(1, 6001)))
    listed.search_status = 503
    assert listed.read() == listed.ids
    assert listed.calls == 60


@pytest.mark.parametrize("highest", [3_000, 10**12])
def test_a_search_that_is_wrong_about_the_highest_id_loses_nothing(highest: int) -> None:
    listed = Listed(list(range(1, 6001)))
    listed.found = {"total": 6000, "results": [{"id": str(highest)}]}
    assert listed.read() == listed.ids


@pytest.mark.parametrize("strict", ["refuse", "ignore"])
def test_a_list_that_takes_only_its_own_cursors_is_read_in_one_range(strict: str) -> None:
    listed = Listed(list(range(10, 60_010, 10)), strict=strict)
    assert listed.read() == listed.ids


def test_one_page_of_companies_costs_one_call_and_no_search() -> None:
    listed = Listed([3, 1, 2])
    listed.search_status = 400
    assert listed.read() == [1, 2, 3]
    assert listed.calls == 1


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_backfill_in_ranges_resumes_anywhere_and_finds_what_was_made_meanwhile(
    portal: Portal, inclusive: bool
) -> None:
    portal.simulator.admin("POST settings", list_after_inclusive=inclusive)
    ids = list(portal.create_many(5000))
    portal.advance(10)
    crm = connect(portal.simulator)
    pages = crm.pages(Query(stream=Stream.BACKFILL))
    first = next(pages)
    ids += portal.create_many(150)
    read = [*first.ids, *(id for page in pages for id in page.ids)]
    assert read == ids
    rest = crm.pages(Query(stream=Stream.SWEEP, position=Position(last_id=first.ids[-1])))
    assert [id for page in rest for id in page.ids] == ids[len(first.ids) :]
    crm.close()


class Count:
    """Numbers `[at, end)`, cut in halves while more than `least` are left."""

    def __init__(self, shared: Shared, at: int, end: int) -> None:
        self.ended = False
        self._shared, self._at, self._end = shared, at, end

    def ask(self) -> int:
        if self._at == 0:
            assert self._shared.full.wait(timeout=30)
        if self._at == self._shared.broken:
            raise UnavailableError(f"no {self._at}")
        return self._at

    def take(self, reply: int) -> int:
        self._at += 1
        self.ended = self._at >= self._end
        self._shared.made += 1
        held = self._shared.made - self._shared.consumed
        self._shared.most = max(self._shared.most, held)
        if held == self._shared.held:
            self._shared.full.set()
        return reply

    def fork(self) -> Count | None:
        middle = (self._at + self._end) // 2
        if middle - self._at < 4:
            return None
        latter = Count(self._shared, middle, self._end)
        self._end = middle
        return latter


class Shared:
    def __init__(self, held: int, broken: int = -1) -> None:
        self.full = threading.Event()
        self.made = self.consumed = self.most = 0
        self.held, self.broken = held, broken

    def consume(self, items: Iterator[int]) -> list[int]:
        found = []
        for item in items:
            self.consumed += 1
            found.append(item)
        return found


def test_chains_abreast_wait_for_the_first_with_no_more_than_they_may_hold() -> None:
    shared = Shared(held=20)
    items: Iterator[int] = abreast(Count(shared, 0, 400), chains=4, held=20, enough=5)
    assert shared.consume(items) == list(range(400))
    assert shared.full.is_set()
    assert shared.most <= 20 + 5 + 4


def test_an_error_of_a_later_chain_comes_after_everything_before_it() -> None:
    shared = Shared(held=20, broken=210)
    items: Iterator[int] = abreast(Count(shared, 0, 400), chains=4, held=20, enough=1000)
    assert [next(items) for _ in range(210)] == list(range(210))
    with pytest.raises(UnavailableError, match="no 210"):
        next(items)


def test_a_consumer_with_enough_to_do_has_nothing_read_further_ahead() -> None:
    shared = Shared(held=20)
    shared.full.set()
    items: Iterator[int] = abreast(Count(shared, 0, 10_000), chains=1, held=20, enough=5)
    assert shared.consume(items) == list(range(10_000))
    assert shared.most <= 5 + 2
    before = threading.active_count()
    left: Iterator[int] = abreast(Count(shared, 0, 10_000), chains=3, held=20, enough=5)
    assert next(left) == 0
    left.close()  # type: ignore[attr-defined]
    for thread in [t for t in threading.enumerate() if t.name == "read-ahead"]:
        thread.join(timeout=30)
    assert threading.active_count() <= before
