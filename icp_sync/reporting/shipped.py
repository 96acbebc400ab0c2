"""The sources that ship with the program: one YAML manifest each, or a class. Asks nobody."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One source as it ships. price: credits one request costs at most. facts: () where the configuration
    decides. leaves: what of an account is sent to it. source: where it is documented, "" for our own.
    problem: why it cannot be used here."""

    use: str
    title: str
    facts: tuple[str, ...]
    price: float
    leaves: tuple[str, ...]
    source: str
    verified: bool
    problem: str = ""


def shipped() -> list[Shipped]:
    """Every one, by its name."""
    found = {one.use: one for one in _manifests()}
    return sorted([*found.values(), *(c for c in _classes() if c.use not in found)], key=lambda s: s.use)


def _manifests() -> Iterator[Shipped]:
    from icp_sync.enrichers import manifest
    from icp_sync.errors import ConfigError

    for use, path in manifest.shipped().items():
        try:
            said = manifest.load(path, rehearsed=False)
        except ConfigError as error:
            yield _broken(use, str(error.problems[0]))
            continue
        yield Shipped(
            use=said.vendor,
            title=said.title,
            facts=tuple(sorted(said.facts)),
            price=_dearest(said),
            leaves=tuple(said.leaves),
            source=said.source,
            verified=said.verified,
        )


def _dearest(said: Any) -> float:
    """The most credits one look-up may cost: its steps and the record itself."""
    own = 0.0 if said.charge.on == "free" else said.charge.credits
    return float(own + sum(step.credits for step in said.steps))


def _classes() -> Iterator[Shipped]:
    from importlib import import_module

    from icp_sync.enrichers import BUILT_IN

    for use, place in BUILT_IN.items():
        module, _, name = place.partition(":")
        try:
            made: Any = getattr(import_module(module), name)
        except ImportError as error:
            yield _broken(use, str(error))
            continue
        facts = getattr(made, "facts", ())
        yield Shipped(
            use=use,
            title=_first_sentence(inspect.getdoc(import_module(module)) or use),
            facts=tuple(sorted(facts)) if isinstance(facts, frozenset) else (),
            price=float(getattr(made, "price", 0.0)),
            leaves=tuple(getattr(made, "leaves", ())),
            source=str(getattr(made, "documented", "")),
            verified=bool(getattr(made, "verified", True)),
        )


def _broken(use: str, why: str) -> Shipped:
    return Shipped(use=use, title=use, facts=(), price=0.0, leaves=(), source="", verified=False, problem=why)


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
