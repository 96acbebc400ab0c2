"""Profiles as formulas over a CRM's properties: exact where a property decides, else wider and saying so.

The facts map is read as `FactsMap.read` and `domain.facts.merge` read it: of several properties that feed one
fact the lowest rank that can be read wins, sets unite, what cannot be read is unknown, and unknown may pass.
Nothing here is written in any CRM's language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from icp_sync.domain.conditions import AllOf, AnyOf, Between, Leaf, NoneOf, Present, Within
from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money
from icp_sync.domain.filtering import (
    EVERYBODY,
    Formula,
    Is,
    Lists,
    Values,
    Words,
    complement,
    either,
    every,
    join,
)
from icp_sync.domain.filtering_clauses import Role, Stated, Statement, clauses_of, may, omissions
from icp_sync.domain.profile import Profile
from icp_sync.domain.words import fact_text
from icp_sync.normalize.facts_map import FactSource
from icp_sync.normalize.kinds import FACT_TYPES, Kind
from icp_sync.normalize.population_filters import FEEDS, population_formula
from icp_sync.normalize.property_texts import parts_meaning, sorted_out, texts_of
from icp_sync.normalize.property_values import (
    Form,
    Ground,
    Reading,
    nothing_of,
    numbers_of,
    question_fits,
)

_VENDORS = 10  # the first rank of answers that enrichers give


def statements_of(profiles: Sequence[Profile], ground: Ground) -> tuple[Statement, ...]:
    """Each profile's clauses as formulas, in order."""
    return tuple(_statement(profile, ground) for profile in profiles)


def statements_both_ways(profiles: Sequence[Profile], ground: Ground) -> list[tuple[Statement, ...]]:
    """Without assumptions, and where that leaves something out, with them too."""
    plain = statements_of(profiles, replace(ground, assume=False))
    return [plain, statements_of(profiles, replace(ground, assume=True))] if omissions(plain) else [plain]


def _statement(profile: Profile, ground: Ground) -> Statement:
    stated = []
    for clause in clauses_of(profile):
        asking = _Asking(profile.currency, ground, guess=clause.role is not Role.PEOPLE or not ground.cased)
        formula = may(clause.when, clause.wanted, asking.leaf)
        if clause.role is Role.PEOPLE:
            people = ("no record stands for a person",) if asking.derived and asking.reasons else ()
            stated.append(Stated(clause=clause, formula=formula, assumed=people))
            continue
        reasons = asking.unfed if asking.unfed and formula == EVERYBODY else asking.unfed + asking.reasons
        notes = asking.notes if formula == EVERYBODY and not reasons else []
        stated.append(
            Stated(
                clause=clause,
                formula=formula,
                reasons=tuple(dict.fromkeys(reasons)),
                assumed=tuple(dict.fromkeys(asking.assumed)) if formula != EVERYBODY else (),
                notes=tuple(f"{clause.label}: {note}" for note in dict.fromkeys(notes)),
            )
        )
    return tuple(stated)


class _Asking:
    """Translates the questions of one clause, and collects what is to be said about it."""

    def __init__(self, currency: str, ground: Ground, *, guess: bool) -> None:
        self.currency, self.ground, self.guess = currency, ground, guess
        self.derived = False
        self.unfed: list[str] = []
        self.reasons: list[str] = []
        self.assumed: list[str] = []
        self.notes: list[str] = []

    def leaf(self, leaf: Leaf, wanted: bool) -> Formula:
        """The accounts for which this question may be true (`wanted`), or need not be."""
        sources = self._sources(leaf.fact)
        if not sources:
            return self._derived(leaf, wanted)
        if leaf.fact == "population" and (made_of := [fact for fact in FEEDS if self._sources(fact)]):
            # Where the property says nothing the population is derived all the same.
            listed = " and ".join(map(fact_text, made_of))
            self.reasons.append(f"{sources[0].property} states the population, or else {listed}")
            return EVERYBODY
        elsewhere = self.ground.elsewhere.get(leaf.fact, ())
        if elsewhere:
            self.reasons.append(f"{fact_text(leaf.fact)} may also come from {', '.join(elsewhere)}")
        if isinstance(leaf, Present):
            return self._present(leaf.known is wanted, sources, bool(elsewhere))
        if isinstance(leaf, AnyOf | NoneOf | AllOf) and self._is_list(leaf.fact, sources):
            return self._listed(leaf, wanted, sources, open_ended=bool(elsewhere))
        return self._ranked(leaf, wanted, sources, outranked=bool(elsewhere))

    def _sources(self, fact: str) -> list[FactSource]:
        """The properties that feed a fact, the first to be believed first."""
        kind = self.ground.facts_map.types.get(fact)
        found = [
            s
            for s in self.ground.facts_map.sources
            if (s.fact == fact and _alike(FACT_TYPES[s.kind], kind))
            or (fact == "sector" and s.fact == "industry" and s.kind is Kind.INDUSTRY)
        ]
        return sorted(found, key=lambda s: (s.rank, f"crm:{s.property}"))

    def _derived(self, leaf: Leaf, wanted: bool) -> Formula:
        """A fact no property feeds: the population follows from others, anything else is never known."""
        if leaf.fact == "population" and isinstance(leaf, AnyOf | NoneOf | AllOf):
            feeding = {fact: self._sources(fact) for fact in FEEDS}
            others = [fact for fact in FEEDS if self.ground.elsewhere.get(fact)]
            if any(feeding.values()) and not others:
                self.derived = True
                formula, reasons, assumed = population_formula(
                    leaf, wanted, feeding, self.ground, guess=self.guess
                )
                self.reasons += reasons
                self.assumed += assumed
                return formula
            if others:
                where = ", ".join(
                    dict.fromkeys(name for fact in others for name in self.ground.elsewhere[fact])
                )
                self.reasons.append(f"the population may also come from {where}")
                return EVERYBODY
        self.unfed.append(f"no property of the CRM feeds {fact_text(leaf.fact)}")
        return EVERYBODY

    def _is_list(self, fact: str, sources: Sequence[FactSource]) -> bool:
        """Whether the fact is a set that one plain choice does not decide."""
        if self.ground.facts_map.types.get(fact) is not FactType.SET:
            return False
        shape = self.ground.shapes.get(sources[0].property)
        return len(sources) > 1 or shape is None or shape.form not in (Form.CHOICE, Form.YES_NO)

    def _ranked(self, leaf: Leaf, wanted: bool, sources: Sequence[FactSource], outranked: bool) -> Formula:
        """One value a fact: a lower rank that can be read silences the higher ones.

        Certainly failing is: the first fails, or the first cannot be read and the second fails, and so on.
        """
        silent: list[Formula] = []  # each earlier property can be read
        parts: list[Formula] = []
        for source in sources:
            read = self._read(source, leaf, wanted)
            if outranked and source.rank >= _VENDORS:
                break
            parts.append(either([*silent, Is(property=source.property, values=complement(read.failing))]))
            silent.append(Is(property=source.property, values=complement(read.unread)))
        return every(parts)

    def _read(self, source: FactSource, leaf: Leaf, wanted: bool) -> Reading:
        shape = self.ground.shapes.get(source.property)
        empty = complement(join(nothing_of(shape), complement(nothing_of(shape))))
        unknown = Reading(failing=empty, unread=nothing_of(shape), doubtful=complement(nothing_of(shape)))
        if shape is None:
            self.reasons.append(f"how {source.property} is stored is not known")
            return unknown
        if question_fits(leaf, source, shape):
            assert isinstance(leaf, Between | Within)
            if source.currency == "account" and not self.ground.currency:
                self.reasons.append(f"the currency of {source.property} is not known")
            read = numbers_of(source, shape, leaf, wanted, self.currency, self.ground)
        elif shape.counts or shape.form is Form.CHOICES:
            self.reasons.append(f"{source.property} is stored as {shape.form}")
            return unknown
        else:
            read = self._texts(source, leaf, wanted)
        self.reasons += read.reasons
        self.assumed += read.assumed
        return read

    def _texts(self, source: FactSource, leaf: Leaf, wanted: bool) -> Reading:
        shape = self.ground.shapes[source.property]
        asked = leaf.values if isinstance(leaf, AnyOf | NoneOf | AllOf) else frozenset()
        texts = texts_of(source, shape, leaf.fact, asked, self.ground)
        return sorted_out(source, texts, _failing(leaf, wanted, self.currency, self.ground), self.ground.most)

    def _present(self, known: bool, sources: Sequence[FactSource], elsewhere: bool) -> Formula:
        """May be known (or unknown): what may be read of any property (or of none)."""
        if known and elsewhere:
            return EVERYBODY
        parts = []
        for source in sources:
            shape = self.ground.shapes.get(source.property)
            if shape is None or shape.form is Form.CHOICES:
                read = Reading(failing=Words(), unread=nothing_of(shape), doubtful=Words())
                if source.kind not in _WORDED or source.values:
                    read = replace(read, doubtful=complement(read.unread))
                    self.reasons.append(f"how {source.property} is stored is not known")
            elif shape.counts:
                band = Between(fact=source.fact, money=source.kind is Kind.MONEY)
                if not question_fits(band, source, shape):
                    self.reasons.append(f"{source.property} is stored as {shape.form}")
                    return EVERYBODY
                read = numbers_of(source, shape, band, True, self.currency, self.ground)
            else:
                texts = texts_of(source, shape, source.fact, (), self.ground)
                read = sorted_out(source, texts, lambda _: False, self.ground.most)
                if texts.rest is not None and not texts.closed and source.kind not in _WORDED:
                    beyond = Words(words=frozenset(texts.outcomes), inverted=True)
                    read = replace(read, doubtful=beyond)
                    self.reasons.append(f"not every text of {source.property} can be read")
            self.assumed += read.assumed
            unread: Values = read.unread if known else join(read.unread, read.doubtful)
            parts.append(Is(property=source.property, values=complement(unread) if known else unread))
        return either(parts) if known else every(parts)

    def _listed(
        self, leaf: AnyOf | NoneOf | AllOf, wanted: bool, sources: Sequence[FactSource], open_ended: bool
    ) -> Formula:
        """A question about a set: its members unite over all properties."""
        shapes = self.ground.shapes
        unstored = [s.property for s in sources if s.property not in shapes]
        if isinstance(leaf, NoneOf):
            leaf, wanted = AnyOf(fact=leaf.fact, values=leaf.values), not wanted
        if not wanted:
            self.reasons += [f"how {name} is stored is not known" for name in unstored]
            stored = [s for s in sources if s.property in shapes]
            absent = [every(self._lists(s, value, wanted=False) for s in stored) for value in _sorted(leaf)]
            return every(absent) if isinstance(leaf, AnyOf) else either(absent)
        whole = [s for s in sources if s.complete]
        if not whole or open_ended:
            names = " and ".join(dict.fromkeys(s.property for s in sources))
            self.notes.append(f"{names} may lack members, so nobody certainly fails by it")
            return EVERYBODY
        if unstored or any(s.values for s in whole):
            self.reasons.append(f"when {whole[0].property} lists everything cannot be asked")
            return EVERYBODY
        present = [either(self._lists(s, value, wanted=True) for s in sources) for value in _sorted(leaf)]
        blank = (Is(property=s.property, values=nothing_of(shapes[s.property])) for s in whole)
        return either([either(present) if isinstance(leaf, AnyOf) else every(present), every(blank)])

    def _lists(self, source: FactSource, value: str, *, wanted: bool) -> Formula:
        shape = self.ground.shapes[source.property]
        parts = parts_meaning(source, value, shape, self.ground)
        if shape.form in (Form.CHOICE, Form.YES_NO):
            return Is(
                property=source.property, values=Words(words=parts, inverted=not wanted, blank=not wanted)
            )
        if shape.counts:
            self.reasons.append(f"{source.property} is stored as {shape.form}")
            return EVERYBODY
        if self.ground.cased and not shape.complete and not (parts & set(shape.options)):
            self.reasons.append(f"{source.property} has no known option {value}")
            if wanted:
                return EVERYBODY
        return Lists(property=source.property, words=parts, wanted=wanted, separator=source.separator)


_VALUE = {FactType.NUMBER: Interval, FactType.DATE: Interval, FactType.MONEY: Money}


def _alike(read: FactType, wanted: FactType | None) -> bool:
    """Whether a value read as one type counts for a fact of the other, as `domain.facts.fits` has it."""
    return wanted is not None and _VALUE.get(read, Members) is _VALUE.get(wanted, Members)


_WORDED = (Kind.CHOICE, Kind.TEXT, Kind.SET)


def _sorted(leaf: AnyOf | AllOf) -> list[str]:
    return sorted(leaf.values)


def _failing(leaf: Leaf, wanted: bool, currency: str, ground: Ground) -> Callable[[FactValue], bool]:
    """Whether a value certainly fails the question, asked of the evaluator itself."""
    from icp_sync.domain.compile import compile_conditions

    answer = compile_conditions([leaf], currency)

    def fails(value: FactValue) -> bool:
        if isinstance(value, Members) is not isinstance(leaf, AnyOf | NoneOf | AllOf):
            return False  # a question of another type: the evaluator never gets to see such a value
        low, high = answer({leaf.fact: value}, ground.now)[:2]
        return high == 0.0 if wanted else low == 1.0

    return fails
