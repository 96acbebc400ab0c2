"""A connection's deals become cases that know only what was known when they were decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Members, Money, Signal, choice, number
from icp_sync.domain.profile import DAY
from icp_sync.errors import AuthError
from icp_sync.journal import Journal
from icp_sync.learning.cases import Book, Case, Cohort
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.past.wanting import CHURN_UNTOLD
from icp_sync.learning.sources.reading import book_of_connection, sale_of
from icp_sync.ports import Deal
from tests.crm.hubspot.world import Portal as HubSpotPortal
from tests.sync.world import START, Vendor, World

TYPES = {**CATALOGUE, "plan": FactType.CHOICE, "left_on": FactType.DATE}
DECIDED = "2026-09-01"
AT = 1_788_220_800.0


class Portal:
    """A world whose clock stands a hundred days after most of its deals were decided."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.world = World(folder=folder, **more)
        self.world.clock.now = AT + 100 * DAY

    def company(self, name: str, at: float = 0.0, **known: FactValue) -> str:
        """at: when the record was read, now unless told otherwise."""
        seen = at or self.world.clock.now
        said = {"domain": choice(f"{name}.example"), **known}
        signals = tuple(
            Signal(fact=fact, value=value, source=f"crm:{fact}", observed_at=seen)
            for fact, value in said.items()
        )
        return self.world.crm.create(name=name, signals=signals)

    def deal(self, account_id: str, *, won: bool = False, closed: str = DECIDED, **more: Any) -> str:
        said = {"created_at": int((AT - 60 * DAY) * 1000), "amount": 1000.0, "currency": "EUR", **more}
        return self.world.crm.beside.add_deal(account_id, open=False, won=won, closed_on=closed, **said)

    def book(self, definitions: Definitions | None = None, join: Path | None = None) -> Book:
        world = self.world
        return book_of_connection(
            world.crm,
            world.journal,
            definitions or Definitions(),
            types=TYPES,
            now=world.clock.now,
            buying=world.buying,
            join=join,
        )

    def case(self, account_id: str) -> Case:
        return next(case for case in self.book().cases if case.id == account_id)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    opened = Portal(tmp_path)
    yield opened
    opened.world.journal.close()


def test_every_decided_deal_is_a_case_and_every_account_is_in_the_crowd(portal: Portal) -> None:
    won, lost = portal.company("won"), portal.company("lost")
    open_, none = portal.company("open"), portal.company("none")
    portal.deal(won, won=True)
    portal.deal(lost, closed="2026-09-03")
    portal.world.crm.beside.add_deal(open_)
    book = portal.book()
    assert [(case.id, case.won, case.decided) for case in book.cases] == [
        (won, True, AT),
        (lost, False, AT + 2 * DAY),
    ]
    assert book.crowd.keys() == {won, lost, open_, none}
    assert book.currency == "EUR"


def test_facts_that_hardly_change_are_taken_as_the_crm_has_them_today(portal: Portal) -> None:
    one = portal.company("one", industry=choice("SOFTWARE"), employees=number(80), plan=choice("gold"))
    portal.deal(one, won=True)
    book = portal.book()
    known = book.cases[0].facts
    assert known["industry"] == choice("SOFTWARE")
    assert known["employees"] == number(80)
    assert known["plan"] == choice("gold")
    assert any(note.startswith("employees: as they stand today") for note in book.notes)
    assert any(note.startswith("plan: facts of your own") for note in book.notes)


def test_facts_that_move_are_left_out_with_the_reason_where_nothing_recorded_them(portal: Portal) -> None:
    one = portal.company("one", web_visits=number(900), industry=choice("SOFTWARE"))
    portal.deal(one, won=True)
    book = portal.book()
    assert "web_visits" not in book.cases[0].facts
    assert "nothing recorded it before the decisions" in book.left_out["web_visits"]
    assert "1 value not surely known when the case was decided left out: web_visits 1" in book.notes
    assert book.crowd[one]["web_visits"] == number(900)


def test_facts_that_follow_the_deal_are_left_out_whatever_was_recorded(portal: Portal) -> None:
    one = portal.company("one", lifecycle=Members(frozenset(["customer"]), True), open_deals=number(2))
    portal.deal(one, won=True)
    left_out = portal.book().left_out
    assert {"lifecycle", "open_deals", "population"} <= left_out.keys()
    assert "leads" not in left_out
    assert left_out["lifecycle"] == "the stage moves to customer when a deal is won"


def test_a_record_that_nobody_has_touched_since_was_all_known_then(portal: Portal) -> None:
    one = portal.company("one", at=AT - DAY, web_visits=number(900))
    portal.deal(one)
    assert portal.case(one).facts["web_visits"] == number(900)


def test_a_round_after_the_decision_was_not_known_nor_was_what_it_changed(portal: Portal) -> None:
    stage, total = choice("series_b"), Money(9e6, 9e6, "USD")
    before, after = (
        portal.company(name, last_funding_date=number(day), funding_stage=stage, funding_total=total)
        for name, day in (("before", AT - 90 * DAY), ("after", AT + 9 * DAY))
    )
    never = portal.company("never", funding_stage=stage, funding_total=total)
    for one in (before, after, never):
        portal.deal(one)
    assert portal.case(before).facts.keys() >= {"last_funding_date", "funding_stage", "funding_total"}
    for one in (after, never):
        assert not portal.case(one).facts.keys() & {"last_funding_date", "funding_stage", "funding_total"}


def test_what_a_vendor_told_before_the_decision_counts_and_what_it_told_later_does_not(
    tmp_path: Path,
) -> None:
    """The vendor's answers are observed at START, between two decisions."""
    vendor = Vendor(book={f"{name}.example": {"employees": number(55)} for name in ("early", "late")})
    portal = Portal(tmp_path, enrichers=(vendor,))
    portal.world.clock.now = START + DAY
    kind = Members(frozenset(["prospect"]), True)
    early, late = (portal.company(name, lifecycle=kind) for name in ("early", "late"))
    portal.world.backfill()
    portal.world.clock.step(20 * DAY)
    portal.deal(early, closed="2026-11-01")
    portal.deal(late, closed="2026-11-30")
    book = portal.book()
    facts = {case.id: case.facts for case in book.cases}
    assert "employees" not in facts[early]
    assert facts[late]["employees"] == number(55)
    assert book.crowd[early]["employees"] == number(55)
    portal.world.journal.close()


def test_the_facts_of_the_last_evaluation_before_the_decision_are_used(portal: Portal) -> None:
    world = portal.world
    world.clock.now = AT - 200 * DAY
    kind = Members(frozenset(["prospect"]), True)
    one = portal.company("one", lifecycle=kind, employees=number(100), web_visits=number(10))
    world.backfill()
    for at, n in ((AT - 10 * DAY, 900), (AT + 50 * DAY, 120)):
        world.clock.now = at
        signals = world.account(one).signals
        world.crm.edit(
            one, signals=[replace(s, value=number(n)) if s.fact == "employees" else s for s in signals]
        )
        world.backfill()
    portal.deal(one, won=True)
    world.clock.now = AT + 60 * DAY
    case = portal.case(one)
    assert case.recorded
    assert case.facts["employees"] == number(900)
    assert case.facts["web_visits"] == number(10)
    assert "web_visits" not in portal.book().left_out
    earlier = world.journal.facts_before({one: AT - 100 * DAY, "nobody": AT})
    assert {id: facts["employees"] for id, facts in earlier.items()} == {one: number(100)}
    assert world.journal.facts_before({one: AT - 300 * DAY}) == {}


def test_a_date_of_your_own_that_lies_after_the_decision_was_not_known(portal: Portal) -> None:
    early, late = (portal.company(str(days), left_on=number(AT + days * DAY)) for days in (-30, 30))
    for one in (early, late):
        portal.deal(one)
    assert portal.case(early).facts["left_on"] == number(AT - 30 * DAY)
    assert "left_on" not in portal.case(late).facts


def test_a_fact_that_the_settings_name_as_an_outcome_is_left_out(portal: Portal) -> None:
    one = portal.company("one", left_on=number(AT + 30 * DAY))
    portal.deal(one, won=True)
    book = portal.book(Definitions(churned_on="left_on"))
    assert "churned_on" in book.left_out["left_on"]


@pytest.mark.parametrize("closed", ["", "soon", "2026-13-45"])
def test_a_deal_without_a_day_to_close_on_has_none(closed: str) -> None:
    assert sale_of(Deal(id="1", open=False, closed_on=closed)).closed is None


def test_what_an_open_deal_is_expected_to_close_on_is_no_decision() -> None:
    assert sale_of(Deal(id="1", open=True, closed_on=DECIDED)).closed is None


def test_a_hubspot_portal_is_read_and_the_missing_scope_is_named(tmp_path: Path) -> None:
    hubspot = HubSpotPortal()
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db", "main")
    try:
        company = hubspot.create("Acme")
        hubspot.simulator.admin("POST edit", id=company, properties={"country": "Freedonia"})
        hubspot.win_deal(hubspot.add_deal(company))
        crm = hubspot.crm

        def book() -> Book:
            return book_of_connection(crm, journal, Definitions(), types=CATALOGUE, now=crm.now() + 2 * DAY)

        assert [(case.id, case.name, case.won) for case in book().cases] == [(company, "Acme", True)]
        assert "country: 1 value nobody can read, such as 'Freedonia': unknown" in book().notes
        missing = hubspot.forbid_deals()
        with pytest.raises(AuthError, match=missing.replace(".", r"\.")):
            book()
    finally:
        journal.close()
        hubspot.close()


def test_a_crm_where_nothing_says_who_left_says_so(portal: Portal) -> None:
    portal.deal(portal.company("one", left_on=number(AT + 30 * DAY)), won=True)
    assert not portal.book().churn_told
    assert CHURN_UNTOLD in portal.book().notes
    assert portal.book(Definitions(churned_on="left_on")).churn_told


def test_a_joined_file_tells_who_has_left(portal: Portal, tmp_path: Path) -> None:
    gone, here = (portal.company(name) for name in ("gone", "here"))
    for one in (gone, here):
        portal.deal(one, won=True)
    joined = tmp_path / "churn.csv"
    joined.write_text("domain,churned on\ngone.example,2026-10-01\n")
    book = portal.book(join=joined)
    assert {case.id: case.cohort for case in book.cases} == {gone: Cohort.CHURNED, here: Cohort.UNPLACED}
