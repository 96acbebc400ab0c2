"""`icp-sync journal restore FILE`: a backup takes the journal's place, and waits for somebody to look.

Everything is made ready in a file beside it: unpacked, migrated, verified, compared with the portals behind
the credentials. Only then does it take its name, in one step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config
from icp_sync.errors import ConfigError, IcpSyncError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.journal.archive import Backup
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal.copying import Quieted
    from icp_sync.settings import Settings

WHAT = "journal restore"


def register(family: typer.Typer) -> None:
    family.command("restore")(restore)


@dataclass(slots=True, kw_only=True)
class Restored:
    """What was done. connections: name → what it would have begun with, had it not been taken out.

    unchecked: connections whose portal could not be asked, with why. key: "kept", "restored" or "none".
    """

    backup: Backup
    connections: dict[str, Quieted] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    replaced: Path | None = None
    key: str = "none"

    def to_json(self) -> dict[str, Any]:
        return {
            **self.backup.to_json(),
            "connections": {
                name: {"identity": self.backup.connections[name][0], **quiet._asdict()}
                for name, quiet in self.connections.items()
            },
            "mode": "observe",
            "unchecked": self.unchecked,
            "not_in_settings": self.unknown,
            "replaced": str(self.replaced) if self.replaced else None,
            "seal_key_here": self.key,
        }


def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="What journal backup wrote.")],
    key: Annotated[
        bool, typer.Option("--key/--no-key", help="Put the seal key back where there is none, or do not.")
    ] = True,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the journal's place.

    With the worker stopped. The journal before is kept beside it; every connection begins in mode observe.
    """
    from icp_sync.cli.journal import archive
    from icp_sync.cli.journal.backup import journal_file
    from icp_sync.cli.opening import read_settings
    from icp_sync.cli.rendering import Screen, document

    settings = read_settings(config, offline=True)
    place = journal_file(settings)
    backup, sealed = archive.read(path)
    _refuse_newer(path, backup)
    done = Restored(backup=backup)
    place.parent.mkdir(parents=True, exist_ok=True)
    with _alone(place):
        done.key = _key(settings.seal_file, sealed if key else b"")
        _restored(settings, path, place, done, sealed if key else b"")
    if as_json:
        document(done.to_json())
    else:
        show(Screen.here(), done, place)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Nobody else works with the journal meanwhile. Raises ConfigError naming who does."""
    from icp_sync.journal.exclusive import exclusive

    with exclusive(place, WHAT):
        yield


def _refuse_newer(path: Path, backup: Backup) -> None:
    from icp_sync.journal.schema import REVISIONS

    if backup.schema not in REVISIONS:
        what = f"its schema {backup.schema} is newer than this version's {REVISIONS[-1]}"
        hint = f"install icp_sync {backup.version}, which wrote it, or take an older backup"
        raise ConfigError([Problem(where=str(path), what=what, hint=hint)])


def _key(place: Path, sealed: bytes) -> str:
    """What becomes of the seal key. Raises ConfigError where another one than the backup's is at hand."""
    from icp_sync.wiring import seal_key

    if not place.exists():
        return "restored" if sealed else "none"
    here = seal_key(place)
    with _unsealed(sealed) as copy:
        if copy is not None:
            theirs = seal_key(copy)
            if (theirs.installation, theirs.key) != (here.installation, here.key):
                what = "is another seal key than the one in the backup"
                hint = "move it away to go back to the backup's, or keep it with --no-key"
                raise ConfigError([Problem(where=str(place), what=what, hint=hint)])
    return "kept"


@contextmanager
def _unsealed(sealed: bytes) -> Iterator[Path | None]:
    """The seal key of a backup as a file for a moment, None where there is none."""
    if not sealed:
        yield None
        return
    with TemporaryDirectory(prefix="icp-sync-restore-") as folder:
        path = Path(folder) / "seal.key"
        write_private(path, sealed)
        yield path


def write_private(path: Path, content: bytes) -> None:
    """A new file that only its owner may read."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _restored(settings: Settings, path: Path, place: Path, done: Restored, sealed: bytes) -> None:
    from icp_sync.cli.journal import archive
    from icp_sync.cli.journal.backup import verified
    from icp_sync.journal.copying import exchanged, only_file
    from icp_sync.journal.schema import REVISIONS
    from icp_sync.wiring import seal_key

    mark = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with (
        TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as folder,
        _unsealed(sealed) as copy,
    ):
        fresh = Path(folder) / archive.JOURNAL
        archive.unpacked(path, done.backup, fresh)
        file = copy or settings.seal_file
        key = seal_key(file) if file.exists() else None
        usable = settings.model_copy(update={"journal": f"sqlite:///{fresh}", "seal_file": file})
        _portals(usable, done)
        for name in done.backup.connections:
            _made_quiet(usable, name, path, done)
        if findings := verified(fresh, REVISIONS[-1], list(done.backup.connections), key):
            problems = [Problem(where=f"{path}, {one.what}", what=one.said) for one in findings]
            raise ConfigError(problems, next_step="take another backup")
        only_file(fresh)
        if done.key == "restored":
            settings.seal_file.parent.mkdir(parents=True, exist_ok=True)
            write_private(settings.seal_file, sealed)
        done.replaced = exchanged(fresh, place, mark)


def _portals(settings: Settings, done: Restored) -> None:
    """Whether the credentials at hand open the portals the journal belongs to. Raises ConfigError if not."""
    from icp_sync.wiring import wire

    problems = []
    for name, (bound, _) in done.backup.connections.items():
        if name not in settings.connections:
            done.unknown.append(name)
            continue
        if not bound:
            continue
        try:
            wired = wire(settings, name)
            try:
                met = wired.crm.identity().id
            finally:
                if callable(close := getattr(wired.crm, "close", None)):
                    close()
                wired.journal.close()
        except IcpSyncError as error:
            done.unchecked[name] = str(error)
            continue
        if met != bound:
            what = f"the backup belongs to {bound}, but these credentials open {met}"
            hint = "use the right credentials, or the right backup"
            problems.append(Problem(where=f"connection {name}", what=what, hint=hint))
    if problems:
        raise ConfigError(problems, next_step="icp-sync check")


def _made_quiet(settings: Settings, name: str, path: Path, done: Restored) -> None:
    """Take out of the copy what would act by itself, and note who brought it back."""
    from icp_sync.cli.acting import who
    from icp_sync.journal.copying import quieted
    from icp_sync.wiring import open_journal

    journal = open_journal(settings, name)
    try:
        now = time.time()
        done.connections[name] = quieted(journal, now=now)
        detail: Mapping[str, object] = {
            "from": path.name,
            "made": done.backup.at,
            "sha256": done.backup.digest,
        }
        journal.audit(WHAT, who=who(), now=now, **detail)
    finally:
        journal.close()


def show(screen: Screen, done: Restored, place: Path) -> None:
    """What was done, what this journal does not know, and how to go on."""
    from icp_sync.cli.text import ago, counted, instant

    backup = done.backup
    screen.say(f"{place}: the journal of {instant(backup.at)} ({ago(backup.at)}) is back", "bold")
    if done.replaced:
        screen.say(f"The one before is kept: {done.replaced}")
    said = {
        "restored": "put back from the backup",
        "kept": "the one that was here",
        "none": "none, not even in it",
    }
    screen.say(f"seal key: {said[done.key]}")
    for name, quiet in done.connections.items():
        taken = [(quiet.requests, "request of a command"), (quiet.notices, "notice")]
        dropped = ", ".join(counted(n, what) for n, what in taken if n)
        screen.say(
            f"{name}: mode observe, before {quiet.mode}" + (f"; dropped: {dropped}" if dropped else "")
        )
    for name, why in done.unchecked.items():
        screen.say(
            f"{name}: its portal could not be asked who it is ({why}); the worker asks it first", "yellow"
        )
    for name in done.unknown:
        screen.say(f"{name}: the settings name no such connection; it stays as it is", "yellow")
    _next(screen, done)


def _next(screen: Screen, done: Restored) -> None:
    screen.heading("What it does not know")
    screen.say(
        "  what happened since: undos, releases and approvals, changes of mode and profile, answers bought.\n"
        "  Values we wrote since are known as ours by their seals; what people edited since stays theirs.\n"
        "  Changes since are read by poll and trailing; deleted and merged accounts by the next sweep."
    )
    screen.heading("Next")
    for name, quiet in done.connections.items():
        if name in done.unknown:
            continue
        of = f" --connection {name}" if len(done.connections) > 1 else ""
        screen.say(f"  icp-sync plan{of}")
        if quiet.mode != "observe":
            screen.say(
                f"  icp-sync mode {quiet.mode}{of}    # once the plan holds no surprise; asks for a backfill"
            )
    screen.say("  icp-sync run")
