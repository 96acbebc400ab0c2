"""A small world with everything in it: companies, a vendor, people at work; and what outlives our process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from icp_sync.domain.facts import choice, number
from icp_sync.domain.plan import Outcome, Write
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import Mode
from icp_sync.ports import Note, Stream
from icp_sync.sync.deals import follow_deals
from icp_sync.sync.following import DEALS, Following
from tests.sync.world import ANNA, Vendor, World, facts

BOOK = {"v.com": {"employees": number(120), "industry": choice("SOFTWARE")}}
HUMAN = ("tier", "Not ICP")


@dataclass
class Place:
    """A world, its vendor, and what of both outlives our process."""

    world: World
    vendor: Vendor
    landed: list[Write] = field(default_factory=list)

    def note_writes(self) -> None:
        """Keep what reaches the CRM, so that another process can be told."""
        write = self.world.crm.write

        def noted(writes: Sequence[Write]) -> Iterable[Outcome]:
            outcomes = write(writes)
            self.landed.extend(writes)
            return outcomes

        self.world.crm.write = noted  # type: ignore[method-assign]

    def outside(self) -> tuple[list[Write], list[str], list[Note]]:
        return self.landed, self.vendor.asked, self.world.crm.beside.notes

    def catch_up(self, landed: list[Write], asked: list[str], notes: list[Note]) -> None:
        """What the process that died had done to the CRM and the vendor."""
        list(self.world.crm.write(landed))
        self.vendor.asked[:] = asked
        list(self.world.crm.annotate(DEALS, notes[len(self.world.crm.beside.notes) :]))

    def follow_deals(self) -> None:
        """What the daemon does every ten minutes where deals are stamped."""
        follow_deals(replace(self.world.parts(), following=Following(stamp=True)))


def founded(place: Place) -> None:
    """Five companies: good, poor, unknown until a vendor is asked, unknown for good, and a customer."""
    world = place.world
    world.company("Good", employees=100, industry="SOFTWARE", domain="g.com")
    world.company("Poor", employees=100, industry="RETAIL", domain="p.com")
    world.company("Asked", domain="v.com")
    world.company("Dark", domain="d.com")
    world.company("Customer", lifecycle="customer", employees=100, domain="c.com")


def running(place: Place) -> None:
    """The same, backfilled and polled; then people work: an edit, a tier by hand, a merge, a newcomer."""
    founded(place)
    world = place.world
    world.backfill()
    world.clock.step(130)
    world.poll()
    world.cycle(Stream.TRAILING)
    good, poor, asked, dark, customer = (key[1] for key in world.crm._order)
    world.crm.edit(good, signals=facts(employees=5000, lifecycle=""))
    world.crm.edit(poor, live=dict([HUMAN]))
    world.crm.edit(customer, signals=facts(lifecycle="prospect"))
    world.crm.merge(dark, asked)
    world.company("New", employees=200, industry="SOFTWARE", domain="n.com", owner=ANNA)
    world.clock.step(10)


def selling(place: Place) -> None:
    """Running, and deals are stamped; since then three were begun, one with nobody, one with a stranger."""
    running(place)
    world = place.world
    world.poll()
    world.crm.beside.stamp.update(STAMP)
    world.journal.set_mode(Mode.ROUTE, now=world.clock())
    place.follow_deals()
    world.clock.step(60)
    good, poor = (key[1] for key in world.crm._order[:2])
    for account in (good, poor, "", world.company("Stranger", domain="s.com")):
        world.crm.beside.add_deal(account)
    world.clock.step(10)


def departed(place: Place) -> None:
    """Running; then one was deleted, and one changed in a way that no window shows."""
    running(place)
    world = place.world
    world.poll()
    world.clock.step(4000)
    world.cycle(Stream.TRAILING)
    first = world.crm._order[0][1]
    world.crm.delete(world.crm._order[-1][1])
    world.crm.edit(first, signals=facts(employees=80, lifecycle=""), late=90_000)
    world.clock.step(8000)
    world.poll()
    world.cycle(Stream.TRAILING)
