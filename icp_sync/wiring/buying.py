"""How a connection buys, from its settings and the enricher objects they became."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from icp_sync.domain.buying import Buying
from icp_sync.errors import ConfigError, Problem
from icp_sync.ports import Enricher
from icp_sync.settings import Connection
from icp_sync.settings.enrichment import budget_of


def buying_of(chosen: Connection, enrichers: Sequence[Enricher]) -> Buying:
    """enrichers: those of `chosen.enrichers`, in that order.

    Raises ConfigError with every name in an order that is none of theirs.
    """
    if problems := _unknown(chosen, [enricher.name for enricher in enrichers]):
        raise ConfigError(problems, next_step="icp-sync vendors")
    budgets = zip(enrichers, map(budget_of, chosen.enrichers), strict=True)
    return chosen.enrichment.buying_with({enricher.name: most for enricher, most in budgets})


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
