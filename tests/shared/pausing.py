"""Processes of the real command line that stop themselves at a chosen point, as where a machine is suspended.

They are forked from one that has imported it all. Who is stopped goes on with `wake`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_NURSERY = """
import json, os, signal, sys
import icp_sync.cli.app, icp_sync.cli.run.progress, icp_sync.cli.run.summary, icp_sync.cli.rendering
import icp_sync.daemon, icp_sync.wiring, icp_sync.settings, icp_sync.cli.run, pytickersymbols
import icp_sync.enrichers.public_companies, icp_sync.crm.hubspot, icp_sync.crm.salesforce, psycopg
import hubspot.crm.companies, hubspot.crm.properties, hubspot.crm.owners
from icp_sync import observe
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])), flush=True)
        continue
    pid = os.fork()
    if pid:
        print(json.dumps(pid), flush=True)
        continue
    os.close(0)
    os.dup2(os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(os.open(asked["out"], os.O_WRONLY | os.O_APPEND), 2)
    left = list(asked["points"])
    def reached(name):
        if left and name == left[0]:
            del left[0]
            if not left:
                os.kill(os.getpid(), signal.SIGSTOP)
    if left:
        observe.arm_faults(reached)
    sys.argv = ["icp-sync", *asked["args"]]
    icp_sync.cli.app.main()
"""


class Sleepers:
    """Starts `icp-sync` processes; `folder` holds what they print."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self._said: dict[int, Path] = {}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ICP_SYNC_")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._read() == "ready"

    def start(self, *args: str, points: tuple[str, ...] = ()) -> int:
        """Start a command. points: fault points; having passed them in this order, it stops at the last."""
        self._count += 1
        out = self._folder / f"sleeper-{self._count}"
        pid = int(str(self._ask({"args": args, "points": points, "out": str(out)})))
        self._said[pid] = out
        return pid

    def asleep(self, pid: int) -> None:
        """Wait until it has stopped."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "T":
                return
            assert state != "Z", f"it ended: {self._said[pid].read_text()}"
            time.sleep(0.02)
        raise AssertionError(self._said[pid].read_text())

    def wake(self, pid: int) -> tuple[int, str]:
        """Let it go on to its end; its status, and all it said."""
        os.kill(pid, signal.SIGCONT)
        return self.wait(pid)

    def wait(self, pid: int) -> tuple[int, str]:
        return int(str(self._ask({"wait": pid}))), self._said.pop(pid).read_text()

    def close(self) -> None:
        for pid in list(self._said):
            os.kill(pid, signal.SIGKILL)
            self.wait(pid)
        self._process.communicate()

    def _ask(self, what: object) -> object:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> object:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
