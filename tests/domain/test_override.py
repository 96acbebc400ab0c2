"""Who decided a tier, until when, and what follows from it; the score stays ours."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.account import NOT_REMEMBERED, Confirmed, Origin, Remembered
from icp_sync.domain.choosing import Team
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.confirming import learned
from icp_sync.domain.desired import desired
from icp_sync.domain.differences import difference
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, carried, evaluate, overridden
from icp_sync.domain.facts import merge
from icp_sync.domain.headline import override_text
from icp_sync.domain.override import (
    OVERRIDE_FIELDS,
    Override,
    override_from_json,
    override_note,
    override_of,
    override_to_json,
)
from icp_sync.domain.ownership import Editing
from icp_sync.domain.profile import DAY
from icp_sync.domain.reasons import Beside, reasons
from icp_sync.domain.recovery import recovered
from icp_sync.domain.routing import Held, decide
from icp_sync.domain.seal import THEIRS, Seal, SealKey, read_seal
from icp_sync.domain.standing import STATES, instant_text
from icp_sync.domain.why import as_overridden, evidence_of, why_changed
from tests.domain.cases import NOW, account, profile_sets, some_facts
from tests.domain.test_why_and_words import PROFILE

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
LATER = instant_text(NOW + 10 * DAY)
SINCE = NOW - 10 * DAY


def typed(value, by="person", at=SINCE):
    return Confirmed(value=value, origin=Origin.HUMAN, at=at, by=by)


def ours(value):
    return Confirmed(value=value, origin=Origin.OURS, at=SINCE)


def editing(now=NOW, edits=None, **editors):
    return Editing(now=now, editors={k.replace("_", ""): v for k, v in editors.items()}, edits=edits or {})


def found(live, remembered=NOT_REMEMBERED, seen=None):
    return override_of(account(live=live), remembered, Seal(), KEY, seen or editing())


def given_tier(tier, until="", why=""):
    return {"tier_override": tier, "tier_override_until": until, "tier_override_reason": why}


# By field


def test_the_field_decides_until_it_is_blanked_or_its_date_has_come():
    assert found(given_tier("A", why="logo")) == Override(tier="A", since=NOW, why="logo")
    assert found(given_tier("A", LATER)).until == NOW + 10 * DAY
    assert found(given_tier("")) is None
    assert found(given_tier("A", instant_text(NOW))) is None


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (given_tier("A+"), "The override 'A+' is no tier."),
        (given_tier("A", "soon"), "The override to A does not count: until 'soon' is no date."),
        (given_tier("A", instant_text(NOW - DAY)), "The override to A ended on 2026-09-20."),
        (given_tier("A"), ""),
        (given_tier("", "soon"), ""),
    ],
)
def test_a_field_that_does_not_count_says_why_in_the_reasons(live, said):
    assert override_note(live, NOW) == said
    assert (found(live) is None) is (bool(said) or not live["tier_override"])
    shown = settle(live=live, employees=100)
    assert said in shown["reasons"]


@given(st.dictionaries(st.sampled_from(OVERRIDE_FIELDS), st.text(max_size=60)))
def test_no_text_in_the_override_fields_breaks_anything(live):
    override = found(live)
    assert override is None or override.tier in STATES
    assert len(settle(live=live, employees=100)["reasons"]) <= 500


# By a direct edit


def test_a_tier_somebody_typed_is_an_override_for_ninety_days():
    before = Remembered(confirmed={"tier": typed("C")})
    override = found({"tier": "C"}, before)
    assert (override.tier, override.direct, override.by) == ("C", True, "person")
    assert override.until == SINCE + 90 * DAY
    assert found({"tier": "C"}, before, editing(now=SINCE + 90 * DAY)) is None


@pytest.mark.parametrize(
    ("by", "editors", "until"),
    [
        ("workflow", {"workflow": 5 * DAY}, None),
        ("workflow", {"workflow": 20 * DAY}, SINCE + 20 * DAY),
        ("import", {"import_": 0.0}, None),
        ("app", {"app": inf}, "for ever"),
        ("", {"_": 20 * DAY}, SINCE + 20 * DAY),
        ("app", {"_": 20 * DAY}, SINCE + 20 * DAY),
        ("person", {}, SINCE + 90 * DAY),
    ],
)
def test_how_long_an_edit_is_held_is_a_matter_of_who_made_it(by, editors, until):
    override = found({"tier": "C"}, Remembered(confirmed={"tier": typed("C", by)}), editing(**editors))
    if until is None:
        assert override is None
    else:
        assert override.until == (None if until == "for ever" else until)


def test_what_the_history_tells_dates_an_edit_and_names_its_editor():
    told = editing(edits={"tier": typed("C", "import", at=NOW - DAY)})
    override = found({"tier": "C"}, Remembered(confirmed={"tier": typed("C", "", at=NOW)}), told)
    assert (override.since, override.by) == (NOW - DAY, "import")
    lagging = editing(edits={"tier": typed("B", "import", at=NOW - DAY)})
    assert found({"tier": "C"}, NOT_REMEMBERED, lagging).since == NOW
    our_own = editing(edits={"tier": typed("C", "ours", at=NOW - DAY)})
    assert found({"tier": "C"}, Remembered(confirmed={"tier": typed("C")}), our_own).since == SINCE


def test_a_tier_that_is_ours_or_none_at_all_overrides_nothing():
    assert found({"tier": "C"}, Remembered(confirmed={"tier": ours("C")})) is None
    assert found({"tier": "platinum"}) is None
    assert found({"tier": ""}, Remembered(confirmed={"tier": typed("")})) is None


def test_the_field_beats_what_is_typed_over_the_tier():
    live = {"tier": "C", **given_tier("B")}
    before = Remembered(confirmed={"tier": typed("C")})
    assert found(live, before).tier == "B"
    changes = difference(account(live=live), {"tier": "B"}, before, KEY, editing=editing()).changes
    change = next(c for c in changes if c.field == "tier")
    assert (change.live, change.desired, change.origin) == ("C", "B", "human")
    assert change.reason == "The override says B, which beats what is typed over the tier."


# What follows


def settle(live=None, previous=None, evidence=None, now=NOW, profiles=None, **known):
    """Our fields as they should be."""
    compiled = tuple(compile_profile(p) for p in profiles or (PROFILE,))
    one = account(live=live, **known)
    read = merge(one.signals)
    override = override_of(one, NOT_REMEMBERED, Seal(), KEY, editing(now))
    model = evaluate(compiled, read.facts, previous, now)
    evaluation = overridden(model, override, override_note(one.live, now))
    decision = decide(one.id, evaluation, read.facts, held=Held(), team=Team(), now=now)
    why = why_changed(previous, evidence or {}, evaluation, read, compiled, now)
    return desired(one, evaluation, decision, carried(evaluation, previous, now, why=why), read.facts)


def test_everything_but_the_score_follows_the_tier_people_decided():
    known = {"employees": 620, "technologies": {"hubspot"}}
    plain = settle(live={"native_tier": "", "target_account": ""}, **known)
    live = {"native_tier": "", "target_account": "", **given_tier("A", LATER, "a strategic logo.")}
    shown = settle(live=live, **known)
    assert (plain["tier"], plain["certainty"], plain["lane"]) == ("B", "provisional", "research")
    assert (shown["tier"], shown["certainty"], shown["lane"]) == ("A", "firm", "nurture")
    assert (shown["priority"], shown["native_tier"], shown["target_account"]) == ("A3", "tier_1", "true")
    assert shown["model_tier"] == "B"
    for name in ("fit_score", "fit_low", "fit_high", "coverage", "missing_facts", "timing"):
        assert shown[name] == plain[name]
    assert shown["reasons"].startswith(
        "A, set by somebody until 2026-10-01: a strategic logo.\nThe profile says B, score 57–80.\n"
        "Helps: runs HubSpot (+57)."
    )


@pytest.mark.parametrize("state", [NOT_ICP, NEEDS_DATA])
def test_a_company_may_be_overridden_to_a_state_and_keeps_the_reasons_of_its_score(state):
    shown = settle(live=given_tier(state), employees=100, technologies={"hubspot"}, industry="SOFTWARE")
    assert (shown["tier"], shown["model_tier"], shown["priority"]) == (state, "A", "")
    assert shown["reasons"].startswith(
        f"{state}, set by somebody.\nThe profile says A, score 100.\nHelps: runs HubSpot"
    )


def test_an_override_outside_the_scope_shows_nothing():
    outside = replace(PROFILE, score_scope=AnyOf(fact="lifecycle", values=frozenset({"prospect"})))
    shown = settle(live=given_tier("A"), profiles=(outside,), employees=100, lifecycle="other")
    assert shown["tier"] == shown["reasons"] == ""
    assert not set(OVERRIDE_FIELDS) & shown.keys()


def test_a_change_by_people_says_so_and_so_does_its_end():
    base = {"employees": 100, "technologies": {"hubspot"}}
    over = settle(live=given_tier("B"), previous=None, **base)
    assert "Changed" not in over["reasons"]

    def after(live, previous, now):
        compiled = (compile_profile(PROFILE),)
        read = merge(account(**base).signals)
        override = override_of(account(live=live), NOT_REMEMBERED, Seal(), KEY, editing(now))
        evaluation = overridden(evaluate(compiled, read.facts, previous, now), override)
        why = why_changed(previous, {}, evaluation, read, compiled, now)
        return carried(evaluation, previous, now, why=why)

    first = after({}, None, NOW)
    second = after(given_tier("D"), first, NOW + DAY)
    third = after(given_tier("C"), second, NOW + 2 * DAY)
    fourth = after({}, third, NOW + 3 * DAY)
    assert (second.why, second.previous_tier) == ("Changed 2026-09-22 from A: OVERRIDE by somebody.", "A")
    assert (third.why, third.previous_tier) == ("Changed 2026-09-23 from D: OVERRIDE by somebody.", "D")
    assert (fourth.why, fourth.previous_tier) == ("Changed 2026-09-24 from C: OVERRIDE ended.", "C")
    assert (second.model_tier, fourth.model_tier) == ("A", "")
    assert second.tier_changed_at == NOW + DAY


overrides = st.builds(
    Override,
    tier=st.sampled_from(STATES),
    since=st.just(SINCE),
    until=st.one_of(st.none(), st.integers(1, 60).map(lambda d: NOW + d * DAY)),
    by=st.sampled_from(["", "person", "workflow"]),
    why=st.text(max_size=300),
    direct=st.booleans(),
)


@given(profile_sets(), some_facts(), overrides)
@settings(max_examples=60, deadline=None)
def test_evaluating_twice_gives_the_same_under_an_override(profiles, known, override):
    compiled = tuple(compile_profile(p) for p in profiles)
    first = overridden(evaluate(compiled, known, None, NOW), override)
    remembered = carried(first, None, NOW, why="because")
    second = overridden(evaluate(compiled, known, remembered, NOW), override)
    assert carried(second, remembered, NOW, why="again") == remembered
    assert reasons(first, known, Beside(why="x")) == reasons(second, known, Beside(why="x"))
    assert len(reasons(first, known)) <= 500
    assert first.model_tier == evaluate(compiled, known, None, NOW).tier
    assert first.valid_until is None or override.until is None or first.valid_until <= override.until


@given(profile_sets(), some_facts(), overrides)
@settings(max_examples=40, deadline=None)
def test_calm_goes_by_our_own_tier_as_if_nobody_had_overridden_it(profiles, known, override):
    compiled = tuple(compile_profile(p) for p in profiles)
    plain = carried(evaluate(compiled, known, None, NOW), None, NOW, why="")
    under = carried(overridden(evaluate(compiled, known, None, NOW), override), None, NOW, why="")
    later = NOW + DAY
    assert evaluate(compiled, known, under, later) == evaluate(compiled, known, plain, later)


@given(overrides, profile_sets(), some_facts())
@settings(max_examples=40, deadline=None)
def test_evidence_keeps_the_override_it_was_made_under(override, profiles, known):
    model = evaluate(tuple(compile_profile(p) for p in profiles), known, None, NOW)
    read = merge(account().signals)
    evaluation = overridden(model, override)
    assert as_overridden(model, evidence_of(evaluation, read)) == evaluation
    assert override_from_json(override_to_json(override)) == override


@pytest.mark.parametrize("stored", [None, "A", {}, {"tier": "A"}, ["A"]])
def test_evidence_without_an_override_gives_none(stored):
    assert override_from_json(stored) is None


def test_words_for_who_typed_it():
    evaluation = overridden(
        evaluate((compile_profile(PROFILE),), {}, None, NOW),
        Override(tier="B", since=NOW, until=None, by="workflow", direct=True),
    )
    assert override_text(evaluation) == ("B, typed over ours by a workflow on 2026-09-21, stays for good.")


# A lost journal


def test_a_lost_journal_finds_its_own_tier_beside_what_people_decided():
    """Neither way of overriding makes the rebuilt memory flap."""
    sealed = KEY.seal("1", {"tier": "A", "model_tier": "C", "tier_changed_at": "x"})
    one = account(live={"tier": "A", "model_tier": "C", "seal": sealed, **given_tier("A")})
    seal = read_seal(sealed, KEY)
    override = override_of(one, NOT_REMEMBERED, seal, KEY, editing())
    back = recovered(one, NOT_REMEMBERED, seal, KEY, 1, override)
    assert (back.tier, back.raw_tier, back.model_tier) == ("A", "C", "C")

    sealed = KEY.seal("1", {"model_tier": "C"}, marks={"tier": THEIRS})
    one = account(live={"tier": "B", "model_tier": "C", "seal": sealed})
    seal = read_seal(sealed, KEY)
    override = override_of(one, NOT_REMEMBERED, seal, KEY, editing())
    back = recovered(one, NOT_REMEMBERED, seal, KEY, 1, override)
    assert (back.tier, back.raw_tier, back.model_tier) == ("B", "C", "C")


def test_an_edit_our_last_seal_did_not_know_is_news_after_a_lost_journal():
    sealed = KEY.seal("1", {"tier": "C", "model_tier": "C"})
    one = account(live={"tier": "B", "model_tier": "C", "seal": sealed})
    seal = read_seal(sealed, KEY)
    override = override_of(one, NOT_REMEMBERED, seal, KEY, editing())
    back = recovered(one, NOT_REMEMBERED, seal, KEY, 1, override)
    assert (override.tier, back.tier, back.model_tier) == ("B", "C", "")


# Values people hold, other than the tier


def test_what_is_typed_over_any_field_is_ours_again_when_its_time_is_over():
    live, wanted = {"lane": "sales"}, {"lane": "nurture"}
    before = Remembered(confirmed={"lane": typed("sales", "workflow")})
    end = SINCE + 90 * DAY
    held = difference(account(live=live), wanted, before, KEY, editing=editing(end - 1))
    assert (held.changes, held.left_alone) == ((), {"lane": ("sales", "nurture")})
    assert held.until == end
    over = difference(account(live=live), wanted, before, KEY, editing=editing(end))
    lane = next(c for c in over.changes if c.field == "lane")
    assert (lane.desired, lane.origin) == ("nurture", "human")
    assert lane.reason == "Held at 'sales' by a workflow until 2026-12-10; that is over."
    assert (over.left_alone, over.theirs, over.until) == ({}, {}, None)


def test_what_was_typed_stays_known_as_theirs_until_ours_is_written():
    one = account(live={"lane": "", "profile": "mine"})
    told = editing(edits={"profile": typed("mine", "app"), "lane": typed("", "app")}, app=0.0)
    before = Remembered(confirmed={"lane": ours("sales")})
    seen = difference(one, {"lane": "sales", "profile": "p"}, before, KEY, editing=told)
    assert {c.field for c in seen.changes} == {"lane", "profile", "seal"}
    news = learned(one, seen, before, NOW)
    assert (news["lane"], news["profile"]) == (typed("", "app"), typed("mine", "app"))
    untold = editing(app=0.0)
    after = Remembered(confirmed=news)
    again = difference(one, {"lane": "sales", "profile": "p"}, after, KEY, editing=untold)
    assert {c.field for c in again.changes} == {"lane", "profile", "seal"}
    assert learned(one, again, after, NOW + 1) == {}


def test_what_the_history_tells_later_corrects_since_when_and_by_whom():
    one, before = account(live={"lane": "sales"}), Remembered(confirmed={"lane": typed("sales", "")})
    told = editing(edits={"lane": typed("sales", "import", at=SINCE - DAY)})
    seen = difference(one, {"lane": "nurture"}, before, KEY, editing=told)
    assert learned(one, seen, before, NOW) == {"lane": typed("sales", "import", at=SINCE - DAY)}


def test_owners_and_the_crm_s_own_fields_are_never_taken_back_by_time():
    live = {"owner": "eve@example.com", "native_tier": "tier_3", "target_account": "true"}
    one = account(live=live, owner="eve@example.com")
    wanted = {"owner": "ada@example.com", "native_tier": "tier_1", "target_account": "false"}
    held = {name: typed(value, "app") for name, value in live.items()}
    late = editing(now=NOW + 9999 * DAY, app=0.0)
    found_ = difference(one, wanted, Remembered(confirmed=held), KEY, editing=late)
    assert (found_.changes, set(found_.left_alone)) == ((), set(live))


def test_the_override_fields_are_read_dated_and_never_touched():
    live = given_tier("A", LATER, "logo") | {"seal": ""}
    one = account(live=live)
    wanted = {name: "" for name in one.live if name != "seal"} | {"tier": "A"}
    found_ = difference(one, wanted, NOT_REMEMBERED, KEY, editing=editing())
    assert not set(OVERRIDE_FIELDS) & {c.field for c in (*found_.changes, *found_.waiting)}
    assert not set(OVERRIDE_FIELDS) & (found_.left_alone.keys() | found_.theirs.keys() | found_.ours.keys())
    sealed = next(c.desired for c in found_.changes if c.field == "seal")
    assert set(read_seal(sealed, KEY).marks) == {"tier"}
    assert learned(one, found_, NOT_REMEMBERED, NOW)["tier_override"] == typed("A", "", at=NOW)


def test_what_our_write_went_over_is_given_back_and_sealed_as_theirs():
    before = Remembered(confirmed={"lane": ours("nurture"), "tier": ours("B")})
    back = difference(
        account(live={"lane": "nurture", "tier": "B"}),
        {"lane": "nurture", "tier": "B"},
        before,
        KEY,
        editing=editing(),
        restore={"lane": typed("sales")},
    )
    lane, seal = back.changes
    assert (lane.live, lane.desired, lane.origin) == ("nurture", "sales", "ours")
    assert lane.reason == "Set by a person while we were writing; given back."
    marks = read_seal(seal.desired, KEY).marks
    assert marks["lane"] == THEIRS
    assert marks["tier"] != THEIRS
    assert back.material
