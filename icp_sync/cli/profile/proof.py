"""What a profile shows on cases whose end is known, on one screen and as JSON.

For `profile backtest` and `profile promote`, which differ only in what they do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.profile import Profile
    from icp_sync.learning.cases import Book, Goal
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.figures.ranking import Estimate
    from icp_sync.learning.proof.backtest import Backtest, Band, TierRow
    from icp_sync.learning.proof.gate import Comparison, Verdict
    from icp_sync.learning.proof.proving import Challengers, Proof, Split

SELECTION = (
    "Tried only on companies somebody chose to sell to: how it ranks others, or those whose losing deals "
    "were deleted, is not known."
)
WHO = "Who the cases are, and what was left out of them: --json."
LATER = "icp-sync learn, once more is decided"
EDITED = "edited since it was learned, so no rate was foretold of its questions."
HINDSIGHT = "Whoever wrote it may have known these outcomes already: the figures are hindsight, not proof."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the cases come from, as the options of a command say."""

    config: Path | None
    connection: str | None
    accounts: Path | None
    deals: Path | None
    join: Path | None
    columns: Sequence[str]
    currency: str


def cases_of(source: Source) -> tuple[Book, Definitions]:
    """The cases, and by which definitions they were placed. Raises ConfigError with every problem."""
    from icp_sync.cli.learn.sources import book_for

    return book_for(
        source.config,
        source.connection,
        source.accounts,
        source.deals,
        source.columns,
        source.currency,
        join=source.join,
    )


def proven(profiles: Sequence[Profile], active: Sequence[Profile], book: Book, goal: Goal) -> Proof:
    """How the profiles do on the cases, against the active ones among others.

    goal: of profiles that name none. Nobody is shown a fact, or a member of a set, that gives the outcome
    away: as the cases to learn from tell, or all of them for a profile written by hand. Raises ConfigError
    when no case can tell anything.
    """
    from icp_sync.learning.learn import given_away
    from icp_sync.learning.marks.coded import coded
    from icp_sync.learning.past.leaks import leaking_members
    from icp_sync.learning.past.withheld import without_members
    from icp_sync.learning.proof.challengers import challengers
    from icp_sync.learning.proof.proving import prove, split

    parted = split(profiles, book, goal)
    if not parted.proving:
        raise _nothing_to_judge_by(parted)
    told = parted.learning or parted.proving
    withheld = leaking_members(told, book.types, vouched=book.known_before)
    hidden = given_away(book, without_members(told, withheld))
    currency = profiles[0].currency

    def opponents(cases: Split) -> Challengers:
        facts = [case.facts for case, _ in cases.learning]
        asked = coded(facts, book.types, currency=currency, left_out=hidden.keys())
        return challengers(cases, book.types, currency=currency, asked=asked)

    return prove(profiles, active, book, goal, hidden, challengers=opponents, withheld=withheld)


def unseen(profile: Profile, hidden: Mapping[str, str]) -> tuple[str, ...]:
    """Facts by which a profile gives points or excludes, and that it was not shown: it scored otherwise here
    than it will on the record."""
    from icp_sync.learning.past.suspects import asked_by

    return tuple(fact for fact in asked_by(profile) if fact in hidden and fact != "population")


def _nothing_to_judge_by(parted: Split) -> ConfigError:
    since = "" if parted.until is None else _day(parted.until)
    what = f"no case was decided since {since}" if since else "there is no case whose end is known"
    step = "icp-sync learn (it counts the cases and says what is missing)"
    return ConfigError(f"{what}, so there is nothing to judge a profile by", next_step=step)


def to_json(profiles: Sequence[Profile], proof: Proof) -> dict[str, Any]:
    """All figures of a proof."""
    told, parted, verdict = proof.backtest, proof.split, proof.verdict
    figures = asdict(told) | {
        "auc": _estimate(told.auc),
        "lift_a": _estimate(told.lift_a),
        "since": _day(told.since),
        "until": _day(told.until),
        "tiers": [asdict(row) | {"precision": row.precision} for row in told.tiers],
    }
    return {
        "profiles": [profile.name for profile in profiles],
        "goal": parted.goal.value,
        "learned_until": None if parted.until is None else _day(parted.until),
        "learning": {"cases": len(parted.learning), "good": sum(good for _, good in parted.learning)},
        "set_aside": parted.note,
        "backtest": figures,
        "passed": verdict.passed,
        "comparisons": [
            {
                "against": one.against,
                "auc": one.auc,
                "difference": _estimate(one.difference),
                "beaten": one.beaten,
                "said": one.said,
            }
            for one in verdict.comparisons
        ],
        "reasons": list(verdict.reasons),
        "enough": verdict.enough,
        "vouch": verdict.vouch,
        "hidden": dict(proof.hidden),
        "suspected": dict(proof.suspected),
        "edited": list(proof.edited),
        "unseen": {profile.name: list(unseen(profile, proof.hidden)) for profile in profiles},
        "selection": SELECTION,
    }


def audited(proof: Proof) -> dict[str, Any]:
    """The figures an entry in the audit carries, rounded to what they can bear."""
    told = proof.backtest
    return {
        "cases": told.n,
        "good": told.good,
        "base": round(told.base, 4),
        "auc": _rounded(told.auc),
        "lift of A": _rounded(told.lift_a),
        "against": {one.against: _rounded(one.difference) for one in proof.verdict.comparisons},
    }


def _rounded(estimate: Estimate | None) -> list[float] | None:
    """Low, value, high."""
    return None if estimate is None else [round(part, 4) for part in estimate]


def _estimate(estimate: Estimate | None) -> Mapping[str, float] | None:
    return None if estimate is None else estimate._asdict()


def show(
    screen: Screen, profiles: Sequence[Profile], proof: Proof, *, reasons: bool = True, alone: bool = True
) -> None:
    """The proof for people, in a third of a screen, the verdict first. reasons: also why it is not proven,
    where nobody else says it. alone: nobody said before what passed and what is hidden."""
    from icp_sync.reporting.text import counted

    told, parted, against = proof.backtest, proof.split, proof.verdict.comparisons
    if alone:
        show_verdict(screen, proof.verdict, reasons=reasons)
    names = ", ".join(profile.name for profile in profiles)
    judged = f"judged on {counted(told.n, 'case')} until {_day(told.until)}"
    if parted.until is not None:
        learned = f"learned from {counted(len(parted.learning), 'case')} before {_day(parted.until)}"
        judged = f"{learned}, judged on {told.n:,} since"
    whose = f"{names}: {judged}" if alone else f"{judged[0].upper()}{judged[1:]}"
    screen.say(f"{whose}: {told.good:,} good ({_percent(told.base)})", "bold")
    show_tiers(screen, told)
    screen.say(" ".join([*_figures(told), *(_misses(told) if alone else ()), SELECTION]))
    if told.hindsight:
        screen.say(f"! {HINDSIGHT}", "yellow")
    elif proof.edited:
        screen.say(f"! {', '.join(proof.edited)}: {EDITED}", "yellow")
    if parted.note and alone:
        screen.say(f"{parted.note[0].upper()}{parted.note[1:].rstrip('.')}.")
    if proof.hidden and alone:
        screen.say(f"Hidden from every profile, as they give the outcome away: {', '.join(proof.hidden)}.")
    for profile in profiles:
        if missed := unseen(profile, proof.hidden):
            told_of = f"{profile.name} asks about {', '.join(missed)}"
            screen.say(
                f"! {told_of}: hidden here, so it scored otherwise than it will on the record.", "yellow"
            )
    rows = [(one.against, "shown" if one.beaten else "NOT shown", _ahead(one)) for one in against]
    screen.table(["ranks better than", "", "AUC ahead by"], rows, ruled=False)


def show_tiers(screen: Screen, told: Backtest) -> None:
    """What became of each tier, and what was foretold."""
    foretold = {band.name: band for band in told.calibration if band.expected is not None}
    heads = ["tier", "cases", "good", "rate", "95 %", "foretold", "lift", "of all good"]
    rows = [_tier(row, foretold.get(row.tier)) for row in told.tiers]
    screen.table(heads, rows, right=range(1, len(heads)), ruled=False)
    groups = [band for band in told.calibration if band.expected is None]
    if groups:
        cells = [(b.name, f"{b.n:,}", _percent(b.observed), f"{_span(b.low, b.high)}") for b in groups]
        screen.table(["by score", "cases", "rate", "95 %"], cells, right=(1, 2, 3), ruled=False)


def _tier(row: TierRow, band: Band | None) -> tuple[str, ...]:
    if row.rate is None:
        return (row.tier, "0", "·", "·", "·", "·", "·", "·")
    foretold = "·"
    if band is not None and band.expected is not None:
        foretold = _percent(band.expected) + ("" if band.held else " !")
    return (
        row.tier,
        f"{row.n:,}",
        f"{row.good:,}",
        _percent(row.rate),
        _span(row.low, row.high),
        foretold,
        "·" if row.lift is None else f"{row.lift:.2f}",
        "·" if row.recall is None else _percent(row.recall),
    )


def _figures(told: Backtest) -> Iterator[str]:
    """What the table does not say, in sentences."""
    if any(band.held is False for band in told.calibration):
        yield "!: it came otherwise than foretold."
    if told.auc is not None:
        yield f"AUC {_of(told.auc, 3)}: how often a good case ranks above another."
    if told.lift_a is not None:
        yield f"Tier A ({told.tiers[0].n:,}): {_of(told.lift_a, 2)} times the base."
    if told.outside:
        yield f"{told.outside:,} of the cases are out of its scope."


def _misses(told: Backtest) -> Iterator[str]:
    if told.brier is not None:
        yield f"Foretold rates miss by {told.brier:.3f} (Brier), the base alone by {told.brier_base:.3f}."


def _ahead(one: Comparison) -> str:
    if one.difference is None or one.auc is None:
        return one.said
    low, value, high = one.difference
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def show_verdict(screen: Screen, verdict: Verdict, *, reasons: bool = True) -> None:
    """Whether it may be promoted, and if not why, and what would be enough."""
    if verdict.passed:
        screen.say("Proven: it ranks better than all three, by the lower end of each interval.", "bold green")
        return
    if not reasons:
        return
    screen.say("Not proven:", "bold")
    for reason in verdict.reasons:
        screen.say(f"- {reason}")
    screen.say(verdict.enough)


def ended(said: str) -> str:
    """A sentence with its full stop, where it is no question."""
    return said if said.endswith("?") else f"{said}."


def _of(estimate: Estimate, digits: int) -> str:
    low, value, high = (f"{part:.{digits}f}" for part in estimate)
    return f"{value} ({low} to {high})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _span(low: float, high: float) -> str:
    return f"{100 * low:.0f}–{100 * high:.0f} %"


def _day(instant: float) -> str:
    from icp_sync.reporting.text import day

    return day(instant)
