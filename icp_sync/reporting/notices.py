"""What people are told on a connection: what waits and when it goes out, what went, what did not arrive.

From the settings and the journal alone; sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.journal import StoredNotice
    from icp_sync.reporting.opened import Opened
    from icp_sync.sync.telling.message import Message

Data = dict[str, object]


def summary(at: Opened) -> Data:
    """Counts for `status`: what waits, what was given up, what was kept silent."""
    counts = at.journal.notice_counts()
    return {
        "by": at.connection.telling.by,
        "operators": at.settings.notify.url is not None,
        "waiting": counts.count("waiting"),
        "sent": counts.count("sent"),
        "dropped": counts.count("dropped"),
        "failed": counts.count("failed"),
        "silent": counts.silent,
    }


def notices(at: Opened, *, limit: int) -> Data:
    """Everything `icp-sync notices` says. due: the messages that would go out now; limit: of the lists."""
    from icp_sync.domain.standing import Mode
    from icp_sync.journal import OPERATOR, REP
    from icp_sync.sync.telling.due import as_they_stand, due_now, together
    from icp_sync.sync.telling.message import digest_of
    from icp_sync.sync.telling.outgoing import Outgoing

    now, said = time.time(), at.connection.telling
    outgoing = Outgoing(telling=said.telling, record_url=said.record_url)
    due: list[Data] = []
    for audience in (OPERATOR, REP):
        found = due_now(at.journal, outgoing, audience, now)
        true, _ = as_they_stand(at.journal, found)
        for group in together(true, outgoing):
            message = digest_of(group, "", connection=at.name, record_url=said.record_url)
            due.append(_message(message, group))
    telling = said.telling
    return {
        "connection": at.name,
        **summary(at),
        "tasks_wait": said.by == "task" and said.url is None and not at.journal.mode().allows(Mode.WRITE),
        "next_digest": telling.goes_out(now) if telling.on and telling.digest else None,
        "due": due,
        "waiting_notices": [_notice(one) for one in at.journal.notices("waiting", limit=limit)],
        "latest": [_notice(one) for one in at.journal.notices("sent", "dropped", "failed", limit=limit)],
    }


def _message(message: Message, notices: Sequence[StoredNotice]) -> Data:
    lines = [
        ": ".join(filter(None, [line.name, line.said])) for group in message.groups for line in group.lines
    ]
    return {
        "audience": message.audience,
        "to": message.to,
        "title": message.title,
        "lines": lines,
        "more": message.more,
        "notices": len(notices),
        "attempts": max(one.attempts for one in notices),
    }


def _notice(one: StoredNotice) -> Data:
    return {
        "audience": one.audience,
        "kind": one.kind,
        "subject": one.subject,
        "name": str(one.data.get("name") or ""),
        "to": one.to,
        "state": one.state,
        "at": one.at,
        "due": one.due,
        "sent_at": one.sent_at,
        "attempts": one.attempts,
        "message": one.message,
    }
