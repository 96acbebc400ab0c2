"""`icp-sync undo RUN`: what a run wrote goes back, where it is still ours; shown first, done with --apply."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Journal
    from icp_sync.settings import Settings
    from icp_sync.sync.undoable import Wanted
    from icp_sync.wiring import Wired

SHOWN = 20
INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    app.command()(undo)


def undo(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as icp-sync history lists them.")],
    accounts: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|DOMAIN]…", help="Only these accounts of the run.")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Only this field; repeatable. All when left out.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without, only say what would go back.")
    ] = False,
    note: Annotated[str, typer.Option("--note", help="Why, for the run's record and the audit.")] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Take back what a run wrote.

    What people changed since stays. It stays undone until inputs, profile or engine change.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import one_account, wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.sync.undoable import Wanted

    _refuse_unknown(run, field or [])
    screen = None if as_json else Screen.here()
    with wired(config, connection) as (settings, at):
        ids = tuple(dict.fromkeys(one_account(at.journal, account) for account in accounts or []))
        wanted = Wanted(run=run.strip(), fields=tuple(field or ()), ids=ids, note=note.strip(), by=who())
        told = _apply(settings, at, wanted, screen) if apply else _dry(at, wanted)
    if screen is None:
        document({"connection": at.name, **told})
    else:
        show(screen, told, _again(wanted))
    if apply and not told["done"]:
        raise typer.Exit(INTERRUPTED)
    if apply and told["left"]:
        raise typer.Exit(1)


def _refuse_unknown(run: str, fields: list[str]) -> None:
    """Raises ConfigError naming every field that is none of those we write."""
    from shlex import quote

    from icp_sync.domain.standing import FIELDS
    from icp_sync.profile_file.reading import suggestion

    ours = [name for name, known in FIELDS.items() if not (known.theirs or known.hidden)]
    problems = [
        Problem(where=f"--field {name[:40]}", what="no such field", hint=suggestion(name, ours))
        for name in fields
        if name not in ours
    ]
    if problems:
        raise ConfigError(problems, next_step=f"icp-sync undo {quote(run)}")


def _dry(at: Wired, wanted: Wanted) -> dict[str, Any]:
    from icp_sync.cli.run.progress import progress
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.undo import undo

    _end_the_dead(at.journal)
    if at.journal.bound_to():
        at.journal.bind(at.crm.identity().id, crm=at.crm.kind, now=at.parts.clock())
    with progress("undo", 0) as ticked:
        return undo(wanted, at.parts, Scope(apply=False, ticked=ticked)).to_json()


def _end_the_dead(journal: Journal) -> None:
    """What a killed process left as going on is over, unless somebody works on the journal now."""
    with suppress(ConfigError, UnavailableError), journal.hold("undo"):
        journal.break_leases()


def _apply(settings: Settings, at: Wired, wanted: Wanted, screen: Screen | None) -> dict[str, Any]:
    """Here, or by the worker that holds the journal."""
    from icp_sync.cli.handing import here_or_handed
    from icp_sync.cli.run.progress import progress
    from icp_sync.daemon import Stopping
    from icp_sync.daemon.portal import require_seal
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.undo import undo

    def here() -> dict[str, Any]:
        require_seal(settings.seal_file.exists(), at.journal)
        at.journal.bind(at.crm.identity().id, crm=at.crm.kind, now=at.parts.clock())
        stopping = Stopping()
        with stopping.on_signals(), progress("undo", 0) as ticked:
            return undo(wanted, at.parts, Scope(ticked=ticked, going=stopping.going)).to_json()

    return here_or_handed(settings, at, "undo", wanted.to_json(), here, screen)


def _again(wanted: Wanted) -> str:
    """The command for just this undo."""
    from shlex import quote

    fields = [part for name in wanted.fields for part in ("--field", name)]
    return " ".join(["icp-sync undo", *map(quote, (wanted.run, *wanted.ids)), *fields])


def show(screen: Screen, told: Mapping[str, Any], again: str) -> None:
    """The report for people. `told` is what `Undone.to_json` gives; again: the command without --apply."""
    from icp_sync.reporting.undoing import by_field, headline, lasting

    screen.say(headline(told), "bold")
    if told["by_field"]:
        screen.table(["field", "accounts"], [(name, f"{n:,}") for name, n in by_field(told)], right=(1,))
    _show_kept(screen, told)
    screen.heading("What no undo takes back")
    for line in lasting(told):
        screen.say(f"  {line}")
    _show_problems(screen, told)
    screen.say()
    screen.say(_next(told, again))


def _show_kept(screen: Screen, told: Mapping[str, Any]) -> None:
    """What stays as it is, and what was written again since."""
    from icp_sync.reporting.text import counted, short
    from icp_sync.reporting.undoing import untouched

    def rows(examples: list[dict[str, str]]) -> list[tuple[str, ...]]:
        columns = ("id", "name", "field", "live", "before")
        return [tuple(short(row[name] or "blank", 30) for name in columns) for row in examples[:SHOWN]]

    if told["people"]:
        screen.heading(
            f"Changed by people since, left alone: {counted(told['people'], 'field')} on "
            f"{counted(told['people_accounts'], 'account')}"
        )
        screen.table(["id", "name", "field", "theirs", "before the run"], rows(told["edited"]))
    if told["again"]:
        screen.heading(
            f"Written again by later runs of ours, goes back too: {counted(told['again'], 'field')}"
        )
        screen.table(["id", "name", "field", "now", "before the run"], rows(told["rewritten"]))
    for line in untouched(told):
        screen.say(line)


def _show_problems(screen: Screen, told: Mapping[str, Any]) -> None:
    from icp_sync.reporting.text import counted, short

    if told["held"] or told["left"]:
        screen.heading(f"Not restored: {counted(told['held'] + told['left'], 'account')}")
        rows = [(row["id"], short(row["what"], 160)) for row in told["problems"][:SHOWN]]
        screen.table(["id", "why"], rows)


def _next(told: Mapping[str, Any], again: str) -> str:
    if not told["apply"]:
        return (
            f"Nothing was written. To do it: {again} --apply" if told["restored"] else "Nothing to restore."
        )
    if not told["done"]:
        return f"Stopped after a page. To go on: {again} --apply"
    if told["left"]:
        return f"Some were not restored. To try those again: {again} --apply"
    if not (told["restored"] or told["continued"]):
        return f"Nothing was restored (run {told['undo']})."
    return f"Done, as run {told['undo']}. To take it back: icp-sync undo {told['undo']} --apply"
