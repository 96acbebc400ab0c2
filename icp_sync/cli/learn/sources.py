"""Where the cases of `learn`, `profile backtest` and `profile promote` come from: the CRM, or CSV exports."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.domain.facts import FactType
    from icp_sync.domain.profile import Profile
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions


def book_for(
    config: Path | None,
    connection: str | None,
    accounts: Path | None,
    deals: Path | None,
    columns: Sequence[str],
    currency: str,
    *,
    join: Path | None = None,
) -> tuple[Book, Definitions]:
    """The cases, and by which definitions they were placed.

    From the files where `accounts` names one, which needs neither settings nor a CRM; settings that are there
    say which facts and cohorts there are. Else from the connection's CRM and journal, read and not written.
    Raises ConfigError with every problem.
    """
    if accounts is not None:
        from icp_sync.learning.sources.labelled import book_from_files
        from icp_sync.tables.columns import parse_map

        named, definitions, types = _defined(config, connection)
        book = book_from_files(
            accounts,
            deals,
            join,
            definitions,
            columns=parse_map(columns),
            types=types,
            currency=currency.upper(),
            now=time.time(),
        )
        return _vouched(book, definitions, named), definitions
    problems = [
        Problem(where=option, what="describes a file of accounts, and none is named")
        for option, said in (("--deals", deals), ("--map", columns), ("--currency", currency))
        if said
    ]
    if problems:
        raise ConfigError(problems, next_step="name it with --accounts FILE.csv")
    return _from_crm(config, connection, join)


def _defined(config: Path | None, connection: str | None) -> tuple[str, Definitions, Mapping[str, FactType]]:
    """Of which connection the settings are, and what they say; "" and the usual where there are none."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.domain.facts import CATALOGUE
    from icp_sync.learning.definitions import Definitions, defined
    from icp_sync.wiring import facts_of

    try:
        named, chosen = read_settings(config, offline=True, only=connection).connection(connection)
    except ConfigError:
        if config is not None or connection is not None:
            raise
        return "", Definitions(), CATALOGUE
    return named, defined(chosen.learning), facts_of(chosen)[1]


def _from_crm(config: Path | None, connection: str | None, join: Path | None) -> tuple[Book, Definitions]:
    from icp_sync.cli.opening import wired
    from icp_sync.learning.definitions import defined
    from icp_sync.learning.sources.reading import book_of_connection
    from icp_sync.wiring import buying_of

    with wired(config, connection, talk=not sys.stderr.isatty()) as (_, parts):
        definitions = defined(parts.settings.learning)
        book = book_of_connection(
            parts.crm,
            parts.journal,
            definitions,
            types=parts.types,
            now=time.time(),
            buying=buying_of(parts.settings, parts.parts.enrichers),
            join=join,
        )
    return _vouched(book, definitions, parts.name), definitions


def _vouched(book: Book, definitions: Definitions, connection: str) -> Book:
    """The book with the facts that the settings vouch for; a word that changes nothing is said."""
    from dataclasses import replace

    from icp_sync.learning.past.leaks import OUTCOME_FACTS

    never = OUTCOME_FACTS.keys() | book.left_out.keys()
    known = {fact for facts in book.crowd.values() for fact in facts}
    notes = [
        f"learning.known_before names {fact}, which is known of no account here"
        for fact in sorted(definitions.known_before - known - never)
    ]
    notes += [
        f"learning.known_before names {fact}, which follows the deal and is never learned from: no effect"
        for fact in sorted(definitions.known_before & never)
    ]
    noted = (*book.notes, *notes)
    return replace(book, known_before=definitions.known_before, connection=connection, notes=noted)


def noted(out: Path, config: Path | None, connection: str | None) -> None:
    """Enter in the audit what the learned profile asks, so that it is known again without its `learned`
    entry. Where no settings, or no journal, are there, nothing can be noted."""
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.profile import activation
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import facts_of

    try:
        with opened(config, connection, existing=True) as at:
            loaded = load_all([out], types=facts_of(at.connection)[1])
            now, asked = time.time(), activation.asked(loaded)
            at.journal.audit(activation.LEARNED, who=who(), now=now, file=out.name, **asked)
    except ConfigError:
        return


def standing(
    config: Path | None, connection: str | None, *, offline: bool
) -> tuple[Sequence[Profile], str | None]:
    """The profiles in force, and the text of the only one; nothing where there are none, or no settings.

    offline: cases come from files, so that settings may be missing.
    """
    from icp_sync.cli.opening import opened
    from icp_sync.wiring import facts_of, parse_profiles

    try:
        with opened(config, connection, existing=offline) as at:
            active = at.journal.active()
            if active is None:
                return (), None
            profiles = parse_profiles(active[1], facts_of(at.connection)[1])
    except ConfigError as error:
        not_begun = error.problems[0].where == "journal"  # settings that nobody has run with yet
        if not offline or not (not_begun or (config is None and connection is None)):
            raise
        return (), None
    return profiles, active[1][0][1] if len(profiles) == 1 else None
