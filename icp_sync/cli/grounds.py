"""The accounts a profile is judged by: those in the journal, or the rows of a CSV file (`--on`).

With a CSV file neither settings nor a journal nor a CRM is needed, so the same commands run in CI. Reads
only; knows nothing of what is asked about the accounts.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.subjects import Subject as Subject  # what `accounts()` gives
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.facts import FactType
    from icp_sync.domain.profile import Profile
    from icp_sync.journal import Journal
    from icp_sync.journal.told import Told
    from icp_sync.settings import Connection, Settings
    from icp_sync.tables.accounts import AccountTable

SHOWN_PROBLEMS = 3
ACTIVE = "active"
SETTINGS_FILE = "config/icp-sync.toml"
On = Annotated[
    Path | None,
    typer.Option("--on", metavar="FILE.csv", help="Judge by the rows of this file, not by the journal."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FACT", help="With --on: what a column holds; repeatable."),
]
Currency = Annotated[
    str, typer.Option("--currency", metavar="CODE", help="With --on: the currency of plain amounts.")
]
Judges = Annotated[
    list[Path] | None,
    typer.Option("--profile", metavar="FILE", help="Judge by these profile files; repeatable."),
]


@dataclass(slots=True, kw_only=True)
class Grounds:
    """Where the accounts come from. source: in words; each pass over `accounts()` reads them anew.

    asked: the facts of parents and groups that the profiles loaded so far ask about. version: the active
    one once its profiles were loaded to judge by, else 0.
    """

    source: str
    types: Mapping[str, FactType]
    settings: Settings | None
    connection: Connection | None
    name: str
    table: AccountTable | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    opened: Journal | None = None
    asked: frozenset[str] = frozenset()
    version: int = 0

    @property
    def journal(self) -> Journal:
        """The connection's journal, opened when first asked for. Raises ConfigError without settings."""
        from icp_sync.wiring import open_journal

        if self.opened is None:
            if self.settings is None:
                what = "there are no usable settings here, so no journal and no active profile"
                raise ConfigError(what, next_step="icp-sync check")
            self.opened = open_journal(self.settings, self.name)
            self.stack.callback(self.opened.close)
        return self.opened

    def accounts(self, told: Told | None = None) -> Iterator[Subject]:
        """Every account, in the file's order or by id. told: how the journal's are read, None for all that
        is known of them."""
        from icp_sync.cli import subjects

        if self.table is None:
            return subjects.in_journal(self.journal, self.asked, told)
        return subjects.in_table(self.table, self.asked)

    def account(self, account_id: str) -> Subject | None:
        """The account with this id, None when the journal never evaluated it or no row has it."""
        from icp_sync.cli import subjects

        if self.table is not None:
            return next((s for s in self.accounts() if s.id == account_id), None)
        row = self.journal.evaluable_account(account_id)
        return next(subjects.stored(self.journal, (row,), self.asked)) if row else None

    def parents(self) -> dict[str, str]:
        """Id → its parent's id, of every account that has one. Of a file: where a column says so."""
        from icp_sync.cli import subjects

        if self.table is not None:
            return subjects.parents_in(self.table)
        return {s.id: s.parent for s in self.accounts() if s.parent}

    def of_domains(self, domains: Collection[str]) -> dict[str, list[Subject]]:
        """Registrable domain → the accounts that have it; each domain asked for is a key."""
        from icp_sync.cli import subjects

        found: dict[str, list[Subject]] = {domain: [] for domain in domains}
        if self.table is None:
            for domain in domains:
                rows = self.journal.evaluable_of(domain)
                found[domain] = list(subjects.stored(self.journal, rows, self.asked))
            return found
        for subject in self.accounts():
            if subject.domain in found:
                found[subject.domain].append(subject)
        return found

    def profiles(self, files: Sequence[Path] | None) -> tuple[Profile, ...]:
        """Those of the files; without any the active ones, or with a CSV file those of the settings.

        Raises ConfigError with every problem of the files, or when there is no profile at all.
        """
        from icp_sync.profile_file import load_all

        paths = list(files or ())
        if not paths and self.table is None and self.journal.active() is not None:
            self.version, profiles = self.active()
            return profiles
        paths = paths or (list(self.connection.profiles) if self.connection else [])
        if not paths:
            raise ConfigError("no profile to judge by", next_step="name profile files in the command")
        return self._judging(tuple(one.profile for one in load_all(paths, types=self.types)))

    def active(self) -> tuple[int, tuple[Profile, ...]]:
        """The active version and its profiles. Raises ConfigError when none is active."""
        from icp_sync.wiring import parse_profiles

        active = self.journal.active()
        if active is None:
            what = f"connection {self.name} has no active profile"
            raise ConfigError(what, next_step="icp-sync profile activate")
        return active[0], self._judging(parse_profiles(active[1], self.types))

    def _judging(self, profiles: tuple[Profile, ...]) -> tuple[Profile, ...]:
        """Remember what these ask about parents and groups, so that accounts come with it."""
        from icp_sync.domain.kin import kin_facts

        self.asked |= kin_facts(profiles)
        return profiles

    def evaluate(self, compiled: Sequence[Compiled], subject: Subject, now: float) -> Evaluation:
        """Evaluate one account; by the active profiles as it would be now, calm tiers included."""
        from icp_sync.domain.evaluation import evaluate

        previous = subject.previous if self.version else None
        return evaluate(compiled, subject.facts, previous, now, version=self.version)

    def tables_folder(self, files: Sequence[Path] | None) -> Path:
        """Where territories and named accounts lie: as the settings say, else beside the first profile."""
        if self.connection is not None and (self.connection.tables is not None or not files):
            return self.connection.tables_folder
        return files[0].parent if files else Path()

    def problems(self) -> list[Problem]:
        """What could not be read in the rows passed over so far."""
        return list(self.table.problems) if self.table is not None else []

    def tell(self) -> None:
        """Say on stderr what the rows passed over were wrong about."""
        from icp_sync.cli.rendering import note
        from icp_sync.reporting.text import counted

        problems = self.problems()
        for problem in problems[:SHOWN_PROBLEMS]:
            note(f"warning: {problem}")
        if len(problems) > SHOWN_PROBLEMS:
            note(f"warning: {counted(len(problems) - SHOWN_PROBLEMS, 'more problem')} in {self.source}")


@contextmanager
def grounds(
    on: Path | None,
    config: Path | None,
    connection: str | None,
    *,
    columns: Sequence[str] | None = None,
    currency: str = "",
) -> Iterator[Grounds]:
    """Open the journal, or the CSV file `on`. Raises ConfigError for either that cannot be used."""
    from icp_sync.domain.facts import CATALOGUE

    settings, name, chosen, types = _settings(on, config, connection)
    table = None
    if on is not None:
        from icp_sync.tables.accounts import read_accounts
        from icp_sync.tables.columns import parse_map

        known = CATALOGUE if types is None else types
        table = read_accounts(on, columns=parse_map(columns or ()), types=known, currency=currency)
    elif columns or currency:
        what = "--map and --currency describe the columns of a file, and there is none"
        raise ConfigError(what, next_step="name it with --on FILE.csv")
    with ExitStack() as stack:
        yield Grounds(
            source=str(on) if on is not None else "the journal",
            types=CATALOGUE if types is None else types,
            settings=settings,
            connection=chosen,
            name=name,
            table=table,
            stack=stack,
        )


def _settings(
    on: Path | None, config: Path | None, connection: str | None
) -> tuple[Settings | None, str, Connection | None, Mapping[str, FactType] | None]:
    """Settings, the connection's name and entry, its kinds of facts; nothing where a file makes do."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.cli.rendering import note
    from icp_sync.wiring import facts_of

    try:
        settings = read_settings(config, offline=True, only=connection)
        name, chosen = settings.connection(connection)
        return settings, name, chosen, facts_of(chosen)[1]
    except ConfigError as error:
        if on is None or config is not None or connection is not None:
            raise
        if Path(os.environ.get("ICP_SYNC_CONFIG", SETTINGS_FILE)).exists():
            note(f"the settings here cannot be used ({error.problems[0].what}); judged without them")
        return None, "", None, None


def nothing_there(source: str) -> ConfigError:
    """There is no account to judge by."""
    if source == "the journal":
        return ConfigError(
            "the journal holds no evaluated account yet",
            next_step="icp-sync run --backfill, or judge by a file: --on FILE.csv",
        )
    return ConfigError([Problem(where=source, what="there is no account in it")])
