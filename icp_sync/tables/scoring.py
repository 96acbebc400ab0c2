"""Facts → the cells of a scored row, at the speed of a large file. The engine's own evaluation and words.

Rows that answer alike are judged once (`alike`). What is new is put together from parts that come again
more often: the tier depends on gates, flags and the bands of the score, the reasons on the credits, the
missing facts on what is open. All that is remembered is bounded, so memory stays flat. `valid_until` is not
computed: a file does not wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from icp_sync.domain import words
from icp_sync.domain.choosing import Team
from icp_sync.domain.compile import Compiled
from icp_sync.domain.evaluation import NOT_ICP, Evaluation, evaluate
from icp_sync.domain.facts import FactValue
from icp_sync.domain.headline import Rest, below_first, first_words
from icp_sync.domain.reasons import OUT_OF_SCOPE as OUT_OF_SCOPE
from icp_sync.domain.reasons import profiles_text, reasons
from icp_sync.domain.routing import Held, decide
from icp_sync.domain.spelling import REASONS_LIMIT
from icp_sync.tables.alike import Alike, Likeness
from icp_sync.tables.answers import Answered, Questions, relation
from icp_sync.tables.needs import looks_up
from icp_sync.tables.outline import NOT_OUTLINED, NOTHING, Outline, Outlined, Outlines
from icp_sync.tables.recent import Recent
from icp_sync.tables.tally import Movers, Swing, Tally, movers, swings
from icp_sync.tables.writing import Writer

_REMEMBERED = 49_152  # likenesses of rows, and as many older ones
_HEADS = 8_192  # and as many older ones
_PARTS = 8_192  # of each part that verdicts are put together from

_OUTSIDE = ("", "", "", "", "", "", OUT_OF_SCOPE, "", "none")

HEADER = (
    "ICP tier",
    "ICP score",
    "ICP at least",
    "ICP at most",
    "ICP certainty",
    "ICP flags",
    "ICP reasons",
    "ICP missing facts",
    "ICP lane",
)
"""What is written beside a row: scores in whole points, flags and facts as lists in one cell."""


@dataclass(slots=True)
class _Judged:
    """One evaluation, for all rows that differ from it in nothing but points within the same bands.

    below: the lines below the first that no points change. best: which of several profiles is shown.
    """

    evaluation: Evaluation
    place: int  # of the shown profile
    below: str
    best: str
    flags: str
    lane: str
    number: int


class _Head(NamedTuple):
    """The cells before the reasons, how the reasons begin and go on, and what is shown."""

    cells: tuple[str, ...]
    text: str
    said: str
    rest: Rest
    score: int
    coverage: int


@dataclass(slots=True)
class _Count:
    """Rows of one tier whose tier the same facts could move."""

    tier: str
    firm: bool
    movers: Movers
    rows: int = 0


@dataclass(slots=True)
class _Missing:
    """The missing facts in words, and how far each may swing the score.

    counts: by tier, score and coverage, where rows that miss just these are counted. texts: the last cells
    of such rows, by lane.
    """

    said: str
    swings: tuple[Swing, ...]
    counts: dict[tuple[str, int, int, bool], _Count] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Everything that rows of one likeness share.

    before: the cells before the reasons. begin: how the reasons begin. first: how their first line ends.
    below: the lines after it. rest: how they go on. end: how they end. after: the cells after them. missing:
    the missing facts in words.
    """

    before: str
    begin: str
    first: Outline
    below: str
    rest: Outline
    end: str
    after: str
    missing: str
    count: _Count


class Scorer:
    """Scores the rows of one file under the profiles (at least one, in file order) as of `now`.

    told: the facts a row may hold; no other may come. lines: what the pieces are made for.
    """

    def __init__(
        self, compiled: Sequence[Compiled], now: float, told: Collection[str], lines: Writer
    ) -> None:
        self._now, self._lines, self._text = now, lines, lines.text
        self._compiled = tuple(replace(c, withins=()) for c in compiled)
        profiles = [c.profile for c in compiled]
        self._alike = Alike(profiles, now, told)
        self._questions = [Questions(c) for c in compiled]
        self._outlines = Outlines(self._compiled)
        self._looks_up = any(looks_up(p) for p in profiles)
        self._verdicts: Recent[_Verdict] = Recent(_REMEMBERED)
        self._judged: dict[object, _Judged] = {}
        self._missing: dict[object, _Missing] = {}
        self._heads: Recent[_Head] = Recent(_HEADS)
        self._counts: dict[tuple[str, bool, Movers], _Count] = {}
        self._numbers = 0
        nobody = self._counted("", True, ())
        self._outside = _Verdict(lines.text(_OUTSIDE), "", NOTHING, "", NOTHING, "", "", "", nobody)

    def line(self, account_id: str, facts: Mapping[str, FactValue]) -> str:
        """The cells of `HEADER` for one row, as a piece of a line.

        account_id: what named lists may name; facts may hold more than is asked.
        """
        verdict = self._verdict(facts)
        verdict.count.rows += 1
        if verdict is self._outside:
            return verdict.before
        after = verdict.after
        if self._looks_up:
            lane = _lane(account_id, evaluate(self._compiled, facts, None, self._now), facts, self._now)
            after = self._text((verdict.missing, lane))
        said = verdict.begin + verdict.rest.said(facts) + verdict.end
        if verdict.first.phrases:
            said = verdict.begin + verdict.first.said(facts) + verdict.below + verdict.rest.said(facts)
            said += verdict.end
        if len(said) > REASONS_LIMIT:
            said = reasons(evaluate(self._compiled, facts, None, self._now), facts, apart=" ")
        return verdict.before + self._lines.between(said) + after

    def _verdict(self, facts: Mapping[str, FactValue]) -> _Verdict:
        """What holds for these facts and all that are like them."""
        key = self._alike.of(facts)
        found = self._verdicts.get(key)
        return self._verdicts.keep(key, self._new(key, facts)) if found is None else found

    def finish(self) -> Tally:
        """The tally of every row scored so far."""
        tally = Tally()
        for count in self._counts.values():
            tally.tiers[count.tier] += count.rows
            if not count.firm:
                tally.miss(count.movers, count.rows)
        return tally

    def _counted(self, tier: str, firm: bool, moving: Movers) -> _Count:
        """Where rows like these are counted."""
        return self._counts.setdefault((tier, firm, moving), _Count(tier, firm, moving))

    def _new(self, key: Likeness, facts: Mapping[str, FactValue]) -> _Verdict:
        """The verdict on a row that is like none remembered."""
        answered = [q.answered(facts, self._now) for q in self._questions]
        judged = self._judge(answered, facts)
        if not judged.evaluation.in_scope:
            return self._outside
        own = answered[judged.place]
        head = self._head(judged, own)
        outlined = self._outlined(judged, head, own, key, facts)
        first, below = outlined.first, judged.below
        begin = head.said if first.phrases else head.said + first.texts[0] + below
        missing = self._miss(judged.place, key, answered, facts)
        after = missing.texts.get(judged.lane)
        if after is None:
            after = missing.texts[judged.lane] = self._text((missing.said, judged.lane))
        count = self._count_of(judged.evaluation, head, missing)
        return _Verdict(
            head.text, begin, first, below, outlined.rest, judged.best, after, missing.said, count
        )

    def _outlined(
        self, judged: _Judged, head: _Head, own: Answered, key: Likeness, facts: Mapping[str, FactValue]
    ) -> Outlined:
        if judged.evaluation.model_tier == NOT_ICP:
            return NOT_OUTLINED
        known = tuple([None if way is None else way & 1 for way in key])
        tier = judged.evaluation.model_tier
        return self._outlines.of(
            judged.place, tier, head.rest, own.weighed, known, own.answers, head.score, facts
        )

    def _count_of(self, evaluation: Evaluation, head: _Head, missing: _Missing) -> _Count:
        key = (evaluation.tier, head.score, head.coverage, evaluation.firm)
        found = missing.counts.get(key)
        if found is None:
            bands = evaluation.shown.profile.tiers
            moving = movers(missing.swings, bands, evaluation.tier, head.score, head.coverage)
            found = self._counted(evaluation.tier, evaluation.firm, () if evaluation.firm else moving)
            missing.counts[key] = found
        return found

    def _judge(self, answered: Sequence[Answered], facts: Mapping[str, FactValue]) -> _Judged:
        """One profile is judged by bands; several compete point by point."""
        if len(answered) == 1:
            key: tuple[object, ...] = (relation(facts), answered[0].deciding, answered[0].bands)
        else:
            key = (relation(facts), *(a.deciding for a in answered), *(a.points for a in answered))
        found = self._judged.get(key)
        if found is None:
            if len(self._judged) >= _PARTS:
                self._judged.clear()
            found = self._judged[key] = self._evaluated(facts)
        return found

    def _evaluated(self, facts: Mapping[str, FactValue]) -> _Judged:
        evaluation = evaluate(self._compiled, facts, None, self._now)
        shown = evaluation.shown
        self._numbers += 1
        return _Judged(
            evaluation,
            place=next(i for i, c in enumerate(self._compiled) if c is shown.compiled),
            below="".join(f" {said}" for said in below_first(evaluation)),
            best=f" {best}" if (best := profiles_text(evaluation)) else "",
            flags="; ".join(sorted(flag.name for flag in shown.flags_true)),
            lane=_lane("", evaluation, facts, self._now),
            number=self._numbers,
        )

    def _head(self, judged: _Judged, own: Answered) -> _Head:
        found = self._heads.get((judged.number, own.points))
        if found is None:
            evaluation = judged.evaluation
            if len(self._compiled) == 1:
                low, high, score = own.points[:3]
                evaluation = replace(
                    evaluation, low=low, high=high, score=score, shown=own.within(evaluation.shown)
                )
            cells = (
                evaluation.tier,
                str(evaluation.score),
                str(evaluation.low),
                str(evaluation.high),
                evaluation.certainty,
                judged.flags,
            )
            said, rest = first_words(evaluation)
            found = _Head(cells, self._text(cells), said, rest, evaluation.score, evaluation.coverage)
            self._heads.keep((judged.number, own.points), found)
        return found

    def _miss(
        self, place: int, likeness: Likeness, answered: Sequence[Answered], facts: Mapping[str, FactValue]
    ) -> _Missing:
        known = tuple([way is not None and way & 1 for way in likeness])
        if len(answered) == 1:
            key: tuple[object, ...] = (known, answered[0].widths)
        else:
            key = (place, known, *(a.widths for a in answered), *(a.deciding for a in answered))
        found = self._missing.get(key)
        if found is None:
            if len(self._missing) >= _PARTS:
                self._missing.clear()
            evaluation = evaluate(self._compiled, facts, None, self._now)
            said = words.missing_text(evaluation, facts)
            found = self._missing[key] = _Missing(said, swings(evaluation, facts))
        return found


def _lane(account_id: str, evaluation: Evaluation, facts: Mapping[str, FactValue], now: float) -> str:
    """What should happen next, with nobody to own it yet: a file says nothing of a team."""
    return decide(account_id, evaluation, facts, held=Held(), team=Team(), now=now).lane
