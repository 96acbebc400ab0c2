"""What Salesforce's refusals are taken to mean. Bodies as the REST API Developer Guide shows them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.crm.salesforce import paths
from icp_sync.crm.salesforce.replies import (
    Complaint,
    SalesforceDialect,
    codes,
    complaints,
    kind,
    kind_of,
    named_fields,
    summary,
)
from icp_sync.errors import AuthError, RequestError
from icp_sync.http import Endpoint, Throttle
from icp_sync.quota import Quota, Rate

READ = Endpoint(name="query", buckets=("daily",), idempotent=True)


def said(code: str, message: str = "no", *fields: str, key: str = "errorCode") -> list[dict[str, Any]]:
    return [{key: code, "message": message, "fields": list(fields)}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (said("INVALID_FIELD"), Complaint(code="INVALID_FIELD", message="no")),
        (
            said("STRING_TOO_LONG", "data value too large", "ICP_Lane__c", key="statusCode"),
            Complaint(
                code="STRING_TOO_LONG", message="data value too large", fields=frozenset({"ICP_Lane__c"})
            ),
        ),
        (
            {"error": "invalid_grant", "error_description": "no client credentials user enabled"},
            Complaint(code="invalid_grant", message="no client credentials user enabled"),
        ),
        (
            said("INVALID_FIELD", "No such column 'ICP_Tier__c' on sobject of type Account"),
            Complaint(
                code="INVALID_FIELD",
                message="No such column 'ICP_Tier__c' on sobject of type Account",
                fields=frozenset({"ICP_Tier__c"}),
            ),
        ),
    ],
)
def test_every_shape_of_refusal_is_read(body: object, expected: Complaint) -> None:
    assert complaints(body) == (expected,)
    assert codes(RequestError("x", status=400, body=body)) == [expected]


@pytest.mark.parametrize("body", [None, "", "<html>down</html>", [], {}, [1, None], {"message": "?"}, 7])
def test_a_body_that_names_no_code_complains_of_nothing(body: object) -> None:
    assert complaints(body) == ()


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["errorCode", "statusCode", "error", "message", "fields", "x"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_no_body_whatsoever_raises(body: object) -> None:
    found = complaints(body)
    code, message = summary(found)
    assert code
    assert len(message) <= 600
    assert kind(found) in ("transient", "permanent", "permission", "gone", "quota")
    assert isinstance(SalesforceDialect().message(body), str)
    assert isinstance(SalesforceDialect().forbidden(READ, body), Exception | Throttle)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("UNABLE_TO_LOCK_ROW", "transient"),
        ("SERVER_UNAVAILABLE", "transient"),
        ("REQUEST_LIMIT_EXCEEDED", "quota"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "permission"),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "permission"),
        ("ENTITY_IS_DELETED", "gone"),
        ("NOT_FOUND", "gone"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "permanent"),
        ("INACTIVE_OWNER_OR_USER", "permanent"),
        ("A_CODE_OF_NEXT_YEAR", "permanent"),
    ],
)
def test_a_code_says_what_to_do(code: str, what: str) -> None:
    assert kind_of(code) == what


def test_what_another_try_cannot_mend_outweighs_what_it_can() -> None:
    locked, invalid = complaints(said("UNABLE_TO_LOCK_ROW")), complaints(said("STRING_TOO_LONG"))
    assert kind([*locked, *invalid]) == "permanent"
    assert kind([*invalid, *complaints(said("ENTITY_IS_DELETED"))]) == "gone"


def test_triggers_that_ran_into_apex_limits_may_pass_in_a_smaller_chunk() -> None:
    message = "AccountTrigger: System.LimitException: Too many SOQL queries: 101"
    assert kind(complaints(said("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message))) == "transient"
    assert kind(complaints(said("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "null pointer"))) == "permanent"


def test_an_unknown_key_is_the_records_own_unless_a_field_is_named() -> None:
    assert kind(complaints(said("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))) == "gone"
    assert kind(complaints(said("INVALID_CROSS_REFERENCE_KEY", "bad", "OwnerId"))) == "permanent"


def test_a_summary_names_the_field_and_the_right_that_is_missing() -> None:
    code, message = summary(complaints(said("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to edit", "ICP_X__c")))
    assert code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert message.startswith("ICP_X__c: Unable to edit")
    assert "field-level security" in message
    assert named_fields(complaints(said("X", "y", "A__c", "B__c"))) == {"A__c", "B__c"}


def test_nothing_that_looks_like_a_session_is_handed_on() -> None:
    secret = "00D5g000004abcD!AQEAQ.secret_part"
    (found,) = complaints(said("INVALID_SESSION_ID", f"bad session {secret} given"))
    assert "secret_part" not in found.message


# The dialect


@pytest.mark.parametrize(
    ("message", "everything", "least", "most"),
    [
        ("TotalRequests Limit exceeded.", True, 300, 400),
        ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", False, 20, 30),
    ],
)
def test_a_used_up_limit_is_a_wait_and_not_a_matter_of_credentials(
    message: str, everything: bool, least: float, most: float
) -> None:
    found = SalesforceDialect().forbidden(READ, said("REQUEST_LIMIT_EXCEEDED", message))
    assert isinstance(found, Throttle)
    assert found.everything is everything
    assert least <= found.seconds <= most


def test_a_403_is_about_rights_in_the_org_and_for_an_owner_about_the_record() -> None:
    body = said("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    assert isinstance(SalesforceDialect().forbidden(READ, body), AuthError)
    found = SalesforceDialect().forbidden(paths.OWNER, body)
    assert isinstance(found, RequestError)
    assert (found.status, found.body) == (403, body)
    assert isinstance(SalesforceDialect().forbidden(paths.OWNER, None), AuthError)


@pytest.mark.parametrize(
    ("status", "text", "stale"),
    [(401, "", True), (403, "Bad_OAuth_Token", True), (403, "no", False), (400, "", False)],
)
def test_a_stale_token_is_recognised(status: int, text: str, stale: bool) -> None:
    assert SalesforceDialect().stale(status, text) is stale


@pytest.mark.parametrize(
    ("header", "remaining"),
    [
        ("api-usage=18/5000", 4982),
        ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", 4975),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)", 4975),
        ("api-usage=5100/5000", 0),
        ("per-app-api-usage=17/250(appName=x)", None),
        ("api-usage=many", None),
        ("", None),
    ],
)
def test_what_is_left_of_the_day_is_learned_from_every_reply(header: str, remaining: int | None) -> None:
    quota = Quota({"daily": Rate(100_000, 86_400.0)})
    SalesforceDialect().observed(READ, {"Sforce-Limit-Info": header}, quota)
    assert quota.remaining("daily") == remaining
    assert quota.limit("daily") == (100_000 if remaining is None else 5000)


# Addresses


@pytest.mark.parametrize(
    ("method", "path", "name", "idempotent"),
    [
        ("GET", "/services/data/v66.0/query/?q=SELECT+Id", "query", True),
        ("GET", "/services/data/v66.0/queryAll/?q=SELECT+Id", "query", True),
        ("GET", "/services/data/v66.0/query/0r8xx-2000", "query", True),
        ("POST", "/services/data/v66.0/composite/sobjects/Account", "retrieve", True),
        ("PATCH", "/services/data/v66.0/composite/sobjects", "update", False),
        ("PATCH", "/services/data/v66.0/sobjects/Account/001xx0000000001AAA", "owner", False),
        ("GET", "sobjects/Account/describe", "describe", True),
        ("PUT", "jobs/ingest/750xx/batches/", "upload", False),
        ("PATCH", "jobs/ingest/750xx", "close job", False),
        ("GET", "jobs/ingest/750xx", "job", True),
        ("GET", "jobs/query/750xx/results", "bulk results", True),
        ("POST", "metadata/deployRequest", "deploy", False),
        ("GET", "/services/oauth2/userinfo", "userinfo", True),
        ("DELETE", "composite/sobjects", "write", False),
    ],
)
def test_a_call_is_known_by_its_address(method: str, path: str, name: str, idempotent: bool) -> None:
    found = paths.endpoint(method, path)
    assert (found.name, found.idempotent, found.buckets) == (name, idempotent, ("daily",))
