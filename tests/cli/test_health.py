"""`icp-sync health` against real answers of the worker's port, and against others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from icp_sync.daemon import Stopping
from icp_sync.daemon.health import Health
from icp_sync.daemon.streams import Loop
from icp_sync.errors import UnavailableError
from icp_sync.ports import Stream
from tests.cli.conftest import command
from tests.daemon.station import portal
from tests.sync.world import World


def settings(folder: Path, port: int, host: str = "127.0.0.1") -> str:
    path = folder / "icp-sync.toml"
    path.write_text(
        f'[health]\nhost = "{host}"\nport = {port}\n[connections.main]\nprofiles = ["none.yaml"]\n'
    )
    return str(path)


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    world, stopping = World(folder=tmp_path), Stopping()
    return Loop(portal(world, stopping), Stream.POLL, 60, stopping, world.clock)


@pytest.fixture
def port(loop: Loop) -> Iterator[int]:
    answering = Health([loop], "127.0.0.1", 0, clock=lambda: 0.0)
    answering.start()
    yield answering.port
    answering.stop()


def test_a_worker_that_is_well_says_so_and_no_credentials_are_needed(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for host in ("127.0.0.1", "0.0.0.0"):  # the second: everywhere, so also here
        result = command("health", "--config", settings(tmp_path, port, host))
        assert (result.stdout, result.exit_code) == ("well\n", 0)


def test_what_is_not_well_is_named_and_ends_with_exit_code_1(port: int, loop: Loop, tmp_path: Path) -> None:
    loop.portal.halt(UnavailableError("no longer"))
    config = settings(tmp_path, port)
    result = command("health", "--config", config)
    assert (result.stdout, result.exit_code) == ("main/poll halted\n", 1)
    told = json.loads(command("health", "--json", "--config", config).stdout)
    assert told["connections"]["main"]["poll"]["state"] == "halted"


def test_a_worker_that_is_alive_is_not_restarted_for_a_crm_that_is_down(
    port: int, loop: Loop, tmp_path: Path
) -> None:
    loop.portal.halt(UnavailableError("no longer"))
    config = settings(tmp_path, port)
    result = command("health", "--alive", "--config", config)
    assert (result.exit_code, result.stdout) == (0, "main/poll halted\n")
    assert command("health", "--alive", "--ready", "--config", config).exit_code == 2


def test_nobody_there_is_not_alive(tmp_path: Path) -> None:
    assert command("health", "--alive", "--config", settings(tmp_path, 9)).exit_code == 1


def test_whether_it_is_ready_is_another_question(port: int, loop: Loop, tmp_path: Path) -> None:
    config = settings(tmp_path, port)
    early = command("health", "--ready", "--config", config)
    assert (early.exit_code, early.stdout) == (1, "main: the CRM has not accepted the credentials yet\n")
    loop.tick()
    done = command("health", "--ready", "--config", config)
    assert (done.exit_code, done.stdout) == (0, "ready\n")


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_another_program_on_that_port_is_no_worker(tmp_path: Path) -> None:
    for body in (b"<html>", b"\xff", b"[" * 100_000, b"[]", b'{"status": "ok"}'):
        with answering(body) as port:
            result = command("health", "--config", settings(tmp_path, port))
        assert (result.exit_code, "no worker answers" in result.stderr) == (1, True)
    result = command("health", "--config", settings(tmp_path, port))
    assert "Connection refused" in result.stderr
    assert "next: icp-sync run" in result.stderr


def test_a_worker_told_to_answer_nobody_cannot_be_asked(tmp_path: Path) -> None:
    result = command("health", "--config", settings(tmp_path, 0))
    assert (result.exit_code, "health.port is 0" in result.stderr) == (2, True)
