"""HubSpot's refusals as third parties recorded them, and what we read from them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from icp_sync.crm.hubspot.replies import (
    HubSpotDialect,
    complaints,
    missing_scopes,
    named_properties,
    summary,
)
from icp_sync.errors import AuthError
from icp_sync.http import Endpoint
from icp_sync.quota import Quota, Rate

UPDATE = Endpoint(name="batch update", buckets=("burst",))
SEARCH = Endpoint(name="search", buckets=("search",), idempotent=True)

DAILY = {
    "status": "error",
    "message": "You have reached your daily limit.",
    "errorType": "RATE_LIMIT",
    "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24",
    "policyName": "DAILY",
    "requestId": "3d3e35b7-0dae-4b9f-a6e3-9c230cbcf8dd",
}
ROLLING = {
    "status": "error",
    "message": "You have reached your ten_secondly_rolling limit.",
    "errorType": "RATE_LIMIT",
    "policyName": "TEN_SECONDLY_ROLLING",
}
SECONDLY = {
    "status": "error",
    "message": "You have reached your secondly limit.",
    "correlationId": "de61843f-0000-4000-8000-000000000000",
    "category": "RATE_LIMITS",
}
INNER = [
    {
        "isValid": False,
        "message": 'Property "first000name" does not exist',
        "error": "PROPERTY_DOESNT_EXIST",
        "name": "first000name",
    },
    {
        "isValid": False,
        "message": "1/1/1 was not a valid long.",
        "error": "INVALID_LONG",
        "name": "closedate",
        "localizedErrorMessage": "1/1/1 was not a valid long.",
        "portalId": 1,
    },
]
INVALID = {
    "status": "error",
    "message": f"Property values were not valid: {json.dumps(INNER)}",
    "correlationId": "9c57",
    "errors": [
        {
            "message": 'Property "first000name" does not exist',
            "code": "PROPERTY_DOESNT_EXIST",
            "context": {"propertyName": ["first000name"]},
        }
    ],
    "category": "VALIDATION_ERROR",
}
SCOPES = {
    "status": "error",
    "message": "This app hasn't been granted all required scopes to make this call.",
    "errors": [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.schemas.deals.read", "crm.objects.deals.read"]},
        }
    ],
    "category": "MISSING_SCOPES",
}
NOT_FOUND = {
    "status": "error",
    "category": "OBJECT_NOT_FOUND",
    "message": "Could not get some COMPANY objects, they may be deleted or not exist.",
    "context": {"ids": ["17", "18"]},
}
DUPLICATES = {
    "status": "error",
    "message": "Duplicate IDs found in batch input: [123456]. IDs must be unique",
    "context": {"ids": ["123456"]},
    "category": "VALIDATION_ERROR",
}


def test_the_rolling_limit_is_waited_for_a_window() -> None:
    throttle = HubSpotDialect().throttled(UPDATE, ROLLING, None)
    assert 10.0 <= throttle.seconds <= 11.0
    assert not throttle.everything


def test_the_limit_of_searches_is_waited_for_a_second() -> None:
    throttle = HubSpotDialect().throttled(SEARCH, SECONDLY, None)
    assert 1.0 <= throttle.seconds <= 1.1
    assert not throttle.everything


@pytest.mark.parametrize("zone", ["", "America/New_York", "Nowhere/Nothing", "../../etc/passwd"])
def test_the_daily_limit_stops_everything_at_most_until_midnight(zone: str) -> None:
    dialect = HubSpotDialect()
    dialect.time_zone = zone
    throttle = dialect.throttled(UPDATE, DAILY, None)
    assert throttle.everything
    assert 60 <= throttle.seconds <= 25 * 3600


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), 22.5),
        ("Europe/Berlin", datetime(2026, 10, 24, 22, 30, tzinfo=UTC), 24.5),
        ("Europe/Berlin", datetime(2026, 6, 1, 22, 30, tzinfo=UTC), 23.5),
        ("Africa/Cairo", datetime(2026, 4, 23, 20, 0, tzinfo=UTC), 2.0),  # whose clocks change at midnight
        ("Africa/Cairo", datetime(2026, 10, 29, 20, 30, tzinfo=UTC), 1.5),  # 23:00 to 24:00 comes twice
        ("Africa/Cairo", datetime(2026, 10, 29, 21, 30, tzinfo=UTC), 0.5),
    ],
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(zone: str, at: datetime, hours: float) -> None:
    dialect = HubSpotDialect()
    dialect.time_zone = zone
    assert dialect.day_left(at.timestamp()) == pytest.approx(hours * 3600 + 5)


@pytest.mark.parametrize("body", [None, "", "<html>", [], {"message": None, "policyName": 3}])
def test_a_429_nobody_can_read_is_a_rolling_one(body: object) -> None:
    assert 10.0 <= HubSpotDialect().throttled(UPDATE, body, None).seconds <= 11.0


def test_retry_after_is_obeyed() -> None:
    assert 3.0 <= HubSpotDialect().throttled(UPDATE, ROLLING, 3.0).seconds <= 4.0


def test_a_403_names_the_scopes() -> None:
    assert missing_scopes(SCOPES) == ("crm.schemas.deals.read", "crm.objects.deals.read")
    error = HubSpotDialect().forbidden(UPDATE, SCOPES)
    assert isinstance(error, AuthError)
    assert "crm.objects.deals.read" in str(error)


@pytest.mark.parametrize("body", [None, "<html>", {"errors": "x"}, {"errors": [1, {"context": []}]}])
def test_a_403_without_scopes_is_about_credentials_all_the_same(body: object) -> None:
    assert isinstance(HubSpotDialect().forbidden(UPDATE, body), AuthError)


def test_a_validation_error_tells_every_property_also_those_only_its_message_lists() -> None:
    found = complaints(INVALID)
    assert named_properties(found) == {"first000name", "closedate"}
    assert {complaint.code for complaint in found} == {"PROPERTY_DOESNT_EXIST", "INVALID_LONG"}
    code, message = summary(found)
    assert code == "PROPERTY_DOESNT_EXIST"
    assert "1/1/1 was not a valid long." in message
    assert "closedate" in message


def test_an_older_body_without_errors_is_read_from_its_message() -> None:
    older = {key: value for key, value in INVALID.items() if key != "errors"}
    assert named_properties(complaints(older)) == {"first000name", "closedate"}


def test_an_error_of_a_batch_names_its_records() -> None:
    (complaint,) = complaints({"errors": [NOT_FOUND]})
    assert (complaint.code, complaint.ids) == ("OBJECT_NOT_FOUND", {"17", "18"})


def test_an_error_of_a_batch_may_name_its_records_by_trace_id_and_hold_its_reasons_inside() -> None:
    traced = {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": INVALID["message"],
        "context": {"objectWriteTraceId": ["42"]},
    }
    (complaint,) = complaints({"errors": [traced]})
    assert complaint.ids == {"42"}
    assert complaint.code == "PROPERTY_DOESNT_EXIST"
    assert complaint.properties == {"first000name", "closedate"}


def test_duplicate_ids_are_named() -> None:
    (complaint,) = complaints(DUPLICATES)
    assert complaint.ids == {"123456"}


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "<html>",
        [],
        {},
        {"message": "Property values were not valid: [{broken"},
        {"message": '[{"a": 1}, 2, null]'},
        {"errors": [None, 1, "x", {}, {"context": "x"}], "message": 7},
    ],
)
def test_a_body_of_any_shape_is_read_without_raising(body: Any) -> None:
    code, message = summary(complaints(body))
    assert isinstance(code, str)
    assert isinstance(message, str)


def test_what_looks_like_a_token_is_handed_on_by_nothing_that_reads_a_reply() -> None:
    token = "pat-na1-0f1e2d3c-aaaa-bbbb-cccc-0123456789ab"
    told = {
        "status": "error",
        "message": f"{token} may not",
        "errors": [{"message": token, "code": token, "context": {"requiredGranularScopes": [token, "read"]}}],
    }
    dialect = HubSpotDialect()
    said = (
        *missing_scopes(told),
        *summary(complaints(told)),
        str(dialect.forbidden(UPDATE, told)),
        str(dialect.forbidden(UPDATE, {"message": f"Bearer {token}"})),
    )
    assert not [text for text in said if "pat-" in text]
    assert missing_scopes(told) == ("[redacted]", "read")


def test_a_lower_limit_is_learned_from_headers_of_all_but_searches() -> None:
    quota = Quota({"burst": Rate(190, 10.0), "search": Rate(4, 1.0)})
    headers = {
        "X-HubSpot-RateLimit-Daily": "250000",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Remaining": "99",
    }
    HubSpotDialect().observed(SEARCH, headers, quota)
    assert quota.limit("burst") == 190
    HubSpotDialect().observed(UPDATE, headers, quota)
    assert (quota.limit("burst"), quota.limit("search"), quota.remaining("burst")) == (100, 4, 99)
