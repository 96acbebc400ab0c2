"""Values that look as if they fitted: counted, read and compared the way Salesforce does."""

from dataclasses import replace

import pytest

from icp_sync.simulator.salesforce.schema import Choice
from tests.simulator.salesforce.org_world import ACCOUNTS, QUIET, ROWS, an_org


@pytest.fixture
def world():
    with an_org() as running:
        yield running


def offer(world, values):
    """Let the multi-select picklist have these values."""
    known = world.org.accounts.field("ICP_Flags__c")
    choices = tuple(Choice(value=one, label=one) for one in values)
    world.org.accounts.add_field(replace(known, choices=choices))


def test_an_account_has_at_most_a_hundred_values_of_a_multi_select(world):
    account, values = world.make(), [f"v{n}" for n in range(101)]
    offer(world, values)
    assert world.update((account, {"ICP_Flags__c": ";".join(values[:100])}))[1][0]["success"]
    code, _, fields = world.refused(account, ICP_Flags__c=";".join(values))
    assert (code, fields) == ("TOO_MANY_ENUM_VALUE", ["ICP_Flags__c"])


def test_the_values_of_a_multi_select_have_four_thousand_and_ninety_nine_characters_together(world):
    account, values = world.make(), [letter * 255 for letter in "abcdefghijklmnop"] + ["q", "rs"]
    offer(world, values)
    longest = ";".join(values[:16])
    assert len(longest) == 4_095
    assert world.update((account, {"ICP_Flags__c": f"{longest};rs"}))[1][0]["success"]
    assert world.refused(account, ICP_Flags__c=f"{longest};q;rs")[0] == "STRING_TOO_LONG"


@pytest.mark.parametrize(("field", "most"), [("ICP_Key__c", 40), ("ICP_Reasons__c", 100), ("Industry", 255)])
def test_an_emoji_counts_as_two(world, field, most):
    account, half = world.make(), "\N{GRINNING FACE}" * (most // 2)
    assert world.update((account, {field: half}))[1][0]["success"]
    assert world.refused(account, **{field: half + "\N{GRINNING FACE}"})[0] == "STRING_TOO_LONG"


def test_a_unique_value_stands_once_in_a_collection_too(world):
    first, second, third = (world.make(Name=f"n{n}") for n in range(3))
    key = {"ICP_Key__c": "Same"}
    _, rows = world.update((first, key), (second, {"ICP_Key__c": "SAME"}), (third, {"ICP_Key__c": "other"}))
    assert [row["success"] for row in rows] == [True, False, True]
    assert rows[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    new = [{"attributes": {"type": "Account"}, "Name": "New", "ICP_Key__c": "fresh"} for _ in range(2)]
    _, rows = world.json("POST", ROWS, {"records": new})
    assert [row["success"] for row in rows] == [True, False]


@pytest.mark.parametrize("text", ["a\x00b", "a\x07b", "\x1b[0m", "\ud83d"])
def test_a_text_with_control_characters_spoils_the_whole_request(world, text):
    first, second = world.make(), world.make(Name="Other")
    status, body = world.update((first, {"Site": "good"}), (second, {"Site": text}))
    assert (status, body[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert world.shown(first, "Site")["Site"] is None
    assert world.update((first, {"ICP_Reasons__c": "tab\tand\nlines"}))[1][0]["success"]


@pytest.mark.parametrize("extra", [{"SITE": "y"}, {"Id": "001000000000000AAA"}])
def test_a_field_named_twice_in_a_row_spoils_the_whole_request(world, extra):
    account = world.make()
    status, body = world.update((account, {"Site": "x", **extra}))
    assert (status, body[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert world.shown(account, "Site")["Site"] is None


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json", None])
def test_json_that_does_not_say_it_is_json_is_not_read(world, kind):
    account = world.make()
    headers = QUIET | ({"Content-Type": kind} if kind else {})
    rows = f'{{"records":[{{"attributes":{{"type":"Account"}},"id":"{account}","Site":"x"}}]}}'
    asked = [("PATCH", ROWS, rows), ("PATCH", f"{ACCOUNTS}/{account}", '{"Site": "x"}')]
    asked += [("POST", f"{ROWS}/Account", "{}"), ("POST", "jobs/query", '{"operation": "query"}')]
    for method, path, text in asked:
        answer = world.call(method, path, data=text.encode(), headers=headers)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert world.shown(account, "Site")["Site"] is None
    good = QUIET | {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert world.call("PATCH", ROWS, data=rows.encode(), headers=good).json()[0]["success"]


def test_the_parts_of_a_composite_request_are_json_without_saying_so(world):
    account = world.make()
    part = {
        "method": "PATCH",
        "url": f"{ACCOUNTS}/{account}",
        "referenceId": "one",
        "body": {"Site": "x"},
    }
    _, body = world.json("POST", "composite", {"compositeRequest": [part]})
    assert body["compositeResponse"][0]["httpStatusCode"] == 204


def test_without_an_order_even_a_handful_of_records_comes_in_none(world):
    made = sorted(world.make(Name=f"n{n}") for n in range(8))
    _, body = world.json("GET", "query", params={"q": "SELECT Id FROM Account"})
    found = [row["Id"] for row in body["records"]]
    assert sorted(found) == made
    assert found != made
    _, body = world.json("GET", "query", params={"q": "SELECT Id FROM Account ORDER BY Id"})
    assert [row["Id"] for row in body["records"]] == made
