"""The guard at work: counts from the journal, limits from the policy, one alert per rule that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from icp_sync.domain.facts import Interval
from icp_sync.domain.guard import Limits, Rule, Split, split
from icp_sync.domain.plan import Change
from icp_sync.journal import Journal
from icp_sync.observe import log
from icp_sync.sync.draft import Draft

HELD = "held: {rule}"
"""The name of the alert that stands while changes wait by a rule."""
ABSENT = "no output: "
"""With this begins the name of the alert of an output the CRM cannot carry."""
MANY = f"{ABSENT}many"
SEVERAL = 3
"""Outputs told of one by one at most; more are told of together."""
PROVISION = "icp-sync provision --apply"


class Guard:
    """Says which changes of a page must wait for a person. One for a cycle."""

    def __init__(self, journal: Journal, limits: Limits) -> None:
        self._journal, self._limits = journal, limits

    @cached_property
    def _population(self) -> int:
        return self._journal.population()

    def split(self, plan: Mapping[str, tuple[Change, ...]], drafts: Sequence[Draft], now: float) -> Split:
        """The part of a page's plan that may land, and what waits."""
        with_open_deals = {d.account.id for d in drafts if _open_deals(d)}
        ids = [d.account.id for d in drafts]
        counted = self._journal.guarded(ids, list(plan), population=self._population, now=now)
        ordered = {d.account.id for d in drafts if d.evaluation.override or d.differences.gives_back}
        return split(plan, with_open_deals.__contains__, counted, self._limits, now, ordered)


def tell(journal: Journal, disabled: Mapping[str, str], now: float) -> None:
    """Say once that something began to need a person, and once that it does not any more.

    disabled: outputs the CRM cannot carry at the moment, with the reason.
    """
    _tell_of_outputs(journal, disabled, now)
    waiting = journal.waiting_holds()
    for rule in map(str, Rule):
        name, count = HELD.format(rule=rule), waiting.get(rule, 0)
        said = f"{count} accounts wait" if count != 1 else "1 account waits"
        if count and journal.raise_alert(name, f"{said} for a person by {rule}", now=now):
            log("guard").error(
                "changes are held", connection=journal.connection, rule=rule, next="icp-sync status --held"
            )
        elif not count and journal.end_alert(name, now=now):
            log("guard").info("nothing is held any more", connection=journal.connection, rule=rule)


def _tell_of_outputs(journal: Journal, disabled: Mapping[str, str], now: float) -> None:
    """Of a few outputs one by one; of many in one alert."""
    said = {ABSENT + name: (name, reason) for name, reason in disabled.items()}
    if len(disabled) > SEVERAL:
        name, reason = next(iter(disabled.items()))
        many = f"{len(disabled)} outputs cannot be written"
        said = {MANY: (many, f"{many}; {name}: {reason}")}
    known = [alert.name for alert in journal.alerts() if alert.name.startswith(ABSENT)]
    for alert, (name, reason) in said.items():
        if journal.raise_alert(alert, _with_next(reason), now=now):
            log("guard").error(
                "an output cannot be written", connection=journal.connection, field=name, reason=reason
            )
    for alert in known:
        name = alert.removeprefix(ABSENT)
        if alert not in said and journal.end_alert(alert, now=now) and alert != MANY and name not in disabled:
            log("guard").info("an output can be written again", connection=journal.connection, field=name)


def _with_next(reason: str) -> str:
    return reason if PROVISION in reason else f"{reason}. next: {PROVISION}"


def _open_deals(d: Draft) -> bool:
    """Whether the account certainly has an open deal."""
    value = d.known.facts.get("open_deals")
    return isinstance(value, Interval) and value.low > 0
