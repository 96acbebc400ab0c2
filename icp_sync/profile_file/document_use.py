"""The later half of a profile's page: tiers, routing, and what the profile rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from icp_sync.domain.conditions import Condition, facts_of
from icp_sync.domain.profile import TIERS, Pool, Profile, Route, Target
from icp_sync.domain.standing import STATES
from icp_sync.domain.words import fact_text
from icp_sync.profile_file.page import Block, Bullets, Grid, Paragraph, Section
from icp_sync.profile_file.spoken import days, spoken

_OF_THE_CRM = "crm:"
_MEANING = {
    "Needs data": "too little is known to say",
    "Not ICP": "a must-have is missing, or a flag excludes it",
}
_GOAL = {"won": "won and not churned since", "best": "high-value customers who stayed"}


def tiers(profile: Profile, counts: Mapping[str, int]) -> Section:
    """Tiers with their scores, the two states, what calm means; accounts where somebody has counted."""
    scale = profile.tiers
    floors = [scale.threshold(tier) for tier in TIERS]
    said = {
        tier: f"score {low}–{above - 1}"
        for tier, (above, low) in zip(TIERS, pairwise((101, *floors)), strict=True)
    }
    said = {tier: text.replace("–100", " and more") for tier, text in said.items()}
    heads: tuple[str, ...] = ("tier", "means")
    rows: list[tuple[str, ...]] = [(tier, text) for tier, text in {**said, **_MEANING}.items()]
    if counts:
        heads = (*heads, "accounts today")
        rows = [(*row, f"{counts.get(row[0], 0):,}") for row in rows]
    calm = (
        f"Calm: a move across a boundary by less than {scale.hysteresis} points waits until it has lasted "
        f"{days(scale.dwell)}; a must-have, a flag or a larger move passes at once."
    )
    data = (
        f"While less than {scale.min_coverage:.0%} of the points are known and more than one tier is "
        "possible, an account is Needs data. A tier is firm when no missing fact could change it, else "
        "provisional."
    )
    grid = Grid(
        heads=heads,
        rows=tuple(rows),
        right=frozenset((2,) if counts else ()),
        strong=0,
        tight=frozenset((0,)),
    )
    return Section(title="Tiers", blocks=(grid, Paragraph(text=calm), Paragraph(text=data, quiet=True)))


def routing(profile: Profile) -> Section:
    if not profile.routes:
        return Section(
            title="Who gets it", blocks=(Paragraph(text="The profile routes nothing to anybody."),)
        )
    rows = tuple(
        (str(number), _asks(route), _who(route), route.target.lane)
        for number, route in enumerate(profile.routes, start=1)
    )
    grid = Grid(
        heads=("", "when", "owner", "lane"), rows=rows, right=frozenset((0,)), strong=3, tight=frozenset((3,))
    )
    note = (
        "The first that matches wins. A route that names somebody fills vacancies only and needs a firm "
        "tier, unless it says otherwise."
    )
    pools = tuple((pool.name, _members(pool)) for pool in profile.pools.values())
    named = tuple(
        (one.name, f"{len(one.owners):,} account{'s' * (len(one.owners) != 1)}")
        for one in profile.named.values()
    )
    blocks: list[Block] = [grid, Paragraph(text=note, quiet=True)]
    terms = [(number, route.target) for number, route in enumerate(profile.routes, start=1)]
    if touches := tuple(_touch(number, target) for number, target in terms if target.touch_within):
        blocks.append(Bullets(items=touches))
    if pools:
        blocks.append(Grid(heads=("pool", "members"), rows=pools, strong=0))
    if named:
        blocks.append(Grid(heads=("named list", "holds"), rows=named, strong=0))
    return Section(title="Who gets it", blocks=tuple(blocks))


def _asks(route: Route) -> str:
    parts = [f"tier {_either(route.tiers)}"] if route.tiers else []
    if set(route.tiers) == set(STATES):
        parts = ["whatever the tier"]
    if route.when is not None:
        parts.append(spoken(route.when))
    return ", and ".join(parts) or "everything else"


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _who(route: Route) -> str:
    said = [_target(route.target)]
    if route.target.keep:
        kin = "the parent" if route.target.keep == "parent" else "another of its group"
        said.insert(0, f"first who owns {kin}")
    said += [
        words
        for holds, words in (
            (route.even_if_provisional, "even while provisional"),
            (route.even_if_owned, "even if owned"),
            (route.even_if_customer, "even a customer"),
        )
        if holds
    ]
    return ", ".join(said)


def _target(target: Target) -> str:
    if target.owner:
        return target.owner
    if target.pool:
        return f"pool {target.pool}" + (f", by territory {target.territory}" if target.territory else "")
    if target.territory:
        return f"by territory {target.territory}"
    if target.named:
        return f"by the list {target.named}"
    if target.named_fact:
        return f"whom {fact_text(target.named_fact)} names"
    return "whoever owns it" if target.lane != "none" else "nobody new"


def _touch(number: int, target: Target) -> str:
    """How soon an account is to be touched, and what happens otherwise, in a sentence."""
    free = ", Saturdays and Sundays not counted" * target.weekdays
    said = f"Given by route {number}: to be touched within {days(target.touch_within or 0.0)}{free}."
    times = {1: "once", 2: "twice"}.get(target.reroutes, f"up to {target.reroutes} times")
    passed = f"it goes to the next one who may take it, {times} at most" if target.reroutes else ""
    told = f"{target.escalate} is told" if target.escalate else ""
    if not passed and not told:
        return f"{said} Otherwise it stays, and counts as let lie."
    return f"{said} Otherwise {'; after that '.join(filter(None, (passed, told)))}."


def _members(pool: Pool) -> str:
    total = sum(member.weight for member in pool.members)
    said = [
        f"{member.email} {member.weight / total:.0%}" + (f", at most {member.cap:,}" if member.cap else "")
        for member in pool.members
    ]
    return "; ".join(said)


def evidence(profile: Profile, sources: Mapping[str, Sequence[str]]) -> Section:
    """What feeds each fact asked for, those nothing feeds first."""
    uses = _uses(profile)
    rows = [
        (fact_text(fact), ", ".join(map(_source, _feeding(fact, sources))) or "nothing yet", ", ".join(used))
        for fact, used in uses.items()
    ]
    blind = sum(row[1] == "nothing yet" for row in rows)
    rows.sort(key=lambda row: row[1] != "nothing yet")
    grid = Grid(heads=("fact", "comes from", "decides"), rows=tuple(rows), strong=0, tight=frozenset((2,)))
    said = (
        f"{blind} of {len(rows)} facts have no source here; until then, what asks for them stays open."
        if blind
        else f"Each of the {len(rows)} facts has a source here."
    )
    return Section(title="What it rests on", blocks=(Paragraph(text=said), grid))


def _uses(profile: Profile) -> dict[str, list[str]]:
    """Fact → what it is asked for, in the order of the page."""
    asked: list[tuple[str, Condition | None]] = [("scope", profile.score_scope)]
    asked += [("must-have" if c.required else "points", c.when) for c in profile.criteria]
    asked += [("flag", f.when) for f in profile.flags]
    asked += [("timing", t.when) for t in profile.timing]
    asked += [("routing", profile.route_scope), *(("routing", r.when) for r in profile.routes)]
    uses: dict[str, dict[str, None]] = {}
    for use, when in asked:
        for fact in () if when is None else facts_of(when):
            uses.setdefault(fact, {})[use] = None
    return {fact: list(found) for fact, found in uses.items()}


def _feeding(fact: str, sources: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """What feeds a fact, the CRM first; a parent's or a group's comes from where their own comes from."""
    named = sources.get(fact) or sources.get(fact.rpartition(".")[2], ())
    return sorted(named, key=lambda name: not name.startswith(_OF_THE_CRM))


def _source(name: str) -> str:
    return f"CRM {name.removeprefix(_OF_THE_CRM)}" if name.startswith(_OF_THE_CRM) else name


def learned(profile: Profile) -> Section | None:
    """What it was learned from; None for a profile written by hand."""
    found = profile.learned
    if found is None:
        return None
    title = "What it was learned from"
    if found.hypothesis:
        said = f"Drafted from {found.cases:,} examples: a hypothesis, unproven. Nothing has tested it yet."
        return Section(title=title, blocks=(Paragraph(text=said),))
    rate = f" ({found.good / found.cases:.1%})" if found.cases else ""
    since = f"from {found.since} on and " if found.since else ""
    said = (
        f"{found.cases:,} accounts decided {since}before {found.until}, {found.good:,}{rate} of them "
        f"{_GOAL.get(found.goal, 'good')}. It may be proven only on accounts decided since."
    )
    caution = "It has only seen companies somebody chose to sell to."
    rows = tuple((tier, f"{share:.0%}") for tier, share in found.expected.items())
    grid = Grid(heads=("tier", "expected"), rows=rows, right=frozenset((1,)), strong=0)
    blocks: tuple[Block, ...] = (Paragraph(text=said), *((grid,) if rows else ()))
    return Section(title=title, blocks=(*blocks, Paragraph(text=caution, quiet=True)))


def examples(profile: Profile) -> Section | None:
    if not profile.examples:
        return None
    expected = {
        state: ", ".join(domain for domain, tier in profile.examples.items() if tier == state)
        for state in STATES
    }
    rows = tuple((state, domains) for state, domains in expected.items() if domains)
    grid = Grid(heads=("expected", "companies"), rows=rows, strong=0, tight=frozenset((0,)))
    return Section(title="Companies we know", blocks=(grid,))


def reviews(profile: Profile) -> Section:
    return Section(title="Review", blocks=(Paragraph(text=" ".join(_reviews(profile))),))


def _reviews(profile: Profile) -> Iterator[str]:
    dated = [("small changes", profile.review_minor), ("in full", profile.review_full)]
    said = [f"{what} by {due}" for what, due in dated if due]
    yield f"Next: {', '.join(said)}." if said else "No review is planned."
    yield (
        "At once when a segment outside the profile wins more than the profile does, when churn gathers "
        "where it did not, or when product, market or regulation change."
    )
