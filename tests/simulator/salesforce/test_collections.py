"""sObject Collections and composite requests."""

import pytest

from tests.simulator.salesforce.org_world import ACCOUNTS, DATA, QUIET, ROWS, an_org


@pytest.fixture
def world():
    with an_org() as running:
        yield running


def account(**values):
    return {"attributes": {"type": "Account"}, **values}


def retrieve(world, ids, *fields, kind="Account"):
    return world.json("POST", f"{ROWS}/{kind}", {"ids": ids, "fields": list(fields)})


# -- reading


def test_records_come_in_the_order_asked_for_and_null_where_there_is_none(world):
    first, second, gone, hidden = (world.make(Name=f"n{n}") for n in range(4))
    world.json("DELETE", f"{ACCOUNTS}/{gone}")
    world.org.hidden.add(world.place_of(hidden))
    asked = [second, gone, first, "001000000000000AAA", hidden, "nonsense", second[:15]]
    status, body = retrieve(world, asked, "Id", "Name")
    assert status == 200
    assert [one and one["Id"] for one in body] == [second, None, first, None, None, None, second]
    assert body[0]["attributes"]["type"] == "Account"


def test_reading_shows_what_is_committed(world):
    made = world.make(Site="old")
    world.edit(made, Site="new", late=60)
    assert retrieve(world, [made], "Site")[1][0]["Site"] == "old"
    world.pass_by(60)
    assert retrieve(world, [made], "Site")[1][0]["Site"] == "new"


def test_a_short_list_can_stand_in_the_address(world):
    first, second = world.make(), world.make()
    query = {"ids": f"{second},{first}", "fields": "Id"}
    assert [one["Id"] for one in world.json("GET", f"{ROWS}/Account", params=query)[1]] == [second, first]


@pytest.mark.parametrize(
    ("ids", "fields", "code"),
    [
        (["001000000000000AAA"], ["Nmae"], "INVALID_FIELD"),
        (["001000000000000AAA"], ["Owner.Name"], "INVALID_FIELD"),
        (["001000000000000AAA"], [], "MISSING_ARGUMENT"),
        ([], ["Name"], "MISSING_ARGUMENT"),
        ("001000000000000AAA", ["Name"], "JSON_PARSER_ERROR"),
        (["001000000000000AAA"] * 2_001, ["Name"], "EXCEEDED_ID_LIMIT"),
    ],
)
def test_a_reading_that_cannot_be_answered_is_refused_whole(world, ids, fields, code):
    status, body = world.json("POST", f"{ROWS}/Account", {"ids": ids, "fields": fields})
    assert (status, body[0]["errorCode"]) == (400, code)


def test_two_thousand_records_can_be_read_at_once(world):
    made = world.make()
    status, body = retrieve(world, [made] * 2_000, "Name")
    assert (status, len(body)) == (200, 2_000)


# -- writing


def test_results_of_an_update_come_in_the_order_of_the_rows_with_errors_in_their_places(world):
    good, bad, gone = world.make(), world.make(), world.make()
    world.json("DELETE", f"{ACCOUNTS}/{gone}")
    status, body = world.update(
        (bad, {"ICP_Tier__c": "Z"}), (good, {"Site": "a"}), (gone, {"Site": "b"}), ("001000000000000AAA", {})
    )
    assert status == 200
    assert [row["success"] for row in body] == [False, True, False, False]
    assert body[1] == {"id": good, "success": True, "errors": []}
    assert [row["errors"][0]["statusCode"] for row in body if row["errors"]] == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert world.shown(good, "Site")["Site"] == "a"


@pytest.mark.parametrize("named", [False, True])
def test_whether_a_failed_row_names_its_id_is_a_switch(named):
    with an_org(failed_row_has_id=named) as world:
        made = world.make()
        [row] = world.update((made, {"ICP_Tier__c": "Z"}))[1]
        assert row.get("id") == (made if named else None)


def test_of_two_rows_for_one_record_the_second_fails(world):
    made = world.make()
    _, body = world.update((made, {"Site": "a"}), (made[:15], {"Site": "b"}))
    assert [row["success"] for row in body] == [True, False]
    assert body[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert world.shown(made, "Site")["Site"] == "a"


def test_all_or_none_leaves_everything_when_one_row_fails(world):
    good, bad = world.make(Site="old"), world.make()
    rows = ((good, {"Site": "new"}), (bad, {"ICP_Tier__c": "Z"}))
    _, body = world.update(*rows, allOrNone=True)
    assert [row["errors"][0]["statusCode"] for row in body] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ]
    assert world.shown(good, "Site")["Site"] == "old"
    assert all(row["success"] for row in world.update(rows[0], allOrNone=True)[1])
    assert world.shown(good, "Site")["Site"] == "new"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (account(NumberOfEmployees="many"), "JSON_PARSER_ERROR"),
        (account(Nmae="x"), "INVALID_FIELD"),
        ({"Name": "x"}, "INVALID_INPUT"),
        ("x", "INVALID_INPUT"),
        ({"attributes": {"type": "Wombat"}, "Name": "x"}, "INVALID_TYPE"),
    ],
)
def test_a_row_that_cannot_be_understood_refuses_the_whole_request(world, record, code):
    good = world.make(Site="old")
    if isinstance(record, dict):
        record = record | {"id": world.make()}
    body = {"records": [account(id=good, Site="new"), record]}
    status, errors = world.json("PATCH", ROWS, body)
    assert (status, errors[0]["errorCode"]) == (400, code)
    assert world.shown(good, "Site")["Site"] == "old"


@pytest.mark.parametrize("body", [{}, {"records": {}}, []])
def test_a_body_without_rows_is_refused(world, body):
    status, errors = world.json("PATCH", ROWS, body)
    assert (status, errors[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_request_takes_two_hundred_rows(world):
    made = world.make()
    rows = [account(id=made, Site="x")] * 201
    status, body = world.json("PATCH", ROWS, {"records": rows})
    assert (status, body[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    assert world.json("PATCH", ROWS, {"records": rows[:200]})[0] == 200


def test_a_request_takes_ten_chunks_of_one_type_each(world):
    one, other = world.make(), world.make("Contact", LastName="Doe")
    pair = [account(id=one), {"attributes": {"type": "Contact"}, "id": other}]
    assert world.json("PATCH", ROWS, {"records": pair * 5})[0] == 200
    status, body = world.json("PATCH", ROWS, {"records": [*pair * 5, pair[0]]})
    assert (status, body[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_rows_are_made_and_deleted_in_order(world):
    new = [account(Name="a"), account(Site="no name"), account(Name="c")]
    status, body = world.json("POST", ROWS, {"records": new})
    assert status == 200
    assert [row["success"] for row in body] == [True, False, True]
    assert body[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    ids = [row["id"] for row in body if row["success"]]
    query = {"ids": ",".join([*ids, "001000000000000AAA", "nonsense"]), "allOrNone": "false"}
    status, gone = world.json("DELETE", ROWS, params=query)
    assert [row["success"] for row in gone] == [True, True, False, False]
    assert retrieve(world, ids, "Id")[1] == [None, None]


def test_read_only_invisible_and_locked_rows_fail_alone(world):
    good, read_only, hidden, locked = (world.make() for _ in range(4))
    world.org.read_only.add(world.place_of(read_only))
    world.org.hidden.add(world.place_of(hidden))
    world.edit(locked, Rating="Hot", late=60)
    _, body = world.update(*((one, {"Site": "x"}) for one in (good, read_only, hidden, locked)))
    assert [row["success"] for row in body] == [True, False, False, False]
    assert [row["errors"][0]["statusCode"] for row in body[1:]] == [
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "UNABLE_TO_LOCK_ROW",
    ]


def test_rows_below_a_locked_parent_can_be_locked_too():
    with an_org(lock_accounts_by_parent=True) as world:
        parent = world.make()
        below = world.make(ParentId=parent)
        world.edit(parent, Rating="Hot", late=60)
        assert world.refused(below, Site="x")[0] == "UNABLE_TO_LOCK_ROW"


def test_a_fault_claims_that_every_row_is_locked(world):
    made = world.make(Site="old")
    world.org.faults.add({"kind": "unable_to_lock_row", "match": "PATCH composite/sobjects", "count": 1})
    assert world.refused(made, Site="new")[0] == "UNABLE_TO_LOCK_ROW"
    assert world.shown(made, "Site")["Site"] == "old"
    assert world.update((made, {"Site": "new"}))[1][0]["success"] is True


# -- several requests in one


def part(name, method, path, body=None, **more):
    return {"referenceId": name, "method": method, "url": f"{DATA}/{path}", **more} | (
        {} if body is None else {"body": body}
    )


def test_parts_of_a_composite_refer_to_earlier_ones(world):
    parts = [
        part("Parent", "POST", "sobjects/Account", {"Name": "Parent"}),
        part("Below", "POST", "sobjects/Account", {"Name": "Below", "ParentId": "@{Parent.id}"}),
        part("Seen", "GET", "sobjects/Account/@{Below.id}?fields=ParentId"),
        part("Wrong", "GET", "sobjects/Account/@{Nobody.id}"),
        part("Many", "POST", "composite/sobjects/Account", {"ids": ["@{Parent.id}"], "fields": ["Name"]}),
    ]
    status, body = world.json("POST", "composite", {"compositeRequest": parts})
    assert status == 200
    answers = {one["referenceId"]: one for one in body["compositeResponse"]}
    assert [one["httpStatusCode"] for one in body["compositeResponse"]] == [201, 201, 200, 400, 200]
    assert answers["Seen"]["body"]["ParentId"] == answers["Parent"]["body"]["id"]
    assert answers["Many"]["body"][0]["Name"] == "Parent"


@pytest.mark.parametrize(("honoured", "status"), [(False, 204), (True, 412)])
def test_whether_a_part_may_bring_conditions_of_its_own_is_a_switch(honoured, status):
    with an_org(composite_headers=honoured) as world:
        made = world.make()
        headers = {"If-Unmodified-Since": "Sat, 21 Nov 2026 11:59:59 GMT", "Sforce-Auto-Assign": "FALSE"}
        one = part("A", "PATCH", f"sobjects/Account/{made}", {"Site": "x"}, httpHeaders=headers)
        _, body = world.json("POST", "composite", {"compositeRequest": [one]})
        assert body["compositeResponse"][0]["httpStatusCode"] == status
        assert len(world.org.tripwire) == (0 if honoured else 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"compositeRequest": []},
        {"compositeRequest": ["x"]},
        {"compositeRequest": [part(f"p{n}", "GET", "limits") for n in range(26)]},
        {"compositeRequest": [part("same", "GET", "limits")] * 2},
        {"compositeRequest": [part("a b", "GET", "limits")]},
    ],
)
def test_a_composite_that_is_none_is_refused(world, body):
    assert world.json("POST", "composite", body)[0] == 400


def test_a_composite_that_falls_as_a_whole_leaves_nothing_behind(world):
    made, gone = world.make(Site="old"), world.make()
    contact = world.make("Contact", LastName="Doe", AccountId=gone)
    world.pass_by(10)
    parts = [
        part("New", "POST", "sobjects/Account", {"Name": "New", "ICP_Key__c": "k"}),
        part("Changed", "PATCH", f"sobjects/Account/{made}", {"Site": "new"}),
        part("Gone", "DELETE", f"sobjects/Account/{gone}"),
        part("Bad", "PATCH", f"sobjects/Account/{made}", {"ICP_Tier__c": "Z"}),
    ]
    _, body = world.json("POST", "composite", {"allOrNone": True, "compositeRequest": parts})
    codes = [one["body"][0]["errorCode"] for one in body["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED"] * 3 + ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    assert world.json("GET", "sobjects/Account/ICP_Key__c/k")[0] == 404
    assert world.shown(made, "Site", "SystemModstamp") == {
        "Site": "old",
        "SystemModstamp": "2026-11-21T12:00:00.000+0000",
        "Id": made,
    }
    assert world.shown(gone, "IsDeleted")["IsDeleted"] is False
    assert world.shown(contact, "IsDeleted", kind="Contact")["IsDeleted"] is False
    assert [one["id"] for one in rows_updated(world)] == sorted([made, gone])
    _, body = world.json("POST", "composite", {"allOrNone": True, "compositeRequest": parts[:2]})
    assert [one["httpStatusCode"] for one in body["compositeResponse"]] == [201, 204]
    assert world.shown(made, "Site")["Site"] == "new"


def rows_updated(world):
    """What discovery by stamp sees."""
    org = world.org
    return [
        {"id": org.accounts.id_of(one)} for one in org.accounts.rows(org.integration, stamped=(0, 1 << 60))
    ]


def test_parts_that_lead_nowhere_fail_alone(world):
    parts = [
        part("A", "GET", "nowhere"),
        {"referenceId": "B", "method": "GET", "url": "https://example.com/x"},
        part("C", "PUT", "limits"),
        part("D", "GET", "jobs/ingest"),
        part("E", "GET", "limits"),
    ]
    _, body = world.json("POST", "composite", {"compositeRequest": parts})
    assert [one["httpStatusCode"] for one in body["compositeResponse"]] == [404, 400, 405, 400, 200]


def test_a_batch_stops_at_a_failure_only_when_told_to(world):
    made = world.make()
    requests = [
        {"method": "PATCH", "url": f"v66.0/sobjects/Account/{made}", "richInput": {"ICP_Tier__c": "Z"}},
        {"method": "PATCH", "url": f"v66.0/sobjects/Account/{made}", "richInput": {"Site": "x"}},
    ]
    status, body = world.json("POST", "composite/batch", {"batchRequests": requests, "haltOnError": True})
    assert (status, body["hasErrors"]) == (200, True)
    assert [one["statusCode"] for one in body["results"]] == [400, 412]
    assert world.shown(made, "Site")["Site"] is None
    _, body = world.json("POST", "composite/batch", {"batchRequests": requests}, headers=QUIET)
    assert [one["statusCode"] for one in body["results"]] == [400, 204]
    assert world.shown(made, "Site")["Site"] == "x"
