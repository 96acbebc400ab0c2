"""What is wrong between a facts map and the CRM it reads: each entry against the fields and their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

from icp_sync.cli.check.examination import ERROR, WARNING, Examination
from icp_sync.cli.facts.fields import Measured, measured, shown
from icp_sync.cli.facts.proposals import can_give
from icp_sync.domain.facts import Money
from icp_sync.errors import AuthError, IcpSyncError, Problem
from icp_sync.normalize.facts_config import suggestion
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind
from icp_sync.ports import CrmField, FieldKind
from icp_sync.reporting.text import counted

if TYPE_CHECKING:
    from icp_sync.domain.profile import Profile
    from icp_sync.wiring import Wired

AREA = "facts map"
DISCOVER = "icp-sync facts discover"
EXAMPLES = 3
MANY = 0.2
FEWEST = 5
"""Values of which none can be read, that make an entry wrong and not merely untidy."""

DERIVED: Mapping[str, tuple[str, ...]] = {
    "population": ("lifecycle", "account_type", "won_deals"),
    "sector": ("industry",),
}
"""Facts that follow from others: one of these is enough."""


def examined(parts: Wired, limit: int) -> Examination:
    """Look at every entry. Raises what the CRM raises when its fields cannot be read at all."""
    found = Examination(connection=parts.name)
    fields = parts.crm.fields()
    identity = parts.crm.identity()
    properties = [source.property for source in parts.facts_map.sources]
    rows = list(parts.crm.sample(properties, limit))
    found.passed["CRM"] = f"{counted(len(fields), 'field')}, {counted(len(rows), 'account')} sampled"
    by_name = {field.name: field for field in reversed(fields)}
    values = {one.field.name: one for one in measured((by_name[p] for p in properties if p in by_name), rows)}
    stated = {str(entry.get("property")) for entry in parts.settings.facts}
    written = set(parts.settings.field_properties.values())
    for source in parts.facts_map.sources:
        severity = ERROR if source.property in stated else WARNING
        where = f"{source.property} → {source.fact}"
        field = by_name.get(source.property)
        wrong = _absent(source, field, by_name) or _unfit(source, field, written)
        if wrong:
            found.add(severity, AREA, [Problem(where=where, what=wrong[0], hint=wrong[1])])
        else:
            _values(found, severity, where, source, values[source.property], identity.currency)
    _unfed(found, parts, values)
    _contacts(found, parts)
    if not found.errors:
        found.passed[AREA] = counted(len(parts.facts_map.sources), "entry", "entries")
    return found


def inputs(found: Examination, parts: Wired, fields: Sequence[CrmField]) -> None:
    """Note the fields somebody stated that are not there, and the facts a profile asks for in vain."""
    by_name = {field.name: field for field in fields if not field.archived}
    stated = {str(entry.get("property")) for entry in parts.settings.facts}
    for source in parts.facts_map.sources:
        if source.property in stated and (wrong := _absent(source, by_name.get(source.property), by_name)):
            where = f"{source.property} → {source.fact}"
            found.add(ERROR, AREA, [Problem(where=where, what=wrong[0], hint=wrong[1])])
    mapped = {source.fact for source in parts.facts_map.sources}
    _unfed(found, parts, by_name, mapped)  # what no source is mapped to, the advice on the profile says


def _absent(
    source: FactSource, field: CrmField | None, fields: Mapping[str, CrmField]
) -> tuple[str, str] | None:
    """Why there is nothing to read, and what helps."""
    if field is not None:
        return ("the field is archived", "restore it, or map another one") if field.archived else None
    near = suggestion(source.property, [name for name, f in fields.items() if not f.archived])
    if not near:
        labels = {f.label.lower(): f.name for f in fields.values() if f.label and not f.archived}
        said = source.property.replace("_", " ").lower()
        near = f"did you mean '{labels[said]}'?" if said in labels else ""
    what = "the CRM has no such field, or does not show it to us"
    return what, near or DISCOVER


def _unfit(source: FactSource, field: CrmField | None, written: set[str]) -> tuple[str, str] | None:
    """Why this field cannot give what the entry says it gives."""
    if field is None:
        return None
    if source.property in written:
        return "we write this field ourselves: it would feed on its own result", "map another field"
    if not can_give(field.kind, source.kind):
        several = field.kind is FieldKind.CHOICES
        hint = "kind: set, for a fact that is a set" if several else "map another field, or another kind"
        return f"a field of type {field.type} cannot be read as {source.kind}", hint
    unknown = [raw for raw in source.values if field.options and raw not in _lower(field.options)]
    if unknown and len(unknown) == len(source.values):
        listed = ", ".join(unknown[:EXAMPLES])
        return f"none of its values is an option of the field: {listed}", f"options: {_some(field.options)}"
    return None


def _lower(options: Sequence[str]) -> set[str]:
    return {option.lower() for option in options}


def _some(options: Sequence[str]) -> str:
    return ", ".join(options[:8]) + ("…" if len(options) > 8 else "")


def _values(
    found: Examination, severity: str, where: str, source: FactSource, one: Measured, currency: str
) -> None:
    """What the sampled values say of an entry."""
    if not one.there:
        what = "no account names this field: it may be sensitive, and this token may not read it"
        found.add(severity, AREA, [Problem(where=where, what=what, hint="check the token's scopes")])
        return
    read = FactsMap((source,))
    unread: list[str] = []
    bare = 0
    for text in one.texts:
        signals, wrong = read.read({source.property: text}, observed_at=0.0, account_currency=currency)
        unread += [text] if wrong else []
        bare += any(isinstance(s.value, Money) and not s.value.currency for s in signals)
    if unread:
        examples = "; ".join(dict.fromkeys(shown(text, one.field) for text in unread[: 10 * EXAMPLES]))
        listed = "; ".join(examples.split("; ")[:EXAMPLES])
        what = f"{len(unread):,} of {len(one.texts):,} values cannot be read: {listed}"
        many = len(unread) >= MANY * len(one.texts)
        hint = f"they count as unknown; another kind than {source.kind}?" if many else "they count as unknown"
        none = len(unread) == len(one.texts) >= FEWEST
        found.add(severity if none else WARNING, AREA, [Problem(where=where, what=what, hint=hint)])
    if source.kind is Kind.MONEY and (bare or (source.currency == "account" and not currency)):
        what = (
            "the CRM does not say which currency its amounts are in"
            if source.currency == "account"
            else f"{bare:,} of {len(one.texts):,} amounts have no currency: near a threshold they are unknown"
        )
        hint = 'currency = "account", or a code such as "USD"'
        found.add(WARNING, AREA, [Problem(where=where, what=what, hint=hint)])


def _unfed(
    found: Examination, parts: Wired, values: Mapping[str, object], only: Set[str] | None = None
) -> None:
    """Facts the profile files ask for that nothing feeds here; `only`: of these facts."""
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import sources_of

    loaded = found.attempt(
        "profile",
        lambda: load_all(parts.settings.profiles, types=parts.types),
        lambda all_: ", ".join(one.profile.name for one in all_),
    )
    sources = {
        fact: [name for name in names if not name.startswith("crm:") or name[4:] in values]
        for fact, names in sources_of(parts).items()
    }
    fed = {fact for fact, names in sources.items() if names}
    fed |= {fact for fact, others in DERIVED.items() if fed & set(others)}
    for one in loaded or ():
        found.add(WARNING, AREA, _of_profile(one.profile, fed, only))


def _of_profile(profile: Profile, fed: set[str], only: Set[str] | None) -> Iterator[Problem]:
    asked: dict[str, list[str]] = {}
    for name, facts in _questions(profile):
        for fact in facts:
            asked.setdefault(fact.rpartition(".")[2], []).append(name)
    for fact, names in asked.items():
        if fact not in fed and (only is None or fact in only):
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            what = f"nothing feeds '{fact}', which {names[0]}{more} asks for"
            hint = f"{DISCOVER} --fields '*{fact.split('_')[0]}*', or an enricher that knows it"
            yield Problem(where=f"profile {profile.name}", what=what, hint=hint)


def _questions(profile: Profile) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each question of a profile by its name, with the facts it asks about."""
    from icp_sync.domain.conditions import facts_of

    for name, scope in (("the scope", profile.score_scope), ("the scope of routes", profile.route_scope)):
        if scope is not None:
            yield name, facts_of(scope)
    yield from ((f"'{c.name}'", facts_of(c.when)) for c in profile.criteria)
    yield from ((f"'{f.name}'", facts_of(f.when)) for f in profile.flags)
    yield from ((f"'{t.name}'", facts_of(t.when)) for t in profile.timing)
    yield from (("a route", facts_of(r.when)) for r in profile.routes if r.when is not None)


def _contacts(found: Examination, parts: Wired) -> None:
    """Whether an enricher that reads contacts may."""
    from icp_sync.enrichers.contacts import Contacts

    for enricher in parts.parts.enrichers:
        if not isinstance(enricher, Contacts):
            continue
        try:
            parts.crm.related(["0"], "contacts")
        except AuthError as error:
            problem = Problem(where=f"enricher {enricher.name}", what=str(error), hint=error.next_step)
            found.add(ERROR, "contacts", [problem])
        except IcpSyncError as error:
            problem = Problem(where=f"enricher {enricher.name}", what=str(error), hint="try again later")
            found.add(WARNING, "contacts", [problem])
        else:
            found.passed["contacts"] = "may be read"
