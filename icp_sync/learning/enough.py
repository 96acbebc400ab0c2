"""What would be enough, where there is not enough evidence. Sentences of figures; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from icp_sync.learning.cases import Labelled
from icp_sync.learning.days import day_of
from icp_sync.learning.figures.chance import OUT_OF_REACH, needed
from icp_sync.learning.figures.roughly import roughly
from icp_sync.learning.marks.attributes import Findings
from icp_sync.learning.proof.gate import LEAST_LEARNED, LEAST_PROVED

DESCRIBE = "icp-sync learn --describe, for a hypothesis from your best customers"


def too_few(learning: Sequence[Labelled], proving: Sequence[Labelled], until: date | None) -> str:
    """Why so few cases can teach or prove nothing, "" where they can."""
    if until is None and not learning:
        return "no account has an end yet: nothing was won, lost or given up within the months looked at"
    lacking = []
    for what, cases, least in (
        ("learn from", learning, LEAST_LEARNED),
        ("prove it on", proving, LEAST_PROVED),
    ):
        good = sum(one.good for one in cases)
        others = len(cases) - good
        if good < least or others < least:
            lacking.append(f"{good:,} good and {others:,} others to {what}; it takes {least} of each")
    return "; ".join(lacking)


def more_cases(findings: Findings) -> str:
    """How many cases the strongest difference would take to be told from chance."""
    marks = [mark for one in findings.attributes for mark in one.marks if mark.n and mark.other_n]
    if not marks:
        return (
            "no fact is known of enough accounts to be asked about; icp-sync facts discover shows the fields"
        )
    mark = min(marks, key=lambda one: (one.adjusted, one.p))
    share = mark.n / (mark.n + mark.other_n)
    alpha = findings.rate / max(1, findings.tried)
    cases = needed(findings.base, mark.rate, share, alpha=alpha)
    asked = f"of {findings.tried:,} questions about {len(findings.attributes)} facts"
    strongest = f"the strongest, {mark.question.words} (lift {mark.lift:.1f}),"
    if cases >= OUT_OF_REACH:
        return f"{asked} none tells anything: {strongest} is what chance gives"
    known = (mark.n + mark.other_n) / findings.n
    total = roughly(round(cases / known), findings.n)
    return (
        f"{asked} none is told from chance: {strongest} would take {total} cases to learn from, if it is "
        f"real; there are {findings.n:,}"
    )


def next_step(learning: Sequence[Labelled], proving: Sequence[Labelled]) -> str:
    """What helps, where there is not enough evidence."""
    told = [*learning, *proving]
    if not told:
        return "icp-sync learn --describe --best FILE.csv, which needs no deals"
    good = sum(one.good for one in told)
    if good in (0, len(told)):
        kind, other = ("lost", "won") if good else ("won", "lost")
        return f"add the {kind} deals to what is read: what marks the {other} ones shows only beside them"
    first, last = (day_of(end(one.case.decided for one in told)) for end in (min, max))
    enough = min(good, len(told) - good) >= LEAST_LEARNED + LEAST_PROVED
    if enough and not (learning and proving) and first < last:
        return f"name a day between {first} and {last} with --until, as the data goes from then to then"
    return DESCRIBE
