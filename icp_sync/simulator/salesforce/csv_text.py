"""Records as the CSV of a bulk query: every field in quotes, a header row, null as an empty text.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from icp_sync.simulator.salesforce.derived import derivation
from icp_sync.simulator.salesforce.schema import TEXTS, Value
from icp_sync.simulator.salesforce.soql.binding import Place
from icp_sync.simulator.salesforce.soql.values import printer
from icp_sync.simulator.store import Record

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
Cell = Callable[[Record], str]


def table(records: Iterable[Record], columns: Sequence[Place], delimiter: str, line_end: str) -> bytes:
    """One page. delimiter and line_end: the characters themselves."""
    cells = [cell(column) for column in columns]
    lines = [delimiter.join(f'"{column.path}"' for column in columns)]
    lines += [delimiter.join([one(record) for one in cells]) for record in records]
    return (line_end.join(lines) + line_end).encode("utf-8", errors="replace")


def cell(place: Place) -> Cell:
    """How to write a column, quotes included."""
    if _verbatim(place):
        name = place.field.name
        return lambda record: _quoted(record.props.get(name, ""))
    value = printer(place)
    if place.field.type == "datetime":
        return lambda record: _instant(value(record))
    return lambda record: _quoted(value(record))


def _verbatim(place: Place) -> bool:
    """Whether a column shows just the text that is kept: most of them, and much the fastest."""
    plain = not place.steps and place.field.type in _KEPT_AS_SHOWN
    return plain and derivation(place.sobject.name, place.field.name) is None


_KEPT_AS_SHOWN = TEXTS | {"picklist", "multipicklist", "reference", "date"}


def _instant(value: Value) -> str:
    return '""' if value is None else f'"{str(value)[:23]}Z"'


def _quoted(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value}"' if '"' not in value else f'"{value.replace(chr(34), chr(34) * 2)}"'
    if value is None:
        return '""'
    return f'"{str(value).lower()}"' if isinstance(value, bool) else f'"{value}"'
