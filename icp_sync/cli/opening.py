"""From `--config` and `--connection` to the objects a command works with, closed again when it ends."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem
from icp_sync.reporting.opened import Opened

if TYPE_CHECKING:
    from icp_sync.domain.facts import FactType
    from icp_sync.journal import Journal
    from icp_sync.settings import Each, Settings
    from icp_sync.wiring import Wired


_UNSAID = {
    "token": "none-given",
    "salesforce": '{"my_domain": "none.given.my", "session_id": "none-given"}',
    "salesforce.my_domain": "none.given.my",
    "salesforce.consumer_key": "none-given",
    "salesforce.consumer_secret": "none-given",
}
"""What a CRM is opened with, and what stands for it where none is opened."""
_OPENERS = (*map(re.escape, _UNSAID), r"inbound\.[a-z0-9_]+\.secret")
_NONE = "none-given-to-this-command"
_MISSING = re.compile(rf"connections\.([a-z0-9_]+)\.({'|'.join(_OPENERS)})")


def read_settings(
    config: Path | None,
    *,
    talk: bool = False,
    offline: bool = False,
    only: Collection[str] | str | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings; the engine's logs go to stderr from here on.

    talk: at the level the settings say; otherwise the command speaks for itself, and only `debug` shows
    them. offline: no CRM is talked to, so credentials that are missing are not missed. only: the connections
    that are read, or the only one. folder: of connections, in place of the one the settings say. Raises
    ConfigError with every problem.
    """
    from icp_sync.settings import load

    wanted = [only] if isinstance(only, str) else only
    try:
        settings = load(config, only=wanted, folder=folder)
    except ConfigError as error:
        environ = _unsaid(error.problems) if offline else {}
        if not environ or len(environ) < len(error.problems):
            raise
        settings = load(config, {**os.environ, **environ}, only=wanted, folder=folder)
    _speak(settings, talk=talk)
    return settings


def read_each(
    config: Path | None, *, talk: bool = False, offline: bool = False, only: Collection[str] | None = None
) -> Each:
    """The same with connections that cannot be used left out and told. Raises ConfigError where the fault is
    everybody's, or none is left."""
    from icp_sync.settings import load_each

    try:
        each, problems = load_each(config, only=only), []
    except ConfigError as error:
        each, problems = None, list(error.problems)
    problems += [one for found in (each.broken.values() if each else ()) for one in found]
    environ = _unsaid(problems) if offline else {}
    if environ or each is None:
        each = load_each(config, {**os.environ, **environ}, only=only)
    _speak(each.settings, talk=talk)
    return each


def _unsaid(problems: Sequence[Problem]) -> dict[str, str]:
    """Variable → what stands for a credential that is missing."""
    missing = [_MISSING.fullmatch(problem.where) for problem in problems if "is missing" in problem.what]
    return {
        "__".join(("ICP_SYNC_CONNECTIONS", m[1], *m[2].split("."))).upper(): _UNSAID.get(m[2], _NONE)
        for m in missing
        if m
    }


def _speak(settings: Settings, *, talk: bool) -> None:
    from icp_sync.observe import configure_logs

    level = settings.log.level if talk or settings.log.level == "debug" else "critical"
    configure_logs(json=settings.log.as_json, level=level)


def candidates(
    files: list[Path] | None, config: Path | None, connection: str | None
) -> tuple[list[Path], Mapping[str, FactType], Mapping[str, Sequence[str]]]:
    """Profile files, kinds of facts and the facts' sources: the connection's, or HubSpot's defaults where
    files are named and there are no settings."""
    from icp_sync.cli.rendering import note
    from icp_sync.domain.facts import CATALOGUE
    from icp_sync.enrichers import load
    from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
    from icp_sync.wiring import facts_of

    sources: dict[str, list[str]] = {}
    try:
        _, chosen = read_settings(config, offline=True, only=connection).connection(connection)
        facts_map, types = facts_of(chosen)
        for enricher in load(chosen.enrichers):
            for fact in enricher.facts:
                sources.setdefault(fact, []).append(enricher.name)
        paths = files or list(chosen.profiles)
    except ConfigError as error:
        if not files or config is not None or connection is not None:
            raise
        why = error.problems[0].what
        note(f"no usable settings here ({why}); judged by HubSpot's standard properties alone")
        paths, types, facts_map = files, CATALOGUE, HUBSPOT_DEFAULTS
    for source in facts_map.sources:
        sources.setdefault(source.fact, []).append(f"crm:{source.property}")
    return paths, types, sources


@contextmanager
def opened(config: Path | None, connection: str | None, *, existing: bool = False) -> Iterator[Opened]:
    """Settings and journal of one connection; talks to no CRM.

    existing: raise ConfigError rather than begin a new journal where there is none.
    """
    from icp_sync.wiring import open_journal

    settings = read_settings(config, offline=True, only=connection)
    name, chosen = settings.connection(connection)
    if existing:
        _refuse_absent(settings.journal)
    journal = open_journal(settings, name)
    try:
        yield Opened(name=name, settings=settings, connection=chosen, journal=journal)
    finally:
        journal.close()


@contextmanager
def journal_of(config: Path | None, connection: str | None) -> Iterator[Journal]:
    """The journal of one connection that the settings name, also where what they say of it cannot be used: a
    worker that had begun it before goes on with it."""
    from icp_sync.wiring import open_journal

    settings = read_settings(config, offline=True, only=())
    journal = open_journal(settings, settings.named(connection))
    try:
        yield journal
    finally:
        journal.close()


def _refuse_absent(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        what = f"there is no journal at {path}"
        hint = "bring it back from a backup; a new one can learn from the CRM"
        raise ConfigError(
            [Problem(where="journal", what=what, hint=hint)], next_step="icp-sync journal rebuild"
        )


@contextmanager
def wired(
    config: Path | None, connection: str | None, *, talk: bool = False
) -> Iterator[tuple[Settings, Wired]]:
    """Everything that works for one connection; its threads are told to stop when the command ends."""
    from icp_sync.wiring import wire

    settings = read_settings(config, talk=talk, only=connection)
    stop = threading.Event()
    parts = wire(settings, connection, stop=stop)
    try:
        yield settings, parts
    finally:
        stop.set()
        if callable(close := getattr(parts.crm, "close", None)):
            close()
        parts.journal.close()


def the_account(journal: Journal, text: str) -> list[tuple[str, str, str]]:
    """(id, name, domain) of every account this text may mean: an id, a domain, a web address, a name.

    Raises ConfigError when there is none.
    """
    from icp_sync.normalize.domains import registrable

    found = journal.find(text) or journal.find(registrable(text))
    if not found:
        raise ConfigError(
            [
                Problem(
                    where=f"account '{text[:80]}'",
                    what="the journal knows no account with this id, domain or name",
                    hint="the account may not have been read yet",
                )
            ],
            next_step="icp-sync run --once",
        )
    return found


def one_account(journal: Journal, text: str) -> str:
    """The id of the one account this text means. Raises ConfigError when it may mean none or several."""
    found = the_account(journal, text)
    if len(found) > 1:
        listed = ", ".join(f"{account_id} ({name})" for account_id, name, _ in found)
        what = f"{len(found)} accounts match: {listed}"
        raise ConfigError([Problem(where=f"account '{text[:80]}'", what=what, hint="name one by its id")])
    return found[0][0]
