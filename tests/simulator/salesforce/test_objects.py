"""Single records over REST, by id or external id, with conditions or without."""

import pytest

from icp_sync.simulator.salesforce import recycling
from tests.simulator.salesforce.org_world import ACCOUNTS, NOON, QUIET, an_org


@pytest.fixture
def world():
    with an_org() as running:
        yield running


def stamps(world, record_id):
    shown = world.shown(record_id, "SystemModstamp", "LastModifiedDate", "LastModifiedById")
    return shown["SystemModstamp"], shown["LastModifiedDate"], shown["LastModifiedById"]


def test_a_new_record_answers_with_its_id_and_belongs_to_whoever_made_it(world):
    status, body = world.json("POST", "sobjects/Account/", {"Name": "Acme", "NumberOfEmployees": 120})
    assert status == 201
    assert body == {"id": body["id"], "success": True, "errors": []}
    assert len(body["id"]) == 18
    shown = world.shown(body["id"], "Name", "NumberOfEmployees", "OwnerId", "IsDeleted")
    assert (shown["Name"], shown["NumberOfEmployees"], shown["IsDeleted"]) == ("Acme", 120, False)
    assert shown["OwnerId"] == world.org.integration.id


def test_a_record_says_its_type_and_address_in_the_version_asked_for(world):
    made = world.make()
    _, body = world.json("GET", f"/services/data/v60.0/sobjects/account/{made}", params={"fields": "name"})
    assert body == {
        "attributes": {"type": "Account", "url": f"/services/data/v60.0/sobjects/Account/{made}"},
        "Name": "Acme",
        "Id": made,
    }


def test_without_fields_everything_readable_is_shown(world):
    world.org.rights.visible_fields.clear()
    shown = world.shown(world.make())
    assert {"Name", "Industry", "SystemModstamp", "MasterRecordId"} <= set(shown)
    assert "ICP_Tier__c" not in shown


def test_a_record_is_found_by_its_fifteen_character_id(world):
    made = world.make()
    assert world.shown(made[:15], "Name")["Id"] == made


@pytest.mark.parametrize("field", ["Nmae", "ICP_Tier__c"])
def test_a_field_that_is_not_there_or_hidden_refuses_the_reading(world, field):
    made = world.make()
    world.org.rights.visible_fields.clear()
    status, body = world.json("GET", f"{ACCOUNTS}/{made}", params={"fields": f"Name,{field}"})
    assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert field in body[0]["message"]


@pytest.mark.parametrize("record_id", ["nonsense", "001000000000000AAA", "003000000000000AAA"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_id_nobody_has_is_not_found(world, method, record_id):
    status, body = world.json(method, f"{ACCOUNTS}/{record_id}", {"Name": "x"} if method == "PATCH" else None)
    assert (status, body[0]["errorCode"]) == (404, "NOT_FOUND")


def test_an_object_nobody_has_is_not_found_out_about(world):
    status, body = world.json("GET", "sobjects/Wombat/001000000000000AAA")
    assert (status, body[0]["errorCode"]) == (400, "INVALID_TYPE")


def test_an_update_answers_with_nothing_and_moves_the_stamps(world):
    made = world.make()
    world.pass_by(5)
    status, body = world.json("PATCH", f"{ACCOUNTS}/{made}", {"Site": "HQ", "phone": "1"})
    assert (status, body) == (204, None)
    assert world.shown(made, "Site", "Phone") == {"Site": "HQ", "Phone": "1", "Id": made}
    assert stamps(world, made)[:2] == ("2026-11-21T12:00:05.000+0000",) * 2


@pytest.mark.parametrize("values", [{"Site": "HQ"}, {}])
def test_an_update_that_changes_nothing_moves_the_stamps_all_the_same(world, values):
    made = world.make(Site="HQ")
    world.edit(made, Rating="Hot")
    before = stamps(world, made)
    world.pass_by(3)
    assert world.json("PATCH", f"{ACCOUNTS}/{made}", values)[0] == 204
    after = stamps(world, made)
    assert after == ("2026-11-21T12:00:03.000+0000", "2026-11-21T12:00:03.000+0000", world.org.integration.id)
    assert after != before


def test_stamps_have_whole_seconds(world):
    world.pass_by(0.9)
    made = world.make()
    assert stamps(world, made)[0] == "2026-11-21T12:00:00.000+0000"


def test_the_id_does_not_belong_into_the_body_of_an_update(world):
    made = world.make()
    status, body = world.json("PATCH", f"{ACCOUNTS}/{made}", {"Id": made, "Site": "HQ"})
    assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_a_row_error_comes_as_the_refusal_of_the_request(world):
    made = world.make()
    status, body = world.json("PATCH", f"{ACCOUNTS}/{made}", {"ICP_Tier__c": "Z"})
    assert status == 400
    assert body == [
        {
            "message": "ICP Tier: bad value for restricted picklist field: Z",
            "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "fields": ["ICP_Tier__c"],
        }
    ]


def test_a_read_only_record_is_forbidden_and_a_hidden_one_is_nowhere(world):
    read_only, hidden = world.make(), world.make()
    world.org.read_only.add(world.place_of(read_only))
    world.org.hidden.add(world.place_of(hidden))
    status, body = world.json("PATCH", f"{ACCOUNTS}/{read_only}", {"Site": "x"})
    assert (status, body[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert world.json("GET", f"{ACCOUNTS}/{hidden}")[0] == 404
    status, body = world.json("PATCH", f"{ACCOUNTS}/{hidden}", {"Site": "x"})
    assert (status, body[0]["errorCode"]) == (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")


# -- an open transaction


def test_an_open_transaction_shows_the_old_values_and_locks_the_row(world):
    made = world.make(Site="old")
    world.pass_by(10)
    world.edit(made, Site="new", late=600)
    assert world.shown(made, "Site", "SystemModstamp") == {
        "Site": "old",
        "SystemModstamp": "2026-11-21T12:00:00.000+0000",
        "Id": made,
    }
    status, body = world.json("PATCH", f"{ACCOUNTS}/{made}", {"Phone": "1"})
    assert (status, body[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    world.pass_by(600)
    assert world.shown(made, "Site", "SystemModstamp", "Phone") == {
        "Site": "new",
        "SystemModstamp": "2026-11-21T12:00:10.000+0000",
        "Phone": None,
        "Id": made,
    }
    assert world.json("PATCH", f"{ACCOUNTS}/{made}", {"Phone": "1"})[0] == 204


def test_what_an_open_transaction_makes_is_not_there_yet(world):
    with world.org.lock:
        accounts = world.org.accounts
        made = accounts.id_of(accounts.create({"Name": "Late"}, recycling.Source("UI"), late=60_000))
    assert world.json("GET", f"{ACCOUNTS}/{made}")[0] == 404
    assert world.json("PATCH", f"{ACCOUNTS}/{made}", {"Site": "x"})[0] == 404
    world.pass_by(60)
    assert world.shown(made, "Name")["Name"] == "Late"


# -- conditional requests


def test_an_account_has_a_tag_that_changes_with_it(world):
    made = world.make()
    first = world.call("GET", f"{ACCOUNTS}/{made}")
    tag = first.headers["ETag"]
    assert first.headers["Last-Modified"] == "Sat, 21 Nov 2026 12:00:00 GMT"
    again = world.call("GET", f"{ACCOUNTS}/{made}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert (
        world.json("PATCH", f"{ACCOUNTS}/{made}", {"Site": "a"}, headers=QUIET | {"If-Match": tag})[0] == 204
    )
    late = world.json("PATCH", f"{ACCOUNTS}/{made}", {"Site": "b"}, headers=QUIET | {"If-Match": tag})
    assert late == (412, None)
    assert world.shown(made, "Site")["Site"] == "a"
    assert world.call("GET", f"{ACCOUNTS}/{made}", headers={"If-None-Match": tag}).status_code == 200


def test_other_objects_have_no_tags(world):
    made = world.make("Contact", LastName="Doe")
    answer = world.call("GET", f"sobjects/Contact/{made}", headers={"If-Match": '"no tag of mine"'})
    assert answer.status_code == 200
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("method", "header", "seconds", "status"),
    [
        ("GET", "If-Modified-Since", -1, 200),
        ("GET", "If-Modified-Since", 0, 304),
        ("PATCH", "If-Modified-Since", 0, 412),
        ("PATCH", "If-Modified-Since", -1, 204),
        ("PATCH", "If-Unmodified-Since", 0, 204),
        ("PATCH", "If-Unmodified-Since", -1, 412),
        ("GET", "If-Unmodified-Since", -1, 412),
    ],
)
def test_dates_count_in_whole_seconds_from_the_last_modification(world, method, header, seconds, status):
    from email.utils import formatdate

    world.pass_by(0.7)
    made = world.make()
    when = formatdate(NOON + seconds, usegmt=True)
    body = {"Site": "x"} if method == "PATCH" else None
    assert world.json(method, f"{ACCOUNTS}/{made}", body, headers=QUIET | {header: when})[0] == status


@pytest.mark.parametrize("text", ["yesterday", "2026-11-21T12:00:00Z", "Sat, 31 Feb 2026 12:00:00 GMT"])
def test_a_date_that_is_none_is_refused_not_ignored(world, text):
    made = world.make()
    headers = QUIET | {"If-Unmodified-Since": text}
    assert world.json("PATCH", f"{ACCOUNTS}/{made}", {"Site": "x"}, headers=headers)[0] == 400
    assert world.shown(made, "Site")["Site"] is None


# -- external ids


def test_a_record_is_read_written_and_deleted_by_its_external_id(world):
    path = "sobjects/Account/ICP_Key__c/k-1"
    assert world.json("GET", path)[0] == 404
    status, body = world.json("PATCH", path, {"Name": "Acme"})
    assert (status, body["created"]) == (201, True)
    status, again = world.json("PATCH", path, {"Site": "HQ"})
    assert (status, again["created"], again["id"]) == (200, False, body["id"])
    assert world.json("GET", path, params={"fields": "Site"})[1]["Site"] == "HQ"
    assert world.json("DELETE", path)[0] == 204
    assert world.json("GET", path)[0] == 404


def test_several_records_of_one_external_id_are_a_choice(world):
    made = [world.make(), world.make()]
    for one in made:
        world.edit(one, ICP_Key__c="same")
    status, body = world.json("GET", "sobjects/Account/ICP_Key__c/SAME")
    assert (status, sorted(body)) == (300, sorted(f"{ACCOUNTS}/{one}" for one in made))


def test_a_field_that_is_no_external_id_leads_nowhere(world):
    assert world.json("GET", "sobjects/Account/Name/Acme")[0] == 404


# -- deals


def test_a_stage_says_whether_a_deal_is_closed_won_and_how_likely(world):
    deal = world.make("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2027-01-31")
    fields = ("IsClosed", "IsWon", "Probability", "ForecastCategory")
    assert world.shown(deal, *fields, kind="Opportunity") == {
        "IsClosed": False,
        "IsWon": False,
        "Probability": 10.0,
        "ForecastCategory": "Pipeline",
        "Id": deal,
    }
    world.json("PATCH", f"sobjects/Opportunity/{deal}", {"Probability": 35})
    assert world.shown(deal, "Probability", kind="Opportunity")["Probability"] == 35.0
    world.pass_by(5)
    world.json("PATCH", f"sobjects/Opportunity/{deal}", {"StageName": "Closed Won"})
    shown = world.shown(deal, *fields, "LastStageChangeDate", kind="Opportunity")
    assert (shown["IsClosed"], shown["IsWon"], shown["Probability"]) == (True, True, 100.0)
    assert shown["LastStageChangeDate"] == "2026-11-21T12:00:05.000+0000"
    status, body = world.json("PATCH", f"sobjects/Opportunity/{deal}", {"IsWon": False})
    assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
