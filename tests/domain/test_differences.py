"""Whose value is whose, what is left alone, and that a plan applied leaves nothing to plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.account import NOT_REMEMBERED, Confirmed, Origin, Owner, Remembered
from icp_sync.domain.choosing import Team
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.confirming import learned
from icp_sync.domain.desired import desired
from icp_sync.domain.differences import Differences, cosmetic, difference
from icp_sync.domain.evaluation import carried, evaluate
from icp_sync.domain.ownership import is_ours
from icp_sync.domain.plan import Change
from icp_sync.domain.profile import DAY
from icp_sync.domain.routing import Held, decide, replay
from icp_sync.domain.seal import Seal, SealKey, read_seal
from icp_sync.domain.standing import Mode
from icp_sync.domain.vacancy import OWNER_CLEARED_AFTER, vacant_from
from tests.domain.cases import NOW, OWNERS, account, profile_sets, some_facts

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
ROSTER = {email: Owner(id=str(i), email=email) for i, email in enumerate(OWNERS)}


def ours(value):
    return Confirmed(value=value, origin=Origin.OURS, at=NOW)


def human(value, at=NOW):
    return Confirmed(value=value, origin=Origin.HUMAN, at=at)


def only(live, remembered=NOT_REMEMBERED, wanted=None, mode=Mode.ROUTE):
    one = account(live=live)
    return one, difference(one, wanted or {"tier": "A"}, remembered, KEY, mode=mode)


@given(profile_sets(), some_facts(), st.sampled_from(list(Mode)))
@settings(max_examples=60, deadline=None)
def test_a_plan_applied_leaves_nothing_to_plan_but_the_seal_of_an_owner_seen_since(profiles, known, mode):
    compiled = tuple(compile_profile(p) for p in profiles)
    one, remembered = account(), NOT_REMEMBERED
    for attempt in range(3):
        evaluation = evaluate(compiled, known, remembered.previous, NOW)
        decision = decide(
            one.id,
            evaluation,
            known,
            held=Held(owner=one.owner, vacant_from=vacant_from(one, remembered, NOW)),
            team=Team(owners=ROSTER),
            now=NOW,
        )
        assert replay(decision) == decision.owner
        previous = carried(evaluation, remembered.previous, NOW, why="")
        changes = difference(
            one, desired(one, evaluation, decision, previous, known), remembered, KEY, mode=mode
        ).changes
        if attempt:
            given = attempt == 1 and bool(one.owner)
            assert {c.field for c in changes} <= ({"seal"} if given else set())
            assert all(cosmetic(c) for c in changes)
        live = {**one.live, **{c.field: c.desired for c in changes}}
        one = replace(one, live=live, owner=live["owner"])
        confirmed = {**remembered.confirmed, **{c.field: ours(c.desired) for c in changes}}
        remembered = Remembered(version=1, previous=previous, confirmed=confirmed)


@given(profile_sets(), some_facts())
@settings(max_examples=40, deadline=None)
def test_a_lost_journal_decides_by_the_seal(profiles, known):
    compiled = tuple(compile_profile(p) for p in profiles)
    evaluation = evaluate(compiled, known, None, NOW)
    one = account()
    decision = decide(one.id, evaluation, known, held=Held(owner="x", vacant_from=None), team=Team(), now=NOW)
    wanted = desired(one, evaluation, decision, carried(evaluation, None, NOW, why=""), known)
    written = difference(one, wanted, NOT_REMEMBERED, KEY).changes
    sealed = replace(one, live={**one.live, **{c.field: c.desired for c in written}})
    again = difference(sealed, wanted, NOT_REMEMBERED, KEY)
    assert (again.changes, again.left_alone) == ((), {})


@pytest.mark.parametrize(
    ("live", "remembered", "mine"),
    [
        ("", NOT_REMEMBERED, True),
        ("B", NOT_REMEMBERED, False),
        ("B", Remembered(confirmed={"tier": ours("B")}), True),
        ("C", Remembered(confirmed={"tier": ours("B")}), False),
        ("B", Remembered(confirmed={"tier": human("B")}), False),
        ("B", Remembered(intents={"tier": ("A", "B")}), True),
        ("", Remembered(confirmed={"tier": ours("B")}), False),
        ("", Remembered(confirmed={"tier": ours("")}), True),
        ("", Remembered(confirmed={"tier": human("C")}), False),
    ],
)
def test_a_value_is_ours_only_by_evidence(live, remembered, mine):
    assert is_ours("1", "tier", live, remembered, Seal(), KEY) is mine
    _, difference_ = only({"tier": live}, remembered)
    assert bool(difference_.changes) is mine
    assert ("tier" in difference_.left_alone) is not mine


def test_a_rep_who_overwrites_a_sealed_value_owns_it():
    sealed = KEY.seal("1", {"tier": "A"})
    _, untouched = only({"tier": "A", "seal": sealed}, wanted={"tier": "B"})
    _, edited = only({"tier": "C", "seal": sealed}, wanted={"tier": "B"})
    _, blanked = only({"tier": "", "seal": sealed}, wanted={"tier": "B"})
    assert untouched.changes[0].desired == "B"
    assert edited.left_alone == {"tier": ("C", "B")}
    assert blanked.left_alone == {"tier": ("", "B")}


@pytest.mark.parametrize("text", ["icp1;ffffffffffff;tier=0", "garbage", "icp2;0123456789ab;", ";;;"])
def test_a_foreign_or_malformed_seal_holds_the_account(text):
    _, found = only({"seal": text})
    assert found.changes == ()
    assert found.held


def test_a_voided_installation_counts_as_no_seal():
    other = SealKey(installation="ffffffffffff", key=b"x" * 32)
    voided = replace(KEY, predecessors=frozenset(["ffffffffffff"]))
    text = other.seal("1", {"tier": "A"})
    assert read_seal(text, KEY).foreign
    assert read_seal(text, voided) == Seal()


@given(st.text(max_size=80), st.text(max_size=80))
def test_a_seal_proves_exactly_what_it_was_made_over(value, other):
    seal = read_seal(KEY.seal("1", {"tier": value}), KEY)
    assert seal.proves(KEY, "1", "tier", value) is bool(value)
    assert not seal.proves(KEY, "2", "tier", value)
    assert value == other or not seal.proves(KEY, "1", "tier", other)


@given(st.text(max_size=200))
def test_no_text_breaks_the_seal_reader(text):
    assert (
        read_seal(text, KEY).problem
        or read_seal(text, KEY).marks == {}
        or text.startswith("icp1;0123456789ab")
    )


def test_modes_hold_back_what_they_do_not_allow():
    wanted = {"tier": "A", "owner": OWNERS[0], "routed_owner": OWNERS[0]}
    _, observing = only({}, wanted=wanted, mode=Mode.OBSERVE)
    one, writing = only({}, wanted=wanted, mode=Mode.WRITE)
    assert observing.changes == ()
    assert {c.field for c in observing.waiting} == set(wanted)
    assert {c.field for c in writing.changes} == {"tier", "seal"}
    sealed = next(c.desired for c in writing.changes if c.field == "seal")
    assert set(read_seal(sealed, KEY).marks) == {"tier"}  # never seals what it does not write
    assert one.live["seal"] == ""


def test_a_cleared_owner_is_a_vacancy_again_after_thirty_days():
    one = account(owner="")
    assert vacant_from(one, NOT_REMEMBERED, NOW) == 0
    assert (
        vacant_from(one, Remembered(confirmed={"owner": ours(OWNERS[0])}), NOW) == NOW + OWNER_CLEARED_AFTER
    )
    cleared = Remembered(confirmed={"owner": human("", at=NOW - DAY)})
    assert vacant_from(one, cleared, NOW) == NOW - DAY + OWNER_CLEARED_AFTER
    assert vacant_from(one, Remembered(confirmed={"owner": ours("")}), NOW) == 0
    assert vacant_from(account(owner=OWNERS[1]), cleared, NOW) is None


def test_a_cleared_owner_is_listed_among_what_people_hold():
    _, found = only({}, Remembered(confirmed={"owner": ours(OWNERS[0])}), wanted={"owner": ""})
    assert found.left_alone == {"owner": ("", OWNERS[0])}
    _, refilled = only({}, Remembered(confirmed={"owner": human("")}), wanted={"owner": OWNERS[1]})
    assert [c.field for c in refilled.changes] == ["owner", "seal"]


def test_what_a_read_confirms_is_told_once():
    one, found = only({"tier": "C", "lane": "sales"}, Remembered(intents={"lane": ("sales",)}))
    news = learned(one, found, NOT_REMEMBERED, NOW)
    assert (news["tier"].origin, news["lane"].origin) == (Origin.HUMAN, Origin.OURS)
    assert learned(one, found, Remembered(confirmed=news), NOW + 1) == {}


def test_wording_and_one_point_never_cause_a_write():
    def change(field, live, wanted):
        return Change(account_id="1", field=field, live=live, desired=wanted)

    assert cosmetic(change("reasons", "x", "y"))
    assert cosmetic(change("fit_score", "71", "72"))
    assert not cosmetic(change("fit_score", "71", "73"))
    assert not cosmetic(change("fit_score", "", "1"))
    assert not cosmetic(change("tier", "A", "B"))


def test_what_a_person_was_seen_to_hold_stays_theirs_whatever_we_once_meant_to_write():
    """A merge brings the loser's intents along; they are no claim on what the survivor's rep typed."""
    inherited = Remembered(confirmed={"tier": human("A")}, intents={"tier": ("A",)})
    _, found = only({"tier": "A"}, inherited, wanted={"tier": "B"})
    assert (found.changes, found.left_alone) == ((), {"tier": ("A", "B")})


def test_a_persons_value_is_theirs_also_while_it_is_what_we_want():
    before = Remembered(confirmed={"tier": ours("A")})
    one, equal = only({"tier": "B"}, before, wanted={"tier": "B"})
    news = learned(one, equal, before, NOW)
    assert news["tier"] == human("B")
    _, later = only({"tier": "B"}, Remembered(confirmed=news), wanted={"tier": "C"})
    assert later.left_alone == {"tier": ("B", "C")}


def test_a_new_seal_remembers_what_people_blanked_and_what_this_footprint_does_not_read():
    first = KEY.seal("1", {"tier": "A", "lane": "sales", "coverage": "80"})
    one = account(live={"tier": "A", "lane": "", "seal": first})
    live = {name: value for name, value in one.live.items() if name != "coverage"}
    found = difference(replace(one, live=live), {"tier": "B", "lane": "nurture"}, NOT_REMEMBERED, KEY)
    text = next(c.desired for c in found.changes if c.field == "seal")
    seal = read_seal(text, KEY)
    assert seal.proves(KEY, "1", "coverage", "80")
    _, lost = only({"tier": "B", "lane": "", "seal": text}, wanted={"tier": "B", "lane": "nurture"})
    assert lost.left_alone == {"lane": ("", "nurture")}


def test_one_material_change_makes_a_write_and_so_does_anything_given_back():
    wording = Change(account_id="1", field="reasons", live="x", desired="y")
    tier = Change(account_id="1", field="tier", live="A", desired="B")
    assert not Differences().material
    assert not Differences(changes=(wording,)).material
    assert Differences(changes=(wording, tier)).material
    assert Differences(changes=(wording,), gives_back=True).material
