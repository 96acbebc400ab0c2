"""The sources of a connection, and how it buys from them: from its settings to the objects they become."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from icp_sync.domain.buying import Buying
from icp_sync.enrichers import REST, load, manifest
from icp_sync.errors import ConfigError, Problem
from icp_sync.ports import Crm, Enricher
from icp_sync.settings import Connection
from icp_sync.settings.enrichment import as_variable, budget_of, is_secret_key, name_of
from icp_sync.settings.loading import SECRETS, variable

_PLACE = re.compile(r"enrichers\[(\d+)\](.*)", re.DOTALL)
_LACKING = re.compile(r"is missing|empty, or a placeholder|holds blanks.*|is needed by .*", re.DOTALL)


def enrichers_of(chosen: Connection, connection: str, crm: Crm | None = None) -> tuple[Enricher, ...]:
    """The enrichers of `chosen.enrichers`, in that order. connection: its name.

    Raises ConfigError with every problem at once; each names the source, and of a key that is missing where
    it belongs.
    """
    try:
        return load(chosen.enrichers, crm)
    except ConfigError as error:
        problems = [named(problem, chosen.enrichers, connection) for problem in error.problems]
        raise ConfigError(problems, next_step=error.next_step) from None


def named(problem: Problem, entries: Sequence[Mapping[str, Any]], connection: str) -> Problem:
    """A problem of one entry with the name of its source, and where its key goes if that is what it lacks."""
    place = _PLACE.fullmatch(problem.where)
    if place is None or int(place[1]) >= len(entries):
        return problem
    entry = entries[int(place[1])]
    if not isinstance(entry.get("use"), str):
        return problem
    name, key = name_of(entry), place[2].lstrip(".: ")
    where = f"{problem.where} ({name})" if name not in problem.where else problem.where
    if not _LACKING.fullmatch(problem.what) or key not in {*_secrets(entry), *_secretive(entry, key)}:
        return replace(problem, where=where)
    return replace(problem, where=where, hint=f"put it into {place_of_key(connection, name, key)}")


def place_of_key(connection: str, name: str, key: str) -> str:
    """Where a source's key belongs, in words: the variable, or the secret file."""
    loc = ("connections", connection, "secrets", as_variable(name), key)
    return f"{variable(loc)}, or into the secret file {'__'.join(loc)} under {SECRETS}"


def keys_of(chosen: Connection, connection: str, name: str) -> tuple[str, ...]:
    """Where the keys of a source of this name come from: variables, or keys of its entry in the settings."""
    apart = {as_variable(who): keys for who, keys in chosen.secrets.items()}.get(as_variable(name), {})
    entry = next((one for one in chosen.enrichers if name_of(one) == name), {})
    own = [key for key in entry if key not in apart and "use" in entry and is_secret_key(entry, key)]
    places = [variable(("connections", connection, "secrets", as_variable(name), key)) for key in apart]
    return (*places, *(f"`{key}` of its entry in the settings" for key in own))


def _secrets(entry: Mapping[str, Any]) -> Sequence[str]:
    """The keys a manifest calls secret."""
    use = entry["use"]
    path = entry.get("manifest") if use == REST else manifest.shipped().get(use)
    try:
        return manifest.load(str(path), rehearsed=False).secrets if path else ()
    except ConfigError:
        return ()


def _secretive(entry: Mapping[str, Any], key: str) -> Sequence[str]:
    return (key,) if is_secret_key(entry, key) else ()


def buying_of(chosen: Connection, enrichers: Sequence[Enricher]) -> Buying:
    """enrichers: those of `chosen.enrichers`, in that order.

    Raises ConfigError with every name in an order that is none of theirs.
    """
    if problems := _unknown(chosen, [enricher.name for enricher in enrichers]):
        raise ConfigError(problems, next_step="icp-sync vendors")
    budgets = zip(enrichers, map(budget_of, chosen.enrichers), strict=True)
    buying = chosen.enrichment.buying_with({enricher.name: most for enricher, most in budgets})
    return replace(buying, sources=tuple(enricher.name for enricher in enrichers))


def _unknown(chosen: Connection, names: Sequence[str]) -> list[Problem]:
    problems = []
    for fact, said in chosen.enrichment.facts.items():
        for name in said.order:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(names) or 'none'}"
                where = f"enrichment.facts.{fact}.order"
                problems.append(Problem(where=where, what=f"no enricher is called '{name[:64]}'", hint=hint))
    return problems
