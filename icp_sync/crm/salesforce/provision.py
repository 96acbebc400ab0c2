"""Our fields, permission sets and list views in an org: the missing are made, others' are not touched.

Reads first, decides everything, then deploys it as one; doing it twice changes nothing. Where the user may
not change metadata the steps are shown all the same, for somebody else to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.crm.salesforce import access
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.deploying import Failure, NoRightError, deploy
from icp_sync.crm.salesforce.permission_sets import INTEGRATION
from icp_sync.crm.salesforce.steps import Intent, Org, intents, look
from icp_sync.errors import ConfigError, Problem
from icp_sync.ports import Blueprint, Step, StepKind

ROUNDS = 4
"""Deployments tried: what Salesforce will not take becomes a conflict, and the rest is tried without it."""

BY_HAND = "icp-sync provision --sfdx FOLDER, and have an administrator deploy that project"


def provision(client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool) -> list[Step]:
    """The steps to the blueprint, taken when `apply`, else only checked by Salesforce.

    Raises what a call raises, and ConfigError naming the component for a failure that is of no step.
    """
    catalogue.refresh(judge=False)
    org = look(client, catalogue, blueprint)
    if apply and org.hidden and org.integration and not org.assigned:
        # See first what there is; the step of the assignment is told all the same.
        access.assign(client, org.integration.id, org.user)
        catalogue.refresh(judge=False)
        org = replace(look(client, catalogue, blueprint), assigned=False)
    try:
        planned = _deployed(client, org, blueprint, check_only=not apply)
    except NoRightError as error:
        refused = Step(kind=StepKind.CONFLICT, what="right to change metadata", detail=f"{error}; {BY_HAND}")
        return [*(intent.step for intent in intents(org, blueprint, {})), refused]
    if not apply:
        return [intent.step for intent in planned]
    steps = [_taken(client, org, intent) for intent in planned]
    catalogue.refresh()
    return steps


def _deployed(client: Client, org: Org, blueprint: Blueprint, *, check_only: bool) -> list[Intent]:
    """The intents Salesforce takes, after it has taken them, or would."""
    refused: dict[str, str] = {}
    for _ in range(ROUNDS):
        planned = intents(org, blueprint, refused)
        components = [component for intent in planned for component in intent.components]
        if not components:
            return planned
        failures = deploy(client, components, check_only=check_only)
        if not failures:
            return planned
        names = {component.full_name for component in components}
        refused |= _blamed(failures, names)
    raise _unexpected(failures)


def _blamed(failures: list[Failure], names: set[str]) -> Mapping[str, str]:
    """Component → problem. A field that fails takes along what names it, so fields are blamed alone."""
    blamed: dict[str, list[str]] = {}
    for kinds in ({"CustomField"}, {"CustomField", "RecordType", "PermissionSet", "ListView"}):
        for failure in failures:
            if failure.kind in kinds and failure.name in names:
                blamed.setdefault(failure.name, []).append(failure.problem)
        if blamed:
            return {name: "; ".join(dict.fromkeys(problems)) for name, problems in blamed.items()}
    raise _unexpected(failures)


def _unexpected(failures: list[Failure]) -> ConfigError:
    return ConfigError(
        [
            Problem(where=f"{failure.kind} {failure.name}".strip(), what=failure.problem, hint=BY_HAND)
            for failure in failures
        ]
    )


def _taken(client: Client, org: Org, intent: Intent) -> Step:
    """A step as it was taken. An assignment is made here, once what is assigned exists."""
    if intent.assigns:
        found = org.integration or access.held(client, INTEGRATION)
        problem = access.assign(client, found.id, org.user) if found else "it cannot be seen after deployment"
        if problem:
            return replace(intent.step, kind=StepKind.CONFLICT, detail=problem)
        return replace(intent.step, done=True)
    return replace(intent.step, done=intent.step.kind in (StepKind.CREATE, StepKind.ADD_OPTION))
