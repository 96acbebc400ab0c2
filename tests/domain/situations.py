"""Situations of an account as a rep may meet them: what the reasons on the record say in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from icp_sync.domain.account import NOT_REMEMBERED, Confirmed, Origin, Previous, Remembered
from icp_sync.domain.choosing import Team
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import Any, Between, Present, Within
from icp_sync.domain.desired import desired
from icp_sync.domain.evaluation import carried, evaluate, overridden
from icp_sync.domain.facts import merge
from icp_sync.domain.override import override_note, override_of
from icp_sync.domain.owner_words import chosen_because
from icp_sync.domain.ownership import Editing
from icp_sync.domain.populations import with_population
from icp_sync.domain.profile import DAY, Criterion, Profile, Route, Target, TimingSignal
from icp_sync.domain.roster import Absence, Tables, Territories, TerritoryRow
from icp_sync.domain.routing import Held, decide
from icp_sync.domain.seal import Seal
from icp_sync.domain.why import evidence_of, why_changed
from tests.domain.cases import NOW, account
from tests.domain.offering import (
    ADA,
    BEN,
    CYD,
    ENTERPRISE,
    GOOD,
    ROUTED,
    SAAS,
    TEAM,
    any_of,
    without,
)
from tests.domain.test_differences import KEY


@dataclass(frozen=True, kw_only=True)
class Before:
    """An earlier settlement: its facts, and under which profiles, how many days ago."""

    known: Mapping[str, object]
    profiles: tuple[Profile, ...] = (SAAS,)
    live: Mapping[str, str] = field(default_factory=dict)
    days: float = 1.0
    version: int = 1
    engine: int | None = None


def told(
    known: Mapping[str, object],
    *,
    profiles: tuple[Profile, ...] = (SAAS,),
    live: Mapping[str, str] | None = None,
    remembered: Remembered = NOT_REMEMBERED,
    owner: str = "",
    team: Team | None = None,
    routed: tuple[str, str] = ("", ""),
    before: Before | None = None,
    version: int = 1,
) -> str:
    """The reasons as they should be on the record. routed: whom the route chose last, and why.

    team: as it stands where the connection routes, None where it does not.
    """
    previous, evidence = _before(before) if before else (None, {})
    if routed[0]:
        previous = replace(previous or Previous(tier="A", raw_tier="A"), routed_owner=routed[0])
        previous = replace(previous, routed_why=routed[1], routed_at=NOW - 20 * DAY)
    one = account(live=dict(live or {}), owner=owner, **known)
    read = with_population(merge(one.signals))
    compiled = tuple(compile_profile(p) for p in profiles)
    override = override_of(one, remembered, Seal(), KEY, Editing(now=NOW))
    model = evaluate(compiled, read.facts, previous, NOW, version=version)
    evaluation = overridden(model, override, override_note(one.live, NOW))
    held = Held(owner=owner, vacant_from=None if owner else 0.0, routed=routed[0])
    decision = decide(one.id, evaluation, read.facts, held=held, team=team or Team(), now=NOW)
    why = why_changed(previous, evidence, evaluation, read, compiled, NOW)
    then = carried(evaluation, previous, NOW, why=why)
    if team is not None and decision.owner:
        because = chosen_because(decision, team.owners)
        then = replace(then, routed_owner=decision.owner, routed_at=NOW, routed_why=because)
    owners = team.owners if team else None
    return desired(one, evaluation, decision, then, read.facts, owners, read.sources)["reasons"]


def _before(before: Before) -> tuple[Previous, dict[str, object]]:
    at = NOW - before.days * DAY
    one = account(live=dict(before.live), **before.known)
    read = with_population(merge(one.signals))
    compiled = tuple(compile_profile(p) for p in before.profiles)
    override = override_of(one, NOT_REMEMBERED, Seal(), KEY, Editing(now=at))
    evaluation = overridden(evaluate(compiled, read.facts, None, at, version=before.version), override)
    evidence = evidence_of(evaluation, read)
    if before.engine is not None:
        evidence["engine"] = before.engine
    return carried(evaluation, None, at, why=""), evidence


def _away(*, everybody: bool = False) -> Team:
    """Ben is away, Cyd at her cap, Dan outside the territory; Ada too where nobody is left."""
    rows = tuple(
        TerritoryRow(line=i, territory="East", owner=email, cap=50 if email == CYD else 0)
        for i, email in enumerate((ADA, BEN, CYD))
    )
    gone = {BEN: (Absence(email=BEN, start=NOW - DAY, until=NOW + 10 * DAY),)}
    if everybody:
        gone[ADA] = (Absence(email=ADA, start=NOW - DAY, until=NOW + 3 * DAY),)
    tables = Tables(territories={"map.csv": Territories("map.csv", rows)}, absences=gone)
    return replace(TEAM, loads={CYD: 50}, caps={CYD: 50}, tables=tables)


def _tall() -> Profile:
    """A profile whose every name is as long as a name may be."""

    def named(one: str) -> str:
        return f"{one} that somebody in a meeting once described at great length and nobody shortened"[:100]

    return replace(
        ROUTED,
        name=named("Companies"),
        routes=(replace(ROUTED.routes[0], tiers=("C",), even_if_provisional=True),),
        criteria=(
            *(replace(c, name=named(c.name)) for c in SAAS.criteria),
            *(
                Criterion(name=named(f"Reason {i}"), layer="pain", when=Present(fact=f), weight=w)
                for i, (f, w) in enumerate((("keywords", 15), ("city", 14), ("news", 13), ("state", 12)))
            ),
        ),
        flags=(*SAAS.flags[:1], replace(SAAS.flags[1], name=named("Small"))),
    )


def _overridden(until: str = "", why: str = "") -> dict[str, str]:
    return {"tier_override": "A", "tier_override_reason": why, "tier_override_until": until}


_OPEN = without("industry", "open_roles")
_DEAL = replace(
    ROUTED, routes=(Route(target=Target(lane="sales", pool="north-america"), even_if_owned=True),)
)
_LEFT = replace(TEAM, owners={**TEAM.owners, BEN: replace(TEAM.owners[BEN], active=False)})
_TYPED = Remembered(
    confirmed={"tier": Confirmed(value="C", origin=Origin.HUMAN, at=NOW - 5 * DAY, by="workflow")}
)
_BY_A_PERSON = Remembered(
    confirmed={"tier_override": Confirmed(value="A", origin=Origin.HUMAN, at=NOW - DAY, by="person")}
)
_TRICKY = replace(
    SAAS,
    criteria=(
        SAAS.criteria[0],
        replace(SAAS.criteria[1], name="50–500\nemployees<script>alert(1)</script>"),
        replace(SAAS.criteria[2], name="Soft\u202eware\x00 <b>company</b>"),
        *SAAS.criteria[3:],
    ),
)

SITUATIONS: Mapping[str, Callable[[], str]] = {
    "firm_a": lambda: told(GOOD),
    "provisional_b_missing_must_have": lambda: told(without("technologies", industry="BANKING")),
    "provisional_by_points": lambda: told(without("industry")),
    "needs_data": lambda: told({"country": "US"}),
    "not_icp_by_gate": lambda: told(
        without("technologies"), profiles=(replace(SAAS, criteria=(_GATE, *SAAS.criteria[1:])),)
    ),
    "not_icp_by_flag": lambda: told(without(business_model={"agency"})),
    "two_profiles_both_failed": lambda: told(
        without(business_model={"agency"}), profiles=(SAAS, replace(ENTERPRISE, flags=()))
    ),
    "two_profiles_better_shown": lambda: told(without(employees=2400), profiles=(SAAS, ENTERPRISE)),
    "capped_by_flag": lambda: told(without(revenue=4e5)),
    "marked_by_flag": lambda: told(without(residency={"eu"})),
    "boundary_waiting": lambda: told(
        without(country="DE"), profiles=(_NEAR,), before=Before(known=GOOD, profiles=(_NEAR,), days=2)
    ),
    "overridden": lambda: told(
        _OPEN,
        live=_overridden("2026-10-01T00:00:00.000Z", "a strategic logo, see the board's list."),
        remembered=_BY_A_PERSON,
    ),
    "typed_tier": lambda: told(GOOD, live={"tier": "C"}, remembered=_TYPED),
    "override_ended": lambda: told(
        _OPEN,
        live=_overridden("2026-09-20T00:00:00.000Z"),
        before=Before(known=_OPEN, live=_overridden("2026-09-20T00:00:00.000Z"), days=9),
    ),
    "changed_by_data": lambda: told(
        without(industry="HOSPITAL_HEALTH_CARE", employees=9000), before=Before(known=GOOD)
    ),
    "changed_by_profile": lambda: told(
        without(country="DE"), profiles=(_ABROAD,), before=Before(known=without(country="DE")), version=2
    ),
    "changed_by_engine": lambda: told(
        without(country="DE"), before=Before(known=without(country="DE"), profiles=(_ABROAD,), engine=0)
    ),
    "firm_b": lambda: told(without(industry="BANKING")),
    "partly_met": lambda: told(without(employees=620), profiles=(_TAPERED,)),
    "hardly_met": lambda: told(without(employees=700), profiles=(_TAPERED,)),
    "several_facts_not_met": lambda: told(without(country="DE"), profiles=(_SEVERAL,)),
    "just_under_a_bound": lambda: told(without(revenue=4_999_600), profiles=(_EARNING,)),
    "the_moment_is_good": lambda: told(without(last_funding_date=_LATELY), profiles=(_TIMED,)),
    "customer_in_success_lane": lambda: told(without(lifecycle={"customer"})),
    "assigned_with_people_skipped": lambda: told(GOOD, profiles=(ROUTED,), team=_away()),
    "owner_of_our_choice": lambda: told(
        GOOD,
        profiles=(ROUTED,),
        team=_away(),
        owner=ADA,
        routed=(ADA, "from pool north-america; passed over: Ben Okri (away until 2026-09-10)"),
    ),
    "nobody_may_take_it": lambda: told(GOOD, profiles=(ROUTED,), team=_away(everybody=True)),
    "owner_stays_for_a_deal": lambda: told(
        without(open_deals=1),
        profiles=(_DEAL,),
        team=_LEFT,
        owner=BEN,
        routed=(BEN, "from pool north-america"),
    ),
    "very_long_names": lambda: told(
        without("industry", "technologies", "state", "news", employees=9_000, city="x"),
        profiles=(_tall(),),
        team=_away(everybody=True),
        before=Before(known=GOOD, profiles=(_tall(),)),
    ),
    "hostile_names": lambda: told(
        without(country="D\u202eE\n<img src=x onerror=alert(1)>"), profiles=(_TRICKY,)
    ),
    "out_of_scope": lambda: told(without(account_type="partner"), profiles=(_SCOPED,)),
}
"""Name of a golden file → the text."""

_GATE = replace(SAAS.criteria[0], name="At most 100 employees", when=Between(fact="employees", high=100))
_SCOPED = replace(SAAS, score_scope=any_of("account_type", "prospect"))
_NEAR = replace(SAAS, tiers=replace(SAAS.tiers, a=87))
_TAPERED = replace(
    SAAS,
    criteria=(
        SAAS.criteria[0],
        replace(SAAS.criteria[1], when=Between(fact="employees", low=50, high=500, taper=0.5)),
        *SAAS.criteria[2:],
    ),
)
_SEVERAL = replace(
    SAAS,
    criteria=(
        *SAAS.criteria[:4],
        replace(
            SAAS.criteria[4],
            name="Near one of our offices",
            when=Any(parts=(any_of("country", "US", "CA"), any_of("residency", "eu"))),
        ),
    ),
)
_EARNING = replace(
    SAAS,
    criteria=(
        *SAAS.criteria[:4],
        replace(SAAS.criteria[4], name="Over $5M", when=Between(fact="revenue", low=5e6, money=True)),
    ),
)
_LATELY = (NOW - 50 * DAY, NOW - 50 * DAY)
_ROUND = Within(fact="last_funding_date", seconds=180 * DAY)
_TIMED = replace(SAAS, timing=(TimingSignal(name="Raised a round", when=_ROUND, weight=40),))
_ABROAD = replace(SAAS, criteria=(*SAAS.criteria[:4], replace(SAAS.criteria[4], weight=60)))
