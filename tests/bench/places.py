"""Where a bench runs: a CRM as a process of its own, a connection to it, and measured processes beside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from icp_sync.domain.standing import Mode
from icp_sync.profile_file import load_all
from icp_sync.settings import load
from icp_sync.wiring import wire

LISTED = Path("config/profiles/listed-companies.yaml")
PROFILE = Path("config/profiles/b2b-saas-mid-market.yaml")
NO_WAVES = '[connections.bench.backfill]\ncanary = 0\nwatch = "0"\nwave = 0\npause = "0"\n'
"""A backfill in one go, as `more` of `settings_of`."""
NO_PORT = "[health]\nport = 0\n"
"""A worker that answers nobody, so that several stand beside each other."""
_PEAK_UNIT = 1024 if sys.platform == "linux" else 1024 * 1024  # getrusage: kilobytes, on macOS bytes


@dataclass(frozen=True, kw_only=True)
class Served:
    """A simulated CRM in a process of its own, so that its work is nobody else's CPU or memory."""

    crm: str
    url: str
    token: str
    accounts: int
    keys: Mapping[str, str]
    pid: int = 0

    def stats(self) -> dict[str, int]:
        """Requests served so far: "total", and others the simulator counts."""
        found: dict[str, int] = requests.get(f"{self.url}/__simulator/stats", timeout=60).json()
        return found

    def requests(self) -> int:
        return self.stats()["total"]


@contextmanager
def served(crm: str = "hubspot", *, accounts: int, **options: object) -> Iterator[Served]:
    """A simulator process; options are those of `icp-sync simulator` (limits="pro", latency=0.25, …)."""
    said = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [
        sys.executable,
        "-m",
        "icp_sync",
        "simulator",
        "--crm",
        crm,
        "--accounts",
        str(accounts),
        *said,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            if crm == "hubspot":  # nobody begins to measure in the second after its properties were made
                reply = requests.post(
                    f"{told['url']}/__simulator/settings", json={"property_lag": 0}, timeout=60
                )
                reply.raise_for_status()
            yield Served(
                crm=crm,
                url=told["url"],
                token=told.get("token", ""),
                accounts=accounts,
                keys={name: str(value) for name, value in told.items()},
                pid=process.pid,
            )
        finally:
            process.terminate()


def settings_of(
    served: Served,
    folder: Path,
    *,
    profile: Path = LISTED,
    quota: str = "{burst = 10000, search = 1000}",
    more: str = "",
) -> Path:
    """A settings file with one connection, "bench". quota: as TOML, "" for the defaults; more: further."""
    told = {
        "hubspot": f'token = "{served.token}"\n',
        "salesforce": '[connections.bench.salesforce]\nmy_domain = "simulator.my"\n'
        f'consumer_key = "{served.keys.get("consumer_key")}"\n'
        f'consumer_secret = "{served.keys.get("consumer_secret")}"\n'
        'vacant_owners = ["unassigned@sales.example"]\n[connections.bench.outputs]\nowner = true\n',
    }
    config = folder / "icp-sync.toml"
    config.write_text(
        f'journal = "sqlite:///{folder}/journal.sqlite"\nseal_file = "{folder}/seal.key"\n'
        f'[connections.bench]\ncrm = "{served.crm}"\nbase_url = "{served.url}"\n'
        f'profiles = ["{profile.resolve()}"]\n'
        + (f"quota = {quota}\n" if quota else "")
        + told[served.crm]
        + more,
        encoding="utf-8",
    )
    return config


def prepared(config: Path, *, mode: str = "write") -> Path:
    """The same file, its fields made in the CRM, its profile active and its mode set."""
    wired = wire(load(config), create_seal=True)
    try:
        loaded = load_all(wired.settings.profiles, types=wired.types)
        wired.crm.provision(wired.blueprint(tuple(one.profile for one in loaded)), apply=True)
        now = time.time()
        wired.journal.bind(wired.crm.identity().id, crm=wired.settings.crm, now=now)
        wired.journal.activate([(one.path.name, one.text) for one in loaded], now=now)
        wired.journal.set_mode(Mode(mode), now=now)
    finally:
        wired.journal.close()
    return config


def icp_sync(*arguments: str, timeout: float = 3_600) -> str:
    """What a command of ours printed. Raises RuntimeError with the end of its stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "icp_sync", *arguments], capture_output=True, text=True, timeout=timeout
    )
    if done.returncode:
        raise RuntimeError(
            f"icp-sync {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2_000:]}"
        )
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a process took as a whole: seconds of wall clock and of processor, and peak memory in MB."""

    wall: float
    cpu: float
    megabytes: float
    out: str


_BETWEEN = """
import json, os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
told = [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]
os.write(int(sys.argv[1]), json.dumps(told).encode())
"""


def measured(command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 3_600) -> Took:
    """Run a command to its end. Raises RuntimeError where it fails, with what it said last.

    A child's peak of memory begins with that of whoever started it, so a small process stands between.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as took:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", _BETWEEN, str(took.fileno()), *command],
            stdout=out,
            stderr=said,
            env={**os.environ, **(env or {})},
            pass_fds=(took.fileno(),),
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # both of them
                process.wait()
        wall = time.perf_counter() - began
        for file in (out, said, took):
            file.seek(0)
        code, cpu, peak = json.loads(took.read() or b"[-9, 0.0, 0]")
        if code:
            told = said.read().decode(errors="replace")[-2_000:]
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {told}")
        return Took(
            wall=wall,
            cpu=cpu,
            megabytes=peak / _PEAK_UNIT,
            out=out.read().decode(errors="replace"),
        )
