"""Deploying metadata over REST: the life of a deployment, what is asked for, all or nothing."""

import io
import json
import zipfile

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.metadata.multipart import parts
from icp_sync.simulator.salesforce.metadata.package import Unreadable, read
from tests.simulator.salesforce.deploying import (
    Org,
    document,
    field,
    grants,
    manifest,
    problems,
    score,
    succeeded,
    tier,
    view,
    zipped,
)

TIER = {"package.xml": manifest({"CustomField": ["Account.ICP_Tier__c"]})}


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


# -- the life of a deployment


def test_a_deployment_waits_then_runs_and_is_done_at_the_second_look(org):
    answer = org.send(zipped({**TIER, "objects/Account.object": document("CustomObject", tier("A"))}))
    assert answer.status_code == 201
    sent = answer.json()
    assert sent["id"].startswith("0Af")
    assert len(sent["id"]) == 18
    assert sent["deployOptions"]["rollbackOnError"] is True
    assert (sent["deployResult"]["status"], sent["deployResult"]["done"]) == ("Pending", False)
    states = [org.look(sent["id"])["status"] for _ in range(3)]
    assert states == ["InProgress", "Succeeded", "Succeeded"]


def test_a_slow_deployment_changes_nothing_before_its_time(org):
    org.crm.admin("POST settings", deploy_seconds=60)
    deployment = org.send(
        zipped({**TIER, "objects/Account.object": document("CustomObject", tier("A"))})
    ).json()
    assert [org.look(deployment["id"])["status"] for _ in range(3)] == ["InProgress"] * 3
    org.crm.admin("POST clock", advance=61)
    assert org.look(deployment["id"])["status"] == "Succeeded"


def test_details_are_told_only_when_they_are_asked_for(org):
    deployment = org.send(zipped({**TIER})).json()
    for _ in range(2):
        org.look(deployment["id"])
    result = org.get(f"metadata/deployRequest/{deployment['id']}")[1]["deployResult"]
    assert result["status"] == "Failed"
    assert result["numberComponentErrors"] == 1
    assert result["details"] is None


def test_a_deployment_can_be_cancelled_until_it_is_done(org):
    files = {**TIER, "objects/Account.object": document("CustomObject", tier("A"))}
    deployment = org.send(zipped(files)).json()["id"]
    cancel = {"deployResult": {"status": "Canceling"}}
    assert org.call("PATCH", f"metadata/deployRequest/{deployment}", json=cancel).status_code == 202
    assert org.look(deployment)["status"] == "Canceled"
    assert org.call("PATCH", f"metadata/deployRequest/{deployment}", json=cancel).status_code == 400
    assert org.get("tooling/query", q="SELECT Id FROM CustomField")[1]["totalSize"] == 0


def test_a_deployment_nobody_made_is_not_found(org):
    for deployment in ("0Af000000000009AAA", "001000000000001AAA", "nonsense"):
        status, body = org.get(f"metadata/deployRequest/{deployment}")
        assert (status, body[0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_reset_org_has_no_deployments(org):
    deployment = org.send(zipped(TIER)).json()["id"]
    org.crm.admin("POST reset")
    assert org.get(f"metadata/deployRequest/{deployment}")[0] == 404


# -- what is asked for


@pytest.mark.parametrize(
    "options",
    [{"checkOnly": "yes"}, {"testLevel": "Some"}, {"rollback": True}, {"rollbackOnError": 1}],
    ids=str,
)
def test_options_that_are_none_are_refused(org, options):
    answer = org.send(zipped(TIER), options)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=json\r\n\r\n{}"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=json\r\n\r\n{}\r\n--x--",
        ),
        ("application/json", b"{}"),
        ("", b""),
    ],
)
def test_a_body_that_is_not_both_parts_is_refused(org, content_type, body):
    answer = org.call("POST", "metadata/deployRequest", data=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")


def test_the_options_may_come_as_the_entity_content_other_clients_send(org):
    assert org.send(zipped(TIER), names=("entity_content", "file")).status_code == 201


@given(
    content=st.binary(max_size=300),
    boundary=st.text(alphabet="abcXYZ019-_", min_size=1, max_size=20),
    before=st.binary(max_size=20),
)
@settings(max_examples=80, deadline=None)
def test_a_part_comes_out_as_it_went_in(content, boundary, before):
    delimiter = b"\r\n--" + boundary.encode()
    if delimiter in b"\r\n" + content or delimiter in b"\r\n" + before:
        return
    body = (
        before
        + delimiter
        + b'\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
        + content
        + delimiter
        + b"--\r\n"
    )
    assert parts(f'multipart/form-data; boundary="{boundary}"', body) == {"file": content}


@pytest.mark.parametrize(
    "archive", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 10], ids=["empty", "text", "cut"]
)
def test_what_is_no_zip_fails_the_deployment_with_a_sentence(org, archive):
    deployment = org.send(archive).json()["id"]
    org.look(deployment)
    result = org.look(deployment)
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "UNKNOWN_EXCEPTION")
    assert "zip" in result["errorMessage"]


def test_a_zip_of_too_many_files_is_not_read():
    with pytest.raises(Unreadable, match="10000"):
        read(zipped({f"f{n}": "" for n in range(10_001)}), single=True)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_bytes_under_any_name_are_a_complaint_never_a_crash(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name in (
            "package.xml",
            "objects/Account.object",
            "permissionsets/X.permissionset",
            "destructiveChanges.xml",
        ):
            target.writestr(name, content)
    assert len(read(packed.getvalue(), single=True).complaints) >= 3


def test_production_wants_everything_rolled_back_on_an_error(org):
    result = org.deploy(tier("A"), options={"rollbackOnError": False})
    assert result["status"] == "Failed"
    assert "production" in result["errorMessage"]


# -- all or nothing


def test_one_bad_component_keeps_all_others_out(org):
    result = org.deploy(score(), field("Bad__c", "Text", length=256))
    assert result["status"] == "Failed"
    assert problems(result) == {
        "Account.Bad__c": "Value of 'length' must be between 1 and 255 for a Text field"
    }
    assert (result["numberComponentErrors"], result["numberComponentsTotal"]) == (1, 2)
    assert succeeded(org.deploy(score())) == {"Account.ICP_Score__c": "created"}


def test_a_sandbox_may_keep_what_was_good(org):
    org.crm.org.sandbox = True
    result = org.deploy(score(), field("Bad__c", "Text", length=256), options={"rollbackOnError": False})
    assert result["status"] == "SucceededPartial"
    assert succeeded(org.deploy(score())) == {"Account.ICP_Score__c": "unchanged"}


def test_a_check_finds_what_is_wrong_and_changes_nothing(org):
    good, bad = [org.deploy(one, options={"checkOnly": True}) for one in (score(), score(precision=19))]
    assert succeeded(good) == {"Account.ICP_Score__c": "created"}
    assert problems(bad) == {"Account.ICP_Score__c": "Precision must be between 1 and 18"}
    assert good["checkOnly"] is True
    assert succeeded(org.deploy(score())) == {"Account.ICP_Score__c": "created"}


def test_the_second_deployment_of_the_same_changes_nothing(org):
    parts_ = [tier("A", "B"), score(), view("ICP_A", ("ICP_Tier__c", "equals", "A"))]
    sets = {"ICP": grants("ApiEnabled", ICP_Tier__c="edit", ICP_Score__c="read")}
    assert set(succeeded(org.deploy(*parts_, sets=sets)).values()) == {"created"}
    again = {"ICP": grants("ApiEnabled", ICP_Score__c="read", ICP_Tier__c="edit")}
    assert set(succeeded(org.deploy(*parts_, sets=again)).values()) == {"unchanged"}
    changed = succeeded(org.deploy(tier("A", "B", "C"), score(), sets=sets))
    assert changed == {
        "Account.ICP_Tier__c": "changed",
        "Account.ICP_Score__c": "unchanged",
        "ICP": "unchanged",
    }


# -- another client


class OverHttp(HTTPAdapter):
    """simple-salesforce writes https:// into every address; the simulator speaks http."""

    def send(self, request, **how):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **how)


def test_simple_salesforce_deploys_and_asks_the_tooling_api(org):
    session = requests.Session()
    session.mount("https://", OverHttp())
    client = Salesforce(session_id=org.crm.token, instance_url=org.crm.url, version="66.0", session=session)
    described = {"deployOptions": {"singlePackage": True, "rollbackOnError": True, "checkOnly": False}}
    archive = zipped({**TIER, "objects/Account.object": document("CustomObject", tier("A"))})
    sent = client.restful(
        "metadata/deployRequest",
        method="POST",
        headers={"Content-Type": None},
        files=[
            ("json", (None, json.dumps(described), "application/json")),
            ("file", ("deploy.zip", archive, "application/zip")),
        ],
    )
    path = f"metadata/deployRequest/{sent['id']}"
    states = [
        client.restful(path, params={"includeDetails": "true"})["deployResult"]["status"] for _ in range(2)
    ]
    assert states == ["InProgress", "Succeeded"]
    soql = {"q": "SELECT DeveloperName FROM CustomField"}
    found = client.toolingexecute("query/", method="GET", params=soql)
    assert [one["DeveloperName"] for one in found["records"]] == ["ICP_Tier"]
