"""An explanation laid out for people. Decides and reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from icp_sync.cli.rendering import Screen
    from icp_sync.reporting.explain.as_of import AsOf
    from icp_sync.reporting.explain.differing import DisagreementRow
    from icp_sync.reporting.explain.explanation import Explained, RoutingRow, VerdictRow

WIDE = 130  # columns from which every question has its own


def show_then(screen: Screen, told: AsOf) -> None:
    """An account as of a past day, for people."""
    from icp_sync.reporting.text import instant

    until = f"until {instant(told.until)}" if told.until is not None else "and it still is"
    screen.say(f"As of {instant(told.as_of)}: in force since {instant(told.since)}, {until}", "bold")
    screen.say(told.said, "" if told.proved else "yellow")
    if told.active_version not in (0, told.profile_version):
        screen.say(
            f"profile version {told.active_version} was active by then; it had not reached the account, "
            "or made no difference of more than a point"
        )
    screen.say()
    if told.explained is not None:
        show(screen, told.explained)
        return
    span = f" in {told.low}–{told.high}" if told.low is not None else ""
    screen.say(f"{told.name or 'no name'} · {told.id}", "bold")
    if not told.in_scope:
        screen.say("no profile was for it; this is what it would have been", "yellow")
    screen.say(
        f"{told.tier}, score {told.score}{span}, profile version {told.profile_version}, engine {told.engine}"
    )
    if told.why:
        screen.say(told.why)
    if told.points:
        screen.table(["points", "criterion"], [(f"{p[0]}/{p[1]}", name) for name, p in told.points.items()])


def show(screen: Screen, e: Explained) -> None:
    """The whole explanation for people."""
    from icp_sync.reporting.explain.explanation import held_words
    from icp_sync.reporting.text import instant

    screen.say(
        f"{e.name or 'no name'} · {e.domain or 'no domain'} · {e.id} · owner {e.owner or 'nobody'}", "bold"
    )
    for h in e.held:
        screen.say(f"! {held_words(h)}", "yellow")
    screen.say(e.headline)
    for note in e.notes:
        screen.say(f"! {note}", "yellow")
    bounds = f"score {e.score} in {e.low}–{e.high}" if e.low != e.high else f"score {e.score}"
    screen.say(
        f"{e.certainty}, {bounds}, coverage {e.coverage} %, priority {e.priority or 'none'}, "
        f"timing {e.timing}, profile version {e.profile_version}, evaluated {instant(e.evaluated_at)}, "
        f"stays true until {instant(e.valid_until, 'a fact changes')}"
    )
    if len(e.profiles) > 1 or e.profiles[0].failures:
        _show_profiles(screen, e)
    screen.heading("Verdicts")
    _show_verdicts(screen, e)
    _show_gaps(screen, e)
    _show_change(screen, e)
    if e.routing:
        _show_routing(screen, e.routing)
    if e.assignments:
        screen.heading("Given to")
        screen.say("\n".join(given.said for given in e.assignments))
    _show_people(screen, e)
    _show_writes(screen, e)


def _show_verdicts(screen: Screen, e: Explained) -> None:
    """On a narrow terminal the question stands with its criterion, elsewhere in a column of its own."""
    rows = [_verdict(v) for v in e.verdicts]
    if screen.console is not None and screen.console.width < WIDE:
        narrow = [
            (state, points, f"{name}: {asked}" if asked else name, known)
            for state, points, name, known, asked in rows
        ]
        screen.table(["state", "points", "criterion", "known"], narrow, right=(1,))
    else:
        screen.table(["state", "points", "criterion", "known", "asked"], rows, right=(1,))


def _verdict(v: VerdictRow) -> tuple[str, str, str, str, str]:
    """One row; a criterion shows its layer, anything else what it is."""
    points = f"{v.got}/{v.of}" if v.of else ""
    kind = v.layer if v.kind == "criterion" else ", ".join(filter(None, (v.kind, v.layer)))
    known = []
    for fact in v.facts:
        name = f"{fact.fact} " if len(v.facts) > 1 else ""
        known.append(f"{name}{fact.value} ({', '.join(filter(None, (fact.source, fact.at)))})")
    asked = "" if v.question == v.name else v.question
    return v.state, points, f"{v.name} ({kind})", "; ".join(known) or "nothing", asked


def _show_profiles(screen: Screen, e: Explained) -> None:
    screen.heading("Profiles")
    rows = [
        (
            f"{p.name}{' (shown)' if p.shown else ''}",
            p.fate,
            p.score,
            f"{p.low}–{p.high}",
            "; ".join(p.failures),
        )
        for p in e.profiles
    ]
    screen.table(["profile", "", "score", "range", "fails because"], rows, right=(2,))


def _show_gaps(screen: Screen, e: Explained) -> None:
    from icp_sync.domain.words import fact_text
    from icp_sync.reporting.explain.explanation import missing_words, told_words
    from icp_sync.reporting.text import short

    if e.missing:
        screen.heading("Missing facts, most valuable first")
        screen.say(", ".join(map(missing_words, e.missing)))
    if e.unread:
        screen.heading("Could not be read")
        screen.table(["fact", "what was said"], [(name, short(raw, 200)) for name, raw in e.unread.items()])
    if e.overruled:
        screen.heading("Overruled sources")
        screen.table(["fact", "did not win"], [(n, ", ".join(s)) for n, s in e.overruled.items()])
    show_disagreements(screen, e.disagreements)
    if e.told:
        screen.heading("Told by sources beside the CRM")
        rows = [
            (fact_text(row.fact), short(row.value, 60), row.source, row.at, row.until, told_words(row))
            for row in e.told
        ]
        screen.table(["fact", "value", "source", "as of", "valid until", ""], rows)


def show_disagreements(screen: Screen, rows: Iterable[DisagreementRow]) -> None:
    from icp_sync.reporting.explain.differing import disagreement_words

    if not (told := [disagreement_words(row) for row in rows]):
        return
    screen.heading("Sources disagree")
    for said in told:
        screen.say(said)
    screen.say("The first of each counts, by the order of ranks; the facts map can change that order.")


def _show_change(screen: Screen, e: Explained) -> None:
    from icp_sync.reporting.text import day

    screen.heading("Change")
    if e.pending:
        screen.say(f"Would be {e.pending.tier} since {day(e.pending.since)}; waits until that has lasted.")
    if e.why:
        screen.say(e.why)
    elif e.changed_at is not None:
        screen.say(f"{e.tier} since {day(e.changed_at)}, its first evaluation.")
    else:
        screen.say("none")


def _show_routing(screen: Screen, routing: RoutingRow) -> None:
    screen.heading("Routing")
    rule = f"route {routing.rule}" if routing.rule else "no route"
    chosen = f", owner {routing.owner}" if routing.owner else ""
    screen.say(f"lane {routing.lane} by {rule}{chosen}" + (f": {routing.note}" if routing.note else ""))
    if routing.success:
        screen.say(", ".join(f"{name.replace('_', ' ')} {said}" for name, said in routing.success.items()))
    if routing.considered:
        rows = [
            (
                c.email,
                f"{c.weight:g}",
                c.load,
                "chosen" if c.email == routing.owner else c.skipped or "eligible",
            )
            for c in routing.considered
        ]
        screen.table(["considered", "weight", "holds", ""], rows, right=(1, 2))
    screen.say(f"replays: {'yes' if routing.replays else 'NO, please report this'}")


def _show_people(screen: Screen, e: Explained) -> None:
    if not e.held:
        return
    screen.heading("Values people hold, left alone")
    rows = [(h.field, h.live, h.ours, h.since) for h in e.held]
    screen.table(["field", "theirs", "ours would be", "since"], rows)
    screen.say(f"to take one back: icp-sync release {e.id} --field {e.held[0].field}")


def _show_writes(screen: Screen, e: Explained) -> None:
    from icp_sync.reporting.text import instant, short

    if not e.writes:
        return
    screen.heading("Last writes")
    rows = []
    for write in reversed(e.writes):
        fields = ", ".join(f"{f.field} {short(f.after or 'blank', 20)}" for f in write.fields[:4])
        more = f" and {len(write.fields) - 4} more" if len(write.fields) > 4 else ""
        rows.append((instant(write.at), write.result, fields + more))
    screen.table(["when", "result", "fields"], rows)
