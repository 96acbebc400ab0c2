"""A deployment from its beginning to its end, however it ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import responses
from pydantic import SecretStr

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.login import Credentials, Login
from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import custom_field
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.quota import Quota, Rate
from tests.crm.salesforce.parts import connect


def answered(result: object, *, begun: object | None = None) -> responses.RequestsMock:
    """A server that takes any deployment and then says this of it."""
    server = responses.RequestsMock(assert_all_requests_are_fired=False)
    url = "http://127.0.0.1:9/services/data/v66.0/metadata/deployRequest"
    server.add("POST", url, json=begun or {"id": "0Af000000000001AAA", "deployResult": {}}, status=201)
    server.add("GET", f"{url}/0Af000000000001AAA", json={"deployResult": result})
    return server


def tried(server: responses.RequestsMock, **how: Any) -> object:
    field = custom_field(FIELDS["fit_score"], "S__c", ())
    with server:
        return deploy(connect("http://127.0.0.1:9").client, [field], check_only=True, **how)


def test_a_deployment_that_never_ends_is_given_up_with_where_to_look() -> None:
    with pytest.raises(UnavailableError, match="0Af000000000001AAA") as caught:
        tried(answered({"done": False, "status": "Pending"}), patience=0.0)
    assert "Deployment Status" in caught.value.next_step


def test_waiting_for_a_deployment_ends_when_we_are_told_to_stop() -> None:
    stop = threading.Event()
    stop.set()
    quota = Quota({"daily": Rate(1_000_000, 86_400.0)})
    login = Login(Credentials(session_id=SecretStr("s")), base_url="http://127.0.0.1:9")
    stopped = Client(login=login, base_url="http://127.0.0.1:9", quota=quota, stop=stop)
    with answered({"done": False}), pytest.raises(UnavailableError):
        deploy(stopped, [custom_field(FIELDS["fit_score"], "S__c", ())], check_only=True)


def test_a_deployment_refused_as_a_whole_says_why() -> None:
    result = {"done": True, "status": "Failed", "errorMessage": "UNKNOWN_EXCEPTION: try later"}
    with pytest.raises(ConfigError, match="try later"):
        tried(answered(result))


def test_a_deployment_nobody_can_name_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="which"):
        tried(answered({}, begun={"nothing": True}))


@pytest.mark.parametrize("details", [None, [], {"componentFailures": None}, {"componentFailures": ["x"]}])
def test_a_report_without_failures_is_none(details: object) -> None:
    assert tried(answered({"done": True, "status": "Succeeded", "details": details})) == []
