"""What somebody's events become: facts of a company, each event once, and nothing of any person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, Interval, Members, Money, choice
from icp_sync.enrichers.inbound.folding import folding
from icp_sync.enrichers.inbound.mapping import Ear, Heard, TooManyError
from icp_sync.errors import ConfigError
from icp_sync.settings.inbound import InboundSource

NOW = 1_795_000_000.0
DAY = 86_400.0
JANE = "jane.doe@acme.com"
WRITTEN = (
    *(JANE, "jane.doe＠acme.com", "jane.doe﹫acme.com", "jane.doe%40acme.com", "jane.doe%2540acme.com"),
    *("jane.doe&#64;acme.com", "jane.doe&#x40;acme.com", "jane.doe&commat;acme.com", "jane.doe％40acme.com"),
)
"""An address in all the ways that are read as one."""


def source(**said: Any) -> InboundSource:
    return InboundSource.model_validate({"secret": "0123456789abcdef0", **said})


def ear(**said: Any) -> Ear:
    return Ear(
        "site", source(**said), {**CATALOGUE, "seats": CATALOGUE["employees"]}, where="x", own=["ours.com"]
    )


def heard(document: Any, **said: Any) -> Heard:
    return ear(**said).read(document, NOW)


VISITS = {"domain": "company.domain", "visits": True, "time": "at", "id": "id"}


def visit(**said: Any) -> dict[str, Any]:
    return {"company": {"domain": "https://www.Acme.com/x"}, **said}


def test_a_visit_is_a_company_and_a_moment() -> None:
    (event,) = heard(visit(at="2026-11-01T10:00:00Z", id="v1"), **VISITS).events
    assert event.domain == "acme.com"
    assert event.facts == {"last_visit": Interval(event.at, event.at)}
    assert event.until == event.at + 90 * DAY


@pytest.mark.parametrize(
    ("at", "low"),
    [
        (NOW - DAY, NOW - DAY),
        ((NOW - DAY) * 1000, NOW - DAY),
        (str(int(NOW - DAY)), NOW - DAY),
        ("2026-11-01", 1_793_491_200.0),
        (NOW + 60, NOW),
        (None, NOW),
    ],
)
def test_moments_are_read_as_machines_and_people_write_them(at: object, low: float) -> None:
    (event,) = heard(visit(at=at), **VISITS).events
    assert event.at == low
    assert event.at <= event.facts["last_visit"].high <= NOW  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"company": {"domain": "gmail.com"}}, "no company's domain"),
        ({"company": {"domain": "acme.github.io"}}, "no company's domain"),
        ({"company": {"domain": "co.uk"}}, "no company's domain"),
        ({"company": {"domain": "127.0.0.1"}}, "no company's domain"),
        ({"company": {"domain": ["acme.com"]}}, "no company's domain"),
        ({"company": "acme.com"}, "no company's domain"),
        ({}, "no company's domain"),
        ({"company": {"domain": "shop.ours.com"}}, "our own domain"),
        (visit(at="yesterday"), "no readable time"),
        (visit(at=True), "no readable time"),
        (visit(at=10**400), "no readable time"),
        (visit(at=NOW + DAY), "in the future"),
        (visit(at=NOW - 91 * DAY), "too old"),
        ("text", "no event"),
        (None, "no event"),
    ],
)
def test_what_is_no_event_of_a_company_is_refused_and_counted(event: object, why: str) -> None:
    said = heard([event, visit()], **VISITS)
    assert said.refused == {why: 1}
    assert len(said.events) == 1


def test_of_an_email_only_the_companys_part_is_looked_at() -> None:
    said = heard([{"email": JANE}, {"email": "jane@gmail.com"}], domain=["site", "email"], visits=True)
    assert [event.domain for event in said.events] == ["acme.com"]
    assert said.refused.total() == 1


@pytest.mark.parametrize("jane", WRITTEN)
def test_nothing_of_a_person_is_kept_whatever_field_it_stands_in(jane: str) -> None:
    """Every fact an event may tell is mapped, and each is given somebody's address, bare and in lists."""
    clay = ear(kind="clay")
    for value in (jane, [jane, jane], f"Jane <{jane}>", {"email": jane}, f"x;{jane}"):
        event = dict.fromkeys(CATALOGUE, value) | {"event_id": jane, "domain": jane}
        said = clay.read([event, {**event, "id": "2", "time": jane}, {**event, "domain": "acme.com"}], NOW)
        kept = repr([said.events, said.refused]) + repr([folding("x", NOW)(said.events)])
        for word in ("jane", "doe", "@"):
            assert word not in kept.lower()


def test_what_only_looks_like_an_escape_is_kept_as_it_is() -> None:
    (event,) = heard({"domain": "acme.com", "keywords": ["R%26D", "100%25"]}, kind="clay").events
    assert event.facts["keywords"] == Members(frozenset({"r%26d", "100%25"}), False)


def test_a_row_of_a_table_is_news_whenever_it_says_something_else() -> None:
    rows = ({"domain": "acme.com", "id": 7, "employees": n} for n in (50, 5_000, 50))
    first, changed, again = (heard(row, kind="clay").events[0].id for row in rows)
    assert first == again
    assert first != changed


def test_one_name_of_two_companies_is_two_events() -> None:
    said = heard([visit(id=7), {"company": {"domain": "other.com"}, "id": 7}], **VISITS)
    assert len({event.id for event in said.events}) == 2


def test_facts_are_read_as_a_facts_map_reads_them() -> None:
    (event,) = heard(
        {
            "domain": "acme.com",
            "id": 7,
            "topics": [{"name": "CRM"}, {"name": "Lead Scoring"}, {"name": JANE}],
            "score": 71.5,
            "money": "5M",
            "country": "Germany",
            "stack": "HubSpot, Segment",
            "seats": 40,
            "buying_stage": "Decision",
        },
        domain="domain",
        id="id",
        facts={
            "intent_topics": "topics[].name",
            "intent_score": "score",
            "revenue": {"from": ["nothing", "money"], "currency": "EUR"},
            "country": "country",
            "technologies": {"from": "stack", "separator": ","},
            "seats": "seats",
            "buying_stage": {"from": "buying_stage", "values": {"decision": "ready"}},
            "open_roles": "roles",
        },
    ).events
    assert event.facts == {
        "intent_topics": Members(frozenset({"crm", "lead scoring"}), False),
        "intent_score": Interval(71.5, 71.5),
        "revenue": Money(5e6, 5e6, "EUR"),
        "country": choice("DE"),
        "technologies": Members(frozenset({"hubspot", "segment"}), False),
        "seats": Interval(40, 40),
        "buying_stage": choice("ready"),
    }


def test_an_event_is_known_by_its_name_or_by_all_it_says() -> None:
    first, again, other, renamed = (
        heard(event, **VISITS).events[0].id
        for event in (visit(id="a", page="/1"), visit(id="a", page="/2"), visit(id="b"), visit(id="a b"))
    )
    assert first == again
    assert len({first, other, renamed}) == 3
    nameless = [
        heard(visit(id=name, page=page), **VISITS).events[0].id for name, page in ((JANE, 1), (JANE, 2))
    ]
    assert len(set(nameless)) == 2, "what may be a person's address is no name"


def test_more_events_than_a_call_may_carry_are_none() -> None:
    with pytest.raises(TooManyError):
        heard([visit()] * 1_001, **VISITS)
    assert len(heard({"all": [visit(id=n) for n in range(1_000)]}, **VISITS, events="all").events) == 1_000


def test_an_event_that_tells_nothing_is_not_kept() -> None:
    assert heard({"domain": "acme.com"}, kind="clay").refused == {"nothing we could use": 1}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"facts": {"lifecycle": "x"}}, "x.facts.lifecycle: 'lifecycle' is nothing an event may tell"),
        ({"facts": {"contact_titles": "x"}}, "nothing an event may tell"),
        ({"facts": {"employes": "x"}}, "did you mean 'employees'?"),
        ({"facts": {"employees": "a["}}, "x.facts.employees: not a JMESPath expression"),
        ({"facts": {"employees": "nope(a)"}}, "JMESPath has no function nope()"),
        ({"facts": {"employees": {"from": "a", "kind": "set"}}}, "'set' does not give a number"),
        ({"visits": True, "domain": "a["}, "x.domain: not a JMESPath expression"),
        ({"visits": True, "time": "a["}, "x.time"),
        ({"visits": True, "id": "a["}, "x.id"),
        ({"visits": True, "events": "a["}, "x.events"),
    ],
)
def test_settings_that_cannot_be_used_are_named(said: Mapping[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        ear(**{"domain": "d", **said})
    assert says in str(wrong.value)


def test_visits_are_counted_unless_the_sender_tells_their_number() -> None:
    assert ear(**VISITS).counts
    assert not ear(kind="clay").counts
    assert not ear(**VISITS, facts={"web_visits": "many"}).counts


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["domain", "time", "id", "employees", "revenue", "country", "industry", "technologies"]
)


@given(st.lists(st.dictionaries(NAMES, JSON | st.just("acme.com")) | JSON, max_size=4) | JSON)
def test_any_document_is_events_or_reasons(document: Any) -> None:
    said = _CLAY.read(document, NOW)
    count = len(document) if isinstance(document, list) else 1
    assert len(said.events) + said.refused.total() == count
    assert all(signal.fact in CATALOGUE for signal in folding("x", NOW)(said.events))


_CLAY = ear(kind="clay")
