"""The lists reps work from: ours are made, kept and taken away; people's are left alone; limits are told."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.crm.hubspot import segments
from icp_sync.domain.views import VIEWS, View, marked
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.ports import Blueprint, Step, StepKind, Views, ViewStep
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.crm.contract import STANDARD
from tests.crm.hubspot.world import Portal

KEYS = [view.key for view in VIEWS]
DAY = 86_400


class Lists:
    """A portal with our properties, and somebody who works with its lists over HTTP."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.known: dict[str, str] = {}

    def ask(self, *, blueprint: Blueprint = STANDARD, views: tuple[View, ...] = VIEWS, **how: Any) -> Views:
        """What the port says; what it made is remembered, as a journal would."""
        told = self.portal.crm.views(views, blueprint, self.known, **{"apply": True, **how})
        if how.get("apply", True):
            self.known |= {one.key: one.id for one in told.steps if one.key and one.id}
        return told

    def api(self, method: str, path: str, **how: Any) -> Any:
        simulator = self.portal.simulator
        headers = {"Authorization": f"Bearer {simulator.token}"}
        url = f"{simulator.url}/crm/v3/lists{path}"
        reply = requests.request(method, url, headers=headers, timeout=10, **how)
        assert reply.ok, reply.text
        return reply.json() if reply.content else None

    def all(self) -> dict[str, str]:
        """Name → id of every list."""
        return {
            one["name"]: one["listId"] for one in self.api("POST", "/search", json={"count": 500})["lists"]
        }

    def members(self, key: str) -> set[str]:
        page = self.api("GET", f"/{self.known[key]}/memberships", params={"limit": 250})
        return {one["recordId"] for one in page["results"]}

    def refilter(self, id: str, branch: object) -> None:
        self.api("PUT", f"/{id}/update-list-filters", json={"filterBranch": branch})

    def filter_of(self, id: str) -> object:
        return self.api("GET", f"/{id}", params={"includeFilters": "true"})["list"]["filterBranch"]

    def seen(self, id: str) -> tuple[str, object]:
        """A list's name and filter."""
        found = self.api("GET", f"/{id}", params={"includeFilters": "true"})["list"]
        return found["name"], found["filterBranch"]

    def own(self, name: str, branch: object) -> str:
        """Somebody makes a list of companies; its id."""
        body = {"name": name, "objectTypeId": "0-2", "processingType": "DYNAMIC", "filterBranch": branch}
        return str(self.api("POST", "", json=body)["list"]["listId"])

    def act(self, act: str, id: str) -> None:
        """A person does something to a list."""
        if act == "rename ours":
            self.api("PUT", f"/{id}/update-list-name", params={"listName": f"Renamed {id}"})
        elif act == "refilter ours":
            self.refilter(id, filtering_by("D"))
        elif act == "delete ours":
            self.api("DELETE", f"/{id}")

    def lost_to_people(self, id: str) -> bool:
        """Whether nobody could tell any more that a list was ours, once the journal is lost."""
        if id not in self.all().values():
            return False
        name, branch = self.seen(id)
        return not any(
            name == view.title and segments.same(branch, segments.filter_branch(view, "icp_tier", "UTC"))
            for view in VIEWS
        )


@pytest.fixture
def lists(portal: Portal) -> Lists:
    return Lists(portal)


def kinds(told: Views) -> dict[str, StepKind]:
    return {one.key: one.step.kind for one in told.steps}


def one_of(told: Views, key: str) -> Step:
    (step,) = [one.step for one in told.steps if one.key == key]
    return step


def company(portal: Portal, **fields: str) -> str:
    id = portal.create()
    portal.edit(id, **fields)
    return id


def filtering_by(value: str, property: str = "icp_tier") -> Mapping[str, object]:
    view = View(key="x", name="x", of="accounts", field="tier", values=(value,))
    return segments.filter_branch(view, property, "UTC")


# What they show


def test_each_list_shows_exactly_the_companies_it_is_for(lists: Lists, portal: Portal) -> None:
    ids = {tier: company(portal, tier=tier, lane="sales") for tier in ("A", "B", "C", "D")}
    ids["research"] = company(portal, tier="Needs data", lane="research")
    ids["not"] = company(portal, tier="Not ICP", lane="none")
    portal.create("No tier yet")
    lists.ask()
    for tier in "ABCD":
        assert lists.members(f"tier_{tier.lower()}") == {ids[tier]}
    assert lists.members("needs_data") == lists.members("research") == {ids["research"]}
    assert lists.members("not_icp") == {ids["not"]}


def test_the_list_of_changed_tiers_moves_on_with_the_days(lists: Lists, portal: Portal) -> None:
    now = portal.simulator.portal.clock.now()
    stamps = {days: str(round((now - days * DAY) * 1000)) for days in (1, 6, 9)}
    ids = {days: company(portal, tier_changed_at=stamp) for days, stamp in stamps.items()}
    lists.ask()
    assert lists.members("tier_changed") == {ids[1], ids[6]}
    portal.advance(4 * DAY)
    assert lists.members("tier_changed") == {ids[1]}


def test_contacts_are_listed_by_the_tier_of_their_company(lists: Lists, portal: Portal) -> None:
    a, b = company(portal, tier="A"), company(portal, tier="B")
    ada, bob = portal.add_contact(a), portal.add_contact(b)
    lists.ask()
    assert (lists.members("contacts_a"), lists.members("contacts_b")) == ({ada}, {bob})
    portal.edit(b, tier="A")
    assert lists.members("contacts_a") == {ada, bob}


def test_another_label_of_a_tier_changes_no_list_and_nothing_is_to_do(lists: Lists, portal: Portal) -> None:
    a = company(portal, tier="A")
    lists.ask()
    held = portal.definition("tier").options
    portal.change("tier", label="Fit", options=tuple({**one, "label": f"* {one['label']}"} for one in held))
    portal.grow_old()
    assert set(kinds(lists.ask()).values()) == {StepKind.KEEP}
    assert lists.members("tier_a") == {a}


# What is made, and what is not


def test_a_dry_run_makes_nothing_and_says_what_each_would_show(lists: Lists) -> None:
    told = lists.ask(apply=False)
    assert kinds(told) == dict.fromkeys(KEYS, StepKind.CREATE)
    assert one_of(told, "tier_a").detail == "companies whose icp_tier is A"
    assert one_of(told, "contacts_b").detail == "contacts of companies whose icp_tier is B"
    assert one_of(told, "tier_changed").detail == "companies whose icp_tier_changed_at is in the last 7 days"
    assert lists.all() == {}


def test_twice_is_once(lists: Lists) -> None:
    first = lists.ask()
    assert all(one.step.done and one.id for one in first.steps)
    assert lists.all() == {view.title: lists.known[view.key] for view in VIEWS}
    again = lists.ask()
    assert kinds(again) == dict.fromkeys(KEYS, StepKind.KEEP)
    assert not any(one.step.done for one in again.steps)
    assert len(lists.all()) == len(VIEWS)


@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_every_version_of_the_api_will_do(version: str) -> None:
    portal = Portal(version=version)
    try:
        lists = Lists(portal)
        lists.ask()
        lists.refilter(lists.known["tier_a"], filtering_by("D"))
        lists.ask(force=True)
        assert set(kinds(lists.ask()).values()) == {StepKind.KEEP}
        lists.ask(remove=True)
        assert lists.all() == {}
    finally:
        portal.close()


def test_a_lost_journal_finds_them_again_by_name_and_filter(lists: Lists) -> None:
    lists.ask()
    before, lists.known = lists.known, {}
    assert set(kinds(lists.ask()).values()) == {StepKind.KEEP}
    assert lists.known == before


def test_people_may_rename_what_is_ours(lists: Lists) -> None:
    lists.ask()
    lists.api("PUT", f"/{lists.known['tier_a']}/update-list-name", params={"listName": "Our best"})
    told = lists.ask()
    assert (one_of(told, "tier_a").kind, one_of(told, "tier_a").detail) == (
        StepKind.KEEP,
        "people call it Our best",
    )
    assert "Our best" in lists.all()
    assert "ICP: Tier A" not in lists.all()


def test_a_list_of_our_name_with_another_filter_is_never_touched(lists: Lists) -> None:
    theirs = {"name": "ICP: Tier A", "objectTypeId": "0-2", "processingType": "DYNAMIC"}
    id = lists.api("POST", "", json={**theirs, "filterBranch": filtering_by("B")})["list"]["listId"]
    before = lists.filter_of(id)
    for how in ({}, {"force": True}):
        told = lists.ask(**how)
        assert one_of(told, "tier_a").kind is StepKind.CONFLICT
        assert "tier_a" not in lists.known
    lists.ask(remove=True, force=True)
    assert lists.all() == {"ICP: Tier A": id}
    assert lists.filter_of(id) == before


def test_a_static_list_of_our_name_is_not_ours_either(lists: Lists) -> None:
    static = {"name": "ICP: Tier A", "objectTypeId": "0-2", "processingType": "SNAPSHOT"}
    lists.api("POST", "", json={**static, "filterBranch": filtering_by("A")})
    assert one_of(lists.ask(), "tier_a").kind is StepKind.CONFLICT


def test_a_name_another_kind_of_list_has_is_a_conflict_and_the_others_are_made(lists: Lists) -> None:
    static = {"name": "ICP: Tier B", "objectTypeId": "0-1", "processingType": "MANUAL"}
    lists.api("POST", "", json=static)
    told = lists.ask()
    assert [key for key, kind in kinds(told).items() if kind is not StepKind.CREATE] == ["tier_b"]
    assert one_of(told, "tier_b").kind is StepKind.CONFLICT
    assert len(lists.known) == len(VIEWS) - 1


def test_a_filter_people_changed_is_theirs_until_ours_is_forced(lists: Lists) -> None:
    lists.ask()
    id = lists.known["tier_a"]
    lists.refilter(id, filtering_by("B"))
    theirs = lists.filter_of(id)
    told = lists.ask()
    assert (one_of(told, "tier_a").kind, one_of(told, "tier_a").done) == (StepKind.RESTORE, False)
    assert lists.filter_of(id) == theirs
    assert one_of(lists.ask(force=True), "tier_a").done
    assert lists.filter_of(id) != theirs
    assert set(kinds(lists.ask()).values()) == {StepKind.KEEP}


def test_a_list_somebody_deleted_is_made_again(lists: Lists) -> None:
    lists.ask()
    lists.api("DELETE", f"/{lists.known['tier_a']}")
    before = dict(lists.known)
    told = lists.ask()
    assert one_of(told, "tier_a").kind is StepKind.CREATE
    assert lists.known["tier_a"] != before.pop("tier_a")
    assert before.items() <= lists.known.items()


def test_a_field_the_connection_does_not_carry_is_left_out_with_a_word(lists: Lists) -> None:
    minimal = {name: made for name, made in STANDARD.fields.items() if name not in ("tier_changed_at",)}
    told = lists.ask(blueprint=replace(STANDARD, fields=minimal))
    assert one_of(told, "tier_changed").kind is StepKind.NOTE
    assert "does not carry tier_changed_at" in one_of(told, "tier_changed").detail
    assert "ICP: Tier changed this week" not in lists.all()
    assert len(told.by_hand) == 1, "what is not there cannot be made by hand either"


def test_a_list_whose_field_is_no_longer_carried_stays_until_it_is_removed(lists: Lists) -> None:
    lists.ask()
    few = replace(STANDARD, fields={"tier": "icp_tier"}, made=frozenset(STANDARD.fields.values()))
    told = lists.ask(blueprint=few)
    assert "stays" in one_of(told, "research").detail
    assert "ICP: Research lane" in lists.all()
    lists.ask(blueprint=few, remove=True)
    assert lists.all() == {}


def test_somebodys_list_of_our_name_stays_where_its_field_is_not_carried(lists: Lists) -> None:
    few = replace(STANDARD, fields={"tier": "icp_tier"})
    lists.ask(blueprint=few)
    theirs = {
        "ICP: Research lane": lists.own("ICP: Research lane", filtering_by("sales", "icp_lane")),
        "ICP: Tier changed this week": lists.own("ICP: Tier changed this week", filtering_by("A")),
    }
    told = lists.ask(blueprint=few, remove=True, force=True)
    assert not {"research", "tier_changed"} & kinds(told).keys()
    assert lists.all() == theirs


def test_somebodys_static_list_of_our_name_and_filter_stays(lists: Lists) -> None:
    static = {"name": "ICP: Tier A", "objectTypeId": "0-2", "processingType": "SNAPSHOT"}
    id = lists.api("POST", "", json={**static, "filterBranch": filtering_by("A")})["list"]["listId"]
    lists.ask()
    lists.ask(remove=True, force=True)
    assert lists.all() == {"ICP: Tier A": id}


def test_a_filter_by_what_was_made_under_earlier_settings_is_set_right_without_force(
    lists: Lists, portal: Portal
) -> None:
    lists.ask()
    before = dict(lists.known)
    renamed = {name: made.replace("icp_", "fit_") for name, made in STANDARD.fields.items()}
    other = replace(STANDARD, fields=renamed, made=frozenset(STANDARD.fields.values()))
    portal.crm.provision(other, apply=True)
    told = lists.ask(blueprint=other)
    assert set(kinds(told).values()) == {StepKind.UPDATE}
    assert all(one.step.done for one in told.steps)
    assert lists.known == before
    assert set(segments.properties_of(lists.filter_of(before["tier_a"]))) == {"fit_tier"}
    lists.ask(blueprint=replace(STANDARD, made=frozenset(renamed.values())), remove=True)
    assert lists.all() == {}


def test_another_installation_neither_adopts_nor_removes_what_it_did_not_make(
    lists: Lists, portal: Portal
) -> None:
    lists.ask()
    mine, lists.known = lists.known, {}
    stranger = replace(STANDARD, proven=False)
    told = lists.ask(blueprint=stranger, force=True)
    assert set(kinds(told).values()) == {StepKind.CONFLICT}
    assert "this journal did not make it" in one_of(told, "tier_a").detail
    assert "outputs.views_prefix" in one_of(told, "tier_a").detail
    assert lists.known == {}
    lists.ask(blueprint=stranger, remove=True, force=True)
    assert set(lists.all().values()) == set(mine.values())
    steps = portal.crm.provision(stranger, apply=True, remove=True, force=True)
    assert not any(step.done for step in steps)


def test_with_a_prefix_of_its_own_a_second_installation_has_views_of_its_own(
    lists: Lists, portal: Portal
) -> None:
    lists.ask()
    fields = {name: made.replace("icp_", "emea_") for name, made in STANDARD.fields.items()}
    other = replace(STANDARD, fields=fields, mark="EMEA", proven=False, made=frozenset(fields.values()))
    portal.crm.provision(other, apply=True)
    first, lists.known = lists.known, {}
    told = lists.ask(blueprint=other, views=marked("EMEA"))
    assert all(one.step.done for one in told.steps)
    assert {"ICP: Tier A", "EMEA: Tier A"} <= lists.all().keys()
    lists.ask(blueprint=other, views=marked("EMEA"), remove=True)
    assert set(lists.all().values()) == set(first.values())


def test_each_is_noted_as_it_is_made_and_taken_away(lists: Lists, portal: Portal) -> None:
    noted: list[tuple[str, str]] = []

    def note(one: ViewStep) -> None:
        noted.append((one.key, one.id))

    portal.fault("reset_after_apply", "POST lists$", nth=4)
    with pytest.raises(UnavailableError):
        lists.ask(note=note)
    assert [key for key, _ in noted] == KEYS[:3]
    assert {id for _, id in noted} <= set(lists.all().values())
    portal.mend()
    lists.ask()
    noted.clear()
    lists.ask(remove=True, note=note)
    assert {(key, id) for key, id in noted} == {(key, "") for key in KEYS}


def test_other_names_of_properties_are_filtered_by(lists: Lists, portal: Portal) -> None:
    other = replace(STANDARD, fields={"tier": "fit_tier"})
    with pytest.raises(ConfigError, match="fit_tier") as refused:
        lists.ask(blueprint=other)
    assert refused.value.next_step == "icp-sync provision --apply"
    portal.crm.provision(other, apply=True)
    lists.ask(blueprint=other)
    assert set(segments.properties_of(lists.filter_of(lists.known["contacts_a"]))) == {"fit_tier"}


def test_a_property_without_the_option_is_told_before_anything_is_asked(lists: Lists, portal: Portal) -> None:
    portal.drop_option("tier", "Needs data")
    portal.grow_old()
    told = lists.ask()
    assert "no option Needs data" in one_of(told, "needs_data").detail
    assert one_of(told, "tier_a").done


def test_a_reply_that_is_lost_is_no_second_list(lists: Lists, portal: Portal) -> None:
    portal.fault("reset_after_apply", "POST lists$", nth=4)
    with pytest.raises(UnavailableError):
        lists.ask()
    assert len(lists.all()) == 4
    portal.mend()
    told = lists.ask()
    assert list(kinds(told).values()).count(StepKind.KEEP) == 4
    assert len(lists.all()) == len(VIEWS) == len(lists.known)


# Plans and rights


def test_a_plan_without_room_is_told_with_what_to_click(lists: Lists, portal: Portal) -> None:
    portal.simulator.admin("POST settings", active_lists=3)
    held = portal.definition("tier").options
    portal.change("tier", label="Fit", options=tuple({**one, "label": f"{one['value']}!"} for one in held))
    portal.grow_old()
    told = lists.ask()
    assert [key for key, kind in kinds(told).items() if kind is StepKind.CREATE] == KEYS[:3]
    refused = one_of(told, "tier_d")
    assert refused.kind is StepKind.NOTE
    assert "limit of 3 active lists" in refused.detail
    by_hand = "\n".join(told.by_hand)
    assert "ICP: Tier D: open CRM > Companies" in by_hand
    assert "'Fit' is any of 'D!'" in by_hand
    assert "ICP: Contacts at tier B: open CRM > Contacts" in by_hand
    assert "'ICP tier changed at' is less than 7 days ago" in by_hand
    assert len(told.by_hand) == len(VIEWS) - 3 + 1


@pytest.mark.parametrize("lacking", ["crm.lists.read", "crm.lists.write"])
def test_a_token_that_may_not_is_told_which_scope_and_what_to_click(
    lists: Lists, portal: Portal, lacking: str
) -> None:
    token = portal.simulator.token
    portal.simulator.admin("POST tokens", token=token, scopes=sorted(SCOPES - {lacking}))
    told = lists.ask()
    assert set(kinds(told).values()) == {StepKind.NOTE}
    assert all(lacking in one.step.detail for one in told.steps)
    assert len(told.by_hand) == len(VIEWS) + 1
    portal.simulator.admin("POST tokens", token=token, scopes=sorted(SCOPES))
    assert lists.all() == {}


def test_how_a_rep_saves_a_view_is_always_told(lists: Lists) -> None:
    lists.ask()
    (said,) = lists.ask().by_hand
    assert "Save view" in said


# Taking them away


def test_what_is_ours_goes_and_nothing_else(lists: Lists) -> None:
    theirs = {"name": "Ours alone", "objectTypeId": "0-2", "processingType": "DYNAMIC"}
    lists.api("POST", "", json={**theirs, "filterBranch": filtering_by("A")})
    lists.ask()
    told = lists.ask(remove=True, apply=False)
    assert kinds(told) == dict.fromkeys(KEYS, StepKind.REMOVE)
    assert len(lists.all()) == len(VIEWS) + 1
    assert all(one.step.done for one in lists.ask(remove=True).steps)
    assert set(lists.all()) == {"Ours alone"}
    assert lists.ask(remove=True).steps == ()


def test_a_lost_journal_takes_them_away_all_the_same(lists: Lists) -> None:
    lists.ask()
    lists.known = {}
    lists.ask(remove=True)
    assert lists.all() == {}


def test_one_people_made_theirs_stays_unless_forced(lists: Lists) -> None:
    lists.ask()
    lists.refilter(lists.known["tier_a"], filtering_by("B"))
    told = lists.ask(remove=True)
    assert one_of(told, "tier_a").kind is StepKind.KEEP
    assert set(lists.all()) == {"ICP: Tier A"}
    lists.ask(remove=True, force=True)
    assert lists.all() == {}


def test_a_token_that_may_not_see_lists_takes_nothing_away(lists: Lists, portal: Portal) -> None:
    assert lists.ask(remove=True).steps == ()
    lists.ask()
    portal.see_lists(may=False)
    (refused,) = lists.ask(remove=True).steps
    assert refused.step.kind is StepKind.CONFLICT
    assert "crm.lists.read" in refused.step.detail


def test_our_own_lists_are_no_strangers_to_the_properties_that_go(lists: Lists, portal: Portal) -> None:
    lists.ask()
    strangers = portal.crm.provision(STANDARD, apply=False, remove=True)
    assert {step.what for step in strangers if step.kind is StepKind.DEPENDS} == {
        f"list {view.title}" for view in VIEWS
    }
    ours = replace(STANDARD, views=lists.known)
    assert not any(
        step.kind is StepKind.DEPENDS for step in portal.crm.provision(ours, apply=False, remove=True)
    )


# Whatever people do

ACTS = (
    "make",
    "force",
    "withdraw",
    "lose journal",
    "rename ours",
    "refilter ours",
    "delete ours",
    "take name",
)


@settings(max_examples=12, deadline=None)
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(KEYS[:2])), max_size=7))
def test_what_people_made_is_never_touched_and_what_is_ours_comes_to_rest(
    acts: list[tuple[str, str]],
) -> None:
    portal = Portal()
    try:
        lists, few, theirs = Lists(portal), VIEWS[:2], dict[str, tuple[str, object]]()
        for act, key in acts:
            id = lists.known.get(key, "")
            title = next(view.title for view in few if view.key == key)
            if act in ("make", "force"):
                lists.ask(views=few, force=act == "force")
            elif act == "withdraw":
                lists.known = {one.key: one.id for one in lists.ask(views=few, remove=True).steps if one.id}
            elif act == "lose journal":
                theirs |= {i: lists.seen(i) for i in lists.known.values() if lists.lost_to_people(i)}
                lists.known = {}
            elif act == "take name" and title not in lists.all():
                made = lists.own(title, filtering_by("B", "icp_model_tier"))
                theirs[made] = lists.seen(made)
            elif id in lists.all().values():
                lists.act(act, id)
        assert {id: lists.seen(id) for id in theirs} == theirs
        lists.ask(views=few, force=True)
        assert not any(one.step.done for one in lists.ask(views=few, force=True).steps)
        assert {id: lists.seen(id) for id in theirs} == theirs
    finally:
        portal.close()


# Comparing filters


@pytest.mark.parametrize("view", VIEWS, ids=KEYS)
def test_a_filter_is_the_same_whatever_a_portal_adds_and_however_it_sorts(view: View) -> None:
    ours = segments.filter_branch(view, "p", "Europe/Berlin")
    assert segments.same(ours, segments.filter_branch(view, "p", "UTC"))
    assert segments.same(_echoed(ours), ours)
    assert not segments.same(segments.filter_branch(view, "q", "UTC"), ours)
    assert not segments.same(None, ours)


def test_a_key_without_a_value_is_no_difference() -> None:
    ours = segments.filter_branch(VIEWS[0], "p", "UTC")
    text = repr(ours).replace("'operator': 'IS_ANY_OF'", "'operator': 'IS_ANY_OF', 'pruningRefineBy': None")
    assert segments.same(ast.literal_eval(text), ours)


def test_what_a_filter_asks_is_said_for_who_wants_it_back() -> None:
    view = View(key="x", name="x", of="contacts", field="tier", values=("A", "B"))
    assert segments.said(segments.filter_branch(view, "p", "UTC")) == "p IS_ANY_OF A, B"
    assert segments.said(None) == "everything"


def test_no_two_views_filter_alike() -> None:
    branches = [segments.filter_branch(view, view.field, "UTC") for view in VIEWS]
    for at, one in enumerate(branches):
        assert [segments.same(one, other) for other in branches].index(True) == at
        assert sum(segments.same(one, other) for other in branches) == 1


def test_looking_at_when_a_value_changed_is_another_question() -> None:
    view = next(view for view in VIEWS if view.within_days)
    ours = segments.filter_branch(view, "p", "UTC")
    text = repr(ours).replace("'VALUE'", "'UPDATED_AT'")
    assert not segments.same(eval(text, {}), ours)


def _echoed(part: object) -> object:
    """As a portal gives it back: without what is usual, with more of its own, in another order."""
    if isinstance(part, dict):
        usual = {"propertyParser", "lowerBoundEndpointBehavior", "includeObjectsWithNoValueSet"}
        told = {name: _echoed(value) for name, value in part.items() if name not in usual}
        return told | ({"type": told["operationType"]} if "operationType" in told else {})
    return [_echoed(one) for one in reversed(part)] if isinstance(part, list) else part
