"""`learn --describe`: what a few of the best customers share, a draft that says it is a hypothesis, and the
questions to ask them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from icp_sync.errors import ConfigError, Problem
from icp_sync.reporting.text import clean, counted

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.few.describe import Description, Trait
    from icp_sync.learning.few.interview import Customer

SHOWN = 15
"""Traits on a screen; a document has all of them."""


def described(
    book: Book,
    definitions: Definitions,
    *,
    best: Path | None = None,
    interview: Path | None = None,
    out: Path | None = None,
    name: str = "hypothesis",
    connection: str = "",
    as_json: bool = False,
) -> None:
    """Describe the customers of the file `best`, else those worth most, one of every group of companies.

    The draft goes to `out` and the questions to `interview`. Raises ConfigError where there are too few.
    """
    from icp_sync.cli.learn.cohorts import cohorts_json, show_cohorts
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.learning.few.describe import describe, once

    _spare(interview)
    whole, grouped = book, ""
    if best is None:  # a list somebody wrote is taken at its word
        book, grouped = once(book)
    chosen, notes = _chosen(book, best)
    notes += [grouped] if grouped else []
    found = describe(book, chosen)
    written = _draft(found, book, name, out)
    asked = _interview(book, chosen, interview, connection) if interview is not None else None
    if as_json:
        cohorts = cohorts_json(whole, definitions)
        settings, rows = ("", 0) if asked is None else asked
        report = {**to_json(found, notes), "out": written, "interviewed": rows, "settings": settings}
        document({"cohorts": cohorts, **report})
        return
    screen = Screen.here()
    show_cohorts(screen, whole, definitions)
    show(screen, found, notes)
    if written:
        screen.say()
        screen.say(f"The draft is in {written}: a hypothesis. Nothing promotes it; look at it first:")
        screen.say(f"icp-sync profile check {written}")
    elif out is not None:
        screen.say(f"Not written: {out}, as there is no draft.")
    if asked is not None:
        screen.heading(f"Fill in {interview}, then add these lines to the settings")
        screen.say(asked.said)
        print(
            clean(asked.settings, keep="\n").rstrip()
        )  # whole lines, however narrow the screen: to be copied


class Asked(NamedTuple):
    """The lines of the settings that read the answers; customers: rows of the file."""

    settings: str
    customers: int

    @property
    def said(self) -> str:
        """How many are asked, and why no more."""
        from icp_sync.learning.few.interview import MOST

        many = f", the best {MOST}: with more, answers repeat themselves"
        why = many if self.customers == MOST else ", those that have a domain"
        return f"It has a row for {counted(self.customers, 'customer')}{why}."


def _spare(interview: Path | None) -> None:
    """Raises ConfigError where the questions would be written over somebody's answers."""
    if interview is not None and interview.exists():
        what = "is there already, perhaps with answers"
        raise ConfigError([Problem(where=f"--interview {interview}", what=what, hint="name a new file")])


def _chosen(book: Book, best: Path | None) -> tuple[list[str], list[str]]:
    """Whom to describe, and notes on the list they come from."""
    from icp_sync.learning.few.describe import FEWEST, best_of, unvalued, who_they_are
    from icp_sync.learning.few.named import named

    chosen, notes = (best_of(book), []) if best is None else named(best, book)
    if len(chosen) < FEWEST:
        who = f"{best} names" if best is not None else "there are"
        what = f"{who} {counted(len(chosen), 'customer')} to describe, and {FEWEST} are the fewest"
        raise ConfigError(what, next_step="icp-sync learn --describe --best FILE.csv, with more of the best")
    if best is not None:
        return chosen, [f"described are the {len(chosen):,} customers that {best} names", *notes]
    notes = [who_they_are(book, chosen)]
    if n := unvalued(book, chosen):
        notes.append(f"of {n:,} of them nobody knows the worth")
    return chosen, notes


def _draft(found: Description, book: Book, name: str, out: Path | None) -> str:
    """Write the draft where there is one and somebody wants it; the path, "" for neither."""
    from icp_sync.learning.few.describe import draft_text
    from icp_sync.tables.writing import whole

    if out is None or found.draft is None:
        return ""
    text = draft_text(found, book, name=name)
    with whole(out, mark=False) as stream:
        stream.write(text)
    return str(out)


def _interview(book: Book, chosen: list[str], path: Path, connection: str) -> Asked:
    """Write the questions."""
    from icp_sync.domain.facts import CATALOGUE
    from icp_sync.learning.few import interview
    from icp_sync.tables.writing import whole

    customers = _customers(book, chosen)[: interview.MOST]
    if not customers:
        what = "none of these customers has a domain, by which answers are found again"
        raise ConfigError(what, next_step="fill in the domains, then icp-sync learn --interview FILE.csv")
    with whole(path) as stream:
        interview.write(stream, customers)
    declared = [fact for fact in book.types if fact not in CATALOGUE]
    lines = interview.settings_lines(str(path), connection or "main", declared=declared)
    return Asked(lines, len(customers))


def _customers(book: Book, chosen: list[str]) -> list[Customer]:
    from icp_sync.learning.few.interview import Customer
    from icp_sync.learning.few.named import known

    accounts = known(book)
    return [Customer(accounts[id].domain, accounts[id].name) for id in chosen if accounts[id].domain]


def show(screen: Screen, found: Description, notes: list[str]) -> None:
    """The traits, strongest first, and what a draft would ask."""
    from icp_sync.learning.few.describe import EQUAL

    screen.heading(found.said)
    traits = found.strongest(SHOWN)
    if not traits:
        screen.say("They share nothing that others do not.")
    else:
        rows = [
            (
                t.words,
                f"{t.hits} of {t.known}",
                f"{t.share:.0%}",
                f"{t.low:.0%}–{t.high:.0%}",
                f"{t.base:.0%}" if t.base_known else "unknown",
                _chance(t.p),
                _remark(t),
            )
            for t in traits
        ]
        heads = ["trait", "of them", "share", "may be", "others", "by chance", ""]
        screen.table(heads, rows, right=(1, 2, 3, 4, 5))
    for said in (*notes, *found.notes):
        screen.say(f"- {said}")
    screen.heading("A draft")
    if found.draft is None:
        screen.say(
            "Fewer than two traits mark them, so there is none: name more customers, or interview them."
        )
        return
    criteria = [
        (s.name, s.layer, s.points, f"{s.rate:.0%}", f"{s.others or 0:.0%}") for s in found.draft.steps
    ]
    screen.table(["criterion", "layer", "points", "of them", "others"], criteria, right=(2, 3, 4))
    screen.say(f"{EQUAL[0].upper()}{EQUAL[1:]}.")


def _chance(p: float) -> str:
    """How often chance alone makes so large a difference."""
    return "< 1 in 1,000" if p < 0.001 else f"1 in {1 / p:,.0f}" if p < 0.5 else "every other time"


def _remark(trait: Trait) -> str:
    if trait.doubt:
        return "may come with being a customer"
    return f"so do: {', '.join(trait.also)}" if trait.also else ""


def to_json(found: Description, notes: list[str]) -> dict[str, object]:
    """The whole description as plain data. Shares in [0, 1]."""
    draft = found.draft
    return {
        "said": found.said,
        "hypothesis": True,
        "best": list(found.best),
        "others": found.base,
        "traits": [_trait_json(trait) for trait in found.traits],
        "draft": None
        if draft is None
        else [{"name": s.name, "layer": s.layer, "points": s.points, "share": s.rate} for s in draft.steps],
        "notes": [*found.notes, *notes],
    }


def _trait_json(trait: Trait) -> dict[str, object]:
    return {
        "fact": trait.fact,
        "trait": trait.words,
        "layer": trait.layer,
        "hits": trait.hits,
        "known": trait.known,
        "share": trait.share,
        "low": trait.low,
        "high": trait.high,
        "others": trait.base,
        "others_known": trait.base_known,
        "p": trait.p,
        "adjusted": trait.adjusted,
        "also": list(trait.also),
        "doubt": trait.doubt,
    }
