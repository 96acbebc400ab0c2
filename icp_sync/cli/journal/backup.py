"""`icp-sync journal backup FILE`: the journal and the seal key as one file, also while a worker writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.journal.archive import Backup
    from icp_sync.domain.seal import SealKey
    from icp_sync.journal.verifying import Finding
    from icp_sync.settings import Settings

FOUND = 1


def register(family: typer.Typer) -> None:
    family.command("backup")(backup)


def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: a .tar, or .tar.gz to pack it.")],
    key: Annotated[
        bool, typer.Option("--key/--no-key", help="With the seal key, which is a secret, or without.")
    ] = True,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy the whole journal and the seal key into one file.

    Also beside a worker, of every connection. The copy is verified before it takes its name; only its owner
    may read it. Settings and profiles are yours to keep.
    """
    from icp_sync.cli.journal import archive
    from icp_sync.cli.opening import read_settings
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.text import counted

    settings = read_settings(config, offline=True, only=())
    source, path = journal_file(settings), path.resolve()
    archive.refuse_other(path)
    said, findings = _made(settings, source, path, with_key=key)
    if as_json:
        told = [finding._asdict() for finding in findings]
        document({"file": None if findings else str(path), **said.to_json(), "findings": told})
    elif findings:
        screen = Screen.here()
        screen.table(["what", "finding"], findings)
        screen.say("The journal is not whole, so no backup was made; one from before is as it was.")
        screen.say("next: icp-sync journal verify")
    else:
        screen = Screen.here()
        kept = counted(len(said.connections), "connection")
        screen.say(f"{path}: {kept}, {said.size / 1e6:,.1f} MB, whole")
        sealed = settings.seal_file.absolute()
        if said.key:
            screen.say("It holds the seal key, and names companies and owners: keep it as a secret.")
        elif sealed.exists():
            screen.say(f"It holds no seal key. Keep one copy of {sealed} apart from the journal.")
        else:
            screen.say(f"It holds no seal key: there is none at {sealed}.", "yellow")
    if findings:
        raise typer.Exit(FOUND)


def journal_file(settings: Settings) -> Path:
    """The file of a SQLite journal. Raises ConfigError, saying what to do, where PostgreSQL keeps it."""
    from icp_sync.journal.copying import file_of

    path = file_of(settings.journal)
    if path is None:
        what = "a PostgreSQL server keeps it, and backs it up"
        hint = (
            "pg_dump --format=custom --file=FILE DATABASE, which is consistent beside workers; with all of "
            "them stopped, pg_restore --clean --if-exists --dbname=DATABASE FILE brings it back, then "
            f"icp-sync journal restored. Keep {settings.seal_file.absolute()} with it"
        )
        raise ConfigError([Problem(where="journal", what=what, hint=hint)])
    return path.absolute()


def _made(settings: Settings, source: Path, path: Path, *, with_key: bool) -> tuple[Backup, list[Finding]]:
    from icp_sync import __version__
    from icp_sync.cli.journal import archive
    from icp_sync.cli.placing import spare
    from icp_sync.journal import moved
    from icp_sync.journal.copying import connections_of, copied, moved_to, only_file, revision_of
    from icp_sync.wiring import seal_key

    if not source.exists():
        what = f"there is no journal at {source}"
        raise ConfigError([Problem(where="journal", what=what)], next_step="icp-sync check")
    if other := moved_to(source):
        raise moved.gone(str(source), other)
    sealed = seal_key(settings.seal_file) if settings.seal_file.exists() else None
    taken = settings.seal_file.read_bytes() if sealed is not None and with_key else b""
    with spare(path.parent, path.name) as ready, spare(source.resolve().parent, source.name) as folder:
        copy = folder / archive.JOURNAL
        copy.touch(0o600)
        now = time.time()
        findings = copied(source, copy)
        revision, kept = revision_of(copy), connections_of(copy)
        if not findings:
            findings = verified(copy, revision, [one.name for one in kept], sealed)
        only_file(copy)  # opening it left its marks
        said = archive.Backup(
            at=now,
            version=__version__,
            schema=revision,
            connections={one.name: (one.identity, one.mode) for one in kept},
            size=copy.stat().st_size,
            digest=archive.digest_of(copy),
            key=bool(taken),
        )
        if not findings:
            archive.written(path, said, copy, taken, ready)
    return said, findings


def verified(copy: Path, revision: str, names: Sequence[str], key: SealKey | None) -> list[Finding]:
    """What `journal verify` finds in a copy, of every connection. One that an older program wrote is not
    migrated: only SQLite's own check tells of it."""
    from icp_sync.journal import Journal
    from icp_sync.journal.schema import REVISIONS

    found: list[Finding] = []
    for name in names if revision == REVISIONS[-1] else ():
        journal = Journal.open(f"sqlite:///{copy}", name, key)
        try:
            found += journal.verify(now=time.time())
        finally:
            journal.close()
    return found
