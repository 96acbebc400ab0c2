"""Files put in the place of others: whole or not at all, with the owner and rights of what they follow.

A command is often run as root for a service that is not: what it leaves must be the service's to read. Also
the spare folders such work is done in, of which a killed process leaves none for long.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp


def put(path: Path, content: bytes, mode: int, *, like: Path | None = None) -> None:
    """Write a file whole or not at all; a link stays, and what it leads to is replaced. Raises OSError
    naming it.

    mode: of a file that is new. like: whose owner and mode it gets, by default those of the one it replaces.
    """
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        create(beside, content)
        follow(beside, like or path, mode)
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        beside.unlink(missing_ok=True)


def create(path: Path, content: bytes) -> None:
    """A new file that only its owner may read."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def follow(path: Path, place: Path, mode: int) -> None:
    """Give a file the owner and mode of the one at `place`; where there is none, that folder's owner and
    `mode`."""
    model = place.stat() if place.exists() else None
    whose = model or place.parent.stat()
    with suppress(PermissionError):  # who may not give it away leaves it as it is
        os.chown(path, whose.st_uid, whose.st_gid)
    path.chmod(model.st_mode & 0o777 if model else mode)


@contextmanager
def spare(folder: Path, name: str) -> Iterator[Path]:
    """A folder in `folder` gone afterwards; those of this name that killed processes left go first."""
    folder = folder.absolute()
    prefix = f".{name}.spare-"
    with _locked(folder):  # so that none is taken for a dead one's before it is held
        for left in folder.iterdir():
            if left.name.startswith(prefix):
                with suppress(OSError), _locked(left, wait=False):
                    shutil.rmtree(left)
        made = Path(mkdtemp(prefix=prefix, dir=folder))
        held = os.open(made, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield made
    finally:
        os.close(held)
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """The kernel's lock on a folder, gone with its holder. Raises OSError where another has it."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(held)
