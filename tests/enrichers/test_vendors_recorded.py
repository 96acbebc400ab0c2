"""The contract of every vendor, continued: what is no miss, and what a recorded reply shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from icp_sync.enrichers.manifest import shipped
from icp_sync.enrichers.manifest.rehearsal import differences
from icp_sync.enrichers.manifest.samples import Reply, Sample
from icp_sync.enrichers.manifest.setup import plain
from icp_sync.ports import Unavailable
from tests.enrichers.vendor_world import asked, enricher, manifest_of, samples, serving

VENDORS = sorted(shipped())
MEANS_UNKNOWN = {
    "an empty object": {"apollo", "the_companies_api"},
    "an empty list": {"wappalyzer"},
    "a gateway's own words": {"example_rest"},
}
"""Vendors whose manifest says that this is a company they do not know, or whose replies are lists."""
PERSON = "Jane Q Personsson"


PROVES_NOTHING = {
    "a page not found": Reply(status=404, body="<html><h1>404 Not Found</h1>nginx</html>"),
    "a gateway's own words": Reply(status=404, body={"message": "no Route matched with those values"}),
    "nothing not found": Reply(status=404, body=""),
    "null": Reply(body=None),
    "an empty object": Reply(body={}),
    "an empty list": Reply(body=[]),
}


@pytest.mark.parametrize(
    ("vendor", "said"),
    [
        (vendor, said)
        for vendor in VENDORS
        for said in PROVES_NOTHING
        if vendor not in MEANS_UNKNOWN.get(said, ())
    ],
)
def test_what_a_moved_or_broken_service_says_is_never_remembered_as_a_miss(vendor: str, said: str) -> None:
    reply = PROVES_NOTHING[said]
    about = samples(vendor).single["hit"].asked
    with serving(manifest_of(vendor), [reply]):
        (answer,) = enricher(vendor).answer([asked(about.domain, about.name, about.country)])
    assert isinstance(answer, Unavailable), answer
    assert answer.kind == "error"
    if reply.status == 404 and manifest_of(vendor).charge.on != "call":
        assert answer.charge == 0.0


def peopled(value: Any) -> Any:
    """The reply with a person in every object of it, under names nobody foresees."""
    if isinstance(value, list):
        return [peopled(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    person = {"name": PERSON, "title": PERSON, "value": PERSON, "phone": 15_550_114}
    more = {
        "agentName": PERSON,
        "board": [person, PERSON],
        "reachable_by": {PERSON: "15550114", "attributes": person, "data": [person]},
    }
    return {**{key: peopled(inner) for key, inner in value.items()}, **more}


def recorded(vendor: str, body: Any) -> dict[str, Any]:
    hit = samples(vendor).single["hit"]
    reply = Reply(status=hit.status, headers=hit.headers, body=body)
    made, about = enricher(vendor, **hit.options), hit.asked
    with serving(manifest_of(vendor), [*hit.steps, reply]):
        return dict(made.recorded(asked(about.domain, about.name, about.country)))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_recorded_reply_shows_nobody_wherever_the_vendor_puts_people(vendor: str) -> None:
    text = json.dumps(recorded(vendor, peopled(samples(vendor).single["hit"].body)))
    assert PERSON not in text
    assert "15550114" not in text
    assert '"agentName": "(text)"' in text


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_recorded_reply_is_a_sample_that_is_read_as_the_reply_was(vendor: str) -> None:
    hit = samples(vendor).single["hit"]
    document = recorded(vendor, hit.body)
    assert document["expect"]
    again = Sample.model_validate(document)
    assert not list(differences(plain(manifest_of(vendor), hit.options), again))
