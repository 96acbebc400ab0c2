"""What every CRM adapter must do, whoever the vendor: subclass `CrmContract`, give it a `world`, done.

A `World` is the CRM's other side: people and processes that change records, and its clock. Records are
made late, merged and broken through it; everything is then observed through the port alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Protocol

import pytest

from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.views import VIEWS
from icp_sync.errors import AuthError, ConfigError, IcpSyncError, UnavailableError
from icp_sync.ports import (
    Blueprint,
    Crm,
    CrmField,
    Editor,
    FieldKind,
    Page,
    Position,
    Query,
    StepKind,
    Stream,
    nothing_seen,
)

OVERLAP, LAG = 120.0, 3600.0
"""What a world's adapter is configured with, seconds."""

OWNED = "amara.okafor@sales.example"
"""An active owner in every world."""

OURS = {name: f"icp_{name}" for name, known in FIELDS.items() if not known.native}


def blueprint(*flags: str, fields: Mapping[str, str] = OURS) -> Blueprint:
    return Blueprint(
        group="icp_sync",
        group_label="ICP",
        fields=fields,
        options={"flags": tuple((flag, flag.title()) for flag in flags)},
    )


STANDARD = blueprint("agency", "b2c")


class World(Protocol):
    """One CRM with our fields provisioned, no accounts, small pages, and a clock that only `advance` moves.

    `late`: seconds, on top of the index's own lag, until poll and trailing reads can find the change.
    archives: whether the CRM keeps fields it no longer uses. editors: the kinds of editors it can tell apart.
    """

    crm: Crm
    page_size: int
    archives: bool
    editors: frozenset[Editor]

    def advance(self, seconds: float) -> None: ...
    def create(self, name: str = "Acme", *, late: float = 0.0) -> str: ...
    def create_many(self, count: int) -> Sequence[str]:
        """Records that share one stamp, as a mass import makes them."""

    def edit(self, id: str, *, late: float = 0.0, **fields: str) -> None: ...
    def edit_as(self, id: str, by: Editor, **fields: str) -> None:
        """Somebody, or something, of a kind the CRM can tell changes fields of ours."""

    def touch(self, id: str) -> None:
        """A change that moves the stamp, of no field of ours."""

    def delete(self, id: str) -> None: ...
    def merge(self, loser: str, survivor: str) -> None: ...
    def put_under(self, id: str, parent: str) -> None:
        """The account belongs to another one from now on."""

    def add_contact(self, id: str, title: str = "") -> str: ...
    def drop_contact(self, contact: str) -> None: ...
    def add_deal(
        self, account: str, *, won: bool | None = None, amount: float | None = None, name: str = "A sale"
    ) -> str:
        """A deal with an account, or with none (""): won, lost, or open where `won` is None."""

    def add_deals(self, account: str, count: int) -> Sequence[str]:
        """Open deals that share one stamp; their ids in order."""

    def win_deal(self, deal: str) -> None: ...
    def drop_deal(self, deal: str) -> None: ...
    def forbid_deals(self) -> str:
        """From now on we may not read deals; what an error must name for an admin to put it right."""

    def blueprint(self, *flags: str) -> Blueprint:
        """All of our fields, under the names they have here."""

    def define(
        self,
        name: str,
        label: str,
        kind: FieldKind = FieldKind.TEXT,
        options: tuple[str, ...] = (),
        *,
        archived: bool = False,
    ) -> CrmField:
        """The CRM has such a field of its own from now on, or has it archived; returned as it tells of it."""

    def type_in(self, id: str, field: CrmField, value: str) -> None:
        """Somebody fills in a field of the CRM's own."""

    def break_reads(self, after: int) -> None:
        """From the so-manieth further read on, none is answered until `mend`."""

    def mend(self) -> None: ...
    def lose_next_reply(self) -> None:
        """The next write is carried out and its reply lost."""

    def depend(self, field: str) -> str:
        """Something in the CRM (a list, a report) uses a field of ours from now on; its name."""

    def take_away(self, field: str) -> None:
        """An admin removes a field of ours while we run."""

    def drop_option(self, field: str, option: str) -> None:
        """An admin removes one of a field's options while we run."""

    def give_back(self, field: str) -> None:
        """What an admin has taken away of a field is there again."""

    def grow_old(self) -> None:
        """So much time passes that what was read of the CRM's fields is read anew."""

    def bare(self) -> Crm:
        """Another CRM of the kind, none of our fields in it."""


@dataclass
class Consumer:
    """Reads streams as the story does: positions only from consumed pages, seen only when old enough."""

    crm: Crm
    positions: dict[Stream, Position] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    live: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def seen(self, stamps: Mapping[str, int]) -> set[str]:
        return {id for id, stamp in stamps.items() if self.settled.get(id) == stamp}

    def run(self, stream: Stream, limit: int | None = None) -> list[str]:
        """Consume a stream from where it stands; the ids read, in order."""
        read = []
        position = self.positions.get(stream, Position())
        query = Query(stream=stream, position=position, limit=limit, seen=self.seen)
        for page in self.crm.pages(query):
            read.extend(page.ids)
            self.settle(page)
        return read

    def settle(self, page: Page) -> None:
        self.positions[page.stream] = page.position
        self.gone.update(page.gone)
        for account in page.accounts:
            self.live[account.id] = account.live
            if account.stamp_is_old:
                self.settled[account.id] = account.stamp


def write(crm: Crm, **by_id: Mapping[str, str]) -> dict[str, Outcome]:
    """Write values by id ("_123" for 123, which is no keyword)."""
    writes = [Write(account_id=id.lstrip("_"), values=values) for id, values in by_id.items()]
    return {outcome.account_id: outcome for outcome in crm.write(writes)}


def write_one(crm: Crm, id: str, **values: str) -> Outcome:
    (outcome,) = crm.write([Write(account_id=id, values=values)])
    return outcome


def live(crm: Crm, id: str) -> Mapping[str, str]:
    (account,) = crm.fetch([id]).accounts
    return account.live


BEGINNING = Position()


def ids_of(crm: Crm, *, after: str = "", up_to: str = "", position: Position = BEGINNING) -> list[str]:
    """What a backfill of this range reads."""
    query = Query(stream=Stream.BACKFILL, position=position, after=after, up_to=up_to)
    return [id for page in crm.pages(query) for id in page.ids]


class CrmContract:
    """Subclass and override `world`.

    settling: seconds after a change until a read of it may count as seen. made_with_fields: keys of views
    that provisioning makes together with the fields, and that go with them alone.
    """

    settling = 10.0
    made_with_fields: frozenset[str] = frozenset()

    @pytest.fixture
    def world(self) -> World | Iterator[World]:
        raise NotImplementedError

    @pytest.fixture
    def crm(self, world: World) -> Crm:
        return world.crm

    @pytest.fixture
    def consumer(self, world: World) -> Consumer:
        """A consumer whose poll and trailing streams have begun, on an otherwise quiet CRM."""
        consumer = Consumer(world.crm)
        consumer.run(Stream.POLL)
        consumer.run(Stream.TRAILING)
        return consumer

    # Windows

    def test_a_poll_closes_its_window_at_the_clock_of_the_crm(self, world: World, crm: Crm) -> None:
        world.advance(50)
        pages = list(crm.pages(Query(stream=Stream.POLL)))
        assert pages[-1].position.upper == 0
        assert abs(pages[-1].position.done_to / 1000 - crm.now()) < 2

    def test_the_first_window_begins_now_and_leaves_the_past_to_the_backfill(
        self, world: World, crm: Crm
    ) -> None:
        old = world.create()
        world.advance(LAG)
        assert Consumer(crm).run(Stream.POLL) == []
        assert Consumer(crm).run(Stream.BACKFILL) == [old]

    def test_a_change_is_polled_with_its_facts_and_our_live_values(
        self, world: World, consumer: Consumer
    ) -> None:
        id = world.create("Acme Oy")
        world.edit(id, tier="B", fit_score="72")
        world.advance(self.settling)
        (page,) = world.crm.pages(Query(stream=Stream.POLL, position=consumer.positions[Stream.POLL]))
        (account,) = page.accounts
        assert (account.id, account.name, account.owner) == (id, "Acme Oy", "")
        assert (account.live["tier"], account.live["fit_score"], account.live["lane"]) == ("B", "72", "")
        assert account.stamp_is_old
        assert account.stamp < account.read_at

    def test_a_window_is_read_in_pages_in_order_of_id_and_resumes_between_any_two(
        self, world: World, consumer: Consumer
    ) -> None:
        ids = list(world.create_many(3 * world.page_size + 1))
        world.advance(10)
        start = consumer.positions[Stream.POLL]
        whole = list(world.crm.pages(Query(stream=Stream.POLL, position=start)))
        assert [id for page in whole for id in page.ids] == ids
        assert all(len(page.accounts) <= world.page_size for page in whole)
        assert len({page.position.upper for page in whole[:-1]}) == 1
        for done, page in enumerate(whole[:-1], start=1):
            rest = list(world.crm.pages(Query(stream=Stream.POLL, position=page.position)))
            assert [id for page in rest for id in page.ids] == [i for p in whole[done:] for i in p.ids]
            assert rest[-1].position == whole[-1].position

    def test_a_record_created_while_a_window_is_read_is_found_by_the_next(
        self, world: World, consumer: Consumer
    ) -> None:
        first = list(world.create_many(2 * world.page_size))
        world.advance(10)
        pages = world.crm.pages(
            Query(stream=Stream.POLL, position=consumer.positions[Stream.POLL], seen=consumer.seen)
        )
        consumer.settle(next(pages))
        new = world.create()
        world.touch(first[0])
        world.advance(10)
        later = []
        for page in pages:
            consumer.settle(page)
            later.extend(page.ids)
        assert {*later, *consumer.run(Stream.POLL)} >= {new, first[0]}

    @pytest.mark.parametrize("stream", [Stream.POLL, Stream.TRAILING])
    def test_what_was_settled_at_its_stamp_is_spared_and_counted(
        self, world: World, consumer: Consumer, stream: Stream
    ) -> None:
        world.create_many(world.page_size + 2)
        world.advance(self.settling)
        assert len(consumer.run(Stream.POLL)) == world.page_size + 2
        world.advance(10 if stream is Stream.POLL else LAG)
        query = Query(stream=stream, position=consumer.positions[stream], seen=consumer.seen)
        pages = list(world.crm.pages(query))
        assert [page.ids for page in pages if page.ids] == []
        past = stream is Stream.POLL and self.settling > OVERLAP  # the window begins later
        assert sum(page.skipped for page in pages) == (0 if past else world.page_size + 2)

    def test_a_limit_stops_a_stream_where_it_can_go_on(self, world: World, consumer: Consumer) -> None:
        ids = list(world.create_many(3 * world.page_size))
        world.advance(10)
        first = consumer.run(Stream.POLL, limit=world.page_size)
        assert 0 < len(first) < len(ids)
        assert first + consumer.run(Stream.POLL) == ids

    def test_a_failure_leaves_the_position_after_the_last_consumed_page(
        self, world: World, consumer: Consumer
    ) -> None:
        ids = list(world.create_many(3 * world.page_size))
        world.advance(self.settling)
        before = consumer.positions[Stream.POLL]
        world.break_reads(after=1)
        with pytest.raises(UnavailableError):
            consumer.run(Stream.POLL)
        settled = list(consumer.settled)
        assert consumer.positions[Stream.POLL].done_to == before.done_to
        world.mend()
        assert settled + consumer.run(Stream.POLL) == ids

    # Ranges of ids

    def test_ranges_hold_every_account_once_in_order_and_in_about_equal_parts(
        self, world: World, crm: Crm
    ) -> None:
        ids = list(world.create_many(850))
        world.advance(10)
        cuts = crm.cuts(4)
        assert len(cuts) == 3
        new = world.create()
        bounds = ["", *cuts, ""]
        read = [ids_of(crm, after=after, up_to=up_to) for after, up_to in pairwise(bounds)]
        assert [id for part in read for id in part] == [*ids, new]
        assert all(abs(len(part) - 212.5) <= 0.2 * 212.5 for part in read)
        assert crm.cuts(4, after=ids[-10]) == ()

    def test_what_is_left_after_an_account_is_cut_alone(self, world: World, crm: Crm) -> None:
        ids = list(world.create_many(650))
        world.advance(10)
        (cut,) = crm.cuts(2, after=ids[199])
        assert abs(len(ids_of(crm, after=cut)) - 225) <= 45
        assert len(ids_of(crm, after=ids[199], up_to=cut)) + len(ids_of(crm, after=cut)) == 450

    def test_a_range_goes_on_where_it_was_left_and_ends_where_it_ends(self, world: World, crm: Crm) -> None:
        ids = list(world.create_many(5 * world.page_size))
        after, up_to = ids[world.page_size // 2], ids[4 * world.page_size]
        pages = list(crm.pages(Query(stream=Stream.BACKFILL, after=after, up_to=up_to)))
        wanted = [id for id in ids if ids.index(after) < ids.index(id) <= ids.index(up_to)]
        assert [id for page in pages for id in page.ids] == wanted
        assert [page.position.finished for page in pages] == [False] * (len(pages) - 1) + [True]
        rest = ids_of(crm, after=after, up_to=up_to, position=pages[0].position)
        assert [*pages[0].ids, *rest] == wanted
        assert ids_of(crm, after=up_to, up_to=up_to) == []
        limited = Query(stream=Stream.SWEEP, after=after, up_to=up_to, limit=10_000)
        assert [id for page in crm.pages(limited) for id in page.ids] == wanted

    def test_few_accounts_are_not_cut(self, world: World, crm: Crm) -> None:
        assert crm.cuts(8) == ()
        world.create_many(3)
        assert crm.cuts(8) == ()

    # Late, tied and repeated stamps

    @pytest.mark.parametrize("late", [1, 120, 900])
    def test_a_record_that_becomes_visible_late_is_found_by_trailing(
        self, world: World, consumer: Consumer, late: float
    ) -> None:
        id = world.create(late=late)
        polled = []
        for step in (1, late / 2, late):
            world.advance(step)
            polled += consumer.run(Stream.POLL)
        if late > 2 * OVERLAP:
            assert polled == []
        world.advance(LAG)
        trailed = consumer.run(Stream.TRAILING)
        assert id in polled + trailed

    def test_an_edit_that_becomes_visible_late_is_found_by_trailing(
        self, world: World, consumer: Consumer
    ) -> None:
        id = world.create()
        world.advance(60)
        consumer.run(Stream.POLL)
        world.edit(id, late=900, tier="A")
        world.advance(LAG + OVERLAP)
        consumer.run(Stream.TRAILING)
        assert consumer.live[id]["tier"] == "A"

    def test_more_than_ten_thousand_records_with_one_stamp_are_all_read_once(
        self, world: World, consumer: Consumer
    ) -> None:
        ids = world.create_many(10_050)
        world.advance(self.settling)
        assert consumer.run(Stream.POLL) == list(ids)
        world.advance(10)
        assert consumer.run(Stream.POLL) == []

    def test_an_edit_in_the_millisecond_of_our_read_is_read_again(
        self, world: World, consumer: Consumer
    ) -> None:
        id = world.create()
        world.edit(id, tier="A")
        (account,) = world.crm.fetch([id]).accounts
        assert not account.stamp_is_old
        consumer.settle(world.crm.fetch([id]))
        world.edit(id, tier="D")
        world.advance(10)
        assert id in consumer.run(Stream.POLL)
        assert consumer.live[id]["tier"] == "D"

    def test_a_clock_that_stands_still_loses_and_repeats_nothing(
        self, world: World, consumer: Consumer
    ) -> None:
        consumer.run(Stream.POLL)
        before = consumer.positions[Stream.POLL]
        consumer.run(Stream.POLL)
        assert consumer.positions[Stream.POLL].done_to >= before.done_to
        id = world.create()
        world.advance(10)
        assert consumer.run(Stream.POLL) == [id]

    # Reads by id

    @pytest.mark.parametrize("stream", [Stream.SWEEP, Stream.BACKFILL])
    def test_an_id_stream_reads_everything_and_resumes_between_any_two_pages(
        self, world: World, crm: Crm, stream: Stream
    ) -> None:
        ids = list(world.create_many(3 * world.page_size + 1))
        whole = list(crm.pages(Query(stream=stream)))
        assert [id for page in whole for id in page.ids] == ids
        assert [page.position.finished for page in whole] == [False] * (len(whole) - 1) + [True]
        for done, page in enumerate(whole[:-1], start=1):
            rest = list(crm.pages(Query(stream=stream, position=page.position)))
            assert [id for page in rest for id in page.ids] == [i for p in whole[done:] for i in p.ids]

    def test_a_finished_sweep_starts_over(self, world: World, crm: Crm) -> None:
        id = world.create()
        consumer = Consumer(crm)
        assert consumer.run(Stream.SWEEP) == [id]
        consumer.settled.clear()
        assert consumer.run(Stream.SWEEP) == [id]

    def test_a_sweep_shows_only_what_no_other_stream_has_settled(
        self, world: World, consumer: Consumer
    ) -> None:
        world.create()
        world.advance(self.settling)
        consumer.run(Stream.POLL)
        missed = world.create(late=1_000)
        for seconds in (2 * OVERLAP, 1_000):  # at last it shows, in a window closed long ago
            world.advance(seconds)
            assert consumer.run(Stream.POLL) == []
        assert consumer.run(Stream.SWEEP) == [missed]

    def test_due_reads_the_ids_it_is_given_whatever_was_seen(self, world: World, crm: Crm) -> None:
        ids = list(world.create_many(world.page_size + 3))
        wanted = tuple(reversed(ids[1:]))
        query = Query(stream=Stream.DUE, ids=wanted, seen=lambda stamps: set(stamps))
        pages = list(crm.pages(query))
        assert [id for page in pages for id in page.ids] == ids[1:]
        assert pages[-1].position.finished
        assert list(crm.pages(Query(stream=Stream.DUE)))[-1].position.finished

    # Departures

    def test_deleted_and_merged_records_are_gone_and_the_survivor_is_named(
        self, world: World, crm: Crm
    ) -> None:
        kept, deleted, loser, survivor = world.create_many(4)
        world.delete(deleted)
        world.merge(loser, survivor)
        page = crm.fetch([kept, deleted, loser])
        assert page.ids == (kept,)
        assert page.gone == {deleted: "", loser: survivor}

    def test_a_merge_of_a_merge_names_the_last_survivor(self, world: World, crm: Crm) -> None:
        first, second, third = world.create_many(3)
        world.merge(first, second)
        world.merge(second, third)
        assert crm.fetch([first]).gone == {first: third}

    def test_departures_are_listed_from_an_instant_on(self, world: World, crm: Crm) -> None:
        early, deleted, loser, survivor = world.create_many(4)
        world.delete(early)
        world.advance(1000)
        crm.fetch([survivor])  # its reply tells the CRM's clock
        since = int(crm.now() * 1000)
        world.advance(10)
        world.delete(deleted)
        world.merge(loser, survivor)
        world.advance(10)
        assert crm.departed(since) == {deleted: "", loser: survivor}
        assert early in crm.departed(0)

    def test_the_survivor_of_a_merge_is_polled(self, world: World, consumer: Consumer) -> None:
        loser, survivor = world.create_many(2)
        world.advance(10)
        consumer.run(Stream.POLL)
        world.merge(loser, survivor)
        world.advance(10)
        assert consumer.run(Stream.POLL) == [survivor]

    def test_a_record_deleted_between_discovery_and_read_is_no_error(
        self, world: World, consumer: Consumer
    ) -> None:
        ids = list(world.create_many(3))
        world.advance(10)
        world.delete(ids[1])
        assert consumer.run(Stream.POLL) == [ids[0], ids[2]]

    # Writing

    def test_a_write_is_confirmed_and_can_be_read_back(self, world: World, crm: Crm) -> None:
        id = world.create()
        world.advance(10)  # an owner is given on the condition that nobody is at the record
        values = {
            "tier": "Needs data",
            "fit_score": "72.5",
            "flags": "agency;b2c",
            "tier_changed_at": "2026-11-21T22:00:00.000Z",
            "reasons": "B (58–81), provisional.\n− 620 employees: 0/20. 😀",
            "routed_owner": OWNED,
            "owner": OWNED,
        }
        outcome = write_one(crm, id, **values)
        assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, values)
        assert {name: live(crm, id)[name] for name in values} == values
        assert crm.fetch([id]).accounts[0].owner == OWNED

    def test_a_blank_clears(self, world: World, crm: Crm) -> None:
        id = world.create()
        world.advance(10)  # an owner is given on the condition that nobody is at the record
        write_one(crm, id, tier="A", fit_score="80", owner=OWNED, flags="b2c")
        world.advance(10)
        cleared = {"tier": "", "fit_score": "", "owner": "", "flags": ""}
        assert write_one(crm, id, **cleared).result is Result.WRITTEN
        assert {name: live(crm, id)[name] for name in cleared} == cleared

    def test_one_bad_record_is_refused_and_the_others_land(self, world: World, crm: Crm) -> None:
        ids = world.create_many(100)
        bad = ids[41]
        writes = [
            Write(account_id=id, values={"tier": "B", "fit_score": "many" if id == bad else "70"})
            for id in ids
        ]
        outcomes = {outcome.account_id: outcome for outcome in crm.write(writes)}
        assert sorted(outcomes) == sorted(ids)
        assert [id for id, o in outcomes.items() if o.result is not Result.WRITTEN] == [bad]
        assert outcomes[bad].result is Result.REFUSED
        assert outcomes[bad].code
        assert "fit_score" in outcomes[bad].message.lower()
        accounts = {account.id: account.live for account in crm.fetch(ids).accounts}
        assert {id for id, values in accounts.items() if values["tier"] == "B"} == set(ids) - {bad}

    def test_two_writes_of_one_account_both_land_in_order(self, world: World, crm: Crm) -> None:
        id, other = world.create_many(2)
        writes = [
            Write(account_id=id, values={"tier": "A"}),
            Write(account_id=other, values={"tier": "C"}),
            Write(account_id=id, values={"tier": "B", "lane": "sales"}),
        ]
        outcomes = list(crm.write(writes))
        assert [o.account_id for o in outcomes].count(id) == 2
        assert {o.result for o in outcomes} == {Result.WRITTEN}
        assert (live(crm, id)["tier"], live(crm, id)["lane"]) == ("B", "sales")

    def test_a_write_to_a_deleted_or_merged_record_says_it_is_gone(self, world: World, crm: Crm) -> None:
        kept, deleted, loser, survivor = world.create_many(4)
        world.delete(deleted)
        world.merge(loser, survivor)
        outcomes = write(crm, **{f"_{id}": {"tier": "A"} for id in (kept, deleted, loser)})
        assert {id: outcome.result for id, outcome in outcomes.items()} == {
            kept: Result.WRITTEN,
            deleted: Result.GONE,
            loser: Result.GONE,
        }
        assert live(crm, survivor)["tier"] == ""

    def test_a_write_whose_reply_is_lost_is_uncertain_though_it_was_done(
        self, world: World, crm: Crm
    ) -> None:
        id = world.create()
        world.lose_next_reply()
        assert write_one(crm, id, tier="A").result is Result.UNCERTAIN
        assert live(crm, id)["tier"] == "A"

    def test_an_owner_nobody_knows_is_refused(self, world: World, crm: Crm) -> None:
        id = world.create()
        outcome = write_one(crm, id, owner="nobody@sales.example")
        assert outcome.result is Result.REFUSED
        assert "nobody@sales.example" in outcome.message

    def test_an_owner_who_cannot_be_given_never_costs_the_other_values(self, world: World, crm: Crm) -> None:
        id = world.create()
        outcome = write_one(crm, id, tier="A", owner="nobody@sales.example")
        assert (outcome.result, outcome.confirmed) == (Result.WRITTEN, {"tier": "A"})
        assert outcome.refused.keys() == {"owner"}
        assert "nobody@sales.example" in outcome.refused["owner"]
        assert (live(crm, id)["tier"], crm.fetch([id]).accounts[0].owner) == ("A", "")

    def test_a_field_the_connection_does_not_have_is_refused(self, world: World, crm: Crm) -> None:
        assert write_one(crm, world.create(), shoe_size="46").result is Result.REFUSED

    def test_writing_nothing_is_nothing(self, crm: Crm) -> None:
        assert list(crm.write([])) == []

    def test_an_echo_of_our_own_write_is_read_once_and_then_spared(
        self, world: World, consumer: Consumer
    ) -> None:
        id = world.create()
        world.advance(10)
        consumer.run(Stream.POLL)
        write_one(world.crm, id, tier="A")
        world.advance(self.settling)
        assert consumer.run(Stream.POLL) == [id]
        world.advance(10)
        assert consumer.run(Stream.POLL) == []
        world.advance(LAG)
        assert consumer.run(Stream.TRAILING) == []

    # Provisioning and checking

    def test_provisioning_shows_its_steps_first_makes_them_once_and_then_keeps(self, world: World) -> None:
        crm = world.bare()
        standard = world.blueprint("agency", "b2c")
        shown = crm.provision(standard, apply=False)
        assert crm.provision(standard, apply=False) == shown
        assert {step.kind for step in shown} == {StepKind.CREATE}
        assert not any(step.done for step in shown)
        made = crm.provision(standard, apply=True)
        assert [step.what for step in made] == [step.what for step in shown]
        assert all(step.done for step in made)
        again = crm.provision(standard, apply=True)
        assert {(step.kind, step.done) for step in again} == {(StepKind.KEEP, False)}
        assert crm.check(standard) == []

    def test_a_bare_crm_is_checked_with_every_problem_at_once(self, world: World) -> None:
        problems = world.bare().check(world.blueprint("agency", "b2c"))
        assert len(problems) >= len(OURS)
        assert all(problem.hint for problem in problems)

    def test_a_missing_option_is_added_and_the_others_stay(self, world: World, crm: Crm) -> None:
        id = world.create()
        write_one(crm, id, flags="agency;b2c")
        wider = world.blueprint("agency", "competitor")
        steps = [step for step in crm.provision(wider, apply=True) if step.kind is not StepKind.KEEP]
        assert [(step.kind, step.detail) for step in steps] == [(StepKind.ADD_OPTION, "competitor")]
        assert live(crm, id)["flags"] == "agency;b2c"
        assert write_one(crm, id, flags="agency;b2c;competitor").result is Result.WRITTEN

    def test_removing_shows_what_would_go_and_changes_nothing(self, world: World, crm: Crm) -> None:
        standard = world.blueprint("agency", "b2c")
        steps = crm.provision(standard, apply=False, remove=True)
        assert {step.kind for step in steps} <= {StepKind.REMOVE, StepKind.NOTE}
        assert not any(step.done for step in steps)
        assert sum(step.kind is StepKind.REMOVE for step in steps) >= len(OURS)
        assert crm.provision(standard, apply=False, remove=True) == steps
        assert {step.kind for step in crm.provision(standard, apply=False)} == {StepKind.KEEP}

    def test_removing_takes_away_what_we_made_and_nothing_else(self, world: World, crm: Crm) -> None:
        standard, id = world.blueprint("agency", "b2c"), world.create()
        theirs = world.define("seats", "Seats")
        steps = crm.provision(standard, apply=True, remove=True)
        assert all(step.done for step in steps if step.kind is StepKind.REMOVE)
        assert {theirs.name, "owner"}.isdisjoint(step.what for step in steps)
        assert theirs in crm.fields()
        world.grow_old()
        assert write_one(crm, id, tier="A").result is Result.REFUSED
        assert write_one(crm, id, owner=OWNED).result is Result.WRITTEN
        again = crm.provision(standard, apply=True, remove=True)
        assert not any(step.kind is StepKind.REMOVE or step.done for step in again)

    def test_what_was_removed_can_be_made_again_and_written(self, world: World, crm: Crm) -> None:
        standard, id = world.blueprint("agency", "b2c"), world.create()
        crm.provision(standard, apply=True, remove=True)
        crm.provision(standard, apply=True)
        world.grow_old()
        assert write_one(crm, id, tier="A").result is Result.WRITTEN

    def test_what_something_depends_on_is_not_removed_unless_forced(self, world: World, crm: Crm) -> None:
        standard, id = world.blueprint("agency", "b2c"), world.create()
        name = world.depend("tier")
        for apply in (False, True):
            steps = crm.provision(standard, apply=apply, remove=True)
            assert steps[0].kind is StepKind.DEPENDS
            assert name in f"{steps[0].what} {steps[0].detail}"
            assert not any(step.done for step in steps)
        assert write_one(crm, id, tier="A", lane="sales").result is Result.WRITTEN
        forced = crm.provision(standard, apply=True, remove=True, force=True)
        assert sum(step.done for step in forced) >= len(OURS) - 1
        assert all(step.done for step in forced if step.kind is StepKind.REMOVE)
        world.grow_old()
        assert write_one(crm, id, lane="none").result is Result.REFUSED

    # The views reps get

    def test_views_are_shown_first_made_once_and_taken_away_again(self, world: World, crm: Crm) -> None:
        plan = world.blueprint()
        shown = crm.views(VIEWS, plan, {}, apply=False)
        assert {one.key for one in shown.steps} >= {view.key for view in VIEWS}
        assert not any(one.step.done for one in shown.steps)
        assert shown.by_hand, "how people save a view of their own is always told"
        made = crm.views(VIEWS, plan, {}, apply=True)
        known = {one.key: one.id for one in made.steps if one.key and one.id}
        assert known.keys() == {view.key for view in VIEWS}
        again = crm.views(VIEWS, plan, known, apply=True)
        assert not any(one.step.done for one in again.steps)
        assert {one.key: one.id for one in again.steps if one.key} == known
        lost = crm.views(VIEWS, plan, {}, apply=True)
        assert {one.key: one.id for one in lost.steps if one.key and one.id} == known
        gone = crm.views(VIEWS, plan, known, apply=True, remove=True)
        going = known.keys() - self.made_with_fields
        assert {one.key for one in gone.steps if one.key and one.step.done} == going
        assert not any(one.id for one in gone.steps)
        left = crm.views(VIEWS, plan, {}, apply=True, remove=True)
        assert not any(one.step.done for one in left.steps)

    def test_a_view_whose_field_is_not_carried_is_left_out_with_a_word(self, world: World, crm: Crm) -> None:
        plan = world.blueprint()
        few = replace(plan, fields={n: made for n, made in plan.fields.items() if n != "tier_changed_at"})
        made = crm.views(VIEWS, few, {}, apply=True)
        [left] = [one for one in made.steps if one.key == "tier_changed"]
        assert (left.step.kind, left.id) == (StepKind.NOTE, "")

    # Fields and options that vanish while we run

    def test_a_field_taken_away_while_we_run_disables_that_output_alone_until_it_is_back(
        self, world: World, crm: Crm
    ) -> None:
        id = world.create()
        assert write_one(crm, id, tier="B", lane="none").result is Result.WRITTEN
        assert crm.disabled == {}
        world.take_away("lane")
        assert write_one(crm, id, tier="A", lane="sales").result in (Result.FAILED, Result.REFUSED)
        assert crm.disabled.keys() == {"lane"}
        assert crm.disabled["lane"]
        assert "lane" not in live(crm, id)
        assert write_one(crm, id, tier="A", fit_score="80").result is Result.WRITTEN
        world.give_back("lane")
        world.grow_old()
        assert live(crm, id).keys() >= {"lane", "tier"}
        assert crm.disabled == {}
        assert write_one(crm, id, lane="sales").result is Result.WRITTEN

    def test_an_option_taken_away_while_we_run_disables_that_output_alone_until_it_is_back(
        self, world: World, crm: Crm
    ) -> None:
        id = world.create()
        assert write_one(crm, id, tier="B", fit_score="60").result is Result.WRITTEN
        world.drop_option("tier", "A")
        assert write_one(crm, id, tier="A", fit_score="80").result in (Result.FAILED, Result.REFUSED)
        assert crm.disabled.keys() == {"tier"}
        assert "A" in crm.disabled["tier"]
        assert write_one(crm, id, fit_score="80").result is Result.WRITTEN
        world.give_back("tier")
        world.grow_old()
        assert live(crm, id)["tier"] == "B"
        assert crm.disabled == {}
        assert write_one(crm, id, tier="A").result is Result.WRITTEN

    def test_a_field_that_vanishes_between_two_pages_is_no_longer_read_and_costs_no_page(
        self, world: World, consumer: Consumer
    ) -> None:
        ids = list(world.create_many(3 * world.page_size))
        write(world.crm, **{f"_{id}": {"tier": "A", "lane": "sales"} for id in ids})
        pages = world.crm.pages(Query(stream=Stream.SWEEP))
        consumer.settle(next(pages))
        world.take_away("lane")
        for page in pages:
            consumer.settle(page)
        assert consumer.live.keys() == set(ids)
        assert all(live["tier"] == "A" for live in consumer.live.values())
        outcomes = write(world.crm, **{f"_{id}": {"tier": "B", "lane": "none"} for id in ids})
        assert Result.WRITTEN not in {outcome.result for outcome in outcomes.values()}
        outcomes = write(world.crm, **{f"_{id}": {"tier": "B"} for id in ids})
        assert {outcome.result for outcome in outcomes.values()} == {Result.WRITTEN}

    def test_a_field_that_belongs_to_people_is_read_and_never_written(self, world: World, crm: Crm) -> None:
        id = world.create()
        world.edit(id, tier_override="A", tier_override_reason="They asked for us.")
        shown = live(crm, id)
        assert (shown["tier_override"], shown["tier_override_reason"]) == ("A", "They asked for us.")
        assert shown["tier_override_until"] == ""
        outcome = write_one(crm, id, tier="B", tier_override="C")
        assert outcome.result is Result.REFUSED
        assert "tier_override" in outcome.message
        assert (live(crm, id)["tier_override"], live(crm, id)["tier"]) == ("A", "")

    # History

    def test_the_history_of_a_field_tells_values_instants_and_hands_newest_first(
        self, world: World, crm: Crm
    ) -> None:
        id = world.create()
        world.advance(10)
        write_one(crm, id, tier="A")
        world.advance(10)
        world.edit_as(id, Editor.PERSON, tier="B")
        world.advance(10)
        write_one(crm, id, tier="")
        world.advance(10)
        told = crm.history([id], ["tier"])[id]["tier"]
        assert [edit.value for edit in told][:3] == ["", "B", "A"]
        assert [edit.by for edit in told][:3] == [Editor.OURS, Editor.PERSON, Editor.OURS]
        assert [edit.at for edit in told] == sorted((edit.at for edit in told), reverse=True)
        assert abs(told[0].at / 1000 - (crm.now() - 10)) < 5
        assert 5_000 < told[1].at - told[2].at < 15_000

    def test_editors_are_told_apart_as_far_as_the_crm_can(self, world: World, crm: Crm) -> None:
        id = world.create()
        write_one(crm, id, tier="D")
        tiers = dict(zip(sorted(world.editors - {Editor.OURS}), ("A", "B", "C", "Needs data"), strict=False))
        for by, tier in tiers.items():
            world.advance(5)
            world.edit_as(id, by, tier=tier)
        world.advance(5)
        told = {edit.value: edit.by for edit in crm.history([id], ["tier"])[id]["tier"] if edit.value}
        assert told == {"D": Editor.OURS} | {tier: by for by, tier in tiers.items()}
        assert Editor.PERSON in tiers

    def test_the_past_of_what_is_gone_or_was_never_there_is_not_told(self, world: World, crm: Crm) -> None:
        kept, deleted = world.create_many(2)
        world.advance(10)
        write(crm, **{f"_{id}": {"tier": "A"} for id in (kept, deleted)})
        world.delete(deleted)
        world.advance(10)
        told = crm.history([kept, deleted, "987654321"], ["tier", "shoe_size"])
        assert told.keys() == {kept}
        assert told[kept].keys() == {"tier"}
        assert crm.history([], ["tier"]) == {}
        assert not any(crm.history([kept], []).values())

    def test_more_pasts_than_one_request_takes_are_all_told(self, world: World, crm: Crm) -> None:
        ids = list(world.create_many(230))
        world.advance(10)
        write(crm, **{f"_{id}": {"tier": "B"} for id in ids})
        world.advance(10)
        told = crm.history(ids, ["tier"])
        assert told.keys() == set(ids)
        assert {past["tier"][0].value for past in told.values()} == {"B"}

    # Contacts

    def test_the_contacts_of_accounts_are_told_with_their_titles_in_order(
        self, world: World, crm: Crm
    ) -> None:
        first, second, empty = world.create_many(3)
        made = [world.add_contact(first, title) for title in ("VP Sales", "", "Geschäftsführer")]
        other = world.add_contact(second, "CFO")
        related = crm.related([first, second, empty], "contacts")
        assert [person.id for person in related[first]] == made
        assert [person.title for person in related[first]] == ["VP Sales", "", "Geschäftsführer"]
        assert [(person.id, person.title) for person in related[second]] == [(other, "CFO")]
        assert related[empty] == ()

    def test_a_contact_that_is_no_more_is_not_told(self, world: World, crm: Crm) -> None:
        id = world.create()
        gone, there = world.add_contact(id, "VP Sales"), world.add_contact(id, "CFO")
        world.drop_contact(gone)
        assert [person.id for person in crm.related([id], "contacts")[id]] == [there]

    def test_an_account_says_which_one_it_belongs_to(self, world: World, crm: Crm) -> None:
        child, parent = world.create("Acme France"), world.create("Acme")
        world.put_under(child, parent)
        assert {a.id: a.parent for a in crm.fetch([child, parent]).accounts} == {child: parent, parent: ""}

    def test_an_account_that_is_gone_has_no_contacts(self, world: World, crm: Crm) -> None:
        kept, deleted = world.create_many(2)
        world.add_contact(kept)
        world.add_contact(deleted)
        world.delete(deleted)
        related = crm.related([kept, deleted, "987654321"], "contacts")
        assert {id: len(people) for id, people in related.items()} == {kept: 1, deleted: 0, "987654321": 0}

    def test_the_survivor_of_a_merge_takes_over_the_contacts(self, world: World, crm: Crm) -> None:
        loser, survivor = world.create_many(2)
        made = [world.add_contact(loser, "CEO"), world.add_contact(survivor, "CFO")]
        world.merge(loser, survivor)
        assert [person.id for person in crm.related([survivor], "contacts")[survivor]] == made

    def test_more_accounts_than_one_request_takes_are_all_answered(self, world: World, crm: Crm) -> None:
        ids = list(world.create_many(1_050))
        last = world.add_contact(ids[-1], "CEO")
        related = crm.related([*ids, ids[-1]], "contacts")
        assert related.keys() == set(ids)
        assert [person.id for person in related[ids[-1]]] == [last]
        assert crm.related([], "contacts") == {}

    def test_only_contacts_can_be_asked_for(self, crm: Crm) -> None:
        with pytest.raises(ConfigError, match="pets"):
            crm.related(["1"], "pets")

    # Deals

    def test_deals_are_told_by_id_with_account_amount_and_what_became_of_them(
        self, world: World, crm: Crm
    ) -> None:
        first, second = world.create_many(2)
        ids = [
            world.add_deal(first, name="Pilot"),
            world.add_deal(second, won=True, amount=24_000.5),
            world.add_deal(first, won=False, amount=0),
            world.add_deal(""),
        ]
        world.advance(10)
        told = list(crm.deals(0))
        assert [deal.id for deal in told] == ids
        assert [deal.account_id for deal in told] == [first, second, first, ""]
        assert [(deal.open, deal.won) for deal in told] == [
            (True, False),
            (False, True),
            (False, False),
            (True, False),
        ]
        assert [deal.amount for deal in told] == [None, 24_000.5, 0, None]
        assert (told[0].name, told[1].currency) == ("Pilot", crm.identity().currency)
        assert all(0 < deal.created_at <= deal.changed_at <= crm.now() * 1000 + 5000 for deal in told)

    def test_only_deals_changed_since_an_instant_are_told_and_as_they_are_now(
        self, world: World, crm: Crm
    ) -> None:
        account = world.create()
        early, late = world.add_deal(account), world.add_deal(account)
        world.advance(60)
        assert [deal.won for deal in crm.deals(0)] == [False, False]
        stamps = [deal.changed_at for deal in crm.deals(0)]
        assert [deal.id for deal in crm.deals(min(stamps))] == [early, late]
        world.win_deal(late)
        world.advance(60)
        since = max(stamps) + 30_000
        assert [(deal.id, deal.won, deal.changed_at > since) for deal in crm.deals(since)] == [
            (late, True, True)
        ]
        assert list(crm.deals(since + 60_000)) == []

    def test_more_than_ten_thousand_deals_with_one_stamp_are_each_told_once(
        self, world: World, crm: Crm
    ) -> None:
        account = world.create()
        ids = list(world.add_deals(account, 10_050))
        world.advance(60)
        told = [(deal.id, deal.account_id) for deal in crm.deals(1_000)]
        assert told == [(id, account) for id in ids]

    def test_a_deal_that_is_deleted_is_not_told(self, world: World, crm: Crm) -> None:
        account = world.create()
        gone, there = world.add_deal(account, won=True), world.add_deal(account)
        world.drop_deal(gone)
        world.advance(10)
        assert [deal.id for deal in crm.deals(0)] == [there]
        assert [deal.id for deal in crm.deals(1_000)] == [there]

    def test_a_deal_of_an_account_merged_away_belongs_to_the_survivor(self, world: World, crm: Crm) -> None:
        first, second, third = world.create_many(3)
        world.add_deal(first, won=True)
        world.merge(first, second)
        world.merge(second, third)
        world.advance(10)
        assert [deal.account_id for deal in crm.deals(0)] == [third]
        assert [deal.account_id for deal in crm.deals(1_000)] == [third]

    def test_the_missing_right_to_read_deals_is_named(self, world: World, crm: Crm) -> None:
        world.add_deal(world.create())
        right = world.forbid_deals()
        with pytest.raises(AuthError) as raised:
            list(crm.deals(0))
        assert right in f"{raised.value} {raised.value.next_step}"

    def test_a_crm_without_deals_tells_none(self, crm: Crm) -> None:
        assert list(crm.deals(0)) == []
        assert list(crm.deals(1_000)) == []

    # Fields and what they hold

    def test_fields_are_told_with_kind_label_and_options(self, world: World, crm: Crm) -> None:
        made = [
            world.define("seats", "Seats", FieldKind.NUMBER),
            world.define("stack", "Stack", FieldKind.CHOICES, ("hubspot", "outreach")),
            world.define("since", "Since", FieldKind.DATE),
            *([world.define("attic", "Attic", archived=True)] if world.archives else []),
        ]
        told = {one.name: one for one in crm.fields()}
        assert [told[one.name] for one in made] == made
        stack = told[made[1].name]
        assert (stack.kind, stack.options, stack.separator) == (
            FieldKind.CHOICES,
            ("hubspot", "outreach"),
            ";",
        )
        assert [one.archived for one in crm.fields()] == sorted(one.archived for one in crm.fields())

    def test_a_sample_holds_raw_values_and_only_of_fields_there_are(self, world: World, crm: Crm) -> None:
        seats = world.define("seats", "Seats")
        ids = world.create_many(3)
        world.type_in(ids[1], seats, "12, or so")
        world.advance(10)
        rows = crm.sample([seats.name, "shoes"], 10)
        assert len(rows) == 3
        assert sorted(row[seats.name] or "" for row in rows) == ["", "", "12, or so"]
        assert not any("shoes" in row for row in rows)

    @pytest.mark.parametrize("limit", [1, 15, 60])
    def test_a_sample_is_as_large_as_asked_for_spread_out_and_always_the_same(
        self, world: World, crm: Crm, limit: int
    ) -> None:
        half = world.define("half", "Half")
        ids = list(world.create_many(240))
        for id in ids[120:]:
            world.type_in(id, half, "second")
        world.advance(10)
        rows = crm.sample([half.name], limit)
        assert len(rows) == limit
        assert crm.sample([half.name], limit) == rows
        if limit > 1:
            assert 0.3 < sum(row[half.name] == "second" for row in rows) / limit < 0.7

    def test_a_sample_of_an_empty_crm_is_empty(self, world: World, crm: Crm) -> None:
        assert list(crm.sample(["name"], 10)) == []

    # The rest of the port

    def test_it_says_who_it_is_and_who_its_owners_are(self, crm: Crm) -> None:
        identity = crm.identity()
        assert identity.id
        assert crm.identity() == identity
        assert OWNED in {owner.email for owner in crm.owners() if owner.active}

    @pytest.mark.parametrize(
        ("name", "raw", "canonical"),
        [
            ("fit_score", "72.0", "72"),
            ("fit_score", "8.600000000000000477395900588817312382161617279052734375", "8.6"),
            ("fit_score", None, ""),
            ("flags", "b2c; agency;", "agency;b2c"),
            ("tier_changed_at", "1795302000125", "2026-11-21T23:00:00.125Z"),
            ("tier_changed_at", "2026-11-21T23:00:00Z", "2026-11-21T23:00:00.000Z"),
            ("tier_changed_at", "2026-11-22T01:00:00+02:00", "2026-11-21T23:00:00.000Z"),
            ("target_account", "True", "true"),
            ("owner", OWNED.upper(), OWNED),
            ("tier", " A ", "A"),
            ("reasons", "a\r\nb ", "a\nb"),
        ],
    )
    def test_a_value_has_one_canonical_form(
        self, crm: Crm, name: str, raw: str | None, canonical: str
    ) -> None:
        assert crm.canonical(name, raw) == canonical
        assert crm.canonical(name, canonical) == canonical

    @pytest.mark.parametrize("raw", ["NaN", "1e999", "soon", "1" * 400, "99999999999999999", "\ud83d"])
    def test_a_value_nobody_can_read_stays_text_and_raises_nothing(self, crm: Crm, raw: str) -> None:
        for name in FIELDS:
            assert crm.canonical(name, crm.canonical(name, raw)) == crm.canonical(name, raw)

    def test_what_goes_wrong_is_one_of_our_errors(self, world: World, crm: Crm) -> None:
        world.break_reads(after=0)
        with pytest.raises(IcpSyncError):
            list(crm.pages(Query(stream=Stream.SWEEP, seen=nothing_seen)))
