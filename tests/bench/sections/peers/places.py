"""Where peers come from: a list, and a virtual environment of its own for each, made once and kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHIM = HERE / "shim"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A connector. command: its program. stream, id: what it calls companies or accounts, and their ids.

    catalog: the option that takes a catalogue; replication_key: a key to be named in there (singer).
    cursor: by which it reads what is new, where its catalogue is not discovered but written here (airbyte).
    extra: what is installed beside it. not_run: why it is not run, "" where it is.
    """

    name: str
    version: str
    crm: str
    kind: str = ""
    command: str = ""
    stream: str = ""
    id: str = ""
    catalog: str = ""
    replication_key: str = ""
    cursor: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    extra: Sequence[str] = ()
    not_run: str = ""

    @property
    def called(self) -> str:
        return f"{self.name} {self.version}".strip()


def peers() -> list[Peer]:
    told = tomllib.loads((HERE / "peers.toml").read_text(encoding="utf-8"))
    return [Peer(**one) for one in told["peer"]]


def programs(peer: Peer) -> Path:
    """The folder of a peer's programs. Installs it where it is not there yet; raises CalledProcessError where
    that fails."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "icp-sync-bench"
    home = kept / f"{peer.name}-{peer.version}"
    done = home / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        wanted = [f"{peer.name}=={peer.version}", *peer.extra]
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted]
        subprocess.run(pip, check=True, stdout=sys.stderr)
        done.touch()
    return home / "bin"
