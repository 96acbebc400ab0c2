"""Random profiles and raw companies, and what evaluation itself says of them: the measure of every filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf

from hypothesis import strategies as st

from icp_sync.crm.hubspot.filters import SHAPES
from icp_sync.domain.assessment import Fate, assess
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import (
    All,
    AllOf,
    Any,
    AnyOf,
    Between,
    Condition,
    NoneOf,
    Not,
    Present,
    Within,
)
from icp_sync.domain.facts import merge
from icp_sync.domain.populations import POPULATIONS, is_person, with_population
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.normalize.property_values import Form, Ground, Shape

NOW = 1_790_000_000.0
Raw = Mapping[str, str]

FACTS = FactsMap(
    (
        *(s for s in HUBSPOT_DEFAULTS.sources if s.property not in ("website", "hs_keywords", "name")),
        FactSource(property="size_band", fact="employees", kind=Kind.NUMBER, rank=2),
        FactSource(property="models", fact="business_model", kind=Kind.SET, complete=True),
        FactSource(property="stack", fact="technologies", kind=Kind.SET),
        FactSource(property="founded_on", fact="founded", kind=Kind.DATE, rank=0),
        FactSource(property="eur_sales", fact="revenue", kind=Kind.MONEY, currency="EUR", rank=2),
        FactSource(property="mystery", fact="funding_stage", kind=Kind.CHOICE),
    )
)
MINE: Mapping[str, Shape] = {
    **SHAPES,
    "size_band": Shape(form=Form.CHOICE, options=("1-10", "11-50", "51-200", "201+", "?"), complete=True),
    "models": Shape(form=Form.CHOICES, options=("saas", "Agency", "b2b", "b2c"), complete=True),
    "stack": Shape(form=Form.CHOICES, options=("hubspot", "salesforce"), complete=True),
    "founded_on": Shape(form=Form.DATE),
    "eur_sales": Shape(form=Form.NUMBER),
}

TAME: Mapping[str, Sequence[str]] = {
    "numberofemployees": ("", "5", "50", "120", "500", "900"),
    "size_band": ("", "1-10", "11-50", "51-200", "201+", "?"),
    "annualrevenue": ("", "0", "900000", "5000000", "60000000"),
    "eur_sales": ("", "1000000", "4500000"),
    "country": ("", "Germany", "US", "usa"),
    "hs_country_code": ("", "DE", "US"),
    "industry": ("", "BANKING", "COMPUTER_SOFTWARE", "RETAIL"),
    "type": ("", "PROSPECT", "PARTNER", "VENDOR", "OTHER"),
    "lifecyclestage": ("", "lead", "customer", "evangelist", "other"),
    "hs_lead_status": ("", "NEW", "OPEN_DEAL"),
    "is_public": ("", "true", "false"),
    "models": ("", "saas", "saas;b2b", "Agency", "Agency;b2c;b2b"),
    "web_technologies": ("", "hubspot", "hubspot;react", "salesforce"),
    "stack": ("", "hubspot", "hubspot;salesforce"),
    "hs_num_open_deals": ("", "0", "1", "4"),
    "city": ("", "Berlin", "New York", "o'fallon; drop", "ZÜRICH", "Örebro"),
    "notes_last_updated": (
        "",
        "2026-09-21T14:13:20.000Z",
        "2026-09-20T14:13:20.000Z",
        "2026-06-23T14:13:20.000Z",
        "2026-01-01T00:00:00.500Z",
        "2027-01-01T00:00:00.000Z",
    ),
    "founded_on": ("", "2026-09-21", "2026-09-20", "2026-06-23", "2015-12-31", "2016-01-01", "2016-12-31"),
    "mystery": ("", "seed", "Series A"),
    "founded_year": ("", "2015", "2016", "around 2010"),
    "hs_employee_range": ("", "51 - 200", "many"),
    "hs_revenue_range": ("", "$10M - $50M", "plenty"),
}
"""What a well-kept portal holds: known options, plausible numbers."""

WILD: Mapping[str, Sequence[str]] = {
    **TAME,
    "numberofemployees": (*TAME["numberofemployees"], "-5", "20000000"),
    "annualrevenue": (*TAME["annualrevenue"], "-1", "1e20"),
    "country": (*TAME["country"], "Georgia", "Deutschland", "Republic of Nowhere", "U.S.A."),
    "industry": (*TAME["industry"], "SPACE_TOURISM", "Fintech"),
    "type": (*TAME["type"], "COMPETITOR", "Competitor", "Strategic", "Former Customer", "Customer - Direct"),
    "lifecyclestage": (*TAME["lifecyclestage"], "98765432", "churned"),
    "founded_on": (*TAME["founded_on"], "2300-01-01"),
}
"""What turns up besides."""


def companies(values: Mapping[str, Sequence[str]]) -> st.SearchStrategy[Raw]:
    return st.fixed_dictionaries({name: st.sampled_from(some) for name, some in values.items()})


_WORDS = {
    "industry": ("BANKING", "COMPUTER_SOFTWARE", "RETAIL"),
    "country": ("DE", "US", "FR"),
    "account_type": ("prospect", "partner", "competitor", "strategic"),
    "lifecycle": ("prospect", "customer", "lead", "other", "98765432"),
    "population": POPULATIONS,
    "lead_status": ("new", "open_deal"),
    "ownership": ("public", "private"),
    "business_model": ("saas", "agency", "b2b"),
    "technologies": ("hubspot", "salesforce"),
    "city": ("berlin", "new york", "o'fallon; drop", "zürich", "örebro"),
    "funding_stage": ("seed",),
    "residency": ("eu-only",),
    "parent.industry": ("BANKING",),
}
_LEVELS = {
    "employees": (0.0, 10.0, 50.0, 120.0, 500.0),
    "open_deals": (0.0, 1.0),
    "revenue": (0.0, 1e6, 5e6, 5e7),
    "web_visits": (100.0,),
}
_MOMENTS = (1_451_606_400.0, 1_483_228_799.0, NOW - 90 * DAY, NOW - DAY, NOW)


@st.composite
def _band(draw: st.DrawFn) -> Condition:
    fact = draw(st.sampled_from([*_LEVELS, "last_activity", "founded"]))
    levels = _LEVELS.get(fact, _MOMENTS)
    low, high = sorted((draw(st.sampled_from(levels)), draw(st.sampled_from(levels))))
    side = draw(st.sampled_from(["both", "low", "high"]))
    return Between(
        fact=fact,
        low=-inf if side == "high" else low,
        high=inf if side == "low" else high,
        low_open=side == "low" and draw(st.booleans()),
        high_open=side == "high" and draw(st.booleans()),
        taper=draw(st.sampled_from([0.0, 0.0, 0.5])) if fact in _LEVELS else 0.0,
        money=fact == "revenue",
    )


@st.composite
def _words(draw: st.DrawFn) -> Condition:
    fact = draw(st.sampled_from(sorted(_WORDS)))
    values = draw(st.frozensets(st.sampled_from(_WORDS[fact]), min_size=1, max_size=2))
    return draw(st.sampled_from([AnyOf, NoneOf, AllOf]))(fact=fact, values=values)


_leaves: st.SearchStrategy[Condition] = st.one_of(
    _band(),
    _words(),
    _words(),
    st.builds(
        Within,
        fact=st.sampled_from(["last_activity", "founded"]),
        seconds=st.sampled_from([DAY, 90 * DAY, 365 * DAY]),
    ),
)
_known: st.SearchStrategy[Condition] = st.builds(
    Present, fact=st.sampled_from([*_WORDS, *_LEVELS, "founded"]), known=st.booleans()
)


def _trees(leaf: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda p: All(parts=tuple(p))),
            st.lists(inner, min_size=1, max_size=3).map(lambda p: Any(parts=tuple(p))),
            inner.map(lambda p: Not(part=p)),
        ),
        max_leaves=3,
    )


_TREES = _trees(_leaves)
_SCOPES = st.none() | _trees(_leaves | _known)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Scope, gates and flags; the score has no part in a filter."""
    gates = draw(st.lists(_leaves, max_size=2))
    flags = draw(st.lists(_TREES, max_size=2))
    return Profile(
        name="p",
        currency="USD",
        criteria=tuple(
            Criterion(name=f"gate {i}", layer="firmographic", when=when, required=True)
            for i, when in enumerate(gates)
        ),
        flags=tuple(Flag(name=f"flag {i}", when=when, effect=Effect.EXCLUDE) for i, when in enumerate(flags)),
        score_scope=draw(_SCOPES),
        people=draw(st.booleans()),
    )


def profile_sets() -> st.SearchStrategy[tuple[Profile, ...]]:
    return st.lists(profiles(), min_size=1, max_size=2).map(
        lambda some: tuple(replace(p, name=f"p{i}") for i, p in enumerate(some))
    )


def ground(**how: object) -> Ground:
    settings: dict[str, object] = {
        "facts_map": FACTS,
        "shapes": MINE,
        "cased": True,
        "currency": "USD",
        "now": NOW,
        "most": 60,
    }
    return Ground(**{**settings, **how})  # type: ignore[arg-type]


def selector(
    some: Sequence[Profile], facts_map: FactsMap = FACTS, currency: str = "USD"
) -> Callable[[Raw], bool]:
    """What evaluation says of a company: some profile may apply, and is not failed."""
    compiled = [compile_profile(profile) for profile in some]

    def possible(raw: Raw) -> bool:
        signals, unread = facts_map.read(raw, observed_at=NOW, account_currency=currency)
        facts = with_population(merge(signals, unread, facts_map.types)).facts
        person = is_person(facts)
        found = [assess(one, facts, NOW) for one in compiled if one.profile.people or not person]
        return any(a.applies and a.fate is not Fate.FAILED for a in found)

    return possible


def selected(some: Sequence[Profile], raw: Raw, facts_map: FactsMap = FACTS) -> bool:
    return selector(some, facts_map)(raw)
