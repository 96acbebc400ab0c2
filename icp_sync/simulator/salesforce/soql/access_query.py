"""The one way UserRecordAccess can be queried: the rights of one user to at most 200 named records.

Usage of UserRecordAccess, Object Reference:
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userrecordaccess.htm
Its page only says that sharing is asked of "a user"; who may ask of others is taken to be who sees all data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.org import User
from icp_sync.simulator.salesforce.record_access import RecordAccess
from icp_sync.simulator.salesforce.soql.binding import Binder
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError
from icp_sync.simulator.salesforce.soql.tree import (
    Among,
    And,
    Column,
    Comparison,
    Condition,
    Flag,
    Query,
    Text,
)
from icp_sync.simulator.store import Record

MOST_RECORDS = 200
_LEVELS = frozenset(f"has{level}access" for level in ("read", "edit", "delete", "transfer", "all"))
_SHOWN = _LEVELS | {"recordid", "maxaccesslevel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a WHERE clause asks for: whose rights, to which records, and whether by a level of access."""

    user: str
    records: tuple[str, ...]
    by_level: bool


def rows(binder: Binder, access: RecordAccess, query: Query) -> Iterator[Record]:
    """The rights a query asks for. Raises SoqlError for any other question."""
    asked = _asked(query)
    _check_columns(query, asked)
    if len(set(asked.records)) > MOST_RECORDS:
        raise SoqlError("EXCEEDED_ID_LIMIT", f"Number of records exceeds limit:{MOST_RECORDS}", query.at)
    user = _user(binder, asked.user, query.at)
    return iter(()) if user is None else access.rights_of(binder.user, user, asked.records)


def _asked(query: Query) -> _Asked:
    user: str | None = None
    records: tuple[str, ...] | None = None
    by_level = False
    for part in query.where.parts if isinstance(query.where, And) else (query.where,):
        name = ".".join(part.path.names).lower() if isinstance(part, Comparison | Among) else ""
        named = _texts(part)
        if name == "userid" and user is None and isinstance(part, Comparison) and named:
            (user,) = named
        elif name == "recordid" and records is None and named:
            records = named
        elif name in _LEVELS and not by_level and _is_flag(part):
            by_level = True
        else:
            raise _wrong("it can be filtered by UserId, RecordId and one level of access only", query.at)
    if user is None or records is None:
        raise _wrong("it must be filtered by a UserId and by a RecordId, or a list of them", query.at)
    return _Asked(user=user, records=records, by_level=by_level)


def _texts(part: Condition | None) -> tuple[str, ...]:
    """The ids a condition asks to be equal to one of; none for any other condition."""
    if isinstance(part, Comparison) and part.operator == "=" and isinstance(part.literal, Text):
        return (ids.long(part.literal.value) or part.literal.value,)
    if isinstance(part, Among) and part.wanted:
        texts = [one.value for one in part.literals if isinstance(one, Text)]
        return tuple(ids.long(text) or text for text in texts) if len(texts) == len(part.literals) else ()
    return ()


def _is_flag(part: Condition | None) -> bool:
    return isinstance(part, Comparison) and part.operator == "=" and isinstance(part.literal, Flag)


def _check_columns(query: Query, asked: _Asked) -> None:
    """RecordId always, levels of access beside it unless it is one of these that the query filters by."""
    names = [str(one.path).lower() for one in query.columns if isinstance(one, Column)]
    if len(names) < len(query.columns) or not names or query.group:
        raise _wrong("it can neither be counted nor grouped", query.at)
    if "recordid" not in names or not _SHOWN.issuperset(names):
        raise _wrong("RecordId must be selected, and levels of access may be", query.at)
    if asked.by_level and names != ["recordid"]:
        raise _wrong("filtered by a level of access, it shows the RecordId only", query.at)
    if any(str(one.path).lower() not in names for one in query.order):
        raise _wrong("it can be ordered by selected fields only", query.at)


def _user(binder: Binder, id_text: str, at: int) -> User | None:
    """Whose rights are asked for; None for nobody there is. Raises SoqlError."""
    wanted = ids.number(id_text) if id_text[:3] == "005" else None
    if wanted == binder.user.number:
        return binder.user
    if not binder.org.rights.may(binder.user, "ViewAllData"):
        raise SoqlError("INSUFFICIENT_ACCESS", "insufficient access rights to the rights of others", at)
    return None if wanted is None else binder.org.users.get(wanted)


def _wrong(what: str, at: int) -> SoqlError:
    return SoqlError(MALFORMED, f"UserRecordAccess: {what}", at)
