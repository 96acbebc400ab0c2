"""The word by which a task of ours is found again, and whom one may be given to. What every CRM shares."""

from __future__ import annotations

from icp_sync.crm.roster import Roster
from icp_sync.ports import Task

_ABOUT = "about account "


def marked(task: Task) -> str:
    """The last line of a task's text: its key, and which account it is about where that is only one."""
    return f"[{task.key}{', ' + about(task) if about(task) else ''}]"


def about(task: Task) -> str:
    """What stands in the text of every task about the same single account, "" for one about several."""
    return f"{_ABOUT}{task.accounts[0]}." if len(task.accounts) == 1 else ""


def is_active(roster: Roster, email: str) -> bool:
    """Whether the CRM knows such an owner as active."""
    return any(owner.email == email and owner.active for owner in roster.owners())
