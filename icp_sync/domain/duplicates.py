"""Records that may be the same company, and parents in a circle. Pure: names them, merges nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_FORMS = """
ab ag as asa bv co company corp corporation cv gmbh group holding holdings inc incorporated kft kg kgaa kk
limited llc llp lp ltd ltda mbh nv oy oyj plc pte pty pvt sa sarl sas se sl spa srl sro
"""
LEGAL_FORMS = frozenset(_FORMS.split())
"""Words at the end of a name that do not tell companies apart."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One account as far as it may double another. row: in the file, 0 for the journal.

    domain: registrable, "" for none or one that many companies share. known: how many facts are known.
    """

    id: str
    row: int = 0
    name: str = ""
    domain: str = ""
    country: str = ""
    tier: str = ""
    owner: str = ""
    parent: str = ""
    known: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Records alike in one thing. by: "domain", "name" or "id"; key: what they share."""

    by: str
    key: str
    records: tuple[Record, ...]

    @property
    def tiers(self) -> tuple[str, ...]:
        return tuple(sorted({r.tier for r in self.records if r.tier}))

    @property
    def owners(self) -> tuple[str, ...]:
        return tuple(sorted({r.owner for r in self.records if r.owner}))

    @property
    def conflicts(self) -> tuple[str, ...]:
        """What they disagree about: "tiers", "owners"."""
        found = (("tiers", self.tiers), ("owners", self.owners))
        return tuple(what for what, values in found if len(values) > 1)

    @property
    def first(self) -> tuple[Record, str]:
        """The record to look at first, and why: the others' parent, else the one most is known of."""
        for record in self.records:
            if any(r.parent == record.id and r is not record for r in self.records):
                return record, "parent of another"
        best = max(self.records, key=lambda r: r.known)
        alone = sum(r.known == best.known for r in self.records) == 1
        return best, "most is known" if alone else "the first of equals"


def name_key(name: str) -> str:
    """A company's name without case, marks and legal form: "The Acmé Group, Inc." → "acme"."""
    # Letters first become plain ones, then lose their case, and what that makes of them is taken apart again.
    letters = unicodedata.normalize("NFKD", name).replace(".", "").casefold()
    plain = unicodedata.normalize("NFKD", letters)
    words = _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words = words[:-1]
    return " ".join(words)


def keys_of(record: Record) -> Iterator[tuple[str, str]]:
    """(by, key) of everything by which this record may double another."""
    if record.row:
        yield "id", record.id
    if record.domain:
        yield "domain", record.domain
    if record.country and (name := name_key(record.name)):
        yield "name", f"{name}, {record.country}"


def twins(records: Sequence[Record]) -> list[Twins]:
    """Every group, those with conflicts first, each set of records once (by id, then domain, then name)."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        for shared in keys_of(record):
            groups.setdefault(shared, []).append(record)
    found: list[Twins] = []
    seen: dict[int, set[int]] = {}  # record → groups it is in already
    for by in ("id", "domain", "name"):
        for (kind, key), members in groups.items():
            if kind != by or len(members) < 2:
                continue
            if set.intersection(*(seen.get(id(m), set()) for m in members)):
                continue
            for member in members:
                seen.setdefault(id(member), set()).add(len(found))
            found.append(Twins(by=by, key=key, records=tuple(members)))
    return sorted(found, key=lambda t: (-len(t.conflicts), -len(t.records), t.by, t.key))


def circles(parents: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Every circle of parents (id → parent's id), each once, beginning with its smallest id."""
    done: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in sorted(parents):
        path: dict[str, int] = {}
        at = start
        while at in parents and at not in done and at not in path:
            path[at] = len(path)
            at = parents[at]
        if at in path:
            circle = list(path)[path[at] :]
            least = circle.index(min(circle))
            found.append(tuple(circle[least:] + circle[:least]))
        done.update(path)
    return found
