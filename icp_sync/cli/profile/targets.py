"""Target accounts and audiences: who is on the list, and why the others are not. Prints nothing but notes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds
    from icp_sync.cli.subjects import Subject
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.profile import Profile
    from icp_sync.domain.roster import Tables

HEADER = (
    "id",
    "name",
    "domain",
    "country",
    "tier",
    "score",
    "at least",
    "at most",
    "certainty",
    "lane",
    "owner",
    "reasons",
)
AUDIENCE_HEADER = ("name", "domain", "country")
BEST = ("A", "B")
INCLUDE, SUPPRESS = "include", "suppress"


@dataclass(slots=True, kw_only=True)
class Listing:
    """Rows of one CSV file, and why the others are not in it: reason → accounts."""

    header: tuple[str, ...]
    rows: list[tuple[object, ...]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    accounts: int = 0

    def to_json(self, source: str) -> dict[str, object]:
        return {
            "source": source,
            "accounts": self.accounts,
            "listed": len(self.rows),
            "left_out": dict(self.left_out),
            "rows": [dict(zip(self.header, row, strict=True)) for row in self.rows],
        }


def tables_of(here: Grounds, profiles: Sequence[Profile], files: Sequence[Path] | None) -> Tables:
    """The tables routes name. A list can do without: a route then keeps its lane and names nobody."""
    from icp_sync.cli.rendering import note
    from icp_sync.domain.roster import NO_TABLES
    from icp_sync.roster_file import load_tables

    folder, currency = here.tables_folder(files), profiles[0].currency
    try:
        return load_tables(folder, profiles, types=here.types, currency=currency)
    except ConfigError as error:
        note(f"warning: judged without the tables that routes name: {error.problems[0]}")
        return NO_TABLES


def target_accounts(
    here: Grounds, profiles: Sequence[Profile], tables: Tables, tiers: Sequence[str], lane: str
) -> Listing:
    """Everybody in scope of these tiers (A to D without any) and this lane: by tier, then by score."""
    from icp_sync.domain.movement import standing
    from icp_sync.domain.reasons import reasons

    wanted = tiers or ("A", "B", "C", "D")
    listing = Listing(header=HEADER)
    rows: list[tuple[tuple[object, ...], tuple[object, ...]]] = []
    for subject, e in _evaluated(here, profiles):
        listing.accounts += 1
        if not e.in_scope or e.tier not in wanted:
            listing.left_out[standing(e)] += 1
            continue
        lane_of = _lane(subject, e, tables)
        if lane and lane_of != lane:
            listing.left_out[f"lane {lane_of}"] += 1
            continue
        who = (subject.id, subject.name, subject.domain, subject.country)
        what = (e.tier, e.score, e.low, e.high, e.certainty, lane_of)
        place = (e.tier, -e.score, subject.name.casefold(), subject.id)
        rows.append((place, (*who, *what, subject.owner, reasons(e, subject.facts, apart=" "))))
    rows.sort(key=lambda row: row[0])
    listing.rows = [row for _, row in rows]
    return listing


def _evaluated(here: Grounds, profiles: Sequence[Profile]) -> Iterator[tuple[Subject, Evaluation]]:
    from icp_sync.domain.compile import compile_profile

    compiled: list[Compiled] = [compile_profile(p) for p in profiles]
    now = time.time()
    for subject in here.accounts():
        yield subject, here.evaluate(compiled, subject, now)


def _lane(subject: Subject, evaluation: Evaluation, tables: Tables) -> str:
    from icp_sync.domain.choosing import Team
    from icp_sync.domain.routing import Held, decide

    held = Held(owner=subject.owner)
    return decide(
        subject.id, evaluation, subject.facts, held=held, team=Team(tables=tables), now=time.time()
    ).lane


def audience_list(here: Grounds, profiles: Sequence[Profile], audience: str, tiers: Sequence[str]) -> Listing:
    """One row a registrable domain. Who shares a domain with somebody to be kept out is not included.

    A domain that many companies share (free mail, hosts of pages) names nobody, so it is left out, and so
    is an account without one.
    """
    from icp_sync.domain.audience import audience_of
    from icp_sync.normalize.domains import identifies

    listing = Listing(header=AUDIENCE_HEADER)
    rows: dict[str, tuple[object, ...]] = {}
    kept_out: set[str] = set()
    for subject, evaluation in _evaluated(here, profiles):
        listing.accounts += 1
        belongs = audience_of(evaluation, subject.facts, tiers)
        domain = subject.domain
        if belongs == SUPPRESS:
            kept_out.add(domain)
        if belongs != audience:
            listing.left_out["not of this audience"] += 1
        elif not domain:
            listing.left_out["no domain"] += 1
        elif not identifies(domain):
            listing.left_out["a domain many companies share"] += 1
        elif domain in rows:
            listing.left_out["the same domain again"] += 1
        else:
            rows[domain] = (subject.name, domain, subject.country)
    if audience == INCLUDE:
        for domain in kept_out & rows.keys():
            del rows[domain]
            listing.left_out["another account of the domain is kept out"] += 1
    listing.rows = list(rows.values())
    return listing
