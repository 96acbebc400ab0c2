"""`icp-sync notices`: what people would be told now, and a test message that shows whether it arrives."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icp_sync.journal import REP, Journal, Notice
from icp_sync.simulator import Simulator
from tests.cli.conftest import Place
from tests.sync.telling_world import Listener, listening

NAME = "Evil <!channel> [bold]Inc[/bold]"


@pytest.fixture
def webhook() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def place(tmp_path: Path, webhook: Listener) -> Iterator[Place]:
    with Simulator(accounts=3, index_lag=0.0) as crm:
        made = Place(tmp_path, crm).write()
        telling = f'\n[connections.main.telling]\nby = "webhook"\nurl = "{webhook.url}"\n'
        made.config.write_text(made.config.read_text() + telling + f'[notify]\nurl = "{webhook.url}"\n')
        yield made


def as_json(place: Place, *arguments: str) -> Any:
    return json.loads(place.run("notices", "--json", *arguments).stdout)


def noted(place: Place, *notices: Notice, at: float) -> None:
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main").listening({REP: 1.0})
    journal.note(*notices, now=at)
    journal.close()


def test_nobody_was_told_anything_so_far(place: Place) -> None:
    assert "Nobody was told anything so far." in place.run("notices").stdout
    said = as_json(place)
    assert (said["by"], said["operators"], said["due"]) == ("webhook", True, [])
    assert said["next_digest"] > time.time()


def test_a_test_message_goes_to_every_webhook_and_its_address_is_not_shown(
    place: Place, webhook: Listener
) -> None:
    said = place.run("notices", "--test")
    assert said.stdout.count("a test message arrived at http://127.0.0.1:") == 2
    assert "very-secret" not in said.stdout
    assert len(webhook.received) == 2
    assert "This is a test of icp-sync" in webhook.texts[0]


def test_a_webhook_that_refuses_is_named_with_what_to_do(place: Place, webhook: Listener) -> None:
    webhook.answers = [(404, {})]
    ended = place.run("notices", "--test", code=1)
    assert "did not take the test message for reps: webhook: HTTP 404" in ended.stderr
    assert "very-secret" not in ended.stderr
    assert "check the url of the webhook" in ended.stderr


def test_what_waits_and_what_would_go_out_now_is_shown_with_its_names_as_they_are(place: Place) -> None:
    old = time.time() - 2 * 86_400
    breach = Notice(audience="rep", kind="tier", subject="404", data={"name": NAME, "tier": "A"})
    noted(place, breach, at=old)
    said = as_json(place)
    assert said["due"] == [], "its account is gone, so it would be dropped"
    assert [one["name"] for one in said["waiting_notices"]] == [NAME]
    assert NAME in place.run("notices").stdout.replace("\n", "")
    status = json.loads(place.run("status", "--json").stdout)
    assert status["notices"]["waiting"] == 1
    assert "notices to people: 1 waiting" in place.run("status").stdout
