"""What `icp-sync learn` found, on one screen and as JSON: who, what marks them, the points, the proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from icp_sync.cli.learn.cohorts import cohorts_json, show_placed
from icp_sync.cli.learn.marking import show_marks
from icp_sync.cli.rendering import Screen
from icp_sync.reporting.text import counted, short

if TYPE_CHECKING:
    from icp_sync.cli.learn.asked import Written
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.learn import Learned
    from icp_sync.learning.marks.attributes import Findings, Mark

NOTES = 6
"""Notes on the screen; a document has all of them."""
SAME = "the same with --out FILE.yaml"
PLAIN = 160
"""Characters of a note where there is no screen to fit it to."""


def show(screen: Screen, book: Book, definitions: Definitions, done: Learned, written: Written) -> None:
    """The whole answer for people, on one screen: what came out, from whom, what it asks, how it does."""
    screen.say(" ".join([_answer(done), *_because(done)]), "bold")
    show_placed(_Lines(screen.console), book, definitions)
    _left_out(_Lines(screen.console), book, done)
    if done.findings is not None:
        show_marks(screen, done.findings, done.card)
    if done.proof is not None and done.profile is not None:
        from icp_sync.cli.profile import proof

        proof.show(screen, [done.profile], done.proof, alone=False)
    _next(screen, done, written)


class _Lines(Screen):
    """A screen on which everything said is one line, cut to its width; a document has the rest."""

    def say(self, text: str = "", style: str = "") -> None:
        super().say(short(text, PLAIN if self.console is None else self.console.width), style)


def _answer(done: Learned) -> str:
    """What came out, in a sentence."""
    if done.enough:
        return "Not enough evidence for a profile."
    if done.proof is not None and not done.proof.verdict.passed:
        return "A profile was learned, and it would not be promoted as it stands."
    return "A profile was learned, and it would be promoted: it ranks later cases better than all three."


def _because(done: Learned) -> Iterator[str]:
    """Why not, and what would be enough."""
    from icp_sync.cli.profile.proof import ended

    enough = done.enough
    if done.proof is not None:
        verdict = done.proof.verdict
        enough = enough or verdict.enough
        figures = [f": {one.said}" for one in verdict.comparisons]  # which stand in the table below
        if verdict.reasons:
            yield ended("Not proven: " + "; ".join(_without(reason, figures) for reason in verdict.reasons))
    if enough:
        yield f"{enough[0].upper()}{enough[1:].rstrip('.')}."
    if done.findings is not None and done.proof is None:
        n = len(done.learning) + len(done.proving)
        yield f"Of {n:,} that can tell only those before {done.until} teach; the others are to prove it."


def _without(reason: str, figures: Sequence[str]) -> str:
    return next((reason.removesuffix(said) for said in figures if reason.endswith(said)), reason)


def _left_out(screen: Screen, book: Book, done: Learned) -> None:
    """Facts that follow the deal on a line, a line for each that the data give away, and notes."""
    from icp_sync.learning.past.leaks import OUTCOME_FACTS

    ruled = book.left_out.keys() | (done.left_out.keys() & OUTCOME_FACTS.keys())
    told = [f"{fact}: {why}" for fact, why in done.left_out.items() if fact not in ruled]
    told += [
        f"{fact}, {member}: {why}"
        for fact, members in done.withheld.items()
        if fact not in done.left_out
        for member, why in members.items()
    ]
    if ruled:
        screen.say(f"- left out, as they follow the deal: {', '.join(sorted(ruled))}")
    notes = (*done.notes, *book.notes)
    shown = notes if len(notes) <= NOTES else notes[: NOTES - 1]
    for said in (*told, *shown):
        screen.say(f"- {said}")
    if more := len(notes) - len(shown):
        screen.say(f"- and {counted(more, 'more note')}: --json has all, and whole")


def _next(screen: Screen, done: Learned, written: Written) -> None:
    """Which files there are now, which there are not, and what to do next."""
    from icp_sync.learning.enough import next_step

    if files := [str(path) for path in (written.profile, written.scores) if path is not None]:
        screen.say(f"Written: {', '.join(files)}")
    for path, why in written.unwritten.items():
        screen.say(f"Not written: {path}, as {why}.")
    if done.enough:
        screen.say(f"next: {next_step(done.learning, done.proving)}")
    elif refused := _if_refused(done):
        kept = "" if written.profile else "The profile was not kept. "
        again = f"icp-sync profile promote {written.profile}" if written.profile else SAME
        vouched = done.proof is not None and done.proof.verdict.vouch
        screen.say(f"{kept}next: {refused}" + (f"; then {again}" if vouched else ""))
    elif written.profile is None:
        screen.say(f"The profile was not kept. next: {SAME}")
    else:
        screen.say(f"next: read it, then icp-sync profile promote {written.profile}, with the same sources")


def _if_refused(done: Learned) -> str:
    """What to do about a profile that would not be promoted, "" for one that would."""
    from icp_sync.cli.profile.proof import LATER

    if done.proof is None or done.proof.verdict.passed:
        return ""
    return done.proof.verdict.vouch or LATER


def to_json(book: Book, definitions: Definitions, done: Learned, written: Written) -> dict[str, Any]:
    """All of it as plain data."""
    from icp_sync.cli.profile import proof
    from icp_sync.learning.enough import next_step

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
        "notes": list(done.notes),
        "findings": None if done.findings is None else _findings(done.findings),
        "proof": profile,
        "out": None if written.profile is None else str(written.profile),
        "scores": None if written.scores is None else str(written.scores),
        "not_written": {str(path): why for path, why in written.unwritten.items()},
        "next": next_step(done.learning, done.proving) if done.enough else _if_refused(done),
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
                "all_bands": one.omnibus,
                "trend": one.trend,
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
