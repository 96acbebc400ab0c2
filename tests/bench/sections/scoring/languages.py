"""One profile in the languages of other rule engines: an expression of its score in each.

Every criterion is a question about one fact; what is unknown shows its criterion's share, as it does with us.
Points are whole or halves, so that every engine's sum is exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between, NoneOf
from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.profile import Profile

Asked = tuple[Between | AnyOf | NoneOf, float, float]
"""A question, the points it gives and those it shows while nobody knows."""
INPUT = "a"
"""The name of the account in languages that need one."""


def asked(profile: Profile) -> Iterator[Asked]:
    weights = compile_profile(profile).weights
    for criterion, weight in zip(profile.criteria, weights, strict=True):
        assert isinstance(criterion.when, Between | AnyOf | NoneOf)
        yield criterion.when, round(weight, 9), round(weight * criterion.unknown, 9)


def bounds(leaf: Between) -> Iterator[tuple[str, float]]:
    """Its bounds, each with the sign between the value and it."""
    if leaf.low > -inf:
        yield (">" if leaf.low_open else ">="), leaf.low
    if leaf.high < inf:
        yield ("<" if leaf.high_open else "<="), leaf.high


def several(fact: str) -> bool:
    return CATALOGUE[fact] is FactType.SET


def json_logic(profile: Profile) -> Any:
    return {"+": [_json_term(*one) for one in asked(profile)]}


def _json_term(leaf: Between | AnyOf | NoneOf, points: float, shown: float) -> Any:
    value = {"var": leaf.fact}
    met: Any
    if isinstance(leaf, Between):
        sides: list[Any] = [{sign: [value, bound]} for sign, bound in bounds(leaf)]
        met = sides[0] if len(sides) == 1 else {"and": sides}
    elif several(leaf.fact):
        met = {"some": [value, {"in": [{"var": ""}, sorted(leaf.values)]}]}
    else:
        met = {"in": [value, sorted(leaf.values)]}
    yes, no = (0, points) if isinstance(leaf, NoneOf) else (points, 0)
    return {"if": [{"===": [value, None]}, shown, met, yes, no]}


def _texts(
    profile: Profile,
    *,
    value: Callable[[str], str],
    unknown: Callable[[str], str],
    some: str,
    both: str,
    choose: str,
) -> str:
    """A sum of choices. some: how a set is asked for a member among others."""
    terms = []
    for leaf, points, shown in asked(profile):
        held = value(leaf.fact)
        if isinstance(leaf, Between):
            met = both.join(f"{held} {sign} {bound:.1f}" for sign, bound in bounds(leaf))
        else:
            among = json.dumps(sorted(leaf.values))
            met = some.format(held=held, among=among) if several(leaf.fact) else f"{held} in {among}"
        yes, no = (0.0, points) if isinstance(leaf, NoneOf) else (points, 0.0)
        terms.append(choose.format(unknown=unknown(leaf.fact), shown=shown, met=met, yes=yes, no=no))
    return " + ".join(terms)


def cel(profile: Profile) -> str:
    return _texts(
        profile,
        value=lambda fact: f"{INPUT}.{fact}",
        unknown=lambda fact: f"!has({INPUT}.{fact})",
        some="{held}.exists(x, x in {among})",
        both=" && ",
        choose="({unknown} ? {shown} : ({met}) ? {yes} : {no})",
    )


def zen(profile: Profile) -> str:
    return _texts(
        profile,
        value=str,
        unknown=lambda fact: f"{fact} == null",
        some="some({held}, # in {among})",
        both=" and ",
        choose="({unknown} ? {shown} : ({met}) ? {yes} : {no})",
    )


def zen_graph(profile: Profile) -> str:
    """The same expression as the one node of a decision graph, as the product's editor makes them."""
    expression = {"id": "e1", "key": "score", "value": zen(profile)}
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "x", "name": "x", "type": "expressionNode", "content": {"expressions": [expression]}},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": f"{a}{b}", "sourceId": a, "targetId": b, "type": "edge"}
        for a, b in (("in", "x"), ("x", "out"))
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def rule_engine(profile: Profile) -> str:
    return _texts(
        profile,
        value=str,
        unknown=lambda fact: f"{fact} == null",
        some="([x for x in {held} if x in {among}].is_empty == false)",
        both=" and ",
        choose="({unknown} ? {shown} : (({met}) ? {yes} : {no}))",
    )


LANGUAGES: Mapping[str, Callable[[Profile], Any]] = {
    "json_logic": json_logic,
    "cel": cel,
    "zen": zen,
    "zen_graph": zen_graph,
    "rule_engine": rule_engine,
}
