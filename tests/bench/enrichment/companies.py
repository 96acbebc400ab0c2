"""Five thousand companies with all their facts: 1,500 real ones, and 3,500 resampled from them, made smaller.

Real are industry, country, founding year, headcount and revenue of listed companies, as far as the list tells
them; `kind` says which companies are resampled. What no open list tells (technologies, open roles, keywords
…) is drawn, the same for the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log
from random import Random

from pytickersymbols import PyTickerSymbols

from icp_sync.domain.facts import FactValue, Interval, Members, Money, choice, number
from icp_sync.enrichers.public_companies import PublicCompanies
from icp_sync.normalize import domains
from icp_sync.ports import Hit, Request

REAL, RESAMPLED = 1_500, 3_500
BASIC = ("employees", "industry", "country", "revenue")
YEAR_2026 = 1_767_225_600.0
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """kind: "real" or "resampled". facts: the truth of it."""

    domain: str
    kind: str
    facts: Mapping[str, FactValue]


def companies(seed: int) -> list[Company]:
    """The companies of one seed, in the order of their domains."""
    draw = Random(seed)
    real = [(d, _completed(f, draw)) for d, f in draw.sample(_listed(), REAL)]
    made = [Company(domain=d, kind="real", facts=_furnished(dict(f), draw)) for d, f in real]
    for n in range(RESAMPLED):
        _, like = draw.choice(real)
        facts = _furnished(_smaller(like, draw), draw)
        made.append(Company(domain=f"resampled-{n}.example", kind="resampled", facts=facts))
    return sorted(made, key=lambda one: one.domain)


@cache
def _listed() -> Sequence[tuple[str, Mapping[str, FactValue]]]:
    """Domain and facts of the listed companies that have a domain of their own."""
    source = PublicCompanies()
    sites = {
        domains.registrable(word)
        for stock in PyTickerSymbols().get_all_stocks()
        for word in str((stock.get("metadata") or {}).get("website") or "").split()
    }
    asked = [Request(account_id=site, domain=site) for site in sorted(sites - {""})]
    found = []
    for request, answer in zip(asked, source.answer(asked), strict=True):
        if isinstance(answer, Hit):
            facts = {s.fact: s.value for s in answer.signals}
            found.append((request.domain, facts))
    return found


def _completed(facts: Mapping[str, FactValue], draw: Random) -> Mapping[str, FactValue]:
    """With what the list does not tell of this company taken from others."""
    told = dict(facts)
    for fact in BASIC:
        while fact not in told:
            _, other = draw.choice(_listed())
            also = ("sector",) if fact == "industry" else ()
            told |= {name: other[name] for name in (fact, *also) if name in other and name not in told}
    return told


def _smaller(like: Mapping[str, FactValue], draw: Random) -> dict[str, FactValue]:
    """A company of the same kind with the headcount of an ordinary CRM account: half have fewer than 110."""
    facts = dict(like)
    size = max(1.0, round(exp(draw.gauss(log(110), 1.4))))
    each = draw.uniform(80e3, 400e3)
    facts["employees"] = number(size)
    facts["revenue"] = Money(round(size * each), round(size * each), "USD")
    year = float(draw.randint(1975, 2022))
    facts["founded"] = _year(year)
    facts.pop("ownership", None)
    return facts


def _year(year: float) -> Interval:
    return Interval(YEAR_2026 - (2026 - year) * 365.25 * DAY, YEAR_2026 - (2025 - year) * 365.25 * DAY - 1)


def _furnished(facts: dict[str, FactValue], draw: Random) -> dict[str, FactValue]:
    """With the facts no open list tells."""
    size = facts["employees"].low if isinstance(facts["employees"], Interval) else 0.0
    maker = _is(facts.get("sector"), "31-33")
    techs = {"google analytics", "wordpress"} if draw.random() < 0.6 else {"google tag manager"}
    crm = draw.random()
    techs |= {"hubspot"} if crm < 0.25 else {"salesforce"} if crm < (0.60 if size > 200 else 0.42) else set()
    techs |= {tool for tool in ("outreach", "salesloft", "apollo") if draw.random() < 0.08}
    techs |= {tool for tool in ("sap", "sage", "infor") if draw.random() < (0.25 if maker else 0.08)}
    roles = {role for role in ("sdr", "account executive", "plant manager") if draw.random() < 0.15}
    words = {w for w in ("integrations", "onboarding", "compliance", "maintenance") if draw.random() < 0.2}
    facts["technologies"] = Members(frozenset(techs), True)
    facts["open_roles"] = Members(frozenset(roles | {"engineer"}), True)
    facts["keywords"] = Members(frozenset(words | {"quality"}), True)
    facts["children"] = number(float(draw.random() < 0.3))
    facts["last_funding_date"] = number(YEAR_2026 - draw.randint(1, 2_000) * DAY)
    facts["business_model"] = Members(frozenset({"b2b"} if draw.random() < 0.8 else {"b2c", "agency"}), True)
    facts["residency"] = Members(frozenset({"eu-only"} if draw.random() < 0.05 else {"any"}), True)
    buyer = choice("founder" if draw.random() < 0.5 else "cfo")
    facts["contact_titles"] = Members(buyer.known, False)
    return facts


def _is(value: FactValue | None, member: str) -> bool:
    return isinstance(value, Members) and member in value.known
