"""The fields we own on an account, in one canonical form per field type.

Live and desired standing share the type `Standing`, so difference, idempotence and dry run come free.
Canonical forms: number "72" or "72.5" (no trailing zeros), datetime "2026-11-21T22:00:00.000Z",
multi "a;b" sorted, owner a lower-case email, yes_no "true"/"false", text stripped; blank is "".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

Standing = Mapping[str, str]
"""Logical field name → canonical value; "" is blank. A field the connection does not carry is absent."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STATES = ("A", "B", "C", "D", "Needs data", "Not ICP")
PRIORITIES = tuple(f"{tier}{grade}" for tier in "ABCD" for grade in "123")


class FieldType(StrEnum):
    ENUM = "enum"
    NUMBER = "number"
    TEXT = "text"
    LONG_TEXT = "long_text"
    DATETIME = "datetime"
    MULTI = "multi"
    OWNER = "owner"
    YES_NO = "yes_no"


class Mode(StrEnum):
    """What a connection may write; each step up is explicit."""

    OBSERVE = "observe"  # evaluates, writes nothing
    WRITE = "write"  # the standing
    ROUTE = "route"  # the standing and owners

    def allows(self, needed: Mode) -> bool:
        return (needed, self) in _ALLOWED


_ALLOWED = frozenset(
    (needed, mode)
    for at, mode in enumerate(Mode)
    for needed in list(Mode)[: at + 1]
    if mode is not Mode.OBSERVE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One output. `needs`: the mode from which it is written. `cosmetic`: never causes a write by itself."""

    name: str
    label: str
    type: FieldType
    description: str
    options: tuple[str, ...] = ()
    cosmetic: bool = False
    slack: float = 0.0  # a numeric difference up to this is cosmetic
    minimal: bool = False  # part of `footprint: minimal`
    needs: Mode = Mode.WRITE
    hidden: bool = False
    native: bool = False  # a property of the CRM itself, written only when configured, never provisioned
    theirs: bool = False  # provisioned for people to edit; read, and never written, sealed or left alone


FIELDS: Mapping[str, Field] = {
    f.name: f
    for f in (
        Field(
            name="tier",
            label="ICP tier",
            type=FieldType.ENUM,
            options=STATES,
            minimal=True,
            description="Fit tier A to D, or the states Needs data and Not ICP.",
        ),
        Field(
            name="model_tier",
            label="ICP model tier",
            type=FieldType.ENUM,
            options=STATES,
            description="The tier the profile alone gives, before any override by people.",
        ),
        Field(
            name="previous_tier",
            label="ICP previous tier",
            type=FieldType.ENUM,
            options=STATES,
            description="The tier before the last change.",
        ),
        Field(
            name="tier_changed_at",
            label="ICP tier changed at",
            type=FieldType.DATETIME,
            description="When the tier last changed.",
        ),
        Field(
            name="fit_score",
            label="ICP fit score",
            type=FieldType.NUMBER,
            slack=1,
            minimal=True,
            description="0 to 100; the sum of the shown points.",
        ),
        Field(
            name="fit_low",
            label="ICP fit, at least",
            type=FieldType.NUMBER,
            slack=1,
            description="The lowest score still possible.",
        ),
        Field(
            name="fit_high",
            label="ICP fit, at most",
            type=FieldType.NUMBER,
            slack=1,
            description="The highest score still possible.",
        ),
        Field(
            name="certainty",
            label="ICP tier certainty",
            type=FieldType.ENUM,
            options=("firm", "provisional"),
            minimal=True,
            description="Firm: no missing fact can change the tier.",
        ),
        Field(
            name="priority",
            label="ICP priority",
            type=FieldType.ENUM,
            options=PRIORITIES,
            description="Tier and timing grade, A1 first. Blank outside A to D.",
        ),
        Field(
            name="timing_grade",
            label="ICP timing grade",
            type=FieldType.ENUM,
            options=("1", "2", "3"),
            description="1: the moment is good. 3: nothing says so.",
        ),
        Field(
            name="timing",
            label="ICP timing",
            type=FieldType.NUMBER,
            description="0 to 100 in steps of 10; decays.",
        ),
        Field(
            name="flags",
            label="Non-ICP flags",
            type=FieldType.MULTI,
            minimal=True,
            description="Non-ICP conditions that are certainly true.",
        ),
        Field(
            name="reasons",
            label="ICP reasons",
            type=FieldType.LONG_TEXT,
            cosmetic=True,
            minimal=True,
            description="Why: what decides, helps, hurts, is missing, changed.",
        ),
        Field(
            name="missing_facts",
            label="ICP missing facts",
            type=FieldType.LONG_TEXT,
            cosmetic=True,
            description="Unknown facts that could change the tier, most valuable first.",
        ),
        Field(
            name="profile",
            label="ICP profile",
            type=FieldType.TEXT,
            description="The profile whose score is shown.",
        ),
        Field(
            name="coverage",
            label="ICP coverage",
            type=FieldType.NUMBER,
            cosmetic=True,
            description="Percent of the profile's weight that is known.",
        ),
        Field(
            name="lane",
            label="ICP lane",
            type=FieldType.ENUM,
            options=("sales", "research", "nurture", "success", "none"),
            minimal=True,
            description="What should happen next.",
        ),
        Field(
            name="onboarding",
            label="ICP onboarding",
            type=FieldType.ENUM,
            options=("full", "standard", "light"),
            description="Customers in the success lane: how much onboarding their fit is worth.",
        ),
        Field(
            name="expansion",
            label="ICP expansion",
            type=FieldType.ENUM,
            options=("likely", "unlikely"),
            description="Customers in the success lane: whether their fit says they may grow.",
        ),
        Field(
            name="churn_risk",
            label="ICP churn risk by fit",
            type=FieldType.ENUM,
            options=("low", "medium", "high"),
            description="Customers in the success lane: how likely a poor fit makes their leaving.",
        ),
        Field(
            name="routed_owner",
            label="ICP routed owner",
            type=FieldType.OWNER,
            needs=Mode.ROUTE,
            description="The owner our route chose.",
        ),
        Field(
            name="routed_at",
            label="ICP routed at",
            type=FieldType.DATETIME,
            needs=Mode.ROUTE,
            description="When our route chose the owner.",
        ),
        Field(
            name="tier_override",
            label="ICP tier override",
            type=FieldType.ENUM,
            options=STATES,
            theirs=True,
            description="For people: the tier this company shall have, whatever the profile says.",
        ),
        Field(
            name="tier_override_reason",
            label="ICP tier override, why",
            type=FieldType.TEXT,
            theirs=True,
            description="For people: why the tier is overridden.",
        ),
        Field(
            name="tier_override_until",
            label="ICP tier override, until",
            type=FieldType.DATETIME,
            theirs=True,
            description="For people: when the override ends by itself. Blank: when it is taken away.",
        ),
        Field(
            name="seal",
            label="ICP seal",
            type=FieldType.LONG_TEXT,
            hidden=True,
            minimal=True,
            cosmetic=True,
            description="Marks what icp_sync wrote. Not for people.",
        ),
        Field(
            name="owner",
            label="Owner",
            type=FieldType.OWNER,
            native=True,
            needs=Mode.ROUTE,
            description="The CRM's own owner.",
        ),
        Field(
            name="native_tier",
            label="Ideal customer profile tier",
            type=FieldType.ENUM,
            options=("tier_1", "tier_2", "tier_3"),
            native=True,
            description="The CRM's own ICP tier: A, B, C.",
        ),
        Field(
            name="target_account",
            label="Target account",
            type=FieldType.YES_NO,
            native=True,
            description="The CRM's own target-account mark: true for a firm A.",
        ),
    )
}


OWNERSHIP = frozenset(name for name, known in FIELDS.items() if known.needs is Mode.ROUTE)
"""Who owns an account, and what says why: these move together."""


def number_text(value: float) -> str:
    """A number in canonical form: "72", "72.5"."""
    return str(int(value)) if value == int(value) else repr(value)


def instant_text(seconds: float | None) -> str:
    """UTC epoch seconds in canonical form, to the nearest millisecond; "" for None.

    Raises OverflowError outside the years 1 to 9999.
    """
    if seconds is None:
        return ""
    at = _EPOCH + timedelta(milliseconds=round(seconds * 1000))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_of(text: str) -> float | None:
    """UTC epoch seconds of an instant in canonical form, None for anything else."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
