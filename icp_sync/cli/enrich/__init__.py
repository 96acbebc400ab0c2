"""`icp-sync enrich`: what would be worth asking about a company, asked; or about all that lack facts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Limit
from icp_sync.errors import ConfigError, Problem, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Journal
    from icp_sync.settings import Settings
    from icp_sync.sync.inquiry import Wanted
    from icp_sync.wiring import Wired

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    app.command()(enrich)


def enrich(
    about: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID|DOMAIN]", help="An account or a company; all accounts when left out."),
    ] = None,
    vendor: Annotated[
        list[str] | None,
        typer.Option("--vendor", metavar="NAME", help="Only this source, whatever it is worth; repeatable."),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="enrich VENDOR DOMAIN --raw: record one real reply as a sample.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="With --raw: the file for the sample.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be asked and cost.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask about all accounts, or one of no account, unconfirmed.")
    ] = False,
    limit: Limit = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Buy the facts that can still change an account.

    Within the budgets; the account comes due, so its standing follows in the next cycle.
    """
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen

    named, vendors = about or [], tuple(dict.fromkeys(vendor or ()))
    if raw:
        from icp_sync.cli.enrich.recording import record

        record([*vendors, *named], out, config, connection, as_json=as_json, dry_run=dry_run)
        return
    _refuse_unfit(named, out)
    screen = None if as_json else Screen.here()
    with wired(config, connection) as (settings, at):
        if named:
            wanted = _meant(at.journal, named[0], vendors)
            told = _one(settings, at, wanted, screen, dry_run=dry_run, yes=yes)
        else:
            told = _all(settings, at, _every(vendors, limit), screen, dry_run=dry_run, yes=yes)
        refused = _refused(at, told)
    _tell(told, at.name, screen, refused)
    if told.get("interrupted"):
        raise typer.Exit(INTERRUPTED)


def _refuse_unfit(named: list[str], out: Path | None) -> None:
    if len(named) > 1:
        hint = "to record a vendor's reply: icp-sync enrich VENDOR DOMAIN --raw"
        raise ConfigError([Problem(where="enrich", what="name one account, or none for all", hint=hint)])
    if out is not None:
        raise ConfigError([Problem(where="--out", what="is for --raw")])


def _meant(journal: Journal, text: str, vendors: tuple[str, ...]) -> Wanted:
    """The account a text means, or the company of a domain that no account has."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import one_account
    from icp_sync.normalize.domains import identifies, registrable
    from icp_sync.sync.inquiry import Wanted

    domain = registrable(text)
    try:
        return Wanted(id=one_account(journal, text), vendors=vendors, by=who())
    except ConfigError:
        if journal.find(text) or journal.find(domain) or not domain or not identifies(domain):
            raise
    return Wanted(domain=domain, vendors=vendors, by=who())


def _every(vendors: tuple[str, ...], limit: int | None) -> Wanted:
    from icp_sync.cli.acting import who
    from icp_sync.sync.inquiry import Wanted

    return Wanted(vendors=vendors, limit=limit, by=who())


def _one(
    settings: Settings, at: Wired, wanted: Wanted, screen: Screen | None, *, dry_run: bool, yes: bool
) -> dict[str, Any]:
    """An account is asked about at once; a company that is none, perhaps misspelt, once somebody agreed."""
    if wanted.id or dry_run or yes:
        return _dry(at, wanted) if dry_run else _applied(settings, at, wanted, screen)
    told = _dry(at, wanted)
    most = sum(told["credits_most"].values())
    if most <= 0:
        return _applied(settings, at, wanted, screen)
    _confirm(screen, told, wanted, most)
    return _applied(settings, at, wanted, screen)


def _confirm(screen: Screen | None, told: dict[str, Any], wanted: Wanted, most: float) -> None:
    from icp_sync.cli.enrich.showing import show
    from icp_sync.reporting.text import credits

    if screen is None or not sys.stdin.isatty():
        what = f"no account has the domain {wanted.domain}; asking about it costs up to {credits(most)}"
        named = "".join(f" --vendor {name}" for name in wanted.vendors)
        raise UnsafePlanError(what, next_step=f"icp-sync enrich {wanted.domain}{named} --yes")
    show(screen, told)
    if not typer.confirm(f"No account has the domain {wanted.domain}. Ask about it?"):
        raise typer.Exit


def _all(
    settings: Settings, at: Wired, wanted: Wanted, screen: Screen | None, *, dry_run: bool, yes: bool
) -> dict[str, Any]:
    """What it would cost, then, once a person agreed, the asking itself."""
    from icp_sync.cli.enrich.showing import show_all
    from icp_sync.reporting.text import counted

    if yes and not dry_run:
        return _applied(settings, at, wanted, screen)
    told = _dry(at, wanted)
    if dry_run or not told["wanting"]:
        return told
    if screen is None or not sys.stdin.isatty():
        wanting = counted(told["wanting"], "account")
        what = f"{wanting} would be asked about; somebody must agree to that first"
        raise UnsafePlanError(what, next_step="icp-sync enrich --yes, or icp-sync enrich --dry-run")
    show_all(screen, told)
    if not typer.confirm("Ask?"):
        raise typer.Exit
    return _applied(settings, at, wanted, screen)


def _dry(at: Wired, wanted: Wanted) -> dict[str, Any]:
    from icp_sync.cli.run.progress import progress
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.inquiry import inquire

    with progress("enrich", 0) as ticked:
        return inquire(wanted, at.parts, Scope(apply=False, ticked=ticked))


def _applied(settings: Settings, at: Wired, wanted: Wanted, screen: Screen | None) -> dict[str, Any]:
    """Here, or by the worker that holds the journal."""
    from icp_sync.cli.handing import here_or_handed
    from icp_sync.cli.run.progress import progress
    from icp_sync.daemon import Stopping
    from icp_sync.sync.cycle import Scope
    from icp_sync.sync.inquiry import inquire

    def here() -> dict[str, Any]:
        if not wanted.domain:
            at.journal.bind(at.crm.identity().id, crm=at.crm.kind, now=at.parts.clock())
        stopping = Stopping()
        with stopping.on_signals(), progress("enrich", 0) as ticked:
            told = inquire(wanted, at.parts, Scope(ticked=ticked, going=stopping.going))
            return {**told, "interrupted": not stopping.going()}

    return here_or_handed(settings, at, "enrich", wanted.to_json(), here, screen)


def _refused(at: Wired, told: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Each source that refused our key or has no credits left, with where its keys come from."""
    from icp_sync.sync.vendors import LASTING
    from icp_sync.wiring import keys_of

    kinds = told.get("refusals", {}) | {n: state["kind"] for n, state in told.get("left_alone", {}).items()}
    return {name: keys_of(at.settings, at.name, name) for name, kind in kinds.items() if kind in LASTING}


def _tell(
    told: dict[str, Any], connection: str, screen: Screen | None, refused: dict[str, tuple[str, ...]]
) -> None:
    from icp_sync.cli.enrich.showing import readable, show, show_keys
    from icp_sync.cli.rendering import document

    if screen is None:
        document({"connection": connection, **readable(told), "keys": refused})
    else:
        show(screen, told)
        show_keys(screen, told, refused)
