"""One deployment of metadata: sent, watched until it ends, its failures in our words. Decides nothing.

"Deploying Metadata with REST" in the Metadata API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning.metadata import Component, Doomed
from icp_sync.crm.salesforce.provisioning.packaging import archive, removal
from icp_sync.errors import AuthError, ConfigError, Problem, RequestError, UnavailableError

PATIENCE = 600.0
"""Seconds a deployment may take; it waits its turn behind others in the org."""

UNSEEN = "the org has it, and does not show it to us: what it holds would be replaced"

_RIGHT = re.compile(r"\bINSUFFICIENT_ACCESS|\bFUNCTIONALITY_NOT_ENABLED\b")
"""How Salesforce refuses metadata to a user; other refusals of a login or an org are no matter of rights."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A component Salesforce would not take. `kind` and `name` as in its manifest ("Account.ICP_Tier__c")."""

    kind: str
    name: str
    problem: str
    there: bool = False  # it was to be new, and is not


class NoRightError(Exception):
    """The user may not deploy metadata."""


def deploy(
    client: Client,
    components: Sequence[Component],
    *,
    check_only: bool,
    new: Collection[str] = (),
    patience: float = PATIENCE,
) -> list[Failure]:
    """Deploy all of these or, when one fails, none; `check_only` tries and changes nothing.

    new: lower-case full names of those the org must not have yet; one it has, seen or unseen, is a failure
    (`created`, DeployMessage). That is of use before it is done, so with `check_only`.
    Raises NoRightError, and ConfigError for a failure that is of no component. A deployment that does not end
    in time raises UnavailableError: doing it again is harmless.
    """
    result = _run(client, archive(components), check_only=check_only, patience=patience)
    failures = [*_failures(result), *_there_already(result, new)]
    _all_or_none(result, failures)
    return failures


def delete(
    client: Client, doomed: Sequence[Doomed], *, check_only: bool, patience: float = PATIENCE
) -> list[Failure]:
    """Delete all of these or, when one cannot be, none; `check_only` tries and changes nothing.

    What is not there any more is no failure. Raises what `deploy` raises.
    """
    result = _run(client, removal(doomed), check_only=check_only, patience=patience)
    failures = list(_failures(result))
    _all_or_none(result, failures)
    return failures


def _run(client: Client, zipped: bytes, *, check_only: bool, patience: float) -> Mapping[str, Any]:
    """How a deployment ended."""
    options = {
        "checkOnly": check_only,
        "singlePackage": True,
        "rollbackOnError": True,  # production orgs take nothing else
        "ignoreWarnings": True,
        "testLevel": "NoTestRun",  # no component of ours is code
    }
    try:
        begun = client.deploy(zipped, options)
    except (AuthError, RequestError) as error:
        if _RIGHT.search(str(error)):
            raise NoRightError(str(error)) from error
        raise
    id = str(begun.get("id") or "")
    if not id.isalnum():
        raise UnavailableError("Salesforce began a deployment and did not say which")
    return {**_watch(client, id, patience), "id": id}


def _all_or_none(result: Mapping[str, Any], failures: Sequence[Failure]) -> None:
    if not failures and result.get("status") != "Succeeded":
        said = str(result.get("errorMessage") or result.get("status") or "no reason given")
        where = f"deployment {result['id']}"
        raise ConfigError([Problem(where=where, what=f"Salesforce refused it: {said}")])


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
    for entry in _messages(result, "componentFailures"):
        if entry.get("problemType") != "Warning":
            yield Failure(
                kind=str(entry.get("componentType") or ""),
                name=str(entry.get("fullName") or ""),
                problem=str(entry.get("problem") or "no reason given"),
            )


def _there_already(result: Mapping[str, Any], new: Collection[str]) -> Iterator[Failure]:
    for entry in _messages(result, "componentSuccesses"):
        name = str(entry.get("fullName") or "")
        if name.lower() in new and entry.get("created") in (False, "false"):
            yield Failure(kind=str(entry.get("componentType") or ""), name=name, problem=UNSEEN, there=True)


def _messages(result: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """DeployMessages; one alone may come without a list around it."""
    details = result.get("details")
    listed = details.get(key) if isinstance(details, dict) else None
    return [entry for entry in (listed if isinstance(listed, list) else [listed]) if isinstance(entry, dict)]
