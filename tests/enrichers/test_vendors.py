"""The contract every vendor's manifest keeps, over real HTTP machinery with a faked wire.

A manifest in `icp_sync/enrichers/vendors/` is under contract by being there.
"""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest
import requests

from icp_sync.domain.facts import CATALOGUE, fits
from icp_sync.enrichers import load as load_enrichers
from icp_sync.enrichers.manifest import Rest, shipped
from icp_sync.enrichers.manifest.answers import outcome_of
from icp_sync.enrichers.manifest.rehearsal import meanings
from icp_sync.enrichers.manifest.samples import Meant, Reply, Sample
from icp_sync.observe import configure_logs
from icp_sync.ports import Answer, Hit, Miss, Pending, Request, Unavailable
from tests.enrichers.vendor_world import (
    ACCOUNT,
    NOW,
    TOKEN,
    asked,
    config,
    enricher,
    hosts,
    leaves_only,
    manifest_of,
    place,
    said,
    samples,
    secret,
    serving,
)

VENDORS = sorted(shipped())
SAMPLES = [(vendor, name) for vendor in VENDORS for name in samples(vendor).single]
BATCHED = [vendor for vendor in VENDORS if manifest_of(vendor).batch]

ALWAYS = {"hit", "partial", "miss", "throttled", "error", "garbage"}
"""Samples every vendor has; a free one cannot run out of credit, and few let anybody wait."""
NEVER_OUT_OF_CREDIT = {"apollo"}
"""Paid vendors of which nobody wrote down how they say that the credit is used up."""


def exchange(vendor: str, sample: Sample) -> tuple[Rest, Answer, list[requests.PreparedRequest]]:
    """Ask about the sample's company; the vendor replies with the sample."""
    made = enricher(vendor, **sample.options)
    steps = sample.steps or samples(vendor).single["hit"].steps
    about = sample.asked
    request = asked(about.domain, about.name, about.country, sample.job)
    with serving(manifest_of(vendor), [*([] if sample.job else steps), sample]) as sent:
        (answer,) = made.answer([request])
    return made, answer, sent


def ordinary(vendor: str) -> Request:
    about = samples(vendor).single["hit"].asked
    return asked(about.domain, about.name, about.country)


def one(vendor: str, *replies: Reply | Exception) -> Answer:
    """The answer where every request is replied to so."""
    with serving(manifest_of(vendor), replies):
        (answer,) = enricher(vendor).answer([ordinary(vendor)])
    return answer


def agree(answer: Answer, meant: Meant) -> None:
    assert outcome_of(answer) == (meant.outcome or "hit"), answer
    if meant.expect is not None:
        assert meanings(answer) == {fact: _floats(value) for fact, value in meant.expect.items()}
    if meant.charge is not None:
        assert answer.charge == pytest.approx(meant.charge)


def _floats(value: list[object]) -> list[object]:
    return [float(part) if type(part) is int else part for part in value]


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_outcome_has_a_sample(vendor: str) -> None:
    manifest, there = manifest_of(vendor), set(samples(vendor).single)
    wanted = set(ALWAYS)
    if manifest.charge.on != "free" and vendor not in NEVER_OUT_OF_CREDIT:
        wanted.add("no_credit")
    if manifest.pending is not None:
        wanted |= {"pending", "ready"}
    assert wanted <= there
    assert manifest.batch is None or samples(vendor).batch is not None


@pytest.mark.parametrize("vendor", VENDORS)
def test_its_name_is_all_a_configuration_needs(vendor: str) -> None:
    manifest = manifest_of(vendor)
    (made,) = load_enrichers([{"use": vendor, **config(manifest)}])
    assert made.name == vendor
    assert made.facts
    assert made.facts <= set(CATALOGUE)
    assert made.price >= 0
    assert isinstance(made, Rest)
    assert made.verified is manifest.verified


@pytest.mark.parametrize(("vendor", "name"), SAMPLES)
def test_a_reply_means_what_its_sample_says(
    vendor: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(level="DEBUG")
    sample, manifest = samples(vendor).single[name], manifest_of(vendor)
    made, answer, sent = exchange(vendor, sample)
    agree(answer, sample)
    assert sent
    request = asked(sample.asked.domain, sample.asked.name, sample.asked.country)
    leaves_only(manifest, request, sent)
    assert {place(one_sent) for one_sent in sent} <= hosts(manifest)
    logged = capsys.readouterr()
    for text in (repr(made), repr(answer), repr(vars(made)), logged.err, logged.out):
        assert not any(secret(word) in text for word in manifest.secrets)
        assert TOKEN not in text


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_request_says_who_we_are_where_the_vendor_wants_it(vendor: str) -> None:
    manifest = manifest_of(vendor)
    _, _, sent = exchange(vendor, samples(vendor).single["hit"])
    for one_sent in sent:
        for auth in manifest.auth:
            if auth.header:
                assert any(secret(word) in str(one_sent.headers[auth.header]) for word in manifest.secrets)
            if auth.query:
                assert f"{auth.query}={secret(manifest.secrets[0])}" in str(one_sent.url)
            if auth.bearer:
                assert str(one_sent.headers["Authorization"]).startswith("Bearer secret-")
            if auth.oauth:
                assert one_sent.headers["Authorization"] == f"Bearer {TOKEN}"
            if auth.basic:
                packed = str(one_sent.headers["Authorization"]).removeprefix("Basic ")
                assert secret(manifest.secrets[0]) in base64.b64decode(packed).decode()
        if not manifest.auth:
            assert "Authorization" not in one_sent.headers


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_hit_brings_proper_signals_of_stated_age_and_confidence(vendor: str) -> None:
    made, answer, sent = exchange(vendor, samples(vendor).single["hit"])
    assert isinstance(answer, Hit)
    assert len(sent) == 1 + len(manifest_of(vendor).steps)
    for signal in answer.signals:
        assert signal.fact in made.facts
        assert fits(signal.value, CATALOGUE[signal.fact])
        assert signal.source == vendor
        assert 0 < signal.confidence <= 1
        assert signal.observed_at <= NOW
        assert signal.until == NOW + made.ttls[signal.fact]
        assert 0 < len(signal.raw) <= 1_000
        assert signal.raw.isprintable()
    assert len({signal.fact for signal in answer.signals}) == len(answer.signals)
    if manifest_of(vendor).charge.reported is None:
        assert answer.charge <= made.price


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(body="<html>Sign in to the guest network</html>"),
        Reply(body='{"cut": "sho'),
        Reply(body=""),
        Reply(body={"maintenance": True, "back_at": "soon"}),
        Reply(body=[[["what"]]]),
        Reply(body=17),
        Reply(body="[" * 10_000 + "]" * 10_000),
    ],
    ids=["html", "cut short", "empty", "another object", "another list", "a number", "deep"],
)
def test_a_good_status_with_another_body_is_an_error_and_never_a_miss(vendor: str, reply: Reply) -> None:
    answer = one(vendor, reply)
    assert isinstance(answer, Unavailable), answer
    assert answer.kind == "error"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_lost_reply_may_have_been_paid_and_one_that_was_never_sent_was_not(vendor: str) -> None:
    lost = one(vendor, requests.ReadTimeout("no reply"))
    assert isinstance(lost, Unavailable)
    free = enricher(vendor).repeats_free
    assert lost.kind == ("error" if free else "unknown")
    unsent = one(vendor, requests.ConnectTimeout("nobody there"))
    assert isinstance(unsent, Unavailable)
    assert (unsent.kind, unsent.charge) == ("error", 0.0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_throttled_request_is_sent_once_and_says_when_to_come_back(vendor: str) -> None:
    made = enricher(vendor)
    with serving(manifest_of(vendor), [Reply(status=429, headers={"Retry-After": "120"}, body={})]) as sent:
        (answer,) = made.answer([ordinary(vendor)])
    assert len(sent) == 1
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.retry_after, answer.charge) == ("throttled", 120.0, 0.0)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_server_error_is_not_repeated_by_itself(vendor: str) -> None:
    made = enricher(vendor)
    with serving(manifest_of(vendor), [Reply(status=500, body={}), Reply(body={})]) as sent:
        (answer,) = made.answer([ordinary(vendor)])
    assert len(sent) == 1
    assert isinstance(answer, Unavailable)
    assert answer.kind == "error"


@pytest.mark.parametrize("vendor", VENDORS)
def test_who_lacks_what_the_vendor_needs_is_not_asked_about(vendor: str) -> None:
    made, manifest = enricher(vendor), manifest_of(vendor)
    blank = Request(account_id=ACCOUNT, domain="", name="", country="")
    with serving(manifest, [Reply(body={})]) as sent:
        assert not made.takes(blank)
        (answer,) = made.answer([blank])
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("bad_input", 0.0)
    assert not sent


@pytest.mark.parametrize("vendor", BATCHED)
def test_several_are_asked_in_one_request_and_each_gets_its_own_answer(vendor: str) -> None:
    made, manifest, batch = enricher(vendor), manifest_of(vendor), samples(vendor).batch
    assert batch is not None
    requested = [asked(about.domain, about.name, about.country) for about in batch.asked]
    with serving(manifest, [batch]) as sent:
        answers = made.answer(requested)
    assert len(sent) == 1
    assert made.batch >= len(requested)
    for request, answer, meant in zip(requested, answers, batch.answers, strict=True):
        agree(answer, meant)
        assert manifest.batch is not None
        if manifest.batch.key == "domain":
            assert request.domain in said(sent[0])
    leaves_only(manifest, requested[0], sent)


@pytest.mark.parametrize("vendor", BATCHED)
def test_a_batch_that_is_lost_leaves_each_of_unknown_fate(vendor: str) -> None:
    made, batch = enricher(vendor), samples(vendor).batch
    assert batch is not None
    requested = [asked(about.domain, about.name, about.country) for about in batch.asked]
    with serving(manifest_of(vendor), [requests.ReadTimeout("no reply")]) as sent:
        answers = made.answer(requested)
    assert len(sent) == 1
    kinds = {answer.kind for answer in answers if isinstance(answer, Unavailable)}
    assert kinds == {"error" if made.repeats_free else "unknown"}


@pytest.mark.parametrize("vendor", [v for v in VENDORS if manifest_of(v).pending])
def test_a_pending_job_is_fetched_later_under_its_id_and_not_ordered_again(vendor: str) -> None:
    manifest, there = manifest_of(vendor), samples(vendor).single
    assert manifest.pending is not None
    _, answer, _ = exchange(vendor, there["pending"])
    assert isinstance(answer, Pending)
    assert answer.job
    ready = there["ready"]
    with serving(manifest, [ready]) as sent:
        (fetched,) = enricher(vendor).answer([asked(ready.asked.domain, job=answer.job)])
    assert isinstance(fetched, Hit)
    assert len(sent) == 1
    if manifest.pending.check is not None:
        assert answer.job in said(sent[0])


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_recorded_reply_shows_neither_keys_nor_people(vendor: str) -> None:
    hit = samples(vendor).single["hit"]
    body = hit.body
    if isinstance(body, dict):
        body = {**body, "email": "jane.doe@acme.com", "first_name": "Jane", "api_key": secret("key")}
    made, manifest = enricher(vendor, **hit.options), manifest_of(vendor)
    reply = Reply(status=hit.status, headers={**hit.headers, "Set-Cookie": "session=1"}, body=body)
    with serving(manifest, [*hit.steps, reply]):
        document = made.recorded(ordinary(vendor))
    text = str(document)
    assert document["made"] == "recorded"
    assert document["expect"]
    assert "Jane" not in text
    assert "jane.doe" not in text
    assert "session=1" not in text
    assert secret("key") not in text


def test_no_two_vendors_share_a_name_or_a_source_line() -> None:
    titles = sorted(manifest_of(vendor).title for vendor in VENDORS)
    assert all(one_title != other for one_title, other in pairwise(titles))
    assert len(VENDORS) >= 18
    for vendor in VENDORS:
        assert manifest_of(vendor).vendor == vendor
        assert isinstance(one(vendor, Reply(status=404, body={})), Miss | Unavailable)
