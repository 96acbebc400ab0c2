"""How a list view must call a custom field: asked of a deployment that only checks, and makes nothing.

The field it is about is in the same package, so that there is one whatever the org has; Salesforce validates
both and keeps neither ("checkOnly", DeployOptions in the Metadata API Developer Guide).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icp_sync.crm.probing import Board, Calls
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.probing.questions import VIEW_NAMES
from icp_sync.crm.salesforce.provisioning.metadata import Component, Element
from icp_sync.crm.salesforce.provisioning.packaging import archive

FIELD = "ICP_Sync_Probe__c"
BARE, PREFIXED = "ICP_Sync_Probe_Bare", "ICP_Sync_Probe_Prefixed"
LOOKS = 6
_OPTIONS = {
    "checkOnly": True,
    "singlePackage": True,
    "rollbackOnError": True,
    "ignoreWarnings": True,
    "testLevel": "NoTestRun",
}


class ViewNames:
    """Two list views, each with the field by one of its names."""

    def __init__(self, client: Client, calls: Calls, board: Board) -> None:
        self._client = client
        self._calls = calls
        self._board = board

    def ask(self) -> None:
        result = self._checked()
        if result is None:
            self._board.open(VIEW_NAMES, f"the deployment had not ended after {LOOKS} looks")
            return
        problems = _problems(result)
        bare, prefixed = problems.get(f"Account.{BARE}"), problems.get(f"Account.{PREFIXED}")
        if bare is None and result.get("status") == "Succeeded":
            self._board.saw(VIEW_NAMES, False, f"{FIELD} is understood", problems=problems)
        elif bare is not None and prefixed is None:
            self._board.saw(
                VIEW_NAMES, True, f"only Account.{FIELD} is understood: {bare}", problems=problems
            )
        elif bare is None and prefixed is not None:
            self._board.saw(VIEW_NAMES, False, f"only {FIELD} is understood: {prefixed}", problems=problems)
        else:
            said = "; ".join(dict.fromkeys(problems.values())) or str(result.get("errorMessage") or "")
            self._board.open(VIEW_NAMES, f"neither was taken: {said}", problems=problems)

    def _checked(self) -> Mapping[str, Any] | None:
        """How the deployment ended, None where it takes too long."""
        self._calls.spend()
        id = str(self._client.deploy(archive(_components()), _OPTIONS).get("id") or "")
        pause = 0.05
        for _ in range(LOOKS if id.isalnum() else 0):
            self._calls.spend()
            result = self._client.deploy_status(id).get("deployResult")
            if isinstance(result, dict) and result.get("done"):
                return result
            self._client.transport.wait(pause)
            pause = min(5.0, pause * 4)
        return None


def _components() -> list[Component]:
    plain: tuple[Element, ...] = (
        ("externalId", "false"),
        ("label", "icp-sync probe"),
        ("length", "40"),
        ("required", "false"),
        ("type", "Text"),
        ("unique", "false"),
    )
    views = ((BARE, FIELD), (PREFIXED, f"Account.{FIELD}"))
    return [
        Component(kind="CustomField", name=FIELD, body=plain),
        *(Component(kind="ListView", name=name, body=_view(name, field)) for name, field in views),
    ]


def _view(name: str, field: str) -> tuple[Element, ...]:
    wanted: tuple[Element, ...] = (("field", field), ("operation", "equals"), ("value", "x"))
    return (
        ("columns", "ACCOUNT.NAME"),
        ("columns", field),
        ("filterScope", "Everything"),
        ("filters", wanted),
        ("label", name.replace("_", " ")),
    )


def _problems(result: Mapping[str, Any]) -> dict[str, str]:
    """Component → what is wrong with it. One DeployMessage alone may come without a list around it."""
    details = result.get("details")
    listed = details.get("componentFailures") if isinstance(details, dict) else None
    failures = listed if isinstance(listed, list) else [listed]
    return {
        str(one.get("fullName") or ""): str(one.get("problem") or "no reason given")
        for one in failures
        if isinstance(one, dict) and one.get("problemType") != "Warning"
    }
