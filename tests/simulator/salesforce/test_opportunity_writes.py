"""What stands in the way of a write to an opportunity, as to an account: rules, locks, triggers, rights."""

import pytest

from icp_sync.simulator.salesforce.rules import Trigger, ValidationRule
from icp_sync.simulator.salesforce.schema import FieldDef
from salesforce.served_org import served
from tests.simulator.salesforce.org_world import ROWS, an_org

STAMP = FieldDef(name="ICP_Note__c", label="Note", type="string", length=40, custom=True)


@pytest.fixture
def world():
    with an_org() as running:
        running.org.objects["opportunity"].add_field(STAMP)
        running.grant(STAMP.name, on="opportunity")
        yield running


def sell(world, **values):
    given = {"Name": "Pilot", "StageName": "Prospecting", "CloseDate": "2026-12-31", **values}
    return world.make("Opportunity", **given)


def write(world, *ids, **values):
    """What became of each row."""
    rows = [{"attributes": {"type": "Opportunity"}, "id": one, **values} for one in ids]
    status, body = world.json("PATCH", ROWS, {"records": rows, "allOrNone": False})
    assert status == 200, body
    return [row["errors"][0]["statusCode"] if row["errors"] else "" for row in body]


def note(world, deal):
    return world.shown(deal, STAMP.name, kind="Opportunity")[STAMP.name]


def test_a_custom_field_of_a_deal_is_written_like_any_other(world):
    deal = sell(world)
    assert write(world, deal, ICP_Note__c="A") == [""]
    assert note(world, deal) == "A"


def test_a_field_nobody_granted_us_is_none_for_us(world):
    deal = sell(world)
    world.org.rights.visible_fields.clear()
    assert write(world, deal, ICP_Note__c="A") == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


def test_a_rule_is_about_its_own_object_only(world):
    deal, account = sell(world), world.make(Type="Prospecting")
    rule = ValidationRule(field="StageName", value="Prospecting", message="Name it", object="opportunity")
    world.org.rules.append(rule)
    assert write(world, deal, ICP_Note__c="A") == ["FIELD_CUSTOM_VALIDATION_EXCEPTION"]
    assert write(world, deal, StageName="Qualification", ICP_Note__c="A") == [""]
    assert world.update((account, {"Site": "x"}))[1][0]["success"] is True


def test_a_record_in_approval_is_locked_for_everybody_but_an_admin(world):
    deal, free = sell(world), sell(world)
    number = world.org.objects["opportunity"].number(deal)
    world.org.in_approval.add(("opportunity", number))
    assert write(world, deal, free, ICP_Note__c="A") == ["ENTITY_IS_LOCKED", ""]
    assert note(world, deal) is None


def test_a_trigger_fells_every_row_of_a_call_that_is_too_large_for_it(world):
    deals = [sell(world) for _ in range(3)]
    world.org.triggers.append(Trigger(object="opportunity", name="RollUp", message="too many", most=2))
    assert write(world, *deals, ICP_Note__c="A") == ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"] * 3
    assert {note(world, deal) for deal in deals} == {None}
    assert write(world, *deals[:2], ICP_Note__c="A") == ["", ""]


def test_a_trigger_counts_only_rows_that_got_so_far_and_says_who_failed(world):
    deal, broken = sell(world), "006000000000000AAA"
    world.org.triggers.append(Trigger(object="opportunity", name="Pricing", message="No list", most=1))
    assert write(world, deal, broken, ICP_Note__c="A") == ["", "INVALID_CROSS_REFERENCE_KEY"]
    world.org.triggers[:] = [Trigger(object="opportunity", name="Pricing", message="No list")]
    status, body = world.json("PATCH", f"sobjects/Opportunity/{deal}", {"ICP_Note__c": "B"})
    assert (status, body[0]["errorCode"]) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    assert body[0]["message"] == "Pricing: execution of BeforeUpdate\n\ncaused by: No list"
    assert note(world, deal) == "A"


def test_the_controls_set_all_of_it_up_and_take_it_back():
    with served() as crm:
        given = {"Name": "Pilot", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
        deal = crm.admin("POST create", type="opportunities", properties=given)["id"]
        assert crm.admin("POST access", lock=[deal])["locked"] == 1
        assert crm.admin("POST access", show=[deal])["locked"] == 0
        usual = "System.LimitException: Too many SOQL queries: 101"
        told = crm.admin("POST triggers", object="Opportunity", most=5)
        assert told == {"triggers": [["opportunity", "SomeTrigger", usual, 5]]}
        assert crm.admin("POST triggers", clear=True) == {"triggers": []}
        told = crm.admin("POST rules", object="Opportunity", field="StageName", value="x", message="No")
        assert told == {"rules": [["StageName", "x", "No"]]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"object": "Opportunity", "most": -1}, "most: a number"), ({"object": "Nothing"}, "not supported")],
)
def test_a_trigger_that_makes_no_sense_is_refused(arguments, words):
    with served() as crm, pytest.raises(ValueError, match=words):
        crm.admin("POST triggers", **arguments)
