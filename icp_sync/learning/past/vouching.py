"""How somebody says that a fact was known before the sale, and which facts that word covers.

Knows names of facts and of connections; must not know how settings are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from icp_sync.learning.marks.derived import source_of

USUAL = "main"
"""What `icp-sync init` calls a connection."""


def is_vouched(fact: str, vouched: Collection[str]) -> bool:
    """Whether somebody vouches for a fact, or for the one it is made of."""
    return fact in vouched or source_of(fact) in vouched


@dataclass(frozen=True, slots=True)
class Vouching:
    """connection: whose settings were read, "" where there are none. known: facts vouched for already, which
    a line to paste must keep."""

    connection: str = ""
    known: frozenset[str] = frozenset()

    def line(self, facts: Iterable[str]) -> str:
        """What to write into the settings, and where, so that these facts count as known before the sale."""
        named = sorted(self.known | {source_of(fact) for fact in facts})
        written = ", ".join(f'"{fact}"' for fact in named)
        section = f"[connections.{self.connection or USUAL}.learning]"
        missing = "" if self.connection else " (there is no file yet: icp-sync init)"
        return f"known_before = [{written}] under {section} in the settings{missing}"


NOBODY = Vouching()
"""No settings, and nobody who vouches for anything."""
