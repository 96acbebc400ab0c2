"""Job titles as people type them, and what may be made of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.normalize.titles import FUNCTIONS, SENIORITIES, roles, vocabulary

CASES = {
    "VP Sales": "vp, sales, vp sales, sales leader",
    "Vice President, Sales EMEA": "vp, sales, vp sales, sales leader",
    "VP SALES": "vp, sales, vp sales, sales leader",
    "vp of sales & marketing": (
        "vp, sales, marketing, vp sales, vp marketing, sales leader, marketing leader"
    ),
    "Head of RevOps": "head, revops, head of revops, revops leader",
    "Director of Sales Operations": "director, revops, director of revops, revops leader",
    "Sr. Director, Revenue Operations": "director, revops, director of revops, revops leader",
    "Founder & CEO": "founder, c-level, ceo",
    "Co-Founder, Head of Product": "founder, head, product, head of product, product leader",
    "Chief Revenue Officer (CRO)": "c-level, cro, sales, sales leader",
    "CEO / Sales": "c-level, ceo, sales",
    "Managing Director": "c-level",
    "VP Sales and Head of Marketing": (
        "vp, sales, vp sales, sales leader, head, marketing, head of marketing, marketing leader"
    ),
    "Marketing Manager": "manager, marketing, marketing manager",
    "Director, R&D": "director, engineering, director of engineering, engineering leader",
    "SDR": "sdr, sales",
    "Enterprise Account Executive": "account executive, sales",
    "Product Manager": "product",
    "Account Manager": "sales",
    "Geschäftsführer": "c-level",
    "Vertriebsleiter DACH": "head, sales, head of sales, sales leader",
    "Leiterin Marketing & Vertrieb": (
        "head, marketing, sales, head of marketing, head of sales, marketing leader, sales leader"
    ),
    "Directrice Commerciale": "director, sales, director of sales, sales leader",
    "Directora de Marketing": "director, marketing, director of marketing, marketing leader",
    "Responsabile Vendite": "manager, sales, sales manager",
    "Hoofd Verkoop": "head, sales, head of sales, sales leader",
    "Gründerin": "founder",
    "Sales NA": "sales",
}


@pytest.mark.parametrize("title", CASES)
def test_a_title_gives_its_seniority_its_functions_and_both_together(title: str) -> None:
    assert roles(title) == frozenset(CASES[title].split(", "))


@pytest.mark.parametrize(
    "title",
    [
        "Executive Assistant to the VP Sales",
        "Assistentin der Geschäftsführung",
        "Assistante de direction commerciale",
        "former VP Sales",
        "Ex-CEO",
        "n/a",
        "-",
        "",
        "   ",
        "Chief Happiness Officer",
        "営業部長",
        "VP Sales " * 100,
    ],
)
def test_who_holds_no_such_role_or_cannot_be_read_has_none(title: str) -> None:
    assert roles(title) == frozenset()


def test_a_director_of_one_thing_is_none_of_another() -> None:
    assert "vp marketing" not in roles("VP Sales, Marketing Director")
    assert "founder" in roles("Founder, Sales Director")
    assert roles("Founder / Sales") & {"sales leader", "vp sales"} == frozenset()


@given(st.text(max_size=80) | st.lists(st.sampled_from(sorted(vocabulary())), max_size=4).map(", ".join))
def test_any_text_gives_only_roles_of_the_vocabulary(text: str) -> None:
    assert roles(text) <= vocabulary()


@given(st.sampled_from(sorted(CASES)), st.sampled_from((str.upper, str.title, " {} ".format, "{}.".format)))
def test_case_blanks_and_a_full_stop_change_nothing(title: str, typed) -> None:
    assert roles(typed(title)) == roles(title)


@pytest.mark.parametrize("word", [*SENIORITIES, *(f for f in FUNCTIONS)])
def test_every_word_of_the_vocabulary_is_read_as_itself(word: str) -> None:
    assert word in roles("chief executive" if word == "c-level" else word)


def test_every_leader_is_what_its_name_says() -> None:
    for function in FUNCTIONS:
        for senior in ("VP", "Head of", "Director of"):
            assert f"{function} leader" in roles(f"{senior} {function}"), (senior, function)
