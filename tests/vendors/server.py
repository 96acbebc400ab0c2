"""Three vendors over real HTTP that bill, refuse, dawdle and hang up, and write down whom they billed.

Shares nothing with the engine. What is written down is on disk before the first byte of a reply is sent, so
that it tells of look-ups nobody heard the answer of. Manifests that speak to them stand beside this file.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COST = 1.0
"""Credits of a look-up that is billed; what its manifest reserves for one is more."""
BILLED, MISSED, FETCHED = "billed", "missed", "fetched"
THROTTLED, NO_CREDIT, BROKEN, WORKING = "throttled", "no credit", "broken", "working"
TOKEN = "a-token-of-the-market"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log. at: epoch seconds. key: the domain. lost: the vendor hung up instead of replying.

    billed: a look-up that was paid, of `jobs` an order. fetched: the result of an order was handed out.
    """

    at: float
    vendor: str
    kind: str
    key: str = ""
    credits: float = 0.0
    job: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Shares of requests that meet trouble, of companies nobody knows, and of results that are not there at
    the first look. latency: seconds at most, but for those that are slow."""

    unknown: float = 0.25
    throttled: float = 0.02
    broken: float = 0.02
    hangs_up_before: float = 0.02
    hangs_up_after: float = 0.03
    working: float = 0.3
    slow: float = 0.05
    latency: float = 0.02
    slowest: float = 0.25


SOUND = Habits(throttled=0, broken=0, hangs_up_before=0, hangs_up_after=0, working=0, slow=0, latency=0)


class Refused(Exception):
    """status: None for a connection that ends without a reply."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class _Jobs:
    """Order → domain, and how often its result was looked for."""

    of: dict[str, str] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)


class Vendors:
    """`plain`, `several` and `jobs` at one address. credit: look-ups that `several` sells before a 402."""

    def __init__(self, log: Path, *, seed: int, habits: Habits = Habits(), credit: int = 20) -> None:
        self.habits = habits
        self.credit = credit
        self._seed, self._dice = seed, random.Random(seed)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._path = log
        self._jobs = _Jobs()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"vendors": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        os.close(self._log)

    def hear_out(self) -> None:
        """Wait until all that was sent by processes that are gone has been read, and billed."""
        for _ in range(2):  # a connection may not have been accepted yet
            while self._server.lines:
                time.sleep(0.005)
            time.sleep(0.01)

    def entries(self) -> list[Entry]:
        """All that was ever written down, in order."""
        return [Entry(**json.loads(line)) for line in self._path.read_text().splitlines()]

    def knows(self, vendor: str, key: str) -> bool:
        return random.Random(f"{self._seed} {vendor} {key}").random() >= self.habits.unknown

    def answer(self, method: str, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the reply. Raises Refused."""
        parts = path.strip("/").split("/")
        vendor = parts[0]
        with self._trouble(vendor) as hangs_up:
            if vendor == "jobs" and method == "GET":
                return self._result(parts[1], hangs_up)
            if vendor == "jobs":
                return self._order(str(body["domain"]), hangs_up)
            if method == "POST":
                return self._several([str(domain) for domain in body["domains"]], hangs_up)
            if vendor == "several" and self.credit <= 0:
                return self._refuse(vendor)
            return self._look_up(vendor, parts[-1], hangs_up)

    @contextmanager
    def _trouble(self, vendor: str) -> Iterator[bool]:
        """What befalls a request before it is understood; yields whether the vendor hangs up afterwards."""
        habits = self.habits
        with self._lock:
            chance, slow = self._dice.random(), self._dice.random()
            naps = slow * habits.latency if slow >= habits.slow else habits.slowest
        time.sleep(naps)
        with self._lock:
            for share, kind in (
                (habits.throttled, THROTTLED),
                (habits.broken, BROKEN),
                (habits.hangs_up_before, "hung up"),
            ):
                if chance < share:
                    self._note(vendor, kind, lost=kind == "hung up")
                    raise Refused({THROTTLED: 429, BROKEN: 503}.get(kind))
                chance -= share
            hangs_up = chance < habits.hangs_up_after
            yield hangs_up
        if hangs_up:
            raise Refused(None)

    def _look_up(self, vendor: str, key: str, lost: bool) -> tuple[int, dict[str, Any]]:
        if not self.knows(vendor, key):
            self._note(vendor, MISSED, key, lost=lost)
            return 404, {"error": "not known", "meta": {"cost": 0}}
        if vendor == "several":
            self.credit -= 1
        self._note(vendor, BILLED, key, COST, lost=lost)
        return 200, {"company": self._company(key), "meta": {"cost": COST}}

    def _several(self, keys: list[str], lost: bool) -> tuple[int, dict[str, Any]]:
        if self.credit < len(keys):
            return self._refuse("several")
        found = []
        for key in reversed(keys):  # in no order of ours
            status, one = self._look_up("several", key, lost)
            found.append({"domain": key, "status": status, **one})
        return 200, {"companies": found}

    def _refuse(self, vendor: str) -> tuple[int, dict[str, Any]]:
        self.credit = 0
        self._note(vendor, NO_CREDIT)
        return 402, {"error": "no credit is left"}

    def _order(self, key: str, lost: bool) -> tuple[int, dict[str, Any]]:
        job = f"job-{len(self._jobs.of) + 1}"
        self._jobs.of[job] = key
        self._note("jobs", BILLED, key, COST, job=job, lost=lost)
        return 202, {"id": job, "state": "working"}

    def _result(self, job: str, lost: bool) -> tuple[int, dict[str, Any]]:
        if job not in self._jobs.of:
            return 404, {"error": "no such job"}
        key = self._jobs.of[job]
        looked = self._jobs.looked[job] = self._jobs.looked.get(job, 0) + 1
        if looked == 1 and self._dice.random() < self.habits.working:
            self._note("jobs", WORKING, key, job=job, lost=lost)
            return 200, {"id": job, "state": "working"}
        self._note("jobs", FETCHED, key, job=job, lost=lost)
        company = self._company(key) if self.knows("jobs", key) else None
        return 200, {"id": job, "state": "done", "company": company, "meta": {"cost": COST}}

    def _company(self, key: str) -> dict[str, Any]:
        dice = random.Random(f"{self._seed} {key}")
        employees, country = dice.choice((20, 80, 700, 6000)), dice.choice(("France", "Germany", "Japan"))
        return {"name": key.partition(".")[0], "employees": employees, "country": country}

    def _note(
        self,
        vendor: str,
        kind: str,
        key: str = "",
        credits: float = 0.0,
        *,
        job: str = "",
        lost: bool = False,
    ) -> None:
        entry = Entry(at=time.time(), vendor=vendor, kind=kind, key=key, credits=credits, job=job, lost=lost)
        os.write(self._log, json.dumps(asdict(entry)).encode() + b"\n")


class _Server(ThreadingHTTPServer):
    """lines: connections that are open, or hold what nobody has read yet."""

    daemon_threads = True
    lines = 0
    counting = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.counting:
            self.lines += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self.counting:
                self.lines -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    vendors: Vendors

    def do_GET(self) -> None:
        self._reply({})

    def do_POST(self) -> None:
        self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _reply(self, body: Mapping[str, Any]) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._send(401, {"error": "who are you?"})
        try:
            status, said = self.vendors.answer(self.command, self.path, body)
        except Refused as refused:
            if refused.status is None:
                self.close_connection = True
                return None
            status, said = refused.status, {"error": "not now"}
        return self._send(status, said)

    def _send(self, status: int, said: Mapping[str, Any]) -> None:
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if status == 429:
            self.send_header("Retry-After", "1")
        try:
            self.end_headers()
            self.wfile.write(text)
        except OSError:  # whoever asked is gone
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""
