"""Small SOQL statements as text. Knows the language, no object and no connection.

Field names come from describe or from ourselves; every other text becomes a literal here, whoever vouches for
it.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

PAGE = 2_000
"""Rows of one statement, and of one page of its answer at most ("Changing the Batch Size in Queries")."""

IN = 400
"""Ids in one IN list: 27 bytes each once the address is encoded, and an address with its headers may have
16,384 ("Limits for Queries and API Requests")."""


def select(
    fields: Sequence[str],
    sobject: str,
    where: Iterable[str] = (),
    *,
    group: str = "",
    order: str = "",
    limit: int = 0,
) -> str:
    """A statement; blank conditions are left out, `limit` 0 sets none."""
    conditions = " AND ".join(filter(None, where))
    clauses = [
        f"SELECT {', '.join(fields)}",
        f"FROM {sobject}",
        f"WHERE {conditions}" if conditions else "",
        f"GROUP BY {group}" if group else "",
        f"ORDER BY {order}" if order else "",
        f"LIMIT {limit}" if limit else "",
    ]
    return " ".join(filter(None, clauses))


_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def literal(text: str) -> str:
    """A text in quotes; control characters SOQL has no escape for are left out.

    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
    """
    kept = (_ESCAPES.get(letter, letter) for letter in text)
    return f"'{''.join(letter for letter in kept if len(letter) > 1 or letter >= ' ')}'"


def instant(ms: int) -> str:
    """An instant as a literal, in whole seconds: SOQL compares no finer."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def between(field: str, lower: int, upper: int) -> str:
    """Instants (ms) from the second of `lower` to the second of `upper`, both included."""
    return f"{field} >= {instant(lower)} AND {field} <= {instant(upper)}"


def after(field: str, id: str) -> str:
    """Ids after this one; those that are not blank where there is none."""
    return f"{field} > {literal(id)}" if id else f"{field} != null"


def up_to(field: str, id: str) -> str:
    """Ids up to and with this one; no condition where there is none."""
    return f"{field} <= {literal(id)}" if id else ""


def among(field: str, ids: Iterable[str]) -> str:
    listed = ", ".join(map(literal, ids))
    return f"{field} IN ({listed})"


def chunks(ids: Sequence[str], size: int = IN) -> Iterator[Sequence[str]]:
    """The ids in lists a statement can hold."""
    for at in range(0, len(ids), size):
        yield ids[at : at + size]
