"""What a vendor's answer costs, and what a refusal or silence means."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest
import requests

from icp_sync.enrichers.manifest.hearing import LONGEST_PAUSE
from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.ports import Hit, Unavailable
from tests.enrichers.manifest_files import FOUND, HIT, UNKNOWN, ask, changed, manifest, rest, single
from tests.enrichers.vendor_world import NOW, asked, serving


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize(
    ("on", "costs"),
    [
        ("hit", {"hit": 2, "miss": 0, "no_credit": 0, "error": 0, "garbage": 2}),
        ("call", {"hit": 2, "miss": 2, "no_credit": 0, "error": 2, "garbage": 2}),
        ("new_record", {"hit": 2, "miss": 0, "no_credit": 0, "error": 0, "garbage": 2}),
        ("free", {"hit": 0, "miss": 0, "no_credit": 0, "error": 0, "garbage": 0}),
    ],
)
def test_an_answer_costs_what_the_rule_says(here: Path, on: str, costs: dict[str, float]) -> None:
    text = changed(("{on: hit, credits: 1}", f"{{on: {on}, credits: 2}}"))
    replies = {
        "hit": FOUND,
        "miss": UNKNOWN,
        "no_credit": Reply(status=402, body={}),
        "error": Reply(status=500, body={}),
        "garbage": Reply(body="<html>"),
    }
    assert {name: single(here, text, reply).charge for name, reply in replies.items()} == costs


def test_what_the_vendor_reports_is_believed_unless_it_is_no_number(here: Path) -> None:
    text = changed(("credits: 1}", "credits: 1, reported: {header: X-Spent}}"))
    for header, charge in (("3", 3.0), ("0", 0.0), ("-1", 1.0), ("many", 1.0), ("nan", 1.0), ("inf", 1.0)):
        assert single(here, text, Reply(headers={"X-Spent": header}, body=HIT["body"])).charge == charge
    by_path = changed(("credits: 1}", "credits: 1, reported: {path: meta.cost}}"))
    assert single(here, by_path, Reply(body={**HIT["body"], "meta": {"cost": 5}})).charge == 5.0


def test_credits_left_are_what_was_last_said(here: Path) -> None:
    text = changed(more="credits_left: {header: X-Left}\n")
    made = rest(here, text)
    assert made.credits_left is None
    ask(made, here, text, Reply(headers={"X-Left": "41"}, body=HIT["body"]))
    ask(made, here, text, Reply(headers={"X-Left": "-1"}, body=HIT["body"]))
    assert made.credits_left == 41.0


def test_the_price_is_the_most_one_request_can_cost(here: Path) -> None:
    text = changed(("request: {", "steps: [{request: {path: /f}, found: id, credits: 2}]\nrequest: {"))
    made = rest(here, text)
    assert made.price == 3.0
    hit, _ = ask(made, here, text, Reply(body={"id": 7}), FOUND)
    miss, _ = ask(made, here, text, Reply(body={"id": 7}), UNKNOWN)
    lost, _ = ask(made, here, text, Reply(body={"id": 7}), requests.ReadTimeout())
    assert (hit.charge, miss.charge, lost.charge) == (3.0, 2.0, 2.0)
    assert isinstance(lost, Unavailable)
    assert lost.kind == "unknown"


def test_a_configured_price_is_for_the_steps_too_and_nothing_beyond_it_is_booked(here: Path) -> None:
    text = changed(("request: {", "steps: [{request: {path: /f}, found: id, credits: 3}]\nrequest: {"))
    for price in (0, 1, 8):
        made = rest(here, text, price=price)
        assert made.price == price
        hit, _ = ask(made, here, text, Reply(body={"id": 7}), FOUND)
        miss, _ = ask(made, here, text, Reply(body={"id": 7}), UNKNOWN)
        assert (hit.charge, miss.charge) == (price, price * 0.75)


def test_a_refusal_for_years_does_not_stop_the_next_question_for_years(here: Path) -> None:
    text = changed(more="rate: {calls: 5, seconds: 1}\n")
    made = rest(here, text)
    refused = Reply(status=429, headers={"Retry-After": "99999999"}, body={})
    with serving(manifest(here, text), [refused]):
        first, second = made.answer([asked()]), made.answer([asked("globex.com")])
    assert [getattr(one[0], "kind", "") for one in (first, second)] == ["throttled", "throttled"]
    assert getattr(second[0], "retry_after", 0) <= LONGEST_PAUSE == 3_600


def test_who_is_told_nothing_of_certificates_is_not_told_of_companies(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(here / "none.pem"))
    (answer,) = rest(here).answer([asked()])
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("error", 0.0)
    assert "CA certificate bundle" in answer.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, "bad_input"), (401, "not_entitled"), (402, "no_credit"), (403, "not_entitled")),
        *((405, "error"), (422, "bad_input"), (429, "throttled"), (500, "error"), (503, "error")),
        *((301, "error"), (502, "unknown"), (504, "unknown"), (524, "unknown")),
    ],
)
def test_a_status_means_what_http_says(here: Path, status: int, kind: str) -> None:
    made = rest(here)
    answer, sent = ask(made, here, changed(), Reply(status=status, body={"message": "no"}))
    assert isinstance(answer, Unavailable)
    assert answer.kind == kind
    assert len(sent) == 1


def test_a_rule_of_the_manifest_comes_first(here: Path) -> None:
    text = changed(
        (
            "hit: {when: name}",
            "outcomes:\n  - {status: [400, 403], when: \"code == 'EMPTY'\", is: no_credit}\n"
            '  - {headers: "\\"x-left\\" == \'0\'", is: no_credit}\n'
            "  - {status: 429, when: quota, is: no_credit}\n"
            "  - {status: 409, is: throttled, retry_after: wait}\nhit: {when: name}",
        ),
    )

    def kind(reply: Reply) -> tuple[str, float | None]:
        answer = single(here, text, reply)
        assert isinstance(answer, Unavailable)
        return answer.kind, answer.retry_after

    assert kind(Reply(status=403, body={"code": "EMPTY"})) == ("no_credit", None)
    assert kind(Reply(status=403, body={"code": "SCOPE"})) == ("not_entitled", None)
    assert kind(Reply(headers={"X-Left": "0"}, body={})) == ("no_credit", None)
    assert kind(Reply(status=429, body={"quota": "used"})) == ("no_credit", None)
    assert kind(Reply(status=409, body={"wait": 7})) == ("throttled", 7.0)


def test_retry_after_may_be_a_date(here: Path) -> None:
    answer = single(
        here, changed(), Reply(status=429, headers={"Retry-After": formatdate(NOW + 90)}, body={})
    )
    assert isinstance(answer, Unavailable)
    assert answer.retry_after == pytest.approx(90.0)


def test_after_a_refusal_nothing_is_sent_until_the_vendor_may_be_asked_again(here: Path) -> None:
    text = changed(more="rate: {calls: 5, seconds: 1}\n")
    made = rest(here, text)
    refused = Reply(status=429, headers={"Retry-After": "3600"}, body={})
    with serving(manifest(here, text), [refused, FOUND]) as sent:
        made.answer([asked()])
        (second,) = made.answer([asked("globex.com")])
    assert len(sent) == 1
    assert isinstance(second, Unavailable)
    assert second.kind == "throttled"
    assert second.retry_after == pytest.approx(3600, abs=60)


def test_where_repeats_are_free_silence_is_only_an_error(here: Path) -> None:
    text = changed(more="repeats_free: true\n")
    for reply in (requests.ReadTimeout(), Reply(status=504, body={})):
        answer = single(here, text, reply)
        assert isinstance(answer, Unavailable)
        assert answer.kind == "error"


def test_what_a_vendor_says_of_a_refusal_is_shown_without_our_key(here: Path) -> None:
    answer = single(here, changed(), Reply(status=403, body={"message": "key key-1234567890 lacks a scope"}))
    assert isinstance(answer, Unavailable)
    assert answer.message == "plain: HTTP 403, key [redacted] lacks a scope"


@contextmanager
def cutting(payload: bytes) -> Iterator[str]:
    """A real server on this machine that sends these bytes to whoever asks, then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    line.recv(65_536)
                    line.sendall(payload)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_reply_cut_off_on_the_way_may_have_been_paid(here: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    for payload in (head + b'{"name": "Ac', b""):
        with cutting(payload) as address:
            (answer,) = rest(here, base_url=address).answer([asked()])
        assert isinstance(answer, Unavailable)
        assert answer.kind == "unknown"
    with cutting(b"HTTP/1.1 200 OK\r\n") as address:  # looks like a reply without a body
        (answer,) = rest(here, base_url=address).answer([asked()])
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("error", 1.0)


def test_a_real_reply_over_a_real_connection_is_read(here: Path) -> None:
    body = json.dumps(HIT["body"]).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    with cutting(head + body) as address:
        (answer,) = rest(here, base_url=address).answer([asked()])
    assert isinstance(answer, Hit)
    assert {signal.fact for signal in answer.signals} == {"name", "employees"}


def test_a_port_nobody_listens_on_costs_nothing(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    (answer,) = rest(here, base_url=f"http://127.0.0.1:{free}").answer([asked()])
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("error", 0.0)


def test_twenty_megabytes_stop_nobody(here: Path) -> None:
    body = {"name": "Acme", "size": "11-50", "more": ["x" * 1_000] * 20_000}
    answer = single(here, changed(), Reply(body=body))
    assert isinstance(answer, Hit)
    assert len(answer.signals) == 2
