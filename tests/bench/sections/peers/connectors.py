"""A peer at work: how each kind is asked for everything new, and how it remembers where it stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.places import Served, Took, measured
from tests.bench.sections.adversarial.scenes import MOST_SECONDS, Read, Reader
from tests.bench.sections.peers.places import HERE, SHIM, Peer, programs

Json = dict[str, Any]


class Connector:
    """One peer at one simulated CRM; its settings, catalogue and state are files in a folder of its own."""

    own_clock = True

    def __init__(self, peer: Peer, crm: Served, folder: Path, *, since: str) -> None:
        self.name = peer.called
        self.peer = peer
        self.folder = folder
        self._programs = programs(peer)
        self._env = {
            "PYTHONPATH": str(SHIM),
            "PEERS_REDIRECT": crm.url,
            "PEERS_TOKEN": crm.token,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        given = {
            "token": crm.token,
            "key": crm.keys.get("consumer_key", ""),
            "secret": crm.keys.get("consumer_secret", ""),
            "since": since,
        }
        self._keep("config", _filled(peer.config, given))
        if peer.kind in _CATALOGUES:
            self._keep("catalog", _CATALOGUES[peer.kind](peer, self._discovered))

    def read(self) -> Read:
        """Everything new to it; ended by us where it does not end."""
        out = self.folder / "out"
        with out.open("wb") as said:
            process = subprocess.Popen(
                self.command(),
                stdout=said,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **self._env},
                start_new_session=True,
            )
            try:
                ended = process.wait(MOST_SECONDS) is not None
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                ended = False
        text = out.read_text(encoding="utf-8", errors="replace")
        refused = f"an end with status {process.returncode}" if ended and process.returncode else ""
        if ended and not refused:
            self.remember(text)
        return Read(emitted=tuple(self.ids(text)), ended=ended, refused=refused)

    def timed(self) -> tuple[Took, list[str]]:
        """The same as one measured run: what it took, and the ids it gave out."""
        took = measured(self.command(), env=self._env)
        self.remember(took.out)
        return took, list(self.ids(took.out))

    def command(self) -> list[str]:
        state = self._file("state")
        known = ["--state", str(state)] if state.exists() else []
        match self.peer.kind:
            case "dlt":
                return [str(self._programs / "python"), str(HERE / "pipeline.py"), str(self.folder)]
            case "singer":
                said = [self.peer.catalog, str(self._file("catalog"))]
                return [*self._program(), *self._config(), *said, *known]
            case _:
                said = ["--catalog", str(self._file("catalog"))]
                return [*self._program(), "read", *self._config(), *said, *known]

    def ids(self, text: str) -> Iterator[str]:
        """The ids of all records in what it said."""
        if self.peer.kind == "dlt":
            yield from (line for line in text.splitlines() if line.isdigit())
            return
        for said in _messages(text, "RECORD"):
            record = said["record"]
            yield str((record["data"] if self.peer.kind == "airbyte" else record)[self.peer.id])

    def remember(self, text: str) -> None:
        """Keep the last state it told of."""
        if self.peer.kind == "dlt":
            return  # keeps its own
        for said in _messages(text, "STATE"):
            self._keep("state", said["value"] if self.peer.kind == "singer" else [said["state"]])

    def _discovered(self) -> str:
        return measured([*self._program(), *_DISCOVER[self.peer.kind], *self._config()], env=self._env).out

    def _program(self) -> list[str]:
        return [str(self._programs / self.peer.command)]

    def _config(self) -> list[str]:
        return ["--config", str(self._file("config"))]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _keep(self, name: str, content: object) -> None:
        self._file(name).write_text(json.dumps(content), encoding="utf-8")


def opened(peer: Peer, since: str) -> Callable[[Served, Path], AbstractContextManager[Reader]]:
    """How a peer is begun at a simulated CRM."""

    @contextmanager
    def at(crm: Served, folder: Path) -> Iterator[Reader]:
        yield Connector(peer, crm, folder, since=since)

    at.__name__ = peer.name
    return at


def _filled(config: object, given: Mapping[str, str]) -> object:
    """The settings with what stands in braces replaced."""
    if isinstance(config, Mapping):
        return {name: _filled(value, given) for name, value in config.items()}
    return config.format(**given) if isinstance(config, str) else config


def _messages(text: str, kind: str) -> Iterator[Json]:
    """Of the lines of JSON those of a type; a line cut off at the end is none."""
    for line in text.splitlines():
        if kind in line[:20] and line.endswith("}"):
            yield json.loads(line)


def _singer(peer: Peer, discovered: Callable[[], str]) -> Json:
    """The discovered catalogue with the one stream selected, all of its fields."""
    streams = [one for one in json.loads(discovered())["streams"] if one["stream"] == peer.stream]
    for entry in streams[0]["metadata"]:
        if not entry["breadcrumb"]:
            wanted = {"selected": True, "replication-method": "INCREMENTAL"}
            key = {"replication-key": peer.replication_key} if peer.replication_key else {}
            entry["metadata"] |= wanted | key
        elif entry["metadata"].get("inclusion") != "unsupported":
            entry["metadata"]["selected"] = True
    return {"streams": streams}


def _airbyte(peer: Peer, discovered: Callable[[], str]) -> Json:
    """The one stream, to be read by its cursor; as it was discovered, where that takes no other endpoints."""
    stream: Json = {
        "name": peer.stream,
        "json_schema": {"type": "object", "properties": {}},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "default_cursor_field": [peer.cursor],
    }
    if not peer.cursor:
        (found,) = (one["catalog"]["streams"] for one in _messages(discovered(), "CATALOG"))
        stream = next(one for one in found if one["name"] == peer.stream)
    asked = {
        "stream": stream,
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "cursor_field": stream["default_cursor_field"],
    }
    return {"streams": [asked]}


_DISCOVER: Mapping[str, list[str]] = {"singer": ["--discover"], "airbyte": ["discover"]}
_CATALOGUES: Mapping[str, Callable[[Peer, Callable[[], str]], Json]] = {
    "singer": _singer,
    "airbyte": _airbyte,
}
