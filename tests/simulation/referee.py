"""Stands where our writes arrive, keeps its own log of them, and cries out at one that must not be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import floor

from icp_sync.crm.memory import MemoryCrm
from icp_sync.domain.account import Account
from icp_sync.domain.plan import Outcome, Result, Write
from tests.simulation.company import Company
from tests.simulation.oracle import DAY

ORDER = ("A", "B", "C", "D", "Not ICP", "")
HOUR = 3600.0
FLOOR, SHARE, AN_HOUR = 4, 0.05, 6
"""The guard's limits here: downgrades in a day, at least so many; writes of an account in an hour."""


class BrokenPromise(AssertionError):
    """A promise was broken; the message names the account, the field and the values."""


class WatchedCrm(MemoryCrm):
    """A CRM in memory that tells of writes to records that are gone, and can restore an archived one."""

    lost: Callable[[Write], None] = staticmethod(lambda write: None)

    def write(self, writes: Sequence[Write]) -> Iterable[Outcome]:
        for write in writes:
            if write.account_id not in self._rows:
                self.lost(write)
        return super().write(writes)

    def archive(self, account_id: str) -> Account:
        kept = self._rows[account_id].account
        self.delete(account_id)
        return kept

    def restore(self, account: Account) -> None:
        del self._departed[account.id]
        self._put(replace(account, stamp=self._now_ms()))

    def send_home(self, email: str, *, active: bool) -> None:
        self._owners[email] = replace(self._owners[email], active=active)

    @property
    def ids(self) -> list[str]:
        return [key[1] for key in self._order]


@dataclass(frozen=True, kw_only=True)
class Landed:
    """One field of a write. hand: whose the value before was, "ours", "people" or "" for nobody's."""

    account_id: str
    field: str
    before: str
    after: str
    hand: str


@dataclass(kw_only=True)
class Referee:
    """acting: "stream", "undo" or "apply", whichever of us writes at the moment. mood: what goes wrong with
    writes. between: asked for each write just before it lands."""

    crm: WatchedCrm
    companies: dict[str, Company]
    clock: Callable[[], float]
    acting: str = "stream"
    mood: str = "well"
    between: Callable[[Write], None] = lambda _: None
    log: list[Landed] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    freed: set[str] = field(default_factory=set)  # accounts whose held changes a person let pass
    _read: dict[str, dict[str, str]] = field(default_factory=dict)
    _writes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _down: list[float] = field(default_factory=list)
    _noted: tuple[int, dict[str, int]] = (0, {})

    def __post_init__(self) -> None:
        self.crm.refuse = self._arrives
        self.crm.lose_reply = self._lands
        self.crm.lost = lambda write: self.fail(f"a write to {write.account_id}, which is gone")

    def fail(self, what: str) -> None:
        raise BrokenPromise(what)

    # What the journal may have lost with a process is forgiven: it could not count it

    def begin(self) -> None:
        self._noted = len(self._down), {account_id: len(times) for account_id, times in self._writes.items()}

    def forgive(self) -> None:
        downs, writes = self._noted
        del self._down[downs:]
        for account_id, times in self._writes.items():
            del times[writes.get(account_id, 0) :]

    def _arrives(self, write: Write) -> Outcome | None:
        company, now = self.companies[write.account_id], self.clock()
        live = dict(self.crm.account(write.account_id).live)
        for name, value in write.values.items():
            company.ever.setdefault(name, set()).add(value)
            if name.startswith("tier_override"):
                self.fail(f"{company.id}: {name} is people's, and {value!r} was written")
            hold = company.held(name, now)
            over = hold is not None and live.get(name) == hold.value != value
            if over and not (name == "tier" and value == company.field_override(now)):
                self.fail(f"{company.id}: {value!r} over {live[name]!r} in {name}, which somebody holds")
        owner = write.values.get("owner")
        given = owner is not None and live.get("owner") not in ("", owner, None)
        if given and owner != company.owner and self.acting == "stream":
            self.fail(f"{company.id}: {owner!r} over the owner {live['owner']!r}")
        if self.mood in ("refuses", "loses requests"):
            self.counts[self.mood] += 1
            result = Result.REFUSED if self.mood == "refuses" else Result.UNCERTAIN
            return Outcome(account_id=write.account_id, result=result, message=self.mood)
        self._read[write.account_id] = live
        self.between(write)
        return None

    def _lands(self, write: Write) -> bool:
        """The write is in. Whether its reply is lost."""
        company, before, now = (
            self.companies[write.account_id],
            self._read.pop(write.account_id),
            self.clock(),
        )
        live = self.crm.account(write.account_id).live
        lost = self.mood == "loses replies"
        self.counts["writes"] += 1
        self.counts["replies lost"] += lost
        for name, value in write.values.items():
            if live.get(name) != value:
                continue  # refused
            hand = company.hand.get(name, "")
            self.log.append(
                Landed(account_id=company.id, field=name, before=before.get(name, ""), after=value, hand=hand)
            )
            hold = company.holds.get(name)
            if name == "tier" and hold and before.get(name) == hold.value and company.overrides(now):
                del company.holds[name]  # the field beats what was typed over the tier
                hold = None
            company.hand[name] = "people" if hold is not None and hold.value == value else "ours"
        if self.acting == "stream":
            self._count(company, write, before, now, lost=lost)
        return lost

    def _count(
        self, company: Company, write: Write, before: dict[str, str], now: float, *, lost: bool
    ) -> None:
        lately = [t for t in self._writes[company.id] if t > now - HOUR]
        if company.id not in self.freed and len(lately) >= AN_HOUR:
            self.fail(f"{company.id} was written {len(lately) + 1} times within an hour")
        self._writes[company.id].append(now)
        was, becomes = before.get("tier", ""), write.values.get("tier")
        if becomes is None or was not in ORDER or becomes not in ORDER or not was or lost:
            return
        if ORDER.index(becomes) <= ORDER.index(was) or company.id in self.freed or company.decided(now):
            return
        self._down.append(now)
        lately = [t for t in self._down if t > now - DAY]
        most = max(FLOOR, floor(SHARE * sum(c.truth.prospect for c in self.companies.values())))
        if len(lately) > most:
            self.fail(f"{len(lately)} downgrades landed within a day, where {most} may")
