"""The tier-migration matrix: how many accounts move from which tier to which."""

from __future__ import annotations

from collections.abc import Mapping

Moves = Mapping[tuple[str, str], int]
"""(from, to) → accounts. "new" was never evaluated; "out of scope" is not scored."""

ORDER = ("A", "B", "C", "D", "Needs data", "Not ICP", "out of scope", "new")


def matrix(moves: Moves) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: rows are tiers now, columns tiers then; what stays is on the diagonal."""
    before = [tier for tier in ORDER if any(a == tier for (a, _), n in moves.items() if n)]
    after = [tier for tier in ORDER if any(b == tier for (_, b), n in moves.items() if n)]
    rows = [
        [tier, *(f"{moves[tier, to]:,}" if moves.get((tier, to)) else "·" for to in after)] for tier in before
    ]
    return ["now \\ then", *after], rows


def to_json(moves: Moves) -> list[dict[str, object]]:
    """One entry a pair, in the order of tiers."""
    ordered = sorted(moves.items(), key=lambda item: [ORDER.index(tier) for tier in item[0]])
    return [{"from": a, "to": b, "accounts": n} for (a, b), n in ordered if n]
