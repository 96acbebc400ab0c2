"""A small world whose deals are followed, and stamped unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import Mode
from icp_sync.journal import StoredDeal
from icp_sync.ports import Deal
from icp_sync.sync.cycle import Parts
from icp_sync.sync.deals import Followed, follow_deals
from icp_sync.sync.following import Following
from tests.sync.world import World


@dataclass
class Selling:
    """`follow` is what the daemon runs every ten minutes; time passes only by `world.clock`."""

    world: World
    following: Following = field(default_factory=lambda: Following(stamp=True))

    def __post_init__(self) -> None:
        self.world.crm.beside.stamp = set(STAMP)
        self.world.journal.set_mode(Mode.WRITE, now=self.world.clock())

    def parts(self, holder: str = "one") -> Parts:
        return replace(self.world.parts(holder=holder), following=self.following)

    def follow(self) -> Followed:
        done = follow_deals(self.parts())
        assert done is not None, "deals are followed elsewhere"
        return done

    def sell(self, account: str = "", **what: object) -> str:
        return self.world.crm.beside.add_deal(account, **what)

    def deal(self, id: str) -> Deal:
        return self.world.crm.beside.deal(id)

    def stored(self, id: str) -> StoredDeal:
        (found,) = self.world.journal.deals_named([id])
        return found

    def later(self, seconds: float) -> None:
        self.world.clock.step(seconds)

    @property
    def notes(self) -> list[str]:
        """The deals written on, in order."""
        return [note.id for note in self.world.crm.beside.notes]


BLANK = {"tier": "", "score": "", "profile": ""}
A_STAMP = {"tier": "A", "score": "100", "profile": "mid-market v1"}
B_STAMP = {"tier": "B", "score": "60", "profile": "mid-market v1"}


def known(selling: Selling, **said: object) -> str:
    """A company that was evaluated a minute ago, and deals that are stamped from now on."""
    account = selling.world.company(**said)  # type: ignore[arg-type]
    selling.world.backfill()
    selling.later(60)
    selling.follow()
    selling.later(60)
    return account
