"""What decides on an account, in words: its standing, what outranks the points, and what people decided.

Knows nothing of single points, of changes or of owners.
"""

from __future__ import annotations

from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, Evaluation, capped
from icp_sync.domain.ownership import editor_text
from icp_sync.domain.profile import Effect, Flag
from icp_sync.domain.spelling import date_text, ended, plain
from icp_sync.domain.words import WORDS, failures

_WHY = 120
"""Characters of the reason that somebody gave for an override."""
_OPEN = 3
"""Open must-haves and flags that are named."""


def standing_text(evaluation: Evaluation) -> str:
    """Our own tier, the score or its range, and how sure that is: "B, score 57–80, provisional"."""
    low, high = evaluation.low, evaluation.high
    settled = len(evaluation.assessments) == 1 and evaluation.shown.least == evaluation.shown.most
    span = f"{evaluation.score}" if settled or low == high else f"{low}–{high}"
    said = f"{evaluation.model_tier}, score {span}"
    sure = len(evaluation.model_tier) == 1 and evaluation.override is None
    return f"{said}, {evaluation.certainty}" if sure else said


def decided(evaluation: Evaluation) -> str:
    """The one thing that outranks the points, as a clause; "" where the points decide."""
    tier = evaluation.model_tier
    if tier == NOT_ICP:
        return _ruled_out(evaluation)
    if moves := _pending(evaluation):
        return moves
    if tier == NEEDS_DATA:
        least = round(100 * evaluation.shown.profile.tiers.min_coverage)
        needed = f", {least} % needed" if evaluation.coverage < least else ""
        return f"{evaluation.coverage} % of the profile is known{needed}"
    for flag in _capping(evaluation):
        if flag.cap == tier != evaluation.raw_tier:
            return f"capped at {tier} by flag {plain(flag.name, WORDS)}, else {evaluation.raw_tier}"
    still = open_items(evaluation)
    return f"{still[0]} is not known yet" if still and not evaluation.firm else ""


def _ruled_out(evaluation: Evaluation) -> str:
    if len(evaluation.assessments) > 1:
        return f"none of {len(evaluation.assessments)} profiles fits"
    return "; ".join(plain(said, WORDS + 24) for said in _failures(evaluation, 0))


def _failures(evaluation: Evaluation, index: int) -> list[str]:
    """Why a profile failed, at most three of its reasons; an excluding flag says that it is one."""
    assessment = evaluation.assessments[index]
    flags = {flag.name for flag in assessment.flags_true if flag.effect is Effect.EXCLUDE}
    return [f"excluded by flag {one}" if one in flags else one for one in failures(assessment)][:_OPEN]


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
        f"must-have {plain(one.name, WORDS)}"
        for at, one in enumerate(shown.profile.criteria)
        if one.required and shown.criterion(at) == (0.0, 1.0)
    ]
    flags = [one for one in shown.flags_unknown if one.effect is not Effect.MARK]
    return gates + [f"flag {plain(one.name, WORDS)}" for one in flags]


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


def first_words(evaluation: Evaluation) -> tuple[str, bool]:
    """How the first line begins, and whether that is all of it, since something outranks the points."""
    if evaluation.override is not None:
        return override_text(evaluation), True
    what = decided(evaluation)
    standing = standing_text(evaluation)
    return (ended(f"{standing}: {what}"), True) if what else (standing, False)


def below_first(evaluation: Evaluation) -> list[str]:
    """The lines below the first that do not depend on points: what the profile says of an overridden tier,
    which profiles failed why, what is still open, which flags only mark."""
    lines = []
    if evaluation.override is not None:
        what = decided(evaluation)
        lines.append(ended(f"The profile says {standing_text(evaluation)}{f': {what}' if what else ''}"))
    elif evaluation.override_note:
        lines.append(ended(plain(evaluation.override_note, 160)))
    if evaluation.model_tier == NOT_ICP:
        if len(evaluation.assessments) > 1:
            for index, one in enumerate(evaluation.assessments):
                why = "; ".join(plain(said, WORDS + 24) for said in _failures(evaluation, index))
                lines.append(ended(f"{plain(one.profile.name, WORDS)}: {why}"))
        return lines
    still = open_items(evaluation)
    said = decided(evaluation)
    if still and said.startswith(f"{still[0]} "):
        still = still[1:]
    if still:
        more = f" and {len(still) - _OPEN} more" if len(still) > _OPEN else ""
        lines.append(ended(f"Not known yet: {'; '.join(still[:_OPEN])}{more}"))
    idle = [flag for flag in evaluation.shown.flags_true if flag.effect is not Effect.EXCLUDE]
    marks = [plain(flag.name, WORDS) for flag in idle if f"by flag {plain(flag.name, WORDS)}," not in said]
    if marks:
        lines.append(ended(f"Flagged: {'; '.join(marks[:_OPEN])}"))
    return lines
