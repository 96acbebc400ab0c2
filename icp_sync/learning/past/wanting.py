"""What a book lacks and what was set aside → sentences, shown before anything else."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from icp_sync.learning.cases import Book, Goal
from icp_sync.learning.definitions import DAY, Definitions

UNDATED = (
    "nothing says when anything was decided, so no profile can be proven on what came later: "
    "name a column of dates, such as Close Date"
)

CHURN_UNTOLD = (
    "nothing says which customers left, so all who were won count as kept: name the fact that says when as "
    '`churned_on` in the settings, or its column with --map "COLUMN=churned_on", or --join a file that has it'
)


def counted(n: int, one: str) -> str:
    """ "1 deal", "1,800 deals"."""
    return f"{n:,} {one}" if n == 1 else f"{n:,} {one}s"


class Want(StrEnum):
    """What is counted."""

    TWICE = "twice"
    WITHOUT = "without"
    STRANGERS = "strangers"
    OPEN = "open"
    NO_DATE = "no date"
    FUTURE = "future"
    OLD = "old"
    GUESSED = "guessed"
    NO_WORTH = "no worth"
    NO_CURRENCY = "no currency"


def sentences(met: Mapping[Want, int], by: Definitions) -> list[str]:
    """A sentence for each thing that was met at least once."""
    stale = f"{by.stale_after / DAY:,.0f} days"
    words: Mapping[Want, tuple[str, str]] = {
        Want.TWICE: ("account", "left out: its id is that of another"),
        Want.STRANGERS: ("deal", "left out: of accounts that are not here"),
        Want.WITHOUT: ("account", "without a deal or an outcome: part of the base, and no case"),
        Want.OPEN: (
            "account",
            f"with open deals of less than {stale}, or of unknown age: nothing is decided",
        ),
        Want.NO_DATE: ("account", "left out: nobody says when its deals were decided"),
        Want.FUTURE: ("account", "left out: decided in the future, which cannot be"),
        Want.OLD: ("account", f"left out: decided more than {by.months} months ago"),
        Want.GUESSED: ("deal", "without a close date: taken to have closed when created"),
        Want.NO_WORTH: (
            "retained customer",
            "of unknown worth, and not placed for that: name the fact that tells it as `value` in the "
            'settings, or its column with --map "COLUMN=value", or export amounts',
        ),
        Want.NO_CURRENCY: (
            "amount",
            "that customers are worth, in no currency that is said: unknown; --currency CODE says it",
        ),
    }
    return [f"{counted(n, one)} {rest}" for want, (one, rest) in words.items() if (n := met.get(want, 0))]


def nowhere(by: Definitions, seen: frozenset[str]) -> list[str]:
    """A sentence for each fact that the definitions name and no account has."""
    return [
        f"no account has the fact '{fact}', which the settings name as `{key}`: map a property to it, "
        "or join a file that has such a column"
        for fact, key in by.outcomes.items()
        if fact not in seen and key not in seen
    ]


def of_goal(book: Book, by: Definitions) -> list[str]:
    """What to know of the cases that were decided too lately for anybody to have stayed since."""
    stayed = f"less than {by.retained_after / DAY:,.0f} days ago"
    lately = [case for case in book.cases if not case.ripe]
    if by.goal is Goal.BEST:
        n = len(lately)
        why = "none of them counts, as nobody won so lately can have stayed yet"
        return [f"{counted(n, 'case')} decided {stayed}: {why}"] if n else []
    kept = sum(bool(case.good(by.goal)) for case in lately)
    if not kept or not book.churn_told:
        return []
    return [f"{counted(kept, 'customer')} won {stayed} count as kept, though they had little time to leave"]
