"""`icp-sync apply`: write exactly what a plan says, or let pass what the guard holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.daemon import Stopping
    from icp_sync.settings import Settings
    from icp_sync.sync.plan_file import PlanFile
    from icp_sync.wiring import Wired

INTERRUPTED = 130
KIND = "apply"
EXAMPLES = 20
"""Changes not made that are shown."""


def register(app: typer.Typer) -> None:
    app.command()(apply)


def apply(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLAN | [ID|DOMAIN]…", help="The plan's file; with --held, accounts."),
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="Let pass what the guard holds.")] = False,
    rule: Annotated[
        str | None, typer.Option("--rule", help="With --held: only what this rule holds.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Why, for the audit.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also when the plan goes beyond the guard's limits.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Write exactly what a plan says.

    What moved since it was made is reported and left alone. With --held: let pass what the guard holds.
    """
    named = what or []
    _refuse_mixed(named, held=held, rule=rule, force=force)
    if held:
        _let_pass(named, rule, note, config, connection, as_json=as_json)
    else:
        _applied(Path(named[0]), note, config, connection, force=force, as_json=as_json)


def _refuse_mixed(named: list[str], *, held: bool, rule: str | None, force: bool) -> None:
    problems = []
    if held and force:
        problems.append(Problem(where="--force", what="goes with a plan, not with --held"))
    if rule is not None and not held:
        problems.append(Problem(where="--rule", what="goes with --held"))
    if not held and len(named) != 1:
        hint = "icp-sync apply plan.json, or icp-sync apply --held"
        problems.append(Problem(where="apply", what="one plan, or --held, is wanted", hint=hint))
    if problems:
        raise ConfigError(problems, next_step="icp-sync plan --out plan.json")


def _let_pass(
    accounts: list[str], rule: str | None, note: str, config: Path | None, name: str | None, *, as_json: bool
) -> None:
    from icp_sync.cli.holding import let_pass
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.text import counted
    from icp_sync.reporting.waiting import the_rule

    chosen = None if rule is None else the_rule(rule)
    with opened(config, name) as at:
        done = let_pass(at, accounts, chosen, note)
    if as_json:
        document(done)
        return
    screen = Screen.here()
    rules = done["rules"]
    assert isinstance(rules, dict)
    if not rules:
        screen.say("Nothing of that is held.")
        return
    for held, count in rules.items():
        screen.say(f"{held}: {counted(count, 'account')} may pass, once and as held")
    screen.say("They land with the next due accounts, or now with: icp-sync run --once")


def _applied(
    path: Path, note: str, config: Path | None, connection: str | None, *, force: bool, as_json: bool
) -> None:
    from icp_sync.cli.handing import here_or_handed
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.daemon import Stopping
    from icp_sync.sync.plan_file import read_plan
    from icp_sync.sync.plan_file.binding import refuse_misfit, refuse_unapproved

    plan = read_plan(path)
    screen = None if as_json else Screen.here()
    stopping = Stopping()
    with wired(config, connection) as (settings, parts):
        refuse_misfit(plan, parts.parts)
        refuse_unapproved(plan, parts.parts)

        def here() -> dict[str, Any]:
            return _here(plan, settings, parts, stopping, note, force=force)

        args = {"path": str(path.resolve()), "digest": plan.digest, "note": note, "force": force}
        result = here_or_handed(settings, parts, KIND, args, here, screen)
    if screen is None:
        document({**result, "connection": parts.name, "interrupted": not result["done"]})
    else:
        _show(screen, path, result)
    if not result["done"]:
        raise typer.Exit(INTERRUPTED)


def _here(
    plan: PlanFile, settings: Settings, wired: Wired, stopping: Stopping, note: str, *, force: bool
) -> dict[str, Any]:
    from icp_sync.cli.acting import who
    from icp_sync.cli.run import bound, refuse_unsealed
    from icp_sync.cli.run.progress import progress
    from icp_sync.observe import arm_faults_from_environment
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.plan_file import apply as write

    arm_faults_from_environment()
    with stopping.on_signals():
        refuse_unsealed(settings, wired)
        bound(wired)
        with progress("apply", plan.accounts) as ticked:
            scope = Scope(ticked=ticked, going=stopping.going)
            return write(plan, wired.parts, scope, by=who(), note=note, force=force).to_json()


def _show(screen: Screen, path: Path, result: Mapping[str, Any]) -> None:
    from icp_sync.reporting.text import counted

    if result["again"]:
        screen.say(f"{path} was applied already, as run {result['run']}; nothing was written.")
        return
    screen.say(
        f"{path}, run {result['run']}: {counted(result['written'], 'account')} written"
        + f" ({result['partly']:,} of them in part)" * bool(result["partly"])
        + f", {counted(result['fields'], 'field')}; {result['already']:,} held it already"
        + f"; {result['skipped']:,} done by an earlier attempt" * bool(result["skipped"])
        + f"; {result['refused']:,} refused, {result['deferred']:,} not written now"
        * bool(result["refused"] or result["deferred"])
    )
    _show_moved(screen, result)
    if result["missing"]:
        shown = ", ".join(result["missing"][:EXAMPLES])
        screen.say(f"{counted(result['gone'], 'account')} deleted or merged away since: {shown}")
    if result["problems"]:
        screen.heading("Not written")
        screen.table(["id", "why"], result["problems"][:EXAMPLES])
        screen.say("they are tried again with the next due accounts: icp-sync status --refused --deferred")
    if not result["done"]:
        screen.say(f"Interrupted. To continue: icp-sync apply {path}")
    elif result["written"] or result["skipped"]:
        screen.say(f"To take it back: icp-sync undo {result['run']}")


def _show_moved(screen: Screen, result: Mapping[str, Any]) -> None:
    from icp_sync.reporting.text import counted, short

    if not result["moved"]:
        return
    screen.heading(f"Not made, as something moved since: {counted(result['moved'], 'change')}")
    if result["other"]:
        screen.say(
            f"{counted(result['other'], 'account')} left whole, as their facts are others than when the plan "
            "was made: icp-sync plan plans them anew"
        )
    rows = [
        (
            m["id"],
            short(m["name"], 24),
            m["field"],
            short(m["planned"] or "blank", 24),
            short(m["live"] or "blank", 24),
            m["why"],
        )
        for m in (_plain(move) for move in result["moves"][:EXAMPLES])
    ]
    screen.table(["id", "name", "field", "planned from", "live now", "why"], rows)


def _plain(move: Any) -> Mapping[str, str]:
    return {name: str(value) for name, value in dict(move).items()}
