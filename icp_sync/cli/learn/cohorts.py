"""Who turned out to be what, and what is missing: shown before anything is learned from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.facts import Money
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions

SHOWN = 12
"""Notes on a screen; a document has all of them."""
WORST = 5
"""Facts named on a screen because little is known of them."""
_ALL = 0.995
_CHURNED = "churned"


def show_cohorts(screen: Screen, book: Book, definitions: Definitions) -> None:
    """The cohorts with their counts, why cases could not be placed, and what is missing."""
    show_placed(screen, book, definitions)
    show_missing(screen, book)


def show_placed(screen: Screen, book: Book, definitions: Definitions) -> None:
    """The cohorts with their counts, and why cases could not be placed."""
    from icp_sync.learning.past.wanting import of_goal
    from icp_sync.reporting.text import counted, day

    whose = f"{counted(len(book.cases), 'case')} among {counted(len(book.crowd), 'account')}"
    if not book.cases:
        screen.say(f"{whose}: nothing that was decided in the last {definitions.months} months.")
    else:
        first, last = day(book.cases[0].decided), day(book.cases[-1].decided)
        when = f"decided from {first} to {last}" if book.dated else "and nothing says when they were decided"
        screen.say(f"{whose}, {when}:")
        who = meanings(definitions, churn_told=book.churn_told)
        rows = [
            (
                str(cohort),
                *_count(n, len(book.cases), told=book.churn_told or cohort != _CHURNED),
                who[cohort],
            )
            for cohort, n in book.counts().items()
        ]
        screen.table(["cohort", "cases", "share", "who that is"], rows, right=(1, 2), ruled=False)
        good, told = _good(book, definitions)
        share = f", {good / told:.0%}" if told else ""
        whatever = "" if _kept_told(book, definitions) else ", whether or not they stayed"
        screen.say(
            f"Good under the goal '{definitions.goal}'{whatever}: {good:,} of {told:,} that can tell{share}."
        )
        for said in of_goal(book, definitions):
            screen.say(f"{said}.")
    unplaced = _unplaced(book)
    if unplaced:
        screen.say("Not placed: " + "; ".join(f"{n:,} {why}" for why, n in unplaced.items()) + ".")
    gaps = [(fact, share) for fact, share in book.known().items() if share < _ALL][:WORST]
    if book.cases and gaps:
        listed = ", ".join(f"{fact} {share:.0%}" for fact, share in gaps)
        screen.say(f"Known least often, as a share of the cases: {listed}.")


def show_missing(screen: Screen, book: Book) -> None:
    """What was left out or set aside, and notes."""
    from icp_sync.reporting.text import counted, short

    if book.left_out or book.notes:
        screen.heading("What is missing or left out")
    if book.left_out:
        screen.say(f"- never learned from: {', '.join(sorted(book.left_out))}")
    for said in book.notes[:SHOWN]:
        screen.say(f"- {short(said, 400)}")
    if len(book.notes) > SHOWN:
        screen.say(f"- and {counted(len(book.notes) - SHOWN, 'more note')}: --json has all")


def cohorts_json(book: Book, definitions: Definitions) -> dict[str, object]:
    """The same as plain data. Instants are UTC epoch seconds, shares in [0, 1].

    known: fact → of which share of the cases it is. The count of those who left is None where nothing tells.
    """
    from icp_sync.learning.past.wanting import of_goal

    good, told = _good(book, definitions)
    return {
        "goal": str(definitions.goal),
        "accounts": len(book.crowd),
        "cases": len(book.cases),
        "recorded": sum(case.recorded for case in book.cases),
        "good": good,
        "told": told,
        "since": book.cases[0].decided if book.cases and book.dated else None,
        "until": book.cases[-1].decided if book.cases and book.dated else None,
        "currency": book.currency,
        "cohorts": {
            str(cohort): n if book.churn_told or cohort != _CHURNED else None
            for cohort, n in book.counts().items()
        },
        "churn_told": book.churn_told,
        "definitions": meanings(definitions, churn_told=book.churn_told),
        "not_placed": _unplaced(book),
        "left_out": dict(book.left_out),
        "known": book.known(),
        "notes": [*of_goal(book, definitions), *book.notes],
    }


def meanings(by: Definitions, *, churn_told: bool = True) -> Mapping[str, str]:
    """Cohort → who belongs to it, as defined here and as far as anything tells."""
    from icp_sync.learning.cases import Cohort
    from icp_sync.reporting.text import span

    stayed = f"a customer for {span(by.retained_after)}, or renewed"
    if not churn_told:
        stayed = f"won {span(by.retained_after)} ago or earlier, or renewed"
    high = (
        f"worth {_amount(by.min_value)} or more" if by.min_value else f"the top {by.high_value:.0%} by value"
    )
    return {
        Cohort.BEST.value: f"{stayed}; {high}",
        Cohort.LOW.value: f"{stayed}; the bottom {by.low_value:.0%} by value",
        Cohort.CHURNED.value: "was won and left" if churn_told else "not known: nothing says who left",
        Cohort.NEVER.value: f"deals open for more than {span(by.stale_after)}",
        Cohort.LOST.value: "deals lost, none won",
        Cohort.UNPLACED.value: "won, and one cannot say",
    }


def _count(n: int, cases: int, *, told: bool) -> tuple[str, str]:
    return (f"{n:,}", f"{n / cases:.0%}") if told else ("?", "")


def _kept_told(book: Book, by: Definitions) -> bool:
    return book.churn_told or str(by.goal) != "won"


def _amount(money: Money) -> str:
    return f"{money.low:,.0f} {money.currency}"


def _good(book: Book, by: Definitions) -> tuple[int, int]:
    """Good cases under the goal, and all that can tell."""
    answers = [good for case in book.cases if (good := case.good(by.goal)) is not None]
    return sum(answers), len(answers)


def _unplaced(book: Book) -> dict[str, int]:
    """Why cases could not be placed → how many, the commonest first."""
    return dict(Counter(case.why for case in book.cases if case.why).most_common())
