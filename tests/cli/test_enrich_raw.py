"""`enrich VENDOR DOMAIN --raw`: one real reply becomes a sample, paid for like any other and of no secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from icp_sync.journal import Journal
from tests.cli.conftest import command

TOKEN = "hunter2-hunter2"
REPLY = {
    "company": {
        "name": "Acme",
        "staff": {"exact": 120},
        "email": "ada@acme.com",
        "technologies": [{"name": "HubSpot"}],
    },
    "meta": {"cost": 3, "credits": 97},
}


@dataclass
class Vendor:
    """A service on this machine, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    told = Vendor(body=json.dumps(REPLY).encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers["Authorization"]))
            self.send_response(told.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Folder:
    path: Path

    def run(self, *arguments: str, code: int = 0) -> Any:
        result = command("enrich", *arguments, "--config", str(self.path / "x.toml"))
        assert result.exit_code == code, result.output
        assert TOKEN not in result.output
        return result

    def spent(self) -> float:
        with closing(Journal.open(f"sqlite:///{self.path}/j.sqlite", "main")) as journal:
            return journal.spent("example_rest", 0.0)


@pytest.fixture
def folder(tmp_path: Path, vendor: Vendor) -> Folder:
    (tmp_path / "x.toml").write_text(
        f"""
        journal = "sqlite:///{tmp_path}/j.sqlite"
        [connections.main]
        token = "pat-eu1-0badcafe"
        profiles = ["a.yaml"]
        [[connections.main.enrichers]]
        use = "example_rest"
        token = "{TOKEN}"
        base_url = "{vendor.url}"
        price = 4
        budget_day = 6
        """
    )
    return Folder(tmp_path)


def test_a_reply_becomes_a_sample_of_no_secret_and_no_person(folder: Folder, vendor: Vendor) -> None:
    sample = json.loads(folder.run("example_rest", "www.acme.com", "--raw").stdout)
    assert vendor.asked == [("/v1/companies/acme.com", f"Bearer {TOKEN}")]
    assert (sample["made"], sample["status"]) == ("recorded", 200)
    assert sample["expect"]["employees"] == ["interval", 120.0, 120.0]
    assert "ada@acme.com" not in json.dumps(sample)
    assert folder.spent() == 3.0  # as the vendor reported it


def test_it_is_written_to_a_file_when_one_is_named(folder: Folder, tmp_path: Path) -> None:
    said = folder.run("example_rest", "acme.com", "--raw", "--out", str(tmp_path / "hit.json"))
    assert json.loads((tmp_path / "hit.json").read_text())["body"]["company"]["name"] == "Acme"
    assert said.stdout == ""
    assert "samples/example_rest/hit.json" in said.stderr


def test_budgets_bound_it_and_it_is_not_sent_beyond_them(folder: Folder, vendor: Vendor) -> None:
    folder.run("--vendor", "example_rest", "acme.com", "--raw")
    said = folder.run("example_rest", "other.com", "--raw", code=1).stderr
    assert "the budget 'vendor day' has nothing left for example_rest" in said
    assert len(vendor.asked) == 1


def test_a_miss_is_a_sample_too_and_costs_what_the_manifest_says(folder: Folder, vendor: Vendor) -> None:
    vendor.status, vendor.body = 404, b'{"error": "unknown"}'
    said = folder.run("example_rest", "acme.com", "--raw")
    assert json.loads(said.stdout)["outcome"] == "miss"
    assert "samples/example_rest/miss.json" in said.stderr
    assert folder.spent() == 0.0


def test_where_nobody_answers_there_is_nothing_to_record(folder: Folder, vendor: Vendor) -> None:
    config = (folder.path / "x.toml").read_text()
    (folder.path / "x.toml").write_text(config.replace(vendor.url, "http://127.0.0.1:1"))
    said = folder.run("example_rest", "acme.com", "--raw", code=1).stderr
    assert "there was no reply to record" in said
    assert "next: icp-sync vendors" in said
