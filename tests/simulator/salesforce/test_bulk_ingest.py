"""Bulk API 2.0 ingest jobs: their states, their rows, their results."""

import csv
import io

import pytest

from icp_sync.simulator.salesforce import bulk_csv, bulk_ingest, bulk_jobs
from tests.simulator.salesforce.org_world import an_org

JOBS = "jobs/ingest"


@pytest.fixture
def world():
    with an_org() as running:
        yield running


def opened(world, **options):
    status, body = world.json("POST", JOBS, {"object": "Account", "operation": "update", **options})
    assert status == 200, body
    return body


def put(world, job_id, text, content_type="text/csv"):
    body = text if isinstance(text, bytes) else text.encode()
    return world.call("PUT", f"{JOBS}/{job_id}/batches", data=body, headers={"Content-Type": content_type})


def close(world, job_id, state="UploadComplete"):
    return world.json("PATCH", f"{JOBS}/{job_id}", {"state": state})


def look(world, job_id):
    return world.json("GET", f"{JOBS}/{job_id}")[1]


def run(world, text, **options):
    """A job with this upload, at its end."""
    job_id = opened(world, **options)["id"]
    assert put(world, job_id, text).status_code == 201
    assert close(world, job_id)[0] == 200
    assert look(world, job_id)["state"] == "InProgress"
    return look(world, job_id)


def results(world, job, kind, delimiter=","):
    answer = world.call("GET", f"{JOBS}/{job['id']}/{kind}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), delimiter=delimiter))


def errors_of(world, job):
    return {row["sf__Id"]: row["sf__Error"] for row in results(world, job, "failedResults")}


def test_a_new_job_describes_itself_and_waits_for_its_upload(world):
    body = opened(world)
    assert body["id"].startswith("750")
    assert body | {"id": "", "contentUrl": ""} == {
        "id": "",
        "operation": "update",
        "object": "Account",
        "createdById": world.org.integration.id,
        "createdDate": "2026-11-21T12:00:00.000+0000",
        "systemModstamp": "2026-11-21T12:00:00.000+0000",
        "state": "Open",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 66.0,
        "contentUrl": "",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    assert body["contentUrl"] == f"services/data/v66.0/jobs/ingest/{body['id']}/batches"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"object": "Wombat", "operation": "update"}, "INVALIDENTITY"),
        ({"object": "Account"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "query"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "update", "lineEnding": "CR"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "update", "columnDelimiter": ","}, "INVALIDJOB"),
        ({"object": "Account", "operation": "update", "contentType": "XML"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert", "externalIdFieldName": "Name"}, "INVALIDJOB"),
    ],
)
def test_a_job_that_makes_no_sense_is_not_opened(world, body, code):
    status, errors = world.json("POST", JOBS, body)
    assert (status, errors[0]["errorCode"]) == (400, code)


def test_good_rows_land_and_bad_ones_are_told_apart(world):
    first, second, bad, gone = (world.make(Site="old", Phone="1") for _ in range(4))
    world.json("DELETE", f"sobjects/Account/{gone}")
    job = run(
        world,
        "Id,Site,Phone,ICP_Tier__c,ICP_Score__c\n"
        f'{first},new,,A,83.004\n{second},"two\nlines, ""quoted""",#N/A,,\n{bad},new,,Z,\n{gone},new,,,\n',
    )
    assert (job["state"], job["jobType"]) == ("JobComplete", "V2Ingest")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (4, 2)
    shown = world.shown(first, "Site", "Phone", "ICP_Tier__c", "ICP_Score__c")
    assert shown == {"Site": "new", "Phone": "1", "ICP_Tier__c": "A", "ICP_Score__c": 83.0, "Id": first}
    assert world.shown(second, "Site", "Phone") == {
        "Site": 'two\nlines, "quoted"',
        "Phone": None,
        "Id": second,
    }
    assert world.shown(bad, "Site")["Site"] == "old"
    done = results(world, job, "successfulResults")
    assert {row["sf__Id"]: row["sf__Created"] for row in done} == {first: "false", second: "false"}
    assert next(row for row in done if row["Id"] == second)["Site"] == 'two\nlines, "quoted"'
    assert errors_of(world, job) == {
        bad: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:ICP Tier: bad value for restricted picklist field: Z:"
        "ICP_Tier__c --",
        gone: "ENTITY_IS_DELETED:entity is deleted:--",
    }
    assert results(world, job, "unprocessedRecords") == []


@pytest.mark.parametrize(
    ("cell", "column", "code"),
    [
        ("many", "NumberOfEmployees", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("1.5", "NumberOfEmployees", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("yes", "ICP_Hold__c", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("#N/A", "ICP_Hold__c", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("tomorrow", "ICP_Scored_At__c", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("1000", "ICP_Score__c", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("#N/A", "Name", "REQUIRED_FIELD_MISSING"),
        ("2026-11-21T12:00:00.000Z", "CreatedDate", "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_cell_that_does_not_fit_fails_its_row_only(world, cell, column, code):
    good, bad = world.make(), world.make()
    job = run(world, f"Id,Site,{column}\n{good},new,\n{bad},new,{cell}\n")
    assert job["state"] == "JobComplete"
    assert world.shown(good, "Site")["Site"] == "new"
    [(record_id, error)] = errors_of(world, job).items()
    assert record_id == bad
    assert error.startswith(f"{code}:")
    assert error.endswith(f":{column} --")


def test_results_come_in_another_order(world):
    ids = [world.make() for _ in range(40)]
    job = run(world, "Id,Site\n" + "".join(f"{one},x\n" for one in ids))
    got = [row["Id"] for row in results(world, job, "successfulResults")]
    assert got != ids
    assert sorted(got) == sorted(ids)


def test_the_assignment_rules_run_whatever_headers_say(world):
    made = world.make()
    run(world, f"Id,Site\n{made},x\n")
    assert [entry["id"] for entry in world.org.tripwire] == [made]
    assert world.shown(made, "OwnerId")["OwnerId"] == world.person("territory.manager@sales.example")


def test_whether_they_run_is_a_switch():
    with an_org(bulk_auto_assign=False) as world:
        made = world.make()
        run(world, f"Id,Site\n{made},x\n")
        assert world.org.tripwire == []


def test_an_alert_concerns_only_rows_that_write_what_it_compares(world):
    one, _ = (world.make(Website="https://acme.example") for _ in range(2))
    assert run(world, f"Id,Site\n{one},x\n")["numberRecordsFailed"] == 0
    job = run(world, f"Id,Website\n{one},https://acme.example\n")
    assert errors_of(world, job)[one].startswith("DUPLICATES_DETECTED:")


def test_an_id_stands_once_and_an_update_needs_one(world):
    made = world.make()
    job = run(world, f"Id,Site\n{made},a\n{made[:15]},b\n,c\n")
    assert world.shown(made, "Site")["Site"] == "a"
    codes = sorted(error.split(":")[0] for error in errors_of(world, job).values())
    assert codes == ["DUPLICATE_VALUE", "MISSING_ARGUMENT"]


def test_a_locked_row_fails_and_the_others_land(world):
    good, locked = world.make(), world.make()
    world.edit(locked, Rating="Hot", late=60)
    job = run(world, f"Id,Site\n{good},x\n{locked},x\n")
    assert errors_of(world, job)[locked].startswith("UNABLE_TO_LOCK_ROW:")
    assert world.shown(good, "Site")["Site"] == "x"


def test_rows_are_inserted_upserted_and_deleted(world):
    job = run(world, "Name,ICP_Key__c\nAcme,k1\n,k2\n", operation="insert")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    [made] = results(world, job, "successfulResults")
    assert made["sf__Created"] == "true"
    upsert = {"operation": "upsert", "externalIdFieldName": "ICP_Key__c"}
    job = run(world, "ICP_Key__c,Name\nk1,Better\nk3,New\n#N/A,None\n", **upsert)
    created = {row["ICP_Key__c"]: row["sf__Created"] for row in results(world, job, "successfulResults")}
    assert created == {"k1": "false", "k3": "true"}
    assert world.shown(made["sf__Id"], "Name")["Name"] == "Better"
    by_id = {"operation": "upsert", "externalIdFieldName": "Id"}
    job = run(world, f"Id,Name\n{made['sf__Id']},Best\n,Newer\n", **by_id)
    assert job["numberRecordsFailed"] == 0
    job = run(world, f"Id\n{made['sf__Id']}\n", operation="delete")
    assert job["numberRecordsFailed"] == 0
    assert world.json("GET", f"sobjects/Account/{made['sf__Id']}")[0] == 404


# -- uploads that are no CSV of the announced kind


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("Id,Site\r\n{id},x\r\n", {}, "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("Id,Site\n{id},x\n", {"lineEnding": "CRLF"}, "Current LineEnding setting is CRLF"),
        ("Id;Site\n{id};x\n", {}, "Field name not found : Id;Site"),
        ("Id,Nmae\n{id},x\n", {}, "Field name not found : Nmae"),
        ("Id,Site,site\n{id},x,y\n", {}, "Duplicate field name"),
        ("Id,Site\n{id},x,y\n", {}, "record 2 has 3 columns, the header 2"),
        ('Id,Site\n{id},"x\n', {}, "Failed to parse CSV"),
        ('Id,Site\n{id},"x"y\n', {}, "Failed to parse CSV"),
        (b"Id,Site\n\xff\xfe,x\n", {}, "invalid UTF-8"),
        ("", {}, "empty"),
        ("Id," + "x" * 32_000 + "\n", {}, "longer than"),
    ],
)
def test_an_upload_that_cannot_be_read_fails_the_job_and_touches_nothing(world, text, options, words):
    made = world.make(Site="old")
    if isinstance(text, str):
        text = text.replace("{id}", made)
    job = run(world, text, **options)
    assert job["state"] == "Failed"
    assert words in job["errorMessage"]
    assert (job["numberRecordsProcessed"], world.shown(made, "Site")["Site"]) == (0, "old")


def test_a_hidden_field_fails_the_job_and_leaves_its_rows_unprocessed(world):
    made = world.make()
    world.org.rights.visible_fields.clear()
    job = run(world, f"Id,ICP_Tier__c\n{made},A\n")
    assert job["errorMessage"] == "InvalidBatch : Field name not found : ICP_Tier__c"
    assert results(world, job, "unprocessedrecords") == [{"Id": made, "ICP_Tier__c": "A"}]


@pytest.mark.parametrize(
    ("name", "options"), [(n, {"columnDelimiter": n}) for n in bulk_csv.DELIMITERS] + [("COMMA", {})]
)
@pytest.mark.parametrize("line_ending", ["LF", "CRLF"])
def test_every_delimiter_and_line_end_that_was_announced_is_taken(world, name, options, line_ending):
    made = world.make()
    delimiter, end = bulk_csv.DELIMITERS[name], bulk_csv.LINE_ENDINGS[line_ending]
    text = f"\ufeffId{delimiter}Site{end}{made}{delimiter}new{end}"
    job = run(world, text, lineEnding=line_ending, **options)
    assert world.shown(made, "Site")["Site"] == "new"
    [row] = results(world, job, "successfulResults", delimiter)
    assert row["sf__Id"] == made


def test_chunked_uploads_are_taken(world):
    made = world.make()
    job_id = opened(world)["id"]
    pieces = (part.encode() for part in ("Id,Si", "te\n", made, ",new\n"))
    answer = world.call(
        "PUT", f"{JOBS}/{job_id}/batches", data=pieces, headers={"Content-Type": "text/csv; charset=UTF-8"}
    )
    assert answer.status_code == 201
    close(world, job_id)
    assert world.shown(made, "Site")["Site"] == "new"


def test_an_upload_has_a_greatest_size_a_type_and_happens_once(world, monkeypatch):
    monkeypatch.setattr(bulk_ingest, "MOST_BYTES", 50)
    job_id = opened(world)["id"]
    assert put(world, job_id, "x" * 51).status_code == 413
    assert put(world, job_id, "Id,Site\n", "application/json").status_code == 415
    assert put(world, job_id, "Id,Site\n").status_code == 201
    again = put(world, job_id, "Id,Site\n")
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


# -- states


def test_a_job_takes_its_time_and_its_rows_land_one_after_the_other():
    with an_org(bulk_seconds=100.0) as world:
        ids = [world.make(Site="old") for _ in range(10)]
        job_id = opened(world)["id"]
        put(world, job_id, "Id,Site\n" + "".join(f"{one},new\n" for one in ids))
        assert close(world, job_id)[1]["state"] == "UploadComplete"
        assert look(world, job_id)["numberRecordsProcessed"] == 0
        status, body = world.json("GET", f"{JOBS}/{job_id}/successfulResults")
        assert (status, body[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
        world.pass_by(50)
        half = look(world, job_id)
        assert (half["state"], half["numberRecordsProcessed"]) == ("InProgress", 5)
        assert [world.shown(one, "Site")["Site"] for one in ids] == ["new"] * 5 + ["old"] * 5
        world.pass_by(50)
        whole = look(world, job_id)
        assert (whole["state"], whole["numberRecordsProcessed"]) == ("JobComplete", 10)
        assert whole["totalProcessingTime"] == 100_000


def test_a_large_job_goes_on_batch_by_batch(world, monkeypatch):
    monkeypatch.setattr(bulk_jobs, "BATCH", 4)
    ids = [world.make() for _ in range(9)]
    job_id = opened(world)["id"]
    put(world, job_id, "Id,Site\n" + "".join(f"{one},new\n" for one in ids))
    close(world, job_id)
    seen = [look(world, job_id) for _ in range(3)]
    assert [job["numberRecordsProcessed"] for job in seen] == [8, 9, 9]
    assert [job["state"] for job in seen] == ["InProgress", "JobComplete", "JobComplete"]
    assert {world.shown(one, "Site")["Site"] for one in ids} == {"new"}


def test_an_aborted_job_keeps_what_it_wrote_and_names_what_it_did_not():
    with an_org(bulk_seconds=100.0) as world:
        ids = [world.make(Site="old") for _ in range(10)]
        job_id = opened(world)["id"]
        put(world, job_id, "Id,Site\n" + "".join(f"{one},new\n" for one in ids))
        close(world, job_id)
        world.pass_by(30)
        assert close(world, job_id, "Aborted")[1]["state"] == "Aborted"
        world.pass_by(300)
        job = look(world, job_id)
        assert (job["state"], job["numberRecordsProcessed"]) == ("Aborted", 3)
        assert {row["Id"] for row in results(world, job, "unprocessedrecords")} == set(ids[3:])
        assert {row["Id"] for row in results(world, job, "SUCCESSFULRESULTS")} == set(ids[:3])
        assert close(world, job_id, "Aborted")[0] == 400


def test_an_open_job_can_be_aborted_and_deleted_but_not_deleted_first(world):
    job_id = opened(world)["id"]
    assert world.json("DELETE", f"{JOBS}/{job_id}")[0] == 400
    assert close(world, job_id, "Aborted")[0] == 200
    assert put(world, job_id, "Id\n").status_code == 400
    assert close(world, job_id)[0] == 400
    answer = world.call("DELETE", f"{JOBS}/{job_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert world.json("GET", f"{JOBS}/{job_id}")[0] == 404


@pytest.mark.parametrize("state", ["Open", "JobComplete", None, 7])
def test_only_two_states_can_be_asked_for(world, state):
    status, body = close(world, opened(world)["id"], state)
    assert (status, body[0]["errorCode"]) == (400, "INVALIDJOB")


def test_jobs_are_listed_and_forgotten_after_a_week(world):
    ids = [opened(world)["id"] for _ in range(2)]
    listed = world.json("GET", f"{JOBS}/")[1]
    assert listed["done"] is True
    assert [job["id"] for job in listed["records"]] == ids
    assert look(world, ids[0][:15])["id"] == ids[0]
    world.pass_by(7 * 86_400)
    assert world.json("GET", f"{JOBS}/{ids[0]}")[0] == 404


def test_another_life_of_the_org_knows_none_of_its_jobs(world):
    job_id = opened(world)["id"]
    with world.org.lock:
        world.org.clear()
    assert world.json("GET", f"{JOBS}/{job_id}")[0] == 404


@pytest.mark.parametrize("extra", [{"nope": 1}, {"concurrencyMode": "Parallel"}, {"Object": "Account"}])
def test_a_job_has_no_properties_but_its_own(world, extra):
    wanted = {"object": "Account", "operation": "update", **extra}
    status, [error] = world.json("POST", JOBS, wanted)
    assert (status, error["errorCode"]) == (400, "JSON_PARSER_ERROR")
    job_id = opened(world)["id"]
    status, [error] = world.json("PATCH", f"{JOBS}/{job_id}", {"state": "Aborted", "nope": 1})
    assert (status, look(world, job_id)["state"]) == (400, "Open")


def test_a_job_without_an_upload_cannot_be_closed(world):
    job_id = opened(world)["id"]
    status, [error] = close(world, job_id)
    assert (status, error["errorCode"], look(world, job_id)["state"]) == (400, "INVALIDJOBSTATE", "Open")
    assert put(world, job_id, "Id,Site\n").status_code == 201
    assert close(world, job_id)[0] == 200


@pytest.mark.parametrize("cell", ['a"b', 'a "quoted" word', '12"', 'x""'])
def test_a_quote_within_a_cell_that_is_not_quoted_fails_the_job(world, cell):
    first, second = world.make(), world.make(Name="Other")
    job = run(world, f'Id,Site\n{second},"well ""quoted"", you see"\n{first},{cell}\n')
    assert job["state"] == "Failed"
    assert "Failed to parse CSV" in job["errorMessage"]
    assert world.shown(second, "Site")["Site"] is None
