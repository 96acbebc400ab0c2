"""Several companies in one request: each gets its own answer, or none."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from icp_sync.enrichers.manifest import Manifest, load
from icp_sync.enrichers.manifest.batching import aligned
from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.rehearsal import meanings
from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.enrichers.manifest.setup import plain
from icp_sync.errors import ConfigError
from icp_sync.ports import Answer, Hit, Miss, Unavailable
from tests.enrichers.manifest_files import FOUND, HIT, PLAIN, UNKNOWN, changed, manifest, rest, written
from tests.enrichers.vendor_world import NOW, asked, place, said, serving

BATCH = changed(
    more="batch:\n  size: 3\n  request: {method: POST, path: /bulk,\n"
    '    json: {companies: [{site: "{domain}"}], all: "{domains}"}}\n'
    "  items: answers\n  echo: asked\n  status: status\n"
)
ACME, GLOBEX, INITECH = asked("acme.com"), asked("globex.com"), asked("initech.com")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    written(tmp_path, batch=SAMPLE)
    return tmp_path


def several(folder: Path, text: str, *replies: Reply | Exception) -> tuple[list[Answer], list[str]]:
    with serving(manifest(folder, text), replies) as sent:
        answers = rest(folder, text).answer([ACME, GLOBEX, INITECH])
    return list(answers), [said(one) for one in sent]


def item(domain: str, name: str = "Acme", status: int = 200) -> dict[str, Any]:
    return {"asked": domain, "status": status, "name": name, "size": "11-50"}


SAMPLE = {
    "made": "for a test",
    "asked": [{"domain": "acme.com"}, {"domain": "globex.com"}],
    "body": {"answers": [item("globex.com", status=404), item("acme.com")]},
    "answers": [{"expect": HIT["expect"]}, {"outcome": "miss"}],
}


def test_answers_to_several_are_told_apart_by_what_they_repeat(here: Path) -> None:
    body = {"answers": [item("www.initech.com", "Initech"), item("globex.com", status=404), item("acme.com")]}
    answers, sent = several(here, BATCH, Reply(body=body))
    assert '"companies": [{"site": "acme.com"}, {"site": "globex.com"}, {"site": "initech.com"}]' in sent[0]
    assert [type(answer) for answer in answers] == [Hit, Miss, Hit]
    assert [meanings(answer).get("name") for answer in answers] == [
        ["set", ["acme"], True],
        None,
        ["set", ["initech"], True],
    ]


def test_who_is_missing_in_the_reply_was_not_answered_unless_absent_means_unknown(here: Path) -> None:
    reply = Reply(body={"answers": [item("acme.com")]})
    answers, _ = several(here, BATCH, reply)
    assert [getattr(answer, "kind", "") for answer in answers] == ["", "error", "error"]
    answers, _ = several(here, BATCH + "  absent: miss\n", reply)
    assert answers[1:] == [Miss(), Miss()]


def test_a_paid_reply_that_names_nobody_was_paid_for_everybody(here: Path) -> None:
    nameless = [{**item("acme.com"), "asked": None} for _ in range(3)]
    answers, _ = several(here, BATCH, Reply(body={"answers": nameless}))
    assert [(getattr(one, "kind", ""), one.charge) for one in answers] == [("error", 1.0)] * 3
    free, _ = several(here, BATCH.replace("on: hit", "on: free"), Reply(body={"answers": nameless}))
    assert [one.charge for one in free] == [0.0] * 3


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


def test_one_name_that_cannot_be_sent_does_not_keep_the_others_from_being_asked(here: Path) -> None:
    text = BATCH.replace(
        'json: {companies: [{site: "{domain}"}], all: "{domains}"}', 'form: {name: ["{name}"]}'
    )
    text = text.replace("leaves: [domain]", "leaves: [domain, name]")
    with serving(manifest(here, text), [FOUND]) as sent:
        answers = rest(here, text).answer([ACME, asked("globex.com", name="Globex \ud800")])
    assert [str(one.url).rpartition("/")[2] for one in sent] == ["acme.com", "globex.com"]
    assert all(isinstance(answer, Hit) for answer in answers)


def test_a_whole_reply_that_is_not_found_says_nothing_of_any_company(here: Path) -> None:
    for reply in (UNKNOWN, Reply(body={"maintenance": True}), Reply(body=[1])):
        answers, _ = several(here, BATCH, reply)
        assert {getattr(answer, "kind", "") for answer in answers} == {"error"}


def test_what_several_cost_together_is_shared_by_those_that_were_found(here: Path) -> None:
    text = BATCH.replace("credits: 1}", "credits: 1, reported: {header: X-Spent}}")
    body = {"answers": [item("acme.com"), item("globex.com", status=404), item("initech.com")]}
    answers, _ = several(here, text, Reply(headers={"X-Spent": "4"}, body=body))
    assert [answer.charge for answer in answers] == [2.0, 0.0, 2.0]
    body = {"answers": [item("globex.com", status=404)] * 2}
    answers, _ = several(here, text, Reply(headers={"X-Spent": "4"}, body=body))
    assert [answer.charge for answer in answers] == [2.0, 0.0, 2.0]


def test_where_every_answer_costs_each_bears_its_part(here: Path) -> None:
    text = BATCH.replace("{on: hit, credits: 1}", "{on: call, credits: 1, reported: {header: X-Spent}}")
    body = {"answers": [item("acme.com"), item("globex.com", status=404), item("initech.com", status=402)]}
    answers, _ = several(here, text, Reply(headers={"X-Spent": "1"}, body=body))
    assert [answer.charge for answer in answers] == [0.5, 0.5, 0.0]


def test_what_an_item_says_of_itself_is_its_own_and_the_rest_is_shared(here: Path) -> None:
    text = BATCH.replace("credits: 1}", "credits: 1, reported: {path: cost}}")
    items = [{**item("acme.com"), "cost": 3}, item("globex.com"), item("initech.com")]
    answers, _ = several(here, text, Reply(body={"answers": items, "cost": 5}))
    assert [answer.charge for answer in answers] == [3.0, 1.0, 1.0]
    answers, _ = several(here, text, Reply(body={"answers": items}))
    assert [answer.charge for answer in answers] == [3.0, 1.0, 1.0]


ITEMS = st.lists(
    st.builds(
        item,
        st.sampled_from(["acme.com", "globex.com", "initech.com", "umbrella.com", ""]),
        status=st.sampled_from([200, 404, 402, 429, 500]),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(ITEMS | st.none(), st.sampled_from(["hit", "call", "new_record", "free"]), st.integers(0, 100))
def test_all_of_what_a_reply_says_was_spent_is_booked_once(
    items: list[dict[str, Any]] | None, on: str, spent: int
) -> None:
    charge = {"on": on, "reported": {"header": "X-Spent"}}
    batch = {"size": 3, "request": {"path": "/bulk"}, "items": "answers", "echo": "asked", "status": "status"}
    setup = plain(Manifest.model_validate({**YAML(typ="safe").load(PLAIN), "charge": charge, "batch": batch}))
    said = Said(status=200, headers={"x-spent": str(spent)}, body={"answers": items})
    answers = aligned(setup, [ACME, GLOBEX, INITECH], said, now=NOW)
    assert sum(answer.charge for answer in answers) == pytest.approx(spent)


@pytest.mark.parametrize(
    ("change", "sample", "told"),
    [
        (("echo: asked", "echo: askd"), SAMPLE, "batch.json: answer 1: it is read as error"),
        (("items: answers", "items: answer"), SAMPLE, "batch.json: answer 1: it is read as error"),
        (("", ""), None, "there is no sample batch.json (write down a reply to several"),
        (
            ("", ""),
            {**SAMPLE, "body": {"answers": []}, "answers": [{"outcome": "error"}] * 2},
            "no answer of sample batch.json has `expect`",
        ),
    ],
)
def test_several_are_only_asked_where_a_sample_shows_that_answers_find_their_companies(
    tmp_path: Path, change: tuple[str, str], sample: dict[str, Any] | None, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, BATCH.replace(*change), batch=sample))
    assert any(told in str(problem) for problem in caught.value.problems), caught.value.problems


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
