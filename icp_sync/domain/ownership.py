"""Whose a live value is: ours by evidence, or people's, since when and until when they hold it.

A live value is ours only if it equals a value the journal confirmed as ours, an intent not yet resolved by a
later read, or the seal's digest. Everything else belongs to whoever typed it, for as long as the policy says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from icp_sync.domain.account import Account, Confirmed, Origin, Remembered
from icp_sync.domain.profile import DAY
from icp_sync.domain.seal import Seal, SealKey
from icp_sync.domain.standing import FIELDS

HELD_FOR = 90 * DAY
"""How long a value people typed is theirs where no policy says otherwise."""

OURS = "ours"
"""The editor who is we ourselves: such an edit says nothing about people."""

_EDITORS = {"person": "a person", "workflow": "a workflow", "import": "an import", "app": "another app"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """How long what people type is theirs, and what the CRM's history tells of who typed it.

    now: UTC epoch seconds. editors: class of editor → seconds; 0 is taken back at once, inf never, "" is the
    class nobody knows. edits: field → its newest value with instant and class, where the CRM told.
    """

    now: float = 0.0
    editors: Mapping[str, float] = field(default_factory=dict)
    edits: Mapping[str, Confirmed] = field(default_factory=dict)

    def seconds(self, by: str) -> float:
        return self.editors.get(by, self.editors.get("", HELD_FOR))


@dataclass(slots=True, kw_only=True)  # not frozen: made for most accounts, at a third of the cost
class Claim:
    """A live value that is not ours: from when and until when (epoch seconds) it is its editor's."""

    value: str
    since: float
    until: float = inf
    by: str = ""  # class of editor, "" unknown

    def holds(self, now: float) -> bool:
        return now < self.until


def is_ours(account_id: str, name: str, live: str, remembered: Remembered, seal: Seal, key: SealKey) -> bool:
    """Whether a live value is ours by evidence.

    Blank is ours only if our last confirmed value was blank or nothing was ever confirmed. What a person
    was seen to hold stays theirs while they hold it, whatever we once wrote or meant to write.
    """
    last = remembered.confirmed.get(name)
    if last is not None and last.origin is Origin.HUMAN and last.value == live:
        return False
    if last is not None and last.origin is Origin.OURS and last.value == live:
        return True
    if live in remembered.intents.get(name, ()):
        return True
    if not live:
        return last is None and name not in seal.marks
    return seal.proves(key, account_id, name, live)


def stands_as_theirs(name: str, live: str, editing: Editing) -> bool:
    """Whether the CRM's history names somebody else as who set this very value, after our last write: then it
    is theirs, though it equals one of ours."""
    edit = editing.edits.get(name)
    return edit is not None and edit.value == live and edit.by != OURS


def claim_of(account: Account, name: str, remembered: Remembered, editing: Editing) -> Claim:
    """Since when and until when a live value that is not ours belongs to people.

    The CRM's history says it best, if it tells of just this value; else since it was first seen. The CRM's
    own fields are theirs for good: whatever fills them was there before us or was put there against us.
    """
    live = account.live[name]
    last, edit = remembered.confirmed.get(name), editing.edits.get(name)
    since, by = editing.now, ""
    if last is not None and last.origin is Origin.HUMAN and last.value == live:
        since, by = last.at, last.by
    if edit is not None and edit.value == live and edit.by != OURS:
        since, by = edit.at, edit.by or by
    known = FIELDS[name]
    forever = known.native or known.theirs
    return Claim(value=live, since=since, until=inf if forever else since + editing.seconds(by), by=by)


def editor_text(by: str) -> str:
    """A class of editor in words: "a workflow"."""
    return _EDITORS.get(by, "somebody")
