"""Where a worker's connections come from: settings, read anew when their files change.

Says which connections begin, end and are replaced, and makes them; whoever runs them begins and ends them. A
file is read once it has stayed as it is for a look: nobody's half-written file is taken for a change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from icp_sync.daemon.portal import Portal
from icp_sync.daemon.stopping import Stopping
from icp_sync.errors import ConfigError, IcpSyncError, Problem
from icp_sync.journal import Journal
from icp_sync.settings import Each, Settings
from icp_sync.wiring import open_journal, wire

NEXT_STEP = "icp-sync check"
FIXED = ("journal", "seal_file", "log", "health", "inbound", "console", "cluster")
"""Sections that a running worker does not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What new settings mean for a worker, connections by name.

    broken: connections that cannot be used as they are said now; one of them that runs goes on as it was.
    problems: why nothing of the change could be read. fixed: sections that count from the next start on.
    """

    begun: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    broken: Mapping[str, ConfigError] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    fixed: tuple[str, ...] = ()


class Supply:
    """load: reads the settings as they are now; raises ConfigError where nothing can be read. each: as they
    were first read. journal: whose database all connections share. stopping: of the whole worker.

    hangup: set by whoever wants the files looked at now.
    """

    def __init__(
        self, load: Callable[[], Each], each: Each, journal: Journal, stopping: Stopping, *, one: str = ""
    ) -> None:
        self._load, self._one = load, one
        self.journal, self._stopping = journal, stopping
        self.hangup = threading.Event()
        self._made: list[Portal] = []
        self._first = self.settings = each.settings
        self._broken = dict(each.broken)
        self._in_files = set(each.in_files)  # whatever a file has ever named
        self._main, self._length = each.main, _length(each.main)
        self._seen = self._read = digest(each.settings.files)

    @property
    def names(self) -> list[str]:
        """The connections that shall run."""
        return [name for name in self.settings.connections if self._one in ("", name)]

    @property
    def broken(self) -> dict[str, ConfigError]:
        """Those of which the settings themselves are wrong."""
        return {name: _error(found) for name, found in self._broken.items() if self._one in ("", name)}

    def make(self, name: str) -> Portal:
        """A connection as it is said now. Raises IcpSyncError saying why it cannot be had."""
        settings, stopping = self.settings, self._stopping.part()
        try:
            made = Portal(
                lambda: wire(settings, name, stop=stopping.ended, within=self.journal),
                settings.seal_file.exists,
                stopping,
            )
        except BaseException:
            stopping.end()
            raise
        self._made = [one for one in self._made if not one.closed] + [made]
        return made

    def close(self) -> None:
        """Let go of every connection that was made and is not closed yet; the journal is another's."""
        for portal in self._made:
            portal.close()

    def journal_of(self, name: str) -> Journal:
        """Of a connection, whether it can be made or not."""
        return open_journal(self.settings, name, self.journal)

    def look(self) -> Changes | None:
        """What has changed since the last look; None where nothing has."""
        asked = self.hangup.is_set()
        self.hangup.clear()
        now = digest(self.settings.files)
        still, self._seen = now == self._seen, now
        if not asked and (now == self._read or not still):
            return None
        self._read = now
        if self._length and not _length(self._main):  # a full disk or a slip leaves such; nobody writes it
            what, hint = "is empty or gone", "bring it back"
            return Changes(problems=(Problem(where=str(self._main), what=what, hint=hint),))
        try:
            each = self._load()
        except ConfigError as error:
            return Changes(problems=tuple(error.problems), fixed=self._fixed(self.settings))
        except IcpSyncError as error:
            return Changes(problems=(Problem(where="settings", what=str(error)),))
        return self._taken(each)

    def _taken(self, each: Each) -> Changes:
        before, after = self.settings, each.settings
        old = {name: before.connections[name] for name in self.names}
        # one whose file is gone was taken out; that its token is still lying there makes it no broken one
        gone = {name for name in each.broken if name in self._in_files and name not in each.in_files}
        left = {n for n in (*after.connections, *each.broken) if n not in gone and self._one in ("", n)}
        if old and not left:
            what = "there is none any more; to end the last one, stop the worker"
            hint = "bring back the file that named it"
            return Changes(problems=(Problem(where="connections", what=what, hint=hint),))
        self.settings, self._broken = after, {n: why for n, why in each.broken.items() if n not in gone}
        self._in_files |= each.in_files
        self._main, self._length = each.main, _length(each.main)
        self._seen = self._read = digest(after.files)
        everybody = before.notify != after.notify
        kept = old.keys() & self.broken.keys()
        if kept:  # what runs with what was said before goes on, and is compared with that
            known = {**after.connections, **{name: old[name] for name in kept}}
            self.settings = after.model_copy(update={"connections": known})
            self.settings._files = after._files
        new = {name: self.settings.connections[name] for name in self.names}
        return Changes(
            begun=tuple(name for name in new if name not in old),
            ended=tuple(name for name in old if name not in new),
            replaced=tuple(n for n in new if n in old and n not in kept and (everybody or new[n] != old[n])),
            broken=self.broken,
            fixed=self._fixed(after),
        )

    def _fixed(self, now: Settings) -> tuple[str, ...]:
        return tuple(name for name in FIXED if getattr(now, name) != getattr(self._first, name))


def digest(files: Iterable[Path]) -> tuple[tuple[str, int, int, int], ...]:
    """What tells a file, or a folder, that was changed from one that was not."""
    return tuple(_stamp(path) for path in files)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino


def _length(main: Path | None) -> int:
    """Bytes of the settings file, 0 where there is none."""
    return 0 if main is None else _stamp(main)[2]


def _error(problems: Iterable[Problem]) -> ConfigError:
    return ConfigError(list(problems), next_step=NEXT_STEP)
