"""No budget is exceeded by one call, whoever asks, crashes, answers late, and whatever the calendar says."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from math import inf
from shutil import rmtree

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from icp_sync.domain.buying import Budgets
from icp_sync.journal import Answered, Journal
from tests import postgres

HOUR, DAY = 3_600.0, 86_400.0
BEGIN = datetime(2026, 11, 29, 21, tzinfo=UTC).timestamp()
SOURCES, KEYS = ("one", "two"), ("a.example", "b.example", "c.example")
EPSILON = 1e-5
EXAMPLES = count()

limits = st.sampled_from([inf, 1.0, 2.5, 4.0, 7.0])
prices = st.sampled_from([0.0, 0.7, 1.0, 2.5])
charged = st.sampled_from([0.0, 0.5, 1.0, 3.0])  # of the price; more than all of it happens


@cache
def sqlite_pair() -> tuple[Journal, Journal]:
    folder = tempfile.mkdtemp()
    atexit.register(rmtree, folder)
    url = f"sqlite:///{folder}/journal.db"
    return Journal.open(url, "main"), Journal.open(url, "main")


@cache
def postgres_pair() -> tuple[Journal, Journal]:
    url = postgres.server().database()
    return Journal.open(url, "main"), Journal.open(url, "main")


@dataclass
class Entry:
    """One amount in the model's ledger."""

    source: str
    key: str
    run: str
    at: float
    amount: float


@dataclass
class Question:
    """What the model knows of one source and key. entry: what is reserved for it."""

    asked: bool = False
    expires_at: float = -inf
    job: str = ""
    run: str = ""
    entry: Entry | None = None


@dataclass
class Desk:
    """One process: its run, and what it asked and has not heard of yet, with the price."""

    run: str
    open: dict[tuple[str, str], float] = field(default_factory=dict)


class Budgeted(RuleBasedStateMachine):
    pair: Callable[[], tuple[Journal, Journal]] = staticmethod(sqlite_pair)

    @initialize(account=limits, run=limits, day=limits, month=limits, vendor_day=limits, vendor_month=limits)
    def budgeted(
        self, account: float, run: float, day: float, month: float, vendor_day: float, vendor_month: float
    ) -> None:
        name = f"example {next(EXAMPLES)}"
        self.journals = [journal.for_connection(name) for journal in self.pair()]
        self.now = BEGIN
        self.runs = count()
        self.desks = [Desk(f"run-{next(self.runs)}") for _ in self.journals]
        self.budgets = Budgets(
            account=account, run=run, day=day, month=month, vendors={"one": (vendor_day, vendor_month)}
        )
        self.ledger: list[Entry] = []
        self.questions: dict[tuple[str, str], Question] = {}

    @rule(seconds=st.sampled_from([1.0, HOUR, 5 * HOUR, DAY, 20 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(who=st.integers(0, 1))
    def crash(self, who: int) -> None:
        self.desks[who] = Desk(f"run-{next(self.runs)}")

    @rule(
        who=st.integers(0, 1),
        source=st.sampled_from(SOURCES),
        wanted=st.dictionaries(st.sampled_from(KEYS), prices, min_size=1),
    )
    def reserve(self, who: int, source: str, wanted: dict[str, float]) -> None:
        desk, before = self.desks[who], self.sums(source, self.desks[who].run)
        got = self.journals[who].reserve(
            source, wanted, now=self.now, run=desk.run, budgets=self.budgets, retry_unknown_after=HOUR
        )
        known = {key: self.questions.setdefault((source, key), Question()) for key in wanted}
        busy = {k for k, q in known.items() if q.expires_at > self.now}
        assert got.busy == busy
        assert [*got.free] == [k for k in wanted if k not in busy and k not in got.over]
        assert got.jobs == {key: known[key].job for key in got.free if known[key].job}
        for key in got.free:
            self.granted(desk, source, key, wanted[key])
        after = self.sums(source, desk.run)
        for name, (spent, budget) in after.items():
            assert spent <= budget + EPSILON or spent == before[name][0], f"{name} is exceeded by a call"
        for key, name in got.over.items():
            spent, budget = after[name if name != "account" else f"account {key}"]
            assert spent + wanted[key] > budget - EPSILON, f"{name} would have been enough"

    def granted(self, desk: Desk, source: str, key: str, price: float) -> None:
        question = self.questions[source, key]
        question.asked, question.expires_at, question.run = True, self.now + HOUR, desk.run
        desk.open[source, key] = 0.0 if question.job else price
        if not question.job:
            question.entry = self.enter(source, key, desk.run, price) if price else None

    @precondition(lambda self: any(desk.open for desk in self.desks))
    @rule(
        data=st.data(),
        kind=st.sampled_from(["hit", "miss", "none", "unknown", "pending", "refused", "lost"]),
        share=charged,
    )
    def answer(self, data: st.DataObject, kind: str, share: float) -> None:
        who, (source, key) = data.draw(
            st.sampled_from([(n, which) for n, desk in enumerate(self.desks) for which in desk.open])
        )
        desk = self.desks[who]
        charge = desk.open.pop((source, key)) * share
        again = self.now + (DAY if kind in ("hit", "miss") else HOUR / 2)
        job = "job-7" if kind == "pending" else ""
        one = Answered(key=key, kind=kind, charge=charge, expires_at=again, job=job)
        self.journals[who].record_all(source, [one], now=self.now, run=desk.run)
        question = self.questions[source, key]
        mine = question.run == desk.run
        if kind in ("hit", "miss"):
            question.asked, question.expires_at, waits, question.job = False, again, False, ""
        elif mine:
            waits = kind == "pending" or (kind != "lost" and bool(question.job))
            self.not_answered(question, kind, again)
        if not mine:
            self.enter(source, key, desk.run, charge)
        elif waits:
            self.enter(source, key, desk.run, charge)
            if question.entry is not None:
                question.entry.amount = max(0.0, question.entry.amount - charge)
        else:
            self.charge(question, source, key, kind, charge)

    def not_answered(self, question: Question, kind: str, again: float) -> None:
        if kind == "pending":
            question.asked, question.job, question.expires_at = False, "job-7", again
        elif kind in ("unknown", "lost"):
            question.asked, question.expires_at = True, again
            question.job = "" if kind == "lost" else question.job
        elif kind == "refused":
            question.asked, question.expires_at = False, again
        elif question.asked:
            question.asked, question.expires_at = False, self.now

    def charge(self, question: Question, source: str, key: str, kind: str, charge: float) -> None:
        entry = question.entry
        if entry is None:
            self.enter(source, key, question.run, charge)
        elif kind in ("unknown", "lost"):
            entry.amount = max(entry.amount, charge)
        else:
            entry.amount, question.entry = charge, None

    def enter(self, source: str, key: str, run: str, amount: float) -> Entry:
        self.ledger.append(Entry(source, key, run, self.now, amount))
        return self.ledger[-1]

    def sums(self, source: str, run: str) -> dict[str, tuple[float, float]]:
        """Each budget that a call to this source in this run can touch: what is spent, and what may be."""
        now, budgets = datetime.fromtimestamp(self.now, UTC), self.budgets
        vendor_day, vendor_month = budgets.vendors.get(source, (inf, inf))

        def spent(*those: Callable[[Entry], bool]) -> float:
            return sum(e.amount for e in self.ledger if all(that(e) for that in those))

        def today(e: Entry) -> bool:
            return datetime.fromtimestamp(e.at, UTC).date() == now.date()

        def this_month(e: Entry) -> bool:
            then = datetime.fromtimestamp(e.at, UTC)
            return (then.year, then.month) == (now.year, now.month)

        def of_source(e: Entry) -> bool:
            return e.source == source

        accounts = {
            f"account {key}": (
                spent(lambda e, key=key: e.key == key and e.at > self.now - 30 * DAY),  # type: ignore[misc]
                budgets.account,
            )
            for key in KEYS
        }
        return accounts | {
            "run": (spent(lambda e: e.run == run), budgets.run),
            "day": (spent(today), budgets.day),
            "month": (spent(this_month), budgets.month),
            "vendor day": (spent(today, of_source), vendor_day),
            "vendor month": (spent(this_month, of_source), vendor_month),
        }

    @invariant()
    def the_journal_has_spent_what_the_ledger_says(self) -> None:
        for source in SOURCES:
            total = sum(e.amount for e in self.ledger if e.source == source)
            assert self.journals[0].spent(source, 0.0) == pytest.approx(total)

    @invariant()
    def what_is_left_of_each_budget_is_what_the_ledger_leaves(self) -> None:
        left = self.journals[1].budget_left(self.budgets, now=self.now)
        sums = self.sums("one", "")
        named = {
            f"vendor one {name.partition(' ')[2]}" if " " in name else name: budget - spent
            for name, (spent, budget) in sums.items()
            if name.endswith(("day", "month")) and budget != inf
        }
        assert left == pytest.approx(named)

    def teardown(self) -> None:
        if hasattr(self, "journals"):
            assert self.journals[0].verify(now=self.now) == []


class BudgetedOnPostgres(Budgeted):
    pair = staticmethod(postgres_pair)


TestBudgets = Budgeted.TestCase
TestBudgets.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestBudgetsOnPostgres = BudgetedOnPostgres.TestCase
TestBudgetsOnPostgres.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    for pair in (sqlite_pair, postgres_pair):
        if pair.cache_info().currsize:
            for journal in pair():
                journal.close()
