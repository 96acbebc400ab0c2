"""`icp-sync demo`: the whole job on a simulated CRM, told as a short story."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.demo.edits import Edit
    from icp_sync.cli.demo.world import World
    from icp_sync.cli.rendering import Screen
    from icp_sync.sync.report import Report
    from icp_sync.wiring import Wired

TIERS = ("A", "B", "C", "D", "Needs data", "Not ICP")
WIDTH = 100


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    crm: Annotated[
        str, typer.Option("--crm", metavar="hubspot|salesforce", help="Which CRM to simulate.")
    ] = "hubspot",
    accounts: Annotated[
        int, typer.Option("--accounts", min=10, help="Companies in the simulated CRM.")
    ] = 1_837,
    seed: Annotated[int, typer.Option("--seed", help="The same companies for the same seed.")] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the simulated CRM running to try things on.")
    ] = False,
    console: Annotated[
        str | None,
        typer.Option(
            "--console", metavar="HOST:PORT", help="Then let the worker run, with its console there."
        ),
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="PATH", help="Also save this output as a picture.")
    ] = None,
) -> None:
    """Watch the whole job happen on a simulated CRM with real companies; needs nothing but this machine."""
    with ExitStack() as stack:
        screen = stack.enter_context(_screen(svg))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="icp-sync-demo-")))
        from icp_sync.cli.demo.world import WORLDS, simulated

        if crm not in WORLDS:
            problem = Problem(where="--crm", what=f"'{crm[:40]}' is none of {', '.join(WORLDS)}")
            raise ConfigError([problem], next_step="icp-sync demo --crm salesforce")
        world = stack.enter_context(simulated(folder, crm=crm, accounts=accounts, seed=seed))
        with _wired(world) as wired:
            clean = _tell(screen, world, wired)
        if console is not None:
            _work(screen, world, console)
        elif keep:
            _keep(screen, world)
    if not clean:
        raise typer.Exit(1)


@contextmanager
def _screen(svg: Path | None) -> Iterator[Screen]:
    from rich.console import Console

    from icp_sync.cli.rendering import Screen

    console = Console(highlight=False, markup=False, emoji=False, record=svg is not None)
    if svg is not None or (not console.is_terminal and "COLUMNS" not in os.environ):
        console.width = WIDTH
    yield Screen(console)
    if svg is not None:
        svg.parent.mkdir(parents=True, exist_ok=True)
        console.save_svg(str(svg), title="icp-sync demo")


@contextmanager
def _wired(world: World) -> Iterator[Wired]:
    from icp_sync.observe import configure_logs
    from icp_sync.settings import load
    from icp_sync.wiring import wire

    configure_logs(level="error")
    now = time.time()  # one instant for the whole story, so that nothing decays while it is told
    wired = wire(load(world.config), clock=lambda: now, create_seal=True)
    try:
        yield wired
    finally:
        wired.journal.close()


def _tell(screen: Screen, world: World, wired: Wired) -> bool:
    """The story; false when the second pass was not clean."""
    from icp_sync.cli.explain.showing import show
    from icp_sync.reporting.explain import explain_account

    _setting(screen, world)
    _prepare(screen, world, wired)
    _look_first(screen, wired)
    first = _backfill(screen, world, wired)
    _tiers(screen, world, first)
    screen.heading("6  One account in full")
    policy = wired.parts.policy()
    show(screen, explain_account(wired.journal, _typical(wired), policy.version, list(policy.compiled)))
    _live(screen, world, wired)
    return _second_pass(screen, world, wired)


def _setting(screen: Screen, world: World) -> None:
    filled = world.count("headcount")
    screen.heading(f"1  A CRM with {world.accounts:,} companies")
    screen.say(
        f"A simulated {world.title} at {world.url}: real listed companies, {world.about}. "
        f"{filled['']:,} companies have no headcount, {world.vacant():,} no owner."
    )


def _prepare(screen: Screen, world: World, wired: Wired) -> None:
    from icp_sync.cli.views import make
    from icp_sync.profile_file import load_all

    loaded = load_all(wired.settings.profiles, types=wired.types)
    documents = [(one.path.name, one.text) for one in loaded]
    profiles = tuple(one.profile for one in loaded)
    blueprint, identity = wired.blueprint(profiles), wired.crm.identity().id
    steps = wired.crm.provision(blueprint, apply=True)
    now = wired.parts.clock()
    wired.journal.bind(identity, crm=wired.crm.kind, now=now)
    views = sum(bool(one.key and one.id) for one in make(wired, blueprint, identity).steps)
    version = wired.journal.activate(documents, now=now, note="demo")
    made, profile = sum(step.done for step in steps), profiles[0]
    screen.heading("2  Prepare")
    screen.say(
        f"icp-sync provision --apply     {made} steps: {world.prepared}\n"
        f"icp-sync provision --views     {views} {world.views} for reps: each tier, Research lane, and more\n"
        f"icp-sync profile activate      {profile.name}, version {version}: "
        f"{len(profile.criteria)} criteria, {len(profile.flags)} flags, {len(profile.routes)} routes"
    )


def _look_first(screen: Screen, wired: Wired) -> None:
    from icp_sync.ports import Stream
    from icp_sync.sync.cycle import Scope, cycle

    report = cycle(Stream.BACKFILL, wired.parts, Scope(apply=False))
    assert report is not None
    screen.heading("3  Look before writing")
    screen.say(
        f"icp-sync plan                  {report.read:,} companies on what the CRM knows; nothing written\n"
        f"{report.tiers['Needs data']:,} of them need data so far. For {report.calls:,} a missing fact could "
        f"change the tier: only those would be looked up."
    )


def _backfill(screen: Screen, world: World, wired: Wired) -> Report:
    from icp_sync.domain.standing import Mode
    from icp_sync.ports import Stream
    from icp_sync.sync.cycle import cycle

    wired.journal.set_mode(Mode.ROUTE, now=wired.parts.clock())
    screen.heading("4  Bring every record into line")
    began = time.monotonic()
    report = cycle(Stream.BACKFILL, wired.parts)
    took = time.monotonic() - began
    assert report is not None
    stats = world.stats()
    screen.say("icp-sync mode route; icp-sync run --backfill")
    screen.say(f"{report.read} companies evaluated", "bold")
    hits, asked = report.hits["public_companies"], report.calls
    screen.say(
        f"{asked:,} look-ups in public_companies, {hits:,} answered\n"
        f"{report.written:,} records written ({report.fields:,} values), "
        f"{sum(report.gained.values()):,} vacant accounts given an owner\n"
        f"{stats['total']:,} requests so far, {stats['limited']} turned away by a rate limit, {took:.0f} s"
    )
    return report


def _tiers(screen: Screen, world: World, report: Report) -> None:
    """What the CRM itself answers when asked for the tiers."""
    live = world.count("tier")
    lanes = world.count("lane")
    screen.heading("5  What a rep sees: tiers, read back from the CRM")
    rows = [(tier, f"{live[tier]:,}", _bar(live[tier], max(live.values()))) for tier in TIERS]
    screen.table(["tier", "companies", ""], rows, right=(1,))
    said = ", ".join(f"{lane or 'out of scope'} {count:,}" for lane, count in lanes.most_common())
    screen.say(f"lanes: {said}")
    outside = live[""]
    if outside:
        screen.say(f"{outside:,} companies are outside the profile's scope and keep blank fields.")
    owners = ", ".join(f"{who.partition('@')[0]} {n}" for who, n in sorted(report.gained.items()) if who)
    screen.say(f"new owners: {owners or 'none'}")


def _bar(count: int, most: int) -> str:
    return "▆" * round(40 * count / most) if most else ""


def _typical(wired: Wired) -> str:
    """An account worth reading: firm, tier B, enriched, and routed to somebody."""
    from icp_sync.cli.demo.edits import chosen

    return (
        chosen(
            wired,
            lambda a, f: a.tier == "B" and bool(a.previous and a.previous.routed_owner) and "employees" in f,
        )
        or chosen(wired, lambda a, f: a.tier in ("A", "B", "C", "D"))
        or chosen(wired, lambda a, f: True)
    )


def _live(screen: Screen, world: World, wired: Wired) -> None:
    from icp_sync.cli.demo.edits import happen, outcome
    from icp_sync.ports import Stream
    from icp_sync.reporting.text import short
    from icp_sync.sync.cycle import cycle

    screen.heading("7  Meanwhile, people work")
    edits: list[Edit] = happen(world, wired)
    world.control("clock", advance=10)
    report = cycle(Stream.POLL, wired.parts)
    assert report is not None
    rows = []
    for edit in edits:
        now, why = outcome(world, wired, edit)
        rows.append((short(edit.name, 24), edit.what, edit.before, now, why))
    screen.table(["company", "edit", "was", "is", "because"], rows)
    screen.say(
        f"The poll found {report.read:,} changed records: these three, and echoes of our own writes, which "
        f"cost one read each. It wrote {report.written}. A tier set by a person is theirs: left alone, "
        f"and said so."
    )


def _second_pass(screen: Screen, world: World, wired: Wired) -> bool:
    from icp_sync.ports import Stream
    from icp_sync.sync.cycle import Scope, cycle

    before = world.stats()["records_written"]
    report = cycle(Stream.BACKFILL, wired.parts, Scope(restart=True))
    assert report is not None
    writes = world.stats()["records_written"] - before
    screen.heading("8  What to type next")
    again = "icp-sync demo --keep" if world.kind == "hubspot" else f"icp-sync demo --keep --crm {world.kind}"
    for command, what in (
        (again, "leaves this CRM running, to explain, edit and break things"),
        ("icp-sync profile check config/profiles/b2b-saas-mid-market.yaml", ""),
        (f"icp-sync init --crm {world.kind}", f"your own {world.title.rpartition(' ')[2]}"),
    ):
        screen.say(f"{command:37}  {what}".rstrip())
    screen.say()
    screen.say(f"second pass: {writes} writes, {report.calls} enrichment calls", "bold green")
    return writes == 0 and report.calls == 0


def _work(screen: Screen, world: World, console: str) -> None:
    """The worker on the simulated CRM, with its console, until Ctrl-C."""
    from icp_sync.cli.run.working import work

    screen.say(
        f"\nThe worker runs on it now, and its console answers at http://{console}/ (Ctrl-C ends both)."
    )
    work(None, world.config, console)


def _keep(screen: Screen, world: World) -> None:
    screen.say(f"\nStill running. In another terminal: export ICP_SYNC_CONFIG={world.config}")
    screen.say(
        "then: icp-sync status, icp-sync explain DOMAIN, icp-sync run. Ctrl-C here ends it and cleans up."
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        screen.say("Cleaned up.")
