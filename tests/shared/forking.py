"""Many processes at the price of one: forked from one that has imported what they need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

_MOTHER = """
import json, os, sys, traceback
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            child(*json.loads(line))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(pid, flush=True)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""


class Mother:
    """code: Python that imports, and defines `child(*args)`, which each process runs and then ends."""

    def __init__(self, code: str) -> None:
        self._children: list[int] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", code + _MOTHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *args: str) -> int:
        """A process's id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(args) + "\n")
        self._process.stdin.flush()
        self._children.append(int(self._process.stdout.readline()))
        return self._children[-1]

    def close(self) -> None:
        for pid in self._children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.communicate()
