"""What somebody's events become: facts of a company, each event once, and nothing of any person."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, Interval, Members, Money, choice
from icp_sync.enrichers.inbound.folding import MONTH, folding
from icp_sync.enrichers.inbound.mapping import Ear, Heard, TooManyError
from icp_sync.errors import ConfigError
from icp_sync.journal.inbound import A_DOMAIN, Event
from icp_sync.settings.inbound import InboundSource

NOW = 1_795_000_000.0
DAY = 86_400.0
JANE = "jane.doe@acme.com"


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


def test_nothing_of_a_person_is_kept_whatever_field_it_stands_in() -> None:
    """Every fact an event may tell is mapped, and each is given somebody's address, bare and in lists."""
    clay = ear(kind="clay")
    for value in (JANE, [JANE, JANE], f"Jane <{JANE}>", {"email": JANE}, f"x;{JANE}"):
        event = dict.fromkeys(CATALOGUE, value) | {"id": JANE, "domain": JANE}
        said = clay.read([event, {**event, "id": "2", "time": JANE}, {**event, "domain": "acme.com"}], NOW)
        kept = repr([said.events, said.refused]) + repr([folding("x", NOW)(said.events)])
        for word in ("jane", "doe", "@"):
            assert word not in kept.lower()


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


def test_visits_add_up_to_the_last_one_and_how_many_in_a_month() -> None:
    days = (1, 3, 29, 31)
    fold = folding("site", NOW)
    signals = fold([_visit(day) for day in days])
    by_fact = {signal.fact: signal for signal in signals}
    assert by_fact["last_visit"].value == Interval(NOW - DAY, NOW - DAY)
    assert by_fact["web_visits"].value == Interval(3, 3)
    assert by_fact["last_visit"].until == NOW + 89 * DAY
    assert by_fact["web_visits"].until == NOW - 29 * DAY + MONTH + DAY
    assert {signal.source for signal in signals} == {"site"}
    many = fold([_visit(n / 100) for n in range(A_DOMAIN)])
    assert {s.value for s in many if s.fact == "web_visits"} == {Interval(A_DOMAIN, inf)}
    assert fold([_visit(91)]) == ()


def test_sets_unite_and_of_other_facts_the_newest_counts() -> None:
    told = [
        _event(2, intent_topics=Members(frozenset({"crm"}), False), intent_score=Interval(20, 20)),
        _event(1, intent_topics=Members(frozenset({"abm"}), False)),
        _event(3, intent_score=Interval(90, 90)),
    ]
    said = {signal.fact: signal.value for signal in folding("site", NOW)(told)}
    assert said == {
        "intent_topics": Members(frozenset({"crm", "abm"}), False),
        "intent_score": Interval(20, 20),
    }


@given(st.permutations(range(6)))
def test_the_order_in_which_events_come_does_not_matter(order: list[int]) -> None:
    events = [_event(day % 3, intent_score=Interval(day, day), last_visit=Interval(1, 2)) for day in order]
    assert folding("s", NOW)(events) == folding("s", NOW)(sorted(events, key=lambda e: e.id))


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


def _event(days: float, **facts: Any) -> Event:
    at = NOW - days * DAY
    return Event(
        id=f"{days}{sorted(facts.items())}", domain="acme.com", at=at, until=at + 90 * DAY, facts=facts
    )


def _visit(days: float) -> Event:
    at = NOW - days * DAY
    return _event(days, last_visit=Interval(at, at))


_CLAY = ear(kind="clay")
