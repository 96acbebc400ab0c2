"""Which fact an unmapped field could feed: by its name and label, its type, its options and its values.

A proposal is made only where the values bear it out; a person pastes it or does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.cli.facts.fields import Measured
from icp_sync.normalize.facts_config import kind_of
from icp_sync.normalize.facts_map import FactSource
from icp_sync.normalize.kinds import Kind, parser
from icp_sync.ports import CrmField, FieldKind

BORNE_OUT = 0.8
"""Share of the values that must be readable as the fact."""

TELLING = 5
"""Different values that tell a fact by themselves, where no name does."""

MOST_PARSED = 200

WORDS: Mapping[str, tuple[str, ...]] = {
    "employees": ("employees", "employee count", "headcount", "head count", "staff", "workforce", "ftes",
                  "fte", "company size", "team size", "mitarbeiter", "mitarbeiterzahl", "effectif",
                  "empleados"),
    "revenue": ("revenue", "turnover", "umsatz", "annual sales", "arr", "chiffre d affaires", "ingresos"),
    "country": ("country", "land", "pays", "pais"),
    "industry": ("industry", "vertical", "branche", "industrie", "secteur"),
    "domain": ("website", "domain", "homepage", "web site"),
    "founded": ("founded", "founding year", "incorporated", "established", "year started"),
    "technologies": ("technologies", "technology", "tech stack", "stack", "tools", "software used"),
    "business_model": ("business model", "b2b b2c"),
    "funding_stage": ("funding stage", "funding round", "round type", "last round"),
    "funding_total": ("total funding", "money raised", "capital raised", "funding amount", "total raised"),
    "last_funding_date": ("last funding date", "funding date", "last round date"),
    "open_roles": ("open roles", "open positions", "job openings", "hiring for"),
    "web_visits": ("web visits", "monthly visits", "site visits", "web traffic", "monthly traffic"),
    "ownership": ("ownership", "public or private"),
    "residency": ("data residency", "residency"),
    "keywords": ("keywords",),
    "won_deals": ("won deals", "closed won deals"),
}  # fmt: skip
"""Fact → words in a name or label that suggest it. More than `tables.names` is sure of, so values decide."""

NOT_ABOUT_IT = frozenset(
    (
        "deal", "deals", "growth", "owner", "email", "phone", "percent", "pct", "score", "rank", "target",
        "goal", "linkedin", "facebook", "twitter", "instagram", "previous", "competitor", "forecast",
        "last year", "total revenue", "id", "url slug", "count of", "lost", "currency", "comment", "notes",
    )
)  # fmt: skip
"""Words that make something else of such a name."""

_ALLOWED: Mapping[FieldKind, frozenset[Kind]] = {
    FieldKind.NUMBER: frozenset((Kind.NUMBER, Kind.MONEY, Kind.DATE, Kind.CHOICE, Kind.TEXT, Kind.YES_NO)),
    FieldKind.MONEY: frozenset((Kind.MONEY, Kind.NUMBER)),
    FieldKind.DATE: frozenset((Kind.DATE,)),
    FieldKind.YES_NO: frozenset((Kind.YES_NO, Kind.CHOICE, Kind.TEXT, Kind.SET)),
    FieldKind.CHOICES: frozenset((Kind.SET,)),
    FieldKind.OTHER: frozenset((Kind.TEXT, Kind.CHOICE)),
}


def can_give(field: FieldKind, kind: Kind) -> bool:
    """Whether a field of this type can hold what is read as this kind. Text and choices can hold anything."""
    return field in (FieldKind.TEXT, FieldKind.CHOICE) or kind in _ALLOWED[field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An entry for the facts map, and why. readable: share of the sampled values, None without any."""

    source: FactSource
    why: str
    readable: float | None

    def to_json(self) -> dict[str, object]:
        return {**dict(self._keys()), "why": self.why, "readable": self.readable}

    def toml(self, connection: str) -> str:
        """The lines to paste into the settings."""
        told = (
            self.why if self.readable is None else f"{self.why}; {self.readable:.0%} of its values readable"
        )
        lines = [f"[[connections.{connection}.facts]]  # {told}"]
        return "\n".join(
            [*lines, *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in self._keys())]
        )

    def _keys(self) -> Iterator[tuple[str, object]]:
        source = self.source
        yield "property", source.property
        yield "fact", source.fact
        if source.kind is Kind.MONEY:
            yield "currency", source.currency
        if source.kind is Kind.SET and source.separator != ";":
            yield "separator", source.separator
        if source.rank:
            yield "rank", source.rank


def propose(one: Measured, ranks: Mapping[str, int]) -> Proposal | None:
    """What a field that feeds nothing could feed. ranks: fact → the highest rank of what feeds it today."""
    field = one.field
    if field.archived or not one.there or field.kind is FieldKind.OTHER or (one.of and not one.texts):
        return None
    for fact, why in [*_by_name(field), *_by_values(one)]:
        source = _source(one, fact, ranks)
        if source is None:
            continue
        share = readable(source, one.texts)
        if share is None or share >= BORNE_OUT:
            return Proposal(source=source, why=why, readable=share)
    return None


def readable(source: FactSource, texts: Sequence[str]) -> float | None:
    """Share of these texts that a source can read; None without any that say something."""
    parse = parser(
        source.kind,
        source.fact,
        currency="",
        separator=source.separator,
        values=source.values,
        complete=source.complete,
    )
    read = [bool(found) for text in texts[:MOST_PARSED] if (found := parse(text, "")) is not None]
    return sum(read) / len(read) if read else None


def _by_name(field: CrmField) -> Iterator[tuple[str, str]]:
    """Facts a name or label suggests, the surest first."""
    from icp_sync.tables.names import ROLES, meaning

    for what, text in (("name", field.name), ("label", field.label)):
        found = meaning(text) if text else None
        if found and found[0] not in ROLES:
            yield found[0], f"by its {what}"
    for what, text in (("name", field.name), ("label", field.label)):
        said = f" {' '.join(_tokens(text))} "
        if any(f" {word} " in said for word in NOT_ABOUT_IT):
            continue
        for fact, phrases in WORDS.items():
            phrase = next((p for p in phrases if f" {p} " in said), None)
            if phrase is not None:
                yield fact, f"'{phrase}' in its {what}"


def _by_values(one: Measured) -> Iterator[tuple[str, str]]:
    """Facts whose vocabulary the options or values are."""
    if one.field.kind not in (FieldKind.TEXT, FieldKind.CHOICE):
        return
    different = list(dict.fromkeys(one.field.options or one.texts))[:MOST_PARSED]
    if len(different) < TELLING:
        return
    what = "options" if one.field.options else "values"
    for fact in ("country", "industry"):
        share = readable(FactSource(property=one.field.name, fact=fact, kind=_kind(fact)), different)
        if share is not None and share >= 0.9:
            yield fact, f"its {what} are {'countries' if fact == 'country' else 'industries'}"


def _source(one: Measured, fact: str, ranks: Mapping[str, int]) -> FactSource | None:
    """The entry for a fact, None where the field's type cannot give it."""
    kind = _kind(fact)
    field = one.field
    if not can_give(field.kind, kind) or (field.kind is FieldKind.YES_NO and kind is not Kind.YES_NO):
        return None
    return FactSource(
        property=field.name,
        fact=fact,
        kind=kind,
        currency="account" if kind is Kind.MONEY else "",
        rank=ranks[fact] + 1 if fact in ranks else 0,
        separator=(field.separator or _separator(one.texts)) if kind is Kind.SET else ";",
    )


def _kind(fact: str) -> Kind:
    return kind_of(fact) or Kind.TEXT


def _separator(texts: Sequence[str]) -> str:
    """What most of the values are split by."""
    return max((";", ",", "|", "\n"), key=lambda s: sum(s in text for text in texts))


def _tokens(text: str) -> list[str]:
    """ "annualRevenue__c" → annual, revenue."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [t for t in re.split(r"[\W_]+", parted.lower()) if t and t not in ("c", "hs", "custom")]


def ranks_of(sources: Iterable[FactSource]) -> dict[str, int]:
    """Fact → the highest rank of the sources that feed it."""
    ranks: dict[str, int] = {}
    for source in sources:
        ranks[source.fact] = max(source.rank, ranks.get(source.fact, 0))
    return ranks
