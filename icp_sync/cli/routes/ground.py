"""What the commands on routing decide by: compiled profiles, their tables, the people of the CRM, accounts.

Reads files and the journal; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds, Subject
    from icp_sync.domain.account import Owner
    from icp_sync.domain.choosing import Team
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.profile import Profile
    from icp_sync.domain.roster import Tables

UNKNOWN_VERSION = -1
"""Of profiles that were never active, so that no account is calm on their account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody whom pools, tables, lists or routes name. cap: the lowest stated, 0 for none."""

    email: str
    places: tuple[str, ...]
    cap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Everything a decision needs but the account. loads: open in-scope accounts each owner has now.

    listed: whether the CRM's people are known; without them everybody named counts as an active owner.
    """

    grounds: Grounds
    profiles: tuple[Profile, ...]
    compiled: tuple[Compiled, ...]
    version: int
    tables: Tables
    owners: Mapping[str, Owner]
    loads: Mapping[str, int]
    listed: bool
    people: Mapping[str, Named]

    def evaluate(self, subject: Subject, now: float) -> Evaluation:
        from icp_sync.domain.evaluation import evaluate

        return evaluate(self.compiled, subject.facts, subject.previous, now, version=self.version)

    def team(self, loads: Mapping[str, int]) -> Team:
        from icp_sync.domain.choosing import Team

        return Team(owners=self.owners, loads=loads, tables=self.tables, caps=self.caps)

    @property
    def caps(self) -> Mapping[str, int]:
        """The most accounts each person may own."""
        return {email: named.cap for email, named in self.people.items() if named.cap}


def routing(grounds: Grounds, files: Sequence[Path] | None, now: float) -> Routing:
    """Raises ConfigError with every problem of the profiles, then with every problem of their tables."""
    from icp_sync.domain.account import Owner
    from icp_sync.domain.compile import compile_profile
    from icp_sync.domain.kin import kin_facts
    from icp_sync.roster_file import load_tables

    profiles = grounds.profiles(files)
    tables = load_tables(
        grounds.tables_folder(files), profiles, types=grounds.types, currency=profiles[0].currency
    )
    grounds.asked |= kin_facts(profiles, tables)
    people = named_people(profiles, tables, now)
    owners: Mapping[str, Owner]
    loads: Mapping[str, int]
    version = UNKNOWN_VERSION
    if grounds.table is None:
        roster = grounds.journal.recall({}, now=now).roster
        owners, loads = roster.owners, roster.loads
        active = grounds.journal.active()
        version = active[0] if active is not None and not files else version
    else:
        owners = {email: Owner(id=email, email=email) for email in people}
        loads = {}
    return Routing(
        grounds=grounds,
        profiles=profiles,
        compiled=tuple(compile_profile(profile) for profile in profiles),
        version=version,
        tables=tables,
        owners=owners,
        loads=loads,
        listed=grounds.table is None,
        people=people,
    )


def named_people(profiles: Sequence[Profile], tables: Tables, now: float) -> dict[str, Named]:
    """Everybody whom routes can lead to, by email, with where they are named."""
    from icp_sync.domain.goals import caps_of

    caps = caps_of(profiles, tables, now)
    places: dict[str, dict[str, None]] = {}
    for email, place in _mentions(profiles, tables):
        places.setdefault(email, {})[place] = None
    return {
        email: Named(email=email, places=tuple(places[email]), cap=caps.get(email, 0))
        for email in sorted(places)
    }


def _mentions(profiles: Sequence[Profile], tables: Tables) -> Iterator[tuple[str, str]]:
    """(email, where) of everybody named anywhere."""
    for profile in profiles:
        for pool in profile.pools.values():
            yield from ((m.email, f"pool {pool.name}") for m in pool.members)
        for route in profile.routes:
            if route.target.owner:
                yield route.target.owner, "a route"
        for listed in profile.named.values():
            yield from ((email, listed.name) for email in listed.owners.values())
    for table in tables.territories.values():
        yield from ((row.owner, row.territory) for row in table.rows if row.owner)
    for listed in tables.named.values():
        yield from ((email, listed.name) for email in listed.owners.values())
