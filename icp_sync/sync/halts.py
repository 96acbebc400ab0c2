"""Whether a backfill may go on: not while it is halted or paused, until a person says so.

One that is cut into ranges is halted and let go on as a whole. Knows neither waves nor who asks.
"""

from __future__ import annotations

from icp_sync.journal import Journal
from icp_sync.journal.backfills import BackfillState
from icp_sync.sync.waves import ALERT


def halted(journal: Journal) -> str:
    """Why the backfill goes no further until a person says so, "" when it does. What was halted for one
    request does not stop another: a new profile or mode is a new decision. What a person paused waits for a
    person, whatever it is for."""
    if why := paused(journal):
        return why
    state = journal.backfill_state()
    if not state.halted:
        return ""
    return state.halted if state.request == str(journal.backfill_request()) else ""


def paused(journal: Journal) -> str:
    """Who paused the backfills, in words; "" where nobody did."""
    found = journal.backfill_paused()
    return f"paused by {found.by}" if found else ""


def lift(journal: Journal) -> None:
    """Let a halted backfill go on: at the canary of what is left, as nothing is known of that. One that was
    only paused goes on where it was."""
    journal.unpause_backfills()
    state = journal.backfill_state()
    if state.halted:
        if journal.is_cut():
            journal.begin_ranges_anew()  # first: nobody is at one, or takes one up, before it may go on
        journal.set_backfill_state(BackfillState(holds=state.holds))
    journal.end_alert(ALERT)
