"""Whether the values of one row may be kept, and in which form. It changes nothing.

Values come as text (`typed`); what is wrong with them is a list of row errors, as a collection reports them.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial

from icp_sync.simulator.salesforce import ids, state_country
from icp_sync.simulator.salesforce.errors import Json, row_error
from icp_sync.simulator.salesforce.org import Org, RecordType, User
from icp_sync.simulator.salesforce.schema import NUMBERS, TEXTS, FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.store import Record

LONGEST_CHOICE = 255
MOST_CHOICES, LONGEST_CHOICES = 100, 4_099
"""Values and characters of a multi-select picklist on one record.
https://help.salesforce.com/s/articleView?id=sf.picklist_limitations.htm
"""
DEFAULTED = frozenset({"OwnerId", "CurrencyIsoCode", "ProfileId", "RecordTypeId"})
"""Required, but the org gives a value when a new record does not."""


class Invalid(Exception):
    """A value that cannot be kept."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(code)
        self.error = row_error(code, message, *fields)


def check(
    org: Org, user: User, sobject: SObject, given: Mapping[str, str], record: Record | None
) -> tuple[dict[str, str], list[Json]]:
    """The values as they would be kept, and every error. `record`: what is updated, None for a new one.

    given: API names as the object spells them to text; "" is null.
    """
    kept: dict[str, str] = {}
    errors: list[Json] = []
    fields = [(sobject.fields[name.lower()], text) for name, text in given.items()]
    denied = [field.name for field, _ in fields if not _writable(org, user, sobject, field, record)]
    if denied:
        message = (
            f"Unable to create/update fields: {', '.join(denied)}. Please check the security settings of "
            "this field and verify that it is read/write for your profile or permission set."
        )
        errors.append(row_error("INVALID_FIELD_FOR_INSERT_UPDATE", message, *denied))
    wanted = given.get("RecordTypeId") or (record.props.get("RecordTypeId", "") if record else "")
    kind = next((one for one in org.record_types.values() if one.id == ids.long(wanted)), None)
    for field, text in fields:
        if field.name in denied:
            continue
        try:
            kept[field.name] = _accepted(org, user, sobject, field, text, record, kind)
        except Invalid as wrong:
            errors.append(wrong.error)
    held = record.props if record is not None else {}
    errors += _missing(sobject, kept, given, creating=record is None)
    if not errors:
        try:
            kept = state_country.consistent(sobject, kept, held)
        except state_country.Unknown as wrong:
            errors.append(row_error("FIELD_INTEGRITY_EXCEPTION", wrong.message, wrong.field))
    if not errors:
        errors += _forbidden(org, sobject, {**held, **kept})
    return kept, errors


def _writable(org: Org, user: User, sobject: SObject, field: FieldDef, record: Record | None) -> bool:
    allowed = field.createable if record is None else field.updateable
    return allowed and not field.calculated and org.editable(user, sobject, field)


def _accepted(
    org: Org,
    user: User,
    sobject: SObject,
    field: FieldDef,
    text: str,
    record: Record | None,
    kind: RecordType | None,
) -> str:
    """A value in the form it is kept in. Raises Invalid."""
    held = record.props.get(field.name, "") if record is not None else ""
    if field.type in TEXTS:
        text = _text(field, text, crlf=org.switches.line_ends_crlf)
    if text == "":
        if not field.nillable and field.type != "boolean":
            raise Invalid(
                "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", field.name
            )
        return ""
    if field.unique:
        _alone(sobject, field, text, record)
    if field.type in NUMBERS:
        return _number(field, text)
    match field.type:
        case "datetime":
            return text if org.switches.milliseconds else f"{text[:19]}.000Z"
        case "picklist":
            return _choice(field, text, kind)
        case "multipicklist":
            return _choices(field, text, kind)
        case "reference":
            return _reference(org, user, sobject, field, text, held, record)
    return text


def _text(field: FieldDef, text: str, *, crlf: bool) -> str:
    """Without blanks around it; long text with its line ends as the org keeps them."""
    text = text.strip()
    if field.type == "textarea":
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = text.replace("\n", "\r\n") if crlf else text
    if units(text) > field.length > 0:
        shown = text[:20]
        message = f"{field.label}: data value too large: {shown} (max length={field.length})"
        raise Invalid("STRING_TOO_LONG", message, field.name)
    if field.type == "email" and ("@" not in text[1:-1] or any(c.isspace() for c in text)) and text:
        raise Invalid("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", field.name)
    return text


def units(text: str) -> int:
    """The length of a text as Salesforce counts it: an emoji is two of Java's characters."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def _number(field: FieldDef, text: str) -> str:
    """A number rounded to the field's scale."""
    wrong = Invalid(
        "NUMBER_OUTSIDE_VALID_RANGE",
        f"{field.label}: value outside of valid range on numeric field: {text[:40]}",
        field.name,
    )
    try:
        number = Decimal(text)
        if not number.is_finite() or abs(number) >= Decimal(10) ** ((field.precision or 18) - field.scale):
            raise wrong
        rounded = number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise wrong from None
    if abs(rounded) >= Decimal(10) ** ((field.precision or 18) - field.scale):
        raise wrong
    return f"{rounded:f}" if rounded else "0"


def _choice(field: FieldDef, text: str, kind: RecordType | None) -> str:
    """A picklist value. Only a restricted picklist refuses what it does not know, or its record type not."""
    if not field.restricted:
        if units(text) > LONGEST_CHOICE:
            message = f"{field.label}: data value too large: {text[:20]} (max length={LONGEST_CHOICE})"
            raise Invalid("STRING_TOO_LONG", message, field.name)
        return text
    offered = {choice.value for choice in field.choices if choice.active}
    if kind is not None and field.key in kind.picklists:
        offered &= kind.picklists[field.key]
    if text not in offered:
        raise Invalid(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text[:80]}",
            field.name,
        )
    return text


def _choices(field: FieldDef, text: str, kind: RecordType | None) -> str:
    """The values of a multi-select picklist, each once, in the order the field lists them."""
    given = dict.fromkeys(part.strip() for part in text.split(";") if part.strip())
    place = {choice.value: n for n, choice in enumerate(field.choices)}
    if len(given) > MOST_CHOICES:
        message = f"{field.label}: at most {MOST_CHOICES} values, was {len(given)}"
        raise Invalid("TOO_MANY_ENUM_VALUE", message, field.name)
    chosen = [_choice(field, one, kind) for one in given]
    kept = ";".join(sorted(chosen, key=lambda one: place.get(one, len(place))))
    if units(kept) > LONGEST_CHOICES:
        message = f"{field.label}: data value too large: {kept[:20]} (max length={LONGEST_CHOICES})"
        raise Invalid("STRING_TOO_LONG", message, field.name)
    return kept


def _reference(
    org: Org,
    user: User,
    sobject: SObject,
    field: FieldDef,
    text: str,
    held: str,
    record: Record | None,
) -> str:
    """The 18-character id of a record that is there. Raises Invalid."""
    target = org.objects.get(field.reference_to.lower())
    number = ids.number(text)
    if number is None or (target is not None and text[:3] != target.prefix):
        message = f"{field.label}: id value of incorrect type: {text[:40]}"
        raise Invalid("MALFORMED_ID", message, field.name)
    wanted = ids.long(text)
    if target is None or wanted == held:
        return wanted
    found = target.anything(wanted)
    if found is None:
        raise Invalid("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {wanted}", field.name)
    if found.archived_at is not None:
        raise Invalid("ENTITY_IS_DELETED", "entity is deleted", field.name)
    if not org.visible(user, target, found):
        message = f"insufficient access rights on cross-reference id: {wanted}"
        raise Invalid("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, field.name)
    if field.name == "OwnerId":
        _may_own(org, user, sobject, found, wanted, record)
    if field.name == "ParentId" and record is not None and _is_under(sobject, found, record.id):
        raise Invalid("CIRCULAR_DEPENDENCY", "attempt to create a cyclic hierarchy", field.name)
    return wanted


def _may_own(
    org: Org, user: User, sobject: SObject, owner: Record, owner_id: str, record: Record | None
) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm"""
    if owner.props.get("IsActive") != "true":
        message = (
            f"operation performed with inactive user [{owner_id[:15]}] as owner of {sobject.name.lower()}"
        )
        raise Invalid("INACTIVE_OWNER_OR_USER", message, "OwnerId")
    if record is not None and not org.rights.may_transfer(user):
        raise Invalid("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", "OwnerId")


def _is_under(sobject: SObject, record: Record, ancestor: int) -> bool:
    """Whether a record is another one, or below it."""
    seen: set[int] = set()
    at: Record | None = record
    while at is not None and at.id not in seen:
        if at.id == ancestor:
            return True
        seen.add(at.id)
        number = ids.number(at.props.get("ParentId", ""))
        at = None if number is None else sobject.store.records.get(number)
    return False


def _alone(sobject: SObject, field: FieldDef, text: str, record: Record | None) -> None:
    """A unique value stands on one record only, whatever its case."""
    own = None if record is None else record.id
    for number in sobject.store.live:
        if number != own and sobject.store.records[number].props.get(field.name, "").lower() == text.lower():
            other = ids.shown(sobject.prefix, number)
            message = f"duplicate value found: {field.name} duplicates value on record with id: {other[:15]}"
            raise Invalid("DUPLICATE_VALUE", message, field.name)


def _missing(
    sobject: SObject, kept: Mapping[str, str], given: Mapping[str, str], *, creating: bool
) -> Iterator[Json]:
    """A new record must have every field that is required and has no default."""
    if not creating:
        return
    names = [
        field.name
        for field in sobject.fields.values()
        if not field.nillable
        and field.createable
        and field.type != "boolean"
        and field.name not in DEFAULTED
        and field.name not in given
        and not kept.get(field.name)
    ]
    if names:
        listed = ", ".join(names)
        yield row_error("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{listed}]", *names)


def _forbidden(org: Org, sobject: SObject, after: Mapping[str, str]) -> Iterator[Json]:
    """What the org's validation rules say of the record as it would be, whichever fields are written."""
    refused = partial(row_error, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    for rule in org.rules:
        field = sobject.field(rule.field) if sobject.key == rule.object else None
        if field is not None and after.get(field.name, "") == rule.value:
            yield refused(rule.message, field.name)
