"""One writing process per SQLite journal: a kernel lock on a file beside it, gone with its process.

The lock is `flock(2)`: released by the kernel however the holder dies, `kill -9` included, so there is
nothing to clean up. The file's text names the holder for whoever comes second.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnavailableError


@contextmanager
def exclusive(journal: Path, who: str) -> Iterator[None]:
    """Hold the journal for this process. Raises UnavailableError naming who does, ConfigError where its lock
    cannot be made."""
    lock = journal.with_name(journal.name + ".lock")
    try:
        descriptor = _opened(lock)
    except OSError as error:
        raise _unmade(journal, lock, error) from error
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


def _opened(lock: Path) -> int:
    """The lock, made for whoever the folder belongs to: a command run as root leaves it to the service."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    owner = lock.parent.stat()
    with suppress(PermissionError):
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _unmade(journal: Path, lock: Path, error: OSError) -> IcpSyncError:
    what = f"cannot make {lock.name}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError(f"journal {journal}: {what}", next_step="make room on its disk")
    return ConfigError([Problem(where=f"journal {journal}", what=what)])


def _taken(journal: Path, descriptor: int) -> UnavailableError:
    """It passes: a command ends by itself, a worker when it is stopped."""
    holder = "another process"
    with suppress(ValueError, KeyError, TypeError):  # between its lock and its note
        note = json.loads(os.pread(descriptor, 4096, 0))
        holder = f"{note['who']} (process {note['pid']}, since {note['since']})"
    step = "try again when it has ended; a worker is stopped by its service, or by SIGTERM"
    return UnavailableError(f"journal {journal} is in use by {holder}", next_step=step)
