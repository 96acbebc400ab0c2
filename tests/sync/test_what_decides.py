"""What is bought follows from all that decides: the family, the table, the relationship, people's tier."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

from icp_sync.domain.buying import Buying, Rule
from icp_sync.domain.conditions import AnyOf, at_level
from icp_sync.domain.facts import Signal, choice, number
from icp_sync.domain.profile import Effect, Flag, Profile, Route, Target
from icp_sync.domain.roster import Tables, Territories, TerritoryRow
from icp_sync.domain.words import facts_of
from icp_sync.ports import Hit
from tests.sync.world import ANNA, BEN, GOOD, PROFILE, START, Vendor, World

OF_THE_GROUP = replace(
    PROFILE,
    criteria=tuple(
        replace(c, when=at_level(c.when, "group")) if "employees" in facts_of(c.when) else c
        for c in PROFILE.criteria
    ),
)
BY_TABLE = replace(
    PROFILE,
    routes=(
        Route(target=Target(lane="sales", territory="where"), tiers=("A", "B")),
        Route(target=Target(lane="nurture")),
    ),
)


def tables() -> Tables:
    rows = tuple(
        TerritoryRow(
            line=line,
            territory=country,
            wants=(AnyOf(fact="country", values=frozenset({country})),),
            owner=owner,
        )
        for line, country, owner in ((2, "US", ANNA), (3, "FR", BEN))
    )
    return Tables(territories={"where": Territories("where", rows, "USD")}, digest="x")


def vendor(**known: object) -> Vendor:
    return Vendor(book={"acme.com": known}, facts=frozenset(known))  # type: ignore[dict-item]


def world(folder: Path, profile: Profile, source: Vendor, **named: object) -> World:
    return World(folder, profile=profile, enrichers=(source,), **named)  # type: ignore[arg-type]


def test_who_belongs_to_nobody_is_asked_about_itself_for_its_group(tmp_path: Path):
    source = vendor(employees=number(100))
    here = world(tmp_path, OF_THE_GROUP, source)
    acme = here.company(domain="acme.com", industry="SOFTWARE")
    here.backfill()
    assert source.asked == ["acme.com"]
    assert (here.live(acme)["tier"], here.live(acme)["certainty"]) == ("A", "firm")
    assert here.backfill().calls == 0


def test_what_is_said_of_a_parent_counts_from_the_stated_confidence_on(tmp_path: Path):
    def unsure(confidence: float) -> Vendor:
        size = Signal(
            fact="employees", value=number(100), source="vendor", observed_at=START, confidence=confidence
        )
        return Vendor(instead=lambda _: Hit(signals=(size,), charge=1.0), facts=frozenset({"employees"}))

    for confidence, tier in ((0.3, "Needs data"), (0.95, "A")):
        folder = tmp_path / tier
        folder.mkdir()
        buying = Buying(change_worth=inf, rules={"employees": Rule(floor=0.9)})
        here = world(folder, OF_THE_GROUP, unsure(confidence), buying=buying)
        here.company(domain="parent.com", id="9", industry="RETAIL")
        child = here.company(domain="child.com", id="1", parent="9", industry="SOFTWARE")
        here.quiesce()
        assert here.live(child)["tier"] == tier


def test_the_territory_of_an_account_whose_tier_people_decided_is_bought(tmp_path: Path):
    source = vendor(country=choice("FR"), employees=number(9_000))
    here = world(tmp_path, BY_TABLE, source, tables=tables())
    acme = here.company(domain="acme.com", employees=9_000, industry="RETAIL")
    here.crm.edit(acme, live={"tier_override": "A"})
    here.backfill()
    assert source.asked == ["acme.com"]
    assert here.account(acme).owner == BEN
    sure = here.company(
        "Sure", domain="sure.com", employees=9_000, industry="RETAIL", business_model="agency"
    )
    here.crm.edit(sure, live={"tier_override": "D"})
    here.backfill()
    assert source.asked == ["acme.com"], "no route of a D has anything to do with a country"


def test_the_country_of_an_owned_account_is_bought_where_no_row_may_hold(tmp_path: Path):
    source = vendor(country=choice("DE"))
    here = world(tmp_path, BY_TABLE, source, tables=tables())
    acme = here.company(domain="acme.com", owner=ANNA, business_model="saas", **GOOD)
    here.backfill()
    assert source.asked == ["acme.com"]
    assert here.live(acme)["lane"] == "nurture"


def test_what_a_company_is_to_us_is_asked_where_nobody_knows_it(tmp_path: Path):
    barred = Flag(
        name="Customer",
        when=AnyOf(fact="population", values=frozenset({"customer"})),
        effect=Effect.EXCLUDE,
    )
    profile = replace(PROFILE, score_scope=None, flags=(barred,))
    source = vendor(account_type=choice("customer"))
    here = world(tmp_path, profile, source)
    acme = here.company(domain="acme.com", lifecycle="", **GOOD)
    here.company("Known", domain="known.com", lifecycle="prospect", **GOOD)
    here.backfill()
    assert source.asked == ["acme.com"], "of the other it is known already"
    assert here.live(acme)["tier"] == "Not ICP"
