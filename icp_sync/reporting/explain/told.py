"""What sources beside the CRM told of an account and what holds: bought, or sent to us as events.

Says of each what the last settlement made of it, and which it has not met. Asks nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.domain.disagreement import agree
from icp_sync.domain.facts import Known, Members, Signal
from icp_sync.domain.spelling import value_text
from icp_sync.journal import StoredAccount
from icp_sync.reporting.explain.differing import known_then, said_by
from icp_sync.reporting.explain.explanation import ToldRow
from icp_sync.reporting.text import day


def told_rows(stored: StoredAccount, bought: Sequence[Signal], now: float) -> tuple[ToldRow, ...]:
    """Every value that was told, and what the last settlement made of it.

    One that it did not meet is "since" while the account is due; once it is not, it was looked at and changed
    nothing.
    """
    known = known_then(stored, bought)
    due = stored.wake_at is not None and stored.wake_at <= now
    met = stored.evaluation.get("losers")
    losers = met if isinstance(met, dict) else {}
    lost = {(str(fact), str(one)) for fact, said in losers.items() for one in said}
    rows = []
    for signal in sorted(bought, key=lambda s: (s.fact, s.source)):
        row = ToldRow(
            fact=signal.fact,
            value=value_text(signal.fact, signal.value),
            source=signal.source,
            at=_day(signal.observed_at),
            until=_day(signal.until),
            state=_state(signal, known, due=due and (signal.fact, said_by(signal)) not in lost),
        )
        rows.append(row)
    return tuple(rows)


def _state(signal: Signal, known: Known, *, due: bool) -> str:
    """What a value is to the facts an account was last evaluated on. due: it may have come since."""
    held, winner = known.facts.get(signal.fact), known.winners.get(signal.fact)
    if held is None or winner is None:
        return "since" if due else "overruled"
    if isinstance(held, Members) and isinstance(signal.value, Members) and signal.value.known <= held.known:
        return "counts" if winner.source == signal.source or len(held.known) > 1 else "agrees"
    if winner.source == signal.source and held == signal.value:
        return "counts"
    if due:
        return "since"
    return "agrees" if agree(held, signal.value) else "overruled"


def _day(seconds: float | None) -> str:
    return day(seconds) if seconds else ""
