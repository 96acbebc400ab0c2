"""A backup as one file: the journal, the seal key, and a list of what is in it that is read first.

A plain tar file, gzipped where its name says so, so that its parts can be had without this program too. Only
members by our own names are read from one, and nothing is unpacked by the paths it states.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from icp_sync.errors import ConfigError, Problem

FORMAT = 1
LIST, KEY, JOURNAL = "backup.json", "seal.key", "journal.sqlite"
_LONGEST = 1_000_000  # bytes of the list and of the key
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup says of itself. at: epoch seconds. connections: name → (portal, mode)."""

    at: float
    version: str
    schema: str
    connections: Mapping[str, tuple[str, str]]
    size: int
    digest: str
    key: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "icp_sync_backup": FORMAT,
            "at": self.at,
            "version": self.version,
            "schema": self.schema,
            "connections": {
                name: {"identity": identity, "mode": mode}
                for name, (identity, mode) in self.connections.items()
            },
            "bytes": self.size,
            "sha256": self.digest,
            "seal_key": self.key,
        }

    @classmethod
    def from_json(cls, said: Any) -> Backup:
        """Raises ValueError, TypeError or KeyError for anything else."""
        if said["icp_sync_backup"] != FORMAT:
            raise ValueError("another format")
        told = said["connections"].items()
        return cls(
            at=float(said["at"]),
            version=str(said["version"]),
            schema=str(said["schema"]),
            connections={str(name): (str(one["identity"]), str(one["mode"])) for name, one in told},
            size=int(said["bytes"]),
            digest=str(said["sha256"]),
            key=bool(said["seal_key"]),
        )


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_other(path: Path) -> None:
    """A backup takes the place of nothing but a backup. Raises ConfigError."""
    if path.is_dir():
        raise ConfigError([Problem(where=str(path), what="is a folder", hint="name a file in it")])
    if path.exists() and not path.is_file():
        raise ConfigError([Problem(where=str(path), what="is no regular file", hint="name a new file")])
    if path.exists() and path.stat().st_size:
        try:
            read(path)
        except ConfigError:
            what, hint = "is there already, and no backup", "name a new file"
            raise ConfigError([Problem(where=str(path), what=what, hint=hint)]) from None


def written(path: Path, backup: Backup, journal: Path, key: bytes, folder: Path) -> None:
    """Write the file whole or not at all, for its owner's eyes only. Raises OSError naming the path.

    folder: where it is made ready, on the same disk.
    """
    beside = folder / "backup"
    try:
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w+b") as file:
            packed = path.suffix in (".gz", ".tgz")
            with tarfile.open(fileobj=file, mode="w:gz" if packed else "w:") as tar:
                _add(tar, LIST, json.dumps(backup.to_json(), indent=2).encode(), backup.at)
                if backup.key:
                    _add(tar, KEY, key, backup.at)
                with journal.open("rb") as content:
                    tar.addfile(_member(JOURNAL, backup.size, backup.at), content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def _add(tar: tarfile.TarFile, name: str, content: bytes, at: float) -> None:
    tar.addfile(_member(name, len(content), at), io.BytesIO(content))


def _member(name: str, size: int, at: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(at), 0o600
    return member


def read(path: Path) -> tuple[Backup, bytes]:
    """What a backup says of itself, and the seal key in it, b"" for none. Raises ConfigError for another
    file, OSError for none."""
    try:
        with tarfile.open(path) as tar:
            backup = Backup.from_json(json.loads(_content(tar, LIST)))
            return backup, _content(tar, KEY) if backup.key else b""
    except (tarfile.TarError, EOFError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        what, hint = "is no backup of a journal", "name a file that icp-sync journal backup wrote"
        raise ConfigError([Problem(where=str(path), what=what, hint=hint)]) from None


def unpacked(path: Path, backup: Backup, target: Path) -> None:
    """The journal of a backup as a new file. Raises ConfigError when it is not what was put in."""
    try:
        with tarfile.open(path) as tar, _opened(tar, JOURNAL) as content:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(target, flags, 0o600), "wb") as file:
                shutil.copyfileobj(content, file, _PIECE)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise _damaged(path) from error
    if digest_of(target) != backup.digest:
        raise _damaged(path)


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    with _opened(tar, name) as file:
        return file.read(_LONGEST)


def _opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """One member, by its name. What stands behind it is not looked at: a file cut short says so there."""
    for member in tar:
        if member.name == name and (file := tar.extractfile(member)) is not None:
            return file
    raise KeyError(name)


def _damaged(path: Path) -> ConfigError:
    what = "is damaged: the journal in it is not the one that was put in"
    return ConfigError([Problem(where=str(path), what=what, hint="take another backup")])
