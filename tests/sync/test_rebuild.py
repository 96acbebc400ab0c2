"""A journal that was lost is filled again from the CRM, and not one needless value is written afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.domain.account import Origin
from icp_sync.domain.facts import choice, number
from icp_sync.domain.seal import SealKey
from icp_sync.domain.standing import FIELDS, Mode
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.rebuild import Rebuilt, rebuild
from icp_sync.wiring import wire
from tests.sync.station import PROFILE, OrgStation, Station
from tests.sync.world import ANNA, BEN, GOOD, POOR, Vendor, World, facts

WHOLE = Scope()


def busy(world: World) -> list[str]:
    """Companies with a past: moves between tiers, people's edits and overrides, owners given and taken."""
    ids = [world.company(f"C{n}", domain=f"c{n}.com", **(GOOD if n % 2 else POOR)) for n in range(6)]
    ids.append(world.company("Bought", domain="bought.com"))
    world.backfill()
    world.clock.step(600)
    world.quiesce()
    world.crm.edit(ids[0], signals=facts(employees=100, industry="SOFTWARE", lifecycle=""))
    world.crm.edit(ids[1], live={"tier": "D"})
    world.crm.edit(ids[2], live={"tier_override": "C", "tier_override_reason": "strategic"})
    world.crm.edit(
        ids[3], live={"lane": "success"}, owner=BEN if world.account(ids[3]).owner == ANNA else ANNA
    )
    world.crm.edit(ids[4], owner="")
    world.company("Typed", domain="typed.com")
    world.quiesce()
    return ids


def lost(world: World) -> Rebuilt:
    world.clock.step(3600)
    world.lose_journal()
    writes = len(world.crm.writes)
    told = rebuild(world.parts(), WHOLE)
    assert len(world.crm.writes) == writes
    return told


@pytest.fixture
def vendor() -> Vendor:
    return Vendor(book={"bought.com": {"employees": number(120), "industry": choice("SOFTWARE")}})


def test_after_a_rebuild_a_whole_backfill_writes_nothing(world: World, vendor: Vendor) -> None:
    world.enrichers = (vendor,)
    ids = busy(world)
    before = {id: dict(world.live(id)) for id in ids}
    asked = len(vendor.asked)
    told = lost(world)
    assert len(vendor.asked) == asked, "a rebuild buys nothing"
    assert (told.accounts, told.sealed, told.unsealed, told.foreign, told.known) == (8, 8, 0, 0, 0)
    assert told.ours > 8 * 5
    assert told.unexplained == 1, "what was bought is bought again when it is next settled"
    assert told.people == 2  # a tier and a lane; override fields and owners are not ours to count
    writes = len(world.crm.writes)
    world.backfill()
    world.quiesce()
    assert [w for w in world.crm.writes[writes:] if not FIELDS[w[2]].cosmetic] == []
    assert {id: {n: v for n, v in world.live(id).items() if not FIELDS[n].cosmetic} for id in ids} == {
        id: {n: v for n, v in live.items() if not FIELDS[n].cosmetic} for id, live in before.items()
    }


def test_what_people_hold_is_known_as_theirs_and_what_we_wrote_as_ours(world: World) -> None:
    ids = busy(world)
    lost(world)
    edited = world.journal.account(ids[1])
    assert edited is not None
    assert edited.confirmed["tier"].origin is Origin.HUMAN
    assert edited.confirmed["lane"].origin is Origin.OURS
    world.crm.edit(ids[1], signals=facts(employees=10, lifecycle=""))
    world.backfill()
    assert world.live(ids[1])["tier"] == "D"
    assert world.live(ids[1])["model_tier"] != "A"


def test_loads_are_counted_before_anybody_is_routed(world: World) -> None:
    ids = busy(world)
    lost(world)
    loads = {who: n for who, n in world.journal.recall({}, now=world.clock()).roster.loads.items() if n}
    owners = [world.account(id).owner for id in [*ids, "1008"] if world.account(id).owner]
    assert loads == {who: owners.count(who) for who in set(owners)}


def test_accounts_sealed_by_others_and_never_sealed_are_told_apart(world: World) -> None:
    sealed = world.company("Ours", domain="o.com", **GOOD)
    world.backfill()
    other = SealKey(installation="abcdefabcdef", key=b"x" * 32)
    world.company("Theirs", domain="t.com")
    world.crm.edit("1002", live={"seal": other.seal("1002", {"tier": "A"}), "tier": "A"})
    world.company("Bad", domain="b.com")
    world.crm.edit("1003", live={"seal": "garbage"})
    world.company("Typed", domain="y.com")
    world.crm.edit("1004", live={"tier": "B"})
    told = lost(world)
    assert (told.sealed, told.foreign, told.unreadable, told.unsealed, told.people) == (1, 1, 1, 1, 1)
    assert world.journal.counts() == {"held": 2, "met": 2}
    assert sealed == "1001"


def test_a_journal_that_knows_accounts_is_rebuilt_only_on_a_persons_word_and_keeps_what_it_knows(
    world: World,
) -> None:
    busy(world)
    with pytest.raises(ConfigError, match="knows 8 accounts already") as caught:
        rebuild(world.parts(), WHOLE)
    assert "icp-sync journal rebuild --again" in caught.value.next_step
    before = world.journal.account("1001")
    told = rebuild(world.parts(), WHOLE, again=True)
    assert (told.accounts, told.known, told.done) == (8, 8, True)
    assert world.journal.account("1001") == before


def test_one_cut_short_goes_on_after_its_last_page(world: World) -> None:
    busy(world)
    world.lose_journal()
    world.crm._page_size = 3
    stopped = rebuild(world.parts(), Scope(going=lambda: False))
    assert (stopped.accounts, stopped.done) == (3, False)
    told = rebuild(world.parts(), WHOLE)
    assert (told.accounts, told.done) == (5, True)


def test_two_do_not_rebuild_at_once(world: World) -> None:
    assert world.journal.lease("rebuild", holder="other", now=world.clock(), ttl=600)
    with pytest.raises(UnavailableError, match="another rebuild"):
        rebuild(world.parts(), WHOLE)


@pytest.fixture(params=[Station, OrgStation], ids=["hubspot", "salesforce"])
def station(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Station]:
    station = request.param(tmp_path, accounts=30)
    yield station
    station.close()


def test_over_http_a_rebuilt_journal_has_nothing_to_write(station: Station, tmp_path: Path) -> None:
    parts = station.wired.parts
    settle(parts, Stream.BACKFILL)
    names = station.wired.settings.field_properties
    ids = sorted(station.live_ids())
    for seed in (1, 2):
        station.people_work(seed)
        edit(station, ids[0], names["tier"], "D")
        edit(station, ids[1], names["tier_override"], "B")
        edit(station, ids[2], names["lane"], "success")
        settle(parts, Stream.BACKFILL)
    written = station.written()
    another = wire(load(station.config, {"ICP_SYNC_JOURNAL": f"sqlite:///{tmp_path}/another.sqlite"}))
    try:
        another.journal.activate(((PROFILE.name, PROFILE.read_text()),), now=time.time())
        told = rebuild(another.parts, WHOLE)
        assert (told.done, told.accounts, told.foreign) == (True, 34, 0)
        assert (told.people >= 2, told.unexplained) == (True, 0)
        another.journal.set_mode(Mode.ROUTE, now=time.time())
        report = settle(another.parts, Stream.BACKFILL)
        assert (station.written() - written, report.written) == (0, 0), report.changes
    finally:
        another.crm.close()  # type: ignore[attr-defined]
        another.journal.close()


def edit(station: Station, account: str, property: str, value: str) -> None:
    station.crm.admin("POST edit", id=account, properties={property: value})


def settle(parts: Parts, stream: Stream):  # type: ignore[no-untyped-def]
    report = cycle(stream, parts, Scope(restart=True))
    assert report is not None
    return report
