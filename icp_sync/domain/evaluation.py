"""From facts to a tier: ranges, gates, flags, several profiles, calm, timing and when to look again.

Pure: a function of facts, the previous evaluation, the active profiles and now. What it decides is data;
`domain.words` turns it into sentences only when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from math import floor
from typing import NamedTuple

from icp_sync.domain.account import Previous
from icp_sync.domain.assessment import Assessment, Fate, assess
from icp_sync.domain.compile import Compiled
from icp_sync.domain.facts import Facts
from icp_sync.domain.override import Override
from icp_sync.domain.populations import is_person
from icp_sync.domain.profile import Effect
from icp_sync.domain.timing import Timing, next_change, timing_of
from icp_sync.domain.whole_points import EPSILON

ENGINE = 1
"""Raised only when the golden corpus of evaluations changes; names the ENGINE in why-it-changed."""

NOT_ICP = "Not ICP"
NEEDS_DATA = "Needs data"


@dataclass(slots=True, kw_only=True)
class Evaluation:
    """What the profiles say of one account now. `tier` is A–D, "Needs data" or "Not ICP".

    raw_tier: the tier before caps, which calm compares with next time. firm: no missing fact can change
    the tier; possible: those they could still give. valid_until: earliest instant (epoch seconds) at which
    any written field may change by the mere passing of time, None for never. override: what people put in
    place of our tier; then `tier` is theirs and `model_tier` ours. override_note: why an override that
    somebody made does not count.

    Nobody changes one. It is not frozen only because that takes thrice the time to make, for every account.
    """

    tier: str
    raw_tier: str
    firm: bool
    possible: Set[str]
    score: int
    low: int
    high: int
    shown: Assessment
    assessments: tuple[Assessment, ...]
    timing: Timing
    in_scope: bool
    may_route: bool
    pending_tier: str
    pending_since: float | None
    valid_until: float | None
    profile_version: int
    override: Override | None = None
    override_note: str = ""

    @property
    def model_tier(self) -> str:
        """The tier the profiles alone give."""
        return capped(self.raw_tier, self.shown)

    @property
    def coverage(self) -> int:
        """Whole percent of the shown profile's weight that is known."""
        return floor(100 * self.shown.covered + EPSILON)

    @property
    def priority(self) -> str:
        return f"{self.tier}{self.timing.grade}" if len(self.tier) == 1 else ""

    @property
    def certainty(self) -> str:
        return "firm" if self.firm else "provisional"


def evaluate(
    compiled: Sequence[Compiled], facts: Facts, previous: Previous | None, now: float, *, version: int = 0
) -> Evaluation:
    """Evaluate an account under all active profiles (at least one, in file order)."""
    everyone = tuple(assess(c, facts, now) for c in compiled)
    person = is_person(facts)
    applying = [a for a in everyone if a.applies and (a.profile.people or not person)]
    in_scope = bool(applying)
    assessments = tuple(applying or everyone)
    standing = [a for a in assessments if a.fate is not Fate.FAILED]
    low, high = _range(assessments, standing)
    shown = _shown(assessments, standing, previous, low)
    possible = possible_tiers(standing)
    raw, firm = _raw_tier(possible, standing, shown)
    calm = _calm(raw, shown, previous, now, version)
    raw = calm.tier
    timing = timing_of(shown.compiled, shown.answers)
    return Evaluation(
        tier=capped(raw, shown),
        raw_tier=raw,
        firm=firm,
        possible=possible,
        score=shown.score,
        low=low,
        high=high,
        shown=shown,
        assessments=assessments,
        timing=timing,
        in_scope=in_scope,
        may_route=shown.answers[2] == 1.0,
        pending_tier=calm.pending,
        pending_since=calm.since,
        valid_until=next_change(compiled, facts, now, calm.ends),
        profile_version=version,
    )


def overridden(evaluation: Evaluation, override: Override | None, note: str = "") -> Evaluation:
    """The same with the tier people decided, which is firm while it lasts. The score is never theirs.

    Outside the scope nothing is shown, so nothing is overridden.
    """
    if not evaluation.in_scope:
        return evaluation
    if override is None:
        return replace(evaluation, override_note=note) if note else evaluation
    ends = [t for t in (evaluation.valid_until, override.until) if t is not None]
    return replace(
        evaluation,
        tier=override.tier,
        firm=True,
        override=override,
        valid_until=min(ends, default=None),
    )


def judged(applying: Sequence[Assessment], previous: Previous | None = None) -> tuple[Assessment, str, bool]:
    """The shown profile, the tier after caps, and whether it is firm, without calm. previous: whose profile
    stays shown while it is near enough."""
    standing = [a for a in applying if a.fate is not Fate.FAILED]
    low, _ = _range(applying, standing)
    shown = _shown(applying, standing, previous, low)
    raw, firm = _raw_tier(possible_tiers(standing), standing, shown)
    return shown, capped(raw, shown), firm


def _range(assessments: Sequence[Assessment], standing: Sequence[Assessment]) -> tuple[int, int]:
    if len(standing) == 1:
        return standing[0].low, standing[0].high
    if not standing:
        return min(a.low for a in assessments), max(a.high for a in assessments)
    certain = [a.low for a in standing if a.fate is Fate.CERTAIN]
    return max(certain) if certain else min(a.low for a in standing), max(a.high for a in standing)


def _shown(
    assessments: Sequence[Assessment],
    standing: Sequence[Assessment],
    previous: Previous | None,
    low: int,
) -> Assessment:
    """The best shown score; the previously shown profile stays while it is within the hysteresis margin.

    It must also stay inside the range: a certain rival may already guarantee more than it shows.
    """
    candidates = standing or assessments
    if len(candidates) == 1:
        return candidates[0]
    best = max(candidates, key=lambda a: a.score)  # max keeps the first of equals: file order
    for other in candidates:
        if (
            previous is not None
            and other.profile.name == previous.profile
            and other.score >= max(low, best.score - other.profile.tiers.hysteresis)
        ):
            return other
    return best


def _raw_tier(possible: Set[str], standing: Sequence[Assessment], shown: Assessment) -> tuple[str, bool]:
    """The tier before calm and caps, and whether it is the only one still possible."""
    if not standing:
        return NOT_ICP, True
    firm = len(possible) == 1
    if not firm and shown.covered < shown.profile.tiers.min_coverage - EPSILON:
        return NEEDS_DATA, False
    return shown.profile.tiers.of(shown.score), firm


def possible_tiers(standing: Sequence[Assessment]) -> set[str]:
    """Tiers that some refinement of the facts could still give, after gates, flags and caps.

    A profile that cannot reach the guaranteed low can never be the one shown.
    """
    tiers: set[str] = set()
    sure, undecided = 0, True
    for assessment in standing:
        if assessment.fate is not Fate.OPEN:
            undecided = False
        if assessment.fate is Fate.CERTAIN:
            sure = max(sure, assessment.least)
    for assessment in standing:
        if assessment.most < sure:
            continue
        caps = [f.cap for f in assessment.flags_unknown if f.effect is Effect.CAP]
        least, most, sure_cap = max(sure, assessment.least), assessment.most, assessment.cap
        for tier, bottom, top in assessment.compiled.asking.bands:
            if bottom <= most and top >= least:
                now = max(tier, sure_cap)
                tiers.add(now)
                for cap in caps:
                    tiers.add(max(now, cap))
    if undecided:
        tiers.add(NOT_ICP)
    return tiers


def capped(tier: str, assessment: Assessment) -> str:
    """The tier after every cap that certainly applies. "D" sorts after "A", so a cap is a maximum."""
    return max(tier, assessment.cap) if len(tier) == 1 else tier


class _Calm(NamedTuple):
    tier: str
    pending: str = ""
    since: float | None = None
    ends: float | None = None


def _calm(tier: str, shown: Assessment, previous: Previous | None, now: float, version: int) -> _Calm:
    """Hold back a small move across a boundary until it has lasted `dwell`."""
    if (
        previous is None
        or not previous.raw_tier
        or previous.raw_tier == tier
        or NOT_ICP in (tier, previous.raw_tier)
        or previous.profile_version != version
        or previous.profile != shown.profile.name
        or not _small_move(previous.raw_tier, tier, shown)
    ):
        return _Calm(tier)
    since = previous.pending_since if previous.pending_tier == tier else None
    began = now if since is None else since
    ends = began + shown.profile.tiers.dwell
    if now >= ends:
        return _Calm(tier)
    return _Calm(previous.raw_tier, tier, began, ends)


def _small_move(before: str, after: str, shown: Assessment) -> bool:
    bands = shown.profile.tiers
    if NEEDS_DATA in (before, after):
        return abs(shown.covered - bands.min_coverage) * 100 < bands.hysteresis
    if after < before:  # upwards: the boundary is the bottom of the next better tier
        boundary = bands.threshold(chr(ord(before) - 1))
        return shown.score - boundary < bands.hysteresis
    return bands.threshold(before) - shown.score < bands.hysteresis


def carried(evaluation: Evaluation, previous: Previous | None, now: float, *, why: str) -> Previous:
    """What the next evaluation must know. `why` replaces the old reason only when the tier changed."""
    changed = previous is None or previous.tier != evaluation.tier
    before = previous.tier if previous is not None and changed else None
    return Previous(
        tier=evaluation.tier,
        raw_tier=evaluation.raw_tier,
        profile=evaluation.shown.profile.name,
        profile_version=evaluation.profile_version,
        score=evaluation.score,
        pending_tier=evaluation.pending_tier,
        pending_since=evaluation.pending_since,
        previous_tier=before if before is not None else previous.previous_tier if previous else "",
        tier_changed_at=now if changed or previous is None else previous.tier_changed_at,
        routed_owner=previous.routed_owner if previous else "",
        routed_at=previous.routed_at if previous else None,
        routed_why=previous.routed_why if previous else "",
        why=why if changed else previous.why if previous else "",
        model_tier=evaluation.model_tier if evaluation.override else "",
    )
