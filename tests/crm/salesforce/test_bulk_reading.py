"""A backfill by one bulk query: nothing cut short counts, nothing stale is handed out, nothing stays open."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import pytest

from icp_sync.crm.salesforce.columns import columns
from icp_sync.crm.salesforce.ids import numbered
from icp_sync.crm.salesforce.reads.bulk_reading import Bulk
from icp_sync.crm.salesforce.reads.snapshot import CutShortError, Snapshot, rows_of
from icp_sync.domain.account import Account
from icp_sync.domain.facts import number
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.ports import Position, Query, Stream
from icp_sync.simulator.salesforce.bulk_query import JOBS
from tests.crm.salesforce.reads import Reads, facts, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading(bulk_from=0) as found:
        yield found


def jobs(reads: Reads) -> int:
    return len(JOBS.of(reads.simulator.org).by_id)


AWKWARD = 'line one\nline "two", with a comma\r\nÅland 😀; end'


def test_a_backfill_by_bulk_query_tells_what_retrieves_tell(reads: Reads) -> None:
    ids = reads.create(
        5,
        Description=AWKWARD,
        Website="acme.example",
        AnnualRevenue="12345678901",
        NumberOfEmployees="7",
        Tier__c="Not ICP",
        Score__c="72.50",
    )
    reads.create(40)
    reads.sell(ids[1], count=3)
    reads.sell(ids[2], "Closed Won")
    (page, *_) = reads.pages(Stream.BACKFILL)
    retrieved = reads.reader.fetch(page.ids)

    def told(accounts: Iterable[Account]) -> list[object]:
        return [
            (a.id, a.name, a.owner, a.parent, a.live, a.stamp, {s.fact: (s.value, s.raw) for s in a.signals})
            for a in accounts
        ]

    assert told(page.accounts) == told(retrieved.accounts)
    assert facts(page.accounts[1])["open_deals"] == number(3)


def test_rows_in_no_order_and_pages_of_any_size_come_in_order_of_id_each_once(reads: Reads) -> None:
    ids = reads.create(2_100)
    reads.admin("POST settings", bulk_page=300)
    pages = reads.pages(Stream.BACKFILL)
    assert [id for page in pages for id in page.ids] == ids
    assert pages[-1].position.finished
    assert jobs(reads) == 0
    assert reads.asked("composite") == 0


def test_an_interrupted_backfill_begins_where_it_was_with_a_new_job(reads: Reads) -> None:
    ids = reads.create(100)
    pages = reads.reader.pages(Query(stream=Stream.BACKFILL))
    first, second = next(pages), next(pages)
    pages.close()
    assert jobs(reads) == 0
    rest = reads.run(Stream.BACKFILL, second.position)
    assert [*first.ids, *second.ids, *rest] == ids


def test_a_small_org_is_read_without_a_job_and_a_large_one_with_one() -> None:
    with reading(bulk_from=50) as reads:
        reads.create(49)
        assert len(reads.run(Stream.BACKFILL)) == 49
        assert reads.asked("jobs/query") == 0
        reads.create()
        assert len(reads.run(Stream.BACKFILL)) == 50
        assert reads.asked("POST /services/data/v66.0/jobs/query") == 2


def test_a_sweep_reads_what_it_hands_out_by_itself(reads: Reads) -> None:
    ids = reads.create(30)
    settled = {a.id: a.stamp for a in reads.reader.fetch(ids[:29]).accounts}
    asked = reads.asked("composite")
    pages = reads.pages(
        Stream.SWEEP, seen=lambda stamps: {id for id in stamps if settled.get(id) == stamps[id]}
    )
    assert [id for page in pages for id in page.ids] == ids[29:]
    assert sum(page.skipped for page in pages) == 29
    assert reads.asked("composite") == asked + 1


# Changes since the snapshot


def test_what_changed_since_an_old_snapshot_is_read_anew(reads: Reads) -> None:
    ids = reads.create(60)
    pages = reads.reader.pages(Query(stream=Stream.BACKFILL))
    read = [next(pages)]
    reads.advance(100)
    reads.roster.owners()
    reads.edit(ids[50], Name="Renamed")
    reads.sell(ids[51])
    reads.admin("POST delete", id=ids[52])
    reads.admin("POST merge", **{"from": ids[53], "into": ids[54]})
    reads.one(ids[0])  # its reply tells what time it is
    read += list(pages)
    accounts = {account.id: account for page in read for account in page.accounts}
    gone = {id: survivor for page in read for id, survivor in page.gone.items()}
    assert accounts[ids[50]].name == "Renamed"
    assert facts(accounts[ids[51]])["open_deals"] == number(1)
    assert gone == {ids[52]: "", ids[53]: ids[54]}
    assert sorted([*accounts, *gone]) == ids
    assert accounts[ids[50]].read_at > accounts[ids[49]].read_at


def test_a_fresh_snapshot_is_taken_as_it_is(reads: Reads) -> None:
    reads.create(60)
    reads.run(Stream.BACKFILL)
    assert reads.asked("composite") == 0


def test_an_account_of_a_snapshot_is_as_old_as_its_job(reads: Reads) -> None:
    reads.create()
    ((account,),) = [page.accounts for page in reads.pages(Stream.BACKFILL)]
    assert not account.stamp_is_old


# What goes wrong


@pytest.mark.parametrize("nth", [1, 2])
def test_a_page_that_is_cut_short_is_asked_for_again(reads: Reads, nth: int) -> None:
    ids = reads.create(50, Description=AWKWARD)
    reads.sell(ids[0], count=3)
    reads.fault("short_csv", "results", nth=nth)
    (first, *rest) = reads.pages(Stream.BACKFILL)
    assert [id for page in (first, *rest) for id in page.ids] == ids
    assert facts(first.accounts[0])["open_deals"] == number(3)
    assert jobs(reads) == 0


@pytest.mark.parametrize("kind", ["truncated", "reset", "503", "html_200", "query_timeout", "404"])
@pytest.mark.parametrize("match", ["results", "POST jobs/query", "GET jobs/query"])
def test_a_job_that_fails_is_begun_anew_by_the_next_read(reads: Reads, match: str, kind: str) -> None:
    ids = reads.create(50)
    reads.fault(kind, match, nth=1)
    with pytest.raises((UnavailableError, RequestError)):
        reads.run(Stream.BACKFILL)
    assert reads.run(Stream.BACKFILL) == ids
    assert jobs(reads) <= 1


def test_a_page_that_is_always_cut_short_is_given_up_and_no_row_of_it_counts(reads: Reads) -> None:
    reads.create(50)
    reads.fault("short_csv", "results")
    with pytest.raises(UnavailableError, match="cut short"):
        reads.run(Stream.BACKFILL)
    assert jobs(reads) == 0


def test_a_job_that_is_at_work_is_waited_for_and_one_that_stands_still_is_given_up(reads: Reads) -> None:
    reads.create(3)
    reads.admin("POST settings", bulk_seconds=100.0)
    now = iter(range(0, 1_000_000, 2_000))
    bulk = Bulk(reads.client, reads.catalogue, reads.opportunities, clock=lambda: next(now))
    with pytest.raises(UnavailableError, match="stands still"):
        list(bulk.everything(lambda: columns(reads.catalogue, ()), ""))
    assert jobs(reads) == 0


def test_a_field_hidden_since_it_was_described_costs_only_itself(reads: Reads) -> None:
    (id,) = reads.create(NumberOfEmployees="7", BillingCity="Oslo")
    reads.one(id)
    reads.admin("POST fields", hide=["NumberOfEmployees"])
    ((account,),) = [page.accounts for page in reads.pages(Stream.BACKFILL)]
    assert facts(account).keys() & {"employees", "city"} == {"city"}


def test_opportunities_that_cannot_be_queried_leave_their_number_unknown(reads: Reads) -> None:
    reads.create()
    reads.admin("POST fields", object="Opportunity", hide=["IsWon"])
    ((account,),) = [page.accounts for page in reads.pages(Stream.BACKFILL)]
    assert "open_deals" not in facts(account)


def test_an_empty_org_is_read_to_its_end(reads: Reads) -> None:
    (page,) = reads.pages(Stream.BACKFILL)
    assert (page.ids, page.position) == ((), Position(finished=True))


Told = Callable[[dict[str, str], BinaryIO], None]


@pytest.fixture
def retold(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> Callable[[Told], None]:
    """What is done to the headers and the text of every result on its way to us."""
    download = reads.client.download

    def retell(told: Told) -> None:
        def changed(path: str, *, params: object = None, into: BinaryIO) -> Mapping[str, str]:
            headers = dict(download(path, params=params, into=into))
            told(headers, into)
            return headers

        monkeypatch.setattr(reads.client, "download", changed)

    return retell


def test_a_job_of_which_only_a_part_arrives_is_no_job(reads: Reads, retold: Callable[[Told], None]) -> None:
    ids = reads.create(100)
    reads.admin("POST settings", bulk_page=40)
    retold(lambda headers, _: headers.update({"Sforce-Locator": "null"}))
    with pytest.raises(UnavailableError, match="40 rows, its job had 100"):
        reads.run(Stream.BACKFILL)
    retold(lambda headers, _: None)
    assert jobs(reads) == 0
    assert len(ids) == 100


def test_pages_that_do_not_say_how_long_they_are_count_against_their_job(
    reads: Reads, retold: Callable[[Told], None]
) -> None:
    ids = reads.create(30)
    halve = [False]

    def tell(headers: dict[str, str], into: BinaryIO) -> None:
        headers.pop("Sforce-NumberOfRecords")
        if halve[0]:
            into.seek(0)
            lines = into.read().splitlines(keepends=True)
            into.seek(0)
            into.truncate()
            into.write(b"".join(lines[: len(lines) // 2]))

    retold(tell)
    assert reads.run(Stream.BACKFILL) == ids
    halve[0] = True
    with pytest.raises(UnavailableError, match="its job had 30"):
        reads.run(Stream.BACKFILL)


def test_rows_nobody_counted_do_not_count(
    reads: Reads, retold: Callable[[Told], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = reads.create(30)
    job = reads.client.job
    monkeypatch.setattr(reads.client, "job", lambda kind, id: {"state": job(kind, id)["state"]})
    assert reads.run(Stream.BACKFILL) == ids, "its pages were counted"
    retold(lambda headers, _: headers.update({"Sforce-NumberOfRecords": ""}))
    with pytest.raises(UnavailableError, match="how many rows"):
        reads.run(Stream.BACKFILL)


def test_an_announced_nothing_is_an_empty_page(reads: Reads, retold: Callable[[Told], None]) -> None:
    ids = reads.create(3)

    def tell(headers: dict[str, str], into: BinaryIO) -> None:
        if headers["Sforce-NumberOfRecords"] == "0":
            into.seek(0)
            into.truncate()

    retold(tell)
    assert reads.run(Stream.BACKFILL) == ids


def test_a_tally_that_is_lost_abandons_the_read(reads: Reads, retold: Callable[[Told], None]) -> None:
    reads.create(3)
    reads.fault("404", "results", nth=2)
    with pytest.raises(UnavailableError, match="Opportunities"):
        reads.run(Stream.BACKFILL)
    assert reads.opportunities.readable


# The snapshot itself

HEAD = b'"Id","Name"\n'
ID = numbered("001", 7)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        HEAD + f'"{ID}"\n'.encode(),
        HEAD + f'"{ID}","a","b"\n'.encode(),
        HEAD + f'"{ID}","never ends'.encode(),
        HEAD + f'"{ID}","\xc3'.encode("latin-1"),
    ],
)
def test_a_page_that_is_not_whole_is_found_out(page: bytes) -> None:
    with pytest.raises(CutShortError):
        list(rows_of(io.BytesIO(page), ("Id", "Name")))


def test_other_columns_than_were_asked_for_are_refused() -> None:
    with pytest.raises(UnavailableError, match="other columns"):
        list(rows_of(io.BytesIO(b'"Id","Title"\n'), ("Id", "Name")))


def test_a_field_longer_than_csv_takes_by_itself_is_read() -> None:
    text = "x" * 200_000
    assert list(rows_of(io.BytesIO(HEAD + f'"{ID}","{text}"\n'.encode()), ("Id", "Name"))) == [[ID, text]]


def test_of_a_page_that_fails_nothing_is_kept(tmp_path: Path) -> None:
    store = Snapshot(tmp_path)
    with store.whole():
        assert store.add([(ID, "a")]) == 1
    with pytest.raises(CutShortError), store.whole():
        store.add([(numbered("001", 8), "b"), ("no id", "c")])
    assert [[id for id, _, _ in part] for part in store.parts("")] == [[ID]]
    store.close()


def test_a_page_that_comes_twice_counts_accounts_once(tmp_path: Path) -> None:
    store = Snapshot(tmp_path)
    for name in ("a", "b"):
        with store.whole():
            assert store.add([(ID, name)]) == 1
    (part,) = store.parts("")
    assert [(id, row) for id, row, _ in part] == [(ID, [ID, "b"])]
    assert list(store.parts(ID)) == []
    store.close()
