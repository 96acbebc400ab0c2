"""`enrich VENDOR DOMAIN --raw`: one real reply becomes a sample, paid for like any other and of no secret."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from icp_sync.enrichers.manifest.loading import VENDORS
from icp_sync.journal import Journal
from icp_sync.journal.bought import VendorState
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

    def journal(self) -> Journal:
        return Journal.open(f"sqlite:///{self.path}/j.sqlite", "main")

    def spent(self) -> float:
        with closing(self.journal()) as journal:
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


def test_a_dry_run_says_what_it_would_cost_and_asks_nobody(folder: Folder, vendor: Vendor) -> None:
    said = folder.run("example_rest", "acme.com", "--raw", "--dry-run").stdout
    assert "example_rest would be asked about acme.com once, for at most 4 credits." in said
    told = json.loads(folder.run("example_rest", "acme.com", "--raw", "--dry-run", "--json").stdout)
    assert (told["credits_most"], told["apply"]) == (4.0, False)
    assert vendor.asked == []
    assert folder.spent() == 0.0


def test_it_says_what_it_cost_and_is_counted_among_the_questions(folder: Folder, vendor: Vendor) -> None:
    assert "example_rest: hit; it cost 3 credits" in folder.run("example_rest", "acme.com", "--raw").stderr
    with closing(folder.journal()) as journal:
        [learned] = journal.learned().values()
        assert (learned.asked, learned.told, learned.charge) == (1, 1, 3.0)
        assert journal.vendor("example_rest").credits_left == 97.0


def test_a_reply_ends_a_rest_and_a_refusal_begins_one(folder: Folder, vendor: Vendor) -> None:
    now = time.time()
    with closing(folder.journal()) as journal:
        state = VendorState(failures=1, open_until=now + 6e3, kind="not_entitled", message="HTTP 401", at=now)
        journal.save_vendor("example_rest", state, now=now)
    folder.run("example_rest", "acme.com", "--raw")
    with closing(folder.journal()) as journal:
        assert journal.vendor("example_rest").open_until == 0.0
    vendor.status, vendor.body = 401, b'{"error": "who are you"}'
    config = (folder.path / "x.toml").read_text()
    (folder.path / "x.toml").write_text(config.replace("budget_day = 6", "budget_day = 60"))
    said = folder.run("example_rest", "acme.com", "--raw").stderr
    assert "its key was refused" in said
    with closing(folder.journal()) as journal:
        told = journal.vendor("example_rest")
    assert (told.kind, told.open_until > 0.0) == ("not_entitled", True)


def test_a_manifest_that_calls_itself_verified_can_be_recorded_for_the_first_time(
    folder: Folder, vendor: Vendor
) -> None:
    text = (VENDORS / "example_rest.yaml").read_text().replace("verified: false", "verified: true")
    own = folder.path / "example_rest.yaml"
    own.write_text(text if "verified: true" in text else f"{text}verified: true\n")
    config = (folder.path / "x.toml").read_text()
    rest = f'use = "rest"\nmanifest = "{own}"'
    (folder.path / "x.toml").write_text(config.replace('use = "example_rest"', rest))
    assert json.loads(folder.run("example_rest", "acme.com", "--raw").stdout)["made"] == "recorded"
