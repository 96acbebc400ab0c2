"""Reps' views in an org: each shows exactly its records, people's stay theirs, twice is once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from icp_sync.crm.salesforce.provisioning.metadata import Choice, Component, Element, custom_field, list_views
from icp_sync.crm.salesforce.provisioning.permission_sets import READERS
from icp_sync.crm.salesforce.views.components import SHARED, Filter, formula_field, list_view
from icp_sync.crm.salesforce.views.looking import same
from icp_sync.domain.standing import FIELDS, STATES
from icp_sync.domain.views import VIEWS
from icp_sync.errors import ConfigError
from icp_sync.ports import StepKind
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import connect
from tests.crm.salesforce.reps import CHANGED, DAY, LANE, SCORE, TIER, Reps, kinds, known, settled, step
from tests.crm.salesforce.world import OURS, STANDARD

BY_KEY = {view.key: view for view in VIEWS}


@pytest.fixture
def reps() -> Iterator[Reps]:
    with settled() as one:
        yield one


def test_each_view_shows_exactly_the_accounts_of_its_tier(reps: Reps) -> None:
    reps.views()
    for view in VIEWS:
        if view.of == "accounts" and view.field == "tier":
            wanted = reps.ids(f"SELECT Id FROM Account WHERE {TIER} = '{view.values[0]}'")
            assert wanted, view.key
            assert reps.shown(view) == wanted, view.key


def test_the_research_lane_and_this_weeks_changes_are_shown(reps: Reps) -> None:
    reps.views()
    research = reps.ids(f"SELECT Id FROM Account WHERE {LANE} = 'research'")
    changed = reps.ids(f"SELECT Id FROM Account WHERE {CHANGED} = LAST_N_DAYS:7")
    assert reps.shown(BY_KEY["research"]) == research
    assert reps.shown(BY_KEY["tier_changed"]) == changed
    assert 0 < len(changed) < 30
    reps.bare.admin("POST clock", advance=3 * DAY)
    later = reps.shown(BY_KEY["tier_changed"])
    assert later < changed
    assert len(later) == len(changed) - 3


def test_contacts_are_shown_by_the_tier_of_their_account(reps: Reps) -> None:
    reps.views()
    for key, tier in (("contacts_a", "A"), ("contacts_b", "B")):
        wanted = reps.ids(f"SELECT Id FROM Contact WHERE Account.{TIER} = '{tier}'")
        assert wanted
        assert reps.shown(BY_KEY[key]) == wanted


def test_what_contacts_show_follows_their_account(reps: Reps) -> None:
    reps.views()
    soql = f"SELECT Id, AccountId, {TIER}, {SCORE}, Account.{TIER}, Account.{SCORE} FROM Contact"
    rows = reps.org.rows(soql)
    assert {row[TIER] for row in rows} >= {"A", "B", "Not ICP", None}
    assert all((row[TIER], row[SCORE]) == (row["Account"][TIER], row["Account"][SCORE]) for row in rows)
    of_a = next(row for row in rows if row[TIER] == "A")
    reps.give(of_a["AccountId"], **{TIER: "C"})
    assert of_a["Id"] in reps.ids(f"SELECT Id FROM Contact WHERE {TIER} = 'C'")
    assert of_a["Id"] not in reps.shown(BY_KEY["contacts_a"])


def test_the_fields_of_contacts_are_read_only_to_everybody(reps: Reps) -> None:
    reps.views()
    described = {one["name"]: one for one in reps.org.client.describe("Contact")["fields"]}
    ours = [described[OURS[name]] for name in SHARED]
    assert all(one["calculated"] and not one["updateable"] and not one["createable"] for one in ours)
    parent = f"Parent.Name = '{READERS}' AND SobjectType = 'Contact'"
    rows = reps.org.rows(
        f"SELECT Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE {parent}"
    )
    assert {row["Field"] for row in rows} == {f"Contact.{OURS[name]}" for name in SHARED}
    assert all(row["PermissionsRead"] and not row["PermissionsEdit"] for row in rows)


def test_looking_changes_nothing_and_twice_is_once(reps: Reps) -> None:
    before = json.dumps(reps.sections())
    looked = reps.views(apply=False)
    assert not any(one.step.done for one in looked.steps)
    assert json.dumps(reps.sections()) == before
    made = reps.views()
    assert [(one.step.kind, one.step.what) for one in looked.steps] == [
        (one.step.kind, one.step.what) for one in made.steps
    ]
    going = (StepKind.CREATE, StepKind.ADD_OPTION)
    assert all(one.step.done for one in made.steps if one.step.kind in going)
    assert set(known(made)) == set(BY_KEY)
    deployments = _deployments(reps)
    again = reps.views(known(made))
    assert kinds(again) == {StepKind.KEEP, StepKind.NOTE}
    assert known(again) == known(made)
    assert _deployments(reps) == deployments


def _deployments(reps: Reps) -> int:
    return sum("deployRequest" in str(one["path"]) for one in reps.bare.org.requests)


def test_what_provisioning_has_always_made_is_known_again_and_nothing_is_made_twice(reps: Reps) -> None:
    before = reps.ids("SELECT Id FROM ListView")
    made = reps.views()
    assert before < set(known(made).values())
    assert {one.kind for one in reps.org.provision()} == {StepKind.KEEP}
    names = [row["DeveloperName"] for row in reps.org.rows("SELECT DeveloperName FROM ListView")]
    assert len(names) == len(set(names)) == len(VIEWS)


# A renamed tier


def test_a_view_survives_a_renamed_tier(reps: Reps) -> None:
    made = reps.views()
    before = {view.key: reps.shown(view) for view in VIEWS}
    called = [Choice(value=state, label=f"Segment {state}") for state in STATES]
    reps.deployed(custom_field(FIELDS["tier"], TIER, called))
    assert [label for _, label, _ in reps.org.values(TIER)] == [one.label for one in called]
    assert {view.key: reps.shown(view) for view in VIEWS} == before
    assert kinds(reps.views(known(made))) == {StepKind.KEEP, StepKind.NOTE}
    assert {one.kind for one in reps.org.provision()} == {StepKind.KEEP}
    assert [label for _, label, _ in reps.org.values(TIER)] == [one.label for one in called]


# What is people's


def _with(view: Component, *, label: str, value: str = "A") -> Component:
    """A list view of tier A under another label, and with another value."""
    wanted: Element = ("filters", (("field", TIER), ("operation", "equals"), ("value", value)))
    body = [one for one in view.body if one[0] not in ("filters", "label")]
    return replace(view, body=(*body, wanted, ("label", label)))


def _view_of_a() -> Component:
    return next(one for one in list_views(OURS) if one.name == "ICP_Tier_A")


def test_a_persons_view_of_our_name_is_a_conflict_and_never_touched(reps: Reps) -> None:
    mine = list_view(BY_KEY["research"], OURS)
    assert mine is not None
    theirs = replace(_view_of_a(), name=mine.name)
    reps.deployed(theirs)
    for force in (False, True):
        told = step(reps.views(force=force), "research")
        assert (told.step.kind, told.id, told.step.done) == (StepKind.CONFLICT, "", False)
        assert "somebody" in told.step.detail
    assert reps.shown(BY_KEY["research"]) == reps.shown(BY_KEY["tier_a"])


def test_ours_whose_filter_people_changed_is_put_back_only_by_force(reps: Reps) -> None:
    ids = known(reps.views())
    reps.deployed(_with(_view_of_a(), value="B", label="My favourites"))
    told = step(reps.views(ids), "tier_a")
    assert (told.step.kind, told.step.done, told.name) == (StepKind.RESTORE, False, "My favourites")
    assert reps.shown(BY_KEY["tier_a"]) == reps.shown(BY_KEY["tier_b"])
    forced = step(reps.views(ids, force=True), "tier_a")
    assert (forced.step.done, forced.id) == (True, ids["tier_a"])
    assert reps.shown(BY_KEY["tier_a"]) == reps.ids(f"SELECT Id FROM Account WHERE {TIER} = 'A'")
    [row] = reps.org.rows(f"SELECT Name FROM ListView WHERE Id = '{ids['tier_a']}'")
    assert row["Name"] == "My favourites"


def test_ours_under_another_label_is_ours(reps: Reps) -> None:
    ids = known(reps.views())
    reps.deployed(_with(_view_of_a(), label="The best"))
    told = step(reps.views(ids), "tier_a")
    assert (told.step.kind, told.name) == (StepKind.KEEP, "The best")


def test_a_field_of_contacts_of_our_name_that_is_somebody_elses_stays(reps: Reps) -> None:
    reps.bare.admin("POST fields", object="Contact", define={"name": TIER, "label": "Tier", "type": "string"})
    told = reps.views()
    assert step(told, f"Contact.{TIER}").step.kind is StepKind.CONFLICT
    assert step(told, "contacts_a").step.kind is StepKind.NOTE
    assert step(told, "research").step.done
    assert reps.org.client.describe("Contact")
    assert not any(row for row in reps.org.rows("SELECT Id FROM ListView WHERE SobjectType = 'Contact'"))


def test_a_view_hidden_from_us_is_not_replaced(reps: Reps) -> None:
    mine = list_view(BY_KEY["research"], OURS)
    assert mine is not None
    shared = ("sharedTo", (("role", "CEO"),))
    reps.deployed(replace(mine, body=(*mine.body, shared)))
    told = step(reps.views(), "research")
    assert told.step.kind is StepKind.CONFLICT
    assert "does not show it to us" in told.step.detail


# What an org or a connection does not allow


def test_a_small_footprint_leaves_out_what_it_cannot_filter_by(reps: Reps) -> None:
    small = replace(STANDARD, fields={"tier": TIER, "reasons": OURS["reasons"]})
    told = reps.views(blueprint=small)
    assert step(told, "research").step.kind is StepKind.NOTE
    assert "lane" in step(told, "research").step.detail
    assert {one.key for one in told.steps if one.id} == {view.key for view in VIEWS if view.field == "tier"}


def test_without_the_right_to_change_metadata_it_is_said_how_people_do_it(reps: Reps) -> None:
    reps.bare.admin("POST settings", metadata_right=False)
    told = reps.views()
    assert not any(one.step.done for one in told.steps)
    assert StepKind.CREATE not in kinds(told)
    said = "\n".join(told.by_hand)
    assert "--sfdx" in said
    assert "ICP: Research lane: Accounts tab" in said
    assert "ICP lane, operator equals, value research" in said
    assert "value LAST 7 DAYS" in said
    assert "drag Section" in said


def test_before_there_are_fields_it_is_said_what_comes_first() -> None:
    with Simulator(crm="salesforce", accounts=1) as bare:
        with pytest.raises(ConfigError, match="none of the fields") as refused:
            Reps(bare, connect(bare.url)).views()
        assert refused.value.next_step == "icp-sync provision --apply"


def test_columns_are_spelled_the_other_way_where_an_org_wants_it(reps: Reps) -> None:
    reps.bare.admin("POST settings", list_view_prefix=True)
    reps.views()
    assert reps.shown(BY_KEY["contacts_a"]) == reps.ids(f"SELECT Id FROM Contact WHERE Account.{TIER} = 'A'")


def test_how_reps_save_a_view_of_their_own_is_always_said(reps: Reps) -> None:
    assert any("Clone" in one for one in reps.views().by_hand)


def test_a_formula_field_is_one_of_metadata(reps: Reps) -> None:
    reps.deployed(formula_field("tier", TIER))
    told = reps.views()
    assert step(told, f"Contact.{TIER}").step.kind is StepKind.KEEP
    assert step(told, f"Contact.{SCORE}").step.done


# A filter as Salesforce tells of it


A = Filter(field="ICP_Tier__c", values=("A",))
WEEK = Filter(field="ICP_Tier_Changed_At__c", values=("LAST_N_DAYS:7",))


@pytest.mark.parametrize(
    ("wanted", "described"),
    [
        (A, {"whereCondition": {"field": "ICP_Tier__c", "operator": "equals", "values": ["'A'"]}}),
        (A, {"whereCondition": {"field": "toLabel(ICP_Tier__c)", "operator": "equals", "values": ["A"]}}),
        (A, {"whereCondition": {"field": "icp_tier__c", "operator": "in", "values": ["'A'"]}, "scope": None}),
        (A, {"query": "SELECT Name FROM Account WHERE ICP_Tier__c = 'A' ORDER BY Name ASC"}),
        (A, {"query": "SELECT Name FROM Account WHERE (ICP_Tier__c = 'A')", "scope": "everything"}),
        (WEEK, {"query": "SELECT Id FROM Account WHERE ICP_Tier_Changed_At__c = LAST_N_DAYS:7"}),
    ],
)
def test_a_filter_of_ours_is_known_however_it_is_told(wanted: Filter, described: dict[str, object]) -> None:
    assert same(described, wanted)


@pytest.mark.parametrize(
    "described",
    [
        {},
        {"whereCondition": None, "query": "SELECT Name FROM Account ORDER BY Name"},
        {"whereCondition": {"field": "ICP_Tier__c", "operator": "notEqual", "values": ["'A'"]}},
        {"whereCondition": {"field": "ICP_Tier__c", "operator": "in", "values": ["'A'", "'B'"]}},
        {"whereCondition": {"field": "ICP_Tier__c", "operator": "equals", "values": "A"}},
        {"whereCondition": {"conjunction": "and", "conditions": []}},
        {"query": "SELECT Name FROM Account WHERE ICP_Tier__c = 'A' AND Name = 'x' ORDER BY Name"},
        {"query": "SELECT Name FROM Account USING SCOPE mine WHERE ICP_Tier__c = 'A'", "scope": "mine"},
    ],
)
def test_another_filter_is_another(described: dict[str, object]) -> None:
    assert not same(described, A)
