"""What an account says of its activities: the latest due date of its closed tasks, whoever closed them, when.

A task without a due date says nothing; a date in the future stands there like any other. The change moves
SystemModstamp alone.
https://help.salesforce.com/s/articleView?id=000385365&type=1
"""

from __future__ import annotations

from icp_sync.simulator.salesforce.ids import number as number_of
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.store import FOLLOW_UP, Record

LATEST = "LastActivityDate"


def follow(org: Org, task: Record) -> None:
    """The account of a task that was written is brought up to date."""
    due = task.props.get("ActivityDate", "")
    about = number_of(task.props.get("WhatId", ""))
    if not due or about is None or task.props.get("Status") != "Completed":
        return
    account = org.accounts.store.records.get(about)
    if account is not None and account.props.get(LATEST, "") < due:
        org.accounts.store.write(account, {LATEST: due}, FOLLOW_UP, follow_up=False)
