"""One deployment of metadata: sent, watched until it ends, its failures in our words. Decides nothing.

"Deploying Metadata with REST" in the Metadata API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.metadata import Component
from icp_sync.crm.salesforce.packaging import archive
from icp_sync.errors import AuthError, ConfigError, Problem, RequestError, UnavailableError

PATIENCE = 600.0
"""Seconds a deployment may take; it waits its turn behind others in the org."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A component Salesforce would not take. `kind` and `name` as in its manifest ("Account.ICP_Tier__c")."""

    kind: str
    name: str
    problem: str


class NoRightError(Exception):
    """The user may not deploy metadata."""


def deploy(
    client: Client, components: Sequence[Component], *, check_only: bool, patience: float = PATIENCE
) -> list[Failure]:
    """Deploy all of these or, when one fails, none; `check_only` tries and changes nothing.

    Raises NoRightError, and ConfigError for a failure that is of no component. A deployment that does not end
    in time raises UnavailableError: doing it again is harmless.
    """
    options = {
        "checkOnly": check_only,
        "singlePackage": True,
        "rollbackOnError": True,  # production orgs take nothing else
        "ignoreWarnings": True,
        "testLevel": "NoTestRun",  # no component of ours is code
    }
    try:
        begun = client.deploy(archive(components), options)
    except AuthError as error:
        raise NoRightError(str(error)) from error
    except RequestError as error:
        if error.status == 403:
            raise NoRightError(str(error)) from error
        raise
    id = str(begun.get("id") or "")
    if not id.isalnum():
        raise UnavailableError("Salesforce began a deployment and did not say which")
    result = _watch(client, id, patience)
    failures = list(_failures(result))
    if not failures and result.get("status") != "Succeeded":
        said = str(result.get("errorMessage") or result.get("status") or "no reason given")
        raise ConfigError([Problem(where=f"deployment {id}", what=f"Salesforce refused it: {said}")])
    return failures


def _watch(client: Client, id: str, patience: float) -> Mapping[str, Any]:
    waited, pause = 0.0, _FIRST_PAUSE
    while True:
        result = client.deploy_status(id).get("deployResult")
        if isinstance(result, dict) and result.get("done"):
            return result
        if waited >= patience:
            raise UnavailableError(
                f"Salesforce has not finished deployment {id} in {patience:.0f} seconds",
                next_step="look at Setup → Deployment Status, then icp-sync provision",
            )
        client.transport.wait(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)


def _failures(result: Mapping[str, Any]) -> Iterator[Failure]:
    details = result.get("details")
    listed = details.get("componentFailures") if isinstance(details, dict) else None
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, dict) and entry.get("problemType") != "Warning":
            yield Failure(
                kind=str(entry.get("componentType") or ""),
                name=str(entry.get("fullName") or ""),
                problem=str(entry.get("problem") or "no reason given"),
            )
