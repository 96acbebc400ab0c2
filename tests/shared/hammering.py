"""Processes that want more calls than there are, on one PostgreSQL, and a server that counts what arrives.

    python -m tests.shared.hammering --seconds 60 --processes 4

tells how evenly the calls were shared, how much of the limit was used, and how many windows held too many,
while one process is killed and replaced, one is paused and goes on, and one has a clock that is five minutes
ahead.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import tempfile
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests import postgres
from tests.shared.forking import Mother

CALLER = """
import os, threading, time
from sqlalchemy import event
from icp_sync.errors import UnavailableError
from icp_sync.http import Endpoint, Transport
from icp_sync.journal import Journal
from icp_sync.quota import Daily, InJournal, Quota, Rate
import psycopg, requests

def child(journal_url, url, who, limit, seconds, distance, ahead, threads, go):
    real = time.time
    time.time = lambda: real() + float(ahead)
    journal = Journal.open(journal_url, "main")
    if float(distance):
        event.listen(journal.engine, "before_cursor_execute", lambda *_: time.sleep(float(distance)))
    rates = {"burst": Rate(int(limit), float(seconds))}
    quota = Quota(rates, daily=Daily(), kept=InJournal(journal, rates))
    transport = Transport(url, quota=quota, name="main", timeout=(5, 30))
    call = Endpoint(name="call", buckets=("burst",), idempotent=True)
    open(go + ".ready", "w").close()
    while not os.path.exists(go):
        time.sleep(0.005)

    def work():
        while True:
            try:
                transport.send("GET", "/" + who, endpoint=call)
            except UnavailableError:
                time.sleep(0.1)

    for _ in range(int(threads)):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(3600)
"""


@dataclass
class Counted:
    """What arrived: when, by this process's clock, and from whom."""

    arrived: list[tuple[float, str]] = field(default_factory=list)

    def fullest(self, seconds: float) -> int:
        """The most that any window of so many seconds held."""
        times = sorted(at for at, _ in self.arrived)
        return max((n + 1 - bisect_right(times, at - seconds) for n, at in enumerate(times)), default=0)

    def above(self, seconds: float, limit: int) -> int:
        """Windows, each ended by a call, that held more than the limit."""
        times = sorted(at for at, _ in self.arrived)
        return sum(n + 1 - bisect_right(times, at - seconds) > limit for n, at in enumerate(times))

    def between(self, begin: float, end: float) -> Counter[str]:
        return Counter(who for at, who in list(self.arrived) if begin <= at < end)


@contextmanager
def counting() -> Iterator[tuple[str, Counted]]:
    """A server's URL, and what it counts."""
    counted = Counted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            counted.arrived.append((time.monotonic(), self.path.strip("/")))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Of a process that was killed."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", counted
    finally:
        server.shutdown()
        server.server_close()


class Hammer:
    """Processes that call as fast as they are let, until the end."""

    def __init__(self, url: str, *, limit: int, seconds: float, threads: int = 4) -> None:
        self.journal, self._url, self._threads = postgres.server().database(), url, threads
        self._rate = str(limit), str(seconds)
        self._mother = Mother(CALLER)
        self._folder = Path(tempfile.mkdtemp())
        self._running: dict[str, int] = {}

    def prepare(self, who: str, *, distance: float = 0.0, ahead: float = 0.0) -> None:
        """distance: seconds that the database is further away from it. ahead: of its clock."""
        more = (who, *self._rate, str(distance), str(ahead), str(self._threads), str(self._folder / who))
        self._running[who] = self._mother.start(self.journal, self._url, *more)

    def begin(self, *those: str) -> float:
        """Let them call, all at once; when that was."""
        while not all((self._folder / f"{who}.ready").exists() for who in those):
            time.sleep(0.005)
        for who in those:
            (self._folder / who).touch()
        return time.monotonic()

    def signal(self, who: str, what: signal.Signals) -> None:
        os.kill(self._running[who], what)

    def close(self) -> None:
        self._mother.close()
        postgres.server().drop(self.journal)
        shutil.rmtree(self._folder)


def storm(hammer: Hammer, seconds: float) -> None:
    """Of three that run: the first killed and replaced, the second paused for long, the third let be."""
    hammer.prepare("heir")
    time.sleep(seconds / 4)
    hammer.signal("a", signal.SIGKILL)
    hammer.signal("b", signal.SIGSTOP)
    hammer.begin("heir")
    time.sleep(seconds / 2)
    hammer.signal("b", signal.SIGCONT)
    time.sleep(seconds / 4)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--processes", type=int, default=4)
    asked.add_argument("--limit", type=int, default=190)
    asked.add_argument("--window", type=float, default=10.0)
    asked.add_argument("--threads", type=int, default=4)
    said = asked.parse_args()
    with counting() as (url, counted):
        hammer = Hammer(url, limit=said.limit, seconds=said.window, threads=said.threads)
        names = [chr(ord("a") + n) for n in range(said.processes)]
        for n, who in enumerate(names):
            hammer.prepare(who, distance=0.004 * n, ahead=300.0 * (n == 1))
        began = hammer.begin(*names)
        time.sleep(said.seconds)
        shares = counted.between(began, began + said.seconds)
        settled = sum(counted.between(began + said.window, began + said.seconds).values())
        used = settled / (said.limit * (said.seconds - said.window) / said.window)
        print(f"shares {dict(sorted(shares.items()))}, {used:.1%} of the limit used after the first window")
        print(f"fullest window {counted.fullest(said.window)} of {said.limit}")
        storm(hammer, said.seconds)
        print(f"and with one killed and one paused {counted.fullest(said.window)}")
        print(f"windows above the limit: {counted.above(said.window, said.limit)}")
        hammer.close()


if __name__ == "__main__":
    main()
