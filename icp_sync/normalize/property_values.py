"""Which values of one CRM property read as what: the reading of the facts map, turned round for filters.

A filter sees raw values, a profile asks about facts. Here each raw value of a property is put on one side of
a question: it certainly fails, nothing can be read from it, or it may pass. Doubt counts as "may pass".
Knows no CRM; how a property is stored (its shape) is told by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
from math import inf

from icp_sync.domain.conditions import Between, Condition, Within
from icp_sync.domain.currency import convert
from icp_sync.domain.facts import FactValue, Money
from icp_sync.domain.filtering import Numbers, Span, Values, Words, complement, join, meet
from icp_sync.normalize import money, sizes
from icp_sync.normalize.dates import LAST_YEAR
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind


class Form(StrEnum):
    """How a CRM stores a property."""

    NUMBER = "number"
    DATE = "date"  # a whole day, compared by its midnight in UTC
    DATETIME = "datetime"
    TEXT = "text"
    CHOICE = "choice"  # one option of a list
    CHOICES = "choices"  # several options
    YES_NO = "yes_no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A property's form and options (raw values). complete: it has no others than these."""

    form: Form
    options: tuple[str, ...] = ()
    complete: bool = False

    @property
    def counts(self) -> bool:
        """Whether the values are numbers or instants, not texts."""
        return self.form in (Form.NUMBER, Form.DATE, Form.DATETIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a filter is worked out for.

    cased: whether the CRM tells options apart by case. currency: of the account's plain amounts, "" where
    nobody knows. now: epoch seconds. elsewhere: facts that other sources feed too, with their names.
    most: texts worth listing where a property holds free text. assume: take it that a property has no
    options but those known, and no absurd numbers; each time that is used it is said.
    """

    facts_map: FactsMap
    shapes: Mapping[str, Shape]
    cased: bool
    currency: str
    now: float
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most: int = 2_000
    assume: bool = False


class Doubt(Enum):
    """A value that may read as anything."""

    ANYTHING = "anything"


Outcome = FactValue | Doubt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A property's values by one question. failing: read, and certainly not what is asked. unread: nothing
    is read from them. doubtful: may be read or not. The rest is read and passes."""

    failing: Values
    unread: Values
    doubtful: Values
    reasons: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


def passing(question: Between | Within, wanted: bool, *, whole_day: bool, now: float) -> Numbers:
    """Numbers or instants for which the question may be true (`wanted`), or need not be.

    whole_day: a value stands for the day that begins with it, to the last second.
    """
    day = 86_399.0 if whole_day else 0.0
    if isinstance(question, Within):
        since = now - question.seconds
        if wanted:
            return Numbers(spans=(Span(low=since - day, low_open=True),))
        fresh = Span(since, now - day, low_open=True)
        certain = Numbers() if fresh.empty or question.half_life else Numbers(spans=(fresh,))
        return meet_numbers(complement(certain))
    fade = question.taper if wanted else 0.0
    low = question.low - _share(question.low, fade) - (day if wanted else 0.0)
    high = question.high + _share(question.high, fade) - (0.0 if wanted else day)
    crisp = not question.taper  # with a taper the bounds themselves always hold
    band = Span(low, high, question.low_open and crisp, question.high_open and crisp)
    inside = Numbers() if band.empty else Numbers(spans=(band,))
    return inside if wanted else meet_numbers(complement(inside))


def meet_numbers(values: Values) -> Numbers:
    """The numbers among the values, without "no value"."""
    found = meet(values, Numbers(spans=(Span(),)))
    return found if isinstance(found, Numbers) else Numbers()


def numbers_of(
    source: FactSource, shape: Shape, question: Between | Within, wanted: bool, currency: str, ground: Ground
) -> Reading:
    """The reading of a property of numbers or instants. `currency` is the profile's."""
    if isinstance(question, Between) and source.kind is Kind.MONEY:
        said = ground.currency if source.currency == "account" else source.currency
        good = _amounts(question, wanted, said, currency)
    else:
        good = passing(question, wanted, whole_day=shape.form is Form.DATE, now=ground.now)
    readable, limits = _readable(source)
    assumed: tuple[str, ...] = ()
    absurd = meet_numbers(complement(readable))
    if ground.assume and absurd.spans:
        readable, absurd = Numbers(spans=(Span(),)), Numbers()
        assumed = (f"{source.property} holds nothing {limits}",)
    said_otherwise = _renamed(source)
    return Reading(
        failing=meet(meet(readable, complement(good)), complement(said_otherwise)),
        unread=join(absurd, Numbers(blank=True)),
        doubtful=said_otherwise,
        reasons=(f"some numbers of {source.property} stand for something else",)
        if said_otherwise.spans
        else (),
        assumed=assumed,
    )


def _readable(source: FactSource) -> tuple[Numbers, str]:
    """The numbers that are read at all, and the others in words."""
    if source.kind is Kind.DATE:
        end = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()
        return Numbers(spans=(Span(high=end, high_open=True),)), f"after {LAST_YEAR}"
    if source.kind is Kind.MONEY:
        return Numbers(spans=(Span(0.0, money.MOST),)), "below 0 or above 1e17"
    if source.fact == "employees":
        return Numbers(spans=(Span(0.0, float(sizes.MOST)),)), f"below 0 or above {sizes.MOST:,}"
    return Numbers(spans=(Span(),)), ""


def _renamed(source: FactSource) -> Numbers:
    """Numbers the facts map gives a meaning of their own."""
    found: Values = Numbers()
    for text in source.values:
        try:
            value = float(text)
        except ValueError:
            continue
        found = join(found, Numbers(spans=(Span(value, value),)))
    return meet_numbers(found)


def _amounts(question: Between, wanted: bool, said: str, currency: str) -> Numbers:
    """Plain amounts in the currency `said` that pass; a rate is a range, and rounding is on the safe side."""
    if said == currency:
        return passing(question, wanted, whole_day=False, now=0.0)
    least, most = convert(Money(1.0, 1.0, said), currency)
    slack = 1e-9 if wanted else -1e-9
    low_rate, high_rate = (most, least) if wanted else (least, most)
    fade = question.taper if wanted else 0.0
    bounds = (question.low - _share(question.low, fade), question.high + _share(question.high, fade))
    band = Span(
        _divided(bounds[0], low_rate) * (1 - slack),
        _divided(bounds[1], high_rate) * (1 + slack),
        question.low_open and not question.taper,
        question.high_open and not question.taper,
    )
    inside = Numbers() if band.empty else Numbers(spans=(band,))
    return inside if wanted else meet_numbers(complement(inside))


def _share(bound: float, share: float) -> float:
    return abs(bound) * share if share else 0.0


def _divided(amount: float, rate: float) -> float:
    if abs(amount) == inf:
        return amount
    return inf if rate == 0.0 else amount / rate


def nothing_of(shape: Shape | None) -> Values:
    """No value at all, as a set of the right kind for a property of this shape."""
    return Numbers(blank=True) if shape is not None and shape.counts else Words(blank=True)


def question_fits(question: Condition, source: FactSource, shape: Shape) -> bool:
    """Whether a property of numbers or instants can answer a question about a band or an age."""
    if not isinstance(question, Between | Within) or not shape.counts:
        return False
    if source.kind is Kind.DATE:
        return shape.form in (Form.DATE, Form.DATETIME)
    return source.kind in (Kind.NUMBER, Kind.MONEY) and shape.form is Form.NUMBER
