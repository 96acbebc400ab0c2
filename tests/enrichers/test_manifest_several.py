"""Several companies in one request: each gets its own answer, or none."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.ports import Answer, Hit, Miss, Unavailable
from tests.enrichers.manifest_files import FOUND, UNKNOWN, changed, manifest, rest
from tests.enrichers.vendor_world import asked, place, said, serving


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


BATCH = changed(
    more="batch:\n  size: 3\n  request: {method: POST, path: /bulk,\n"
    '    json: {companies: [{site: "{domain}"}], all: "{domains}"}}\n'
    "  items: answers\n  echo: asked\n  status: status\n"
)
ACME, GLOBEX, INITECH = asked("acme.com"), asked("globex.com"), asked("initech.com")


def several(folder: Path, text: str, *replies: Reply | Exception) -> tuple[list[Answer], list[str]]:
    with serving(manifest(folder, text), replies) as sent:
        answers = rest(folder, text).answer([ACME, GLOBEX, INITECH])
    return list(answers), [said(one) for one in sent]


def item(domain: str, name: str = "Acme", status: int = 200) -> dict[str, Any]:
    return {"asked": domain, "status": status, "name": name, "size": "11-50"}


def test_answers_to_several_are_told_apart_by_what_they_repeat(here: Path) -> None:
    body = {"answers": [item("www.initech.com", "Initech"), item("globex.com", status=404), item("acme.com")]}
    answers, sent = several(here, BATCH, Reply(body=body))
    assert '"companies": [{"site": "acme.com"}, {"site": "globex.com"}, {"site": "initech.com"}]' in sent[0]
    assert [type(answer) for answer in answers] == [Hit, Miss, Hit]
    names = [
        sorted(s.value.known) for a in answers if isinstance(a, Hit) for s in a.signals if s.fact == "name"
    ]  # type: ignore[union-attr]
    assert names == [["acme"], ["initech"]]


def test_who_is_missing_in_the_reply_was_not_answered_unless_absent_means_unknown(here: Path) -> None:
    reply = Reply(body={"answers": [item("acme.com")]})
    answers, _ = several(here, BATCH, reply)
    assert [getattr(answer, "kind", "") for answer in answers] == ["", "error", "error"]
    answers, _ = several(here, BATCH + "  absent: miss\n", reply)
    assert answers[1:] == [Miss(), Miss()]


def test_two_answers_for_one_company_are_none(here: Path) -> None:
    answers, _ = several(here, BATCH, Reply(body={"answers": [item("acme.com"), item("acme.com", "Other")]}))
    assert getattr(answers[0], "kind", "") == "error"


def test_a_batch_refused_for_one_bad_input_is_asked_singly_where_that_is_not_paid_twice(here: Path) -> None:
    refused = Reply(status=422, body={"message": "globex.com is no domain"})
    answers, sent = several(here, BATCH, refused, FOUND, refused, FOUND)
    assert [type(answer) for answer in answers] == [Hit, Unavailable, Hit]
    assert len(sent) == 4
    paid = BATCH.replace("on: hit", "on: call")
    answers, sent = several(here, paid, refused)
    assert len(sent) == 1
    assert {getattr(answer, "kind", "") for answer in answers} == {"bad_input"}


def test_a_whole_reply_that_is_not_found_says_nothing_of_any_company(here: Path) -> None:
    for reply in (UNKNOWN, Reply(body={"maintenance": True}), Reply(body=[1])):
        answers, _ = several(here, BATCH, reply)
        assert {getattr(answer, "kind", "") for answer in answers} == {"error"}


def test_what_several_cost_together_is_shared_by_those_that_were_found(here: Path) -> None:
    text = BATCH.replace("credits: 1}", "credits: 1, reported: {header: X-Spent}}")
    body = {"answers": [item("acme.com"), item("globex.com", status=404), item("initech.com")]}
    answers, _ = several(here, text, Reply(headers={"X-Spent": "4"}, body=body))
    assert [answer.charge for answer in answers] == [2.0, 0.0, 2.0]


def test_more_than_a_batch_are_asked_in_batches_and_one_alone_singly(here: Path) -> None:
    made = rest(here, BATCH)
    with serving(manifest(here, BATCH), [Reply(body={"answers": []})]) as sent:
        made.answer([asked(f"company{n}.com") for n in range(7)])
        made.answer([ACME])
    assert [str(one.url).rpartition("/")[2] for one in sent] == ["bulk", "bulk", "bulk", "acme.com"]


def test_threads_share_one_enricher(here: Path) -> None:
    text = changed(more="rate: {calls: 1000, seconds: 1}\n")
    made = rest(here, text)
    answers: list[Answer] = []
    with serving(manifest(here, text), [FOUND]) as sent:
        threads = [threading.Thread(target=lambda: answers.extend(made.answer([ACME]))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(sent) == len(answers) == 8
    assert all(isinstance(answer, Hit) for answer in answers)
    assert {place(one) for one in sent} == {"https://api.example.com"}
