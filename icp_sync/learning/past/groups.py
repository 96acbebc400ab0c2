"""Cases that are not independent of one another: accounts of one group of companies, and the same twice.

Every test, shuffle and interval counts cases as draws of their own; ten subsidiaries with one owner and one
decision are one draw. So one case of every group is kept, the first decided. Knows no file and no CRM.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import log2

from icp_sync.domain.facts import Facts, FactValue, Members
from icp_sync.learning.cases import Book, Case
from icp_sync.learning.marks.coded import NAMES
from icp_sync.learning.marks.derived import DERIVED
from icp_sync.learning.past.steadiness import OUTCOME_FACTS
from icp_sync.normalize.domains import identifies
from icp_sync.tables.names import squeezed

LEAST_SHARED = 5
"""Facts two cases must share before they can be called the same."""
LARGEST, FEW = 0.20, 20
"""A name or domain that more than this share of the cases has, and more than so many, is no group's."""
_RAREST, _MOST = 8, 60
"""Facts of a case by which others like it are looked up, and how many of them are compared with it."""
_SHOWN, _LONGEST = 3, 60
"""Names that are no group's said in a note, and the most characters of one."""

_NO_GROUP = frozenset((
    "na", "nan", "none", "null", "nil", "unknown", "undefined", "undisclosed", "notavailable",
    "notapplicable", "notknown", "notset", "notspecified", "unspecified", "novalue", "blank", "empty",
    "missing", "tbd", "tba", "other", "yes", "no", "y", "n", "true", "false", "independent", "standalone",
    "self", "noparent", "noparentaccount", "noparentcompany", "nogroup", "unbekannt", "kein", "keine",
))  # fmt: skip
"""What cells say where there is no account above, letters and digits alone."""
_NOBODYS = frozenset((
    "domain.com", "example.com", "example.net", "example.org", "na.com", "none.com", "test.com",
    "unknown.com",
))  # fmt: skip
"""Domains people fill in where they know none. Somebody may own one: it ties no cases, and that is all."""


def counted_once(book: Book) -> tuple[Book, str]:
    """The book with the first decided case of every group, and how many were left out, in a sentence ("" for
    none). Cases belong together by the group they name, by the registrable domain that is one company's own,
    and where all the facts both are known for are equal and too many and too rare to be so by chance. What
    so many name that it is no group ties nobody, and that is said as well."""
    tied, wrong = _named(book)
    groups = _joined([[case] for case in book.cases], tied)
    before = -1
    while before != len(groups):  # what many of one group share looks common until they count once
        before = len(groups)
        groups = _joined(groups, _alike([cases[0] for cases in groups], book.left_out))
    notes = _notes(book, groups, wrong)
    if not notes:
        return book, ""
    no_group = {key for kind, key in wrong if kind == "group"}
    firsts = (cases[0] for cases in groups)
    kept = (replace(one, group="") if _key(one.group) in no_group else one for one in firsts)
    return replace(book, cases=tuple(kept)), "; ".join(notes)


def roots(parents: Mapping[str, str]) -> dict[str, str]:
    """Account → the topmost account above it, of those that have one above them. parents: account → the one
    above it, "" for none. Parents in a circle have the one of them that comes first by id. A word for none
    is above the account that says it, lest it be somebody's name, and above nobody below that account."""
    above = {one: up for one, up in parents.items() if up and (up in parents or not _placeholder(up))}
    tops: dict[str, str] = {}
    for account in parents:
        path: dict[str, int] = {}
        at = account
        while at not in tops and at not in path:
            path[at] = len(path)
            at = above.get(at, at)
        top = tops[at] if at in tops else min(list(path)[path[at] :])
        tops.update(dict.fromkeys(path, top))
    return {one: tops[one] if one in above else up for one, up in parents.items() if up}


def _notes(book: Book, groups: Sequence[Sequence[Case]], wrong: Mapping[tuple[str, str], int]) -> list[str]:
    """What was left out and why, and what was taken for no group."""
    notes = []
    if more := len(book.cases) - len(groups):
        said = "1 case is of a group" if more == 1 else f"{more:,} cases are of groups"
        largest = max(groups, key=len)
        notes.append(
            f"{said} of companies (one parent, one domain, or the same facts throughout) of which an earlier "
            "case counts: a group is counted once, when it was first decided; the largest is "
            f"'{_called(largest)}', with {len(largest):,} cases"
        )
    if wrong:
        n = len(book.cases)
        spelled = {_key(case.group): case.group for case in book.cases}
        worst = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(
            f"'{spelled.get(key, key)[:_LONGEST]}' ({count:,})" for (_, key), count in worst[:_SHOWN]
        )
        rest = f" and {len(worst) - _SHOWN:,} more" if len(worst) > _SHOWN else ""
        notes.append(
            f"as parent or domain, more than {LARGEST:.0%} of the {n:,} cases have {listed}{rest}: too many "
            "for a group of companies, so it joins no cases; see whether that column is what it was taken for"
        )
    return notes


def _called(cases: Sequence[Case]) -> str:
    """What to call a group: the name of the account above if it is a case, else how most name it."""
    named = Counter(case.group for case in cases if case.group and not _placeholder(case.group))
    group = named.most_common(1)[0][0] if named else ""
    above = next((case.name for case in cases if case.name and _key(case.id) == _key(group)), group)
    return (above or cases[0].domain or cases[0].name or cases[0].id)[:_LONGEST]


def _joined(groups: Sequence[list[Case]], tied: Iterable[tuple[int, int]]) -> list[list[Case]]:
    """The groups that pairs of places make of these, in the order of their first."""
    above = list(range(len(groups)))

    def first(at: int) -> int:
        while above[at] != at:
            above[at] = at = above[above[at]]
        return at

    for pair in tied:
        one, other = sorted(map(first, pair))
        above[other] = one
    found: defaultdict[int, list[Case]] = defaultdict(list)
    for at, cases in enumerate(groups):
        found[first(at)].extend(cases)
    return list(found.values())


def _named(book: Book) -> tuple[list[tuple[int, int]], dict[tuple[str, str], int]]:
    """Pairs of cases that name the same group or domain, or of which one is what the other names, by id or by
    name; and what more cases have than a group has → how many."""
    accounts = _accounts(book)
    tied: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    named = {case.group for case in book.cases if case.group}
    groups = {key for group in named if (key := _key(group)) in accounts or not _placeholder(group)}
    for at, case in enumerate(book.cases):
        for key in {_key(case.group), _key(case.id), _key(case.name)} & groups:
            tied["group", key].append(at)
        if identifies(case.domain) and case.domain not in _NOBODYS:
            tied["domain", case.domain].append(at)
    most = max(FEW, LARGEST * len(book.cases))
    wrong = {key: len(places) for key, places in tied.items() if len(places) > most}
    pairs = [(at[0], other) for key, at in tied.items() if key not in wrong for other in at[1:]]
    return pairs, wrong


def _accounts(book: Book) -> set[str]:
    """The ids and names of all accounts of the book."""
    said = {text for case in book.cases for text in (case.id, case.name)} | book.crowd.keys()
    names = (facts.get("name") for facts in book.crowd.values())
    known = {text for name in names if isinstance(name, Members) for text in name.known}
    return {_key(text) for text in said | known if text}


def _placeholder(text: str) -> bool:
    """Whether a cell for the account above says that there is none, or that nobody knows."""
    word = squeezed(text)
    return not word.strip("0") or word in _NO_GROUP


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _alike(cases: Sequence[Case], left_out: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Pairs whose facts are the same throughout; enough of them to join all that are."""
    never = {*left_out, *OUTCOME_FACTS, *DERIVED}
    held = [{fact: value for fact, value in case.facts.items() if _telling(fact, never)} for case in cases]
    met = Counter(pair for facts in held for pair in facts.items())
    known = Counter(fact for facts in held for fact in facts)
    wanted = 2 * log2(max(2, len(cases)))
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
