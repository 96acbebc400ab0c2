"""Buying facts: only what could matter, once, and remembered for as long as it holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from icp_sync import observe
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
from icp_sync.domain.profile import DAY
from icp_sync.journal.encoding import signals_from_text, signals_to_text
from icp_sync.ports import Answer, Hit, Miss, Request, Stream, Unavailable
from icp_sync.sync.cycle import Scope
from icp_sync.sync.enrich import RETRY_AFTER
from icp_sync.sync.heard import LONGEST_WAIT, well_formed
from tests.sync.world import GOOD, START, Vendor, World, facts

BOOK = {"acme.com": {"employees": number(100), "industry": choice("SOFTWARE")}}


def open_world(tmp_path: Path, *vendors: Vendor) -> World:
    return World(folder=tmp_path, enrichers=vendors)


def test_what_is_missing_is_bought_and_decides(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    report = world.backfill()
    assert world.live(acme)["tier"] == "A"
    assert vendor.asked == ["acme.com"]
    assert (report.calls, report.hits["vendor"], report.credits["vendor"]) == (1, 1, 1)


def test_nothing_is_asked_about_what_cannot_change_or_has_no_domain(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    world.company(domain="sure.com", **GOOD)
    world.company(domain="outside.com", lifecycle="customer")
    world.company()
    world.backfill()
    assert vendor.asked == []


def test_nothing_is_asked_twice_while_the_answer_holds(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com")
    world.company(domain="nobody.com")
    world.backfill()
    for _ in range(5):
        world.clock.step(DAY)
        again = world.backfill()
        assert (again.calls, again.written) == (0, 0)
    assert sorted(vendor.asked) == ["acme.com", "nobody.com"]


def test_a_clean_miss_is_remembered_for_its_own_shorter_while(tmp_path: Path) -> None:
    vendor = Vendor(miss_ttl=7 * DAY)
    world = open_world(tmp_path, vendor)
    world.company(domain="nobody.com")
    world.backfill()
    world.clock.step(6 * DAY)
    world.backfill()
    assert vendor.asked == ["nobody.com"]
    world.clock.step(2 * DAY)
    world.backfill()
    assert vendor.asked == ["nobody.com"] * 2


def test_a_vendor_that_cannot_answer_now_has_said_nothing(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK, instead=lambda _: Unavailable(kind="throttled"))
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    report = world.backfill()
    assert (report.calls, report.credits["vendor"]) == (1, 0)
    assert world.live(acme)["tier"] == "Needs data"
    vendor.instead = lambda _: None
    world.clock.step(2 * 3600)
    world.due()
    assert world.live(acme)["tier"] == "A"


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
    world = open_world(tmp_path, broken, Vendor(book=BOOK))
    acme = world.company(domain="acme.com")
    world.backfill()
    assert broken.asked == ["acme.com"]
    assert world.live(acme)["tier"] == "A"


@pytest.mark.parametrize("what", MALFORMED)
def test_an_answer_of_the_wrong_form_is_not_believed(what: str) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        well_formed(MALFORMED[what])


def test_answers_of_the_wrong_form_stop_nobody_and_leave_no_trace(tmp_path: Path) -> None:
    bad = dict(zip((f"{n}.com" for n in range(len(MALFORMED))), MALFORMED.values(), strict=True))
    broken = Plugin(name="broken", gives=lambda requests: [bad[r.domain] for r in requests])
    good = Vendor(book={domain: BOOK["acme.com"] for domain in bad})
    world = open_world(tmp_path, broken, good)
    keys = {world.company(domain=domain): domain for domain in bad}
    world.backfill()
    assert sorted(broken.asked) == sorted(bad)
    assert {world.live(id)["tier"] for id in keys} == {"A"}
    recalled = world.journal.recall(keys, now=world.clock())
    assert {recalled.of(id).asked for id in keys} == {frozenset({"vendor"})}
    assert {s.source for id in keys for s in recalled.of(id).signals} == {"vendor"}
    assert world.journal.spent("broken", 0) == 0
    stored = [world.journal.account(id) for id in keys]
    assert {one and one.wake_at for one in stored} == {world.clock() + RETRY_AFTER}


def test_one_malformed_answer_does_not_spoil_the_others_of_its_batch_and_is_logged_once(
    tmp_path: Path,
) -> None:
    good = Vendor(book={f"{n}.com": BOOK["acme.com"] for n in range(5)})
    plugin = Plugin(
        gives=lambda requests: [
            good._one(r) if r.domain in ("0.com", "3.com") else Miss(charge=nan) for r in requests
        ]
    )
    world = open_world(tmp_path, plugin)
    ids = [world.company(domain=f"{n}.com") for n in range(5)]
    with capture_logs() as logs:
        world.backfill()
    assert [world.live(id)["tier"] for id in ids] == ["A", "Needs data", "Needs data", "A", "Needs data"]
    (line,) = (one for one in logs if one["log_level"] == "warning")
    assert (line["enricher"], line["answers"]) == ("vendor", 3)
    assert line["first"].startswith("vendor: ")
    assert "charge" in line["first"]


@pytest.mark.parametrize("wait", [None, "60", nan, inf, -5.0, 0.0, True, 10**400])
def test_a_wait_that_is_no_length_of_time_counts_as_not_said(wait: Any) -> None:
    heard = well_formed(Unavailable(kind="throttled", retry_after=wait))
    assert heard == Unavailable(kind="throttled")


def test_a_source_is_left_alone_as_long_as_it_says_but_not_for_years(tmp_path: Path) -> None:
    waits: dict[str, Any] = {"short.com": 1.0, "long.com": 7200, "instant.com": START, "odd.com": "60"}
    vendor = Vendor(instead=lambda r: Unavailable(kind="throttled", retry_after=waits[r.domain]))
    world = open_world(tmp_path, vendor)
    ids = [world.company(domain=domain) for domain in waits]
    world.backfill()
    stored = [world.journal.account(id) for id in ids]
    waited = [one.wake_at - world.clock() for one in stored if one and one.wake_at]
    assert waited == [RETRY_AFTER, 7200, LONGEST_WAIT, RETRY_AFTER]


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


def test_a_dry_run_asks_nobody_and_counts_what_it_would_ask(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK, price=2.0)
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com")
    dry = world.backfill(Scope(apply=False))
    assert vendor.asked == []
    assert (dry.calls, dry.credits["vendor"]) == (1, 2)
    world.backfill()
    again = world.backfill(Scope(apply=False))
    assert again.calls == 0, "what is answered already would not be asked"


def test_a_vendor_never_outranks_the_crm_also_not_when_its_answer_is_recalled(tmp_path: Path) -> None:
    vendor = Vendor(book={"acme.com": {"employees": number(5000), "industry": choice("SOFTWARE")}})
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com", employees=100)
    world.backfill()
    assert world.live(acme)["tier"] == "A"
    world.clock.step(DAY)
    again = world.backfill()
    assert (again.written, world.live(acme)["tier"]) == (0, "A")


def test_the_first_vendor_outranks_the_second_now_and_later(tmp_path: Path) -> None:
    first = Vendor(name="z", book={"acme.com": {"employees": number(100)}}, facts=frozenset({"employees"}))
    second = Vendor(name="a", book={"acme.com": {"employees": number(5000), "industry": choice("SOFTWARE")}})
    world = open_world(tmp_path, first, second)
    acme = world.company(domain="acme.com")
    world.backfill()
    assert world.live(acme)["tier"] == "A"
    world.clock.step(DAY)
    assert world.backfill().written == 0


def test_a_later_vendor_is_asked_only_for_what_the_earlier_left_open(tmp_path: Path) -> None:
    first, second = Vendor(book=BOOK, name="first"), Vendor(book=BOOK, name="second")
    world = open_world(tmp_path, first, second)
    world.company(domain="acme.com")
    world.company(domain="nobody.com")
    world.backfill()
    assert sorted(first.asked) == ["acme.com", "nobody.com"]
    assert second.asked == ["nobody.com"]


def test_two_accounts_of_one_company_ask_once_and_both_learn(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    ids = [world.company(domain="acme.com"), world.company(domain="acme.com")]
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert [world.live(id)["tier"] for id in ids] == ["A", "A"]


def test_accounts_of_one_company_that_lack_different_facts_ask_for_all_of_them(tmp_path: Path) -> None:
    vendor = Vendor(book={"acme.com": {"industry": choice("SOFTWARE")}}, facts=frozenset({"industry"}))
    world = open_world(tmp_path, vendor)
    world.company(domain="acme.com", industry="SOFTWARE")  # lacks what the vendor does not know
    second = world.company(domain="acme.com", employees=100)
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert (world.live(second)["tier"], world.live(second)["certainty"]) == ("A", "firm")


def test_an_answer_serves_an_account_that_later_lacks_something_else(tmp_path: Path) -> None:
    """A vendor that tells only what is wanted must not be shut out by what somebody else wanted before."""
    vendor = Plugin(
        gives=lambda requests: [
            Hit(
                signals=tuple(
                    Signal(fact=fact, value=value, source="vendor", observed_at=START)
                    for fact, value in BOOK["acme.com"].items()
                    if fact in request.wanted
                )
            )
            for request in requests
        ]
    )
    world = open_world(tmp_path, vendor)
    first = world.company(domain="acme.com", industry="SOFTWARE")
    world.backfill()
    second = world.company(domain="acme.com", employees=100)
    world.clock.step(DAY)
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert [world.live(id)["certainty"] for id in (first, second)] == ["firm", "firm"]


def test_an_answer_the_journal_cannot_read_is_asked_for_again(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    other = world.company(domain="other.com", **GOOD)
    world.backfill()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as file, file:
        file.execute("UPDATE answer SET signals = '[[\"employees\", 120]]'")
    world.clock.step(60)
    world.backfill(Scope(restart=True))
    assert vendor.asked == ["acme.com"] * 2
    assert [world.live(id)["tier"] for id in (acme, other)] == ["A", "A"]


def test_an_account_wakes_when_what_was_bought_about_it_expires(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK, ttl=30 * DAY)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    world.backfill()
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.wake_at == world.clock() + 30 * DAY
    vendor.book = {"acme.com": {"employees": number(5000), "industry": choice("SOFTWARE")}}
    world.clock.step(30 * DAY + 1)
    world.due()
    assert vendor.asked == ["acme.com"] * 2
    assert world.live(acme)["tier"] == "C"


def test_a_miss_is_tried_again_by_the_due_stream(tmp_path: Path) -> None:
    vendor = Vendor(miss_ttl=7 * DAY)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    world.backfill()
    vendor.book = BOOK
    world.clock.step(7 * DAY + 1)
    world.due()
    assert world.live(acme)["tier"] == "A"


def test_a_question_of_unknown_fate_is_not_asked_again_at_once(tmp_path: Path) -> None:
    """The process died between asking and keeping the answer: it may have been paid for."""
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")

    def die(point: str) -> None:
        if point == "journal.record.before":
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.backfill()
    finally:
        observe.arm_faults(None)
    world.reopen()
    world.backfill()
    assert vendor.asked == ["acme.com"]
    world.clock.step(3601)
    world.due()
    assert vendor.asked == ["acme.com"] * 2
    assert world.live(acme)["tier"] == "A"
    assert world.journal.spent("vendor", 0) == 2.0


def test_an_answer_once_paid_survives_a_crash_right_after(tmp_path: Path) -> None:
    vendor = Vendor(book=BOOK)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")

    def die(point: str) -> None:
        if point == "journal.record.after":
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.backfill()
    finally:
        observe.arm_faults(None)
    world.reopen()
    world.backfill()
    assert vendor.asked == ["acme.com"]
    assert world.live(acme)["tier"] == "A"


def test_what_a_person_enters_ends_the_asking(tmp_path: Path) -> None:
    vendor = Vendor(miss_ttl=DAY)
    world = open_world(tmp_path, vendor)
    acme = world.company(domain="acme.com")
    world.backfill()
    world.crm.edit(acme, signals=facts(employees=100, industry="SOFTWARE"))
    world.clock.step(60)
    world.poll()
    world.clock.step(2 * DAY)
    world.cycle(Stream.SWEEP)
    assert vendor.asked == ["acme.com"]


def test_what_an_answer_costs_is_what_counts_as_spent(tmp_path: Path) -> None:
    vendor = Vendor(price=3.0, instead=lambda _: Hit(signals=(), charge=1.0))
    dear = Vendor(name="dear", price=5.0, instead=lambda _: Miss(charge=0.0))
    world = open_world(tmp_path, vendor, dear)
    world.company(domain="acme.com")
    report = world.backfill()
    assert (report.credits["vendor"], world.journal.spent("vendor", 0)) == (1, 1.0)
    assert (report.credits["dear"], world.journal.spent("dear", 0)) == (0, 0.0)
