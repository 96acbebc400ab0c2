"""Sources of facts that are left alone for now: since when nobody asks them, why, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icp_sync.cli.check.examination import WARNING, Examination
from icp_sync.errors import Problem

if TYPE_CHECKING:
    from icp_sync.wiring import Wired


def look(found: Examination, wired: Wired) -> None:
    """One warning for each source that no account is asked about now. Asks none of them."""
    from icp_sync.reporting.text import instant, short
    from icp_sync.sync.inquiry import left_alone
    from icp_sync.sync.told import refusal
    from icp_sync.wiring import keys_of

    names = [enricher.name for enricher in wired.parts.enrichers]
    for name, state in left_alone(wired.journal, names, wired.parts.clock()).items():
        kind = str(state["kind"])
        why = short(refusal(kind, str(state["message"])), 160)
        keys = keys_of(wired.settings, wired.name, name) if kind == "not_entitled" else ()
        held = f"; its key is {' and '.join(keys)}" * bool(keys)
        until = state["until"]
        when = instant(until) if isinstance(until, float) else "later"
        what = f"left alone until {when}: {why}{held}"
        hint = f"icp-sync enrich ID --vendor {name} asks it at once"
        found.add(WARNING, "enrichers", [Problem(where=name, what=what, hint=hint)])
