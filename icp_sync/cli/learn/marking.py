"""What marks the good ones, on a terminal: the points of a scorecard, or what came nearest to telling."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.conditions import Condition
    from icp_sync.learning.card.exclusions import Exclusion
    from icp_sync.learning.card.scorecard import Scorecard, Step
    from icp_sync.learning.marks.attributes import Findings, Mark

SHOWN = 8
"""Facts on the screen; a document has all of them."""
BESIDE, LEAST = 52, 24
"""Columns that the figures of a table take, and the least that is left for names; a longer name is said in
full below it."""
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def show_marks(screen: Screen, findings: Findings, card: Scorecard | None) -> None:
    """What the profile asks; without one, what came nearest to telling. And what gets no points, and why."""
    facts = f"{len(findings.found)} of {len(findings.attributes)} facts"
    screen.say(f"What marks the good ones: {facts}, by {findings.tried:,} tests", "bold")
    if card is not None:
        _show_points(screen, card)
    else:
        _show_nearest(screen, findings)
    if card is not None and card.against:
        said = ", ".join(
            f"{mark.question.words} ({mark.rate:.0%}, lift {mark.lift:.2f})" for mark in card.against
        )
        screen.say(f"Marks the others, no points, as such a list may leave things out: {said}.")
    given = {step.condition for step in card.steps} if card is not None else set()
    for cohorts, words in _as_well(findings, given).items():
        screen.say(f"No points, as they mark the {cohorts} just as well: {'; '.join(words)}.")
    gaps = [
        f"{one.fact} ({one.missing.rate_known:.0%} good where known, {one.missing.rate_unknown:.0%} if not)"
        for one in findings.attributes
        if one.missing.found
    ]
    if gaps:
        screen.say(f"Known or not tells, no points: {', '.join(gaps[:SHOWN])}.")


def _as_well(findings: Findings, given: Container[Condition]) -> dict[str, list[str]]:
    """Anti-cohorts → what was found to mark the good ones and marks these just as much, each once. given:
    what got points all the same, among other answers."""
    told: dict[str, dict[str, None]] = {}
    for attribute in findings.found:
        for mark in attribute.marks:
            if mark.also and mark.adjusted <= findings.rate and mark.question.when not in given:
                told.setdefault(" and the ".join(mark.also), {})[mark.question.words] = None
    return {cohorts: list(words) for cohorts, words in told.items()}


def _show_nearest(screen: Screen, findings: Findings) -> None:
    """The strongest question of each fact, with the p that is left after everything that was tried."""
    near = [min(one.marks, key=_unlikely) for one in findings.found or findings.attributes if one.marks]
    near = sorted(near, key=_unlikely)[:SHOWN]
    heads = ["mark", "cases", "good", "95 %", "lift", "corrected p"]
    rows = [
        (
            mark.question.words,
            f"{mark.n:,}",
            *_rates(mark),
            f"{mark.lift:.2f}",
            "<0.001" if mark.adjusted < 0.001 else f"{mark.adjusted:.3f}",
        )
        for mark in near
    ]
    screen.table(heads, rows, right=range(1, len(heads)), ruled=False)
    screen.say(f"Corrected for everything that was tried; {findings.rate:g} or less would have been found.")


def _unlikely(mark: Mark) -> tuple[float, float]:
    return mark.adjusted, mark.p


def _show_points(screen: Screen, card: Scorecard) -> None:
    """Criteria, must-haves and flags, tiers; names that hide something in full below."""
    foot: list[str] = []
    rows = [_step(step, _label(screen, step.name, step.condition, foot)) for step in card.steps]
    rows += [_exclusion(one, _label(screen, one.name, one.condition, foot)) for one in _outs(card)]
    heads = ["criterion", "points", "if unknown", "cases", "good", "95 %", "lift"]
    screen.table(heads, rows, right=range(1, len(heads)), ruled=False)
    for said in foot:
        screen.say(said)
    cuts = ", ".join(f"{tier} from {card.tiers.threshold(tier)} points" for tier in ("A", "B", "C"))
    screen.say(" ".join([f"Tiers: {cuts}.", *card.notes]))


def _outs(card: Scorecard) -> Iterator[Exclusion]:
    yield from card.gates
    yield from card.flags


def _step(step: Step, label: str) -> tuple[str, ...]:
    unknown = f"{step.points * step.unknown:.1f}".removesuffix(".0")
    return (label, str(step.points), unknown, f"{step.n:,}", *_rates(step), f"{step.lift:.2f}")


def _exclusion(one: Exclusion, label: str) -> tuple[str, ...]:
    """The cases it takes out or caps: of a must-have those without it."""
    effect = f"{one.cap} at most" if one.effect == "cap" else "Not ICP"
    who = f"without: {label}" if one.effect == "gate" else f"flag: {label}"
    lift = f"{one.rate / one.base:.2f}" if one.base else "·"
    return (who, effect, "·", f"{one.n:,}", *_rates(one), lift)


def _rates(one: Step | Exclusion | Mark) -> tuple[str, str]:
    return f"{one.rate:.0%}", f"{one.low:.0%}–{one.high:.0%}"


def _label(screen: Screen, name: str, condition: Condition, foot: list[str]) -> str:
    """The name as a table bears it; what it leaves out goes to `foot`."""
    from icp_sync.learning.card.naming import full_name
    from icp_sync.reporting.text import short

    full = full_name(condition)
    room = len(full) if screen.console is None else max(LEAST, screen.console.width - BESIDE)
    if len(full) <= room:
        return name if name.startswith(full) else full
    sign = str(len(foot) + 1).translate(_RAISED)
    foot.append(f"{sign} {full}")
    return f"{short(name, room - 1)}{sign}"
