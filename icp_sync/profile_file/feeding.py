"""Which sources can feed the facts a profile asks for, said in comments beside its questions.

Lines that begin with `#:` in a profile are written here, so that they can be written again for another
CRM and held against the truth. Knows facts maps; asks no CRM and no enricher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from icp_sync.domain.conditions import Condition, facts_of
from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.profile import Effect, Profile
from icp_sync.domain.supply import answerable, evaluable
from icp_sync.normalize.facts_map import FactSource

MARK = "#:"

_DERIVED: Mapping[str, tuple[str, ...]] = {
    "population": ("lifecycle", "account_type"),
    "sector": ("industry",),
}
"""Facts that are made of others: a population of what the CRM says, a sector of an industry."""

_SECTION = re.compile(r"(criteria|timing|flags):")
_ITEM = re.compile(r"  - ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What can feed facts without any work: a CRM's standard fields, and the enrichers that are shipped.

    fields: fact → names of the fields, the one that wins first. enrichers: name → facts, in order; one
    that takes whatever it is given, as a file does, belongs into `anything` instead.
    """

    crm: str
    fields: Mapping[str, tuple[str, ...]]
    enrichers: Mapping[str, Set[str]]
    anything: tuple[str, ...] = ("csv",)

    @classmethod
    def of(cls, crm: str, sources: Iterable[FactSource], enrichers: Mapping[str, Set[str]]) -> Supply:
        """From a CRM's default facts map; a sector comes with an industry, a population is derived."""
        fields: dict[str, list[str]] = {}
        for source in sorted(sources, key=lambda source: source.rank):
            fields.setdefault(source.fact, []).append(source.property)
        standard = {fact: tuple(names) for fact, names in with_derived(fields).items()}
        return cls(crm=crm, fields=standard, enrichers=enrichers)

    def bringing(self, facts: Iterable[str]) -> tuple[str, ...]:
        """Enrichers that bring one of these facts, those that take anything left out."""
        wanted = set(facts)
        return tuple(name for name, brings in self.enrichers.items() if wanted & set(brings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A fact no standard field feeds: how much of the score hangs on it, and what else asks for it.

    share: of the weight, 0 to 1. flags: those that decide something, so that not knowing it keeps a tier
    provisional; gates likewise.
    """

    fact: str
    share: float
    gates: int
    flags: int
    timing: int


def with_derived(sources: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Fact → names of its sources, those of what it is made of where it has none of its own."""
    found = dict(sources)
    for fact, parts in _DERIVED.items():
        if not found.get(fact) and (named := [name for part in parts for name in sources.get(part, ())]):
            found[fact] = named
    return found


def lacking(profile: Profile, supplied: Set[str]) -> tuple[Lacking, ...]:
    """Every fact asked for and not supplied, what costs most of the score first."""
    total = sum(criterion.weight for criterion in profile.criteria) or 1.0
    open_criteria = [c for c in profile.criteria if not answerable(c.when, supplied)]
    deciding = [f for f in profile.flags if f.effect is not Effect.MARK]
    asked = [c.when for c in open_criteria] + [f.when for f in deciding] + [t.when for t in profile.timing]
    facts = dict.fromkeys(fact for when in asked for fact in facts_of(when) if fact not in supplied)

    def times(conditions: Iterable[Condition], fact: str) -> int:
        return sum(fact in facts_of(when) for when in conditions)

    found = [
        Lacking(
            fact=fact,
            share=sum(c.weight for c in open_criteria if fact in facts_of(c.when)) / total,
            gates=times((c.when for c in open_criteria if c.required), fact),
            flags=times((f.when for f in deciding), fact),
            timing=times((t.when for t in profile.timing), fact),
        )
        for fact in facts
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, -one.gates, -one.flags, one.fact)))


def annotated(text: str, profile: Profile, supply: Supply, *, connection: str = "main") -> str:
    """A profile's text with every `#:` line written anew: an overview above `profile:`, and above each
    criterion, timing signal and flag what can feed it.

    The text is in the shipped profiles' layout: items of a section begin with two blanks and a dash.
    """
    questions = {
        "criteria": iter([c.when for c in profile.criteria]),
        "timing": iter([t.when for t in profile.timing]),
        "flags": iter([f.when for f in profile.flags]),
    }
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        if line.lstrip().startswith(MARK):
            continue
        if line.startswith("profile:"):
            lines += [*overview(profile, supply, connection=connection), ""]
        if line[:1].isalpha():
            found = _SECTION.match(line)
            section = found[1] if found else ""
        elif section and _ITEM.match(line):
            lines += [f"  {MARK} {said}" for said in feeding(next(questions[section]), supply)]
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def feeding(condition: Condition, supply: Supply) -> list[str]:
    """What can feed the facts of one question, a line each fact."""
    facts = facts_of(condition)
    several = len(facts) > 1
    return [(f"{fact} " if several else "") + f"from {_from(fact, supply)}" for fact in facts]


def _from(fact: str, supply: Supply) -> str:
    fields = supply.fields.get(fact, ())
    enrichers = [*supply.bringing((fact,)), *supply.anything]
    if fields:
        return f"{supply.crm} {', '.join(fields)}; or {', '.join(enrichers)}"
    if len(enrichers) > len(supply.anything):
        return f"{', '.join(enrichers)}, or a field you add"
    return f"a field you add, or {', '.join(enrichers)}"


def overview(profile: Profile, supply: Supply, *, connection: str = "main") -> list[str]:
    """How much of a profile can be known here, and which fields to add with the lines that map them."""
    standard = set(supply.fields)
    share, least = evaluable(profile, standard), profile.tiers.min_coverage
    said = [
        f"{supply.crm}'s standard fields can tell {share:.0%} of the weight{_with_more(profile, supply)}."
    ]
    missing = lacking(profile, standard)
    if share < least:
        said.append(f"That is below {least:.0%}: accounts stay at Needs data until some of these come:")
    elif missing:
        said.append("The rest needs a source, or fields you add:")
    width = max((len(one.fact) for one in missing), default=0)
    said += [f"  {one.fact:{width}}  {_matters(one)}" for one in missing]
    said += _to_add(
        [one.fact for one in missing if not supply.bringing((one.fact,))], profile, connection, supply.crm
    )
    return [f"{MARK} {line}".rstrip() for line in said]


def _to_add(facts: Sequence[str], profile: Profile, connection: str, crm: str) -> list[str]:
    """How facts nothing brings come in: lines to paste."""
    if not facts:
        return []
    said = ["A field becomes a fact by these lines in config/icp-sync.toml, with the field's own name:"]
    for fact in facts:
        said += [f"  {line}" for line in mapping(fact, connection, currency=profile.currency, crm=crm)]
    if any(CATALOGUE.get(fact) is FactType.SET for fact in facts):
        said.append(
            "(complete: what the field does not list is not so. Leave it out where that is not sure.)"
        )
    return said


def _with_more(profile: Profile, supply: Supply) -> str:
    """What the enrichers add that bring facts no standard field brings."""
    standard = set(supply.fields)
    lacked = {one.fact for one in lacking(profile, standard)}
    names = supply.bringing(lacked)
    more = evaluable(profile, standard.union(*(supply.enrichers[name] for name in names)))
    gained = more > evaluable(profile, standard)
    return f", with the enricher {' and '.join(names)} {more:.0%}" if gained else ""


def _matters(one: Lacking) -> str:
    parts = [f"{one.share:.0%} of the weight"] if one.share else []
    parts += [f"{one.timing} timing signal{'s' if one.timing > 1 else ''}"] if one.timing else []
    if one.gates or one.flags:
        parts.append(f"{_kinds(one)} a tier provisional until it is known")
    return ", ".join(parts)


def _kinds(one: Lacking) -> str:
    counted = [
        f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((one.gates, "gate"), (one.flags, "flag")) if n
    ]
    return f"{' and '.join(counted)} that {'keep' if one.gates + one.flags > 1 else 'keeps'}"


def mapping(fact: str, connection: str, *, currency: str, crm: str = "") -> list[str]:
    """The settings' lines that map a property of yours to a fact of the catalogue. crm: Salesforce names its
    own fields otherwise."""
    kind = CATALOGUE.get(fact)
    own = fact if crm != "Salesforce" else "_".join(word.capitalize() for word in fact.split("_")) + "__c"
    lines = [f"[[connections.{connection}.facts]]", f'property = "{own}"', f'fact = "{fact}"']
    if kind is FactType.MONEY:
        lines.append(f'currency = "{currency}"')
    if kind is FactType.SET:
        lines.append("complete = true")
    return lines
