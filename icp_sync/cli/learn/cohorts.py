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


def show_cohorts(screen: Screen, book: Book, definitions: Definitions) -> None:
    """The cohorts with their counts, why cases could not be placed, and what is missing."""
    show_placed(screen, book, definitions)
    show_missing(screen, book)


def show_placed(screen: Screen, book: Book, definitions: Definitions) -> None:
    """The cohorts with their counts, and why cases could not be placed."""
    from icp_sync.cli.text import counted, day

    whose = f"{counted(len(book.cases), 'case')} among {counted(len(book.crowd), 'account')}"
    if not book.cases:
        screen.say(f"{whose}: nothing that was decided in the last {definitions.months} months.")
    else:
        first, last = day(book.cases[0].decided), day(book.cases[-1].decided)
        screen.say(f"{whose}, decided from {first} to {last}:")
        rows = [
            (cohort, f"{n:,}", f"{n / len(book.cases):.0%}", meanings(definitions)[cohort])
            for cohort, n in ((str(c), n) for c, n in book.counts().items())
        ]
        screen.table(["cohort", "cases", "share", "who that is"], rows, right=(1, 2))
        good, told = _good(book, definitions)
        share = f", {good / told:.0%}" if told else ""
        screen.say(f"Good under the goal '{definitions.goal}': {good:,} of {told:,} that can tell{share}.")
    unplaced = _unplaced(book)
    if unplaced:
        screen.say("Not placed: " + "; ".join(f"{n:,} {why}" for why, n in unplaced.items()) + ".")


def show_missing(screen: Screen, book: Book) -> None:
    """What was left out or set aside, and notes."""
    from icp_sync.cli.text import counted, short

    if book.left_out or book.notes:
        screen.heading("What is missing or left out")
    if book.left_out:
        screen.say(f"- never learned from: {', '.join(sorted(book.left_out))}")
    for said in book.notes[:SHOWN]:
        screen.say(f"- {short(said, 400)}")
    if len(book.notes) > SHOWN:
        screen.say(f"- and {counted(len(book.notes) - SHOWN, 'more note')}: --json has all")


def cohorts_json(book: Book, definitions: Definitions) -> dict[str, object]:
    """The same as plain data. Instants are UTC epoch seconds, shares in [0, 1]."""
    good, told = _good(book, definitions)
    return {
        "goal": str(definitions.goal),
        "accounts": len(book.crowd),
        "cases": len(book.cases),
        "recorded": sum(case.recorded for case in book.cases),
        "good": good,
        "told": told,
        "since": book.cases[0].decided if book.cases else None,
        "until": book.cases[-1].decided if book.cases else None,
        "currency": book.currency,
        "cohorts": {str(cohort): n for cohort, n in book.counts().items()},
        "definitions": meanings(definitions),
        "not_placed": _unplaced(book),
        "left_out": dict(book.left_out),
        "notes": list(book.notes),
    }


def meanings(by: Definitions) -> Mapping[str, str]:
    """Cohort → who belongs to it, as defined here."""
    from icp_sync.cli.text import span
    from icp_sync.learning.cases import Cohort

    stayed = f"a customer for {span(by.retained_after)}, or renewed"
    high = (
        f"worth {_amount(by.min_value)} or more" if by.min_value else f"the top {by.high_value:.0%} by value"
    )
    return {
        Cohort.BEST.value: f"{stayed}; {high}",
        Cohort.LOW.value: f"{stayed}; the bottom {by.low_value:.0%} by value",
        Cohort.CHURNED.value: "was won and left",
        Cohort.NEVER.value: f"deals open for more than {span(by.stale_after)}",
        Cohort.LOST.value: "deals lost, none won",
        Cohort.UNPLACED.value: "won, and one cannot say",
    }


def _amount(money: Money) -> str:
    return f"{money.low:,.0f} {money.currency}"


def _good(book: Book, by: Definitions) -> tuple[int, int]:
    """Good cases under the goal, and all that can tell."""
    answers = [good for case in book.cases if (good := case.good(by.goal)) is not None]
    return sum(answers), len(answers)


def _unplaced(book: Book) -> dict[str, int]:
    """Why cases could not be placed → how many, the commonest first."""
    return dict(Counter(case.why for case in book.cases if case.why).most_common())
