"""The sources of facts of a connection, as plain data: how they do, what they cost, what leaves to them.

From the settings, the journal and what ships; asks nobody, and tells no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from icp_sync.errors import ConfigError, Problem
from icp_sync.reporting.text import counted, instant

if TYPE_CHECKING:
    from icp_sync.journal import Journal
    from icp_sync.ports import Enricher
    from icp_sync.reporting.opened import Opened
    from icp_sync.reporting.shipped import Shipped

Data = dict[str, Any]


def collected(at: Opened, now: float) -> Data:
    """The configured enrichers of a connection with what the journal knows of them."""
    from icp_sync.settings.enrichment import budget_of, name_of
    from icp_sync.sync.vendors import believed
    from icp_sync.wiring import keys_of

    buying = at.connection.enrichment.buying
    left = at.journal.budget_left(buying.budgets, now=now)
    reports, rates = at.journal.vendor_report(now=now), _rates(at.journal)
    found: list[Data] = []
    for entry in at.connection.enrichers:
        enricher, problem = _loaded(entry, at.name)
        name = enricher.name if enricher else name_of(entry)
        state = believed(at.journal.vendor(name), now)
        day, month = budget_of(entry)
        found.append(
            {
                "name": name,
                "use": str(entry["use"]),
                "configured": True,
                "problem": problem,
                **_promises(enricher),
                "keys": keys_of(at.connection, at.name, name_of(entry)),
                "healthy": not problem and state.open_until <= now and not state.failures,
                "state": asdict(state),
                **rates.get(name, {"asked": 0, "told": 0, "hit_rate": None, "cost_a_hit": None}),
                **(_counts(reports[name]) if name in reports else _counts(None)),
                "budget_day": day,
                "budget_month": month,
            }
        )
    return {"connection": at.name, "vendors": found, "budgets_left": dict(left)}


def _loaded(entry: Mapping[str, Any], connection: str) -> tuple[Enricher | None, str]:
    """The enricher of one entry, or everything that is wrong with it, each with its place."""
    from icp_sync.enrichers import load
    from icp_sync.wiring import named

    try:
        return load([entry])[0], ""
    except ConfigError as error:
        return None, "; ".join(_problem(named(p, [entry], connection)) for p in error.problems)


def _problem(problem: Problem) -> str:
    """Without the number of its entry, which is known here: "key: is missing (put it into …)"."""
    place = re.sub(r"^enrichers\[\d+\][.:]? ?|(?<!\S)\(\S+\)$", "", problem.where).strip().removesuffix(":")
    place = re.sub(r" \(\S+\)$", "", place)
    said = f"{problem.what} ({problem.hint})" if problem.hint else problem.what
    return f"{place}: {said}" if place not in ("", "use") else said


def _promises(enricher: Enricher | None) -> Data:
    if enricher is None:
        return {"facts": [], "price": None, "verified": None}
    return {
        "facts": sorted(enricher.facts),
        "price": enricher.price,
        "verified": bool(getattr(enricher, "verified", True)),
    }


def _rates(journal: Journal) -> dict[str, Data]:
    """Enricher → how often it told what it was asked, ever, and what that cost."""
    sums: dict[str, list[float]] = {}
    for (name, fact, _), learned in journal.learned().items():
        if not fact:
            own = sums.setdefault(name, [0, 0, 0.0])
            for at, value in enumerate((learned.asked, learned.told, learned.charge)):
                own[at] += value
    return {
        name: {
            "asked": int(asked),
            "told": int(told),
            "hit_rate": told / asked if asked else None,
            "cost_a_hit": charge / told if told else None,
        }
        for name, (asked, told, charge) in sums.items()
    }


def _counts(report: Any) -> Data:
    """Answers by kind, credits spent, and how old half of its facts are at least (seconds)."""
    names = ("hits", "misses", "pending", "unknown", "spent_day", "spent_month", "spent", "median_age")
    return {name: getattr(report, name, None if name == "median_age" else 0) for name in names}


def unused(one: Shipped) -> Data:
    """One that ships and is not configured."""
    return {"name": one.use, "use": one.use, "configured": False, "problem": one.problem}


def describe(vendor: Data, ready: Mapping[str, Shipped]) -> None:
    """Add what ships with it: what leaves, its documentation; its facts where no settings decide them."""
    one = ready.get(vendor["use"])
    if one is None:
        return
    vendor |= {"title": one.title, "leaves": list(one.leaves), "source": one.source, "shipped": True}
    said = {"facts": list(one.facts), "price": one.price, "verified": one.verified}
    vendor |= {name: value for name, value in said.items() if vendor.get(name) in (None, [])}


def health(v: Data, now: float) -> str:
    """How a source is, in a few words: "healthy", "left alone until 2026-11-22 14:00 UTC"."""
    state = v["state"]
    if v["problem"]:
        return "cannot be used"
    if state["open_until"] > now:
        return f"left alone until {instant(state['open_until'])}"
    if state["failures"]:
        return f"failed {counted(state['failures'], 'time')} in a row"
    return "healthy" if state["at"] or v["asked"] or v["hits"] or v["misses"] else "never asked"


def trouble(v: Data) -> str:
    """What is wrong with a source, in words; "" where nothing is."""
    from icp_sync.sync.told import refusal

    state = v["state"]
    if v["problem"] or not (state["kind"] or state["message"]):
        return str(v["problem"])
    return refusal(state["kind"], state["message"])


def lasts(v: Data) -> bool:
    """Whether it stays so until somebody does something, such as giving it a right key."""
    from icp_sync.sync.vendors import LASTING

    return not v["problem"] and v["state"]["kind"] in LASTING
