"""Entries to the domain's `Profile`: names, weights, flags, tiers, pools, routes, and how they hang together.

Every rule that `icp_sync.domain.profile` states is checked here, and every breach is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from icp_sync.domain.conditions import AllOf, AnyOf, Condition, at_level, leaves
from icp_sync.domain.facts import LEVELS, FactType
from icp_sync.domain.populations import PERSON
from icp_sync.domain.profile import (
    LAYERS,
    TIERS,
    Criterion,
    Effect,
    Flag,
    NamedList,
    Profile,
    TimingSignal,
)
from icp_sync.domain.standing import STATES
from icp_sync.normalize.domains import registrable
from icp_sync.profile_file import values
from icp_sync.profile_file.entries import entry, listed, named, unknown_key
from icp_sync.profile_file.learned import build_learned
from icp_sync.profile_file.names import check_name, check_weight, unique
from icp_sync.profile_file.questions import Language, Place, condition
from icp_sync.profile_file.reach import check_reach
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.routes import build_pools, build_routes
from icp_sync.profile_file.schema import (
    CriterionEntry,
    FlagEntry,
    ProfileEntry,
    Question,
    ReviewEntry,
    ScopeEntry,
    TimingEntry,
)
from icp_sync.profile_file.tiers import build_grades, build_tiers

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def build(data: Any, types: Mapping[str, FactType], report: Report) -> Profile | None:
    """The profile, or None where what is left after the problems makes none. Problems go to `report`."""
    if not isinstance(data, dict):
        report.value((), "a profile is a mapping of keys to values", "start with `profile: <name>`")
        return None
    _check_keys(data, report)
    before = len(report.problems)
    currency = _currency(data.get("currency"), report)
    lang = Language(report=report, types=types, currency=currency)
    scope = entry(ScopeEntry, data.get("scope", {}), ("scope",), report) or ScopeEntry()
    judged = Profile(
        name=_profile_name(data.get("profile"), report),
        currency=currency,
        criteria=_criteria(data.get("criteria"), lang),
        score_scope=_scope(scope, "score", lang),
        flags=_flags(data.get("flags", []), lang),
        tiers=build_tiers(data.get("tiers", {}), report),
    )
    if judged.criteria and len(report.problems) == before:
        check_reach(judged, types, report)
    pools = build_pools(data.get("pools", {}), report)
    named: dict[str, NamedList] = {}
    routes = build_routes(data.get("routes", []), pools, named, lang)
    review = entry(ReviewEntry, data.get("review", {}), ("review",), report) or ReviewEntry()
    return replace(
        judged,
        route_scope=_scope(scope, "route", lang),
        timing=_timing(data.get("timing", []), lang),
        timing_grades=build_grades(data.get("timing_grades", {}), report),
        routes=routes,
        pools={name: pool for name, pool in pools.items() if pool is not None},
        named=named,
        people=_names_people(judged.score_scope),
        review_minor=_review(review, "minor", report),
        review_full=_review(review, "full", report),
        examples=_examples(data.get("examples", {}), report),
        learned=build_learned(data.get("learned"), report),
    )


def _check_keys(data: Mapping[str | int, Any], report: Report) -> None:
    for key in data:
        if key not in ProfileEntry.model_fields:
            unknown_key(key, (key,), ProfileEntry, report)
    for key in ("profile", "currency", "criteria"):
        if key not in data and (key,) not in report.keys:
            report.absent((), f"'{key}' is missing")


def _profile_name(raw: Any, report: Report) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str) or not NAME.fullmatch(raw):
        what = f"{values.shown(raw)} is no name for a profile"
        report.value(("profile",), what, "lower-case letters, digits and dashes, at most 64")
    return str(raw)


def _currency(raw: Any, report: Report) -> str:
    """The currency, or "" when there is none to compare thresholds with."""
    if raw is None:
        return ""
    if isinstance(raw, str) and _CURRENCY.fullmatch(raw):
        return raw
    report.value(("currency",), f"{values.shown(raw)} is not a currency", "an ISO 4217 code, for example USD")
    return ""


def _review(review: ReviewEntry, which: str, report: Report) -> str:
    raw = getattr(review, which)
    try:
        return "" if raw is None else values.iso_date(raw)
    except ValueError as error:
        report.value(("review", which), str(error))
        return ""


def _scope(scope: ScopeEntry, which: str, lang: Language) -> Condition | None:
    asked = getattr(scope, which)
    return None if asked is None else condition(asked, ("scope", which), Place.SCOPE, lang)


def _names_people(scope: Condition | None) -> bool:
    """Whether a scope asks for person accounts by name."""
    asked = leaves(scope) if scope is not None else ()
    return any(
        isinstance(leaf, AnyOf | AllOf) and leaf.fact == "population" and PERSON in leaf.values
        for leaf in asked
    )


def question(
    asked: CriterionEntry | TimingEntry, path: Path, place: Place, lang: Language
) -> Condition | None:
    """The condition of an entry that writes it inline or under `when`."""
    if asked.when is None:
        return condition(asked, path, place, lang)
    inline = asked.model_fields_set & _INLINE
    if inline:
        key = min(inline, key=lambda name: lang.report.keys.get((*path, name), (0, 0)))
        lang.report.key((*path, key), f"'{key}' stands beside 'when'", "move it inside, or drop `when`")
    return condition(asked.when, (*path, "when"), place, lang)


_INLINE = Question.model_fields.keys()


def _criteria(data: Any, lang: Language) -> tuple[Criterion, ...]:
    report, path = lang.report, ("criteria",)
    if data is None:
        return ()
    if data == []:
        report.value(path, "'criteria' is empty", "a profile asks at least one question")
    seen: dict[str, Path] = {}
    built = []
    weighted = broken = False
    for at, asked in listed(CriterionEntry, data, path, report):
        check_name(asked.name, (*at, "name"), report)
        unique(asked.name, seen, (*at, "name"), "criterion", report)
        if asked.layer not in LAYERS:
            what = f"unknown layer '{asked.layer}'"
            report.value(
                (*at, "layer"), what, suggestion(asked.layer, LAYERS) or f"one of {', '.join(LAYERS)}"
            )
        weighted = weighted or not asked.required
        place = Place.GATE if asked.required else Place.CRITERION
        when = question(asked, at, place, lang)
        unknown = _check_weight(asked, at, report)
        level = _level(asked.level, (*at, "level"), report)
        if when is None:
            continue
        when = at_level(when, level) if level else when
        built.append(
            Criterion(
                name=asked.name,
                layer=asked.layer,
                when=when,
                weight=0.0 if asked.required else asked.weight or 0.0,
                required=asked.required,
                unknown=unknown,
            )
        )
    broken = isinstance(data, list) and len(data) > len(seen)
    if seen and not weighted and not broken:
        report.value(path, "no criterion has a weight: gates alone give no score", "weigh at least one")
    return tuple(built)


def _level(raw: str | None, at: Path, report: Report) -> str:
    """Whose facts a criterion asks about, "" for the account's own."""
    if raw in (None, "self"):
        return ""
    if raw not in LEVELS:
        near = suggestion(raw, ("self", *LEVELS)) or "self, parent or group"
        report.value(at, f"unknown level '{raw}'", near)
        return ""
    return raw


def _check_weight(asked: CriterionEntry, at: Path, report: Report) -> float:
    """Weight and `unknown` of a criterion against whether it is a gate. Returns the unknown share."""
    if asked.required:
        for key in ("weight", "unknown"):
            if getattr(asked, key) is not None:
                report.key((*at, key), f"a gate carries no {key}", f"drop '{key}', or drop 'required'")
        return 0.5
    if asked.weight is None:
        hint = "give it one, or make it `required: true`"
        report.absent(at, f"'{asked.name}' has no weight", hint, beside="name")
    else:
        check_weight(asked.weight, (*at, "weight"), report)
    try:
        return 0.5 if asked.unknown is None else values.share(asked.unknown)
    except ValueError as error:
        report.value((*at, "unknown"), str(error))
        return 0.5


def _timing(data: Any, lang: Language) -> tuple[TimingSignal, ...]:
    seen: dict[str, Path] = {}
    built = []
    for at, asked in listed(TimingEntry, data, ("timing",), lang.report):
        check_name(asked.name, (*at, "name"), lang.report)
        unique(asked.name, seen, (*at, "name"), "timing signal", lang.report)
        check_weight(asked.weight, (*at, "weight"), lang.report)
        when = question(asked, at, Place.TIMING, lang)
        if when is not None:
            built.append(TimingSignal(name=asked.name, when=when, weight=asked.weight))
    return tuple(built)


def _flags(data: Any, lang: Language) -> tuple[Flag, ...]:
    seen: dict[str, Path] = {}
    built = []
    for at, asked in listed(FlagEntry, data, ("flags",), lang.report):
        check_name(asked.name, (*at, "name"), lang.report)
        unique(asked.name, seen, (*at, "name"), "flag", lang.report)
        effect = _effect(asked.effect, (*at, "effect"), lang.report)
        when = condition(asked.when, (*at, "when"), Place.FLAG, lang)
        if when is not None and effect is not None:
            built.append(Flag(name=asked.name, when=when, effect=effect[0], cap=effect[1]))
    return tuple(built)


def _effect(raw: Any, at: Path, report: Report) -> tuple[Effect, str] | None:
    """Effect and cap of a flag."""
    if raw in ("exclude", "mark"):
        return Effect(raw), ""
    if isinstance(raw, dict) and list(raw) == ["cap"]:
        if raw["cap"] in TIERS:
            return Effect.CAP, raw["cap"]
        what = f"a cap at the unknown tier {values.shown(raw['cap'])}"
        report.value((*at, "cap"), what, f"one of {', '.join(TIERS)}")
        return None
    near = suggestion(raw, ("exclude", "mark", "cap")) if isinstance(raw, str) else ""
    report.value(at, "no effect a flag can have", near or "exclude, mark, or {cap: C}")
    return None


def _examples(data: Any, report: Report) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, at, state in named(data, ("examples",), report):
        domain = registrable(name)
        if not domain:
            report.key(at, f"'{name}' is not a company's domain", "for example acme.com")
        elif domain in found:
            report.key(at, f"'{domain}' is an example twice", "keep one")
        if state not in STATES:
            near = suggestion(str(state), STATES) or f"one of {', '.join(STATES)}"
            report.value(at, f"{values.shown(state)} is neither a tier nor a state", near)
        elif domain:
            found.setdefault(domain, state)
    return found
