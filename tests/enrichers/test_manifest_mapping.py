"""What stands in a record becomes facts as its lines say; whatever it holds, nothing raises."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, fits, value_to_json
from icp_sync.enrichers.manifest import shipped
from icp_sync.enrichers.manifest.answers import understood
from icp_sync.enrichers.manifest.batching import aligned
from icp_sync.enrichers.manifest.conversation import converse
from icp_sync.enrichers.manifest.mapping import facts_in
from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.enrichers.manifest.setup import Setup, plain, set_up
from icp_sync.errors import ConfigError
from icp_sync.ports import Hit, Miss, Pending, Unavailable
from tests.enrichers.vendor_world import NOW, asked, manifest_of, samples

BASE: dict[str, Any] = {
    "vendor": "plain",
    "title": "Plain",
    "source": "https://docs.example.com",
    "base_url": "https://api.example.com",
    "leaves": ["domain"],
    "needs": ["domain"],
    "auth": "none",
    "request": {"path": "/{domain}"},
    "charge": {"on": "hit"},
}


def setup(fact: str, *lines: dict[str, Any], options: dict[str, Any] | None = None, **more: Any) -> Setup:
    facts = {fact: [{"sure": "documented", **line} for line in lines]}
    return plain(Manifest.model_validate({**BASE, "options": options or {}, "facts": facts, **more}))


def read(fact: str, record: dict[str, Any], *lines: dict[str, Any], **options: Any) -> Any:
    """The value as JSON; the text where it cannot be read; None where nothing is said."""
    signals, unread = facts_in(record, setup(fact, *lines, options=options), now=NOW, confidence=1.0)
    found = {signal.fact: value_to_json(signal.value) for signal in signals}
    return found.get(fact, unread.get(fact))


NUMBER = {"from": "n", "kind": "number"}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (143, ["interval", 143.0, 143.0]),
        (143.0, ["interval", 143.0, 143.0]),
        ("143", ["interval", 143.0, 143.0]),
        ("51-200", ["interval", 51.0, 200.0]),
        ("10001+", ["interval", 10001.0, None]),
        (None, None),
        ("", None),
        ("  ", None),
        ([], None),
        ([143], ["interval", 143.0, 143.0]),
        ([1, 2], "[1, 2]"),
        ({"count": 3}, '{"count": 3}'),
        (True, "true"),
        (-1, "-1"),
        ("many\nof\x00them", "many of them"),
        (10**50, None),
    ],
)
def test_a_number_is_read_as_a_crms_would_be(raw: Any, value: Any) -> None:
    assert read("employees", {"n": raw}, NUMBER) == value


def test_the_first_place_that_can_be_read_counts() -> None:
    line = {"from": ["exact", "band"], "kind": "number"}
    assert read("employees", {"exact": "dozens", "band": "11-50"}, line) == ["interval", 11.0, 50.0]
    assert read("employees", {"exact": "dozens", "band": None}, line) == "dozens"
    first, second = {"from": "a", "kind": "number"}, {"from": "b", "kind": "number"}
    assert read("employees", {"a": "?", "b": 5}, first, second) == ["interval", 5.0, 5.0]


def test_two_bounds_are_one_interval() -> None:
    line = {"low": "from", "high": "to", "kind": "number"}
    assert read("employees", {"from": 51, "to": 200}, line) == ["interval", 51.0, 200.0]
    assert read("employees", {"from": 10001, "to": None}, line) == ["interval", 10001.0, None]
    assert read("employees", {"to": 10}, line) == ["interval", 0.0, 10.0]
    assert read("employees", {}, line) is None


def test_money_has_the_stated_currency_or_the_records_own_and_nobodys_otherwise() -> None:
    money = {"from": "m", "kind": "money"}
    assert read("revenue", {"m": 5_000_000}, money) == ["money", 5e6, 5e6, ""]
    assert read("revenue", {"m": "$10M-$25M"}, {**money, "currency": "USD"}) == ["money", 10e6, 25e6, "USD"]
    own = {**money, "currency_from": "c", "currency": "USD"}
    assert read("revenue", {"m": 7, "c": "eur"}, own) == ["money", 7.0, 7.0, "EUR"]
    assert read("revenue", {"m": 7, "c": "dollars; DROP"}, own) == ["money", 7.0, 7.0, "USD"]


def test_a_unit_is_an_option_and_an_empty_one_leaves_the_line_out() -> None:
    line = {"from": "m", "kind": "money", "currency": "USD", "times": "{unit}"}
    assert read("revenue", {"m": 12_345}, line, unit=1_000) == ["money", 12_345_000.0, 12_345_000.0, "USD"]
    assert read("revenue", {"m": 12_345}, line, unit="") is None
    assert read("revenue", {"m": "9" * 17}, line, unit=1e300) == "9" * 17


@pytest.mark.parametrize(
    ("raw", "low", "high"),
    [
        ("12,345", 12_345e3, 12_345e3),
        ("1000 - 5000", 1e6, 5e6),
        ("5000+", 5e6, None),
        (4.125, 4_125.0, 4_125.0),
        ("$2.5 Billion", 2.5e9, 2.5e9),
        ("$250 mil. - $500 mil.", 250e6, 500e6),
        ("2,500 USD", 2_500.0, 2_500.0),
    ],
)
def test_an_amount_with_a_unit_of_its_own_is_in_that_unit(raw: Any, low: float, high: float | None) -> None:
    line = {"from": "m", "kind": "money", "currency": "USD", "times": 1_000}
    assert read("revenue", {"m": raw}, line) == ["money", low, high, "USD"]
    bounds = {"low": "a", "high": "b", "kind": "money", "currency": "USD", "times": 1_000}
    assert read("revenue", {"a": 1, "b": 5}, bounds) == ["money", 1e3, 5e3, "USD"]


def test_a_text_that_may_be_four_or_four_thousand_is_not_read_and_a_number_is() -> None:
    money = {"from": "m", "kind": "money", "currency": "USD"}
    assert read("revenue", {"m": "4.400"}, money) == "4.400"
    assert read("revenue", {"m": 4.125}, money) == ["money", 4.125, 4.125, "USD"]


def test_an_option_that_is_no_unit_or_currency_is_refused() -> None:
    money = {"from": "m", "kind": "money", "currency": "{code}", "times": "{unit}"}
    manifest = setup("revenue", money, options={"code": "USD", "unit": 1_000}).manifest
    assert set_up(manifest, {"code": "", "unit": 1}).options == {"code": "", "unit": 1}
    with pytest.raises(ConfigError) as caught:
        set_up(manifest, {"code": "dollars", "unit": -1})
    assert [problem.where for problem in caught.value.problems] == ["unit", "code"]


def test_words_mean_what_the_manifest_says_and_some_say_nothing() -> None:
    line = {"from": "t", "kind": "choice", "values": {"Plc": "public", "unknown": ""}}
    assert read("ownership", {"t": "PLC"}, line) == ["set", ["public"], True]
    assert read("ownership", {"t": "Unknown"}, line) is None
    assert read("employees", {"n": -1}, {**NUMBER, "values": {"-1": ""}}) is None


def test_sets_come_as_lists_or_texts_and_are_complete_only_where_it_is_said() -> None:
    line = {"from": "t", "kind": "set"}
    assert read("technologies", {"t": ["HubSpot", None, "", "C++; C"]}, line) == [
        "set",
        ["c++; c", "hubspot"],
        False,
    ]
    listed = {**line, "separator": ",", "complete": True}
    assert read("technologies", {"t": "HubSpot, Stripe"}, listed) == ["set", ["hubspot", "stripe"], True]
    several = {**line, "values": {"b2b saas": ["b2b", "saas"]}}
    assert read("business_model", {"t": ["B2B SaaS"]}, several) == ["set", ["b2b", "saas"], False]


def test_an_industry_says_the_sector_too_and_labels_that_contradict_say_nothing() -> None:
    line = {"from": "i", "kind": "industry", "system": "linkedin"}
    signals, _ = facts_in({"i": "Computer Software"}, setup("industry", line), now=NOW, confidence=1.0)
    assert {signal.fact for signal in signals} == {"industry", "sector"}
    assert read("industry", {"i": "Wizardry"}, line) == "Wizardry"
    assert read("industry", {"i": ["Banking", "Farming"]}, line) == "Banking; Farming"
    codes = {"from": "codes", "kind": "industry", "system": "naics"}
    assert read("sector", {"codes": ["513210"]}, codes) == ["set", ["51"], True]


def test_a_loan_is_no_stage_of_equity() -> None:
    line = {"from": ["last", "before"], "kind": "funding_stage"}
    assert read("funding_stage", {"last": "debt_financing", "before": "Series B"}, line) == [
        "set",
        ["series_b"],
        True,
    ]


def test_a_signal_says_when_it_was_seen_how_sure_and_until_when_it_holds() -> None:
    line = {**NUMBER, "confidence": 0.5, "observed": "seen"}
    made = setup("employees", line, ttl={"employees": "10d", "else": "1d"})
    (signal,), _ = facts_in({"n": 5, "seen": "2026-01-02"}, made, now=NOW, confidence=0.8)
    assert signal.confidence == pytest.approx(0.4)
    assert signal.observed_at == 1_767_312_000
    assert signal.until == NOW + 10 * 86_400
    (later,), _ = facts_in({"n": 5, "seen": "2190-01-01"}, made, now=NOW, confidence=0.8)
    assert later.observed_at == NOW


def test_what_is_huge_is_cut() -> None:
    texts = {"t": ["x" * 5_000_000, *(f"t{n}" for n in range(50_000))]}
    signals, _ = facts_in(texts, setup("technologies", {"from": "t", "kind": "set"}), now=NOW, confidence=1.0)
    (signal,) = signals
    assert len(signal.raw) <= 1_000
    assert len(signal.value[0]) <= 2_000  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abn", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
ROOTS = ("name", "id", "likelihood", "industry", "size", "employee_count", "location", "tags", "type")


@given(
    st.dictionaries(st.sampled_from(ROOTS), json_values) | json_values, st.sampled_from([200, 202, 404, 400])
)
def test_whatever_a_vendor_says_is_an_answer_with_proper_values(body: Any, status: int) -> None:
    made = plain(manifest_of("people_data_labs"))
    answer = understood(made, asked(), Said(status=status, body=body), now=NOW)
    assert isinstance(answer, Hit | Miss | Unavailable)
    assert 0 <= answer.charge <= made.price
    if isinstance(answer, Hit):
        assert status in (200, 202)
        for signal in answer.signals:
            assert fits(signal.value, CATALOGUE[signal.fact])
            assert 0 < signal.confidence <= 1
            json.dumps(value_to_json(signal.value))


@settings(max_examples=150)
@given(st.sampled_from(sorted(shipped())), st.lists(json_values, min_size=1, max_size=3), st.data())
def test_whatever_any_vendor_says_at_any_step_is_an_answer(
    vendor: str, bodies: list[Any], data: st.DataObject
) -> None:
    made, samples_there = plain(manifest_of(vendor)), samples(vendor).single["hit"]
    request = samples_there.asked.request
    replies = iter([*samples_there.steps[: data.draw(st.integers(0, 2))]])

    def ask(*_: Any) -> Said:
        reply = next(replies, None)
        return Said(status=200, body=data.draw(st.sampled_from(bodies)) if reply is None else reply.body)

    answer = converse(made, request, ask, now=NOW)
    assert isinstance(answer, Hit | Miss | Pending | Unavailable)
    assert answer.charge >= 0


@given(st.lists(json_values, max_size=4) | json_values)
def test_whatever_a_reply_to_several_is_each_gets_one_answer(body: Any) -> None:
    made = plain(manifest_of("people_data_labs"))
    requests = [asked("acme.com"), asked("globex.com"), asked("initech.com")]
    answers = aligned(made, requests, Said(status=200, body=body), now=NOW)
    assert len(answers) == 3
    assert all(isinstance(answer, Hit | Miss | Unavailable) for answer in answers)
