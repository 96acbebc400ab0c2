"""What a probe of a CRM asks, and how what it saw is judged: plain data, and the count of its calls.

A question has the answer our code was written for. The probe sees an answer, and the two are compared here
and nowhere else, so no adapter can be polite about itself. Knows no CRM, no journal and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from icp_sync.errors import AuthError, IcpSyncError, RequestError, UnavailableError
from icp_sync.http import Reply, UncertainError
from icp_sync.observe import redact
from icp_sync.ports import Identity
from icp_sync.quota import DAILY, Quota

NAME = "icp-sync probe, delete me"
"""Of the scratch record. A record that is called otherwise is never touched."""
DOMAIN = "icp-sync-probe.example"
"""Of the scratch record: nobody can own a name under .example (RFC 2606)."""

MOST_CALLS = 35
"""Of one probe, the removal of what it and earlier ones made not counted."""
LEFT = 3
"""Records of earlier probes that one probe removes."""
AGAIN = "icp-sync check --probe again; it removes what is left"
TO_REMOVE = 10
"""Calls beside those that must be left above the reserve before a probe begins."""


class Verdict(StrEnum):
    HELD = "held"
    NOT_HELD = "did not hold"
    OPEN = "not settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of yes or no. assumed: the answer our code was written for, or does not depend on.

    where: the code that assumes it. setting, switch: of a connection, and of the simulator, that stand for
    it; "" for none. instead: what to do, and what it costs, where the answer is another.
    """

    key: str
    asks: str
    assumed: bool
    where: str
    instead: str
    setting: str = ""
    switch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a question. found: None where it is not settled, and then `seen` says why."""

    question: Question
    found: bool | None
    seen: str
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        if self.found is None:
            return Verdict.OPEN
        return Verdict.HELD if self.found is self.question.assumed else Verdict.NOT_HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """overlap: seconds within which a poll must see a write. provoke: whether a limit may be run into.
    left: ids of scratch records an earlier probe may have left. begins: called before the first thing is
    made. made: told of the scratch record's id. Both are durable once they return. settles: seconds in which
    what the CRM itself does after a change is done.
    """

    overlap: float
    settles: float = 0.8
    provoke: bool = False
    left: Sequence[str] = ()
    begins: Callable[[], None] = lambda: None
    made: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a probe came to. removed: ids of scratch records it took away. left: what could not be removed, in
    words. gone: ids of earlier ones that are no scratch records any more."""

    answers: tuple[Answer, ...]
    calls: int
    removed: tuple[str, ...]
    left: tuple[str, ...]
    gone: tuple[str, ...] = ()


@runtime_checkable
class Probes(Protocol):
    """A CRM that can be probed."""

    def identity(self) -> Identity: ...
    def probe(self, wanted: Wanted) -> Probed: ...


class OutOfCallsError(Exception):
    """The probe has used the calls it may make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A reply, refusals included. data: its parsed body."""

    status: int
    data: object = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def at(self, *keys: str) -> object:
        """A value inside, None where there is no such place."""
        found = self.data
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def said(self, most: int = 300) -> str:
        """The body in one line, without what looks like a credential."""
        return " ".join(redact(str(self.data)).split())[:most] if self.data is not None else "no body"


class Calls:
    """Sends, counts, and makes of a refused request something to look at."""

    def __init__(self, send: Callable[..., Reply], most: int = MOST_CALLS) -> None:
        self._send = send
        self._most = most
        self._asking = 0
        self._tidying = 0
        self.tidying = False

    @property
    def made(self) -> int:
        return self._asking + self._tidying

    def spend(self, calls: int = 1) -> None:
        """So many calls are about to be made. Raises OutOfCallsError; what tidies up always may."""
        if self.tidying:
            self._tidying += calls
        elif self._asking >= self._most:
            raise OutOfCallsError
        else:
            self._asking += calls

    def __call__(self, method: str, path: str, **more: object) -> Seen:
        """Raises AuthError and UnavailableError, as the transport does."""
        self.spend()
        try:
            reply = self._send(method, path, **more)
        except RequestError as error:
            return Seen(status=error.status, data=error.body)
        return Seen(status=reply.status, data=reply.data)


class Board:
    """Every question of a CRM, and the answers seen so far."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = {question.key: question for question in questions}
        self._answers: dict[str, Answer] = {}

    def saw(self, key: str, found: bool, seen: str, **detail: object) -> None:
        self._answers[key] = Answer(question=self._questions[key], found=found, seen=seen, detail=detail)

    def open(self, key: str, why: str, **detail: object) -> None:
        """Not settled, unless it already is."""
        unsettled = Answer(question=self._questions[key], found=None, seen=why, detail=detail)
        self._answers.setdefault(key, unsettled)

    def ask(self, steps: Sequence[tuple[str, Callable[[], None]]]) -> None:
        """Ask in order. What one question meets leaves the others their turn, unless nobody answers."""
        why = ""
        for key, step in steps:
            if why:
                self.open(key, why)
                continue
            try:
                step()
            except OutOfCallsError:
                why = f"the {MOST_CALLS} calls of a probe are used up"
                self.open(key, why)
            except (RequestError, AuthError, UncertainError) as error:
                self.open(key, plainly(error))
            except UnavailableError as error:
                why = plainly(error)
                self.open(key, why)

    def answers(self) -> tuple[Answer, ...]:
        """One for each question, in their order."""
        for key in self._questions:
            self.open(key, "it was not come to")
        return tuple(self._answers[key] for key in self._questions)


def plainly(error: IcpSyncError) -> str:
    """What stopped us, with what helps."""
    said = redact(str(error))
    return f"{said} ({error.next_step})" if error.next_step else said


def room_for(quota: Quota) -> None:
    """Raise UnavailableError where a whole probe, its tidying included, would enter the reserve."""
    for one in quota.standing():
        if one.name != DAILY or one.day is None or one.day.remaining is None:
            continue
        if one.day.remaining - one.day.reserve < MOST_CALLS + TO_REMOVE:
            what = f"{one.day.remaining} calls of the day are left, of which {one.day.reserve} are reserved"
            raise UnavailableError(f"no room for a probe: {what}", next_step="icp-sync status")
