"""Which values are kept, in which form, and which are refused and how."""

import pytest

from icp_sync.simulator.salesforce.org import ValidationRule
from tests.simulator.salesforce.org_world import ACCOUNTS, an_org, with_record_type


@pytest.fixture
def world():
    with an_org() as running:
        yield running


@pytest.fixture(scope="module")
def steady():
    """One org for tests that only ever try values on an account of their own."""
    with an_org() as running:
        yield running


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("Name", "  Acme \n", "Acme"),
        ("ICP_Reasons__c", "one\ntwo\r\nthree  \n", "one\r\ntwo\r\nthree"),
        ("ICP_Score__c", 83, 83.0),
        ("ICP_Score__c", 0.834999, 0.83),
        ("ICP_Score__c", 0.835, 0.84),
        ("ICP_Score__c", -0.001, 0.0),
        ("ICP_Score__c", None, None),
        ("AnnualRevenue", 1_500_000.5, 1_500_001.0),
        ("NumberOfEmployees", 120, 120),
        ("ICP_Tier__c", "A", "A"),
        ("ICP_Tier__c", "", None),
        ("ICP_Flags__c", "B2C; Agency;B2C", "Agency;B2C"),
        ("ICP_Scored_At__c", "2026-11-21T12:00:07.987Z", "2026-11-21T12:00:07.000+0000"),
        ("ICP_Scored_At__c", "2026-11-21T14:00:07+02:00", "2026-11-21T12:00:07.000+0000"),
        ("ICP_Day__c", "2026-11-21", "2026-11-21"),
        ("ICP_Hold__c", True, True),
        ("Industry", "Basket weaving", "Basket weaving"),
        ("Website", "not checked", "not checked"),
    ],
)
def test_a_value_is_kept_in_the_form_of_its_field(steady, field, value, shown):
    made = steady.make()
    assert steady.update((made, {field: value}))[1][0]["success"] is True
    assert steady.shown(made, field)[field] == shown


def test_line_ends_and_milliseconds_are_switches():
    with an_org(line_ends_crlf=False, milliseconds=True) as world:
        made = world.make(ICP_Reasons__c="one\r\ntwo", ICP_Scored_At__c="2026-11-21T12:00:07.987Z")
        shown = world.shown(made, "ICP_Reasons__c", "ICP_Scored_At__c")
        assert shown["ICP_Reasons__c"] == "one\ntwo"
        assert shown["ICP_Scored_At__c"] == "2026-11-21T12:00:07.987+0000"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("Name", None, "REQUIRED_FIELD_MISSING"),
        ("Name", "   ", "REQUIRED_FIELD_MISSING"),
        ("Name", "x" * 256, "STRING_TOO_LONG"),
        ("ICP_Reasons__c", "1234567890123456789\n" * 5 + "x", "STRING_TOO_LONG"),
        ("Industry", "x" * 256, "STRING_TOO_LONG"),
        ("ICP_Score__c", 1000, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("ICP_Score__c", 999.996, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("NumberOfEmployees", 100_000_000, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("AnnualRevenue", 10**18, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("ICP_Tier__c", "Z", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("ICP_Tier__c", "a", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("ICP_Tier__c", "Old", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("ICP_Flags__c", "Agency;Wizard", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("OwnerId", "Amara", "MALFORMED_ID"),
        ("OwnerId", "001000000000000AAA", "MALFORMED_ID"),
        ("OwnerId", "005000000000000AAA", "INVALID_CROSS_REFERENCE_KEY"),
        ("SystemModstamp", "2026-11-21T12:00:00Z", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("MasterRecordId", None, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_value_that_cannot_be_kept_fails_its_row_and_names_its_field(steady, field, value, code):
    made = steady.make(Site="old")
    found, message, fields = steady.refused(made, **{field: value, "Site": "new"})
    assert (found, fields) == (code, [field])
    assert message
    assert steady.shown(made, "Site")["Site"] == "old"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ICP_Score__c", "83"),
        ("ICP_Score__c", True),
        ("NumberOfEmployees", "120"),
        ("NumberOfEmployees", 120.5),
        ("NumberOfEmployees", 2**31),
        ("Name", 5),
        ("Name", {"a": 1}),
        ("Name", ["Acme"]),
        ("ICP_Hold__c", "true"),
        ("ICP_Hold__c", None),
        ("ICP_Hold__c", 1),
        ("ICP_Day__c", "21.11.2026"),
        ("ICP_Day__c", ""),
        ("ICP_Day__c", "1699-12-31"),
        ("ICP_Day__c", "2026-02-30"),
        ("ICP_Scored_At__c", "2026-11-21 12:00"),
        ("ICP_Scored_At__c", "2026-11-21T12:00:00"),
        ("ICP_Scored_At__c", "2026-02-31T12:00:00Z"),
        ("ICP_Scored_At__c", 1_795_262_400_000),
        ("ICP_Tier__c", 1),
    ],
)
def test_json_of_the_wrong_type_spoils_the_whole_request(steady, field, value):
    made, other = steady.make(Site="old"), steady.make()
    status, body = steady.update((made, {"Site": "new"}), (other, {field: value}))
    assert (status, body[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert steady.shown(made, "Site")["Site"] == "old"


def test_all_errors_of_a_row_are_told_at_once(world):
    made = world.make()
    _, body = world.update(
        (made, {"ICP_Tier__c": "Z", "Name": "", "CreatedDate": None, "ICP_Score__c": 5000})
    )
    assert sorted(error["statusCode"] for error in body[0]["errors"]) == [
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "REQUIRED_FIELD_MISSING",
    ]


def test_a_field_that_was_not_granted_cannot_be_written(world):
    made = world.make()
    world.org.rights.visible_fields.discard(("account", "icp_tier__c"))
    code, message, fields = world.refused(made, ICP_Tier__c="A", Site="x")
    assert (code, fields) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["ICP_Tier__c"])
    assert "security settings" in message


def test_a_new_record_needs_what_is_required(world):
    status, body = world.json("POST", "sobjects/Opportunity", {"Name": "Deal"})
    assert (status, body[0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    assert body[0]["fields"] == ["StageName", "CloseDate"]


# -- record types


def test_a_record_type_offers_only_some_values_of_a_restricted_picklist(world):
    plain = world.make(ICP_Tier__c="A")
    kind = with_record_type(world, ICP_Tier__c=("A", "B"), Industry=("Media",))
    typed = world.make(RecordTypeId=kind.id[:15])
    assert world.update((typed, {"ICP_Tier__c": "B"}), (plain, {"ICP_Tier__c": "C"}))[1][1]["success"] is True
    assert world.refused(typed, ICP_Tier__c="C")[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert world.refused(plain, ICP_Tier__c="C", RecordTypeId=kind.id)[2] == ["ICP_Tier__c"]
    assert world.update((typed, {"Industry": "Banking"}))[1][0]["success"] is True


def test_a_record_type_that_lists_nothing_of_a_field_blocks_all_its_values(world):
    kind = with_record_type(world, ICP_Tier__c=())
    typed = world.make()
    assert world.shown(typed, "RecordTypeId")["RecordTypeId"] == kind.id
    assert world.refused(typed, ICP_Tier__c="A")[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert world.update((typed, {"ICP_Tier__c": None}))[1][0]["success"] is True


# -- owners and parents


def test_an_account_can_be_given_to_somebody_who_works_here_only(world):
    made = world.make()
    ben = world.person("ben.lindqvist@sales.example")
    assert world.update((made, {"OwnerId": ben[:15]}))[1][0]["success"] is True
    assert world.shown(made, "OwnerId")["OwnerId"] == ben
    code, message, fields = world.refused(made, OwnerId=world.person("gwen.former@sales.example"))
    assert (code, fields) == ("INACTIVE_OWNER_OR_USER", ["OwnerId"])
    assert "inactive user" in message


def test_who_may_not_transfer_may_still_write_everything_else():
    with an_org(transfer_right=False) as world:
        made = world.make()
        ben = world.person("ben.lindqvist@sales.example")
        assert world.refused(made, OwnerId=ben, Site="x")[0] == "INSUFFICIENT_ACCESS_OR_READONLY"
        assert (
            world.update((made, {"OwnerId": world.org.integration.id, "Site": "x"}))[1][0]["success"] is True
        )


def test_a_parent_must_be_there_be_visible_and_not_be_below(world):
    parent, hidden, gone = world.make(), world.make(), world.make()
    below = world.make(ParentId=parent)
    world.org.hidden.add(world.place_of(hidden))
    world.json("DELETE", f"{ACCOUNTS}/{gone}")
    assert world.refused(parent, ParentId=below)[0] == "CIRCULAR_DEPENDENCY"
    assert world.refused(parent, ParentId=parent)[0] == "CIRCULAR_DEPENDENCY"
    assert world.refused(below, ParentId=hidden)[0] == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert world.refused(below, ParentId=gone)[0] == "ENTITY_IS_DELETED"


def test_a_unique_value_stands_once(world):
    first, second = world.make(ICP_Key__c="k"), world.make()
    assert world.update((first, {"ICP_Key__c": "k"}))[1][0]["success"] is True
    code, message, _ = world.refused(second, ICP_Key__c="K")
    assert code == "DUPLICATE_VALUE"
    assert first[:15] in message


def test_an_email_must_look_like_one(world):
    made = world.make("Contact", LastName="Doe", Email="jo@acme.example")
    status, body = world.json("PATCH", f"sobjects/Contact/{made}", {"Email": "acme.example"})
    assert (status, body[0]["errorCode"]) == (400, "INVALID_EMAIL_ADDRESS")


# -- the org's own rules


def test_a_validation_rule_refuses_every_write_that_leaves_its_value(world):
    made, other = world.make(Rating="Cold"), world.make()
    world.org.rules.append(ValidationRule(field="Rating", value="Cold", message="Cold accounts are frozen"))
    for values in ({"Site": "x"}, {"Rating": "Cold"}):
        assert world.refused(made, **values) == (
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "Cold accounts are frozen",
            ["Rating"],
        )
    assert world.update((made, {"Rating": "Hot"}), (other, {"Site": "x"}))[1][0]["success"] is True


def test_without_state_and_country_picklists_any_text_is_a_country(world):
    made = world.make(BillingCountry="Atlantis", BillingState="Deep")
    assert world.shown(made, "BillingCountry")["BillingCountry"] == "Atlantis"


def test_with_state_and_country_picklists_names_are_known_and_agree_with_codes():
    with an_org(state_country_picklists=True) as world:
        made = world.make(BillingCountry="united states")
        shown = world.shown(made, "BillingCountry", "BillingCountryCode")
        assert (shown["BillingCountry"], shown["BillingCountryCode"]) == ("United States", "US")
        world.update((made, {"BillingCountryCode": "DE"}))
        assert world.shown(made, "BillingCountry")["BillingCountry"] == "Germany"
        code, message, fields = world.refused(made, BillingCountry="Atlantis")
        assert (code, fields) == ("FIELD_INTEGRITY_EXCEPTION", ["BillingCountry"])
        assert "country" in message
        assert world.refused(made, BillingState="Deep")[0] == "FIELD_INTEGRITY_EXCEPTION"
        world.update((made, {"BillingCountry": None}))
        shown = world.shown(made, "BillingCountry", "BillingCountryCode")
        assert (shown["BillingCountry"], shown["BillingCountryCode"]) == (None, None)
        assert world.refused(made, ShippingState="California")[0] == "FIELD_INTEGRITY_EXCEPTION"
