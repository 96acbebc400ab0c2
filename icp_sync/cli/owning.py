"""What of a CRM this installation may call its own: what its journal wrote down, or what its seal proves.

Marks alone prove nothing where two installations share a portal or org: both make the same things.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.domain.seal import Seal
    from icp_sync.ports import Blueprint
    from icp_sync.wiring import Wired

LOOKED_AT = 2_000
"""Accounts read to learn whose seals a CRM carries."""
OF_DEALS = ("deals.", "Opportunity.")
"""How steps call what they made on deals, whichever CRM."""
_MADE = {"provision begun": "making", "provision": "made", "provision views": "views"}
"""Entry of the audit → where it lists what was made, or was about to be."""


def belongs(parts: Wired, identity: str, *, acting: str = "") -> None:
    """Raise ConfigError where the portal or org is another connection's, or not the one the journal knows; or
    nobody's, and something is to be done. acting: the command that ties the journal to it first."""
    parts.journal.refuse_taken(identity)
    if parts.journal.bound_to():
        parts.journal.bind(identity, crm=parts.crm.kind, now=time.time())
    elif acting:
        what = f"its journal is not bound to {identity} yet, so it does not know what is ours there"
        problem = Problem(where=f"connection {parts.name}", what=what, hint=acting)
        raise ConfigError([problem], next_step=acting)


def blueprint(parts: Wired, identity: str) -> Blueprint:
    """What provisioning makes, with what this installation made of it, and of earlier settings.

    Where the journal did not write down some of it, the CRM's seals are asked: a page of accounts.
    """
    made = written_down(parts, identity)
    outputs = parts.blueprint(())
    unknown = {*outputs.fields.values()} - made
    return replace(
        outputs,
        made=made,
        deals_made=frozenset(what for what in made if what.startswith(OF_DEALS)),
        proven=bool(unknown) and _proven(parts, identity),
    )


def written_down(parts: Wired, identity: str) -> frozenset[str]:
    """What provisioning wrote down as made by it in this portal or org."""
    made: set[str] = set()
    for entry in parts.journal.audited():
        listed = entry.detail.get(_MADE.get(entry.what, ""))
        if entry.detail.get("crm") in (identity, None) and isinstance(listed, list):
            made.update(str(what) for what in listed)
    return frozenset(made)


def seals(parts: Wired) -> Iterator[tuple[str, Seal]]:
    """The seals of the first accounts of the CRM, as text and as read; those without one left out."""
    from icp_sync.domain.seal import read_seal
    from icp_sync.ports import Query, Stream

    for page in parts.crm.pages(Query(stream=Stream.SWEEP, limit=LOOKED_AT)):
        for account in page.accounts:
            if text := account.live.get("seal", ""):
                yield text, read_seal(text, parts.key)


def _proven(parts: Wired, identity: str) -> bool:
    """Whether somebody declared it ours, or accounts carry our seal and none another's."""
    for entry in parts.journal.audited():
        if entry.what == "bind" and entry.detail.get("declared") and entry.detail.get("after") == identity:
            return True
    found = [seal for _, seal in seals(parts)]
    return any(seal.marks for seal in found) and not any(seal.foreign for seal in found)
