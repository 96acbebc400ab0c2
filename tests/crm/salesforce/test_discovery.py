"""Which accounts there are: in order, each once, whatever the server's pages, ties and late commits are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.utils import formatdate, parsedate_to_datetime
from itertools import count
from typing import Any, cast

import pytest
import requests

from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.reads import discovery
from icp_sync.domain.account import Account
from icp_sync.domain.facts import number
from icp_sync.errors import UnavailableError
from icp_sync.ports import Crm, Seen, Stream
from tests.crm.contract import Consumer
from tests.crm.salesforce.reads import Reads, facts, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading(page_size=1_000) as found:
        yield found


def consumer_of(reads: Reads) -> Consumer:
    return Consumer(cast(Crm, reads.reader))  # it reads, and nothing else is asked of it


def settled(accounts: Iterable[Account]) -> Seen:
    stamps = {account.id: account.stamp for account in accounts}
    return lambda asked: {id for id, stamp in asked.items() if stamps.get(id) == stamp}


def statements(reads: Reads) -> list[str]:
    return [str(one.get("q") or one) for one in reads.simulator.org.requests]


def test_a_window_is_asked_for_in_whole_seconds_with_both_its_ends() -> None:
    asked = soql.between("SystemModstamp", 1_795_302_000_125, 1_795_302_059_999)
    assert asked == "SystemModstamp >= 2026-11-21T23:00:00Z AND SystemModstamp <= 2026-11-21T23:00:59Z"


def test_a_change_in_the_second_in_which_a_window_ends_is_in_that_one_or_in_the_next(reads: Reads) -> None:
    reads.advance(0.3)
    start = reads.position()
    reads.advance(0.4)
    (id,) = reads.create()
    first = reads.pages(Stream.POLL, start)
    reads.advance(300)
    second = reads.pages(Stream.POLL, first[-1].position)
    assert id in {i for page in (*first, *second) for i in page.ids}


@pytest.mark.parametrize("size", [300, 1_999])
def test_the_servers_own_page_size_changes_nothing(reads: Reads, size: int) -> None:
    start = reads.position()
    ids = reads.create(2_100)
    reads.advance(10)
    reads.admin("POST settings", page_size=size)
    assert reads.run(Stream.POLL, start) == ids
    assert reads.run(Stream.SWEEP) == ids


def test_thousands_of_accounts_of_one_second_are_all_found_once(reads: Reads) -> None:
    start = reads.position()
    ids = reads.create(5_000)
    reads.advance(10)
    found = list(discovery.walk(reads.client, [], ""))
    assert [id for part in found for id in part.stamps] == ids
    assert {stamp for part in found for stamp in part.stamps.values()} == {found[0].stamps[ids[0]]}
    spared = reads.pages(Stream.POLL, start, seen=lambda stamps: set(stamps))
    assert sum(page.skipped for page in spared) == 5_000


def test_accounts_touched_between_others_come_in_their_place(reads: Reads) -> None:
    ids = reads.create(2_500)
    reads.advance(7_200)
    start = reads.position()
    reads.admin("POST bump", ids=ids[1_000:2_200])
    for id in (ids[0], ids[999], ids[2_000], ids[2_499]):
        reads.sell(id)
    reads.advance(10)
    found = reads.run(Stream.POLL, start)
    assert found == [ids[0], ids[999], *ids[1_000:2_200], ids[2_499]]


def test_more_opportunities_than_one_answer_holds_still_find_every_account(reads: Reads) -> None:
    ids = reads.create(2_020)
    reads.advance(7_200)
    start = reads.position()
    for id in ids:
        reads.sell(id)
    reads.advance(10)
    assert reads.run(Stream.POLL, start) == ids


def test_a_commit_that_is_ten_minutes_late_is_found_by_the_trailing_pass(reads: Reads) -> None:
    poll, trailing = reads.position(), reads.position(Stream.TRAILING)
    (id,) = reads.create(late=600)
    for _ in range(4):
        reads.advance(200)
        pages = reads.pages(Stream.POLL, poll)
        poll = pages[-1].position
        assert not any(page.ids for page in pages)
    reads.advance(3_600)
    assert reads.run(Stream.TRAILING, trailing) == [id]


def test_an_opportunity_committed_late_is_found_by_the_trailing_pass(reads: Reads) -> None:
    (id,) = reads.create()
    reads.advance(7_200)
    trailing = reads.position(Stream.TRAILING)
    held = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-01"}
    reads.admin("POST create", type="opportunities", account=id, properties=held, visible_late=600)
    reads.advance(4_000)
    assert reads.run(Stream.TRAILING, trailing) == [id]


@pytest.mark.parametrize("other", ["account", "deal"])
def test_a_late_commit_behind_a_newer_stamp_is_found_by_the_trailing_pass(reads: Reads, other: str) -> None:
    (id,) = reads.create()
    first, second = reads.sell(id, count=2)
    reads.advance(7_200)
    trailing = reads.position(Stream.TRAILING)
    reads.advance(7_200)
    reads.admin(
        "POST edit",
        type="opportunities",
        id=first,
        properties={"StageName": "Closed Won"},
        visible_late=1_500,
    )
    reads.advance(5)
    if other == "deal":
        reads.admin("POST edit", type="opportunities", id=second, properties={"Name": "x"})
    else:
        reads.edit(id, Name="x")
    reads.advance(1_000)
    reads.one(id)  # its reply tells what time it is
    early = reads.one(id)
    assert (early.stamp_is_old, facts(early)["won_deals"]) == (True, number(0))
    reads.advance(4_000)
    reads.one(id)
    (page,) = reads.pages(Stream.TRAILING, trailing, seen=settled([early]))
    assert [facts(account)["won_deals"] for account in page.accounts] == [number(1)]


def test_an_account_committed_late_behind_a_newer_deal_is_found_by_the_trailing_pass(reads: Reads) -> None:
    (id,) = reads.create()
    reads.advance(7_200)
    trailing = reads.position(Stream.TRAILING)
    reads.advance(7_200)
    reads.admin("POST edit", id=id, properties={"Name": "Changed"}, visible_late=1_500)
    reads.advance(5)
    reads.sell(id)
    reads.advance(1_000)
    reads.one(id)
    early = reads.one(id)
    assert (early.stamp_is_old, early.name) == (True, "Acme")
    reads.advance(4_000)
    reads.one(id)
    (page,) = reads.pages(Stream.TRAILING, trailing, seen=settled([early]))
    assert [account.name for account in page.accounts] == ["Changed"]


def test_a_late_commit_in_the_second_of_another_is_found_by_the_trailing_pass(reads: Reads) -> None:
    (id,) = reads.create()
    reads.advance(7_200)
    consumer = consumer_of(reads)
    for stream in (Stream.POLL, Stream.TRAILING):
        consumer.run(stream)
    reads.edit(id, Name="by a person")
    reads.advance(0.2)
    reads.admin("POST edit", id=id, properties={"Name": "by a slow automation"}, visible_late=600)
    reads.advance(4)
    reads.one(id)
    assert consumer.run(Stream.POLL) == [id]
    reads.advance(4_600)
    reads.one(id)
    assert consumer.run(Stream.TRAILING) == [id]
    assert reads.one(id).name == "by a slow automation"


def test_a_change_is_read_three_times_by_the_poll_and_once_by_the_trailing_pass(reads: Reads) -> None:
    (id,) = reads.create()
    reads.advance(7_200)
    consumer = consumer_of(reads)
    consumer.run(Stream.POLL)
    consumer.run(Stream.TRAILING)
    reads.advance(30)
    reads.edit(id, Name="x")
    reads.sell(id)
    polled, trailed = [], []
    for seconds in (30, *[60] * 75):  # a poll every minute
        reads.advance(seconds)
        polled += consumer.run(Stream.POLL)
        trailed += consumer.run(Stream.TRAILING)
    assert (polled, trailed) == ([id] * 3, [id])
    assert consumer.run(Stream.SWEEP) == []


# A clock that was wrong


@pytest.fixture
def dated(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From now on the so-manieth reply says that it is two days later."""

    def wrong(nth: int) -> None:
        request, replies = requests.Session.request, count(1)

        def told(session: requests.Session, *args: Any, **how: Any) -> requests.Response:
            reply = request(session, *args, **how)
            if next(replies) == nth:
                then = parsedate_to_datetime(reply.headers["Date"]).timestamp() + 2 * 86_400
                reply.headers["Date"] = formatdate(then, usegmt=True)
            return reply

        monkeypatch.setattr(requests.Session, "request", told)

    return wrong


@pytest.mark.parametrize("stream", [Stream.POLL, Stream.TRAILING])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_one_wrong_date_costs_no_later_change(
    reads: Reads, dated: Callable[[int], None], stream: Stream, nth: int
) -> None:
    (id,) = reads.create()
    consumer = consumer_of(reads)
    consumer.run(stream)
    reads.advance(60)
    reads.one(id)
    dated(nth)
    with suppress(UnavailableError):
        consumer.run(stream)
    with suppress(UnavailableError):
        consumer.run(stream)
    reads.advance(60)
    reads.edit(id, Name="new")
    reads.advance(30 if stream is Stream.POLL else 3_700)
    reads.one(id)
    consumer.live.clear()
    assert id in consumer.run(stream)


def test_what_is_hidden_from_us_is_in_no_stream(reads: Reads) -> None:
    ids = reads.create(5)
    reads.admin("POST access", hide=[ids[2]])
    assert reads.run(Stream.SWEEP) == [id for id in ids if id != ids[2]]


def test_departures_are_walked_by_id_beyond_one_answer(reads: Reads) -> None:
    ids = reads.create(2_100)
    for id in ids[:2_050]:
        reads.admin("POST delete", id=id)
    reads.admin("POST merge", **{"from": ids[2_060], "into": ids[2_070]})
    gone = discovery.departed(reads.client, 0)
    assert gone == {**dict.fromkeys(ids[:2_050], ""), ids[2_060]: ids[2_070]}


def test_no_statement_uses_offset(reads: Reads) -> None:
    reads.create(3)
    reads.run(Stream.SWEEP)
    assert not any(re.search(r"\bOFFSET\b", one, re.IGNORECASE) for one in statements(reads))
