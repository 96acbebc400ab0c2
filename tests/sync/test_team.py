"""Whole streams routing for a team: caps, balance, departures, groups in one hand, and nothing that flaps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.account import Owner
from icp_sync.domain.guard import Limits
from icp_sync.domain.profile import Member, Pool, Profile, Route, Target
from icp_sync.ports import Stream
from icp_sync.sync.cycle import cycle
from tests.sync.world import ANNA, BEN, GOOD, OURS, PROFILE, World, facts

CAT = "cat@example.com"
SUGGESTING = [name for name in OURS if name != "owner"]


def with_route(
    *members: Member, keep: str = "", even_if_owned: bool = False, imbalance: float = 2.0
) -> Profile:
    route = Route(
        target=Target(lane="sales", pool="team", keep=keep), tiers=("A", "B"), even_if_owned=even_if_owned
    )
    people = members or (Member(email=ANNA), Member(email=BEN))
    return replace(
        PROFILE, routes=(route,), pools={"team": Pool(name="team", members=people, imbalance=imbalance)}
    )


def companies(world: World, count: int, **how: object) -> list[str]:
    return [world.company(f"A{n}", **GOOD, **how) for n in range(count)]  # type: ignore[arg-type]


def owners(world: World, ids: list[str]) -> Counter[str]:
    return Counter(world.account(account_id).owner for account_id in ids)


def suggested(world: World, ids: list[str]) -> Counter[str]:
    return Counter(world.live(account_id)["routed_owner"] for account_id in ids)


def leave(world: World, email: str) -> None:
    world.crm._owners[email] = Owner(id=email, email=email, active=False)


def roll_out(world: World, profile: Profile) -> None:
    world.profile, world.version = profile, world.version + 1
    world.backfill()


def test_what_somebody_who_left_held_is_divided_by_weight_and_under_every_cap(tmp_path: Path):
    world = World(tmp_path, profile=with_route(Member(email=ANNA)), limits=Limits(owner_moves=60))
    world.crm._owners[CAT] = Owner(id="3", email=CAT)
    ids = companies(world, 60)
    world.quiesce()
    leave(world, ANNA)
    after = (Member(email=BEN, cap=10), Member(email=CAT, weight=3))
    roll_out(world, with_route(*after, even_if_owned=True))
    assert owners(world, ids) == {BEN: 10, CAT: 50}
    world.quiesce()
    assert owners(world, ids) == {BEN: 10, CAT: 50}


def test_caps_and_balance_hold_where_owners_are_only_suggested(tmp_path: Path):
    members = (Member(email=ANNA, cap=3), Member(email=BEN, cap=4))
    world = World(tmp_path, profile=with_route(*members), fields=SUGGESTING, page_size=5)
    ids = companies(world, 20)
    world.quiesce()
    assert suggested(world, ids) == {ANNA: 3, BEN: 4, "": 13}


def test_somebody_who_left_is_not_suggested_any_more(tmp_path: Path):
    world = World(tmp_path, profile=with_route(), fields=SUGGESTING)
    ids = companies(world, 8)
    world.quiesce()
    assert set(suggested(world, ids)) == {ANNA, BEN}
    leave(world, ANNA)
    world.quiesce()
    assert suggested(world, ids) == {BEN: 8}


@pytest.mark.parametrize("fields", [OURS, SUGGESTING])
def test_a_group_read_on_many_pages_goes_to_one_person(tmp_path: Path, fields: list[str]):
    world = World(tmp_path, profile=with_route(keep="group"), fields=fields, page_size=3)
    ids = companies(world, 12, domain="acme.com")
    world.quiesce()
    held = owners(world, ids) if "owner" in fields else suggested(world, ids)
    assert list(held.values()) == [12]


@pytest.mark.parametrize("top", ["zed@example.com", "#777"])
def test_a_top_owned_by_somebody_who_left_keeps_the_rest_together(tmp_path: Path, top: str):
    world = World(tmp_path, profile=with_route(keep="group"))
    leave(world, "zed@example.com")
    world.company("Acme", id="1", owner=top, **GOOD)
    ids = [world.company(f"A{n}", id=str(n), parent="1", **GOOD) for n in range(2, 10)]
    world.quiesce()
    assert list(owners(world, ids).values()) == [8]


def test_an_active_colleague_in_the_group_comes_before_the_pool(tmp_path: Path):
    world = World(tmp_path, profile=with_route(keep="group"))
    leave(world, "zed@example.com")
    world.company("Acme", id="1", owner="zed@example.com", **GOOD)
    world.company("Acme UK", id="2", parent="1", owner=BEN, **GOOD)
    ids = [world.company(f"A{n}", id=str(n), parent="1", **GOOD) for n in range(3, 9)]
    world.quiesce()
    assert owners(world, ids) == {BEN: 6}


def test_children_follow_a_parent_that_was_given_away_on_their_own_page(tmp_path: Path):
    world = World(tmp_path, profile=with_route(keep="parent"))
    world.company("Acme", id="1", **GOOD)
    ids = [world.company(f"A{n}", id=str(n), parent="1", **GOOD) for n in range(2, 10)]
    world.quiesce()
    assert owners(world, ids) == {world.account("1").owner: 8}


def test_two_streams_at_once_do_not_split_a_group(tmp_path: Path):
    world = World(tmp_path, profile=with_route(keep="group"))
    first = [world.company("A", id=str(100 + 2 * n), domain=f"g{n}.com", **GOOD) for n in range(20)]
    world.clock.step(10_000)

    def poll_in_between(call: str) -> None:
        if call == "write":
            world.crm.before = lambda _: None
            for n in range(20):
                world.company("B", id=str(101 + 2 * n), domain=f"g{n}.com", **GOOD)
            other = world.open()
            assert cycle(Stream.POLL, world.parts(other, "two")) is not None
            other.close()

    world.crm.before = poll_in_between
    world.backfill()
    world.quiesce()
    together = [(world.account(i).owner, world.account(str(int(i) + 1)).owner) for i in first]
    assert all(a == b != "" for a, b in together)


@pytest.mark.parametrize("keep", ["parent", "group"])
def test_accounts_that_are_each_others_parent_do_not_pass_an_owner_to_and_fro(tmp_path: Path, keep: str):
    world = World(tmp_path, profile=with_route(keep=keep, even_if_owned=True))
    world.crm._owners[CAT] = Owner(id="3", email=CAT)
    ids = [world.company("A", id=str(n), parent=str(n ^ 1), **GOOD) for n in range(20, 32)]
    world.quiesce()
    roll_out(world, with_route(Member(email=CAT), keep=keep, even_if_owned=True))
    assert owners(world, ids) == {CAT: 12}
    world.quiesce()
    before = len(world.writes())
    for _ in range(4):
        for stream in (Stream.POLL, Stream.DUE, Stream.TRAILING):
            world.cycle(stream)
        world.clock.step(600)
    assert len(world.writes()) == before


def test_accounts_that_arrive_owned_count_for_those_after_them_on_the_page(tmp_path: Path):
    world = World(tmp_path, profile=with_route(Member(email=BEN, cap=20)))
    companies(world, 25, owner=BEN)
    vacant = companies(world, 10)
    world.poll()
    assert owners(world, vacant) == {"": 10}


def test_a_parent_that_is_merged_or_deleted_is_not_waited_for(tmp_path: Path):
    world = World(tmp_path, profile=with_route(keep="group"))
    world.company("Old", id="1", domain="old.com", owner=ANNA, **GOOD)
    world.company("New", id="2", domain="new.com", owner=BEN, **GOOD)
    world.quiesce()
    world.crm.merge("1", "2")
    world.quiesce()
    follows = world.company("Child", id="3", parent="1", **GOOD)
    world.quiesce()
    assert world.account(follows).owner == BEN
    world.crm.delete("2")
    world.quiesce()
    orphan = world.company("Orphan", id="4", parent="2", **GOOD)
    world.quiesce()
    assert world.account(orphan).owner in (ANNA, BEN)


def test_siblings_of_one_domain_do_not_wake_one_another_at_every_edit(tmp_path: Path):
    from tests.sync.test_families import GROUP_SIZE

    world = World(tmp_path, profile=GROUP_SIZE)
    ids = companies(world, 40, domain="same.com")
    world.quiesce()
    read = 0
    for n, account_id in enumerate(ids[:5]):
        world.crm.edit(account_id, signals=facts(employees=101 + n))
        world.clock.step(200)
        world.poll()
        read += world.due().read
    assert read == 0
