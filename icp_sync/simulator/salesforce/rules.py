"""What admins have forbidden, and what code of the org's own stands in the way. Data; nothing runs here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRule:
    """Refuses every write that leaves `value` in `field`: FIELD_CUSTOM_VALIDATION_EXCEPTION.

    object: in lower case.
    """

    field: str
    value: str
    message: str
    object: str = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Code of the org's own that fails on every update of an object (lower case), or on calls of more than
    `most` rows of it: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY for each of them.

    https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_gov_limits.htm
    """

    object: str
    name: str
    message: str
    most: int = 0
