"""Which records may be one company, and circles of parents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.duplicates import Record, circles, name_key, twins


@pytest.mark.parametrize(
    "name",
    ["Acme", "ACME Inc.", "Acme, Inc", "The Acme Company", "acmé GmbH & Co. KG", "Acme Holdings Ltd", "𝖠cme"],
)
def test_a_company_is_called_the_same_with_any_legal_form(name):
    assert name_key(name) == "acme"


def test_a_name_of_nothing_but_a_legal_form_stays_a_name():
    assert name_key("The Group") == "group"
    assert name_key("…") == ""


@given(st.text(max_size=40))
def test_any_text_has_a_key_that_is_its_own_key(name):
    assert name_key(name_key(name)) == name_key(name)


def test_conflicting_groups_stand_first_and_say_what_they_disagree_about():
    calm = [Record(id=str(n), domain="calm.com", tier="A", owner="ada") for n in range(3)]
    fight = [
        Record(id="8", domain="fight.com", tier="A", owner="ada"),
        Record(id="9", domain="fight.com", tier="B"),
    ]
    first, second = twins([*calm, *fight])
    assert (first.key, first.conflicts) == ("fight.com", ("tiers",))
    assert (second.key, second.conflicts, len(second.records)) == ("calm.com", (), 3)


def test_the_same_records_are_reported_once_though_alike_in_two_things():
    pair = [Record(id=n, name="Acme", country="US", domain="acme.com") for n in "12"]
    [group] = twins(pair)
    assert group.by == "domain"


def test_records_of_one_name_need_one_known_country():
    assert twins([Record(id="1", name="Acme", country="US"), Record(id="2", name="Acme", country="DE")]) == []
    assert twins([Record(id="1", name="Acme"), Record(id="2", name="Acme")]) == []
    [group] = twins([Record(id=n, name=name, country="US") for n, name in (("1", "Acme"), ("2", "ACME Inc"))])
    assert (group.by, group.key) == ("name", "acme, US")


def test_an_id_that_stands_twice_in_a_file_is_reported_with_both_rows():
    [group] = twins([Record(id="7", row=2), Record(id="7", row=9)])
    assert (group.by, [r.row for r in group.records]) == ("id", [2, 9])


def test_the_parent_is_to_be_looked_at_first_else_the_one_most_is_known_of():
    child = Record(id="1", domain="a.com", parent="2", known=9)
    parent = Record(id="2", domain="a.com", known=3)
    stranger = Record(id="3", domain="a.com", known=12)
    [group] = twins([child, parent, stranger])
    assert group.first == (parent, "parent of another")
    [group] = twins([child, stranger])
    assert group.first == (stranger, "most is known")


def test_circles_of_parents_are_named_once_from_their_smallest_id():
    parents = {"3": "1", "1": "2", "2": "3", "4": "2", "9": "9", "5": "6"}
    assert circles(parents) == [("1", "2", "3"), ("9",)]


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdef")))
def test_every_circle_is_one_and_none_is_missed(parents):
    found = circles(parents)
    for circle in found:
        assert [parents[one] for one in circle] == [*circle[1:], circle[0]]
    inside = {one for circle in found for one in circle}
    for start in parents:
        at = start
        for _ in range(len(parents) + 1):
            at = parents.get(at, "")
        assert not at or at in inside
