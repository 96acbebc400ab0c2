"""Entries to conditions of the domain: operators, values and vocabularies, checked against the fact's type.

Says everything that is wrong with a condition and returns None for it; knows nothing of criteria or tiers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import TypeVar

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
    leaves,
)
from icp_sync.domain.facts import CATALOGUE, FactType, Interval
from icp_sync.profile_file import values, words
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.schema import ConditionEntry, Question

T = TypeVar("T")

_BOUNDS = ("between", "at_least", "at_most", "above", "below")
_LISTS = ("any_of", "none_of", "all_of")
OPERATORS = (*_BOUNDS, "equals", *_LISTS, "within", "known")
ALLOWED: Mapping[FactType, tuple[str, ...]] = {
    FactType.NUMBER: (*_BOUNDS, "equals", "known"),
    FactType.MONEY: (*_BOUNDS, "equals", "known"),
    FactType.DATE: (*_BOUNDS, "equals", "within", "known"),
    FactType.CHOICE: ("equals", "any_of", "none_of", "known"),
    FactType.SET: (*_LISTS, "known"),
    FactType.YES_NO: ("equals", "known"),
}
_KINDS: Mapping[FactType, str] = {
    FactType.NUMBER: "a number",
    FactType.MONEY: "an amount of money",
    FactType.DATE: "a date",
    FactType.CHOICE: "one value of a vocabulary",
    FactType.SET: "a set",
    FactType.YES_NO: "a yes or no",
}


class Place(StrEnum):
    """What a condition decides; not every question may stand everywhere."""

    SCOPE = "scope"
    GATE = "gate"
    CRITERION = "criterion"
    TIMING = "timing signal"
    FLAG = "flag"
    ROUTE = "route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What a profile may talk about: facts with their types, its currency, and where problems go."""

    report: Report
    types: Mapping[str, FactType]
    currency: str


def condition(entry: Question, path: Path, place: Place, lang: Language) -> Condition | None:
    """One entry as a condition, or None with its problems reported."""
    report = lang.report
    if not isinstance(entry, ConditionEntry):
        return _leaf(entry, path, place, lang)
    if entry.tier is not None:
        if place is Place.ROUTE:
            what, hint = "'tier' is too deep", "write it alone in `when`, or directly in its `all`"
        else:
            what, hint = f"a {place} cannot ask for the tier it helps to decide", "ask for facts"
        report.key((*path, "tier"), what, hint)
        return None
    joined = [k for k, v in (("all", entry.all), ("any", entry.any), ("not", entry.not_)) if v is not None]
    if not joined:
        return _leaf(entry, path, place, lang)
    if len(joined) > 1 or entry.model_fields_set - {"all", "any", "not_"}:
        report.value(path, f"'{joined[0]}' stands beside other keys", "combine them inside `all` or `any`")
        return None
    if entry.not_ is not None:
        part = condition(entry.not_, (*path, "not"), place, lang)
        if part is None:
            return None
        if place is Place.TIMING and any(isinstance(leaf, Within) for leaf in leaves(part)):
            report.key((*path, "not"), "'within' cannot stand under 'not' in a timing signal")
            return None
        return Not(part=part)
    name = joined[0]
    parts = [condition(e, (*path, name, i), place, lang) for i, e in enumerate(entry.all or entry.any or ())]
    known = tuple(p for p in parts if p is not None)
    if len(known) < len(parts):
        return None
    return All(parts=known) if name == "all" else Any(parts=known)


def _leaf(entry: Question, path: Path, place: Place, lang: Language) -> Condition | None:
    """A question about one fact."""
    report = lang.report
    used = [name for name in OPERATORS if getattr(entry, name) is not None]
    if entry.fact is None:
        what = "asks about no fact" if used else "holds no condition"
        other = "combine some with all, any, not" if isinstance(entry, ConditionEntry) else "use `when`"
        report.absent(path, f"this {place} {what}", f"name one, `fact: employees`, or {other}")
        return None
    kind = lang.types.get(entry.fact)
    if kind is None:
        hint = suggestion(entry.fact, lang.types) or "declare it under custom_facts in the settings"
        report.value((*path, "fact"), f"unknown fact '{entry.fact}'", hint)
        return None
    wrong = [name for name in used if name not in ALLOWED[kind]]
    for name in wrong:
        said = f"'{name}' cannot be asked of {entry.fact}, which is {_KINDS[kind]}"
        report.key((*path, name), said, f"use {_offered(kind, place)}")
    fine = _may_stand(entry, kind, path, place, lang) and not wrong
    if not used:
        report.absent(path, f"asks nothing about {entry.fact}", f"use {_offered(kind, place)}")
    if not used or not fine:
        return None
    if all(name in _BOUNDS for name in used):
        return _band(entry, kind, used, path, lang)
    if len(used) > 1:
        report.key((*path, used[1]), f"'{used[0]}' and '{used[1]}' together", "combine them with `all`")
        return None
    return _single(entry, kind, used[0], path, lang)


def _offered(kind: FactType, place: Place) -> str:
    """The operators somebody could use here, as a list for people."""
    anywhere = place in {Place.SCOPE, Place.ROUTE}
    return ", ".join(name for name in ALLOWED[kind] if anywhere or name != "known")


def _may_stand(entry: Question, kind: FactType, path: Path, place: Place, lang: Language) -> bool:
    """Whether taper, half_life and known are where they mean something."""
    report, before = lang.report, len(lang.report.problems)
    if entry.taper is not None:
        at = (*path, "taper")
        if place not in {Place.CRITERION, Place.TIMING}:
            report.key(at, f"a {place} has no taper: it holds or it does not")
        elif kind not in {FactType.NUMBER, FactType.MONEY} or not any(
            getattr(entry, name) is not None for name in _BOUNDS
        ):
            report.key(at, "'taper' belongs to a band of numbers or money", "use it with between or at_least")
    if entry.half_life is not None:
        at = (*path, "half_life")
        if place is not Place.TIMING:
            report.key(at, f"a {place} has no half_life: only timing decays")
        elif entry.within is None:
            report.key(at, "'half_life' belongs to 'within'")
    if entry.known is not None and place not in {Place.SCOPE, Place.ROUTE}:
        report.key((*path, "known"), f"a {place} cannot ask whether a fact is known: unknown is never bad")
    return len(report.problems) == before


def _single(entry: Question, kind: FactType, name: str, path: Path, lang: Language) -> Condition | None:
    """A leaf with exactly one operator that is no bound."""
    fact, at = entry.fact or "", (*path, name)
    raw = getattr(entry, name)
    if name == "known":
        return Present(fact=fact, known=raw)
    if name == "within":
        seconds = _value(values.duration, raw, at, lang.report)
        half = entry.half_life
        decay = 0.0 if half is None else _value(values.duration, half, (*path, "half_life"), lang.report)
        if seconds is None or decay is None:
            return None
        if seconds <= 0 or (half is not None and decay <= 0):
            lang.report.value(at, "a duration of nothing", "for example 180d")
            return None
        return Within(fact=fact, seconds=seconds, half_life=decay)
    if name == "equals" and kind in {FactType.NUMBER, FactType.MONEY, FactType.DATE}:
        bounds = _bound(raw, kind, fact, at, lang)
        money = kind is FactType.MONEY
        return Between(fact=fact, low=bounds.low, high=bounds.high, money=money) if bounds else None
    members = words.read([raw] if name == "equals" else raw, fact, kind, at, lang.report)
    if members is None:
        return None
    if name == "none_of":
        return NoneOf(fact=fact, values=members)
    return AllOf(fact=fact, values=members) if name == "all_of" else AnyOf(fact=fact, values=members)


def _band(entry: Question, kind: FactType, used: list[str], path: Path, lang: Language) -> Condition | None:
    """A leaf of bounds: `between`, or a lower and an upper one."""
    report, fact = lang.report, entry.fact or ""
    if len({{"above": "at_least", "below": "at_most"}.get(name, name) for name in used}) < len(used) or (
        "between" in used and len(used) > 1
    ):
        report.key((*path, used[1]), f"'{used[0]}' and '{used[1]}' state the same bound", "keep one")
        return None
    bounds: dict[str, Interval | None] = {}
    for name in used:
        raw, at = getattr(entry, name), (*path, name)
        if name == "between":
            bounds["at_least"] = _bound(raw[0], kind, fact, (*at, 0), lang)
            bounds["at_most"] = _bound(raw[1], kind, fact, (*at, 1), lang)
        else:
            bounds[name] = _bound(raw, kind, fact, at, lang)
    taper = 0.0 if entry.taper is None else _value(values.share, entry.taper, (*path, "taper"), report)
    found = {name: bound for name, bound in bounds.items() if bound is not None}
    if len(found) < len(bounds) or taper is None:
        return None
    band = Between(fact=fact, taper=taper, money=kind is FactType.MONEY)
    if low := found.get("at_least"):
        band = replace(band, low=low.low)
    if low := found.get("above"):
        band = replace(band, low=low.high, low_open=True)
    if high := found.get("at_most"):
        band = replace(band, high=high.high)
    if high := found.get("below"):
        band = replace(band, high=high.low, high_open=True)
    return _checked(band, (*path, used[0]), report)


def _checked(band: Between, at: Path, report: Report) -> Between | None:
    """A band some company can lie in."""
    if band.low > band.high:
        report.value(at, "the band is reversed: its lowest value is above its highest", "swap the two")
    elif band.low == band.high and (band.low_open or band.high_open):
        report.value(at, "the band is empty: nothing lies between its bounds")
    elif band.fact in CATALOGUE and CATALOGUE[band.fact] is not FactType.DATE and _below_zero(band):
        report.value(at, f"{band.fact} is never negative")
    else:
        return band
    return None


def _below_zero(band: Between) -> bool:
    return band.high < 0 or (band.high == 0 and band.high_open) or (-inf < band.low < 0)


def _bound(raw: object, kind: FactType, fact: str, at: Path, lang: Language) -> Interval | None:
    """A threshold as the interval it stands for: a point, or the days of a date."""
    if kind is FactType.DATE:
        return _value(values.instants, raw, at, lang.report)
    if kind is FactType.MONEY:
        amount = _value(lambda value: values.money(value, lang.currency), raw, at, lang.report)
    else:
        amount = _value(values.number, raw, at, lang.report)
    return None if amount is None else Interval(amount, amount)


def _value(read: Callable[[object], T], raw: object, at: Path, report: Report) -> T | None:
    try:
        return read(raw)
    except ValueError as error:
        report.value(at, str(error))
        return None
