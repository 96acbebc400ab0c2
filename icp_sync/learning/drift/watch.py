"""One look at whether the active profile has drifted: rows from the journal, findings, one alert per change.

Reads the journal alone and writes nothing to a CRM. Killed at any point it repeats itself: an alert that
stands already is no news, and a baseline that was not kept is taken again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.profile import Profile
from icp_sync.journal import Journal, Watched
from icp_sync.learning.definitions import Definitions, defined
from icp_sync.learning.drift.finding import Finding, State
from icp_sync.learning.drift.look import USUAL, Look, Watching, rolled_out
from icp_sync.learning.drift.reviewing import Event
from icp_sync.observe import log

if TYPE_CHECKING:
    from icp_sync.settings.connection import Connection
    from icp_sync.settings.watch import Watch

ALERT = "drift "
"""Names of alerts begin with it; the finding's name follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """What a look found. at, baseline_at: UTC epoch seconds, baseline_at None before there is a baseline.

    raised, ended: findings that became alerts, and those that are none any more.
    """

    at: float
    version: int
    baseline_at: float | None
    findings: tuple[Finding, ...]
    raised: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, of findings all that `report_of` needs."""
        return {
            "at": self.at,
            "version": self.version,
            "baseline_at": self.baseline_at,
            "findings": [
                {
                    "name": one.name,
                    "state": one.state.value,
                    "sentence": one.sentence,
                    "figures": dict(one.figures),
                    "accounts": list(one.accounts),
                    "behind": one.behind,
                }
                for one in self.findings
            ],
        }


def report_of(kept: Watched) -> WatchReport:
    """What the last look found, as the journal kept it."""
    found = tuple(
        Finding(**{**one, "state": State(one["state"]), "accounts": tuple(one["accounts"])})
        for one in kept.findings.get("findings", ())
    )
    return WatchReport(
        at=kept.at,
        version=kept.findings.get("version", kept.version),
        baseline_at=kept.baseline_at,
        findings=found,
    )


def watching(section: Watch) -> Watching:
    """What the settings of a connection say."""
    said = tuple(Event(on=event.on, what=event.what) for event in section.events)
    return Watching(segments=tuple(section.segments), window=section.window, events=said)


def due(journal: Journal, *, every: float, now: float) -> bool:
    """Whether it is time to look: `every` seconds after the last look, and once the active profile has been
    rolled out, whose baseline is wanted then."""
    kept = journal.watched()
    if kept is None or now >= kept.at + every:
        return True
    active = journal.active()
    wanted = active is not None and (kept.version != active[0] or not kept.baseline)
    return wanted and rolled_out(*journal.progress())


def watch_if_due(
    journal: Journal,
    profiles: Sequence[Profile],
    settings: Connection,
    clock: Callable[[], float],
    *,
    types: Mapping[str, FactType] = CATALOGUE,
) -> WatchReport | None:
    """Look as the settings of a connection say, None while it is not time."""
    if not due(journal, every=settings.schedule.watch, now=clock()):
        return None
    return watch(
        journal,
        profiles,
        defined(settings.learning),
        clock,
        types=types,
        watching=watching(settings.watch),
    )


def watch(
    journal: Journal,
    profiles: Sequence[Profile],
    definitions: Definitions,
    clock: Callable[[], float],
    *,
    types: Mapping[str, FactType] = CATALOGUE,
    watching: Watching = USUAL,
) -> WatchReport:
    """Look once, keep what was found, and tell what changed: alerts begin and end, each said once.

    profiles: the active ones. The first look after they were rolled out takes the baseline.
    """
    now = clock()
    look = Look(journal, profiles, definitions, types, watching, now)
    standing = {a.name.removeprefix(ALERT) for a in journal.alerts() if a.name.startswith(ALERT)}
    findings = tuple(_alone(look.findings(standing)))
    said = log("watch").bind(connection=journal.connection)
    raised, ended = [], []
    for one in findings:
        if one.state is State.ALERT and journal.raise_alert(ALERT + one.name, _told(one), now=now):
            raised.append(one.name)
            said.warning("the profile drifts", finding=one.name, found=one.sentence, accounts=one.behind)
    alerts = {one.name for one in findings if one.state is State.ALERT}
    for name in sorted(standing - alerts):
        if journal.end_alert(ALERT + name):
            ended.append(name)
            said.info("the profile drifts no more", finding=name)
    report = WatchReport(
        at=now,
        version=look.version,
        baseline_at=look.kept.baseline_at,
        findings=findings,
        raised=tuple(raised),
        ended=tuple(ended),
    )
    journal.keep_watch(replace(look.kept, findings=report.to_json()))
    return report


def _told(one: Finding) -> str:
    """The alert's text, with what lists the accounts behind it."""
    listed = f' --accounts "{one.name}"' if one.behind else ""
    return f"{one.sentence}. next: icp-sync drift{listed}"


def _alone(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Each name once, the gravest first."""
    order = (State.ALERT, State.WATCH, State.FEW, State.OK)
    names: set[str] = set()
    for one in sorted(findings, key=lambda found: order.index(found.state)):
        if one.name not in names:
            names.add(one.name)
            yield one
