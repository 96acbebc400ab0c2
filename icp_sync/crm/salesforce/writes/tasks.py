"""A task for an owner, once: looked for by its subject and its text, and made for one account or for several.

A query shows what is committed, so a task that a crash left behind is found at once, by the word in its
text; Description cannot be filtered by, so the query asks for our subjects. A task is about one account
(WhatId) or, of several, about none. It has a reminder and no due date: the account's LastActivityDate is the
latest due date of a closed task, so whoever closes ours would seem to have been in touch on that day.
Decides nothing about whom to tell, or of what.
https://help.salesforce.com/s/articleView?id=000385365&type=1
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import account_id, long_id
from icp_sync.crm.salesforce.replies import codes, kind, summary
from icp_sync.crm.salesforce.rights import is_missing_right
from icp_sync.crm.tasks import is_about, is_active, marked, room
from icp_sync.domain.plan import Result
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.ports import NO_OWNER, Noted, Task

OBJECT = "Task"
BACK = 30 * 86_400_000
"""Milliseconds: a task that was made earlier is not this one, as nothing is tried for so long."""
LONGEST, LONGEST_SUBJECT = 30_000, 250
_INACTIVE = ("INACTIVE_OWNER_OR_USER", "INACTIVE_USER")
_NOT_FOR_US = "entity type cannot be "
"""So begins what Salesforce says where a right is missing; its code means failed triggers too."""
RIGHTS = "give the integration user's permission set the permission Edit Tasks"


class Tasks:
    def __init__(self, client: Client, roster: Roster) -> None:
        self._client, self._roster = client, roster

    def give(self, task: Task) -> Noted:
        """As the port has it. Never raises for what the other side does."""
        try:
            return self._given(task)
        except UncertainError as error:
            return Noted(id="", result=Result.UNCERTAIN, message=str(error))
        except (UnavailableError, AuthError) as error:
            return Noted(id="", result=Result.FAILED, message=str(error))
        except RequestError as error:
            return _refused(error)

    def _given(self, task: Task) -> Noted:
        if not is_active(self._roster, task.owner):
            return Noted(id="", result=Result.REFUSED, code=NO_OWNER)
        here = self._here(task.accounts)
        if not here:
            return Noted(id="", result=Result.GONE, code="ENTITY_IS_DELETED", message="its accounts are gone")
        single = here[0] if len(task.accounts) == 1 else ""
        known = self._known(task, single)
        if found := next((row for row in known if task.key in _text(row)), None):
            return Noted(id=_id(found), result=Result.WRITTEN, made_at=_made(found))
        said = _said(task)
        if opened := self._open_about(task, known):
            (reply,) = self._client.update([{"id": opened, **said}], sobject=OBJECT)
            return _became(opened, reply)
        about = {"WhatId": single} if single else {}
        reply = self._client.create(OBJECT, {**said, **self._fresh(task), **about})
        return _became(str(reply.get("id") or ""), reply)

    def _here(self, accounts: Sequence[str]) -> list[str]:
        """Of these accounts those that are there."""
        known = [id for id in map(account_id, accounts) if id]
        rows = [
            row
            for some in soql.chunks(known)
            for page in self._client.query(soql.select(["Id"], "Account", [soql.among("Id", some)]))
            for row in page
        ]
        return [id for row in rows if (id := _id(row))]

    def _known(self, task: Task, single: str) -> list[Json]:
        """Tasks with subjects of ours: all about the single account, or the latest about several."""
        since = round(self._client.now() * 1000) - BACK
        prefix = task.subject.partition(":")[0]
        where = [
            f"Subject LIKE {soql.literal(prefix + ':%')}",
            f"WhatId = {soql.literal(single)}" if single else "WhatId = null",
            "" if single else f"CreatedDate >= {soql.instant(since)}",
        ]
        statement = soql.select(
            ["Id", "Subject", "Description", "IsClosed", "OwnerId", "CreatedDate"],
            OBJECT,
            where,
            order="CreatedDate DESC",
            limit=soql.PAGE,
        )
        return [row for page in self._client.query(statement) for row in page]

    def _open_about(self, task: Task, known: Sequence[Json]) -> str:
        """The open task of ours for this owner about the only account of this one, as we wrote it; "" for
        none."""
        owner = self._roster.id(task.owner)
        mine = (
            _id(row)
            for row in known
            if row.get("IsClosed") is False
            and long_id(str(row.get("OwnerId") or "")) == owner
            and is_about(task, str(row.get("Subject") or ""), _text(row))
        )
        return next(mine, "")

    def _fresh(self, task: Task) -> Json:
        """What only a new task is given: from then on it is its owner's to change."""
        return {
            "IsReminderSet": True,
            "ReminderDateTime": datetime.fromtimestamp(task.due_at / 1000, UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "OwnerId": self._roster.id(task.owner) or "",
        }


def _said(task: Task) -> Json:
    subject = task.subject[:LONGEST_SUBJECT]
    return {"Subject": subject, "Description": marked(task, subject, task.body[: room(LONGEST, task)])}


def _made(row: Json) -> int | None:
    """When a task was made, ms."""
    try:
        return round(datetime.fromisoformat(str(row.get("CreatedDate"))).timestamp() * 1000)
    except ValueError:
        return None


def _became(id: str, reply: Json) -> Noted:
    """What became of a row of a write."""
    if reply.get("success") is True and id:
        return Noted(id=id, result=Result.WRITTEN)
    if "success" not in reply:
        raise UncertainError("Salesforce did not say what became of the task")
    return _refused(RequestError("the task was refused", status=400, body=reply.get("errors")))


def _refused(error: RequestError) -> Noted:
    found = codes(error)
    code, message = summary(found)
    named = {one.code for one in found}
    if named & set(_INACTIVE):
        return Noted(id="", result=Result.REFUSED, code=NO_OWNER, message=message)
    if is_missing_right(error) or _NOT_FOR_US in message:
        return Noted(id="", result=Result.FAILED, code=code, message=f"{message or error}: {RIGHTS}")
    what = kind(found)
    if what == "gone":
        return Noted(id="", result=Result.GONE, code=code, message=message)
    failed = what != "permanent" or error.status not in (400, 404)
    result = Result.FAILED if failed else Result.REFUSED
    return Noted(id="", result=result, code=code, message=message or str(error))


def _text(row: Json) -> str:
    return str(row.get("Description") or "")


def _id(row: Json) -> str:
    return long_id(str(row.get("Id") or ""))
