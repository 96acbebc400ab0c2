"""The seal key on disk: made once, read ever after, never overwritten."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from icp_sync.domain.seal import SealKey
from icp_sync.errors import ConfigError, Problem
from icp_sync.observe import conceal


def seal_key(path: Path, *, create: bool = False) -> SealKey:
    """Read the installation id and seal key; make them when `create` and there are none.

    A missing file without `create` gives a key for this process only: nothing was ever sealed with it,
    so nothing is lost, and nothing may be written before `provision` has made the file.
    """
    if not path.exists():
        fresh = {"installation": secrets.token_hex(6), "key": secrets.token_hex(32)}
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump(fresh, file)
        made = bytes.fromhex(fresh["key"])
        return SealKey(installation=fresh["installation"], key=made, passing=not create)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        key = SealKey(
            installation=str(stored["installation"]),
            key=bytes.fromhex(stored["key"]),
            predecessors=frozenset(stored.get("predecessors", ())),
        )
        conceal(stored["key"])
        if not key.installation or not key.key:
            raise ValueError("blank")  # it would open, and every digest be forgeable
        return key
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = (error.strerror if isinstance(error, OSError) else "") or "it is not what provision made"
        raise ConfigError(
            [Problem(where=str(path), what=f"the seal key cannot be read: {why}")],
            next_step="restore the file from your backup; without it our own values look like people's",
        ) from error


def take_over(path: Path, installation: str) -> None:
    """Accept another installation's seals as void: its values count as people's until released."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["predecessors"] = sorted({*stored.get("predecessors", ()), installation})
    path.write_text(json.dumps(stored), encoding="utf-8")
