"""`icp-sync notices`: what people would be told now, and a test message that shows whether it arrives."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icp_sync.journal import REP, Journal, Notice, Told
from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.portal import SCOPES
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


def test_what_was_given_up_is_tried_again_when_asked_to(place: Place, webhook: Listener) -> None:
    noted(place, Notice(audience="rep", kind="breach", subject="404", to="ann@example.com"), at=time.time())
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    lease = journal.lease("telling", holder="test", now=time.time(), ttl=60.0)
    assert lease is not None
    (notice,) = journal.notices()
    journal.settle_notices([Told(seq=notice.seq, state="failed", attempts=22)], lease, now=time.time())
    journal.close()
    assert as_json(place, "--retry")["retried"] == 1
    assert [(one["state"], one["attempts"]) for one in as_json(place)["waiting_notices"]] == [("waiting", 0)]
    assert "0 notices due again" in place.run("notices", "--retry").stdout
    assert "notices.retry" in place.run("audit").stdout
    assert "do not go together" in place.run("notices", "--retry", "--test", code=2).output


def test_tasks_wait_while_nothing_is_written_and_that_is_said(place: Place) -> None:
    place.write('[connections.main.telling]\nby = "task"')
    assert as_json(place)["tasks_wait"] is True
    assert "in mode observe nothing is written to the CRM" in place.run("notices").stdout


def test_check_names_the_right_that_tasks_need(tmp_path: Path) -> None:
    with Simulator(accounts=3, index_lag=0.0) as crm:
        token = "pat-na1-22222222-2222-4222-8222-222222222222"
        crm.admin("POST tokens", token=token, scopes=sorted(SCOPES - {"crm.objects.contacts.write"}))
        place = Place(tmp_path, crm).write(token=token)
        assert "contacts.write" not in place.run("check", code=2).output
        place.write('[connections.main.telling]\nby = "task"', token=token)
        said = json.loads(place.run("check", "--json", code=2).stdout)
        named = [one for one in said["problems"] if "contacts.write" in json.dumps(one)]
        assert [one["severity"] for one in named] == ["error"]
        assert not list(crm.portal.tasks.store.live)


ESCALATING = """
profile: lead
currency: USD
criteria:
  - {name: Size, layer: firmographic, fact: employees, at_least: 50, weight: 10}
pools:
  team: {members: [{email: amara.okafor@sales.example}]}
routes:
  - when: {tier: [A]}
    to: {pool: team, lane: sales, touch_within: 2d, otherwise: {escalate: nobody@sales.example}}
"""


def test_a_lead_whom_nothing_reaches_is_said_by_check(tmp_path: Path) -> None:
    profile = tmp_path / "lead.yaml"
    profile.write_text(ESCALATING)
    with Simulator(accounts=3, index_lag=0.0) as crm:
        place = Place(tmp_path, crm).write(profile=profile)
        off = "what it escalates to nobody@sales.example reaches nobody"
        assert off in json.dumps(json.loads(place.run("check", "--json", code=2).stdout))
        assert off in json.dumps(json.loads(place.run("profile", "check", "--json").stdout))
        place.write('[connections.main.telling]\nby = "task"', profile=profile)
        said = json.dumps(json.loads(place.run("check", "--json", code=2).stdout))
        assert "nobody@sales.example is not an active owner in the CRM, so can be given no task" in said
        assert off not in said
