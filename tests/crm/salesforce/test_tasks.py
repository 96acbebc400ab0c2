"""Tasks in a Salesforce org: the contract, and what only Salesforce does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from icp_sync.domain.plan import Result
from icp_sync.simulator.salesforce.org import Org as Simulated
from tests.crm.contract import OWNED
from tests.crm.salesforce.world import STANDARD, Org
from tests.crm.task_contract import Given, TaskContract, TaskWorld, task


class Errands(Org):
    other = ""
    left = ""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        people = [user for user in self.org.users.values() if user.email.endswith("@sales.example")]
        self.other = next(user.email for user in people if user.active and user.email != OWNED)
        self.left = next(user.email for user in people if not user.active)

    @property
    def org(self) -> Simulated:
        return self.simulator.org

    def tasks(self) -> list[Given]:
        emails = {user.id: user.email for user in self.org.users.values()}
        held = self.org.objects["task"]
        return [
            Given(
                id=held.id_of(one),
                owner=emails[one.props["OwnerId"]],
                subject=one.props["Subject"],
                body=one.props["Description"],
                accounts=tuple(filter(None, [one.props.get("WhatId", "")])),
                open=one.props.get("Status") != "Completed",
            )
            for one in held.rows(self.org.admin)
        ]

    def finish(self, task: str) -> None:
        held = self.org.objects["task"]
        record = held.record(task)
        assert record is not None
        record.props |= {"Status": "Completed"}

    def retype(self, task: str, subject: str = "", body: str = "") -> None:
        record = self.org.objects["task"].record(task)
        assert record is not None
        record.props |= {"Subject": subject or record.props["Subject"]}
        record.props |= {"Description": record.props["Description"] + body}

    def close_task(self, task: str, **what: str) -> None:
        """By the API, as a person's page does."""
        (reply,) = self.crm._client.update([{"id": task, "Status": "Completed", **what}], sobject="Task")
        assert reply["success"]

    def lose_next_task(self) -> None:
        self.fault("reset_after_apply", "POST sobjects/", nth=1)

    def break_tasks(self) -> None:
        self.fault("503", "POST sobjects/")

    def forbid_tasks(self) -> str:
        self.simulator.admin("POST settings", bare_user=True)
        return "Task"

    def require(self) -> None:
        self.simulator.admin(
            "POST rules",
            object="Task",
            field="Subject",
            value="ICP fit: forbidden",
            message="say something else",
        )


class TestSalesforce(TaskContract):
    @pytest.fixture
    def world(self) -> Iterator[TaskWorld]:
        org = Errands()
        yield org
        org.close()


@pytest.fixture
def org() -> Iterator[Errands]:
    org = Errands()
    yield org
    org.close()


def test_a_task_says_what_it_is_about_and_reminds_without_a_due_date(org: Errands) -> None:
    acme = org.create()
    org.crm.give_task(task(acme))
    (record,) = org.org.objects["task"].rows(org.org.admin)
    assert "ActivityDate" not in record.props or not record.props["ActivityDate"]
    assert record.props["ReminderDateTime"].startswith("2026-11-23T")
    assert record.props["WhatId"] == acme
    assert f"[icp-sync 0a1b2c3d, about account {acme}. " in record.props["Description"]


def test_who_closes_our_task_was_not_in_touch_and_who_closes_their_own_was(org: Errands) -> None:
    acme = org.create()
    account = org.org.accounts.record(acme)
    assert account is not None
    before = account.props.get("LastActivityDate", "")
    made = org.crm.give_task(task(acme))
    org.close_task(made.id)
    assert account.props.get("LastActivityDate", "") == before
    org.close_task(made.id, ActivityDate="2026-12-24")
    assert account.props["LastActivityDate"] == "2026-12-24"


def test_a_digest_stands_by_itself(org: Errands) -> None:
    accounts = [org.create() for _ in range(2)]
    org.crm.give_task(task(*accounts))
    assert [one.accounts for one in org.tasks()] == [()]


def test_an_owner_deactivated_after_we_looked_is_an_answer_of_its_own(org: Errands) -> None:
    acme = org.create()
    org.crm.owners()
    user = next(user for user in org.org.users.values() if user.email == org.other)
    user.record.props |= {"IsActive": "false"}
    answer = org.crm.give_task(task(acme, owner=org.other))
    assert (answer.result, answer.code) == (Result.REFUSED, "NO_SUCH_OWNER")


def test_check_asks_for_the_right_to_tasks_where_owners_are_given_any(org: Errands) -> None:
    tasked = replace(STANDARD, tasks=True)
    assert not any("Task" in one.where for one in org.crm.check(tasked))
    org.forbid_tasks()
    (named,) = [one for one in org.crm.check(tasked) if "Task" in one.where]
    assert "Edit Tasks" in named.hint
    assert not any("Task" in one.where for one in org.crm.check(STANDARD))
