"""What the stored texts of very many accounts tell: only what is asked of them is decoded.

Accounts are alike in most of what is known of them, so a value is made once for all that have it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec

from icp_sync import lean_json
from icp_sync.domain.account import Previous
from icp_sync.domain.facts import FactValue, value_from_json
from icp_sync.domain.why import facts_of_evidence
from icp_sync.journal.encoding import loads, previous_from_text

MOST = 50_000
"""Different values, and different memories, that are kept: some ten megabytes. Those seen first are."""


class Told(Protocol):
    """How the texts of an account are read."""

    def facts(self, evidence: str) -> dict[str, FactValue]: ...

    def previous(self, text: str) -> Previous | None: ...


class Everything:
    """All that is stored."""

    def facts(self, evidence: str) -> dict[str, FactValue]:
        return facts_of_evidence(loads(evidence))

    def previous(self, text: str) -> Previous | None:
        return previous_from_text(text)


EVERYTHING = Everything()
_UNKNOWN = msgspec.Raw(b"")


class _Before(msgspec.Struct, gc=False, frozen=True):
    """What evaluating asks of the last evaluation."""

    tier: str
    raw_tier: str = ""
    profile: str = ""
    profile_version: int = 0
    pending_tier: str = ""
    pending_since: float | None = None


class _Values(dict[bytes, FactValue]):
    """A fact as it is stored, its value and whose word it is → the value."""

    def __missing__(self, text: bytes) -> FactValue:
        value = value_from_json(lean_json.loads(text)[0])
        if len(self) < MOST:
            self[text] = value
        return value


class Asked:
    """These facts, and of the last evaluation no more than what evaluating asks."""

    def __init__(self, facts: Collection[str]) -> None:
        self._names = tuple(facts)
        self._evidence = _decoder(self._names)
        self._before = msgspec.json.Decoder(_Before).decode
        self._values = _Values()
        self._memories: dict[_Before, Previous] = {}

    def facts(self, evidence: str) -> dict[str, FactValue]:
        try:
            held = self._evidence(evidence).facts
        except msgspec.MsgspecError:  # a lone surrogate, say
            facts = EVERYTHING.facts(evidence)
            return {name: facts[name] for name in self._names if name in facts}
        if held is None:
            return {}
        values, found = self._values, zip(self._names, msgspec.structs.astuple(held), strict=True)
        return {name: values[bytes(one)] for name, one in found if one}

    def previous(self, text: str) -> Previous | None:
        if not text:
            return None
        try:
            before = self._before(text)
        except msgspec.MsgspecError:
            return EVERYTHING.previous(text)
        if (known := self._memories.get(before)) is None:
            known = Previous(**msgspec.structs.asdict(before))
            if len(self._memories) < MOST:
                self._memories[before] = known
        return known


def _decoder(names: Collection[str]) -> Callable[[str], Any]:
    fields: list[Any] = [(f"f{at}", msgspec.Raw, _UNKNOWN) for at in range(len(names))]
    spelled = {f"f{at}": name for at, name in enumerate(names)}
    some = msgspec.defstruct("_Facts", fields, rename=spelled, gc=False)
    evidence = msgspec.defstruct("_Evidence", [("facts", some | None, None)], gc=False)
    return msgspec.json.Decoder(evidence).decode
