"""`icp-sync journal restore FILE`: a backup takes the journal's place, and waits for somebody to look.

Everything is made ready in a file beside it: unpacked, migrated, verified, compared with the portals behind
the credentials. Only then does it take its name, in one step.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
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
    replaced: where the journal before is kept, None if there was none.
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
    from icp_sync.cli.opening import read_each
    from icp_sync.cli.rendering import Screen, document

    settings = read_each(config, offline=True).settings
    place = journal_file(settings)
    backup, sealed = archive.read(path)
    _refuse_newer(path, backup)
    done = Restored(backup=backup)
    place.parent.mkdir(parents=True, exist_ok=True)
    _refuse_moved(place)
    with _alone(place):  # by the name the settings give it, which a worker holds it by
        _restored(settings, path, place.resolve(), done, sealed if key else b"")
    if as_json:
        document(done.to_json())
    else:
        show(Screen.here(), done, place, settings)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Nobody else works with the journal meanwhile. Raises UnavailableError naming who does."""
    from icp_sync.journal.exclusive import exclusive

    with exclusive(place, WHAT):
        yield


def _refuse_newer(path: Path, backup: Backup) -> None:
    from icp_sync.journal.schema import REVISIONS

    if backup.schema not in REVISIONS:
        what = f"its schema {backup.schema} is newer than this version's {REVISIONS[-1]}"
        hint = f"install icp_sync {backup.version}, which wrote it, or take an older backup"
        raise ConfigError([Problem(where=str(path), what=what, hint=hint)])


def _refuse_moved(place: Path) -> None:
    """Two journals of one portal would take each other's writes for people's."""
    from icp_sync.journal.copying import moved_to

    if place.exists() and (other := moved_to(place)):
        hint = (
            "the journal there is the one that knows all: bring that one back. To go on with the backup for "
            "good, stop every worker there, move this file away with its -wal and -shm, then restore"
        )
        raise ConfigError([Problem(where=f"journal {place}", what=f"has moved to {other}", hint=hint)])


def _key(place: Path, copy: Path | None) -> str:
    """What becomes of the seal key. Raises ConfigError where another one than the backup's is at hand."""
    from icp_sync.wiring import seal_key

    if not place.exists():
        return "restored" if copy else "none"
    here = seal_key(place)
    if copy is not None:
        theirs = seal_key(copy)
        if (theirs.installation, theirs.key) != (here.installation, here.key):
            what = "is another seal key than the one in the backup"
            hint = "move it away to go back to the backup's, or keep it with --no-key"
            raise ConfigError([Problem(where=str(place), what=what, hint=hint)])
    return "kept"


def _restored(settings: Settings, path: Path, place: Path, done: Restored, sealed: bytes) -> None:
    from icp_sync.cli.journal import archive
    from icp_sync.cli.journal.backup import verified
    from icp_sync.cli.placing import create, follow, put, spare
    from icp_sync.journal.copying import exchanged, only_file
    from icp_sync.journal.schema import REVISIONS
    from icp_sync.wiring import seal_key

    mark = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    with spare(place.parent, place.name) as folder:
        copy = folder / archive.KEY if sealed else None
        if copy is not None:
            create(copy, sealed)
        done.key = _key(settings.seal_file, copy)
        fresh = folder / archive.JOURNAL
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
        follow(fresh, place, 0o600)
        if done.key == "restored":
            settings.seal_file.resolve().parent.mkdir(parents=True, exist_ok=True)
            put(settings.seal_file, sealed, 0o600)
        done.replaced = exchanged(fresh, place, mark)


def _portals(settings: Settings, done: Restored) -> None:
    """Whether the credentials at hand open the portals the journal belongs to. Raises ConfigError if not."""
    from icp_sync.wiring import wire

    problems = []
    for name, (bound, _) in done.backup.connections.items():
        if name not in settings.names:
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


def show(screen: Screen, done: Restored, place: Path, settings: Settings) -> None:
    """What was done, what this journal does not know, and how to go on."""
    from icp_sync.reporting.text import ago, instant

    backup, key = done.backup, settings.seal_file.absolute()
    screen.say(f"{place}: the journal of {instant(backup.at)} ({ago(backup.at)}) is back", "bold")
    if done.replaced:
        screen.say(f"The one before is kept: {done.replaced}")
    else:
        screen.say("There was no journal there before.", "yellow")
    none = "left out, as asked" if backup.key else "none, neither here nor in the backup"
    said = {"restored": f"put back as {key}", "kept": f"the one that was here, {key}", "none": none}
    screen.say(f"seal key: {said[done.key]}")
    told(screen, done.connections)
    for name, why in done.unchecked.items():
        what = (
            f"{name}: its portal could not be asked who it is ({why}); it is asked before anything is written"
        )
        screen.say(what, "yellow")
    for name in done.unknown:
        screen.say(f"{name}: the settings name no such connection; nobody works for it", "yellow")
    screen.heading("What it does not know")
    screen.say(
        "  what happened since: undos, releases and approvals, changes of mode and profile, answers bought.\n"
        "  Values we wrote since are known as ours by their seals; what people edited since stays theirs.\n"
        "  Changes since are read by poll and trailing; deleted and merged accounts by the next sweep."
    )
    go_on(screen, {name: one for name, one in done.connections.items() if name in settings.names})


def told(screen: Screen, connections: Mapping[str, Quieted]) -> None:
    """What was taken out of each connection."""
    from icp_sync.reporting.text import counted

    for name, quiet in connections.items():
        taken = [(quiet.requests, "request of a command"), (quiet.notices, "notice")]
        dropped = ", ".join(counted(n, what) for n, what in taken if n)
        mode = "as before" if quiet.mode == "observe" else f"before {quiet.mode}"
        screen.say(f"{name}: mode observe, {mode}" + (f"; dropped: {dropped}" if dropped else ""))


def go_on(screen: Screen, connections: Mapping[str, Quieted]) -> None:
    """The commands to type now."""
    screen.heading("Next")
    for name, quiet in connections.items():
        of = f" --connection {name}" if len(connections) > 1 else ""
        screen.say(f"  icp-sync plan{of}")
        if quiet.mode != "observe":
            screen.say(
                f"  icp-sync mode {quiet.mode}{of}    # once the plan holds no surprise; asks for a backfill"
            )
    screen.say(
        "  icp-sync run" if connections else "  name its connections in the settings, then icp-sync check"
    )
