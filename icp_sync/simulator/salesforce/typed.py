"""What comes over the wire as a value, turned into the text a record keeps. It knows fields, no records.

JSON is read as strictly as Salesforce reads it: a string where a number belongs spoils the whole request, not
only its row. A cell of a bulk upload is text, and fails alone.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_date_format.htm
"""

from __future__ import annotations

import re

from icp_sync.simulator.clock import iso, to_ms
from icp_sync.simulator.salesforce.errors import Refusal, bad_json
from icp_sync.simulator.salesforce.schema import FieldDef

NULL_CELL = "#N/A"
_WHOLE = range(-(2**31), 2**31)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""What XML 1.0, in which the same values travel elsewhere, has no way to write.
https://www.w3.org/TR/xml/#charsets
"""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)
_FIRST, _END = -8_520_336_000_000, 64_092_211_200_000
"""1700-01-01 and 4001-01-01, ms: no date lies outside."""
_JAVA = {"int": "int", "boolean": "boolean", "date": "date", "datetime": "datetime"}
_DECIMALS = frozenset({"double", "currency", "percent"})


class Unfit(ValueError):
    """A text that is no value of its field's type."""


def from_json(field: FieldDef, value: object) -> str:
    """A JSON value as text, "" for null. Raises Refusal (JSON_PARSER_ERROR) for one of another type."""
    if value is None:
        if field.type == "boolean":
            raise _undeserializable(field, "VALUE_NULL", "null")
        return ""
    if isinstance(value, bool):
        if field.type != "boolean":
            raise _undeserializable(field, f"VALUE_{str(value).upper()}", str(value).lower())
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(field, value)
    if isinstance(value, list | dict):
        raise _undeserializable(field, "START_ARRAY" if isinstance(value, list) else "START_OBJECT", "")
    text = str(value)
    if _UNUSABLE.search(text):
        raise bad_json("Illegal character in a text: control characters cannot be kept at [line:1, column:1]")
    if field.type in _DECIMALS or field.type in ("int", "boolean"):
        raise _undeserializable(field, "VALUE_STRING", text)
    try:
        return _temporal(field, text)
    except Unfit:
        raise _undeserializable(field, "VALUE_STRING", text) from None


def from_cell(field: FieldDef, cell: str) -> str:
    """A cell as text, "" for #N/A. An empty cell is no value at all and never comes here. Raises Unfit."""
    if cell == NULL_CELL:
        if field.type == "boolean":
            raise Unfit(f"value not of required type: {cell}")
        return ""
    text = cell.strip()
    match field.type:
        case "boolean":
            if text.lower() not in ("true", "false", "1", "0"):
                raise Unfit(f"value not of required type: {cell}")
            return "true" if text.lower() in ("true", "1") else "false"
        case "int" | "double" | "currency" | "percent":
            if not _NUMBER.fullmatch(text):
                raise Unfit(f"value not of required type: {cell}")
            if field.type == "int" and (not float(text).is_integer() or int(float(text)) not in _WHOLE):
                raise Unfit(f"value not of required type: {cell}")
            return text
        case "date" | "datetime":
            return _temporal(field, text)
    return cell


def _number(field: FieldDef, value: int | float) -> str:
    if field.type in _DECIMALS:
        return repr(value)
    kind = "VALUE_NUMBER_INT" if isinstance(value, int) else "VALUE_NUMBER_FLOAT"
    if field.type != "int" or isinstance(value, float):
        raise _undeserializable(field, kind, repr(value))
    if value not in _WHOLE:
        raise bad_json(f"Numeric value ({str(value)[:40]}) out of range of int at [line:1, column:1]")
    return str(value)


def _temporal(field: FieldDef, text: str) -> str:
    """A date or an instant in the form they are kept in; any other text as it is. Raises Unfit."""
    if field.type not in ("date", "datetime"):
        return text
    found = to_ms(text) if _INSTANT.fullmatch(text) else None
    if field.type == "date" and _DAY.fullmatch(text):
        found = to_ms(text)
    if found is None or not _FIRST <= found < _END:
        raise Unfit(f"value not of required type: {text}")
    return iso(found) if field.type == "datetime" else text[:10]


def _undeserializable(field: FieldDef, token: str, value: str) -> Refusal:
    kind = "double" if field.type in _DECIMALS else _JAVA.get(field.type, "string")
    shown = f" value {value[:80]}" if value else ""
    return bad_json(
        f"Cannot deserialize instance of {kind} from {token}{shown} or request may be missing a required "
        f"field at [line:1, column:1]"
    )
