"""A task for an owner, once: looked for among the tasks of its companies, and made with its associations.

HubSpot's search shows a new task late, but associations tell at once: so a task that a crash left behind is
found through its companies, by the word in its text. Decides nothing about whom to tell, or of what.
An open one about the same company, for the same owner and untouched, takes up what comes next.
"Tasks" and "Associations v4", HubSpot's API documentation; 192 is its type of task to company.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from html import escape, unescape

from icp_sync.crm.hubspot.associations import AT_ONCE, ties
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import BATCH, Json, listed, results
from icp_sync.crm.hubspot.replies import complaints, summary
from icp_sync.crm.hubspot.values import properties_of
from icp_sync.crm.roster import Roster
from icp_sync.crm.tasks import is_about, is_active, marked
from icp_sync.domain.plan import Result
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import UncertainError
from icp_sync.ports import NO_OWNER, Noted, Task

TO_COMPANY = 192
TIED = 100
"""Companies a task is tied to at most; its text names more."""
LATEST = 100
"""Tasks of a company that are looked through, the latest: an earlier one is not of these days."""
SUBJECT, BODY, STATUS = "hs_task_subject", "hs_task_body", "hs_task_status"
OWNER, MADE = "hubspot_owner_id", "createdAt"
LONGEST_SUBJECT = 250
DONE = ("COMPLETED", "DEFERRED")


class Tasks:
    def __init__(self, client: Client, roster: Roster, executor: Executor) -> None:
        self._client, self._roster, self._executor = client, roster, executor

    def give(self, task: Task) -> Noted:
        """As the port has it. Never raises for what the other side does."""
        try:
            return self._given(task)
        except UncertainError as error:
            return Noted(id="", result=Result.UNCERTAIN, message=str(error))
        except (UnavailableError, AuthError) as error:
            return Noted(id="", result=Result.FAILED, message=str(error))
        except RequestError as error:
            code, message = summary(complaints(error.body))
            lost_owner = "INVALID_OWNER_ID" in f"{code} {message}"
            return Noted(
                id="",
                result=Result.REFUSED,
                code=NO_OWNER if lost_owner else code,
                message=message or str(error),
            )

    def _given(self, task: Task) -> Noted:
        if not is_active(self._roster, task.owner):
            return Noted(id="", result=Result.REFUSED, code=NO_OWNER)
        here = self._here(task.accounts)
        if not here:
            return Noted(id="", result=Result.GONE, code="OBJECT_NOT_FOUND", message="its companies are gone")
        known = self._known(here)
        if found := next((id for id, held in known.items() if task.key in _text(held)), ""):
            return Noted(id=found, result=Result.WRITTEN, made_at=_made(known[found]))
        said = _said(task)
        if opened := self._open_about(task, known):
            self._client.change_task(opened, said)
            return Noted(id=opened, result=Result.WRITTEN)
        made = self._client.create_task({**said, **self._fresh(task)}, _tied(here))
        return Noted(id=str(made.get("id") or ""), result=Result.WRITTEN)

    def _here(self, accounts: Sequence[str]) -> list[str]:
        """Of these companies those that are there; of merged ones the survivors."""
        batches = [accounts[at : at + BATCH] for at in range(0, len(accounts), BATCH)]
        pages = self._executor.map(lambda ids: self._client.batch_read(ids, []), batches)
        return list(dict.fromkeys(str(record["id"]) for page in pages for record in results(page)))

    def _known(self, companies: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        """The latest tasks of these companies, by id."""
        wanted: dict[str, list[str]] = {}
        pending: list[Json] = [{"id": company} for company in companies]
        while pending:
            batch, pending = pending[:AT_ONCE], pending[AT_ONCE:]
            for found in ties(self._client.tasks_of(batch)):
                before = wanted.setdefault(found.id, [])
                fresh = [id for id in found.to if id not in before]
                wanted[found.id] = sorted([*before, *fresh], key=int)[-LATEST:]
                if found.after and not fresh:
                    raise UnavailableError("HubSpot's associations answered a page without a new task")
                pending += [{"id": found.id, "after": found.after}] if found.after else []
        ids = list(dict.fromkeys(id for latest in wanted.values() for id in latest))
        batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
        pages = self._executor.map(
            lambda some: self._client.tasks(some, [SUBJECT, BODY, STATUS, OWNER]), batches
        )
        return {
            str(record["id"]): {**properties_of(record), MADE: str(record.get(MADE) or "")}
            for page in pages
            for record in listed(page)
        }

    def _open_about(self, task: Task, known: Mapping[str, Mapping[str, str | None]]) -> str:
        """The open task of ours for this owner about the only account of this one, as we wrote it; "" for
        none."""
        owner = self._roster.id(task.owner)
        mine = (
            id
            for id, held in known.items()
            if held.get(STATUS) not in DONE
            and held.get(OWNER) == owner
            and is_about(task, held.get(SUBJECT) or "", _plain(_text(held)))
        )
        return next(mine, "")

    def _fresh(self, task: Task) -> Json:
        """What only a new task is given: from then on it is its owner's to change."""
        return {
            STATUS: "NOT_STARTED",
            "hs_timestamp": str(task.due_at),
            "hs_task_type": "TODO",
            OWNER: self._roster.id(task.owner) or "",
        }


def _said(task: Task) -> Json:
    subject = task.subject[:LONGEST_SUBJECT]
    text = marked(task, subject, task.body)
    return {SUBJECT: subject, BODY: escape(text).replace("\n", "<br>")}


def _text(held: Mapping[str, str | None]) -> str:
    return held.get(BODY) or ""


def _plain(text: str) -> str:
    """HTML as plain text; what a person's editor made of our line breaks is no edit."""
    return unescape(re.sub(r"<[^>]*>", " ", text))


def _made(held: Mapping[str, str | None]) -> int | None:
    """When a task was made, ms."""
    try:
        return round(datetime.fromisoformat(held.get(MADE) or "").timestamp() * 1000)
    except ValueError:
        return None


def _tied(companies: Sequence[str]) -> list[Json]:
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TO_COMPANY}
    return [{"to": {"id": company}, "types": [kind]} for company in companies[:TIED]]
