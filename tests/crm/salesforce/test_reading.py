"""Accounts read by retrieves: what is told of them, of their Opportunities, and of those nobody can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest
import structlog

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.columns import columns
from icp_sync.crm.salesforce.reads import discovery
from icp_sync.domain.facts import Members, number
from icp_sync.errors import IcpSyncError, RequestError, UnavailableError
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.observe import accounts_total
from icp_sync.ports import Position, Query, Stream
from tests.crm.contract import OWNED
from tests.crm.salesforce.reads import Reads, facts, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


def test_an_account_is_told_with_its_facts_owner_parent_and_our_values(reads: Reads) -> None:
    (parent,) = reads.create()
    owner = reads.roster.id(OWNED) or ""
    (id,) = reads.create(
        Name=" Acme Oy ",
        NumberOfEmployees="120",
        Type="Customer - Direct",
        ParentId=parent,
        OwnerId=owner,
        Tier__c="A",
        Score__c="72.50",
        Chosen__c=owner,
    )
    account = reads.one(id)
    assert (account.id, account.name, account.owner, account.parent) == (id, "Acme Oy", OWNED, parent)
    assert account.live == {"owner": OWNED, "tier": "A", "fit_score": "72.5", "routed_owner": OWNED}
    assert facts(account)["employees"] == number(120)
    assert facts(account)["account_type"] == Members(frozenset({"customer - direct"}), True)


def test_an_account_is_found_by_fifteen_characters_too(reads: Reads) -> None:
    (id,) = reads.create()
    assert reads.reader.fetch([id[:15], id]).ids == (id,)


def test_what_is_no_accounts_id_is_gone_and_nobody_is_asked(reads: Reads) -> None:
    assert reads.reader.fetch(["42", "005000000000001AAA", "x' OR Id != '"]).gone == {
        "42": "",
        "005000000000001AAA": "",
        "x' OR Id != '": "",
    }
    assert reads.asked("composite") == 0


def test_two_thousand_accounts_are_one_retrieve(reads: Reads) -> None:
    ids = reads.create(2_001)
    assert len(reads.reader.fetch(ids).accounts) == 2_001
    assert reads.asked("composite/sobjects/Account") == 2


@pytest.mark.parametrize(("seconds", "old"), [(0, False), (10, False), (895, False), (905, True)])
def test_a_stamp_has_whole_seconds_and_is_old_when_no_transaction_can_be_open(
    reads: Reads, seconds: float, old: bool
) -> None:
    (id,) = reads.create()
    reads.advance(seconds)
    reads.one(id)  # its reply tells what time it is
    account = reads.one(id)
    assert account.stamp % 1000 == 0
    assert account.stamp_is_old is old


# Those that cannot be read


def test_an_account_in_the_recycle_bin_is_gone_and_of_a_purged_one_nothing_is_said(reads: Reads) -> None:
    (id,) = reads.create()
    reads.admin("POST delete", id=id)
    assert reads.reader.fetch([id]).gone == {id: ""}
    reads.advance(16 * 86_400)
    page = reads.reader.fetch([id])
    assert (page.ids, page.gone) == ((), {})


def test_a_merge_whose_survivor_nobody_may_read_is_a_deletion(reads: Reads) -> None:
    loser, survivor = reads.create(2)
    reads.admin("POST merge", **{"from": loser, "into": survivor})
    reads.admin("POST fields", object="Account", hide=["MasterRecordId"])
    assert reads.reader.fetch([loser, survivor]).gone == {loser: ""}
    assert discovery.departed(reads.client, 0) == {loser: ""}


def test_the_survivor_of_many_merges_is_the_last_one_and_none_when_that_is_deleted(reads: Reads) -> None:
    ids = reads.create(4)
    for loser, survivor in pairwise(ids):
        reads.admin("POST merge", **{"from": loser, "into": survivor})
    assert reads.reader.fetch(ids[:1]).gone == {ids[0]: ids[3]}
    reads.admin("POST delete", id=ids[3])
    assert reads.reader.fetch(ids[:1]).gone == {ids[0]: ""}


def test_an_account_known_to_be_hidden_is_unreadable_and_not_deleted(reads: Reads) -> None:
    hidden, shown = reads.create(2)
    reads.admin("POST settings", hidden_access_told=True)
    reads.admin("POST access", hide=[hidden])
    with structlog.testing.capture_logs() as said:
        page = reads.reader.fetch([hidden, shown])
    assert page.ids == (shown,)
    assert page.gone == {}
    assert [entry["accounts"] for entry in said if "cannot be read" in entry["event"]] == [[hidden]]


def test_accounts_of_which_nothing_is_told_are_not_mourned_and_that_is_said_once(reads: Reads) -> None:
    *hidden, shown = reads.create(4)
    reads.admin("POST access", hide=hidden)
    before = accounts_total.labels("salesforce", "read", "unreadable")._value.get()
    with structlog.testing.capture_logs() as said:
        page = reads.reader.fetch([*hidden, shown])
    assert (page.ids, page.gone) == ((shown,), {})
    assert [entry["accounts"] for entry in said if "cannot be read" in entry["event"]] == [hidden]
    assert accounts_total.labels("salesforce", "read", "unreadable")._value.get() == before + 3
    reads.admin("POST access", show=hidden)
    assert list(reads.reader.fetch(hidden).ids) == hidden


@pytest.mark.parametrize("kind", ["query_timeout", "500", "401", "403", "404", "423", "request_limit"])
def test_a_question_about_access_that_fails_is_a_read_that_fails(reads: Reads, kind: str) -> None:
    hidden, shown = reads.create(2)
    reads.one(shown)
    reads.admin("POST settings", hidden_access_told=True)
    reads.admin("POST access", hide=[hidden])
    reads.fault(kind, "GET query$")
    with pytest.raises(IcpSyncError):
        reads.reader.fetch([hidden])


@pytest.mark.parametrize("told", [True, False])
def test_the_fate_of_accounts_is_one_of_three(reads: Reads, told: bool) -> None:
    deleted, hidden, purged = reads.create(3)
    reads.admin("POST delete", id=purged)
    reads.advance(16 * 86_400)
    reads.admin("POST delete", id=deleted)
    reads.admin("POST settings", hidden_access_told=told)
    reads.admin("POST access", hide=[hidden])
    fate = discovery.fate(reads.client, [deleted, hidden, purged])
    assert fate.gone == {deleted: ""}
    assert (fate.hidden, fate.untold) == (((hidden,), (purged,)) if told else ((), (hidden, purged)))


# Opportunities


def test_open_and_won_opportunities_are_counted(reads: Reads) -> None:
    first, second, third = reads.create(3)
    reads.sell(first, count=2)
    reads.sell(first, "Closed Won")
    reads.sell(second, "Closed Lost")
    accounts = reads.reader.fetch([first, second, third]).accounts
    told = {a.id: (facts(a)["open_deals"], facts(a)["won_deals"]) for a in accounts}
    assert told == {
        first: (number(2), number(1)),
        second: (number(0), number(0)),
        third: (number(0), number(0)),
    }


def test_a_deleted_opportunity_does_not_count(reads: Reads) -> None:
    (id,) = reads.create()
    (sale,) = reads.sell(id)
    reads.admin("POST delete", type="opportunities", id=sale)
    assert facts(reads.one(id))["open_deals"] == number(0)


def test_opportunities_of_many_accounts_are_asked_for_400_at_a_time(reads: Reads) -> None:
    ids = reads.create(801)
    reads.sell(ids[-1])
    reads.roster.owners()
    asked = reads.asked("GET /services/data/v66.0/query")
    accounts = reads.reader.fetch(ids).accounts
    assert facts(accounts[-1])["open_deals"] == number(1)
    assert reads.asked("GET /services/data/v66.0/query") == asked + 3


def test_opportunities_that_are_hidden_leave_their_number_unknown_and_are_asked_for_again_later(
    reads: Reads,
) -> None:
    (id,) = reads.create()
    reads.sell(id)
    reads.admin("POST fields", object="Opportunity", hide=["IsClosed"])
    assert "open_deals" not in facts(reads.one(id))
    reads.admin("POST fields", object="Opportunity", show=["IsClosed"])
    no = [{"errorCode": "INVALID_TYPE", "message": "sObject type 'Opportunity' is not supported."}]
    reads.opportunities.told(RequestError("no", status=400, body=no))
    assert reads.opportunities.tally([id]) is None
    reads.monotonic += 901
    found = reads.opportunities.tally([id])
    assert found is not None
    assert found[id].open == 1


def test_a_map_that_asks_for_no_opportunities_sends_no_query_for_them() -> None:
    names = FactsMap([FactSource(property="Name", fact="name", kind=Kind.TEXT)])
    with reading(facts=names) as reads:
        (id,) = reads.create()
        start = reads.position()
        reads.sell(id)
        reads.advance(10)
        assert reads.run(Stream.POLL, start) == [id]  # the account itself is new
        assert not any("Opportunity" in str(one) for one in reads.simulator.org.requests)


def test_a_changed_opportunity_puts_its_account_into_poll_and_trailing(reads: Reads) -> None:
    quiet, busy = reads.create(2)
    reads.advance(7_200)
    poll, trailing = reads.position(Stream.POLL), reads.position(Stream.TRAILING)
    reads.sell(busy)
    reads.advance(10)
    assert reads.run(Stream.POLL, poll) == [busy]
    reads.advance(3_600)
    assert reads.run(Stream.TRAILING, trailing) == [busy]
    assert quiet != busy


def test_a_deleted_opportunity_puts_its_account_into_the_window(reads: Reads) -> None:
    (id,) = reads.create()
    (sale,) = reads.sell(id)
    reads.advance(7_200)
    start = reads.position()
    reads.admin("POST delete", type="opportunities", id=sale)
    reads.advance(10)
    assert reads.run(Stream.POLL, start) == [id]


def test_an_account_settled_with_its_opportunities_is_spared_by_every_stream(reads: Reads) -> None:
    ids = reads.create(30)
    start = reads.position()
    reads.advance(5)
    for id in ids[::3]:
        reads.sell(id)
    reads.advance(10)
    settled = {a.id: a.stamp for page in reads.pages(Stream.POLL, start) for a in page.accounts}
    assert len(settled) == 30

    def seen(stamps: Mapping[str, int]) -> set[str]:
        return {id for id, stamp in stamps.items() if settled.get(id) == stamp}

    for stream in (Stream.POLL, Stream.SWEEP, Stream.BACKFILL):
        position = start if stream is Stream.POLL else Position()
        pages = reads.pages(stream, position, seen)
        assert sum(page.skipped for page in pages) == 30
        assert not any(page.ids for page in pages)
    reads.sell(ids[0])
    assert [id for page in reads.pages(Stream.SWEEP, seen=seen) for id in page.ids] == [ids[0]]


# What goes wrong


@pytest.mark.parametrize("kind", ["html_200", "503", "query_timeout", "maintenance", "401_session"])
@pytest.mark.parametrize("match", ["GET query", "composite/sobjects/Account", "describe"])
def test_a_read_that_fails_is_one_of_our_errors_and_works_when_the_org_does(
    reads: Reads, match: str, kind: str
) -> None:
    (id,) = reads.create()
    reads.fault(kind, match, nth=1)
    with pytest.raises(IcpSyncError):
        reads.one(id)
    reads.admin("DELETE faults")
    if kind == "401_session":
        reads.admin("POST tokens", token=reads.simulator.token, expired=False)
    assert reads.one(id).id == id


@pytest.mark.parametrize("kind", ["html_200", "503", "query_timeout", "maintenance"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_stream_that_fails_goes_on_from_the_last_page(reads: Reads, kind: str, nth: int) -> None:
    ids = reads.create(2_050)
    reads.fault(kind, "GET query", nth=nth)
    read: list[str] = []
    position = Position()
    failed = False
    try:
        for page in reads.reader.pages(Query(stream=Stream.SWEEP)):
            read += page.ids
            position = page.position
    except IcpSyncError:
        failed = True
    assert failed
    reads.admin("DELETE faults")
    assert read + reads.run(Stream.SWEEP, position) == ids


def test_an_org_that_cannot_be_asked_about_access_is_read_all_the_same(reads: Reads) -> None:
    kept, deleted, purged = reads.create(3)
    reads.admin("POST delete", id=purged)
    reads.advance(16 * 86_400)
    reads.admin("POST delete", id=deleted)
    reads.fault("403", "userinfo", nth=1)
    page = reads.reader.fetch([kept, deleted, purged])
    assert (page.ids, page.gone) == ((kept,), {deleted: ""})


@pytest.mark.parametrize("code", ["INVALID_TYPE", "INVALID_FIELD", "INSUFFICIENT_ACCESS_OR_READONLY"])
def test_a_missing_right_hides_opportunities_and_nothing_else(reads: Reads, code: str) -> None:
    error = RequestError("no", status=400, body=[{"errorCode": code, "message": "no"}])
    reads.opportunities.told(error)
    assert not reads.opportunities.readable


FAILURES = ["401", "403", "404", "409", "error_200", "500", "html_200", "query_timeout", "invalid_locator"]


@pytest.mark.parametrize("kind", FAILURES)
def test_no_failure_of_a_query_makes_deals_unknown(reads: Reads, kind: str) -> None:
    (id,) = reads.create()
    reads.sell(id)
    reads.one(id)
    how = {} if kind == "401" else {"nth": 1}
    reads.fault(kind, "GET query", **how)
    with pytest.raises(IcpSyncError):
        reads.one(id)
    reads.admin("DELETE faults")
    assert facts(reads.one(id))["open_deals"] == number(1)


def test_a_refusal_that_is_no_matter_of_rights_abandons_the_cycle(reads: Reads) -> None:
    for body in ([{"errorCode": "NOT_FOUND", "message": "no"}], "<html>", [], None):
        with pytest.raises(UnavailableError):
            reads.opportunities.told(RequestError("no", status=404, body=body))
    assert reads.opportunities.readable


# What is long


def test_reads_and_pages_are_smaller_where_texts_may_be_long() -> None:
    named = FactsMap([FactSource(property="Description", fact="name", kind=Kind.TEXT)])
    with reading(facts=named, page_size=1_000, bulk_from=1_000) as reads:
        ids = reads.create(510, Description="d")
        pages = reads.pages(Stream.BACKFILL)
        assert [len(page.ids) for page in pages] == [250, 250, 10]
        assert reads.asked("POST /services/data/v66.0/composite/sobjects/Account") == 3
        assert list(reads.reader.fetch(ids).ids) == ids
        assert reads.asked("POST /services/data/v66.0/composite/sobjects/Account") == 6
    with reading(facts=named, page_size=1_000, bulk_from=0) as reads:
        reads.create(510, Description="d")
        assert [len(page.ids) for page in reads.pages(Stream.BACKFILL)] == [250, 250, 10]


def test_our_own_texts_are_short_however_long_their_fields_are(reads: Reads) -> None:
    reads.admin("POST fields", define=[{"name": "Why__c", "type": "textarea", "length": 32_768}])
    catalogue = Catalogue(reads.client, {"reasons": "Why__c"}, name="test")
    assert "Why__c" in columns(catalogue, ()).names
    assert columns(catalogue, ()).long == 0
    assert columns(catalogue, ["Why__c"]).long == 0
    assert columns(catalogue, ["Description"]).long == 32_000
