"""The word by which a task of ours is found again, and whom one may be given to. What every CRM shares.

A task that is still open takes up what comes next, but only while it reads as we wrote it: what a person
typed into it is theirs, and the next news is then a task of its own.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from icp_sync.crm.roster import Roster
from icp_sync.ports import Task

_LONGEST_MARK = 120


def marked(task: Task, subject: str, body: str) -> str:
    """The text of a task with its last line: its key and, where it is about one account, which, and a digest
    of what we wrote. subject, body: as long as the CRM takes them."""
    if len(task.accounts) != 1:
        return f"{body}\n[{task.key}]"
    return f"{body}\n[{task.key}, about account {task.accounts[0]}. {_digest(subject, body)}]"


def room(longest: int, task: Task) -> int:
    """Characters of its own text, where a CRM takes `longest` with our last line."""
    return longest - max(_LONGEST_MARK, len(task.key) + 60)


def is_about(task: Task, subject: str, text: str) -> bool:
    """Whether a task with this subject and plain text is ours, about the only account of this one, and as we
    wrote it: nobody typed into it."""
    if len(task.accounts) != 1:
        return False
    about = rf"\[[^\[\],]+, about account {re.escape(task.accounts[0])}\. ([0-9a-f]{{8}})\]"
    found = list(re.finditer(about, text))
    if not found:
        return False
    last = found[-1]
    return last[1] == _digest(subject, text[: last.start()] + text[last.end() :])


def is_active(roster: Roster, email: str) -> bool:
    """Whether the CRM knows such an owner as active."""
    return any(owner.email == email and owner.active for owner in roster.owners())


def _digest(subject: str, text: str) -> str:
    """Blanks do not count: a CRM may set lines its own way."""
    words = " ".join([*subject.split(), "|", *text.split()])
    return blake2b(words.encode(), digest_size=4).hexdigest()
