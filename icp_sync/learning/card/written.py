"""A scorecard as a profile file: commented with its evidence, for somebody who will change it.

Nothing leaves here that does not read back as exactly what was learned, and as exactly what was kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.profile import DAY, TIERS, Criterion, Profile, Tiers
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.card.evidence import (
    Origin,
    against_words,
    exclusion_words,
    head,
    step_words,
    tier_words,
)
from icp_sync.learning.card.exclusions import Exclusion
from icp_sync.learning.card.kept import GATES, Piece, word_for_word, written_anew
from icp_sync.learning.card.scorecard import Scorecard, Step, profile_of
from icp_sync.learning.card.spelling import comment, flow, folded, percent, question, quoted
from icp_sync.learning.marks.attributes import Findings
from icp_sync.profile_file import parse
from icp_sync.profile_file.marks import sealed

_SCOPE = """\
scope:                        # who is scored, and who may be given an owner
  score: {fact: population, any_of: [prospect, customer]}
  route: {all: [{fact: population, any_of: [prospect]}, {fact: open_deals, equals: 0}]}
"""
_ROUTES = """\
routes:                       # the first match wins; one that names somebody needs a firm tier
  - when:                     # a customer stays with whoever has them, however well they fit
      all:
        - {tier: [A, B, C, D, Needs data, Not ICP]}
        - {fact: population, any_of: [customer]}
    to: {owner: existing, lane: success}
  - {when: {tier: [A, B]}, to: {owner: existing, lane: sales}}
  - {when: {tier: [Needs data]}, to: {lane: research}}
  - {when: {tier: [Not ICP]}, to: {lane: none}}
  - {else: {lane: nurture}}
"""
NEXT_STEP = "icp-sync learn, without --base"


def profile_text(
    card: Scorecard,
    findings: Findings | None,
    *,
    name: str,
    currency: str,
    goal: str,
    since: date | None = None,
    until: date | None = None,
    left_out: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    base: str | None = None,
    types: Mapping[str, FactType] | None = None,
    cases: int = 0,
    hypothesis: bool = False,
    churn_told: bool = True,
    newest: date | None = None,
) -> str:
    """The YAML of a profile.

    findings: what was tried, None for a hypothesis, which says `cases`. since, until: the cases were decided
    on the first day or later, and before the second. left_out: fact → why it was not learned from. notes:
    further sentences for the top of the file. base: the text of the profile whose scope, must-haves,
    timing, flags, pools, routes, named accounts, review dates and examples are kept. types: every fact's.
    churn_told: whether anything said who left after being won. newest: the day the last of all cases was
    decided, from which reviews are planned where none are kept.

    Raises ConfigError where the result would be no profile: what is kept and what was learned may contradict
    each other, or be in different currencies.
    """
    origin = Origin(
        findings=findings,
        goal=goal,
        since=since,
        until=until,
        left_out=left_out or {},
        notes=notes,
        cases=cases,
        hypothesis=hypothesis,
        churn_told=churn_told,
        newest=newest,
    )
    writer = _Writer(card, name, currency, {**CATALOGUE, **(types or {})}, origin)
    return _proven(writer.text({}, None), writer, None) if base is None else _laid_over(base, writer)


def _laid_over(base: str, writer: _Writer) -> str:
    """The text with what is kept of another profile: in its words, and where that does not do, in ours."""
    old = parse(base, "the profile whose scope and routes are kept", types=writer.types)
    if old.currency != writer.currency:
        what = f"thresholds were learned in {writer.currency}, and the profile to keep is in {old.currency}"
        problem = Problem(where=writer.name, what=what, hint=f"learn in {old.currency}")
        raise ConfigError([problem], next_step=NEXT_STEP)
    writer.card = _told_apart(writer.card, old)
    exact, anew = word_for_word(base), written_anew(base)
    for kept in (exact, {**exact, "flags": anew["flags"]} if "flags" in anew else exact, anew):
        try:
            return _proven(writer.text(kept, old), writer, old)
        except ConfigError as error:
            refused = error
    raise refused


def _learned(card: Scorecard, origin: Origin) -> str:
    """The `learned` key."""
    if origin.hypothesis:
        return f"learned: {{hypothesis: true, cases: {origin.cases}}}\n"
    parts = [f"goal: {origin.goal!s}"]
    parts += [f"since: {origin.since.isoformat()}"] if origin.since else []
    parts += [f"until: {origin.until.isoformat()}"] if origin.until else []
    if origin.findings is not None:
        parts += [f"cases: {origin.findings.n}", f"good: {origin.findings.good}"]
    expected = ", ".join(f"{tier}: {percent(share)}" for tier, share in card.expected.items())
    return f"learned: {{{', '.join(parts)},\n  expected: {{{expected}}}}}\n"


def _reviews(origin: Origin) -> str:
    """The `review` key: a small one after a quarter, all of it after a year; nothing without a day."""
    day = origin.newest or origin.until
    if day is None:
        return ""
    return f"review: {{minor: {_months_later(day, 3)}, full: {_months_later(day, 12)}}}\n"


def _months_later(day: date, months: int) -> str:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, min(day.day, 28)).isoformat()


class _Writer:
    """One scorecard, written with whatever is kept of another profile."""

    def __init__(
        self, card: Scorecard, name: str, currency: str, types: Mapping[str, FactType], origin: Origin
    ) -> None:
        self.card, self.name, self.currency, self.types = card, name, currency, types
        self.origin, self.goal = origin, origin.goal

    def text(self, kept: Mapping[str, Piece], old: Profile | None) -> str:
        begun = f"profile: {quoted(self.name)}\ncurrency: {self.currency}\n{_learned(self.card, self.origin)}"
        begun += kept["review"].text if "review" in kept else _reviews(self.origin) if old is None else ""
        if old is None:
            scope, routes = _SCOPE, _ROUTES
        else:
            scope, routes = (kept[key].text if key in kept else "" for key in ("scope", "routes"))
        parts = ["\n".join(head(self.origin)) + "\n", begun, scope, self._criteria(kept.get(GATES), old)]
        parts += [kept[key].text for key in ("timing", "timing_grades") if key in kept]
        parts += [self._flags(kept.get("flags"), old), self._tiers(old)]
        parts += [kept["pools"].text] if "pools" in kept else []
        parts += [routes, kept["examples"].text if "examples" in kept else ""]
        return "\n".join(part for part in parts if part)

    def _criteria(self, kept: Piece | None, old: Profile | None) -> str:
        lines = ["criteria:"]
        if kept is not None:
            lines += comment("Must-haves kept as they were:", "  ")
            lines += [f"  {line}" for line in kept.text.rstrip("\n").split("\n")] + [""]
        for gate in new_gates(self.card, old):
            lines += comment(exclusion_words(gate, self.goal), "  ")
            lines += self._entry(gate.name, gate.layer, gate, [("required", "true")])
        if self.card.gates or any(flag.effect == "exclude" for flag in self.card.flags):
            lines += comment("Figures are of the accounts that no learned must-have or flag excludes:", "  ")
        for step in self.card.steps:
            lines += comment(step_words(step, self.goal), "  ")
            weighed = [("weight", str(step.points)), ("unknown", f"{round(100 * step.unknown)}%")]
            lines += self._entry(step.name, step.layer, step, weighed)
        for mark in self.card.against:
            lines += comment(against_words(mark, self.goal), "  ")
        return "\n".join(lines).rstrip("\n") + "\n"

    def _entry(
        self, name: str, layer: str, asked: Step | Exclusion, rest: Sequence[tuple[str, str]]
    ) -> list[str]:
        pairs = [("name", quoted(name)), ("layer", layer)]
        pairs += [*question(asked.condition, self.types, self.currency), *rest]
        lines = [line for key, value in pairs for line in folded(f"    {key}: {value}")]
        return [f"  - {lines[0].lstrip()}", *lines[1:], ""]

    def _flags(self, kept: Piece | None, old: Profile | None) -> str:
        """Those that are kept first; the learned ones below them, unless they are there already."""
        there = old.flags if old is not None else ()
        names = {flag.name.casefold() for flag in there}
        asked = {flag.when for flag in there}
        items = [
            "\n".join([*comment(exclusion_words(flag, self.goal)), *self._flag(flag)])
            for flag in self.card.flags
            if flag.name.casefold() not in names and flag.condition not in asked
        ]
        if kept is None or not there:
            empty = Piece(text="flags:                        # whom it is not for\n", indent="  ")
            return empty.extended(items) if items else ""
        if not items:
            return kept.text
        if kept.indent is None:
            raise _Uncut
        return kept.extended(items)

    def _flag(self, flag: Exclusion) -> list[str]:
        when = flow(question(flag.condition, self.types, self.currency))
        effect = f"{{cap: {flag.cap}}}" if flag.effect == "cap" else flag.effect
        return [f"- name: {quoted(flag.name)}", *folded(f"  when: {when}"), f"  effect: {effect}"]

    def _tiers(self, old: Profile | None) -> str:
        tiers = tiers_of(self.card, old)
        lines = [line for said in tier_words(self.card, self.origin.base) for line in comment(said)]
        floors = ", ".join(f"{tier}: {tiers.threshold(tier)}" for tier in TIERS)
        calm = f"hysteresis: {tiers.hysteresis}, dwell: {tiers.dwell / DAY:g}d"
        lines.append(f"tiers: {{{floors}, {calm}, min_coverage: {percent(tiers.min_coverage)}}}")
        return "\n".join(lines) + "\n"


class _Uncut(ConfigError):
    """A list that nothing can be added to as it stands."""

    def __init__(self) -> None:
        super().__init__(
            [Problem(where="flags", what="a list on one line takes no more lines")], next_step=NEXT_STEP
        )


def gates_of(old: Profile | None) -> tuple[Criterion, ...]:
    """The must-haves that are kept."""
    return tuple(one for one in old.criteria if one.required) if old is not None else ()


def new_gates(card: Scorecard, old: Profile | None) -> tuple[Exclusion, ...]:
    """The learned must-haves that nothing kept says already."""
    kept = gates_of(old)
    names, asked = {one.name.casefold() for one in kept}, {one.when for one in kept}
    return tuple(g for g in card.gates if g.name.casefold() not in names and g.condition not in asked)


def _told_apart(card: Scorecard, old: Profile | None) -> Scorecard:
    """The card with no question named like a must-have that is kept."""
    names = {one.name.casefold() for one in gates_of(old)}
    steps = (replace(s, name=f"{s.name}, points") if s.name.casefold() in names else s for s in card.steps)
    return replace(card, steps=tuple(steps))


def tiers_of(card: Scorecard, old: Profile | None) -> Tiers:
    """The learned tiers, as calm as those of the profile that is kept."""
    if old is None:
        return card.tiers
    return replace(card.tiers, hysteresis=old.tiers.hysteresis, dwell=old.tiers.dwell)


def _proven(text: str, writer: _Writer, old: Profile | None) -> str:
    """The text, which says what was learned and what was kept. Raises ConfigError."""
    read = parse(text, f"{writer.name}.yaml", types=writer.types)
    learned = profile_of(writer.card, name=writer.name, currency=writer.currency)
    fresh = {gate.name for gate in new_gates(writer.card, old)}
    asked = (one for one in learned.criteria if not one.required or one.name in fresh)
    lost = [] if read.criteria == (*gates_of(old), *asked) else ["criteria"]
    lost += [] if read.tiers == tiers_of(writer.card, old) else ["tiers"]
    if old is not None:
        lost += [part for part in _KEPT_PARTS if getattr(read, part) != getattr(old, part)]
        lost += [] if read.flags[: len(old.flags)] == old.flags else ["flags"]
    if lost:
        what = f"the file would not say what it should about {', '.join(lost)}"
        raise ConfigError([Problem(where=f"{writer.name}.yaml", what=what)], next_step=NEXT_STEP)
    return sealed(text, read)


_KEPT_PARTS = (
    "score_scope", "route_scope", "timing", "timing_grades", "pools", "routes", "named", "people",
    "review_minor", "review_full", "examples",
)  # fmt: skip
