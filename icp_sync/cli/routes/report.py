"""How `routes check` reads: the findings as sections for people, and as one JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.routes.ahead import Ahead
    from icp_sync.cli.routes.findings import Checked, Person
    from icp_sync.cli.routes.ground import Routing
    from icp_sync.domain.profile import Target

ROWS = 20
"""Rows of a section for people; the JSON document has all."""

Lost = Sequence[tuple[str, str]]


def to_json(
    routing: Routing, found: Checked, ahead: Sequence[Ahead], lost: Lost, now: float
) -> dict[str, object]:
    """Everything found; counts are of accounts."""
    from icp_sync.reporting.text import day

    return {
        "source": routing.grounds.source,
        "as_of": day(now),
        "accounts": found.accounts,
        "in_scope": found.in_scope,
        "routes": [
            {"profile": profile, "route": number, "to": to, "accounts": count}
            for profile, number, to, count in _routes(routing, found)
        ],
        "territories": [
            {"table": table, "territory": name, "accounts": n}
            for (table, name), n in found.territories.items()
        ],
        "holes": _counts(found.holes, "where"),
        "double_matches": _counts(found.doubles, "between"),
        "undecided": _counts(found.undecided, "missing"),
        "unrouted": _counts(found.unrouted, "why"),
        "people": [
            {
                "email": p.email,
                "named_in": list(p.places),
                "holds": p.holds,
                "due": round(p.due, 1),
                "cap": p.cap or None,
                "over_cap": p.over,
                "problem": p.state,
            }
            for p in found.people.values()
        ],
        "unknown_named_accounts": [
            {"list": name, "account": key, "owner": owner} for name, key, owner in found.unknown_named
        ],
        "upcoming": [{"on": day(one.at), "what": one.what} for one in ahead],
        "never_reached": [{"row": row, "why": why} for row, why in lost],
    }


def _counts(counter: Counter[str], name: str) -> list[dict[str, object]]:
    return [{name: what, "accounts": n} for what, n in counter.most_common()]


def _routes(routing: Routing, found: Checked) -> list[tuple[str, int, str, int]]:
    """(profile, number, where it leads, accounts) of every route, and of no route where that happened."""
    listed = [
        (profile.name, number, goal_text(route.target), found.routes[profile.name, number])
        for profile in routing.profiles
        for number, route in enumerate(profile.routes, start=1)
    ]
    return listed + [(name, 0, "no route", n) for (name, number), n in found.routes.items() if not number]


def goal_text(target: Target) -> str:
    """Whom a route names, in words."""
    named = target.named or (f"fact {target.named_fact}" if target.named_fact else "")
    whom = target.owner or named or " in ".join(filter(None, (target.pool, target.territory)))
    return f"{whom or 'nobody new'}, lane {target.lane}"


def show(
    screen: Screen, routing: Routing, found: Checked, ahead: Sequence[Ahead], lost: Lost, now: float
) -> None:
    """The findings that matter, each section only where it has something to say."""
    from icp_sync.reporting.text import counted, day

    screen.say(
        f"{counted(found.accounts, 'account')} in {routing.grounds.source}, {found.in_scope:,} in scope."
    )
    screen.say(f"Judged as of {day(now)}, as if nobody owned them yet.")
    rows = [(name, number or "", to, f"{n:,}") for name, number, to, n in _routes(routing, found)]
    screen.heading("Routes")
    screen.table(["profile", "", "to", "accounts"], rows, right=(1, 3))
    if found.territories:
        screen.heading("Territories")
        territories = [(table, name, f"{n:,}") for (table, name), n in found.territories.items()]
        _table(screen, ["table", "territory", "accounts"], territories, right=2)
    _show_people(screen, routing, list(found.people.values()))
    _section(screen, "Holes: firm A and B accounts that nobody is named for", "where", found.holes)
    _section(screen, "Double matches: the first route wins", "wanted by", found.doubles)
    _section(screen, "Waiting for a fact", "missing", found.undecided)
    _section(screen, "Unrouted", "why", found.unrouted)
    if found.unknown_named:
        screen.heading("Named accounts that no account here is")
        _table(screen, ["list", "account", "owner"], found.unknown_named)
    if lost:
        screen.heading("Rows that are never reached")
        _table(screen, ["row", "why"], lost)
    if ahead:
        screen.heading("In the next 90 days")
        _table(screen, ["on", "what"], [(day(one.at), one.what) for one in ahead])
    screen.say()
    screen.say(_verdict(routing, found, lost))


def _section(screen: Screen, title: str, head: str, counter: Mapping[str, int]) -> None:
    if counter:
        screen.heading(title)
        _table(screen, [head, "accounts"], [(what, f"{n:,}") for what, n in _most(counter)], right=1)


def _most(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def _table(
    screen: Screen, heads: Sequence[str], rows: Sequence[Sequence[object]], right: int | None = None
) -> None:
    """The first rows, and how many more there are."""
    screen.table(heads, rows[:ROWS], right=() if right is None else (right,))
    if len(rows) > ROWS:
        screen.say(f"and {len(rows) - ROWS:,} more; --json lists them")


def _show_people(screen: Screen, routing: Routing, people: Sequence[Person]) -> None:
    if not people:
        return
    screen.heading("People, and how many of these accounts their weight earns them")
    rows = [
        (p.email, f"{p.holds:,}" if routing.listed else "", f"{p.due:,.1f}", p.cap or "", _fault(p))
        for p in sorted(people, key=lambda p: (not _fault(p), -p.due, p.email))
    ]
    screen.table(["who", "holds", "due", "cap", ""], rows[: 2 * ROWS], right=(1, 2, 3))
    if len(rows) > 2 * ROWS:
        screen.say(f"and {len(rows) - 2 * ROWS:,} more; --json lists them")
    if not routing.listed:
        screen.say("Without the CRM's list of owners, everybody named counts as an active owner.")


def _fault(person: Person) -> str:
    return person.state or ("more than their cap" if person.over else "")


def _verdict(routing: Routing, found: Checked, lost: Lost) -> str:
    from icp_sync.reporting.text import counted

    faults = [
        (sum(found.holes.values()), "account in a hole", "accounts in holes"),
        (sum(found.doubles.values()), "double match", "double matches"),
        (sum(map(bool, map(_fault, found.people.values()))), "person to look at", "people to look at"),
        (len(found.unknown_named), "unknown named account", ""),
        (len(lost), "row never reached", "rows never reached"),
    ]
    said = [counted(n, one, many) for n, one, many in faults if n]
    return f"{fill(', '.join(said) or 'Nothing amiss', 78)}.\nNothing was changed."
