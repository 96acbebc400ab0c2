"""A SOQL query as data, and that data as SOQL again. Knows no records and no field names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from icp_sync.simulator.salesforce.soql.tokens import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A field, or a parent's field through relationship names: ("Owner", "Name")."""

    names: tuple[str, ...]
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """COUNT, COUNT_DISTINCT, MIN, MAX, SUM or AVG of a field."""

    function: str
    path: Path
    alias: str = ""

    def __str__(self) -> str:
        return f"{self.function}({self.path}){' ' + self.alias if self.alias else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A selected field; only a grouped query gives it an alias."""

    path: Path
    alias: str = ""

    def __str__(self) -> str:
        return f"{self.path}{' ' + self.alias if self.alias else ''}"


# -- literals


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    value: str

    def __str__(self) -> str:
        return f"'{quoted(self.value)}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """`whole`: written without a fraction or exponent, as an integer field wants it."""

    value: Decimal
    currency: str = ""

    @property
    def whole(self) -> bool:
        return self.value == self.value.to_integral_value()

    def __str__(self) -> str:
        return f"{self.currency}{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    value: bool

    def __str__(self) -> str:
        return "TRUE" if self.value else "FALSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    def __str__(self) -> str:
        return "null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    value: date

    def __str__(self) -> str:
        return self.value.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """In UTC."""

    value: datetime

    def __str__(self) -> str:
        return self.value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A date literal: TODAY, or LAST_N_DAYS with its number."""

    name: str
    count: int | None = None

    def __str__(self) -> str:
        return self.name if self.count is None else f"{self.name}:{self.count}"


Literal = Text | Number | Flag | Null | Day | Instant | Period


# -- conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`operator`: = != < <= > >=."""

    path: Path
    operator: str
    literal: Literal

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {self.literal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """`pattern` as written between the quotes, escapes kept: they tell a sign from a wildcard."""

    path: Path
    pattern: str

    def __str__(self) -> str:
        return f"{self.path} LIKE '{self.pattern}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    path: Path
    literals: tuple[Literal, ...]
    wanted: bool = True

    def __str__(self) -> str:
        return f"{self.path} {'IN' if self.wanted else 'NOT IN'} ({', '.join(map(str, self.literals))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """INCLUDES or EXCLUDES; a text with semicolons asks for all of its parts at once."""

    path: Path
    texts: tuple[Text, ...]
    wanted: bool = True

    def __str__(self) -> str:
        return f"{self.path} {'INCLUDES' if self.wanted else 'EXCLUDES'} ({', '.join(map(str, self.texts))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A semi-join, or with `wanted` False an anti-join."""

    path: Path
    query: Query
    wanted: bool = True

    def __str__(self) -> str:
        return f"{self.path} {'IN' if self.wanted else 'NOT IN'} ({self.query})"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " AND ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " OR ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    part: Condition

    def __str__(self) -> str:
        return f"NOT {_bracketed(self.part)}"


Test = Comparison | Like | Among | Members | Joined
Condition = Test | And | Or | Not


def _bracketed(part: Condition) -> str:
    return f"({part})" if isinstance(part, And | Or | Not) else str(part)


# -- the query


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    path: Path
    descending: bool = False
    nulls_last: bool = False

    def __str__(self) -> str:
        direction, nulls = "DESC" if self.descending else "ASC", "LAST" if self.nulls_last else "FIRST"
        return f"{self.path} {direction} NULLS {nulls}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One SELECT. Without columns it is COUNT()."""

    columns: tuple[Column | Aggregate, ...]
    sobject: str
    where: Condition | None = None
    group: tuple[Path, ...] = ()
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
    at: int = field(default=0, compare=False)

    @property
    def aggregated(self) -> bool:
        return bool(self.group) or any(isinstance(column, Aggregate) for column in self.columns)

    def __str__(self) -> str:
        parts = ["SELECT", ", ".join(map(str, self.columns)) or "COUNT()", "FROM", self.sobject]
        if self.where is not None:
            parts.append(f"WHERE {self.where}")
        if self.group:
            parts.append(f"GROUP BY {', '.join(map(str, self.group))}")
        if self.order:
            parts.append(f"ORDER BY {', '.join(map(str, self.order))}")
        parts += [f"LIMIT {self.limit}"] if self.limit is not None else []
        parts += [f"OFFSET {self.offset}"] if self.offset is not None else []
        return " ".join(parts)
