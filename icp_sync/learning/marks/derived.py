"""Facts that are made of other facts: the same evidence under a second name, which is weighed once."""

from __future__ import annotations

from collections.abc import Mapping

DERIVED: Mapping[str, str] = {"sector": "industry"}
"""Fact → the fact it is made of. A population follows the deal and is never learned from."""


def source_of(fact: str) -> str:
    """The fact a fact is made of, itself where it is made of none; `group.sector` of `group.industry`."""
    whose, dot, name = fact.rpartition(".")
    return f"{whose}{dot}{DERIVED.get(name, name)}"
