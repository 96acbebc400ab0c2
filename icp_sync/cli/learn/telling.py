"""What `icp-sync learn` found, on one screen and as JSON: who, what marks them, the points, the proof."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from icp_sync.cli.learn.cohorts import cohorts_json, show_cohorts

if TYPE_CHECKING:
    from icp_sync.cli.learn.asked import Written
    from icp_sync.cli.rendering import Screen
    from icp_sync.learning.attributes import Findings, Mark
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.learn import Learned
    from icp_sync.learning.scorecard import Scorecard

SHOWN = 8
"""Facts on the screen; a document has all of them."""


def show(
    screen: Screen, book: Book, definitions: Definitions, done: Learned, written: Written | None
) -> None:
    """The whole answer for people, on about one screen."""
    show_cohorts(screen, book, definitions)
    _leaks(screen, done)
    if done.findings is not None:
        _marks(screen, done.findings, done.card)
    if done.proof is not None and done.profile is not None:
        from icp_sync.cli.profile import proof

        proof.show(screen, [done.profile], done.proof)
    screen.say()
    if done.enough:
        screen.say("Not enough evidence for a profile.", "bold")
        screen.say(f"{done.enough[0].upper()}{done.enough[1:].rstrip('.')}.")
        screen.say("next: icp-sync learn --describe, which drafts a hypothesis from your best customers")
        return
    _next(screen, done, written)


def _next(screen: Screen, done: Learned, written: Written | None) -> None:
    if written is None or written.profile is None:
        screen.say("Nothing was written: --out FILE.yaml keeps the profile.")
        return
    screen.say(f"Written: {written.profile}" + (f", {written.scores}" if written.scores else ""))
    if done.proof is not None and not done.proof.verdict.passed:
        screen.say("It would not be promoted as it stands, for the reasons above.")
    screen.say(f"next: read it, then icp-sync profile promote {written.profile}, with the same sources")


def _leaks(screen: Screen, done: Learned) -> None:
    """Facts, and members of sets, that give the outcome away, with why."""
    from icp_sync.cli.text import short

    if done.left_out:
        screen.heading("Not learned from, as it gives the outcome away")
        for fact, why in done.left_out.items():
            screen.say(f"- {fact}: {short(why, 160)}")
    for fact, members in done.withheld.items():
        for member, why in members.items():
            screen.say(f"- {fact}, {member}: {short(why, 160)}")


def _marks(screen: Screen, findings: Findings, card: Scorecard | None) -> None:
    """What the profile asks; without one, what came nearest to telling. And gaps that tell something."""
    found, facts = findings.found, len(findings.attributes)
    screen.heading(f"What marks the good ones: {len(found)} of {facts} facts, by {findings.tried:,} tests")
    if card is not None:
        _points(screen, card)
    else:
        nearest = [one.marks[0] for one in (found or findings.attributes)[:SHOWN] if one.marks]
        heads = ["mark", "of those", "good", "95 %", "lift", "by chance", "marks as well"]
        screen.table(heads, [_row(mark) for mark in nearest], right=(1, 2, 3, 4, 5))
    also = {mark.question.words: mark.also for one in found for mark in one.marks[:1] if mark.also}
    for words, cohorts in also.items():
        screen.say(f"No points for {words}: it marks the {' and the '.join(cohorts)} just as well.")
    gaps = [one for one in findings.attributes if one.missing.found]
    for one in gaps[:SHOWN]:
        known, unknown = one.missing.rate_known, one.missing.rate_unknown
        screen.say(
            f"Whether {one.fact} is known tells something itself: {known:.0%} good where it is, "
            f"{unknown:.0%} where it is not. No points are given for that."
        )


def _row(mark: Mark) -> tuple[str, ...]:
    return (
        mark.question.words,
        f"{mark.n:,}",
        f"{mark.rate:.0%}",
        f"{mark.low:.0%}–{mark.high:.0%}",
        f"{mark.lift:.2f}",
        "<0.001" if mark.p < 0.001 else f"{mark.p:.3f}",
        ", ".join(mark.also) or "·",
    )


def _points(screen: Screen, card: Scorecard) -> None:
    rows = [
        (
            step.name,
            str(step.points),
            f"{step.n:,}",
            f"{step.rate:.0%}",
            f"{step.low:.0%}–{step.high:.0%}",
            f"{step.lift:.2f}",
        )
        for step in card.steps
    ]
    screen.table(["criterion", "points", "of those", "good", "95 %", "lift"], rows, right=(1, 2, 3, 4, 5))
    for one in (*card.gates, *card.flags):
        screen.say(f"{'must have' if one.effect == 'gate' else 'flag'}: {one.name}")
    cuts = ", ".join(f"{tier} from {card.tiers.threshold(tier)} points" for tier in ("A", "B", "C"))
    screen.say(f"Tiers: {cuts}.")
    for note in card.notes:
        screen.say(note)


def to_json(book: Book, definitions: Definitions, done: Learned, written: Written | None) -> dict[str, Any]:
    """All of it as plain data."""
    from icp_sync.cli.profile import proof

    profile = None
    if done.profile is not None and done.proof is not None:
        profile = proof.to_json([done.profile], done.proof)
    return {
        "answer": "not enough evidence" if done.enough else "profile",
        "enough": done.enough,
        "cohorts": cohorts_json(book, definitions),
        "learning": _side(done.learning),
        "proving": _side(done.proving),
        "until": None if done.until is None else done.until.isoformat(),
        "left_out": dict(done.left_out),
        "withheld": {fact: dict(members) for fact, members in done.withheld.items()},
        "findings": None if done.findings is None else _findings(done.findings),
        "proof": profile,
        "out": None if written is None or written.profile is None else str(written.profile),
        "scores": None if written is None or written.scores is None else str(written.scores),
    }


def _side(labelled: Any) -> Mapping[str, int]:
    return {"cases": len(labelled), "good": sum(good for _, good in labelled)}


def _findings(findings: Findings) -> dict[str, Any]:
    return {
        "cases": findings.n,
        "good": findings.good,
        "base": findings.base,
        "tried": findings.tried,
        "false_discovery_rate": findings.rate,
        "facts": [
            {
                "fact": one.fact,
                "found": one.found,
                "p": one.p,
                "adjusted": one.adjusted,
                "known": one.known,
                "missing": one.missing._asdict(),
                "marks": [_mark(mark) for mark in one.marks],
            }
            for one in findings.attributes
        ],
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "question": mark.question.words,
        "cases": mark.n,
        "good": mark.hits,
        "rate": mark.rate,
        "low": mark.low,
        "high": mark.high,
        "lift": mark.lift,
        "odds_ratio": mark.odds,
        "p": mark.p,
        "adjusted": mark.adjusted,
        "found": mark.found,
        "also": [str(cohort) for cohort in mark.also],
    }
