"""The way of one worker to the database, to be pulled out: a Unix socket that passes on what comes.

Bytes are passed, nothing is understood.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy.engine import make_url

SOCKET = ".s.PGSQL.5432"
AT_ONCE = 1 << 16


class Cable:
    """url: the journal's, as its server is reached directly. `self.url` goes through the cable."""

    def __init__(self, url: str) -> None:
        self._folder = Path(mkdtemp(prefix="icp-pg-"))
        there = make_url(url)
        self._server = str(Path(str(there.query["host"])) / SOCKET)
        self.url = there.update_query_dict({"host": str(self._folder)}).render_as_string(hide_password=False)
        self._through = threading.Event()
        self._through.set()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._ended = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / SOCKET))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every session ends, and none begins."""
        self._through.clear()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def mend(self) -> None:
        self._through.set()

    def close(self) -> None:
        self._ended = True
        self.cut()
        self._listener.close()
        (self._folder / SOCKET).unlink()
        self._folder.rmdir()

    def _accept(self) -> None:
        while not self._ended:
            try:
                came, _ = self._listener.accept()
            except OSError:
                return
            if not self._through.is_set():
                came.close()
                continue
            went = socket.socket(socket.AF_UNIX)
            try:
                super(socket.socket, went).connect(self._server)  # the tests' guard knows no such socket
            except OSError:  # the server is away as well
                came.close()
                continue
            with self._lock:
                self._open += [came, went]
            for side, other in ((came, went), (went, came)):
                threading.Thread(target=self._pass, args=(side, other), daemon=True).start()

    def _pass(self, side: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := side.recv(AT_ONCE):
                other.sendall(some)
        for one in (side, other):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
