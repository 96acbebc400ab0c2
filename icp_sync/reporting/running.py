"""Whether a process works on a journal right now, told by the lock beside a SQLite journal."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path


def who_runs(journal: Path) -> str | None:
    """Who holds the journal ("run (process 42, since …)"), "" when nobody does, None when it cannot be told.

    Asks the kernel, so what a killed process left in the file is not believed.
    """
    try:
        descriptor = os.open(journal.with_name(journal.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _holder(os.pread(descriptor, 4096, 0))
    else:
        return ""
    finally:
        os.close(descriptor)


def _holder(note: bytes) -> str:
    try:
        said = json.loads(note)
        return f"{said['who']} (process {said['pid']}, since {said['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
