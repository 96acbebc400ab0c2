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
from icp_sync.ports import FILLED, Note
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
        self.read: Answers = blank
        self.sent: list[dict[str, Any]] = []
        self.looked = 0
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
                    scripted.looked += 1
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


def blank(_: str, body: dict[str, Any]) -> tuple[int, object]:
    return 200, {"results": [{"id": one["id"], "properties": dict.fromkeys(WIRE)} for one in body["inputs"]]}


def then(*answers: Answers) -> Answers:
    """One after the other, the last one for good."""
    left = list(answers)
    return lambda path, body: (left.pop(0) if len(left) > 1 else left[0])(path, body)


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
    portal.read = then(blank, lambda *_: (200, {"results": [{"id": "1", "properties": WIRE}]}))
    assert portal.results("1") == {"1": Result.WRITTEN}
    other = {"results": [{"id": "1", "properties": {**WIRE, "icp_tier_at_creation": "B"}}]}
    portal.read = then(blank, lambda *_: (200, other))
    assert portal.results("1") == {"1": Result.UNCERTAIN}


def test_of_a_deal_the_reply_does_not_name_a_read_tells(portal: Scripted) -> None:
    portal.write = lambda *_: (200, {"results": []})
    nothing = dict.fromkeys(WIRE)
    after = {
        "results": [
            {"id": "1", "properties": WIRE},
            {"id": "2", "properties": nothing},
            {"id": "9", "properties": {**nothing, "hs_merged_object_ids": "3"}},
        ]
    }
    portal.read = then(blank, lambda *_: (200, after))
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


def test_what_stands_on_deals_already_is_neither_sent_nor_overwritten(portal: Scripted) -> None:
    stands = {"1": WIRE, "2": {**WIRE, "icp_tier_at_creation": "D"}, "3": dict.fromkeys(WIRE)}
    portal.read = lambda *_: (
        200,
        {"results": [{"id": id, "properties": properties} for id, properties in stands.items()]},
    )
    answers = list(portal.crm.annotate("deals", [Note(id=id, values=VALUES) for id in stands]))
    assert {one.id: (one.result, one.code) for one in answers} == {
        "1": (Result.WRITTEN, ""),
        "2": (Result.FAILED, FILLED),
        "3": (Result.WRITTEN, ""),
    }
    assert [one["id"] for body in portal.sent for one in body["inputs"]] == ["3"]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_unless_deals_can_be_looked_at_nothing_is_sent(portal: Scripted, status: int) -> None:
    portal.read = lambda *_: (status, {"message": "no"})
    assert set(portal.results("1", "2").values()) == {Result.FAILED}
    assert portal.sent == []


@pytest.mark.parametrize("code", ["PROPERTY_DOESNT_EXIST", "INVALID_OPTION"])
def test_what_the_portal_lacks_is_met_once_and_not_by_every_deal(portal: Scripted, code: str) -> None:
    error = {"message": "no", "code": code, "context": {"propertyName": [NAMES["tier"]]}}
    portal.write = lambda *_: (400, {"message": "no", "category": "VALIDATION_ERROR", "errors": [error]})
    assert set(portal.results(*map(str, range(1, 101))).values()) == {Result.FAILED}
    assert (len(portal.sent), portal.looked) == (1, 1)


def test_where_only_some_deals_lack_it_the_others_are_written(portal: Scripted) -> None:
    context = {"propertyName": [NAMES["tier"]], "objectWriteTraceId": ["2"]}
    error = {"message": "read-only", "code": "READ_ONLY_VALUE", "context": context}

    def refuse(_: str, body: dict[str, Any]) -> tuple[int, object]:
        if any(one["id"] == "2" for one in body["inputs"]):
            return 400, {"message": "no", "category": "VALIDATION_ERROR", "errors": [error]}
        return 200, written(body)

    portal.write = refuse
    assert portal.results("1", "2", "3") == {"1": Result.WRITTEN, "2": Result.FAILED, "3": Result.WRITTEN}
