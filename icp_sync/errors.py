"""Every error a caller acts upon, named by what the caller does about it. Nothing here prints or exits.

One place, `icp_sync.cli.exits`, turns an error into a sentence and an exit code.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what, and what to do about it."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class IcpSyncError(Exception):
    """The root of all our errors. `next_step` is the command or action that helps."""

    exit_code = 1

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


class ConfigError(IcpSyncError):
    """What the user wrote cannot be used. Carries every problem at once. Exit 2."""

    exit_code = 2

    def __init__(self, problems: list[Problem] | str, *, next_step: str = "") -> None:
        listed = [Problem(where="configuration", what=problems)] if isinstance(problems, str) else problems
        super().__init__("\n".join(map(str, listed)), next_step=next_step)
        self.problems = listed


class AuthError(IcpSyncError):
    """The CRM or a vendor does not accept our credentials or scopes. Exit 2; retrying is pointless."""

    exit_code = 2


class UnavailableError(IcpSyncError):
    """The other side cannot answer now. The cycle is abandoned, the position stays where it was.

    `retry_after`: seconds the other side asked us to wait, where it said so.
    """

    def __init__(self, message: str, *, next_step: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after = retry_after


class NoCallsLeftError(UnavailableError):
    """The calls of the day are used up. Nothing is wrong: it goes on by itself, and nobody need be woken."""


def unheard(where: str, what: str, error: Exception, hint: str) -> IcpSyncError:
    """What it means that nobody can be answered at an address: one that another program has passes."""
    problem = Problem(where=where, what=what, hint=hint)
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return UnavailableError(str(problem), next_step="try again once the program that uses it has ended")
    return ConfigError([problem])


class RequestError(IcpSyncError):
    """The other side understood and refused one request (HTTP 4xx). `body` is the parsed reply."""

    def __init__(self, message: str, *, status: int, body: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class UnsafePlanError(IcpSyncError):
    """A plan that a human must confirm first. Exit 3, nothing was written."""

    exit_code = 3


class LostLeaseError(IcpSyncError):
    """Another worker took over our lease; whatever we still hold must not be sent."""
