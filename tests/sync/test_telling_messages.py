"""How messages look where they arrive: no company's name means anything there, and nothing leaks."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from icp_sync.http import Webhook
from icp_sync.journal import StoredNotice
from icp_sync.sync.telling.formats import plain, slack, task_text
from icp_sync.sync.telling.message import LINES, Message, digest_of
from tests.sync.telling_world import SECRET, TellingWorld, listening
from tests.sync.world import ANNA

NASTY = (
    "<!channel> free money",
    "<!here>",
    "<@U123>",
    "@channel @here @everyone",
    "<https://evil.example|Acme>",
    "*bold* _it_ ~no~ `code`",
    "a & b < c > d",
    "line\nbreak \u202egnp.exe",
    "|pipe|",
    "'); DROP TABLE notice; --",
)


def told(*names: str, kind: str = "tier", **data: object) -> Message:
    notices = [
        StoredNotice(
            seq=n,
            audience="rep",
            kind=kind,
            subject=str(1000 + n),
            to=ANNA,
            key="A",
            data={"name": name, "tier": "A", "score": 84, **data},
            at=float(n),
            state="waiting",
        )
        for n, name in enumerate(names)
    ]
    return digest_of(notices, "0a1b", connection="main", record_url="https://crm.example.com/{id}")


@pytest.mark.parametrize("name", NASTY)
def test_a_name_cannot_call_anybody_or_mark_anything_up(name: str) -> None:
    body = json.loads(slack(told(name)))
    said = [body["text"], *(block["text"]["text"] for block in body["blocks"])]
    for text in said:
        inside = text.replace("<https://crm.example.com/1000|", "")
        assert "<" not in inside
        assert not any(f"{mark}{word}" in text for mark in "@" for word in ("channel", "here", "everyone"))
        assert "\u202e" not in text
    assert all(block["text"]["verbatim"] for block in body["blocks"])
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


@given(st.lists(st.text(max_size=300), min_size=1, max_size=60), st.text(max_size=400))
def test_any_names_make_a_message_slack_takes(names: list[str], why: str) -> None:
    message = told(*names, why=why)
    body = json.loads(slack(message))
    assert 1 <= len(body["blocks"]) <= 50
    assert all(0 < len(block["text"]["text"]) <= 3_000 for block in body["blocks"])
    assert message.lines + message.more == len(names)
    assert message.lines <= LINES
    assert body["text"].count("<https://") <= LINES
    assert len(json.loads(plain(message))["accounts"]) == len(names)
    assert "\n\n" not in task_text(message)


def test_the_reasons_stand_beside_the_name() -> None:
    message = told("Acme", kind="assigned", before="C", lane="sales", why="raised a round")
    (group,) = message.groups
    assert group.heading == "Given to you"
    assert group.lines[0].said == "tier A (was C), score 84, sales lane; raised a round"
    assert group.lines[0].url == "https://crm.example.com/1000"


def test_plain_data_is_signed_and_has_a_key_that_stays_the_same(tmp_path: Path) -> None:
    with listening() as webhook:
        world = TellingWorld(folder=tmp_path, tasks=False, rep_url=webhook.url, format="json")
        world.good("Acme", owner=ANNA)
        world.poll()
        webhook.answers = [(500, {}), (500, {}), (500, {})]
        world.tell()
        world.clock.step(86_400)
        world.tell()
    assert len(webhook.received) == 4
    keys = {one.headers["Idempotency-Key"] for one in webhook.received}
    assert len(keys) == 1
    for one in webhook.received:
        signed = one.headers["X-Timestamp"].encode() + b"." + one.body
        assert one.headers["X-Signature"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    said = webhook.received[0].said
    assert said["id"] in keys
    (account,) = said["accounts"]
    assert (account["name"], account["tier"], said["to"]) == ("Acme", "A", ANNA)


def test_a_webhook_never_shows_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    url = SecretStr("http://127.0.0.1:9/services/T0/B0/very-secret-part")
    webhook = Webhook(url, name="main", clock=lambda: 0.0)
    delivery = webhook.post(b"{}", "key")
    assert "cannot reach http://127.0.0.1:9" in delivery.why
    shown = delivery.why + repr(webhook) + webhook.place + "".join(capsys.readouterr())
    assert "very-secret-part" not in shown


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with listening() as elsewhere, listening() as webhook:
        webhook.answers = [(307, {"Location": elsewhere.url})]
        world = TellingWorld(folder=tmp_path, tasks=False, rep_url=webhook.url)
        world.good(owner=ANNA)
        world.poll()
        world.tell()
    assert elsewhere.received == []
    assert world.states[0][1] == "waiting"
