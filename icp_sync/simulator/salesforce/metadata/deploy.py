"""Deployments over REST: start one, look at it, cancel it.

A deployment waits, runs, and is done; it does so by the clock (switch `deploy_seconds`), and never before it
has been looked at twice.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy_checkstatus.htm
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal, bad_json, not_found
from icp_sync.simulator.salesforce.kept import Kept
from icp_sync.simulator.salesforce.metadata.multipart import parts
from icp_sync.simulator.salesforce.metadata.running import Ran, run
from icp_sync.simulator.salesforce.org import Org, User
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import instant_text
from icp_sync.simulator.server import Reply

Json = dict[str, object]
_SWITCHES = (
    "allowMissingFiles",
    "autoUpdatePackage",
    "checkOnly",
    "ignoreWarnings",
    "performRetrieve",
    "purgeOnDelete",
    "rollbackOnError",
    "singlePackage",
)
_LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")
_NO_TESTS: Json = {
    "codeCoverage": [],
    "codeCoverageWarnings": [],
    "failures": [],
    "numFailures": 0,
    "numTestsRun": 0,
    "successes": [],
    "totalTime": 0.0,
}


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One request to deploy. Instants are ms, 0 where it has not come to that; `ran`: how it ended."""

    id: str
    options: Json
    archive: bytes
    asker: str
    created: int
    status: str = "Pending"
    started: int = 0
    completed: int = 0
    canceler: str | None = None
    ran: Ran = field(default_factory=lambda: Ran(status="Pending"))

    def is_set(self, name: str) -> bool:
        return self.options.get(name) is True

    @property
    def done(self) -> bool:
        return self.status not in ("Pending", "InProgress", "Canceling")


DEPLOYMENTS: Kept[dict[int, Deployment]] = Kept(dict)


def start(call: Call) -> Reply:
    """201 with the deployment's id. The body: a part `json` (or `entity_content`) and a part `file`."""
    check_right(call.org, call.user)
    try:
        given = parts(call.header("Content-Type"), call.request.body)
    except ValueError as wrong:
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", f"Invalid multipart request: {wrong}") from None
    described = given.get("json", given.get("entity_content"))
    archive = given.get("file")
    if described is None or archive is None:
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", "The parts json and file are both required")
    known = DEPLOYMENTS.of(call.org)
    number = len(known) + 1
    known[number] = made = Deployment(
        id=ids.shown("0Af", number),
        options=_options(described),
        archive=archive,
        asker=call.user.id,
        created=call.org.clock.now_ms(),
    )
    return Reply(status=201, body=_shown(call, made, details=True) | {"deployOptions": made.options})


def look(call: Call) -> Reply:
    """How a deployment is doing. `includeDetails=true` adds what became of each component."""
    check_right(call.org, call.user)
    found = _found(call)
    _advance(call.org, found)
    details = call.request.one("includeDetails").lower() == "true"
    return Reply(body=_shown(call, found, details=details))


def cancel(call: Call) -> Reply:
    """202; a deployment that is done stays as it is."""
    check_right(call.org, call.user)
    found = _found(call)
    asked = call.json().get("deployResult")
    if not isinstance(asked, Mapping) or asked.get("status") != "Canceling":
        raise bad_json('The body must be {"deployResult":{"status":"Canceling"}}')
    if found.done:
        raise Refusal(400, "INVALID_ID_FIELD", "Deployment already completed")
    found.status, found.canceler = "Canceling", call.user.id
    return Reply(status=202, body=_shown(call, found, details=False))


def check_right(org: Org, user: User) -> None:
    """Whether somebody may change metadata. Raises Refusal."""
    if not org.rights.may_set_up(user, "ModifyMetadata"):
        raise Refusal(
            403,
            "INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData or "
            "ModifyMetadata permissions",
        )


def _found(call: Call) -> Deployment:
    wanted = call.rest[0]
    found = DEPLOYMENTS.of(call.org).get(ids.number(wanted) or 0) if wanted.startswith("0Af") else None
    if found is None:
        raise not_found(f"No deployment with id {wanted[:40]}")
    return found


def _options(described: bytes) -> Json:
    try:
        body = json.loads(described)
    except (ValueError, RecursionError):
        raise bad_json("The part json is not JSON at [line:1, column:1]") from None
    options = body.get("deployOptions") if isinstance(body, dict) else None
    if not isinstance(options, dict):
        raise bad_json("The part json must hold deployOptions")
    for name, value in options.items():
        if name in _SWITCHES and not isinstance(value, bool):
            raise bad_json(f"Cannot deserialize instance of boolean from {name} at [line:1, column:1]")
        if name == "testLevel" and value not in _LEVELS:
            raise bad_json(f"testLevel: {str(value)[:40]!r} is none of {', '.join(_LEVELS)}")
        if name not in (*_SWITCHES, "testLevel", "runTests"):
            raise bad_json(f'Unrecognized field "{name[:40]}" of DeployOptions at [line:1, column:1]')
    return options


def _advance(org: Org, deployment: Deployment) -> None:
    """What a deployment did since it was last looked at."""
    now = org.clock.now_ms()
    if deployment.status == "Pending":
        deployment.status, deployment.started = "InProgress", now
    elif deployment.status == "Canceling":
        _finish(org, deployment, Ran(status="Canceled"))
    elif deployment.status == "InProgress" and now >= deployment.created + org.switches.deploy_seconds * 1000:
        _finish(org, deployment, _outcome(org, deployment))


def _outcome(org: Org, deployment: Deployment) -> Ran:
    if not org.sandbox and not deployment.is_set("rollbackOnError"):
        message = "rollbackOnError must be true when deploying to a production organization"
        return Ran(status="Failed", error=("INVALID_OPERATION", message))
    return run(org, deployment.archive, {name: deployment.is_set(name) for name in _SWITCHES})


def _finish(org: Org, deployment: Deployment, ran: Ran) -> None:
    deployment.ran, deployment.status = ran, ran.status
    deployment.completed = org.clock.now_ms()
    deployment.archive = b""


def _shown(call: Call, deployment: Deployment, *, details: bool) -> Json:
    """A deployment as every answer prints it."""
    result = _progress(deployment) | _counts(deployment.ran) | {"details": None}
    if details:
        result["details"] = {
            "allComponentMessages": [],
            "componentFailures": deployment.ran.failures,
            "componentSuccesses": deployment.ran.successes,
            "retrieveResult": None,
            "runTestResult": _NO_TESTS,
        }
    return {
        "id": deployment.id,
        "validatedDeployRequestId": None,
        "deployOptions": None,
        "deployResult": result,
        "url": f"{call.root}/metadata/deployRequest/{deployment.id}",
    }


def _progress(deployment: Deployment) -> Json:
    code, message = deployment.ran.error or (None, None)
    created, started, completed = (
        instant_text(at) if at else None
        for at in (deployment.created, deployment.started, deployment.completed)
    )
    return {
        "id": deployment.id,
        "status": deployment.status,
        "done": deployment.done,
        "success": deployment.status == "Succeeded",
        "checkOnly": deployment.is_set("checkOnly"),
        "ignoreWarnings": deployment.is_set("ignoreWarnings"),
        "rollbackOnError": deployment.is_set("rollbackOnError"),
        "createdBy": deployment.asker,
        "createdDate": created,
        "startDate": started,
        "completedDate": completed,
        "lastModifiedDate": completed or started or created,
        "canceledBy": deployment.canceler,
        "errorMessage": message,
        "errorStatusCode": code,
        "stateDetail": None,
    }


def _counts(ran: Ran) -> Json:
    return {
        "numberComponentErrors": len(ran.failures),
        "numberComponentsDeployed": sum(one["fullName"] != "package.xml" for one in ran.successes),
        "numberComponentsTotal": ran.total,
        "numberTestErrors": 0,
        "numberTestsCompleted": 0,
        "numberTestsTotal": 0,
        "runTestsEnabled": False,
    }


ROUTES = (
    Route(method="POST", pattern="metadata/deployRequest", run=start),
    Route(method="GET", pattern="metadata/deployRequest/*", run=look),
    Route(method="PATCH", pattern="metadata/deployRequest/*", run=cancel),
)
