"""`icp-sync bind`: tying a journal to a CRM, and what must be there before a connection may write."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.owning import LOOKED_AT
from icp_sync.errors import ConfigError, Problem, UnavailableError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Journal
    from icp_sync.ports import Identity
    from icp_sync.settings import Settings
    from icp_sync.wiring import Wired


def register(app: typer.Typer) -> None:
    app.command()(bind)


def bind(
    rebind: Annotated[
        bool, typer.Option("--rebind", help="The CRM behind the credentials changed, and that is meant.")
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Declare other installations' seals void, their values people's, and what they made ours.",
        ),
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Tie the journal to the CRM the credentials open."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.wiring import seal_key
    from icp_sync.wiring import take_over as void

    with wired(config, connection) as (settings, parts):
        identity = _asked_anew(parts) if rebind else parts.crm.identity()
        before = parts.journal.bound_to()
        parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time(), rebind=rebind)
        voided: Counter[str] = Counter()
        if take_over:
            if settings.seal_file.exists():
                seal_key(settings.seal_file)
            else:
                refuse_lost_seal(settings.seal_file, parts.journal)
                make_seal(settings, parts.journal)
            voided = _foreign_seals(parts)
            for installation in sorted(voided):
                void(settings.seal_file, installation)
            if voided:
                parts.journal.request_backfill("took over from another installation", time.time())
        if take_over or before != identity.id:
            changed: dict[str, object] = {"before": before, "after": identity.id, "taken_over": dict(voided)}
            if take_over:
                changed["declared"] = True  # that what bears our marks is ours
            parts.journal.audit("bind", who=who(), now=time.time(), **changed)
    if as_json:
        document({"identity": identity.id, "before": before, "taken_over": dict(voided)})
        return
    screen = Screen.here()
    if before == identity.id:
        screen.say(f"Already bound to {identity.id}.")
    else:
        moved = f", before {before}; a backfill is requested." if before else "."
        screen.say(f"Bound to {identity.id}{moved}")
    if take_over:
        _show_voided(screen, voided)


def _asked_anew(parts: Wired) -> Identity:
    """Who is there now. The limits the journal knows may be those of the portal that was there before: where
    they forbid to ask, they are forgotten."""
    try:
        return parts.crm.identity()
    except UnavailableError:
        parts.journal.forget_quota()
        return parts.crm.identity()


def _show_voided(screen: Screen, voided: Counter[str]) -> None:
    for installation, accounts in sorted(voided.items()):
        screen.say(f"Installation {installation} ({accounts} accounts seen): its seals are void from now on.")
    if not voided:
        screen.say(f"No foreign seal among the first {LOOKED_AT:,} accounts; what bears our marks is ours.")


def _foreign_seals(parts: Wired) -> Counter[str]:
    """Installation id → accounts it sealed, among the first ones of the CRM."""
    from icp_sync.cli.owning import seals

    return Counter(text.strip().split(";")[1] for text, seal in seals(parts) if seal.foreign)


def make_seal(settings: Settings, journal: Journal) -> None:
    """Make the seal key. From here on every connection's audit is signed with it."""
    from icp_sync.cli.acting import who
    from icp_sync.wiring import seal_key

    key = seal_key(settings.seal_file, create=True)
    journal.signing_with(key)
    for name in settings.names:
        one = journal.for_connection(name)
        if one.audited(limit=1):
            one.audit("seal key made", who=who(), now=time.time(), installation=key.installation)


def refuse_lost_seal(path: Path, journal: Journal) -> None:
    """Raises UnsafePlanError when the missing key is one we sealed values with."""
    from icp_sync.sync.foreign import RESTORE

    if journal.ever_wrote():
        raise UnsafePlanError(
            f"the seal key {path} is gone, and the journal shows values written with it: under a new key "
            "they would look like another installation's, and their accounts would be held",
            next_step=RESTORE,
        )


def refuse_unready(seal: Path, journal: Journal) -> None:
    """Raise ConfigError with everything that must be done before a connection may write."""
    from icp_sync.daemon.portal import no_seal
    from icp_sync.wiring import seal_key

    problems = []
    if not seal.exists():
        what, hint = no_seal(journal)
        problems.append(Problem(where=str(seal), what=what, hint=hint))
    else:
        try:
            seal_key(seal)
        except ConfigError as error:
            problems += [replace(problem, hint=error.next_step) for problem in error.problems]
    if not journal.bound_to():
        hint = "icp-sync provision --apply"
        problems.append(Problem(where="journal", what="it is not bound to a CRM yet", hint=hint))
    if journal.active() is None:
        hint = "icp-sync profile activate"
        problems.append(Problem(where="profile", what="none is active yet", hint=hint))
    if problems:
        raise ConfigError(problems, next_step=problems[0].hint)
