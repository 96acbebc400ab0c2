"""Facts → the cells of a scored row, at the speed of a large file. The engine's own evaluation and words.

Rows that answer alike are judged once (`alike`). What is new is put together from parts that come again
more often: the tier depends on gates, flags and the bands of the score, the reasons on the credits, the
missing facts on what is open. All that is remembered is bounded, so memory stays flat. `valid_until` is not
computed: a file does not wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from icp_sync.domain import words
from icp_sync.domain.compile import Compiled
from icp_sync.domain.evaluation import Evaluation, evaluate
from icp_sync.domain.facts import FactValue
from icp_sync.domain.profile import Profile, Tiers
from icp_sync.domain.routing import Held, Team, decide
from icp_sync.tables.alike import Alike, Likeness, asked_facts, settled
from icp_sync.tables.answers import Answered, Questions, relation
from icp_sync.tables.outline import Outline, Outlines
from icp_sync.tables.tally import Swing, Tally, movers, swings
from icp_sync.tables.writing import Writer

_REMEMBERED = 32_768  # likenesses of rows, and as many older ones
_HEADS = 32_768  # over all judgements
_PARTS = 8_192  # of each part that verdicts are put together from

OUT_OF_SCOPE = "Outside the profile's scope."
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
    """One evaluation, for all rows that differ from it in nothing but points within the same bands."""

    evaluation: Evaluation
    place: int  # of the shown profile
    decisive: str
    flags: str
    lane: str
    heads: dict[object, _Head]


class _Head(NamedTuple):
    """The cells before the reasons, how the reasons begin, and what is shown."""

    cells: tuple[str, ...]
    text: str
    said: str
    score: int
    coverage: int


@dataclass(slots=True)
class _Missing:
    """The missing facts in words, and how far each may swing the score.

    rows: by tier, score and coverage, how many provisional rows miss just these.
    """

    said: str
    swings: tuple[Swing, ...]
    bands: Tiers
    rows: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Verdict:
    """Everything that rows of one likeness share. `rows` counts them; `after` is what follows the reasons."""

    judged: _Judged
    head: _Head
    outline: Outline
    missing: _Missing
    after: str
    rows: int = 0


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
        self._verdicts: dict[Likeness, _Verdict | None] = {}
        self._older: dict[Likeness, _Verdict | None] = {}
        self._judged: dict[object, _Judged] = {}
        self._missing: dict[object, _Missing] = {}
        self._tally = Tally()
        self._heads = self._outside = 0
        self._outside_text = lines.text(_OUTSIDE)

    def line(self, account_id: str, facts: Mapping[str, FactValue]) -> str:
        """The cells of `HEADER` for one row, as a piece of a line.

        account_id: what named lists may name; facts may hold more than is asked.
        """
        key = self._alike.of(facts)
        try:
            verdict = self._verdicts[key]
        except KeyError:
            verdict = self._found(key, facts)
        if verdict is None:
            self._outside += 1
            return self._outside_text
        verdict.rows += 1
        said = verdict.head.said + verdict.outline.said(facts)
        if len(said) > words.REASONS_LIMIT or not said.isprintable():
            said = words.cut(said)
        after = verdict.after
        if self._looks_up:
            after = self._text((verdict.missing.said, self._lane(account_id, facts)))
        return verdict.head.text + self._lines.between(said) + after

    def finish(self) -> Tally:
        """The tally of every row scored so far."""
        self._tally.tiers[""] += self._outside
        self._outside = 0
        for verdicts in (self._older, self._verdicts):
            self._fold(verdicts)
            verdicts.clear()
        for missing in self._missing.values():
            self._weigh(missing)
        return self._tally

    def _fold(self, verdicts: Mapping[Likeness, _Verdict | None]) -> None:
        """Count the rows of verdicts about to be forgotten."""
        for verdict in verdicts.values():
            if verdict is not None:
                evaluation, head = verdict.judged.evaluation, verdict.head
                self._tally.tiers[evaluation.tier] += verdict.rows
                if not evaluation.firm:
                    verdict.missing.rows[(evaluation.tier, head.score, head.coverage)] += verdict.rows

    def _weigh(self, missing: _Missing) -> None:
        """Count what missing facts are worth to the rows that miss them."""
        for (tier, score, coverage), rows in missing.rows.items():
            self._tally.miss(movers(missing.swings, missing.bands, tier, score, coverage), rows)
        missing.rows.clear()

    def _found(self, key: Likeness, facts: Mapping[str, FactValue]) -> _Verdict | None:
        """The verdict on a row that is like none of late. What is asked for again outlives what is not."""
        if len(self._verdicts) >= _REMEMBERED:
            self._fold(self._older)
            self._older, self._verdicts = self._verdicts, {}
        verdict = self._older.pop(key) if key in self._older else self._new(key, facts)
        self._verdicts[key] = verdict
        return verdict

    def _new(self, key: Likeness, facts: Mapping[str, FactValue]) -> _Verdict | None:
        """The verdict on a row that is like none remembered; None outside every scope."""
        answered = [q.answered(facts, self._now) for q in self._questions]
        judged = self._judge(answered, facts)
        verdict = None
        if judged.evaluation.in_scope:
            own = answered[judged.place]
            head = self._head(judged, own)
            absent = tuple([way is None for way in key])
            outline = self._outlines.of(judged.place, own.weighed, absent, own.answers, head.score, facts)
            missing = self._miss(judged.place, answered, facts)
            after = missing.texts.get(judged.lane)
            if after is None:
                after = missing.texts[judged.lane] = self._text((missing.said, judged.lane))
            verdict = _Verdict(judged, head, outline, missing, after)
        return verdict

    def _judge(self, answered: Sequence[Answered], facts: Mapping[str, FactValue]) -> _Judged:
        """One profile is judged by bands; several compete point by point."""
        alone = len(answered) == 1
        key = (
            relation(facts),
            *(a.deciding for a in answered),
            *(a.bands if alone else a.points for a in answered),
        )
        found = self._judged.get(key)
        if found is None:
            if len(self._judged) >= _PARTS:
                self._judged.clear()
            found = self._judged[key] = self._evaluated(facts)
        return found

    def _evaluated(self, facts: Mapping[str, FactValue]) -> _Judged:
        evaluation = evaluate(self._compiled, facts, None, self._now)
        shown = evaluation.shown
        return _Judged(
            evaluation,
            place=next(i for i, c in enumerate(self._compiled) if c is shown.compiled),
            decisive="".join(f" {said}" for said in words._decisive(evaluation)),
            flags="; ".join(sorted(flag.name for flag in shown.flags_true)),
            lane=_lane("", evaluation, facts, self._now),
            heads={},
        )

    def _head(self, judged: _Judged, own: Answered) -> _Head:
        found: _Head | None = judged.heads.get(own.points)
        if found is None:
            self._heads += 1
            if self._heads >= _HEADS:
                self._judged.clear()
                self._heads = 0
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
            said = words._headline(evaluation) + judged.decisive
            found = _Head(cells, self._text(cells), said, evaluation.score, evaluation.coverage)
            judged.heads[own.points] = found
        return found

    def _miss(self, place: int, answered: Sequence[Answered], facts: Mapping[str, FactValue]) -> _Missing:
        known = tuple((value := facts.get(name)) is not None and settled(value) for name in self._alike.facts)
        key = (place, known, *(a.widths for a in answered), *(a.deciding for a in answered[1:] and answered))
        found = self._missing.get(key)
        if found is None:
            if len(self._missing) >= _PARTS:
                self.finish()
                self._missing.clear()
            evaluation = evaluate(self._compiled, facts, None, self._now)
            said = words.missing_text(evaluation, facts)
            found = self._missing[key] = _Missing(
                said, swings(evaluation, facts), evaluation.shown.profile.tiers
            )
        return found

    def _lane(self, account_id: str, facts: Mapping[str, FactValue]) -> str:
        return _lane(account_id, evaluate(self._compiled, facts, None, self._now), facts, self._now)


def _lane(account_id: str, evaluation: Evaluation, facts: Mapping[str, FactValue], now: float) -> str:
    """What should happen next, with nobody to own it yet: a file says nothing of a team."""
    return decide(account_id, evaluation, facts, held=Held(), team=Team(), now=now).lane


def needed_facts(profiles: Sequence[Profile]) -> frozenset[str]:
    """Facts to read from a file: those asked about, and those that populations and routes are made of."""
    asked = {name for profile in profiles for name in asked_facts(profile)}
    named = {r.target.named_fact for p in profiles for r in p.routes if r.target.named_fact}
    lists = {"domain"} if any(looks_up(p) for p in profiles) else set()
    return frozenset(asked | named | lists | {"population", "lifecycle", "account_type", "won_deals"})


def looks_up(profile: Profile) -> bool:
    """Whether a route asks who the account is, and not only how it was answered."""
    return any(route.target.named or route.target.named_fact for route in profile.routes)
