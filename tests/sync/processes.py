"""The real command line in processes of its own, to be killed: forked from one that has imported it all.

A fresh interpreter costs a second or two before it does anything; these tests start dozens.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NURSERY = """
import json, os, sys
import icp_sync.cli.app, icp_sync.cli.run.progress, icp_sync.cli.run.summary, icp_sync.cli.rendering
import icp_sync.daemon, icp_sync.wiring, icp_sync.sync.where, icp_sync.settings
import icp_sync.cli.run, icp_sync.enrichers.public_companies, pytickersymbols, hubspot.crm.companies
import hubspot.crm.properties, hubspot.crm.owners
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
    os.dup2(os.open(asked["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.environ.update(asked["env"])
    sys.argv = ["icp-sync", *asked["args"]]
    icp_sync.cli.app.main()
"""


class Ended:
    """How a process ended. `code` is negative for a signal, as in `subprocess`."""

    def __init__(self, code: int, out: Path, err: Path) -> None:
        self.code, self.out, self.err = code, out.read_text(), err.read_text()


class Nursery:
    """Starts `icp-sync` processes; `folder` holds what they print. also: further imports, as Python."""

    def __init__(self, folder: Path, also: str = "") -> None:
        self._folder, self._count = folder, 0
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ICP_SYNC_")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{also}\n{_NURSERY}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._living: dict[int, tuple[Path, Path]] = {}
        assert self._said() == "ready"

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> int:
        """Start a command and return its process id."""
        self._count += 1
        out, err = (self._folder / f"{self._count}.{kind}" for kind in ("out", "err"))
        for said in (out, err):
            said.touch()  # so that it can be read before the process has begun
        pid = self._ask({"args": args, "env": dict(env or {}), "out": str(out), "err": str(err)})
        self._living[pid] = out, err
        return int(pid)

    def wait(self, pid: int) -> Ended:
        return Ended(self._ask({"wait": pid}), *self._living.pop(pid))

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Ended:
        return self.wait(self.start(*args, env=env))

    def lives(self, pid: int) -> bool:
        """Whether it was started here and nobody has waited for its end."""
        return pid in self._living

    def said_so_far(self, pid: int) -> str:
        return self._living[pid][1].read_text()

    def close(self) -> None:
        for pid in list(self._living):
            os.kill(pid, 9)
            self.wait(pid)
        self._process.communicate()

    def _ask(self, what: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._said()

    def _said(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
