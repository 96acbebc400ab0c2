"""Batches and their partial failures."""

import pytest
from simulator_client import COMPANIES, DATED, batch_input


def read(client, *ids, path=COMPANIES, **more):
    return client.post(f"{path}/batch/read", {"inputs": [{"id": i} for i in ids], **more})


def test_a_batch_read_gives_the_found_and_one_error_for_all_missing(client):
    made = client.make(name="Acme", city="Oslo")
    status, body = read(client, made, "1", "2", properties=["city"])
    assert (status, body["status"], body["numErrors"]) == (207, "COMPLETE", 1)
    assert [c["properties"]["city"] for c in body["results"]] == ["Oslo"]
    [error] = body["errors"]
    assert error["category"] == "OBJECT_NOT_FOUND"
    assert error["context"] == {"ids": ["1", "2"]}
    assert error["message"].startswith("Could not get some COMPANY objects")


def test_on_2026_09_errors_come_inside_a_200_unless_switched(crm, client):
    made = client.make(name="Acme")
    status, body = read(client, made, "1", path=DATED)
    assert (status, body["numErrors"]) == (200, 1)
    crm.admin("POST settings", dated_batch_207=True)
    assert read(client, made, "1", path=DATED)[0] == 207


@pytest.mark.parametrize(
    ("count", "history", "words"), [(101, [], "is 100."), (51, ["name"], "property histories is 50")]
)
def test_a_batch_has_a_greatest_size(client, count, history, words):
    status, body = read(client, *map(str, range(count)), propertiesWithHistory=history)
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert words in body["message"]


def test_archived_companies_are_read_in_a_batch_only_when_asked_for(client):
    made = client.make(name="Acme")
    client.delete(f"{COMPANIES}/{made}")
    assert read(client, made)[1]["results"] == []
    _, body = client.json(
        "POST", f"{COMPANIES}/batch/read", {"inputs": [{"id": made}]}, params={"archived": "true"}
    )
    assert [c["id"] for c in body["results"]] == [made]


def test_results_of_a_batch_come_in_another_order(client):
    ids = [client.make(name=f"n{n}") for n in range(30)]
    _, body = client.update(*((i, {"city": "Oslo"}) for i in ids))
    results = [c["id"] for c in body["results"]]
    assert results != ids
    assert sorted(results) == sorted(ids)


def test_an_unknown_id_fails_alone_and_brings_its_trace_back(client):
    made = client.make(name="Acme")
    status, body = client.update((made, {"city": "Oslo"}, "a"), ("1", {"city": "Oslo"}, "b"))
    assert status == 207
    assert body["errors"][0]["context"] == {"ids": ["1"], "objectWriteTraceId": ["b"]}
    assert client.company(made, "city")["city"] == "Oslo"


def test_an_archived_id_fails_like_an_unknown_one(client):
    made = client.make(name="Acme")
    client.delete(f"{COMPANIES}/{made}")
    status, body = client.update((made, {"city": "Oslo"}))
    assert (status, body["results"]) == (207, [])


def test_a_merged_away_id_is_dropped_in_silence(client):
    survivor, other = client.make(name="a"), client.make(name="b")
    client.post(f"{COMPANIES}/merge", {"primaryObjectId": survivor, "objectIdToMerge": other})
    status, body = client.update((other, {"city": "Oslo"}, "t"))
    assert (status, body["results"]) == (200, [])
    assert "errors" not in body
    assert client.company(survivor, "city")["city"] is None


@pytest.mark.parametrize("follows", [False, True])
def test_whether_a_batch_read_follows_a_merge_is_a_switch(crm, client, follows):
    crm.admin("POST settings", batch_read_follows_merges=follows)
    survivor, other = client.make(name="a"), client.make(name="b")
    client.post(f"{COMPANIES}/merge", {"primaryObjectId": survivor, "objectIdToMerge": other})
    assert [c["id"] for c in read(client, other)[1]["results"]] == ([survivor] if follows else [])


@pytest.mark.parametrize("trace", [None, "t"])
def test_the_same_id_twice_refuses_the_batch(client, trace):
    made = client.make(name="Acme")
    status, body = client.update((made, {"city": "a"}, trace), (made, {"city": "b"}, trace and "u"))
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert body["message"] == f"Duplicate IDs found in batch input: [{made}]. IDs must be unique"
    assert body["context"] == {"ids": [made]}
    assert client.company(made, "city")["city"] is None


@pytest.mark.parametrize(
    ("answers_207", "traces", "status"),
    [
        (False, "ab", 400),
        (True, "ab", 207),
        (True, "aa", 400),
        (True, [None, None], 400),
        (True, ["a", None], 400),
    ],
)
def test_an_invalid_value_refuses_the_whole_update_unless_switched_and_traced(
    crm, client, answers_207, traces, status
):
    crm.admin("POST settings", update_validation_207=answers_207)
    good, bad = client.make(name="a"), client.make(name="b")
    got, body = client.update((good, {"city": "Oslo"}, traces[0]), (bad, {"industry": "Tech"}, traces[1]))
    assert got == status
    assert client.company(good, "city")["city"] == ("Oslo" if status == 207 else None)
    if status == 207:
        [error] = body["errors"]
        assert error["category"] == "VALIDATION_ERROR"
        assert error["context"]["objectWriteTraceId"] == ["b"]
        assert error["errors"][0]["code"] == "INVALID_OPTION"


@pytest.mark.parametrize(("traces", "status", "made"), [("ab", 207, 1), ([None, None], 400, 0)])
def test_a_batch_create_fails_in_part_only_with_traces(client, traces, status, made):
    inputs = [
        batch_input("", {"name": "good"}, traces[0]),
        batch_input("", {"nope": "bad"}, traces[1]),
    ]
    assert client.post(f"{COMPANIES}/batch/create", {"inputs": inputs})[0] == status
    assert len(client.get(COMPANIES)[1]["results"]) == made


def test_a_batch_create_makes_all(client):
    inputs = [{"properties": {"name": f"n{n}"}} for n in range(3)]
    status, body = client.post(f"{COMPANIES}/batch/create", {"inputs": inputs})
    assert status == 201
    assert {c["properties"]["name"] for c in body["results"]} == {"n0", "n1", "n2"}


def test_an_upsert_needs_a_unique_property_and_domain_is_none(client):
    one = {"id": "acme.example", "idProperty": "domain", "properties": {"name": "Acme"}}
    status, body = client.post(f"{COMPANIES}/batch/upsert", {"inputs": [one]})
    assert status == 400
    assert body["message"] == "Unable to perform update/upsert by non-unique 0-2 property domain"


def test_an_upsert_by_a_unique_property_says_what_is_new(client):
    definition = {"label": "X", "type": "string", "fieldType": "text", "groupName": "companyinformation"}
    client.post("/crm/v3/properties/companies", {"name": "x_id", "hasUniqueValue": True, **definition})
    client.make(x_id="1")
    inputs = [{"id": i, "idProperty": "x_id", "properties": {"name": f"n{i}"}} for i in ("1", "2")]
    status, body = client.post(f"{COMPANIES}/batch/upsert", {"inputs": inputs})
    assert status == 200
    assert {c["properties"]["name"]: c["new"] for c in body["results"]} == {"n1": False, "n2": True}
    assert client.get(f"{COMPANIES}/2", idProperty="x_id")[1]["properties"]["name"] == "n2"


def test_a_batch_archive_takes_any_ids(client):
    made = client.make(name="Acme")
    assert client.post(f"{COMPANIES}/batch/archive", {"inputs": [{"id": made}, {"id": "1"}]})[0] == 204
    assert client.get(f"{COMPANIES}/{made}")[0] == 404


@pytest.mark.parametrize("inputs", [None, "x", [1], [{"id": "1", "properties": []}], [{"id": {}}]])
def test_inputs_of_the_wrong_shape_are_refused(client, inputs):
    status, body = client.post(f"{COMPANIES}/batch/update", {"inputs": inputs})
    assert status == (207 if inputs == [{"id": "1", "properties": []}] else 400), body
