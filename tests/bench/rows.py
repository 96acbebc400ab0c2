"""The rows of the table: what is run in turn, and how it is counted."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

import requests

from icp_sync.domain.assessment import assess
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.standing import Mode
from icp_sync.observe import configure_logs
from icp_sync.ports import Stream
from icp_sync.profile_file import load_all
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import Wired, wire
from tests.domain import oracle
from tests.domain.cases import NOW, facts

PROFILE = Path("config/profiles/b2b-saas-mid-market.yaml")
LISTED = Path("config/profiles/listed-companies.yaml")
COMPANIES = "/crm/objects/2026-03/companies"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison. ours, beside: medians in the stated unit; ratio: ours / beside."""

    what: str
    unit: str
    ours: float
    beside: float
    goal: str

    @property
    def ratio(self) -> float:
        return self.ours / self.beside if self.beside else float("inf")

    def line(self) -> str:
        ours, beside = (f"{figure:,.3g} {self.unit}" for figure in (self.ours, self.beside))
        return f"| {self.what} | {ours} | {beside} | {self.ratio:.2f} | {self.goal} |"

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}


def in_turn(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """Median of each run, all of them once a round."""
    taken = [[run() for run in runs] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def scoring_row(rounds: int) -> Row:
    """Accounts a second with range and verdicts: compiled, against a plain walk over the conditions."""
    profile = load_all([PROFILE])[0].profile
    compiled = compile_profile(profile)
    known = facts(
        employees=(51, 200),
        industry="COMPUTER_SOFTWARE",
        technologies={"hubspot"},
        revenue=(5e6, 2e7),
        country="US",
    )

    def rate(score: Callable[[], object], n: int) -> float:
        began = time.perf_counter()
        for _ in range(n):
            score()
        return n / (time.perf_counter() - began)

    ours, plain = in_turn(
        rounds,
        lambda: rate(lambda: assess(compiled, known, NOW), 20_000),
        lambda: rate(lambda: oracle.sums(profile, known, NOW), 2_000),
    )
    return Row(
        what="scoring with range and verdicts, against a plain walk",
        unit="accounts/s",
        ours=ours,
        beside=plain,
        goal="> 1",
    )


def backfill_rows(crm: Simulator, folder: Path, rounds: int) -> list[Row]:
    """Read, evaluate, write and commit everything, against the bare requests that move the same bytes."""
    configure_logs(level="error")
    wired = _ready(crm, folder)
    first = _calls(crm, lambda: cycle(Stream.BACKFILL, wired.parts))
    names = ",".join(wired.facts_map.properties)
    needed = 2 * ceil(crm.accounts / 100)

    def second_pass() -> float:
        began = time.perf_counter()
        cycle(Stream.BACKFILL, wired.parts, Scope(restart=True))
        return time.perf_counter() - began

    ours, bare = in_turn(rounds, second_pass, lambda: _bare_read(crm, names))
    echoes = _calls(crm, lambda: cycle(Stream.BACKFILL, wired.parts, Scope(restart=True)))
    wired.journal.close()
    return [
        Row(
            what=f"first backfill of {crm.accounts:,}, with owners and properties",
            unit="requests",
            ours=first,
            beside=needed,
            goal="≤ 1.02 and those",
        ),
        Row(
            what="second pass: requests",
            unit="requests",
            ours=echoes,
            beside=needed / 2,
            goal="≤ 1.02 and those",
        ),
        Row(
            what="read, evaluate and diff everything, against the bare read",
            unit="s",
            ours=ours,
            beside=bare,
            goal="≤ 2",
        ),
    ]


def _ready(crm: Simulator, folder: Path) -> Wired:
    config = folder / "icp-sync.toml"
    config.write_text(
        f'journal = "sqlite:///{folder}/journal.sqlite"\nseal_file = "{folder}/seal.key"\n'
        f'[connections.bench]\ncrm = "hubspot"\nbase_url = "{crm.url}"\ntoken = "{crm.token}"\n'
        f'profiles = ["{LISTED.resolve()}"]\nquota = {{burst = 10000, search = 1000}}\n',
        encoding="utf-8",
    )
    wired = wire(load(config), create_seal=True)
    documents = [(one.path.name, one.text) for one in load_all(wired.settings.profiles, types=wired.types)]
    now = time.time()
    wired.crm.provision(
        wired.blueprint(tuple(o.profile for o in load_all(wired.settings.profiles))), apply=True
    )
    wired.journal.bind(wired.crm.identity().id, crm="hubspot", now=now)
    wired.journal.activate(documents, now=now)
    wired.journal.set_mode(Mode.WRITE, now=now)
    return wired


def _calls(crm: Simulator, run: Callable[[], object]) -> int:
    before = int(str(crm.admin("GET stats")["total"]))
    run()
    return int(str(crm.admin("GET stats")["total"])) - before


def _bare_read(crm: Simulator, names: str) -> float:
    """List every company with the same properties and parse the JSON; nothing else."""
    began = time.perf_counter()
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {crm.token}"
        query = {"limit": "100", "properties": names}
        while True:
            page = json.loads(session.get(crm.url + COMPANIES, params=query, timeout=30).content)
            after = page.get("paging", {}).get("next", {}).get("after")
            if after is None:
                return time.perf_counter() - began
            query["after"] = after
