"""Whether the profile still tells who is won: its tiers, and segments it leaves out, over plain rows.

A company counts once, by its first deal, under the tier it had when that was created, so that no outcome has
coloured it and no renewal counts as a win. Few companies say "too few to tell", never more. Knows no journal,
clock or CRM; `losses` tells of customers, `census` compares populations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from icp_sync.learning.drift.finding import LEAST, LIKELY, MOST_ACCOUNTS, SURE, Finding, State, few, state_of
from icp_sync.learning.drift.rates import Group, Question, comparable, higher
from icp_sync.learning.drift.segments import Segments
from icp_sync.learning.figures.chance import needed, two_rates

PROFILE_TIERS, OUTSIDE_TIERS = ("A", "B"), ("C", "D", "Not ICP")
WORTH = 1.5
"""How many times the rest's rate A and B ought to win: what so many companies would have shown is missed
when it is not there."""

_OUTSIDE = Question(kind="outside-wins", verb="wins", against="the profile (A and B) wins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One decided deal. tier: of its company when it was created. at: when it was decided, UTC epoch
    seconds."""

    account: str
    tier: str
    won: bool
    at: float = 0.0


def once(deals: Iterable[Sold]) -> list[Sold]:
    """The first deal of each company to be decided; of several at one time, the first given."""
    firsts: dict[str, Sold] = {}
    for deal in sorted(deals, key=lambda one: one.at):
        firsts.setdefault(deal.account, deal)
    return list(firsts.values())


def tiers_win(deals: Sequence[Sold], standing: Container[str] = ()) -> Finding:
    """Whether A and B win more of their companies than the rest (C, D, Not ICP) does. standing: names of
    findings that are alerts already.

    An alert when they certainly win fewer; worth watching when they win fewer, or no more although there are
    enough companies to have shown `WORTH` times the rate.
    """
    kind = "tiers-win"
    firsts = once(deals)
    inside, outside = _group(firsts, PROFILE_TIERS), _group(firsts, OUTSIDE_TIERS)
    n, hits = inside.n + outside.n, inside.hits + outside.hits
    figures: dict[str, float | int | str] = {
        "rate": inside.rate,
        "companies": inside.n,
        "against": outside.rate,
        "against_n": outside.n,
    }
    said = f"A and B win {inside} companies, C, D and Not ICP {outside}"
    figures["p"] = p = two_rates(inside.hits, inside.n, outside.hits, outside.n)
    fewer, stands = inside.rate < outside.rate, kind in standing
    enough, state = comparable(inside, outside), State.OK
    if enough:
        state = state_of(strong=fewer and p <= SURE, weak=fewer and p <= LIKELY, stands=stands)
    if state is State.OK and (not enough or p > LIKELY):
        wanted = _wanted(hits / n, inside.n / n) if 0 < hits < n else 0
        state = State.WATCH if enough and 0 < wanted <= n else State.FEW
    if state is State.FEW and not (stands and fewer):
        return few(kind, f"{said}; about {wanted:,} would do" if wanted > n else said, **figures)
    won = outside.who(hit=True) if state is not State.OK else ()
    return Finding(
        name=kind,
        state=State.ALERT if state is State.FEW else state,
        sentence=f"{_VERDICTS[state]}: {said}",
        figures=figures,
        accounts=won[:MOST_ACCOUNTS],
        behind=len(won),
    )


_VERDICTS = {
    State.OK: "Tiers tell who is won",
    State.WATCH: "Tiers do not tell who is won",
    State.ALERT: "Tiers do not tell who is won",
    State.FEW: "Too few to tell whether it lasts",
}


def _wanted(base: float, share: float) -> int:
    """Companies in all that would have shown A and B to win `WORTH` times what the rest wins; 0 where one
    side has none."""
    if not 0 < share < 1:
        return 0
    return needed(base, min(0.99, WORTH * base / (share * WORTH + 1 - share)), share, alpha=LIKELY)


def outside_wins(deals: Sequence[Sold], segments: Segments, standing: Container[str] = ()) -> list[Finding]:
    """Segments outside the profile (C, D, Not ICP) that win more of their companies than it (A, B) does.

    An alert needs the lower bound of the segment's rate above the profile's rate, and that after correction
    for all segments looked at. standing: names of findings that are alerts already.
    """
    kind = _OUTSIDE.kind
    firsts = once(deals)
    inside = _group(firsts, PROFILE_TIERS)
    groups: dict[str, Group] = defaultdict(Group)
    for number, deal in enumerate(firsts):
        if deal.tier in OUTSIDE_TIERS:
            for segment in segments.get(deal.account, ()):
                groups[segment].cases[number] = (deal.account, deal.won)
    asked = [segment for segment, group in groups.items() if comparable(group, inside)]
    found = higher(_OUTSIDE, groups, dict.fromkeys(groups, inside), standing)
    if found:
        return found
    if not asked:
        most = max((group.n for group in groups.values()), default=0)
        said = f"{inside.n} companies of tiers A and B have a decided deal, {most} of the largest segment"
        return [few(kind, f"{said} outside; {LEAST} of each are needed", companies=inside.n, largest=most)]
    return [
        Finding(
            name=kind,
            state=State.OK,
            sentence=f"No segment outside the profile wins more: {_OUTSIDE.against} {inside}; "
            f"{len(asked)} segments looked at",
            figures={"rate": inside.rate, "companies": inside.n, "segments": len(asked)},
        )
    ]


def _group(firsts: Sequence[Sold], tiers: Container[str]) -> Group:
    return Group({i: (deal.account, deal.won) for i, deal in enumerate(firsts) if deal.tier in tiers})
