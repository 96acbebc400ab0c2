"""Tables that follow their files while the daemon runs: read again on change, never worse than before."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from icp_sync.domain.facts import FactType
from icp_sync.domain.profile import Profile
from icp_sync.domain.roster import Tables
from icp_sync.errors import ConfigError, Problem
from icp_sync.observe import log
from icp_sync.roster_file.loading import ABSENCES, load_tables, table_names

Stamp = tuple[tuple[str, int, int], ...]
"""File name, nanoseconds of its last change and size of every file; -1 for one that is not there."""


class LiveTables:
    """The tables of one connection's folder. Safe to ask from several threads."""

    def __init__(
        self, folder: Path, profiles: Sequence[Profile], *, types: Mapping[str, FactType], currency: str
    ) -> None:
        """Reads nothing yet. The arguments are those of `load_tables`."""
        self._folder, self._profiles = folder, tuple(profiles)
        self._types, self._currency = types, currency
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._good: Tables | None = None
        self._had_absences = False
        self.problems: tuple[Problem, ...] = ()

    def now(self) -> Tables:
        """The tables as the files say, or the last good ones with `problems` saying what is wrong.

        Raises ConfigError while there were never any good ones.
        """
        with self._lock:
            stamp = self._look()
            if stamp == self._stamp and self._good is not None:
                return self._good
            try:
                good = load_tables(
                    self._folder,
                    self._profiles,
                    types=self._types,
                    currency=self._currency,
                    had_absences=self._had_absences,
                )
            except ConfigError as error:
                if self._good is None:
                    raise
                self._stamp, self.problems = stamp, tuple(error.problems)
                log("roster").error(
                    "the tables are wrong; the last good ones stay",
                    problems=len(error.problems),
                    first=str(error.problems[0]),
                )
                return self._good
            if self._good is not None and good.digest != self._good.digest:
                log("roster").info("the tables were read again", digest=good.digest)
            self._stamp, self._good, self.problems = stamp, good, ()
            self._had_absences = any(name == ABSENCES and size >= 0 for name, _, size in stamp)
            return good

    def _look(self) -> Stamp:
        names = table_names(self._profiles)
        return tuple(map(self._stamp_of, dict.fromkeys((*names.territories, *names.named, ABSENCES))))

    def _stamp_of(self, name: str) -> tuple[str, int, int]:
        try:
            found = (self._folder / name).stat()
        except (OSError, ValueError):
            return name, -1, -1
        return name, found.st_mtime_ns, found.st_size
