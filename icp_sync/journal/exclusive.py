"""One writing process per SQLite journal: a kernel lock on a file beside it, gone with its process.

The lock is `flock(2)`: released by the kernel however the holder dies, `kill -9` included, so there is
nothing to clean up. The file's text names the holder for whoever comes second.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from icp_sync.errors import ConfigError, Problem


@contextmanager
def exclusive(journal: Path, who: str) -> Iterator[None]:
    """Hold the journal for this process, or raise ConfigError naming who does."""
    lock = journal.with_name(journal.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigError(
            [Problem(where=f"journal {journal}", what=f"cannot make {lock.name}: {error.strerror}")]
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _taken(journal, descriptor) from error
        since = datetime.now(UTC).isoformat(timespec="seconds")
        note = json.dumps({"pid": os.getpid(), "since": since, "who": who})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _taken(journal: Path, descriptor: int) -> ConfigError:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        holder = f"{note['who']} (process {note['pid']}, since {note['since']})"
        remedy = f"stop it first: kill {note['pid']}"
    except (ValueError, KeyError, TypeError):  # between its lock and its note
        holder, remedy = "another process", "stop it first"
    return ConfigError(
        [Problem(where=f"journal {journal}", what=f"is in use by {holder}", hint=remedy)],
        next_step="icp-sync status",
    )
