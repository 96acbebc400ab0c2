"""Tasks: what somebody is to do about companies. Made with their associations, or not at all.

A task needs `hs_timestamp`, its due date; it has the habits of every record. Giving one to a company moves
what the company says of its activities, and so its stamp. Only companies can be named here.
https://developers.hubspot.com/docs/api-reference/crm-tasks-v3/guide
"""

from __future__ import annotations

from collections.abc import Iterator

from icp_sync.simulator.clock import iso, to_ms
from icp_sync.simulator.hubspot import writing
from icp_sync.simulator.hubspot.call import Call, text_of, values_of
from icp_sync.simulator.hubspot.errors import Json, Refusal, error, invalid, problem, property_errors
from icp_sync.simulator.hubspot.objects import record_id
from icp_sync.simulator.hubspot.portal import Portal
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import FOLLOW_UP, Record

TO_COMPANY = 192
"""The type of an association from a task to a company, as HubSpot defines it."""


def create(call: Call) -> Reply:
    """A new task, tied to the companies it names. Raises Refusal; then nothing was made."""
    body, portal = call.json(), call.portal
    given = values_of(body.get("properties", {}))
    companies = list(_companies(portal, body.get("associations")))
    kept, problems = writing.check(call, given, None)
    if not kept.get("hs_timestamp"):
        message = "Some required properties were not set: hs_timestamp"
        problems.append(problem("hs_timestamp", "REQUIRED_PROPERTY_MISSING", message, portal.account.id))
    if problems:
        raise Refusal(400, property_errors(problems))
    kept.setdefault("hs_task_status", "NOT_STARTED")
    task = writing.create(call, kept)
    for company in companies:
        portal.errands.tie(company.id, task.id)
        _noticed(portal, company, kept)
    return Reply(status=201, body=writing.written(portal, task, kept))


def _companies(portal: Portal, given: object) -> Iterator[Record]:
    """The companies a body names, those merged into others as these. Raises Refusal."""
    if given is not None and not isinstance(given, list):
        raise invalid("associations must be a list")
    for one in given or ():
        to = one.get("to") if isinstance(one, dict) else None
        types = one.get("types") if isinstance(one, dict) else None
        if not isinstance(to, dict) or not isinstance(types, list) or not types:
            raise invalid("Each association needs a `to` and its `types`")
        if not all(isinstance(kind, dict) and _fits(kind) for kind in types):
            raise invalid("One or more association types are not valid for tasks and companies")
        company = portal.companies.store.survivor(record_id(text_of(to.get("id"))))
        if company is None:
            raise Refusal(
                400, error(f"No company with id {to.get('id')} exists", category="VALIDATION_ERROR")
            )
        yield company


def _fits(kind: Json) -> bool:
    return (
        kind.get("associationCategory") == "HUBSPOT_DEFINED" and kind.get("associationTypeId") == TO_COMPANY
    )


def _noticed(portal: Portal, company: Record, task: Json | dict[str, str]) -> None:
    """What a company says of its activities follows: the next one, and when the last was put on it."""
    now = portal.clock.now_ms()
    due = to_ms(str(task["hs_timestamp"])) or 0
    values = {"notes_last_updated": iso(now)}
    if due > now and task.get("hs_task_status") != "COMPLETED":
        values["notes_next_activity_date"] = iso(due)
    portal.companies.store.write(company, values, FOLLOW_UP, follow_up=False)
