"""A whole small world for the story: a CRM in memory, a real journal file, a clock one moves by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from icp_sync.crm.memory import OURS, MemoryCrm
from icp_sync.crm.windows import Windows
from icp_sync.domain.account import Account, Owner
from icp_sync.domain.buying import AS_USUAL, Buying
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between, Within
from icp_sync.domain.facts import FactValue, Signal, choice, number
from icp_sync.domain.guard import Limits
from icp_sync.domain.profile import (
    DAY,
    Criterion,
    Effect,
    Flag,
    Member,
    Pool,
    Profile,
    Route,
    Target,
    Tiers,
    TimingSignal,
)
from icp_sync.domain.roster import NO_TABLES, Tables
from icp_sync.domain.seal import SealKey
from icp_sync.domain.standing import FIELDS, Mode
from icp_sync.journal import Journal
from icp_sync.ports import Answer, Enricher, Hit, Miss, Request, Stream
from icp_sync.quota.priority import Priority, current
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.sync.draft import Policy
from icp_sync.sync.report import Report
from tests.postgres import Server

START = 1_795_000_000.0
KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
ANNA, BEN = "anna@example.com", "ben@example.com"
PEOPLE = (Owner(id="1", email=ANNA, name="Anna"), Owner(id="2", email=BEN, name="Ben"))
OUR_VALUES = tuple(name for name in OURS if name not in ("seal", "owner") and not FIELDS[name].theirs)

PROFILE = Profile(
    name="mid-market",
    currency="USD",
    criteria=(
        Criterion(
            name="50–500 employees",
            layer="firmographic",
            when=Between(fact="employees", low=50, high=500, taper=0.5),
            weight=60,
        ),
        Criterion(
            name="Software",
            layer="firmographic",
            when=AnyOf(fact="industry", values=frozenset({"SOFTWARE"})),
            weight=40,
        ),
    ),
    score_scope=AnyOf(fact="lifecycle", values=frozenset({"prospect"})),
    timing=(
        TimingSignal(
            name="Raised a round",
            when=Within(fact="last_funding_date", seconds=180 * DAY, half_life=90 * DAY),
            weight=1,
        ),
    ),
    flags=(
        Flag(
            name="Agency",
            when=AnyOf(fact="business_model", values=frozenset({"agency"})),
            effect=Effect.MARK,
        ),
    ),
    tiers=Tiers(),
    routes=(
        Route(target=Target(lane="sales", pool="team"), tiers=("A", "B")),
        Route(target=Target(lane="nurture")),
    ),
    pools={"team": Pool(name="team", members=(Member(email=ANNA), Member(email=BEN)), imbalance=2.0)},
)


@dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Vendor:
    """An enricher that knows `book` (domain → facts), and remembers whom it was asked about."""

    book: Mapping[str, Mapping[str, FactValue]] = field(default_factory=dict)
    name: str = "vendor"
    facts: frozenset[str] = frozenset({"employees", "industry"})
    price: float = 1.0
    ttl: float = 30 * DAY
    miss_ttl: float = 7 * DAY
    asked: list[str] = field(default_factory=list)
    instead: Callable[[Request], Answer | None] = lambda _: None

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        self.asked.append(request.domain)
        other = self.instead(request)
        if other is not None:
            return other
        known = self.book.get(request.domain)
        if known is None:
            return Miss(charge=self.price)
        signals = (
            Signal(fact=fact, value=value, source=self.name, observed_at=START)
            for fact, value in known.items()
        )
        return Hit(signals=tuple(signals), charge=self.price)


def facts(
    *,
    employees: float | tuple[float, float] | None = None,
    industry: str = "",
    lifecycle: str = "prospect",
    domain: str = "",
    funded: float | None = None,
    business_model: str = "",
    at: float = START,
) -> tuple[Signal, ...]:
    """What the CRM says of a company, one readable line a case."""
    said: dict[str, FactValue] = {}
    if employees is not None:
        said["employees"] = number(*employees) if isinstance(employees, tuple) else number(employees)
    if industry:
        said["industry"] = choice(industry)
    if lifecycle:
        said["lifecycle"] = choice(lifecycle)
    if domain:
        said["domain"] = choice(domain)
    if funded is not None:
        said["last_funding_date"] = number(funded)
    if business_model:
        said["business_model"] = choice(business_model)
    return tuple(
        Signal(fact=fact, value=value, source=f"crm:{fact}", observed_at=at) for fact, value in said.items()
    )


WHOLE = Scope()
GOOD = {"employees": 100, "industry": "SOFTWARE"}  # tier A, 100 points
POOR = {"employees": 100, "industry": "RETAIL"}  # tier B, 60 points


@cache
def empty_journal() -> Path:
    """A migrated journal, made once: copying it is far quicker than migrating each test's own."""
    path = Path(mkdtemp(prefix="icp-sync-tests-")) / "journal.db"
    journal = Journal.open(f"sqlite:///{path}", "main")
    journal.close()
    return path


@dataclass
class World:
    """`cycle(stream)` runs what the daemon would; `late` is the index's lag, `lag` the trailing stream's."""

    folder: Path
    mode: Mode = Mode.ROUTE
    profile: Profile = PROFILE
    version: int = 1
    enrichers: Sequence[Enricher] = ()
    index_lag: float = 0.0
    page_size: int = 1000
    fields: Iterable[str] = OURS
    clock: Clock = field(default_factory=Clock)
    tables: Tables = NO_TABLES
    key: SealKey = KEY
    limits: Limits = field(default_factory=Limits)
    editors: Mapping[str, float] = field(default_factory=dict)  # class → seconds; 90 days where it is absent
    buying: Buying = AS_USUAL
    server: Server | None = None  # PostgreSQL for the journal instead of a file
    databases: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.crm = MemoryCrm(
            clock=self.clock,
            index_lag=self.index_lag,
            owners=PEOPLE,
            fields=self.fields,
            page_size=self.page_size,
            windows=Windows(),
        )
        self.journal = self.open()

    def open(self, name: str = "journal.db") -> Journal:
        """The journal of this name; a new and empty one where it does not exist."""
        if self.server is not None:
            if name not in self.databases:
                self.databases[name] = self.server.database() if self.databases else self.server.scratch()
            return Journal.open(self.databases[name], "main")
        path = self.folder / name
        if not path.exists():
            shutil.copy(empty_journal(), path)
        return Journal.open(f"sqlite:///{path}", "main")

    def lose_journal(self) -> None:
        """As after a disk failure: nothing is remembered, the seal key is configuration and stays."""
        self.journal.close()
        self.journal = self.open("another.db")

    def reopen(self, name: str = "journal.db") -> None:
        """As after a crash: the process is gone, the file is not."""
        self.journal.close()
        self.journal = self.open(name)
        self.journal.break_leases()

    def policy(self) -> Policy:
        return Policy(
            compiled=(compile_profile(self.profile),),
            version=self.version,
            key=self.key,
            mode=self.mode,
            tables=self.tables,
            limits=self.limits,
            editors=self.editors,
            buying=self.buying,
        )

    def parts(self, journal: Journal | None = None, holder: str = "one") -> Parts:
        return Parts(
            crm=self.crm,
            enrichers=self.enrichers,
            journal=journal or self.journal,
            policy=self.policy,
            clock=self.clock,
            holder=holder,
        )

    def cycle(self, stream: Stream, scope: Scope = WHOLE) -> Report:
        report = cycle(stream, self.parts(), scope)
        assert report is not None, f"{stream} is busy"
        return report

    def poll(self) -> Report:
        return self.cycle(Stream.POLL)

    def backfill(self, scope: Scope = WHOLE) -> Report:
        return self.cycle(Stream.BACKFILL, scope)

    def due(self) -> Report:
        return self.cycle(Stream.DUE)

    def company(
        self,
        name: str = "Acme",
        *,
        id: str = "",
        owner: str = "",
        parent: str = "",
        late: float = 0.0,
        **known: object,
    ) -> str:
        """Create a company with these facts (see `facts`) and return its id."""
        signals = facts(**known)  # type: ignore[arg-type]
        return self.crm.create(id=id, name=name, signals=signals, owner=owner, parent=parent, late=late)

    def live(self, account_id: str) -> Mapping[str, str]:
        return self.crm.account(account_id).live

    def account(self, account_id: str) -> Account:
        return self.crm.account(account_id)

    def writes(self, account_id: str = "") -> list[tuple[float, str, str, str]]:
        return [w for w in self.crm.writes if not account_id or w[1] == account_id]

    @contextmanager
    def priorities(self) -> Iterator[set[Priority]]:
        """With which priorities the CRM is called meanwhile."""
        seen: set[Priority] = set()

        def noting(call: Callable[..., object]) -> Callable[..., object]:
            def noted(*args: object) -> object:
                seen.add(current())
                return call(*args)

            return noted

        called = ("owners", "pages", "fetch", "write")
        for name in called:
            setattr(self.crm, name, noting(getattr(self.crm, name)))
        try:
            yield seen
        finally:
            for name in called:
                delattr(self.crm, name)

    def quiesce(self, most: int = 12) -> None:
        """Let streams run, with time passing, until two whole rounds write nothing."""
        quiet = 0
        for _ in range(most):
            before = len(self.crm.writes)
            for stream in (Stream.POLL, Stream.DUE, Stream.TRAILING, Stream.SWEEP):
                self.cycle(stream)
            self.clock.step(4000)
            quiet = quiet + 1 if len(self.crm.writes) == before else 0
            if quiet == 2:
                return
        raise AssertionError("it never comes to rest")


def without(profile: Profile, **changes: object) -> Profile:
    return replace(profile, **changes)  # type: ignore[arg-type]
