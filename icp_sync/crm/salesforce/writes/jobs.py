"""Bulk jobs that may be writing: what is remembered of them, and how one is waited for, stopped, or let go.

A job writes on after whoever began it has gone, over what people type meanwhile. So none is left alone: one
that is not known to have ended is looked at again and again, is aborted when waiting does not help, and keeps
its accounts from being written until it has ended. Knows no rows and no storage.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_job_states.htm
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from icp_sync.crm.salesforce.client import Client
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log

JOB_SECONDS = 3600.0
LEFT_SECONDS = 120.0
LONGEST_PAUSE = 30.0
FORGOTTEN = "Forgotten"
"""Not a word of Salesforce's: it keeps jobs for seven days, or until somebody deletes them."""

ENDED = frozenset({"JobComplete", "Failed", "Aborted", FORGOTTEN})
TROUBLE = (UnavailableError, AuthError, RequestError)

_log = log("salesforce")


class Jobs(Protocol):
    """The journal's list of ingest jobs that may be writing. Durable once a call returns."""

    def begun(self, job_id: str, account_ids: Sequence[str]) -> None:
        """This job is about to be let loose on these accounts."""

    def ended(self, job_id: str) -> None:
        """It writes no more; its accounts are read again like all others."""

    def open(self) -> Mapping[str, Sequence[str]]:
        """Jobs begun and not ended, with their accounts."""


class Following:
    """Safe to share between threads.

    job_seconds: how long a job of ours is waited for. left_seconds: how long one is waited for that an
    earlier run, or trouble on the way, left behind. clock: monotonic seconds.
    """

    def __init__(
        self,
        client: Client,
        jobs: Jobs,
        *,
        job_seconds: float = JOB_SECONDS,
        left_seconds: float = LEFT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._job_seconds = job_seconds
        self._left_seconds = left_seconds
        self._clock = clock
        self._ours: set[str] = set()  # followed by some thread of ours right now
        self._in_vain: set[str] = set()  # left behind, and waited for as long as we do
        self._again: dict[str, float] = {}  # left behind → when to look again
        self._recovering = threading.Lock()

    def begin(self, id: str, account_ids: Sequence[str]) -> None:
        """A job is about to be let loose; until `let_go` the caller follows it."""
        self._ours.add(id)
        self._jobs.begun(id, account_ids)

    def end(self, id: str) -> None:
        self._jobs.ended(id)
        self._again.pop(id, None)
        self._in_vain.discard(id)

    def let_go(self, id: str) -> None:
        """Nobody follows it any more: `recover` sees to it, unless it has ended."""
        self._ours.discard(id)

    def held(self) -> dict[str, str]:
        """Account → the job that may still write it."""
        return {account: id for id, accounts in self._jobs.open().items() for account in accounts}

    def recover(self) -> frozenset[str]:
        """See to the jobs nobody follows: those still open are aborted, the others are waited for a while
        and then aborted.

        Returns the accounts of those that have ended. Raises nothing; a job that cannot be stopped stays on
        the list and is asked about at the next opportunity. One thread does so at a time, the others go on.
        """
        if not self._recovering.acquire(blocking=False):
            return frozenset()
        try:
            ended: set[str] = set()
            for id, accounts in self._jobs.open().items():
                if id not in self._ours and self._clock() >= self._again.get(id, 0.0) and self._over(id):
                    self.end(id)
                    ended.update(accounts)
            return frozenset(ended)
        finally:
            self._recovering.release()

    def look(self, id: str) -> Mapping[str, Any]:
        """How a job stands. One that Salesforce knows no more has the state FORGOTTEN."""
        try:
            return self._client.job("ingest", id)
        except RequestError as error:
            if error.status != 404:
                raise
            return {"state": FORGOTTEN}

    def wait(self, id: str, seconds: float | None = None) -> Mapping[str, Any]:
        """The job once it has ended. Raises UnavailableError when that takes too long, or we are to stop."""
        longest = self._job_seconds if seconds is None else seconds
        waited, pause = 0.0, 0.5
        while (info := self.look(id))["state"] not in ENDED:
            if waited >= longest:
                raise UnavailableError(f"it is still {info['state']} after {waited:.0f} s")
            pause = min(LONGEST_PAUSE, pause * 1.6)
            step = pause * random.uniform(0.8, 1.2)  # noqa: S311  spreads workers, guards nothing
            self._client.transport.wait(step)
            waited += step
        return info

    def stop(self, id: str) -> Mapping[str, Any]:
        """Abort a job; how it stands once it has ended. What it has written stays written.

        Raises what Salesforce says when it may still be writing.
        """
        try:
            self._client.abort("ingest", id)
            refused: Exception | None = None
        except TROUBLE as error:  # it is over already, or the reply was lost: how it stands tells
            refused = error
        try:
            info = self.look(id)
        except (UnavailableError, AuthError):
            if refused is not None:
                raise
            return {"state": "Aborted"}
        if info["state"] not in ENDED:
            why = f": {refused}" if refused else ""
            raise UnavailableError(f"it is {info['state']} and could not be aborted{why}")
        return info

    def _over(self, id: str) -> bool:
        """Whether a job nobody follows has ended, now that we have done what we can about it."""
        try:
            state = self.look(id)["state"]
            if state in ENDED:
                return True
            if state != "Open" and id not in self._in_vain and self._waited(id, state):
                return True
            self.stop(id)
            _log.warning("a bulk job that was left behind is aborted", job=id, connection=self._name)
            return True
        except TROUBLE as error:
            self._again[id] = self._clock() + LONGEST_PAUSE
            _log.warning(
                "a bulk job may still be writing; its accounts are not written meanwhile",
                job=id,
                connection=self._name,
                error=str(error),
            )
            return False

    def _waited(self, id: str, state: str) -> bool:
        _log.warning(
            "waiting for a bulk job that was left behind",
            job=id,
            connection=self._name,
            state=state,
            seconds=self._left_seconds,
        )
        try:
            self.wait(id, self._left_seconds)
        except TROUBLE as error:
            self._in_vain.add(id)
            _log.warning("a bulk job is not waited for any longer", job=id, error=str(error))
            return False
        return True

    @property
    def _name(self) -> str:
        return self._client.transport.name
