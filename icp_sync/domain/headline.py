"""What decides on an account, in words: its standing, what outranks the points, and what people decided.

Knows nothing of single points, of changes or of owners.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from icp_sync.domain.assessment import Assessment
from icp_sync.domain.conditions import Condition
from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, Evaluation, capped
from icp_sync.domain.ownership import editor_text
from icp_sync.domain.profile import Effect, Flag
from icp_sync.domain.spelling import date_text, ended, named, plain
from icp_sync.domain.standing import STATES

_WHY = 120
"""Characters of the reason that somebody gave for an override."""
_OPEN = 3
"""Open must-haves and flags that are named."""


Quote = Callable[[Condition, str], str]
"""What decided, as the account has it and with who says so: a condition and the profile's currency →
"clearbit: business model agency", or ""."""


class Rest(Enum):
    """How a first line goes on."""

    WHOLE = "it is all said"
    TOP = "with the strongest reason"
    GAP = "with what is missing first"


def unquoted(when: Condition, currency: str) -> str:
    return ""


def standing_text(evaluation: Evaluation) -> str:
    """Our own tier, the score or its range, and how sure that is: "B, score 57–80, provisional".

    Not called firm while it is about to move: "A for now, score 85 (A from 87)"."""
    tier = evaluation.model_tier
    span = f"{evaluation.score}" if _settled(evaluation) else f"{evaluation.low}–{evaluation.high}"
    moves = bool(_pending(evaluation))
    said = f"{tier}{' for now' * moves}, score {span}{_boundary(evaluation) if moves else ''}"
    sure = len(tier) == 1 and evaluation.override is None and not (moves and evaluation.firm)
    return f"{said}, {evaluation.certainty}" if sure else said


def _settled(evaluation: Evaluation) -> bool:
    """Whether the score can only be this one."""
    shown, several = evaluation.shown, len(evaluation.assessments) > 1
    return evaluation.low == evaluation.high or (shown.least == shown.most and not several)


def _boundary(evaluation: Evaluation) -> str:
    """Which tier begins where a small move crosses, "" where it is not points that move it."""
    before, then = evaluation.raw_tier, evaluation.pending_tier
    if len(before) > 1 or len(then) > 1:
        return ""
    tier = chr(ord(before) - 1) if then < before else before
    return f" ({tier} from {evaluation.shown.profile.tiers.threshold(tier)})"


def decided(evaluation: Evaluation, quote: Quote = unquoted) -> str:
    """The one thing that outranks the points, as a clause; "" where the points decide."""
    tier = evaluation.model_tier
    if tier == NOT_ICP:
        return _ruled_out(evaluation, quote)
    if moves := _pending(evaluation):
        return moves
    if tier == NEEDS_DATA:
        least = round(100 * evaluation.shown.profile.tiers.min_coverage)
        needed = f", {least} % needed" if evaluation.coverage < least else ""
        return f"{evaluation.coverage} % of the profile is known{needed}"
    for flag in _capping(evaluation):
        if flag.cap == tier != evaluation.raw_tier:
            return f"capped at {tier} by flag {named(flag.name)}, else {evaluation.raw_tier}"
    if evaluation.firm or not (still := open_items(evaluation)):
        return ""
    return ", ".join(filter(None, [_could_be(evaluation), f"{still[0]} is not known yet"]))


def _could_be(evaluation: Evaluation) -> str:
    """What else missing facts may still make of it: "could be B or Not ICP"; "" of a firm tier."""
    if evaluation.firm:
        return ""
    ours, possible = evaluation.model_tier, evaluation.possible
    others = [tier for tier in STATES if tier in possible and tier != ours]
    *most, last = others or [""]
    return f"could be {', '.join(most)}{' or ' if most else ''}{last}" if last else ""


def _ruled_out(evaluation: Evaluation, quote: Quote) -> str:
    if len(evaluation.assessments) > 1:
        return f"none of {len(evaluation.assessments)} profiles fits"
    return _failed(evaluation.shown, quote)


def _failed(assessment: Assessment, quote: Quote) -> str:
    """Why a profile failed, at most three of its reasons, each with what the account has."""
    profile = assessment.profile
    found = [
        (f"must-have {named(one.name)} is not met", one.when)
        for at, one in enumerate(profile.criteria)
        if one.required and assessment.criterion(at)[1] == 0.0
    ]
    excluding = [flag for flag in assessment.flags_true if flag.effect is Effect.EXCLUDE]
    found += [(f"excluded by flag {named(flag.name)}", flag.when) for flag in excluding]
    quoted = ((said, quote(when, profile.currency)) for said, when in found[:_OPEN])
    return "; ".join(f"{said} ({has})" if has else said for said, has in quoted)


def _capping(evaluation: Evaluation) -> list[Flag]:
    return [flag for flag in evaluation.shown.flags_true if flag.effect is Effect.CAP]


def _pending(evaluation: Evaluation) -> str:
    """A small move across a boundary that waits until it has lasted."""
    if not evaluation.pending_tier or evaluation.pending_since is None or evaluation.override is not None:
        return ""
    then = capped(evaluation.pending_tier, evaluation.shown)
    if then == evaluation.tier:
        return ""
    moves = evaluation.pending_since + evaluation.shown.profile.tiers.dwell
    return f"moves to {then} on {date_text(moves)} if this lasts"


def open_items(evaluation: Evaluation) -> list[str]:
    """Must-haves and flags that could still decide, and that nobody knows of."""
    shown = evaluation.shown
    gates = [
        f"must-have {gate.said}"
        for gate in shown.compiled.asking.gates
        if shown.answers[gate.at] == 0.0 and shown.answers[gate.at + 1] == 1.0
    ]
    flags = [f"flag {named(one.name)}" for one in shown.flags_unknown if one.effect is not Effect.MARK]
    return gates + flags


def override_text(evaluation: Evaluation) -> str:
    """Whose tier it is, until when and why; "" where it is ours."""
    override = evaluation.override
    if override is None:
        return ""
    by = editor_text(override.by)
    if override.direct:
        stays = f"until {date_text(override.until)}" if override.until is not None else "for good"
        said = f"typed over ours by {by} on {date_text(override.since)}, stays {stays}"
    else:
        said = f"set by {by}"
        said += f" until {date_text(override.until)}" if override.until is not None else ""
    why = plain(override.why, _WHY).rstrip(".")
    return ended(f"{evaluation.tier}, {said}{f': {why}' if why else ''}")


def first_words(evaluation: Evaluation, quote: Quote = unquoted) -> tuple[str, Rest]:
    """How the first line begins, and how it goes on: whole where something outranks the points."""
    if evaluation.override is not None:
        return override_text(evaluation), Rest.WHOLE
    standing = standing_text(evaluation)
    if what := decided(evaluation, quote):
        return ended(f"{standing}: {what}"), Rest.WHOLE
    if could := _could_be(evaluation):
        return f"{standing}: {could}", Rest.GAP
    return standing + _short_of_a(evaluation), Rest.TOP


def _short_of_a(evaluation: Evaluation) -> str:
    """How much a B whose score is settled lacks, with what it lost the most by after it."""
    short = evaluation.shown.profile.tiers.a - evaluation.score
    asked = evaluation.model_tier == evaluation.raw_tier == "B" and _settled(evaluation)
    return f", {short} short of A" if asked and short > 0 else ""


def below_first(evaluation: Evaluation, quote: Quote = unquoted) -> list[str]:
    """The lines below the first that do not depend on points: what the profile says of an overridden tier,
    which profiles failed why, what is still open, which flags only mark."""
    lines = []
    if evaluation.override is not None:
        what = decided(evaluation, quote)
        lines.append(ended(f"The profile says {standing_text(evaluation)}{f': {what}' if what else ''}"))
    elif evaluation.override_note:
        lines.append(ended(plain(evaluation.override_note, 160)))
    if evaluation.model_tier == NOT_ICP:
        if len(evaluation.assessments) > 1:
            lines += [
                ended(f"{named(one.profile.name)}: {_failed(one, quote)}") for one in evaluation.assessments
            ]
        return lines
    still = open_items(evaluation)
    idle = [flag for flag in evaluation.shown.flags_true if flag.effect is not Effect.EXCLUDE]
    if not still and not idle:
        return lines
    said = decided(evaluation)
    if still and said.endswith(f"{still[0]} is not known yet"):
        still = still[1:]
    if still:
        more = f" and {len(still) - _OPEN} more" if len(still) > _OPEN else ""
        lines.append(ended(f"Not known yet: {'; '.join(still[:_OPEN])}{more}"))
    marks = [named(flag.name) for flag in idle if f"by flag {named(flag.name)}," not in said]
    if marks:
        lines.append(ended(f"Flagged: {'; '.join(marks[:_OPEN])}"))
    return lines
