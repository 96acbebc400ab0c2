"""`icp-sync score`: a profile tried on a CRM export. Needs no CRM, no settings and no journal."""

from __future__ import annotations

import gc
import re
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.cli.output import STDOUT, rows_to, unfit
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from icp_sync.domain.facts import FactType
    from icp_sync.domain.profile import Profile
    from icp_sync.tables.columns import Columns
    from icp_sync.tables.reading import Table
    from icp_sync.tables.scored_file import ScoredFile

_CURRENCY = re.compile(r"[A-Z]{3}")
_PROFILES = Path("config/profiles")
NO_PROFILE = "icp-sync init, which makes one from a template; or name a file with --profile"


def register(app: typer.Typer) -> None:
    app.command()(score)


def score(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A CRM export with a header row.")],
    profile: Annotated[
        list[Path] | None,
        typer.Option("--profile", metavar="FILE", help="A profile file; repeatable. Else the settings'."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FACT", help="What a column holds, or =ignore; repeatable."),
    ] = None,
    currency: Annotated[
        str,
        typer.Option("--currency", metavar="CODE", help="Of amounts that do not say theirs, such as USD."),
    ] = "",
    encoding: Annotated[
        str,
        typer.Option("--encoding", metavar="NAME", help="Of the file, where it is no Unicode or Western."),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write; - is stdout.  [FILE.scored.csv]"),
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Score the rows of a CSV export by a profile.

    Writes every row as it came, with tier, range, reasons and missing facts beside it.
    """
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.score.report import Report, show
    from icp_sync.tables.columns import columns_of, parse_map

    _check(file, currency, encoding, out, as_json)
    stated = parse_map(columns or ())
    profiles, types = _profiles(profile, config, connection)
    table, target = _opened(file, out, encoding)
    found = columns_of(table, stated, types=types)
    done = _write(table, found, profiles, target, currency.upper(), types)
    report = Report(
        profiles=profiles, table=table, columns=found, done=done, target=target, currency=currency.upper()
    )
    if as_json:
        document(report.to_json())
        return
    with redirect_stdout(sys.stderr if target == STDOUT else sys.stdout):
        show(Screen.here(), report)


def _check(file: Path, currency: str, encoding: str, out: Path | None, as_json: bool) -> None:
    """The options by themselves. Raises ConfigError with every problem."""
    import codecs

    from icp_sync.tables.scored_file import scored

    problems = []
    if currency and not _CURRENCY.fullmatch(currency.upper()):
        what = f"'{currency[:20]}' is not a currency code"
        problems.append(Problem(where="--currency", what=what, hint="three letters, such as USD or EUR"))
    if encoding:
        try:
            usable = codecs.lookup(encoding)._is_text_encoding
        except (LookupError, ValueError):
            usable = False
        if not usable:
            what = f"'{encoding[:40]}' is not an encoding"
            problems.append(Problem(where="--encoding", what=what, hint="such as utf-16, shift_jis, cp1251"))
    problems += unfit(out, scored, file, as_json=as_json)
    if problems:
        raise ConfigError(problems)


def _profiles(
    files: list[Path] | None, config: Path | None, connection: str | None
) -> tuple[list[Profile], Mapping[str, FactType]]:
    """The profiles, and every kind of fact: the connection's where there are settings."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.domain.facts import CATALOGUE
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import facts_of

    types: Mapping[str, FactType] = CATALOGUE
    try:
        _, chosen = read_settings(config, offline=True, only=connection).connection(connection)
        types = facts_of(chosen)[1]
        files = files or list(chosen.profiles)
    except ConfigError as error:
        if config is not None or connection is not None:
            raise
        if not files:
            raise _no_profile(error) from error
    return [one.profile for one in load_all(files, types=types)], types


def _no_profile(error: ConfigError) -> ConfigError:
    """What to do without usable settings: name a profile that lies here, or make one."""
    here = sorted(_PROFILES.glob("*.yaml"))
    step = f"icp-sync score FILE.csv --profile {here[0]}" if here else NO_PROFILE
    said = "; ".join(problem.what for problem in error.problems[:1])
    problem = Problem(where="--profile", what=f"there is no profile to score by: {said}")
    return ConfigError([problem], next_step=step)


def _opened(file: Path, out: Path | None, encoding: str) -> tuple[Table, Path]:
    """The table, which has rows, and where to write, which is not the table itself."""
    from icp_sync.tables.lines import refused
    from icp_sync.tables.reading import Table
    from icp_sync.tables.scored_file import scored

    table = Table(file, encoding=encoding)
    if not any(True for _ in table):
        raise refused(file, "has a header and no rows")
    target = out or file.with_name(f"{file.stem}.scored.csv")
    if target != STDOUT and target.exists() and target.samefile(file):
        raise refused(target, "is the file to read", "write to another one")
    if out is None and (problems := unfit(target, scored, option=str(target))):
        raise ConfigError(problems, next_step=f"icp-sync score {file} --out FILE.csv")
    return table, target


def _write(
    table: Table,
    columns: Columns,
    profiles: list[Profile],
    target: Path,
    currency: str,
    types: Mapping[str, FactType],
) -> ScoredFile:
    from icp_sync.domain.compile import compile_profile
    from icp_sync.tables.scored_file import score_file

    compiled = [compile_profile(one) for one in profiles]
    now = time.time()
    gc.disable()  # rows make no cycles; looking for some among what is remembered took a twelfth of the time
    try:
        with rows_to(target) as stream:
            return score_file(table, columns, compiled, stream, currency=currency, types=types, now=now)
    finally:
        gc.enable()
