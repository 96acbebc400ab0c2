"""`status` shows how much others told us of companies, and when last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from icp_sync.domain.facts import Signal
from icp_sync.journal import Journal
from icp_sync.journal.inbound import Event
from tests.cli.conftest import command

NOW = 1.79e9


def fold(events: Sequence[Event], before: Sequence[Signal] = ()) -> tuple[Signal, ...]:
    return ()


def test_status_counts_events_by_source(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(
        f"""
        journal = "sqlite:///{tmp_path}/j.sqlite"
        [connections.main]
        token = "pat-eu1-0badcafe"
        profiles = ["a.yaml"]
        [connections.main.inbound.site]
        domain = "domain"
        facts = {{intent_score = "score"}}
        secret = "0123456789abcdef-0123"
        [connections.main.inbound.quiet]
        domain = "domain"
        facts = {{intent_score = "score"}}
        secret = "0123456789abcdef-0124"
        """
    )
    with closing(Journal.open(f"sqlite:///{tmp_path}/j.sqlite", "main")) as journal:
        events = [Event(id=f"e{n}", domain=f"d{n % 2}.com", at=NOW + n, until=NOW + 9e9) for n in range(3)]
        journal.take_events("site", events, fold, now=NOW + 5)
    where = ("--config", str(tmp_path / "x.toml"))
    said = command("status", "--json", *where)
    assert said.exit_code == 0, said.output
    told = {one["source"]: one for one in json.loads(said.stdout)["inbound"]}
    assert (told["site"]["events"], told["site"]["companies"], told["site"]["latest"]) == (3, 2, NOW + 2)
    assert told["quiet"]["latest"] is None
    shown = command("status", *where).stdout
    assert "site: 3 events of 2 companies, the latest of 2026-09-21" in shown
    assert "quiet: 0 events of 0 companies" in shown
