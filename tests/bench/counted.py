"""`python -m tests.bench.counted FILE …`: a command that writes once a second what it has taken so far.

Lines of JSON: seconds of wall clock and of processor, megabytes resident now, statements sent to the journal.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Engine, event

EVERY = 1.0
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """By one process, since it began."""

    at: float
    cpu: float
    megabytes: float
    statements: int

    @classmethod
    def now(cls, statements: int) -> Taken:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(
            at=time.monotonic(),
            cpu=used.ru_utime + used.ru_stime,
            megabytes=_resident(),
            statements=statements,
        )


class Statements:
    """How many were sent by this process, to whatever journal."""

    def __init__(self) -> None:
        self.seen = 0
        event.listen(Engine, "before_cursor_execute", self._heard)

    def _heard(self, *_: object) -> None:
        self.seen += 1


@dataclass(frozen=True, kw_only=True)
class Rest:
    """A worker with nothing to do: what a minute takes, and the most it held."""

    cpu: float
    statements: float
    megabytes: float


def at_rest(config: Path, seconds: float, *, settling: float) -> Rest:
    """`icp-sync run` for so long, after `settling` seconds in which it began. config: of an unchanged CRM."""
    file = config.with_name("taken.jsonl")
    with _running(file, "run", "--config", str(config)):
        time.sleep(settling + seconds)
    lines = file.read_text(encoding="utf-8").splitlines()
    taken = [Taken(**json.loads(line)) for line in lines]
    began = next(one for one in taken if one.at >= taken[-1].at - seconds)
    minutes = (taken[-1].at - began.at) / 60
    return Rest(
        cpu=(taken[-1].cpu - began.cpu) / minutes,
        statements=(taken[-1].statements - began.statements) / minutes,
        megabytes=max(one.megabytes for one in taken),
    )


@contextmanager
def _running(file: Path, *arguments: str) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.counted", str(file), *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield
            if process.poll() is not None:
                assert process.stderr is not None
                raise RuntimeError(f"it ended with {process.returncode}: {process.stderr.read()[-2_000:]}")
        finally:
            process.send_signal(signal.SIGTERM)


def _resident() -> float:
    """Megabytes held now; the peak where a system does not tell."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _write(file: Path, statements: Statements) -> None:
    with file.open("w", encoding="utf-8", buffering=1) as lines:
        while True:
            lines.write(json.dumps(asdict(Taken.now(statements.seen))) + "\n")
            time.sleep(EVERY)


def main() -> None:
    from icp_sync.cli.app import main as run

    file, sys.argv = Path(sys.argv[1]), ["icp-sync", *sys.argv[2:]]
    threading.Thread(target=_write, args=(file, Statements()), daemon=True).start()
    run()


if __name__ == "__main__":
    main()
