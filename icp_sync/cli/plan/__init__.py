"""`icp-sync plan`: a dry run over the CRM: what would change and cost. Buys nothing, writes nothing."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Limit, Where
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.cli.plan.showing import Planned
    from icp_sync.sync.draft import Policy
    from icp_sync.sync.plan_file import Drawn
    from icp_sync.sync.plan_file.document import Header
    from icp_sync.wiring import Wired


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to plan by, and of which accounts. documents: of the profiles; name: what to call them."""

    policy: Policy
    documents: tuple[tuple[str, str], ...]
    name: str
    limit: int | None
    where: tuple[str, ...]

    @property
    def selection(self) -> str:
        """The restriction in words, "" for none."""
        limit = [f"--limit {self.limit}"] if self.limit else []
        return " ".join([*(f"--where {clause}" for clause in self.where), *limit])


def register(app: typer.Typer) -> None:
    app.command()(plan)


def plan(
    limit: Limit = None,
    where: Where = None,
    profile: Annotated[
        list[Path] | None,
        typer.Option("--profile", metavar="FILE", help="Plan with these files; repeatable."),
    ] = None,
    mode: Annotated[
        Mode | None,
        typer.Option("--mode", metavar="write|route", help="Plan as for this mode; else route in observe."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Keep the plan, for: icp-sync apply FILE")
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Show what would change and cost; writes and buys nothing."""
    from icp_sync.cli.opening import wired
    from icp_sync.cli.plan.showing import show, to_json
    from icp_sync.cli.rendering import Screen, document

    _refuse_unfit(out, mode)
    with wired(config, connection, talk=not sys.stderr.isatty()) as (_, parts):
        policy, documents, name = _policy(parts, profile, mode)
        wanted = Wanted(policy=policy, documents=documents, name=name, limit=limit, where=tuple(where or ()))
        planned, digest = _kept(parts, wanted, out)
    if as_json:
        document({**to_json(planned), **({"plan": str(out), "digest": digest} if out else {})})
        return
    screen = Screen.here()
    show(screen, planned)
    if out:
        screen.say(f"Kept in {out} ({digest}). To write exactly this: {_to_apply(planned, out)}")


def _to_apply(planned: Planned, out: Path) -> str:
    """The commands that write a kept plan, from the mode the connection is in."""
    if planned.mode is planned.live_mode:
        return f"icp-sync apply {out}"
    after = f"icp-sync mode {planned.mode.value}, then: icp-sync apply {out}"
    if (planned.live_mode, planned.mode) == (Mode.OBSERVE, Mode.ROUTE):
        after += f". For mode write, the next step up: icp-sync plan --mode write --out {out}"
    return after


def _refuse_unfit(out: Path | None, mode: Mode | None) -> None:
    """A plan overwrites nothing but a plan, and is for a mode in which something is written."""
    from icp_sync.sync.plan_file.document import is_plan

    if mode is Mode.OBSERVE:
        raise ConfigError([Problem(where="--mode", what="in mode observe nothing is written")])
    if out is None or (out.suffix == ".json" and (not out.exists() or is_plan(out))):
        return
    what = f"{out} is there already, and no plan" if out.exists() else "a plan is a JSON file"
    raise ConfigError([Problem(where="--out", what=what, hint="name a new file that ends in .json")])


def _policy(
    parts: Wired, files: list[Path] | None, mode: Mode | None
) -> tuple[Policy, tuple[tuple[str, str], ...], str]:
    """What to plan by, its documents and its name. In mode observe everything would be left out, so plan as
    for route unless another mode is asked for."""
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import parse_profiles, policy_of

    active = parts.journal.active()
    version, documents = active or (0, ())
    if files or active is None:
        loaded = load_all(files or parts.settings.profiles, types=parts.types)
        before, documents = documents, tuple((one.path.name, one.text) for one in loaded)
        profiles = tuple(one.profile for one in loaded)
        policy = policy_of(profiles, version + (before != documents), parts)
        named = ", ".join(str(one.path) for one in loaded)
    else:
        policy = policy_of(parse_profiles(documents, parts.types), version, parts)
        named = f"the active version {version}"
    mode = mode or (Mode.ROUTE if policy.mode is Mode.OBSERVE else policy.mode)
    return replace(policy, mode=mode), documents, named


def _kept(parts: Wired, wanted: Wanted, out: Path | None) -> tuple[Planned, str]:
    """The dry run, drawn into a file where one is named; and the file's digest."""
    from icp_sync.cli.plan.showing import to_json
    from icp_sync.sync.plan_file import Drawn
    from icp_sync.sync.plan_file.document import PlanWriter
    from icp_sync.tables.writing import whole

    header = _header(parts, wanted) if out else None
    with whole(out, mark=False) if out else nullcontext() as stream:
        writer = PlanWriter(stream, header) if stream and header else None
        drawn = Drawn(writer.row if writer else lambda _: None)
        planned = _planned(parts, wanted, _dry_run(parts, wanted, drawn))
        if writer is None:
            return planned, ""
        summary = {name: value for name, value in to_json(planned).items() if name != "changes"}
        return planned, writer.end(summary)


def _header(parts: Wired, wanted: Wanted) -> Header:
    from icp_sync.cli.acting import who
    from icp_sync.sync.plan_file.binding import header

    policy = wanted.policy
    return header(
        parts.parts,
        wanted.documents,
        policy.version,
        policy.mode,
        author=who(),
        selection=wanted.selection,
    )


def _planned(parts: Wired, wanted: Wanted, drawn: Drawn) -> Planned:
    from icp_sync.cli.plan.cost import cost
    from icp_sync.cli.plan.showing import Planned
    from icp_sync.sync.inquiry import budgets_left, left_alone

    journal, now = parts.journal, parts.parts.clock()
    population = journal.population()
    moved = journal.guarded([], [], population=population, now=parts.parts.clock()).moved
    return Planned(
        report=drawn,
        connection=parts.name,
        crm=parts.crm.kind,
        mode=wanted.policy.mode,
        live_mode=journal.mode(),
        profile=wanted.name,
        absent=tuple(sorted(getattr(parts.crm, "disabled", {}))),
        cost=cost(parts, drawn),
        outputs=parts.parts.outputs,
        beyond=tuple(drawn.guarded.beyond(wanted.policy.limits, population, moved)),
        budgets_left=budgets_left(journal, wanted.policy.buying.budgets, now),
        sources_left_alone=left_alone(journal, [e.name for e in parts.parts.enrichers], now),
    )


def _dry_run(parts: Wired, wanted: Wanted, drawn: Drawn) -> Drawn:
    from icp_sync.cli.run.progress import progress
    from icp_sync.ports import Stream
    from icp_sync.sync.cycle import Scope, cycle
    from icp_sync.sync.where import parse

    test, limit = parse(wanted.where, parts.types), wanted.limit
    counts = parts.journal.counts()
    known = sum(counts.values()) - counts.get("gone", 0)
    with progress("plan", min(known, limit or known) if test is None else 0) as ticked:
        scope = Scope(apply=False, restart=True, limit=limit, where=test, ticked=ticked, report=drawn)
        report = cycle(Stream.BACKFILL, replace(parts.parts, policy=lambda: wanted.policy), scope)
    if report is None:
        raise UnavailableError("another dry run of this connection is under way", next_step="icp-sync status")
    return drawn
