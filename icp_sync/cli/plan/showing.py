"""What a dry run says: as JSON, and for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from icp_sync.cli.plan.buying import forecast_of, forecast_words, left_alone_words
from icp_sync.cli.undone import show_undone
from icp_sync.domain.standing import FIELDS, Mode

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.sync.forecast import Forecast
    from icp_sync.sync.plan_file.making import Drawn

EXAMPLES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A dry run and what it would take.

    mode: as it was planned for. absent: outputs the CRM lacks. outputs: logical field → property. beyond: the
    guard's limits it would break, in words. budgets_left: budget → credits. sources_left_alone: source →
    until when and why.
    """

    report: Drawn
    connection: str
    crm: str
    mode: Mode
    live_mode: Mode
    profile: str
    absent: tuple[str, ...]
    cost: Forecast
    outputs: Mapping[str, str] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()
    budgets_left: Mapping[str, float] = field(default_factory=dict)
    sources_left_alone: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def owners(self) -> dict[str, tuple[int, int]]:
        """Owner → accounts gained and lost."""
        gained, lost = self.report.gained, self.report.released
        people = sorted(who for who in {*gained, *lost} if who)
        return {who: (gained[who], lost[who]) for who in people if gained[who] or lost[who]}


def to_json(planned: Planned) -> dict[str, object]:
    """Everything the screen shows, with up to a thousand changes."""
    from icp_sync.cli.profile.migration import to_json as moves_json
    from icp_sync.sync.plan_file.making import triggers

    report = planned.report.to_json()
    return {
        "connection": planned.connection,
        "profile": planned.profile,
        "mode": planned.mode.value,
        "connection_mode": planned.live_mode.value,
        "accounts": planned.report.read,
        "changed": planned.report.written,
        "migrations": moves_json(planned.report.migrations),
        "owners": {who: {"gained": up, "lost": down} for who, (up, down) in planned.owners.items()},
        "fields": dict(planned.report.by_field),
        "changes": report["changes"],
        "left_alone": _left_alone_json(planned.report),
        "held": planned.report.held,
        "undone": dict(planned.report.undone),
        "calls": dict(planned.cost.calls),
        "seconds": planned.cost.seconds if isfinite(planned.cost.seconds) else None,
        "share_of_day": planned.cost.share,
        "enrichment": {
            name: {
                "requests": n,
                "credits": planned.report.credits[name],
                "most": planned.report.credits_most[name],
            }
            for name, n in planned.report.asked.items()
        },
        "credits": forecast_of(planned.report, planned.budgets_left).to_json(),
        "budgets_left": dict(planned.budgets_left),
        "sources_left_alone": dict(planned.sources_left_alone),
        "outputs_absent": list(planned.absent),
        "triggers": [asdict(t) for t in triggers(planned.report.by_field, planned.outputs)],
        "guard": {**planned.report.guarded.to_json(), "beyond": list(planned.beyond)},
        "written": 0,
        "bought": 0,
    }


def _left_alone_json(report: Drawn) -> list[dict[str, str]]:
    names = ("id", "name", "field", "live", "ours")
    return [dict(zip(names, held, strict=True)) for held in report.left_alone]


def show(screen: Screen, planned: Planned) -> None:
    """The plan for people."""
    from icp_sync.cli.profile.migration import show_matrix
    from icp_sync.reporting.text import counted

    report = planned.report
    screen.say(
        f"{planned.connection}: {counted(report.read, 'account')} by {planned.profile}, read just now."
    )
    if planned.mode is not planned.live_mode:
        screen.say(
            f"The connection is in mode {planned.live_mode.value}; this is what mode "
            f"{planned.mode.value} would write."
        )
    if planned.absent:
        missing = counted(len(planned.absent), "output is", "outputs are")
        screen.say(f"{missing} not in the CRM yet and not counted. next: icp-sync provision --apply")
    screen.heading("Tiers")
    show_matrix(screen, report.migrations)
    screen.heading("Owners gained and lost")
    if planned.owners:
        rows = [(who, gained, lost) for who, (gained, lost) in planned.owners.items()]
        screen.table(["owner", "gained", "lost"], rows, right=(1, 2))
    else:
        screen.say("none")
    _show_fields(screen, report)
    show_undone(screen, report.undone)
    _show_left_alone(screen, report)
    _show_triggers(screen, planned)
    _show_cost(screen, planned)
    for said in planned.beyond:
        screen.say(f"Beyond the guard's limits: {said}.")
    if planned.beyond:
        screen.say("A worker would hold what is beyond them; apply wants --force.")


def _show_fields(screen: Screen, report: Drawn) -> None:
    from icp_sync.reporting.text import short

    screen.heading("Fields that would change")
    if not report.by_field:
        held_back = report.undone or report.left_alone or report.held
        screen.say("none" if held_back else "none: every record holds what it should")
        return
    examples: dict[str, list[str]] = {}
    for change in report.changes:
        said = examples.setdefault(change.field, [])
        text = f"{short(change.live or 'blank', 24)} → {short(change.desired or 'blank', 32)}"
        if len(said) < EXAMPLES and text not in said and change.field != "seal":
            said.append(text)
    ordered = sorted(report.by_field, key=list(FIELDS).index)
    examples["seal"] = ["hidden; by it we know our values again"]
    rows = [(name, f"{report.by_field[name]:,}", ", ".join(examples.get(name, []))) for name in ordered]
    screen.table(["field", "accounts", "live → desired, for example"], rows, right=(1,))


def _show_left_alone(screen: Screen, report: Drawn) -> None:
    from icp_sync.reporting.text import short

    if report.held:
        screen.say(f"{report.held} accounts are held: their seal is foreign or cannot be read.")
    if not report.left_alone:
        return
    screen.heading(f"Values people hold, left alone: {len(report.left_alone):,}")
    rows = [
        (account_id, short(name, 30), field, short(live, 24), short(ours, 24))
        for account_id, name, field, live, ours in report.left_alone[:10]
    ]
    screen.table(["id", "name", "field", "theirs", "ours would be"], rows)


def _show_triggers(screen: Screen, planned: Planned) -> None:
    from icp_sync.reporting.text import short
    from icp_sync.sync.plan_file.making import triggers

    found = triggers(planned.report.by_field, planned.outputs)
    if not found:
        return
    screen.heading("It may trigger")
    rows = [(t.what, f"{t.changes:,}", short(", ".join(t.properties), 80)) for t in found]
    screen.table(["what sees it", "changes", "properties"], rows, right=(1,))


def _show_cost(screen: Screen, planned: Planned) -> None:
    from icp_sync.reporting.text import counted, span

    cost = planned.cost
    calls = cost.calls
    screen.heading("It would take")
    owners = f", {calls['owners']:,} that give an owner" * bool(calls["owners"])
    echoes = calls["echo_searches"] + calls["echo_reads"]
    found = f"; polling finds our own writes again with {echoes:,} more" * bool(echoes)
    screen.say(f"about {calls['reads']:,} requests that read, {calls['writes']:,} that write{owners}{found}")
    takes = f"about {span(cost.seconds)} as a backfill, its waves' waits among it"
    days = f", {counted(cost.days, 'day end')} waited for" * bool(cost.days)
    share = "" if cost.share is None else f"; {cost.share:.1%} of a day's calls"
    screen.say((takes if isfinite(cost.seconds) else "no end: others leave it no calls") + days + share)
    _show_credits(screen, planned)
    screen.say()
    screen.say("Nothing was written to the CRM and nothing was bought.")


def _show_credits(screen: Screen, planned: Planned) -> None:
    from icp_sync.reporting.text import counted, credits

    report = planned.report
    for name, state in planned.sources_left_alone.items():
        screen.say(left_alone_words(name, state))
    if not report.credits_everything and not report.asked:
        return
    screen.say(forecast_words(forecast_of(report, planned.budgets_left)))
    for name, requests in report.asked.items():
        spent = f"about {credits(round(report.credits[name], 1))}"
        most = f", at most {credits(report.credits_most[name])}"
        screen.say(f"{name}: {counted(requests, 'request')}, {spent}{most * bool(report.credits_most[name])}")
