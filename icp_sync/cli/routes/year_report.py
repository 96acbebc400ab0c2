"""How `routes simulate` reads: each person's year for people, and as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.routes.ground import Routing
    from icp_sync.cli.routes.year import Plan, Rep, Year

ROWS = 40


def broken(year: Year) -> bool:
    """Whether something happened that must never happen."""
    astray = any(rep.while_away or rep.over_cap for rep in year.reps.values())
    return astray or year.replayed != year.arrivals


def to_json(year: Year, plan: Plan) -> dict[str, object]:
    """Shares are percent of all assigned accounts; due_share is what weights say among those eligible."""
    return {
        "arrivals": year.arrivals,
        "days": plan.days,
        "seed": plan.seed,
        "assigned": year.assigned,
        "closed_again": year.closed,
        "replayed_identically": year.replayed,
        "widest_difference": round(year.widest, 3),
        "unrouted": [{"why": why, "accounts": n} for why, n in year.unrouted.most_common()],
        "people": [
            {
                "email": rep.email,
                "assigned": rep.assigned,
                "share": round(_share(year, rep.assigned), 3),
                "due_share": round(_share(year, rep.due), 3),
                "began_with": rep.began,
                "highest_load": rep.highest,
                "cap": rep.cap or None,
                "days_away": round(rep.days_away, 1),
                "assigned_while_away": rep.while_away,
                "assigned_over_cap": rep.over_cap,
            }
            for rep in _ranked(year)
        ],
    }


def _share(year: Year, accounts: float) -> float:
    return 100.0 * accounts / year.assigned if year.assigned else 0.0


def _ranked(year: Year) -> list[Rep]:
    return sorted(year.reps.values(), key=lambda rep: (-rep.assigned, rep.email))


def show(screen: Screen, routing: Routing, year: Year, plan: Plan) -> None:
    """Each person's year, what found nobody, and the promises that were watched."""
    from icp_sync.reporting.text import counted, day

    closed = f", {year.closed:,} of them closed again" if year.closed else ""
    screen.say(f"{counted(year.arrivals, 'arrival')} over {plan.days:.0f} days from {day(plan.start)},")
    screen.say(f"drawn from {routing.grounds.source}: {year.assigned:,} assigned{closed}.")
    rows = [
        (
            rep.email,
            f"{rep.assigned:,}",
            f"{_share(year, rep.assigned):.1f}",
            f"{_share(year, rep.due):.1f}",
            f"{rep.highest:,}",
            rep.cap or "",
            f"{rep.days_away:.0f}" if rep.days_away else "",
        )
        for rep in _ranked(year)
    ]
    if rows:
        heads = ["who", "assigned", "share %", "due %", "most held", "cap", "days away"]
        screen.table(heads, rows[:ROWS], right=range(1, 7))
        if len(rows) > ROWS:
            screen.say(f"and {len(rows) - ROWS:,} more; --json lists them")
    if year.unrouted:
        screen.heading("Arrivals that nobody was given")
        screen.table(
            ["why", "accounts"], [(w, f"{n:,}") for w, n in year.unrouted.most_common(10)], right=(1,)
        )
    if not routing.listed:
        screen.say("Without the CRM's list of owners, everybody named counts as an active owner.")
    away = sum(rep.while_away for rep in year.reps.values())
    over = sum(rep.over_cap for rep in year.reps.values())
    screen.say()
    screen.say(
        f"Widest difference from what the weights say: {year.widest:.1f} %, "
        f"{counted(round(year.apart), 'account')}.\n"
        f"Given to somebody away: {away:,}. Over a cap: {over:,}. "
        f"Replayed identically: {year.replayed:,} of {year.arrivals:,}."
    )
