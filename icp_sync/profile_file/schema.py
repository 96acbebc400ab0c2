"""The shape of a profile file: which keys there are and what kind of thing each holds.

Pydantic models, used twice: to find unknown keys and wrong kinds, and to publish the JSON Schema that
editors complete from. What the values mean is `building`'s business.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise ValueError("a single value is wanted here")
    return value


Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""One number, word or truth value; read by `values` once the fact's type is known."""

EXCEPTIONS = ("provisional", "owned", "customer")
"""What a route that names somebody may overlook."""

Amount = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number"]})]


class Entry(BaseModel):
    """A mapping whose every key is known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


class Question(Entry):
    """One question about one fact."""

    fact: str | None = Field(None, description="The fact asked about, for example employees.")
    between: list[Amount] | None = Field(
        None, min_length=2, max_length=2, description="Lowest and highest value, both included."
    )
    at_least: Amount | None = Field(None, description="This value or more.")
    at_most: Amount | None = Field(None, description="This value or less.")
    above: Amount | None = Field(None, description="More than this value.")
    below: Amount | None = Field(None, description="Less than this value.")
    equals: Scalar | None = Field(None, description="Exactly this value.")
    any_of: list[Scalar] | None = Field(None, min_length=1, description="At least one of these.")
    none_of: list[Scalar] | None = Field(None, min_length=1, description="None of these.")
    all_of: list[Scalar] | None = Field(None, min_length=1, description="Every one of these (sets).")
    within: Amount | None = Field(None, description="At most this long ago, for example 180d.")
    half_life: Amount | None = Field(None, description="Timing only: credit halves each so long.")
    known: bool | None = Field(None, description="Scopes and routes only: is the fact known at all?")
    taper: Amount | None = Field(
        None, description="Share of the nearer bound over which credit falls to nothing, for example 50%."
    )


class ConditionEntry(Question):
    """A question, or several combined."""

    all: list[ConditionEntry] | None = Field(None, min_length=1, description="Every one holds.")
    any: list[ConditionEntry] | None = Field(None, min_length=1, description="At least one holds.")
    not_: ConditionEntry | None = Field(None, alias="not", description="It does not hold.")
    tier: list[str] | None = Field(None, min_length=1, description="Routes only: tiers or states.")


class CriterionEntry(Question):
    """A weighted question, or a gate."""

    name: str = Field(description="A few words that read well after a plus or a minus.")
    layer: str = Field(description="firmographic, technographic, behavioral, buying, pain, …")
    when: ConditionEntry | None = Field(None, description="Instead of `fact`: a combined condition.")
    weight: float | None = Field(None, description="Its share of the score, relative to the others.")
    required: bool = Field(False, description="A gate: no weight, but who fails it is Not ICP.")
    unknown: Amount | None = Field(None, description="Share of open credit an unknown shows; 50% by default.")
    level: str | None = Field(None, description="Whose facts: self (the default), parent or group.")


class TimingEntry(Question):
    """A weighted question about the moment."""

    name: str
    when: ConditionEntry | None = None
    weight: float


class FlagEntry(Entry):
    """A named non-ICP condition."""

    name: str
    when: ConditionEntry
    effect: Annotated[
        Any,
        WithJsonSchema(
            {
                "anyOf": [
                    {"enum": ["exclude", "mark"]},
                    {
                        "type": "object",
                        "properties": {"cap": {"enum": ["A", "B", "C", "D"]}},
                        "required": ["cap"],
                        "additionalProperties": False,
                    },
                ]
            }
        ),
    ] = Field(description="exclude, mark, or {cap: C}.")


class TargetEntry(Entry):
    """Where a route leads."""

    lane: str | None = Field(None, description="sales, research, nurture, success or none.")
    owner: str | None = Field(None, description="An owner's email, or `existing`.")
    pool: str | None = Field(None, description="A pool of this profile.")
    territory: str | None = Field(None, description="A territory table, for example territories.csv.")
    named: Annotated[
        Any,
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ]
            }
        ),
    ] = Field(None, description="Named accounts: a CSV file, {domain: email, …}, or {fact: name}.")
    keep: str | None = Field(None, description="parent or group: whoever owns that comes first.")
    onboarding: str | None = Field(None, description="Success lane: full, standard or light.")
    expansion: str | None = Field(None, description="Success lane: likely or unlikely.")
    churn_risk: str | None = Field(None, description="Success lane: low, medium or high.")
    touch_within: Amount | None = Field(
        None, description="How soon whoever is given an account is to touch it, for example 2d."
    )
    weekdays: bool = Field(False, description="Saturdays and Sundays do not count for `touch_within`.")
    otherwise: Annotated[
        Any,
        WithJsonSchema(
            {
                "anyOf": [
                    {"const": "reroute"},
                    {
                        "type": "object",
                        "properties": {
                            "reroute": {"const": True},
                            "escalate": {"type": "string"},
                        },
                        "required": ["escalate"],
                        "additionalProperties": False,
                    },
                ]
            }
        ),
    ] = Field(None, description="When nobody touched it in time: reroute, or {escalate: lead@example.com}.")
    times: int | None = Field(None, description="How often `reroute` passes an account on; 1 by default.")


class RouteEntry(Entry):
    """A condition and where it leads, or what happens to everybody else."""

    when: ConditionEntry | None = None
    to: TargetEntry | None = None
    else_: TargetEntry | None = Field(None, alias="else")
    even_if: Annotated[
        Any,
        WithJsonSchema(
            {
                "anyOf": [
                    {"enum": list(EXCEPTIONS)},
                    {"type": "array", "items": {"enum": list(EXCEPTIONS)}},
                ]
            }
        ),
    ] = Field(None, description="provisional, owned, customer, or a list of these.")


class MemberEntry(Entry):
    """Somebody in a pool."""

    email: str
    weight: float = Field(1.0, description="Their share, relative to the others.")
    cap: int = Field(0, description="Most open in-scope accounts they may own; 0 for no limit.")


class PoolEntry(Entry):
    """People who share accounts."""

    members: list[MemberEntry] = Field(min_length=1)
    imbalance: float = Field(5.0, description="Accounts somebody of average weight may be ahead.")


class ReviewEntry(Entry):
    """When the profile is to be looked at again."""

    minor: str | None = Field(None, description="Date of the next small review, 2027-02-28.")
    full: str | None = Field(None, description="Date of the next full review.")


class ScopeEntry(Entry):
    """Whom the profile is about."""

    score: ConditionEntry | None = Field(None, description="Who is scored; everybody when left out.")
    route: ConditionEntry | None = Field(None, description="Who may be given an owner.")


class TiersEntry(Entry):
    """Lowest score of each tier, and how calmly a tier moves."""

    A: int = 80
    B: int = 60
    C: int = 40
    D: int = 0
    hysteresis: int = Field(3, description="Points by which a score must pass a boundary to move at once.")
    dwell: Amount | None = Field(None, description="How long a smaller move must last; 7d by default.")
    min_coverage: Amount | None = Field(None, description="Below this share of known weight: Needs data.")


class LearnedEntry(Entry):
    """What a profile was learned from; written by `icp-sync learn`."""

    goal: str | None = Field(None, description="won or best: what the cases were sorted by.")
    since: str | None = Field(None, description="The cases were decided on this day or later.")
    until: str | None = Field(None, description="The cases were decided before this day.")
    cases: int = Field(0, description="How many cases it was learned from.")
    good: int = Field(0, description="How many of them were what the goal looks for.")
    expected: dict[str, Amount] = Field({}, description="Tier → the share of good ones expected in it.")
    hypothesis: bool = Field(False, description="Drafted from a few examples and unproven.")
    mark: str = Field("", description="A digest of this entry: one that was edited proves nothing.")
    asks: str = Field("", description="A digest of criteria, flags and tiers as they were learned.")


class ProfileEntry(Entry):
    """One Ideal Customer Profile."""

    profile: str = Field(description="Its name: lower-case letters, digits, dashes.")
    extends: str | None = Field(
        None, description="What this is a variant of: a profile, or a file from here on."
    )
    currency: str = Field(description="ISO 4217 code of every money threshold.")
    review: ReviewEntry = ReviewEntry()
    scope: ScopeEntry = ScopeEntry()
    criteria: list[CriterionEntry] = Field(min_length=1)
    timing: list[TimingEntry] = []
    timing_grades: dict[int, int] = Field({}, description="Lowest timing of grade 1 and 2: {1: 60, 2: 30}.")
    flags: list[FlagEntry] = []
    tiers: TiersEntry = TiersEntry()
    pools: dict[str, PoolEntry] = {}
    routes: list[RouteEntry] = []
    examples: dict[str, str] = Field({}, description="Domain → the tier or state expected of it.")
    learned: LearnedEntry | None = Field(None, description="What it was learned from, never proven on.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a profile file."""
    schema = ProfileEntry.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "icp_sync profile"}
