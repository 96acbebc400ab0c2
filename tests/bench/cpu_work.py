"""One measured piece of work in a process: `python -m tests.bench.cpu_work WHAT CONFIG URL TOKEN CALLS`.

WHAT is `write` (a first backfill), `record` (the same, calls kept in CALLS), `replay` (those calls alone),
`dry` (read, evaluate, compare), `client` (a loop with hubspot-api-client) or `list` (requests and json).
"""

from __future__ import annotations

import json
import pickle
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from icp_sync.cli.memory import keep_memory_flat
from icp_sync.observe import configure_logs

Call = tuple[str, str, bytes | None]
COMPANIES = "/crm/objects/2026-03/companies"


def main() -> None:
    what, config, url, token, calls = sys.argv[1:]
    keep_memory_flat()  # as the program does for itself
    configure_logs(level="error")
    work = _WORKS[what](Path(config), url, token, Path(calls))
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    work()
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall": wall, "cpu": taken}))


def _ours(apply: bool) -> Callable[..., Callable[[], object]]:
    def ready(config: Path, *_: object) -> Callable[[], object]:
        from icp_sync.ports import Stream
        from icp_sync.settings import load
        from icp_sync.sync.cycle import Scope, cycle
        from icp_sync.wiring import wire

        wired = wire(load(config))
        wired.crm.identity()
        return lambda: cycle(Stream.BACKFILL, wired.parts, Scope(apply=apply))

    return ready


def _recorded(config: Path, url: str, token: str, calls: Path) -> Callable[[], object]:
    """Everything that goes over the wire, seen where requests hands it over."""
    kept: list[Call] = []
    send = requests.adapters.HTTPAdapter.send

    def sent(adapter: Any, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        kept.append((str(request.method), str(request.path_url), body))
        return send(adapter, request, **more)

    work = _ours(True)(config)

    def recording() -> None:
        requests.adapters.HTTPAdapter.send = sent  # type: ignore[method-assign, assignment]
        work()
        calls.write_bytes(pickle.dumps(kept))

    return recording


def _replayed(config: Path, url: str, token: str, calls: Path) -> Callable[[], object]:
    """The same calls: bodies made from their values, replies parsed, nothing else."""
    kept: list[Call] = pickle.loads(calls.read_bytes())
    bodies = [(method, path, json.loads(body) if body else None) for method, path, body in kept]

    def replay() -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {token}"
            session.headers["Content-Type"] = "application/json"
            for method, path, body in bodies:
                said = json.dumps(body) if body is not None else None
                reply = session.request(method, url + path, data=said, timeout=60)
                reply.raise_for_status()
                json.loads(reply.content)

    return replay


def _listed(config: Path, url: str, token: str, calls: Path) -> Callable[[], object]:
    names = ",".join(_properties(calls))

    def listing() -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {token}"
            asked = {"limit": "100", "properties": names}
            while True:
                reply = session.get(url + COMPANIES, params=asked, timeout=60)
                page = json.loads(reply.content)
                after = page.get("paging", {}).get("next", {}).get("after")
                if after is None:
                    return
                asked["after"] = after

    return listing


def _by_client(config: Path, url: str, token: str, calls: Path) -> Callable[[], object]:
    """What the vendor's own documentation shows: `get_all`."""
    from hubspot import HubSpot

    client = HubSpot(access_token=token, host=url)
    return lambda: client.crm.companies.get_all(properties=_properties(calls))


def _properties(calls: Path) -> list[str]:
    """The properties our own calls asked for."""
    kept: list[Call] = pickle.loads(calls.read_bytes())
    asked = [parse_qs(urlsplit(path).query) for method, path, _ in kept if urlsplit(path).path == COMPANIES]
    return next(found["properties"][0].split(",") for found in asked if "properties" in found)


_WORKS: dict[str, Callable[..., Callable[[], object]]] = {
    "write": _ours(True),
    "record": _recorded,
    "replay": _replayed,
    "dry": _ours(False),
    "client": _by_client,
    "list": _listed,
}

if __name__ == "__main__":
    main()
