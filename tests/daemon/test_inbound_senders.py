"""Who is let in: a secret, a signature that ages, HubSpot's own; everybody else is told the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from icp_sync.enrichers.inbound.signing import signed_by_hubspot
from tests.daemon.sending import HEADER, SECRET, VISITS, known, post, served, visit
from tests.sync.world import GOOD, World

HUBSPOT = "https://hooks.example.com/inbound/main/portal"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Icp-Sync-Secret": ""},
        {"X-Icp-Sync-Secret": SECRET + "x"},
        {"X-Icp-Sync-Secret": SECRET[:-1]},
        {"X-Icp-Sync-Secret": b"s\xe9cret-of-this-test"},
        {"Authorization": f"Bearer {SECRET}"},
    ],
)
def test_whoever_does_not_know_the_secret_is_told_nothing(world: World, headers: dict[str, str]) -> None:
    with served(world, site=VISITS) as made, capture_logs() as logs:
        reply = post(made, visit(id=1), headers=headers)
        assert (reply.status_code, reply.json()) == (401, {"error": "not accepted"})
        assert post(made, visit(id=1), name="nobody").status_code == 404
        assert known(world.journal, now=world.clock()) == {}
    assert SECRET not in repr(logs)
    assert SECRET not in repr(reply.headers)


def test_a_secret_may_stand_where_a_sender_can_put_it(world: World) -> None:
    with served(world, site={**VISITS, "header": "Authorization"}) as made:
        for value in (SECRET, f"Bearer {SECRET}", f"bearer  {SECRET}"):
            assert post(made, visit(id=value), headers={"Authorization": value}).status_code == 202


def signature(body: bytes, stamp: object, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def test_a_signature_covers_the_body_and_the_time_and_ages(world: World) -> None:
    now, body = int(world.clock()), json.dumps(visit(id=1)).encode()
    with served(world, site={**VISITS, "auth": "hmac"}) as made:

        def sent(body: bytes, stamp: object, signed: str) -> int:
            return post(made, body, headers={"X-Timestamp": str(stamp), "X-Signature": signed}).status_code

        assert sent(body, now, signature(body, now)) == 202
        assert sent(body, now, "sha256=" + signature(body, now).upper()) == 202
        assert sent(body, now * 1000, signature(body, now * 1000)) == 202
        assert sent(body + b" ", now, signature(body, now)) == 401
        assert sent(body, now + 1, signature(body, now)) == 401
        assert sent(body, now, signature(body, now, "another secret")) == 401
        assert sent(body, now - 301, signature(body, now - 301)) == 401
        assert sent(body, now + 302, signature(body, now + 302)) == 401
        for nonsense in ("", "soon", "-1", "9" * 40, "1e9"):
            assert sent(body, nonsense, signature(body, nonsense)) == 401
        assert post(made, body).status_code == 401, "the secret itself opens nothing here"


def by_hubspot(body: bytes, at: float, uri: str = HUBSPOT, secret: str = SECRET) -> dict[str, str]:
    stamp = str(round(at * 1000))
    text = f"POST{uri}".encode() + body + stamp.encode()
    made = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
    return {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": stamp}


def test_hubspots_events_make_accounts_due_and_tell_nothing_more(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.journal.bind("5", crm="hubspot", now=world.clock())
    named = {"subscriptionType": "company.propertyChange", "objectId": int(acme), "portalId": 5}
    body = json.dumps([named, {**named, "portalId": 6}]).encode()
    now = world.clock.now = time.time()  # HubSpot's library looks at the machine's clock
    with served(world, portal={"kind": "hubspot"}) as made:
        reply = post(made, body, "portal", by_hubspot(body, now))
        assert (reply.status_code, reply.json()) == (202, {"accepted": 1, "refused": 1, "due": 1})
        assert acme in world.journal.due(now, 10)
        wrong = [
            by_hubspot(body, now - 301),
            by_hubspot(body, now + 301),
            by_hubspot(body, now, secret="another secret"),
            by_hubspot(body, now, uri=HUBSPOT.replace("https", "http")),
            by_hubspot(body + b" ", now),
            {**by_hubspot(body, now), "X-HubSpot-Signature-v3": ""},
            {"X-HubSpot-Signature-v3": by_hubspot(body, now)["X-HubSpot-Signature-v3"]},
            HEADER,
        ]
        assert {post(made, body, "portal", headers).status_code for headers in wrong} == {401}
        assert post(made, b"\xff", "portal", by_hubspot(b"\xff", now)).status_code == 401


def test_hubspots_signature_is_of_the_address_as_it_is_or_as_its_documentation_decodes_it() -> None:
    called = f"{HUBSPOT}?a=x%2Fy%3az&b=%40%20%26"
    headers = {name.lower(): value for name, value in by_hubspot(b"[]", time.time(), uri=called).items()}
    assert signed_by_hubspot(SECRET, called, b"[]", headers)
    for signed, good in ((f"{HUBSPOT}?a=x/y:z&b=@%20%26", True), (f"{HUBSPOT}?a=x/y:z&b=@ &", False)):
        made = by_hubspot(b"[]", time.time(), uri=signed)
        assert signed_by_hubspot(SECRET, called, b"[]", {k.lower(): v for k, v in made.items()}) is good
