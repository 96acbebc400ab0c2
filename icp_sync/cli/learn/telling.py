"""What `icp-sync learn` found, on one screen and as JSON: who, what marks them, the points, the proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from icp_sync.cli.learn.cohorts import cohorts_json, show_placed
from icp_sync.cli.learn.marking import show_marks

if TYPE_CHECKING:
    from icp_sync.cli.learn.asked import Written
    from icp_sync.cli.rendering import Screen
    from icp_sync.learning.attributes import Findings, Mark
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.learn import Learned

NOTES = 5
"""Notes on the screen; a document has all of them."""
PLAIN = 160
"""Characters of a note where there is no screen to fit it to."""


def show(screen: Screen, book: Book, definitions: Definitions, done: Learned, written: Written) -> None:
    """The whole answer for people, on one screen: what came out, from whom, what it asks, how it does."""
    screen.say(_answer(done), "bold")
    for said in _because(done):
        screen.say(said)
    screen.say()
    show_placed(screen, book, definitions)
    _left_out(screen, book, done)
    if done.findings is not None:
        screen.say()
        show_marks(screen, done.findings, done.card)
    if done.proof is not None and done.profile is not None:
        from icp_sync.cli.profile import proof

        screen.say()
        proof.show(screen, [done.profile], done.proof, alone=False)
    screen.say()
    _next(screen, done, written)


def _answer(done: Learned) -> str:
    """What came out, in a sentence."""
    if done.enough:
        return "Not enough evidence for a profile."
    if done.proof is not None and not done.proof.verdict.passed:
        return "A profile was learned, and it would not be promoted as it stands."
    return "A profile was learned, and it would be promoted: it ranks later cases better than all three below."


def _because(done: Learned) -> Iterator[str]:
    """Why not, and what would be enough."""
    verdict = None if done.proof is None else done.proof.verdict
    reasons = () if verdict is None else verdict.reasons
    enough = done.enough or ("" if verdict is None else verdict.enough)
    if reasons:
        yield f"It is {'; '.join(reasons)}."
    if enough:
        yield f"{enough[0].upper()}{enough[1:].rstrip('.')}."


def _left_out(screen: Screen, book: Book, done: Learned) -> None:
    """Facts that follow the deal on a line, a line for each that the data give away, and notes."""
    from icp_sync.cli.text import counted
    from icp_sync.learning.leaks import OUTCOME_FACTS

    ruled = book.left_out.keys() | (done.left_out.keys() & OUTCOME_FACTS.keys())
    told = [f"{fact}: {why}" for fact, why in done.left_out.items() if fact not in ruled]
    told += [
        f"{fact}, {member}: {why}"
        for fact, members in done.withheld.items()
        if fact not in done.left_out
        for member, why in members.items()
    ]
    if ruled or told or book.notes:
        screen.say("What is left out or missing", "bold")
    if ruled:
        screen.say(f"- not learned from, as they follow the deal: {', '.join(sorted(ruled))}")
    for said in (*told, *book.notes[:NOTES]):
        screen.say(_line(screen, f"- {said}"))
    if len(book.notes) > NOTES:
        screen.say(f"- and {counted(len(book.notes) - NOTES, 'more note')}: --json has all")


def _line(screen: Screen, text: str) -> str:
    """The text, cut to a line of the screen."""
    from icp_sync.cli.text import short

    return short(text, PLAIN if screen.console is None else screen.console.width)


def _next(screen: Screen, done: Learned, written: Written) -> None:
    """Which files there are now, which there are not, and what to do next."""
    from icp_sync.learning.enough import next_step

    if files := [str(path) for path in (written.profile, written.scores) if path is not None]:
        screen.say(f"Written: {', '.join(files)}")
    for path, why in written.unwritten.items():
        screen.say(f"Not written: {path}, as {why}.")
    if done.enough:
        screen.say(f"next: {next_step(done.learning, done.proving)}")
    elif written.profile is None:
        screen.say("The profile was not kept. next: the same with --out FILE.yaml")
    else:
        screen.say(f"next: read it, then icp-sync profile promote {written.profile}, with the same sources")


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
        "findings": None if done.findings is None else _findings(done.findings),
        "proof": profile,
        "out": None if written.profile is None else str(written.profile),
        "scores": None if written.scores is None else str(written.scores),
        "not_written": {str(path): why for path, why in written.unwritten.items()},
        "next": next_step(done.learning, done.proving) if done.enough else "",
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
