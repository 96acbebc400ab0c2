"""Three sources with moods, companies that change, crashes and clocks, in any order; one ledger of it all.

Whatever happened: nothing is paid twice while its answer holds, but for what nobody can know the fate of; no
budget is exceeded by one call; about a company that is firm, out of scope or not ICP nobody is asked; and
once things come to rest nobody is asked anything.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from icp_sync import observe
from icp_sync.domain.buying import Budgets, Buying, Rule
from icp_sync.domain.facts import choice
from icp_sync.domain.profile import DAY, Effect
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope
from icp_sync.sync.draft import Policy
from tests.sync.sellers import HOUR, MOODS, TTLS, UNKNOWN_FOR, Ledger, Seller
from tests.sync.world import PROFILE, Clock, World, facts, without

STREAMS = (Stream.POLL, Stream.DUE, Stream.SWEEP, Stream.BACKFILL)
EXCLUDING = without(PROFILE, flags=tuple(replace(flag, effect=Effect.EXCLUDE) for flag in PROFILE.flags))
IN_FLIGHT = ("enrich.answer.after", "journal.record.before")
"""Where an answer that arrived is lost with the process."""
moods = st.tuples(*[st.sampled_from(MOODS)] * 3)
times = st.sampled_from([0.0, 60.0, 60.0, HOUR + 1, 7 * HOUR, DAY, 11 * DAY])


class Crash(BaseException):
    """The process is gone: nothing catches it, and nothing more is done."""


@dataclass
class Market(World):
    buying: Buying = field(default_factory=Buying)

    def policy(self) -> Policy:
        return self._policy

    @cached_property
    def _policy(self) -> Policy:
        return replace(super().policy(), buying=self.buying)


class BuyingMachine(RuleBasedStateMachine):
    @initialize(
        account=st.sampled_from([inf, 3.0, 6.0]),
        run=st.sampled_from([inf, 5.0]),
        day=st.sampled_from([inf, 9.0]),
    )
    def begin(self, account: float, run: float, day: float) -> None:
        self.folder = Path(mkdtemp(prefix="icp-sync-buying-"))
        self.budgets = Budgets(account=account, run=run, day=day, vendors={"b": (day, inf)})
        rules = {"industry": Rule(ttl=TTLS["industry"])}
        buying = Buying(rules=rules, budgets=self.budgets, retry_unknown_after=UNKNOWN_FOR)
        clock = Clock()
        self.ledger = Ledger()
        known = (frozenset({"employees"}), frozenset({"industry"}), frozenset({"employees", "industry"}))
        prices = ((2.0, 1.0), (1.0, 1.0), (3.0, 2.5))
        self.sellers = tuple(
            Seller(
                name=name,
                clock=clock,
                ledger=self.ledger,
                facts=facts_,
                price=price,
                cost=cost,
                pays_for_misses=name == "b",
            )
            for name, facts_, (price, cost) in zip("abc", known, prices, strict=True)
        )
        self.world = Market(
            folder=self.folder,
            profile=EXCLUDING,
            enrichers=self.sellers,
            page_size=8,
            clock=clock,
            buying=buying,
        )
        self.companies = 0
        self._found(4)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.come_to_rest()
            finally:
                observe.arm_faults(None)
                self.world.journal.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    # What people and sources do

    @rule(
        n=st.integers(0, 99),
        known=st.sampled_from(
            [
                {"employees": 5000},
                {"employees": 100, "industry": "SOFTWARE"},
                {"business_model": "agency"},
                {"lifecycle": "customer"},
                {"lifecycle": "prospect"},
            ]
        ),
    )
    def edit(self, n: int, known: dict[str, object]) -> None:
        ids = [key[1] for key in self.world.crm._order]
        said = facts(**{"lifecycle": "", **known})  # type: ignore[arg-type]
        self.world.crm.edit(ids[n % len(ids)], signals=said)

    @rule(stream=st.sampled_from(STREAMS), moods=moods, seconds=times, new=st.integers(0, 3))
    def cycle(self, stream: Stream, moods: tuple[str, ...], seconds: float, new: int) -> None:
        self._found(new)
        self._begin(moods, seconds)
        self.world.cycle(stream)
        self.look()

    @rule(
        stream=st.sampled_from(STREAMS),
        moods=moods,
        seconds=times,
        new=st.integers(1, 3),
        nth=st.integers(1, 9),
    )
    def crash(self, stream: Stream, moods: tuple[str, ...], seconds: float, new: int, nth: int) -> None:
        """The process ends at the nth fault point around its buying; the next one opens the same journal."""
        passed = 0

        def die(point: str) -> None:
            nonlocal passed
            passed += point.startswith(("enrich.", "journal.record.", "journal.reserve."))
            if passed < nth:
                return
            if passed == nth and point in IN_FLIGHT:
                self.ledger.unheard()
            passed += 1
            raise Crash

        self._found(new)
        self._begin(moods, seconds)
        observe.arm_faults(die)
        try:
            self.world.cycle(stream)
        except Crash:
            pass
        finally:
            observe.arm_faults(None)
        self.world.reopen()
        self.look()

    # What must hold

    def _found(self, new: int) -> None:
        """Companies of which only the domain is known; every third has two accounts."""
        for _ in range(new):
            self.companies += 1
            for _ in range(2 if self.companies % 3 == 0 else 1):
                self.world.company(f"C{self.companies}", domain=f"c{self.companies}.com")

    def _begin(self, moods: tuple[str, ...], seconds: float) -> None:
        """Time passes; then a run begins."""
        self.world.clock.step(seconds)
        for seller, mood in zip(self.sellers, moods, strict=True):
            seller.mood = mood
        self.before = len(self.ledger.bills)
        for seller in self.sellers:
            seller.asked.clear()

    def look(self) -> None:
        """After one run: by the ledger alone, and by what the CRM says."""
        bills = self.ledger.bills
        spent: Counter[tuple[str, object]] = Counter()
        for bill in bills:
            day = int(bill.at // DAY)
            spent["day", day] += bill.credits  # type: ignore[assignment]
            spent[bill.source, day] += bill.credits  # type: ignore[assignment]
        assert all(
            credits <= self.budgets.day for (what, _), credits in spent.items() if what in ("day", "b")
        )
        assert sum(bill.credits for bill in bills[self.before :]) <= self.budgets.run
        for last in bills:
            month = [b for b in bills if b.key == last.key and last.at - 30 * DAY < b.at <= last.at]
            assert sum(bill.credits for bill in month) <= self.budgets.account
        for seller in self.sellers:
            for key in seller.asked:
                assert key in self._open(), f"{seller.name} was asked about {key}"

    def _open(self) -> set[str]:
        """Companies that could still become something else, by what the CRM says."""
        found = set()
        for _, account_id in self.world.crm._order:
            account = self.world.account(account_id)
            said = {s.fact: s.value for s in account.signals}
            out = said["lifecycle"] != choice("prospect") or "business_model" in said
            if not out and not {"employees", "industry"} <= said.keys():
                found.add(account.domain)
        return found

    def come_to_rest(self) -> None:
        self.world.clock.step(7 * HOUR)  # whoever was out of credit may have bought some
        for _ in range(30):
            if not self._asks(HOUR + 1):
                break
        else:
            raise AssertionError("it never comes to rest")
        assert not self._asks(0.0), "a second pass asks"
        if self.budgets == Budgets(vendors={"b": (inf, inf)}):
            assert self.world.backfill(Scope(apply=False)).calls == 0

    def _asks(self, seconds: float) -> int:
        """Questions of one more pass, all sources being well; those whose results are fetched among them."""
        fetched = sum(seller.fetched for seller in self.sellers)
        self._begin(("knows",) * len(self.sellers), seconds)
        self.world.backfill()
        self.look()
        asked = sum(len(seller.asked) for seller in self.sellers)
        return asked + sum(seller.fetched for seller in self.sellers) - fetched


BuyingMachine.TestCase.settings = settings(
    max_examples=7,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),  # explaining traces every line: too slow for whole cycles
)
TestBuyingMachine = BuyingMachine.TestCase
