"""Differences between live and desired standing, whose values are whose, and what may be written.

A plan is a value: it can be printed, counted and refused before anything happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from icp_sync.domain.standing import FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one account, live → desired, with its reason. Canonical values.

    origin: whose the live value was, "ours", "human", or "" for a blank nobody wrote. Undo gives it back.
    """

    account_id: str
    field: str
    live: str
    desired: str
    reason: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Changes of one account that wait for a person, and the rule that says so.

    key: what is held, the same however often the account is evaluated again: "A → C". since: epoch seconds.
    released_by: who let exactly this key pass, "" while nobody did.
    """

    account_id: str
    rule: str
    key: str
    changes: tuple[Change, ...] = ()
    reason: str = ""
    since: float = 0.0
    released_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """All changes of one account in one batch. `expected` holds the live value each change assumed."""

    account_id: str
    values: Mapping[str, str]
    expected: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, changes: Sequence[Change]) -> Write:
        """All changes, at least one, of one account."""
        return cls(
            account_id=changes[0].account_id,
            values={c.field: c.desired for c in changes},
            expected={c.field: c.live for c in changes},
        )

    @property
    def awaited(self) -> dict[str, tuple[str, str]]:
        """What the read after it shall look for: field → (live value it assumed, value sent)."""
        return {
            name: (self.expected.get(name, ""), value)
            for name, value in self.values.items()
            if not FIELDS[name].hidden
        }


def awaited(changes: Iterable[Change]) -> dict[str, tuple[str, str]]:
    """The same of changes of one account, which may be none."""
    changes = tuple(changes)
    return Write.of(changes).awaited if changes else {}


class Result(StrEnum):
    WRITTEN = "written"  # confirmed by the CRM's reply
    REFUSED = "refused"  # understood and rejected: permanent until something changes
    FAILED = "failed"  # did not happen, may be tried again
    UNCERTAIN = "uncertain"  # sent, no reply: only a later read tells
    GONE = "gone"  # the record is deleted or merged away


UNDER_WAY = "WRITE_UNDER_WAY"
"""The code of a write that was held back, as an earlier one of the same account has not come to its end: what
that one meant to write is still open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one write. A refusal is an outcome, never a raise.

    confirmed: canonical values the CRM's reply showed. code: the CRM's own error code or category.
    refused: of a write that landed, the fields that did not, each with the reason: nobody's score is lost
    because their owner could not be changed. deferred: those among them that may well land the next time.
    """

    account_id: str
    result: Result
    confirmed: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()
