"""What HubSpot may answer to a stamp, whatever it is worth: nobody claims to know more than was said."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from icp_sync.crm.hubspot import HubSpot
from icp_sync.domain.plan import Result
from icp_sync.domain.stamp import STAMP
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.ports import Note
from icp_sync.quota import Quota
from tests.crm.deal_contract import VALUES
from tests.crm.hubspot.world import UNLIMITED

NAMES = {name: f"icp_{name}_at_creation" for name in STAMP}
WIRE = {NAMES[name]: value for name, value in VALUES.items()}
DEFINITIONS: dict[str, list[dict[str, Any]]] = {
    "results": [
        {
            "name": NAMES["tier"],
            "type": "enumeration",
            "fieldType": "select",
            "options": [{"value": value, "label": value} for value in STAMP["tier"].options],
        },
        {"name": NAMES["score"], "type": "number", "fieldType": "number"},
        {"name": NAMES["profile"], "type": "string", "fieldType": "text"},
    ]
}
Answers = Callable[[str, dict[str, Any]], tuple[int, object]]


class Scripted:
    """A server that answers writes and reads of deals as it is told; `sent` are the writes."""

    def __init__(self) -> None:
        self.write: Answers = lambda _, body: (200, written(body))
        self.read: Answers = lambda _, body: (200, {"results": []})
        self.sent: list[dict[str, Any]] = []
        self.definitions = DEFINITIONS
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(raw or b"{}")
                if self.path.endswith("/batch/update"):
                    scripted.sent.append(body)
                    self._say(*scripted.write(self.path, body))
                else:
                    self._say(*scripted.read(self.path, body))

            def do_GET(self) -> None:
                self._say(200, scripted.definitions) if "/properties/" in self.path else self._say(404, {})

            def _say(self, status: int, said: object) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.crm = HubSpot(
            token=SecretStr("pat-na1-scripted"),
            facts_map=HUBSPOT_DEFAULTS,
            properties={},
            stamp=NAMES,
            base_url=f"http://127.0.0.1:{self.server.server_port}",
            quota=Quota(UNLIMITED),
            patience=0.0,
        )

    def results(self, *ids: str) -> dict[str, Result]:
        notes = [Note(id=id, values=VALUES) for id in ids]
        return {answer.id: answer.result for answer in self.crm.annotate("deals", notes)}


def written(body: dict[str, Any], **instead: str | None) -> dict[str, Any]:
    return {
        "results": [
            {"id": one["id"], "properties": {**one["properties"], **instead}} for one in body["inputs"]
        ]
    }


@pytest.fixture
def portal() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.crm.close()
    made.server.shutdown()
    made.server.server_close()


def test_only_our_three_properties_are_ever_sent(portal: Scripted) -> None:
    assert set(portal.results("1", "2").values()) == {Result.WRITTEN}
    assert [one["properties"] for one in portal.sent[0]["inputs"]] == [WIRE, WIRE]


def test_a_confirmation_that_shows_another_value_is_looked_at(portal: Scripted) -> None:
    portal.write = lambda _, body: (200, written(body, icp_tier_at_creation="B"))
    portal.read = lambda _, body: (200, {"results": [{"id": "1", "properties": WIRE}]})
    assert portal.results("1") == {"1": Result.WRITTEN}
    portal.read = lambda _, body: (
        200,
        {"results": [{"id": "1", "properties": {**WIRE, "icp_tier_at_creation": "B"}}]},
    )
    assert portal.results("1") == {"1": Result.UNCERTAIN}


def test_of_a_deal_the_reply_does_not_name_a_read_tells(portal: Scripted) -> None:
    portal.write = lambda *_: (200, {"results": []})
    blank = dict.fromkeys(WIRE)
    portal.read = lambda *_: (
        200,
        {
            "results": [
                {"id": "1", "properties": WIRE},
                {"id": "2", "properties": blank},
                {"id": "9", "properties": {**blank, "hs_merged_object_ids": "3"}},
            ]
        },
    )
    assert portal.results("1", "2", "3", "4") == {
        "1": Result.WRITTEN,
        "2": Result.FAILED,
        "3": Result.GONE,
        "4": Result.GONE,
    }


@pytest.mark.parametrize("reply", [(200, []), (200, "fine"), (502, {}), (500, {})])
def test_a_reply_that_says_nothing_leaves_it_open(portal: Scripted, reply: tuple[int, object]) -> None:
    portal.write = lambda *_: reply
    assert portal.results("1") == {"1": Result.UNCERTAIN}


@pytest.mark.parametrize("status", [401, 403, 404, 405, 429])
def test_what_was_not_carried_out_may_be_tried_again_and_is_sent_once(portal: Scripted, status: int) -> None:
    portal.write = lambda *_: (status, {"message": "no", "category": "NO"})
    assert set(portal.results("1", "2").values()) == {Result.FAILED}
    assert len(portal.sent) == 1


def test_a_batch_refused_whole_without_a_name_is_halved_until_the_guilty_one_is_found(
    portal: Scripted,
) -> None:
    def refuse(_: str, body: dict[str, Any]) -> tuple[int, object]:
        guilty = any(one["id"] == "5" for one in body["inputs"])
        return (
            (400, {"message": "archived", "category": "VALIDATION_ERROR"}) if guilty else (200, written(body))
        )

    portal.write = refuse
    found = portal.results(*map(str, range(1, 9)))
    assert found.pop("5") is Result.REFUSED
    assert set(found.values()) == {Result.WRITTEN}


def test_a_property_lost_since_is_looked_at_anew_before_the_next_note(portal: Scripted) -> None:
    message = 'Property "icp_tier_at_creation" does not exist'
    error = {"message": message, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": list(WIRE)}}
    portal.write = lambda *_: (400, {"message": message, "category": "VALIDATION_ERROR", "errors": [error]})
    assert portal.results("1") == {"1": Result.FAILED}
    portal.definitions = {"results": DEFINITIONS["results"][1:]}
    assert portal.results("1") == {"1": Result.FAILED}
    assert len(portal.sent) == 1, "nothing was sent"
