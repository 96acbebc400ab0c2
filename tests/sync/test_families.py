"""Companies that belong together: facts of parents, one owner a group, one look-up a group, circles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from icp_sync.domain.account import Kin
from icp_sync.domain.conditions import at_level
from icp_sync.domain.facts import choice, number
from icp_sync.domain.profile import Route, Target
from icp_sync.domain.words import facts_of
from icp_sync.journal import Relative
from tests.sync.world import ANNA, BEN, GOOD, PROFILE, Vendor, World

GROUP_SIZE = replace(
    PROFILE,
    criteria=tuple(
        replace(c, when=at_level(c.when, "group")) if "employees" in facts_of(c.when) else c
        for c in PROFILE.criteria
    ),
)
KEEP = replace(
    PROFILE,
    routes=(Route(target=Target(lane="sales", pool="team", keep="group"), tiers=("A", "B")),),
)


def kin(world: World, *ids: str) -> dict[str, Kin]:
    accounts = [world.account(account_id) for account_id in ids]
    return world.journal.kin([Relative(a.id, a.parent, a.domain, a.owner) for a in accounts], owners=True)


def test_a_subsidiary_is_judged_by_the_size_of_its_group(tmp_path: Path):
    world = World(tmp_path, profile=GROUP_SIZE)
    child = world.company("Acme France", id="1", parent="9", employees=3, industry="SOFTWARE")
    alone = world.company("Tiny", id="2", employees=3, industry="SOFTWARE")
    world.company("Acme", id="9", **GOOD)
    world.quiesce()
    assert (world.live(child)["tier"], world.live(child)["certainty"]) == ("A", "firm")
    assert world.live(alone)["tier"] not in ("A", "B")
    world.crm.edit("9", signals=world_facts(employees=3))
    world.quiesce()
    assert world.live(child)["tier"] == world.live(alone)["tier"]  # the parent's change reached it


def test_a_circle_of_parents_leaves_the_group_unknown_and_is_named(tmp_path: Path):
    world = World(tmp_path, profile=GROUP_SIZE)
    for account_id, parent in (("1", "2"), ("2", "3"), ("3", "1")):
        world.company(f"C{account_id}", id=account_id, parent=parent, **GOOD)
    world.company("Apart", id="4", **GOOD)
    world.quiesce()
    assert world.live("1")["certainty"] == "provisional"
    assert "group employees" in world.live("1")["missing_facts"]
    assert kin(world, "1")["1"].problem == "its parents run in a circle: 1 → 2 → 3 → 1"
    assert world.live("4")["tier"] == "A"  # and stops nobody else


def test_a_group_keeps_the_owner_of_its_ultimate_parent(tmp_path: Path):
    world = World(tmp_path, profile=KEEP)
    world.company("Acme", id="1", owner=BEN, **GOOD)
    for number_ in range(2, 8):
        world.company(f"Acme {number_}", id=str(number_), parent="1", **GOOD)
    world.quiesce()
    assert {world.account(str(n)).owner for n in range(2, 8)} == {BEN}


def test_a_vacant_group_read_on_one_page_goes_to_one_person(tmp_path: Path):
    world = World(tmp_path, profile=KEEP)
    ids = [world.company("Acme", domain="acme.com", **GOOD) for _ in range(6)]
    world.quiesce()
    owners = {world.account(account_id).owner for account_id in ids}
    assert len(owners) == 1
    assert owners <= {ANNA, BEN}
    assert {kin(world, account_id)[account_id].group for account_id in ids} == {"acme.com"}


def test_a_group_is_looked_up_once(tmp_path: Path):
    vendor = Vendor(book={"acme.com": {"employees": number(100), "industry": choice("SOFTWARE")}})
    world = World(tmp_path, profile=GROUP_SIZE, enrichers=(vendor,))
    world.company("Acme", id="1", domain="acme.com", industry="SOFTWARE")
    for n in range(2, 7):
        world.company(f"Acme {n}", id=str(n), parent="1", industry="SOFTWARE", domain=f"acme{n}.com")
    world.quiesce()
    assert vendor.asked.count("acme.com") == 1
    assert {world.live(str(n))["tier"] for n in range(1, 7)} == {"A"}
    assert not set(vendor.asked) - {"acme.com"}  # what the group answers is not asked of its members


def world_facts(**known: object):
    from tests.sync.world import facts

    return facts(**known)  # type: ignore[arg-type]


def test_nobody_is_looked_up_for_what_only_an_unread_parent_could_tell(tmp_path: Path):
    vendor = Vendor(book={"acme.com": {"employees": number(100)}})
    world = World(tmp_path, profile=GROUP_SIZE, enrichers=(vendor,), page_size=1)
    for n in range(1, 5):
        world.company(f"C{n}", id=str(n), parent="9", domain=f"c{n}.com", industry="SOFTWARE")
    for n in (20, 21):
        world.company(f"C{n}", id=str(n), parent=str(n ^ 1), domain=f"c{n}.com", industry="SOFTWARE")
    world.backfill()
    assert vendor.asked == []
    world.company("Acme", id="9", domain="acme.com", industry="SOFTWARE")
    world.quiesce()
    assert vendor.asked == ["acme.com"]
    assert {world.live(str(n))["tier"] for n in range(1, 5)} == {"A"}


def test_what_the_crm_says_of_a_parent_on_the_same_page_is_not_bought(tmp_path: Path):
    vendor = Vendor(book={"acme.com": {"employees": number(100)}})
    world = World(tmp_path, profile=GROUP_SIZE, enrichers=(vendor,))
    world.company("C1", id="1", parent="9", domain="c1.com", industry="SOFTWARE")
    world.company("Acme", id="9", domain="acme.com", **GOOD)
    world.backfill()
    assert vendor.asked == []
    assert world.live("1")["tier"] == "A"
