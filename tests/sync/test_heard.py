"""Enrichers are anybody's code: an answer of the wrong form is no answer, and stops nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from icp_sync.domain.facts import (
    CATALOGUE,
    FactType,
    Interval,
    Members,
    Money,
    Signal,
    choice,
    merge,
    number,
)
from icp_sync.journal.answers import RETRY_UNKNOWN_AFTER
from icp_sync.journal.encoding import signals_from_text, signals_to_text
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable
from icp_sync.sync.heard import LONGEST_WAIT, well_formed
from icp_sync.sync.noting import RETRY_AFTER
from tests.sync.world import START, Vendor, World

BOOK = {"acme.com": {"employees": number(100), "industry": choice("SOFTWARE")}}


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


def raises(error: Exception) -> Any:
    raise error


@dataclass
class Plugin(Vendor):
    """Somebody's code: returns whatever `gives` makes of the requests, types be damned."""

    gives: Callable[[Any], Any] = list

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        self.asked.extend(request.domain for request in requests)
        return cast(Sequence[Answer], self.gives(requests))


def said(value: Any, fact: Any = "employees", **changes: Any) -> Hit:
    fields: dict[str, Any] = {"source": "broken", "observed_at": START, **changes}
    return Hit(signals=(Signal(fact=fact, value=value, **fields),), charge=1.0)


def untyped(**fields: Any) -> Any:
    """Keyword arguments of whatever type."""
    return fields


NOT_ANSWERS: dict[str, Callable[[Any], Any]] = {
    "raises": lambda _: raises(RuntimeError("a plugin's mistake")),
    "raises what cannot be shown": lambda _: raises(Speechless()),
    "loses requests": lambda _: [],
    "empties the batch": lambda requests: requests.clear(),
    "None": lambda _: None,
    "a number": lambda _: 1,
    "a generator": lambda requests: (Miss() for _ in requests),
    "text": lambda requests: "x" * len(requests),
    "a mapping": lambda requests: {r.domain: Miss() for r in requests},
}
MALFORMED: dict[str, Any] = {
    "None": None,
    "text": "x",
    "a class": Miss,
    "no signals": Hit(**untyped(signals=None)),
    "a generator of signals": Hit(**untyped(signals=(one for one in ()))),
    "a signal that is none": Hit(**untyped(signals=("employees",))),
    "a negative charge": Miss(charge=-1.0),
    "an infinite charge": Miss(charge=inf),
    "a charge that is no number": Hit(signals=(), charge=nan),
    "no charge": Miss(**untyped(charge=None)),
    "a charge in words": Miss(**untyped(charge="1")),
    "a charge beyond floats": Miss(charge=10**400),
    "bytes unread": Hit(**untyped(signals=(), unread={"a": b"x"})),
    "no unread": Hit(**untyped(signals=(), unread=None)),
    "a plain number": said(120),
    "no value": said(None),
    "a range without numbers": said(Interval(nan, 1.0)),
    "a range without bound": said(Interval(*untyped(low=None, high=1.0).values())),
    "a range in words": said(Interval(*untyped(low="1", high="2").values())),
    "a range upside down": said(Interval(9.0, 1.0)),
    "a range beyond all numbers": said(Interval(inf, inf)),
    "a range beyond floats": said(Interval(10**400, 10**400)),
    "a set where a number belongs": said(choice("120")),
    "a number where a set belongs": said(number(1), "industry"),
    "money without a currency": said(Money(*untyped(low=1.0, high=2.0, currency=None).values()), "revenue"),
    "mixed members": said(Members(frozenset({*untyped(a=1, b="a").values()}), True), "industry"),
    "numbers as members": said(Members(frozenset(untyped(a=1).values()), True), "industry"),
    "a list of members": said(Members(*untyped(known=["a"], complete=True).values()), "industry"),
    "members perhaps complete": said(Members(*untyped(known={"a"}, complete=None).values()), "industry"),
    "an unknown fact of no kind": said("x", "mascot"),
    "an unknown fact upside down": said(Interval(9.0, 1.0), "mascot"),
    "no fact": said(number(1), None),
    "a list for a fact": said(number(1), []),
    "no source": said(number(1), source=None),
    "no instant": said(number(1), observed_at=None),
    "never": said(number(1), observed_at=nan),
    "no confidence": said(number(1), confidence=None),
    "infinite confidence": said(number(1), confidence=inf),
    "half a rank": said(number(1), rank=0.5),
    "nothing raw": said(number(1), raw=None),
}


@pytest.mark.parametrize("how", NOT_ANSWERS)
def test_a_vendor_that_breaks_its_promise_stops_nobody(tmp_path: Path, how: str) -> None:
    broken = Plugin(name="broken", gives=NOT_ANSWERS[how])
    world = World(folder=tmp_path, enrichers=(broken, Vendor(book=BOOK)))
    acme = world.company(domain="acme.com")
    world.backfill()
    assert broken.asked == ["acme.com"]
    assert world.live(acme)["tier"] == "A"


@pytest.mark.parametrize("what", MALFORMED)
def test_an_answer_of_the_wrong_form_is_not_believed(what: str) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        well_formed(MALFORMED[what])


def test_answers_of_the_wrong_form_stop_nobody_and_count_as_paid(tmp_path: Path) -> None:
    bad = dict(zip((f"{n}.com" for n in range(len(MALFORMED))), MALFORMED.values(), strict=True))
    broken = Plugin(name="broken", gives=lambda requests: [bad[r.domain] for r in requests])
    good = Vendor(book=dict.fromkeys(bad, BOOK["acme.com"]))
    world = World(folder=tmp_path, enrichers=(broken, good))
    keys = {world.company(domain=domain): domain for domain in bad}
    world.backfill()
    assert sorted(broken.asked) == sorted(bad)
    assert {world.live(id)["tier"] for id in keys} == {"A"}
    recalled = world.journal.recall(keys, now=world.clock())
    assert {recalled.of(id).asked for id in keys} == {frozenset({"broken", "vendor"})}
    assert {s.source for id in keys for s in recalled.of(id).signals} == {"vendor"}
    assert world.journal.spent("broken", 0) == len(bad)
    stored = [world.journal.account(id) for id in keys]
    assert {one and one.wake_at for one in stored} == {world.clock() + RETRY_UNKNOWN_AFTER}


def test_one_malformed_answer_does_not_spoil_the_others_of_its_batch_and_is_logged_once(
    tmp_path: Path,
) -> None:
    good = Vendor(book={f"{n}.com": BOOK["acme.com"] for n in range(5)})
    plugin = Plugin(
        gives=lambda requests: [
            good._one(r) if r.domain in ("0.com", "3.com") else Miss(charge=nan) for r in requests
        ]
    )
    world = World(folder=tmp_path, enrichers=(plugin,))
    ids = [world.company(domain=f"{n}.com") for n in range(5)]
    with capture_logs() as logs:
        world.backfill()
    assert [world.live(id)["tier"] for id in ids] == ["A", "Needs data", "Needs data", "A", "Needs data"]
    (line,) = (one for one in logs if one["log_level"] == "warning")
    assert (line["enricher"], line["answers"]) == ("vendor", 3)
    assert line["first"].startswith("vendor: ")
    assert "charge" in line["first"]


@pytest.mark.parametrize("wait", [None, "60", nan, inf, -5.0, 0.0, True])
def test_a_wait_that_is_no_length_of_time_counts_as_not_said(wait: Any) -> None:
    heard = well_formed(Unavailable(kind="throttled", retry_after=wait))
    assert heard == Unavailable(kind="throttled")


def test_a_source_is_left_alone_as_long_as_it_says_but_not_for_years(tmp_path: Path) -> None:
    waits: dict[str, Any] = {"short.com": 1.0, "long.com": 7200, "instant.com": START, "vast.com": 10**400}
    vendor = Vendor(instead=lambda r: Unavailable(kind="throttled", retry_after=waits[r.domain]))
    world = World(folder=tmp_path, enrichers=(vendor,))
    ids = [world.company(domain=domain) for domain in waits]
    world.backfill()
    stored = [world.journal.account(id) for id in ids]
    waited = [one.wake_at - world.clock() for one in stored if one and one.wake_at]
    assert waited == [RETRY_AFTER, 7200, LONGEST_WAIT, LONGEST_WAIT]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.frozensets(st.text(max_size=2), max_size=2),
    max_leaves=3,
)
numbers = st.floats() | st.integers() | anything
values = (
    st.builds(Interval, numbers, numbers)
    | st.builds(Money, numbers, numbers, st.just("USD") | anything)
    | st.builds(Members, st.frozensets(st.text(max_size=2), max_size=3) | anything, st.booleans() | anything)
    | anything
)
signal_like = st.builds(
    Signal,
    fact=st.sampled_from(["employees", "revenue", "industry", "mascot"]) | anything,
    value=values,
    source=st.just("vendor") | anything,
    observed_at=st.just(START) | anything,
    confidence=st.just(1.0) | anything,
    rank=st.just(0) | anything,
    raw=st.just("") | anything,
)
answer_like = (
    st.builds(
        Hit,
        signals=st.lists(signal_like, max_size=2).map(tuple) | anything,
        charge=st.just(1.0) | anything,
        unread=st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=1) | anything,
    )
    | st.builds(Miss, charge=anything)
    | st.builds(Unavailable, kind=anything, message=anything, retry_after=anything)
    | anything
)


@settings(max_examples=200, deadline=None)
@given(answer=answer_like)
def test_what_is_believed_can_be_charged_merged_and_recalled_as_it_is(answer: Any) -> None:
    try:
        heard = well_formed(answer)
    except Exception:  # whatever a strange object raises is caught where it is asked
        return
    if isinstance(heard, Unavailable):
        assert heard.retry_after is None or 0 < heard.retry_after <= LONGEST_WAIT
        return
    assert 0 <= heard.charge < inf
    if isinstance(heard, Hit):
        assert signals_from_text(signals_to_text(heard.signals)) == heard.signals
        known = merge(heard.signals, types={s.fact: FactType.SET for s in heard.signals} | dict(CATALOGUE))
        assert known.facts.keys() | known.unread.keys() == {s.fact for s in heard.signals}
        assert json.loads(json.dumps(heard.unread)) == heard.unread
