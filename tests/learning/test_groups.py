"""Accounts of one group of companies are one draw: they count once, and never on both sides of the day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import FactValue, choice, number, yes_no
from icp_sync.learning.cases import Book, Case, Cohort, Goal
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.learn import Wish, learn
from icp_sync.learning.past.cohorts import Sale, Subject, book_of
from icp_sync.learning.past.groups import counted_once, roots
from icp_sync.learning.proof.proving import split
from icp_sync.learning.sources.labelled import book_from_files
from icp_sync.profile_file import parse
from tests.learning.planted import DAY, END, TYPES, planted
from tests.learning.test_reading import Portal

LEARNED = """\
profile: old
currency: USD
learned: {{goal: won, until: {until}, cases: 10}}
criteria:
  - {{name: Size, layer: firmographic, fact: employees, at_least: 50, weight: 100}}
"""


def case(id: str, *, at: float = 0.0, domain: str = "", group: str = "", **facts: FactValue) -> Case:
    return Case(
        id=id,
        name=f"Company {id}",
        domain=domain,
        facts=facts,
        begun=at - 1,
        decided=at,
        won=True,
        group=group,
    )


def book(*cases: Case) -> Book:
    return Book(cases=cases, types=TYPES)


def ids(found: Book) -> list[str]:
    return [one.id for one in found.cases]


def test_cases_of_one_group_count_once_and_the_first_decided_does() -> None:
    found, said = counted_once(book(case("1", group="9"), case("2"), case("3", group="9"), case("9", at=5)))
    assert ids(found) == ["1", "2"]
    assert said.startswith("2 cases are of groups of companies")


def test_a_group_may_be_named_by_the_name_of_the_account_above() -> None:
    assert ids(counted_once(book(case("1"), case("2", group=" company  1 ")))[0]) == ["1"]


def test_one_domain_is_one_company_unless_anybody_may_be_there() -> None:
    assert ids(counted_once(book(case("1", domain="acme.com"), case("2", domain="acme.com")))[0]) == ["1"]
    for shared in (
        "gmail.com",
        "facebook.com",
        "indiamart.com",
        "gelbeseiten.de",
        "example.com",
        "none.com",
        "",
    ):
        found, said = counted_once(book(case("1", domain=shared), case("2", domain=shared)))
        assert (ids(found), said) == (["1", "2"], "")


@pytest.mark.parametrize(
    "word",
    [
        "n/a", "N/A", "#N/A", "-", "--", "None", "null", "0", "0.0", "(No value)", "No parent", "Independent",
        "Unknown", "TRUE", "false", "Yes", "no", "self",
    ],
)  # fmt: skip
def test_a_word_for_no_parent_joins_nobody(word: str) -> None:
    whole = book(*(case(str(at), group=word) for at in range(1, 31)))
    assert counted_once(whole) == (whole, "")


def test_a_word_for_no_parent_joins_where_an_account_is_called_so() -> None:
    parents = {"1": "Independent", "2": "1", "3": ""}
    tops = roots(parents)
    cases = [case(id, group=tops.get(id, "")) for id in parents]
    assert ids(counted_once(book(*cases, replace(case("4"), name="Other")))[0]) == ["1", "3", "4"]
    assert ids(counted_once(book(*cases, replace(case("4"), name="Independent")))[0]) == ["1", "3"]
    crowd = {"5": {"name": choice("independent")}}
    joined = replace(book(cases[0], case("6", group="INDEPENDENT")), crowd=crowd)
    assert ids(counted_once(joined)[0]) == ["1"]


def test_what_every_fifth_case_names_is_no_group_and_that_is_said() -> None:
    cases = [
        case(str(at), group="Retail" if at < 125 else "Acme" if at < 128 else "") for at in range(100, 200)
    ]
    found, said = counted_once(book(*cases))
    assert len(found.cases) == 98
    assert "the largest is 'Acme', with 3 cases" in said
    assert "of the 100 cases have 'Retail' (25): too many" in said
    assert counted_once(found) == (found, "")


@pytest.mark.parametrize("n", [20, 21])
def test_a_group_of_many_is_one_until_it_is_more_than_a_fifth(n: int) -> None:
    cases = [case(str(at), group="Acme" if at < 1000 + n else "") for at in range(1000, 1100)]
    found, said = counted_once(book(*cases))
    assert (len(found.cases), "too many" in said) == ((81, False) if n == 20 else (100, True))


def test_so_many_cases_with_one_domain_are_not_one_company() -> None:
    cases = [case(str(at), domain="acme.com" if at < 130 else f"c{at}.example") for at in range(100, 200)]
    found, said = counted_once(book(*cases))
    assert len(found.cases) == 100
    assert "'acme.com' (30)" in said


def test_the_largest_group_is_called_by_its_name_where_that_is_known() -> None:
    named = counted_once(book(case("1"), case("2", group="1"), case("3", group="1")))[1]
    assert named.endswith("the largest is 'Company 1', with 3 cases")
    assert "'acme.com', with 2" in counted_once(book(*(case(id, domain="acme.com") for id in "12")))[1]


def test_a_circle_of_thousands_is_walked_once() -> None:
    n = 200_000
    circle = {str(at): str((at + 1) % n) for at in range(n)}
    assert set(roots(circle).values()) == {"0"}
    chain = {str(at): str(at + 1) for at in range(n)}
    assert set(roots(chain).values()) == {str(n)}


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", "n/a", *"abcdefg"])))
def test_the_topmost_is_the_same_for_everybody_on_the_way_to_it(parents: dict[str, str]) -> None:
    tops = roots(parents)
    assert tops.keys() == {one for one, up in parents.items() if up}
    for one, up in parents.items():
        if up == "n/a":
            assert tops[one] == up
        elif up:
            below = parents.get(up, "")
            assert tops[one] == (tops[up] if below not in ("", "n/a") else up)


def companies(n: int, twins: int) -> list[Case]:
    """n companies that differ, and some of them again under other ids with a fifth of their facts missing."""
    made = planted(n, 5).cases
    draw = Random(7)
    again = [
        replace(
            one,
            id=f"again {at}",
            domain=f"again{at}.example",
            facts={fact: value for fact, value in one.facts.items() if draw.random() > 0.2},
        )
        for at, one in enumerate(draw.choices(made, k=twins))
    ]
    return sorted([*made, *again], key=lambda one: one.decided)


def test_the_same_facts_throughout_are_the_same_company_and_others_are_not() -> None:
    found, _ = counted_once(book(*companies(400, 400)))
    assert 395 <= len(found.cases) <= 410
    assert len(counted_once(book(*companies(400, 0)))[0].cases) == 400


def test_few_and_usual_facts_make_nobody_the_same() -> None:
    draw = Random(3)
    cases = [
        case(
            str(i),
            country=choice(draw.choice("abcdef")),
            industry=choice(draw.choice("klmno")),
            employees=number(draw.choice([10.0, 50.0, 200.0])),
            vc_backed=yes_no(draw.random() < 0.5),
            soc2=yes_no(draw.random() < 0.5),
            ownership=choice(draw.choice("xyz")),
        )
        for i in range(600)
    ]
    assert len(counted_once(book(*cases))[0].cases) == 600


@given(st.lists(st.integers(0, 6), max_size=12))
def test_counting_once_again_changes_nothing_and_no_two_left_share_a_group(groups: list[int]) -> None:
    cases = [case(str(100 + at), group=str(group) if group else "") for at, group in enumerate(groups)]
    found, _ = counted_once(book(*cases))
    assert counted_once(found) == (found, "")
    named = [one.group for one in found.cases if one.group]
    assert len(named) == len(set(named)) == len({group for group in groups if group})


def test_the_topmost_account_names_the_group_and_a_circle_has_one_too() -> None:
    assert roots({"1": "2", "2": "3", "3": "", "4": "Acme", "5": ""}) == {"1": "3", "2": "3", "4": "Acme"}
    assert roots({"1": "2", "2": "1", "7": "2"}) == {"1": "1", "2": "1", "7": "1"}


def families(seed: int, n: int = 900, size: int = 6) -> Book:
    """Groups with the same facts and one decision, which has nothing to do with the facts."""
    draw = Random(seed)
    firsts = planted(n // size, seed, effect="none").cases
    cases = []
    for at, first in enumerate(firsts):
        won = draw.random() < 0.25
        for turn in range(size):
            decided = END - DAY * draw.uniform(1, 700)
            cohort = Cohort.UNPLACED if won else Cohort.LOST
            id, domain = f"{at}-{turn}", f"c{at}x{turn}.example"
            cases.append(
                replace(first, id=id, domain=domain, won=won, cohort=cohort, decided=decided, begun=0.0)
            )
    cases.sort(key=lambda one: one.decided)
    return Book(cases=tuple(cases), crowd={one.id: one.facts for one in cases}, types=TYPES)


@pytest.mark.parametrize("seed", range(3))
def test_noise_that_comes_in_groups_is_not_enough_evidence(seed: int) -> None:
    done = learn(families(seed), Wish(rounds=100))
    assert done.enough
    assert len(done.learning) + len(done.proving) == 150
    assert "750 cases are of groups" in done.notes[0]


def test_a_group_never_proves_what_was_learned_from_it() -> None:
    whole = families(1)
    until = "2026-01-01"
    parted = split([parse(LEARNED.format(until=until), "old.yaml")], whole, Goal.WON)
    seen = [{one.case.id.partition("-")[0] for one in side} for side in (parted.learning, parted.proving)]
    assert seen[0]
    assert seen[0].isdisjoint(seen[1])
    assert len(seen[0]) + len(seen[1]) == len(parted.learning) + len(parted.proving) == 150


def test_deals_of_subsidiaries_are_of_their_parents_group() -> None:
    subjects = [Subject(id="1"), Subject(id="2", parent="1"), Subject(id="3", parent="2"), Subject(id="4")]
    sales = [Sale(account_id=one.id, created=END - 9 * DAY, closed=END - DAY, won=True) for one in subjects]
    found = book_of(subjects, sales, Definitions(), now=END)
    assert [one.group for one in found.cases] == ["", "1", "1", ""]
    assert ids(counted_once(found)[0]) == ["1", "4"]


def test_a_file_names_the_account_above_in_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Record ID,Company name,Parent Account,Outcome,Decided\n"
        "1,Acme,,won,2026-01-01\n2,Acme Labs,Acme,won,2026-02-01\n3,Initech,,lost,2026-03-01\n"
    )
    found = book_from_files(tmp_path / "a.csv", None, None, Definitions(), now=END)
    assert ids(counted_once(found)[0]) == ["1", "3"]


@pytest.mark.parametrize("word", ["n/a", "-", "0", "(No value)", "FALSE"])
def test_a_column_of_the_account_above_may_say_that_there_is_none(tmp_path: Path, word: str) -> None:
    rows = "".join(f"{at},Company {at},{word},won,2026-01-01\n" for at in range(1, 41))
    (tmp_path / "a.csv").write_text(
        f"Record ID,Company name,Parent Account,Outcome,Decided\n{rows}41,Branch,Company 1,lost,2026-03-01\n"
    )
    found = book_from_files(tmp_path / "a.csv", None, None, Definitions(), now=END)
    assert len(counted_once(found)[0].cases) == 40


def test_a_crm_says_which_accounts_belong_together(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    head = portal.company("head")
    branch = portal.world.crm.create(name="branch", parent=head)
    twig = portal.world.crm.create(name="twig", parent=branch)
    alone = portal.company("alone")
    for account, day in (
        (twig, "2026-09-01"),
        (head, "2026-09-02"),
        (branch, "2026-09-03"),
        (alone, "2026-09-04"),
    ):
        portal.deal(account, closed=day)
    assert ids(counted_once(portal.book())[0]) == [twig, alone]
    portal.world.journal.close()
