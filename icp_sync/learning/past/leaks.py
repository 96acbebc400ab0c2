"""Facts that give the outcome away: those that change because of a deal, and those that tell too well.

A profile learned from them would find customers among customers. The first kind is known beforehand
(`OUTCOME_FACTS`); the second is found in the cases themselves, whatever a fact is called. Knows no CRM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isinf, sqrt

from icp_sync.domain.currency import convert
from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.domain.spelling import bound_text
from icp_sync.learning.cases import Cohort, Labelled
from icp_sync.learning.figures.chance import independence, wilson
from icp_sync.learning.figures.ranking import auc
from icp_sync.learning.past.steadiness import OUTCOME_FACTS as OUTCOME_FACTS
from icp_sync.learning.past.vouching import is_vouched

NEVER_ASKED = frozenset(("name", "domain", "legal_name", "lei"))
"""Facts that name a company; nothing is learned from them anyway."""

TOO_WELL = 0.90
"""Ranking ability (AUC) of one fact alone from which it was hardly known beforehand: a yes/no whose odds
ratio is 6 comes to 0.7."""
LEAST = 10
"""Cases a value, member or band must have before it can be called a leak."""
SURE, TIMES, COVERS = 0.75, 13.0, 0.10
"""Of a single value: the lower bound of its good share, how many times the odds of all cases that bound must
be (a base of 19 % comes to four times the rate), and the share of the good ones it covers."""
FILLED, BLANK, CHANCE = 0.80, 0.30, 1e-4
"""Known for so many of one kind, for so few of the other, and how unlikely that may be by chance."""
AFTERWARDS = 0.10
"""Share of a date's values that may lie after the decision, where that tells one kind from the other."""
UNLESS = "if it was known before the sale: learning.known_before"
"""Where the cases alone say so, the settings may know better."""
_BANDS, _STANDARD_ERRORS = 20, 4.0


@dataclass(frozen=True, slots=True)
class _Told:
    """One fact against the labels. values: of the cases where it is known; good: theirs. n: (good, others) of
    all cases; known: the same where it is known. who: what the good ones are called."""

    fact: str
    values: Sequence[FactValue]
    good: Sequence[bool]
    n: tuple[int, int]
    who: str

    @property
    def known(self) -> tuple[int, int]:
        hits = sum(self.good)
        return hits, len(self.good) - hits


def leaks(
    labelled: Sequence[Labelled], types: Mapping[str, FactType], *, vouched: Collection[str] = ()
) -> dict[str, str]:
    """Fact → in a sentence, with figures, why the data say that it tells the outcome.

    Looks at every fact but those that name a company. A set leaks when one of its members does: take leaking
    members out first with `withheld.without_members` to keep the rest of it. vouched: facts known before the
    sale, as somebody says. With fewer than ten good cases, or ten others, nothing can be told.
    """
    n = _kinds(labelled)
    if min(n) < LEAST:
        return {}
    who = called(labelled)
    facts = sorted({fact for one in labelled for fact in one.case.facts} - NEVER_ASKED)
    found: dict[str, str] = {}
    for fact in (one for one in facts if not is_vouched(one, vouched)):
        told = _told(fact, labelled, n, who)
        late = _afterwards(fact, labelled, who) if types.get(fact) is FactType.DATE else ""
        guess = (
            _filled(told)
            or next((why for _, why in _members(told)), "")
            or _vocabulary(told)
            or _numbers(told)
        )
        if late or guess:
            found[fact] = late or f"{guess} ({UNLESS})"
    return found


def leaking_members(
    labelled: Sequence[Labelled], types: Mapping[str, FactType], *, vouched: Collection[str] = ()
) -> dict[str, dict[str, str]]:
    """Set fact → member → why it gives the outcome away: mostly our own product, seen on customers' sites.

    vouched: facts known before the sale, their members with them.
    """
    n = _kinds(labelled)
    if min(n) < LEAST:
        return {}
    who, found = called(labelled), dict[str, dict[str, str]]()
    for fact in sorted(name for name, kind in types.items() if kind is FactType.SET):
        if not is_vouched(fact, vouched) and (members := dict(_members(_told(fact, labelled, n, who)))):
            found[fact] = {member: f"{why} ({UNLESS})" for member, why in members.items()}
    return found


def _told(fact: str, labelled: Sequence[Labelled], n: tuple[int, int], who: str) -> _Told:
    held = [(one.case.facts[fact], one.good) for one in labelled if fact in one.case.facts]
    return _Told(fact, [value for value, _ in held], [good for _, good in held], n, who)


def _kinds(labelled: Sequence[Labelled]) -> tuple[int, int]:
    good = sum(one.good for one in labelled)
    return good, len(labelled) - good


def called(labelled: Sequence[Labelled]) -> str:
    """What the good ones are: under the goal "best" some that were won and stayed are not good."""
    stayed = (one for one in labelled if one.case.won and one.case.cohort is not Cohort.CHURNED)
    return "won" if all(one.good for one in stayed) else "best"


def _filled(told: _Told) -> str:
    """A fact that is known nearly only of one kind: filled in later, or known of one kind by its nature."""
    (good, others), (hits, other_hits) = told.n, told.known
    rate, other_rate = hits / good, other_hits / others
    apart = max(rate, other_rate) >= FILLED and min(rate, other_rate) <= BLANK
    if apart and independence(hits, good - hits, other_hits, others - other_hits) < CHANCE:
        later = "afterwards" if rate > other_rate else "when a deal is given up"
        known = f"{_percent(rate)} of the {told.who} and {_percent(other_rate)} of the others"
        return f"{told.fact} is known for {known}: perhaps filled in {later}"
    if _gives_away(hits, other_hits, told.n):
        return (
            f"{told.fact} is known for {hits + other_hits:,} cases, and {hits} of those are {told.who}, "
            f"against {_base(told.n)} of all: perhaps filled in afterwards"
        )
    return ""


def _afterwards(fact: str, labelled: Sequence[Labelled], who: str) -> str:
    """A date that lies after the decision much more often for one kind than for the other."""
    late, known = Counter[bool](), Counter[bool]()
    for case, good in labelled:
        value = case.facts.get(fact)
        if isinstance(value, Interval):
            known[good] += 1
            late[good] += value.low > case.decided
    share = {good: late[good] / known[good] if known[good] else 0.0 for good in (True, False)}
    more = max(share, key=lambda good: share[good])
    in_time = {good: known[good] - late[good] for good in known}
    by_chance = independence(late[True], in_time.get(True, 0), late[False], in_time.get(False, 0))
    if late[more] < LEAST or share[more] < AFTERWARDS or (known[not more] and by_chance >= CHANCE):
        return ""
    name = f"the {who}" if more else "the others"
    return f"{fact} lies after the decision for {_percent(share[more])} of {name}: nobody could know it then"


def _members(told: _Told) -> Iterator[tuple[str, str]]:
    """The values or members that tell too well, each with why."""
    sets = _sets(told)
    hits_of, other_of = _counts(sets)
    n = sum(good for _, good in sets), sum(not good for _, good in sets)
    for member in sorted(hits_of | other_of, key=lambda m: (-hits_of[m], m)):
        hits, others = hits_of[member], other_of[member]
        if hits + others < LEAST:
            continue
        if _gives_away(hits, others, told.n) or _ranks_too_well(hits, others, n):
            held = f"{_rate(hits, n[0])} of the {told.who} and {_rate(others, n[1])} of the others"
            yield member, f"{told.fact} '{member}' is held by {held}: perhaps it comes with the deal"


def _vocabulary(told: _Told) -> str:
    """Single values of which none tells too well, but all together do."""
    sets = _sets(told)
    if not sets or any(len(value.known) > 1 for value, _ in sets):
        return ""
    rates = _rates(*_counts(sets))
    codes = [rates.get(next(iter(value.known), ""), 0.0) for value, _ in sets]
    ability = _ability(codes, [good for _, good in sets])
    return _too_well(told, ability) if ability >= TOO_WELL else ""


def _sets(told: _Told) -> list[tuple[Members, bool]]:
    both = zip(told.values, told.good, strict=True)
    return [(value, good) for value, good in both if isinstance(value, Members)]


def _counts(sets: Sequence[tuple[Members, bool]]) -> tuple[Counter[str], Counter[str]]:
    """Member → how many of the good, and of the others, hold it."""
    hits, others = Counter[str](), Counter[str]()
    for value, good in sets:
        (hits if good else others).update(value.known)
    return hits, others


def _rates(good: Counter[str], others: Counter[str]) -> dict[str, float]:
    """Value → the share of good ones among its cases; values with few cases count as one."""
    rare = [word for word in good | others if good[word] + others[word] < LEAST]
    hits, misses = sum(good[word] for word in rare), sum(others[word] for word in rare)
    pooled = dict.fromkeys(rare, hits / (hits + misses) if rare else 0.0)
    often = (good | others).keys() - pooled.keys()
    return pooled | {word: good[word] / (good[word] + others[word]) for word in often}


def _numbers(told: _Told) -> str:
    """A number, amount or date that ranks too well, is above 0 only for the good, or has a telling band."""
    both = zip(told.values, told.good, strict=True)
    held = [(_middle(value), good) for value, good in both if not isinstance(value, Members)]
    if len(held) < 2 * LEAST:
        return ""
    amounts, good = [amount for amount, _ in held], [good for _, good in held]
    ability = _ability(amounts, good)
    ability = max(ability, 1 - ability)
    if ability >= TOO_WELL:
        return _too_well(told, ability)
    some = Counter(good for amount, good in held if amount > 0)
    if len(held) > sum(some.values()) and _gives_away(some[True], some[False], told.n):
        return (
            f"{told.fact} is above 0 for {some[True]} of the {told.who} and {some[False]} of the others: "
            "perhaps it counts from the deal on"
        )
    for low, high, hits, others in _bands(held):
        if _gives_away(hits, others, told.n):
            span = f"{bound_text(told.fact, low)} to {bound_text(told.fact, high)}"
            return (
                f"{told.fact} from {span}: {hits} of {hits + others} are {told.who}, "
                f"against {_base(told.n)} of all: perhaps it comes with the deal"
            )
    return ""


def _bands(held: Sequence[tuple[float, bool]]) -> Iterator[tuple[float, float, int, int]]:
    """Twenty bands of about as many cases, none of them splitting equal values, and every two neighbours
    together: from, to, good, others."""
    ordered, least = sorted(held), max(LEAST, -(-len(held) // _BANDS))
    before: tuple[float, float, int, int] | None = None
    band: list[tuple[float, bool]] = []
    for one, following in zip(ordered, [*ordered[1:], None], strict=True):
        band.append(one)
        if following is None or (len(band) >= least and following[0] != one[0]):
            hits = sum(good for _, good in band)
            found = band[0][0], band[-1][0], hits, len(band) - hits
            yield found
            if before is not None:
                yield before[0], found[1], before[2] + found[2], before[3] + found[3]
            before, band = found, []


def _middle(value: FactValue) -> float:
    """The middle of a range; the bound it has where it has only one. Amounts in dollars."""
    span = convert(value, "USD") if isinstance(value, Money) else value
    assert not isinstance(span, Members)
    if isinf(span.high):
        return 0.0 if isinf(span.low) else span.low
    return span.high if isinf(span.low) else (span.low + span.high) / 2


def _gives_away(hits: int, others: int, n: tuple[int, int]) -> bool:
    """Whether the cases of one value are nearly all good ones, surely, and a real share of them."""
    if hits + others < LEAST or hits < COVERS * n[0]:
        return False
    low, _ = wilson(hits, hits + others)
    return low >= SURE and (low >= 1.0 or low / (1 - low) >= TIMES * n[0] / n[1])


def _ranks_too_well(hits: int, others: int, n: tuple[int, int]) -> bool:
    """The AUC of a yes/no is half of who is told right among the good and among the others."""
    ability = (hits / n[0] + 1 - others / n[1]) / 2 if min(n) else 0.5
    return max(ability, 1 - ability) >= TOO_WELL and beyond_chance(max(ability, 1 - ability), n)


def _ability(scores: Sequence[float], good: Sequence[bool]) -> float:
    """The AUC, 0.5 where chance alone might come as far."""
    hits = sum(good)
    n = hits, len(good) - hits
    found = auc(scores, good)
    return found if found is not None and beyond_chance(max(found, 1 - found), n) else 0.5


def beyond_chance(ability: float, n: tuple[int, int]) -> bool:
    """Whether an AUC lies four standard errors from one half, those of Mann and Whitney's statistic."""
    return min(n) > 0 and ability - 0.5 > _STANDARD_ERRORS * sqrt((sum(n) + 1) / (12 * n[0] * n[1]))


def _too_well(told: _Told, ability: float) -> str:
    return (
        f"{told.fact} alone tells one of the {told.who} from one of the others {_percent(ability)} of the "
        f"time (known for {len(told.values):,} of {sum(told.n):,}): little known beforehand tells that well"
    )


def _base(n: tuple[int, int]) -> str:
    return _percent(n[0] / sum(n))


def _rate(hits: int, n: int) -> str:
    return _percent(hits / n) if n else "none"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
