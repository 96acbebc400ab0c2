"""By which ways one connection tells people, and what became of a message sent by one of them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from icp_sync.domain.plan import Result
from icp_sync.domain.telling import SILENT, Telling
from icp_sync.errors import IcpSyncError
from icp_sync.http import Webhook
from icp_sync.http.webhook import LONGEST_REST
from icp_sync.journal import OPERATOR
from icp_sync.ports import NO_OWNER, Crm, Task
from icp_sync.sync.telling.formats import FORMATS, SLACK, task_text
from icp_sync.sync.telling.message import Message

SUBJECT = "ICP fit"
"""With this begins the subject of every task of ours."""
MARKER = "icp-sync "
"""Before a message's key where a task carries it."""
DOWN_AFTER = 600.0
TASK = "tasks"
"""The way by tasks in the CRM; a webhook is the way of its audience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A webhook and the format it takes."""

    webhook: Webhook
    format: str = SLACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one message. taken: it arrived. again: it may arrive when it is sent once more.

    moot: there is nobody to tell, or nothing left to. unreachable: there is somebody, and no way to them.
    by: "webhook" or "task". why: "" when it arrived. retry_after: seconds, where the receiver said so.
    down: the way by which nothing else would arrive now, "" for none. made_at: of a task that was there
    already, when it was made, epoch seconds.
    """

    taken: bool
    by: str
    why: str = ""
    again: bool = True
    moot: bool = False
    unreachable: bool = False
    retry_after: float = 0.0
    down: str = ""
    made_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """telling: what reps are told. tasks: they get a task in the CRM, and the webhook where they cannot.

    reps, operators: their webhooks, None where there is none. task_due: seconds until a task is due.
    record_url: of a record's page, with {id}. down_after: seconds after which a stream that fails is one for
    an alert.
    """

    telling: Telling = SILENT
    tasks: bool = False
    reps: Post | None = None
    operators: Post | None = None
    task_due: float = 2 * 86_400.0
    record_url: str = ""
    down_after: float = DOWN_AFTER

    def close(self) -> None:
        for post in filter(None, (self.reps, self.operators)):
            post.webhook.close()

    def send(
        self,
        message: Message,
        crm: Crm,
        *,
        accounts: tuple[str, ...],
        down: Set[str] = frozenset(),
        writes: bool = True,
    ) -> Answer | None:
        """Send one message by the way that fits; None where that is not open now.

        accounts: what it is about, for a task. down: ways that failed a moment ago. writes: whether we write
        to the CRM at all; where we do not, no task is given.
        """
        if message.audience == OPERATOR:
            return _posted(message, self.operators, down)
        if not self.tasks or message.kind == "test":
            return _posted(message, self.reps, down)
        if not writes:
            return _posted(message, self.reps, down) if self.reps else None
        if message.to and TASK in down:
            return None
        if not message.to:
            return _posted(message, self.reps, down, "nobody owns it, and no webhook is configured")
        answer = self._given(message, crm, accounts)
        if answer is None and self.reps is None:
            why = f"{message.to} is no active owner in the CRM, and no webhook is configured"
            return Answer(taken=False, by="task", why=why, again=False, unreachable=True)
        return _posted(message, self.reps, down) if answer is None else answer

    def _given(self, message: Message, crm: Crm, accounts: tuple[str, ...]) -> Answer | None:
        """None where the owner can have no task."""
        try:
            task = Task(
                key=MARKER + message.key,
                owner=message.to,
                subject=f"{SUBJECT}: {message.title}",
                body=task_text(message),
                accounts=accounts,
                due_at=round((crm.now() + self.task_due) * 1000),
            )
            noted = crm.give_task(task)
        except IcpSyncError as error:  # a missing right as well: somebody may grant it
            return Answer(taken=False, by="task", why=str(error), retry_after=_patience(error), down=TASK)
        if noted.code == NO_OWNER:
            return None
        why = noted.message or noted.code or noted.result.value
        taken, moot = noted.result is Result.WRITTEN, noted.result is Result.GONE
        again = noted.result in (Result.FAILED, Result.UNCERTAIN)
        return Answer(
            taken=taken,
            by="task",
            why="" if taken else why,
            again=again,
            moot=moot,
            down=TASK if noted.result is Result.FAILED else "",
            made_at=None if noted.made_at is None else noted.made_at / 1000,
        )


def _posted(
    message: Message, post: Post | None, down: Set[str], otherwise: str = "no webhook is configured"
) -> Answer | None:
    if post is None:
        return Answer(taken=False, by="webhook", why=otherwise, again=False, moot=True)
    if message.audience in down or post.webhook.rests:
        return None
    delivery = post.webhook.post(FORMATS[post.format](message), message.key)
    return Answer(
        taken=not delivery.why,
        by="webhook",
        why=delivery.why,
        retry_after=delivery.retry_after,
        down=message.audience if delivery.down else "",
    )


def _patience(error: IcpSyncError) -> float:
    return min(float(getattr(error, "retry_after", None) or 0.0), LONGEST_REST)
