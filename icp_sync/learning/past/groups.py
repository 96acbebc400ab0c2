"""Cases that are not independent of one another: accounts of one group of companies, and the same twice.

Every test, shuffle and interval counts cases as draws of their own; ten subsidiaries with one owner and one
decision are one draw. So one case of every group is kept, the first decided. Knows no file and no CRM.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import log2

from icp_sync.domain.facts import Facts, FactValue
from icp_sync.learning.cases import Book, Case
from icp_sync.learning.marks.coded import NAMES
from icp_sync.learning.marks.derived import DERIVED
from icp_sync.learning.past.steadiness import OUTCOME_FACTS
from icp_sync.normalize.domains import identifies

LEAST_SHARED = 5
"""Facts two cases must share before they can be called the same."""
SPARE = 0.0
"""Bits beyond those it takes to tell every pair of cases apart: some facts go along with others."""
_RAREST, _MOST = 8, 60
"""Facts of a case by which others like it are looked up, and how many of them are compared with it."""


def counted_once(book: Book) -> tuple[Book, str]:
    """The book with the first decided case of every group, and how many were left out, in a sentence ("" for
    none). Cases belong together by the group they name, by the registrable domain that is one company's own,
    and where all the facts both are known for are equal and too many and too rare to be so by chance."""
    kept = _firsts(book.cases, ((tied[0], other) for tied in _named(book.cases) for other in tied[1:]))
    before = -1
    while before != len(kept):  # what many of one group share looks common until they count once
        before = len(kept)
        kept = _firsts(kept, _alike(kept, book.left_out))
    if not (more := len(book.cases) - len(kept)):
        return book, ""
    said = "1 case is of a group" if more == 1 else f"{more:,} cases are of groups"
    return replace(book, cases=tuple(kept)), (
        f"{said} of companies (one parent, one domain, or the same facts throughout) of which an earlier "
        "case counts: a group is counted once, when it was first decided"
    )


def roots(parents: Mapping[str, str]) -> dict[str, str]:
    """Account → the topmost account above it, of those that have one above them. parents: account → the one
    above it, "" for none. Parents in a circle have the one of them that comes first by id."""
    found: dict[str, str] = {}
    for account in parents:
        path = [account]
        while (above := parents.get(path[-1], "")) and above not in path:
            path.append(above)
        circle = path[path.index(above) :] if above else []
        top = min(circle) if circle else path[-1]
        if top != account or circle:
            found[account] = top
    return found


def _firsts(cases: Sequence[Case], tied: Iterable[tuple[int, int]]) -> list[Case]:
    """The first case of every group that pairs of places make."""
    above = list(range(len(cases)))

    def first(at: int) -> int:
        while above[at] != at:
            above[at] = at = above[above[at]]
        return at

    for pair in tied:
        one, other = sorted(map(first, pair))
        above[other] = one
    return [case for at, case in enumerate(cases) if above[at] == at]


def _named(cases: Sequence[Case]) -> Iterable[list[int]]:
    """Cases that name the same group, or are the one another names, by id or by name."""
    tied: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    groups = {key for case in cases if (key := _key(case.group))}
    for at, case in enumerate(cases):
        for key in {_key(case.group), _key(case.id), _key(case.name)} & groups:
            tied["group", key].append(at)
        if identifies(case.domain):
            tied["domain", case.domain].append(at)
    return tied.values()


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _alike(cases: Sequence[Case], left_out: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Pairs whose facts are the same throughout; enough of them to join all that are."""
    never = {*left_out, *OUTCOME_FACTS, *DERIVED}
    held = [{fact: value for fact, value in case.facts.items() if _telling(fact, never)} for case in cases]
    met = Counter(pair for facts in held for pair in facts.items())
    known = Counter(fact for facts in held for fact in facts)
    wanted = 2 * log2(max(2, len(cases))) + SPARE
    bits = {pair: log2(known[pair[0]] / count) for pair, count in met.items() if count > 1}
    if not bits:
        return
    places: defaultdict[tuple[str, FactValue], list[int]] = defaultdict(list)
    for at, facts in enumerate(held):
        rare = sorted((pair for pair in facts.items() if pair in bits), key=bits.__getitem__, reverse=True)
        for pair in rare[:_RAREST]:
            for other in places[pair][-_MOST:]:
                if _same(facts, held[other], bits, wanted):
                    yield other, at
                    break
        for pair in rare:
            places[pair].append(at)


def _telling(fact: str, never: set[str]) -> bool:
    return fact not in never and fact.rpartition(".")[2] not in NAMES


def _same(one: Facts, other: Facts, bits: Mapping[tuple[str, FactValue], float], wanted: float) -> bool:
    """Whether no fact differs, and those that are equal would hardly be so of two companies."""
    shared, told = 0, 0.0
    for fact, value in one.items():
        also = other.get(fact)
        if also is None:
            continue
        if also != value:
            return False
        shared += 1
        told += bits.get((fact, value), 0.0)
    return shared >= LEAST_SHARED and told >= wanted
