"""SOQL text to a query tree.

A subset: child-to-parent paths, aggregates with GROUP BY, semi-joins; no subqueries in SELECT, no HAVING,
TYPEOF, FIELDS(), date functions or FOR VIEW, each refused as Salesforce refuses what it cannot read.
Conditions follow the published grammar: AND and OR are not mixed without brackets, NOT stands alone or in
brackets. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_conditionexpression.htm
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from icp_sync.simulator.salesforce.soql.literals import literal
from icp_sync.simulator.salesforce.soql.names import without_alias
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError, Sort, Token, plain, tokens
from icp_sync.simulator.salesforce.soql.tree import (
    Aggregate,
    Among,
    And,
    Column,
    Comparison,
    Condition,
    Joined,
    Like,
    Literal,
    Members,
    Not,
    Or,
    Ordering,
    Path,
    Query,
    Text,
)

FURTHEST_OFFSET = 2_000
DEEPEST = 64
"""Brackets within brackets: no documented limit, but one that keeps this reader from overflowing."""

FUNCTIONS = frozenset({"COUNT", "COUNT_DISTINCT", "MAX", "MIN", "SUM", "AVG"})
_CLAUSES = frozenset({"FROM", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL"})
_RESERVED = _CLAUSES | {"AND", "OR", "NOT", "IN", "LIKE", "INCLUDES", "EXCLUDES", "SELECT", "NULL", "ASC"}
T = TypeVar("T")


def parse(statement: str) -> Query:
    """The query a statement means. Raises SoqlError."""
    reader = _Reader(tokens(statement))
    query = reader.query()
    reader.ended()
    return query


class _Reader:
    """Reads tokens from the left; `here` is the next one."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0

    # -- the clauses

    def query(self, *, inner: bool = False) -> Query:
        self._expect("SELECT")
        columns = self._columns()
        self._expect("FROM")
        at = self.here.at
        sobject, alias = self._from()
        where = self._where() if self._took("WHERE") else None
        group = self._by("GROUP", self.path)
        order = self._by("ORDER", self._ordering)
        limit = self._whole() if self._took("LIMIT") else None
        offset = self._offset() if self._took("OFFSET") else None
        if not inner and self.here.word == "ALL":
            raise SoqlError(MALFORMED, "ALL ROWS not allowed in this context", self.here.at)
        query = Query(
            columns=columns,
            sobject=sobject,
            where=where,
            group=group,
            order=order,
            limit=limit,
            offset=offset,
            at=at,
        )
        return without_alias(query, alias)

    def ended(self) -> None:
        if self.here.sort is not Sort.END:
            raise self._unexpected()

    def _columns(self) -> tuple[Column | Aggregate, ...]:
        if self.here.word == "COUNT" and self._after(1) == "(" and self._after(2) == ")":
            self._next += 3
            return ()
        return self._listed(self._column)

    def _column(self) -> Column | Aggregate:
        if self._after(1) != "(":
            path = self.path()
            return Column(path=path, alias=self._alias())
        function = self.here.word
        if function not in FUNCTIONS:
            raise SoqlError(MALFORMED, f"unexpected token: '{self.here.text}'", self.here.at)
        self._next += 2
        path = self.path()
        self._expect(")")
        return Aggregate(function=function, path=path, alias=self._alias())

    def _alias(self) -> str:
        here = self.here
        if here.sort is not Sort.WORD or here.word in _RESERVED or "." in here.text or ":" in here.text:
            return ""
        self._next += 1
        return here.text

    def _from(self) -> tuple[str, str]:
        name = self._name()
        if self._took("AS"):
            return name, self._name()
        return name, self._alias()

    def _by(self, word: str, read: Callable[[], T]) -> tuple[T, ...]:
        if not self._took(word):
            return ()
        self._expect("BY")
        return self._listed(read)

    def _ordering(self) -> Ordering:
        path = self.path()
        descending = self._took("DESC")
        if not descending:
            self._took("ASC")
        last = False
        if self._took("NULLS"):
            last = self._took("LAST")
            if not last:
                self._expect("FIRST")
        return Ordering(path=path, descending=descending, nulls_last=last)

    def _offset(self) -> int:
        at = self.here.at
        offset = self._whole()
        if offset > FURTHEST_OFFSET:
            raise SoqlError(
                "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {FURTHEST_OFFSET}", at
            )
        return offset

    def _whole(self) -> int:
        here = self.here
        if here.sort is not Sort.NUMBER or not here.text.isdigit() or len(here.text) > 9:
            raise self._unexpected()
        self._next += 1
        return int(here.text)

    # -- conditions

    def _where(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SoqlError(MALFORMED, "the condition is nested too deeply", self.here.at)
        found = Not(part=self._simple()) if self._took("NOT") else self._joined()
        self._depth -= 1
        return found

    def _joined(self) -> Condition:
        parts = [self._simple()]
        word = self.here.word
        if word not in ("AND", "OR"):
            return parts[0]
        while self._took(word):
            parts.append(self._simple())
        if self.here.word in ("AND", "OR"):
            raise self._unexpected()
        return And(parts=tuple(parts)) if word == "AND" else Or(parts=tuple(parts))

    def _simple(self) -> Condition:
        if not self._took("("):
            return self._test()
        found = self._where()
        self._expect(")")
        return found

    def _test(self) -> Condition:
        path = self.path()
        here = self.here
        if here.sort is Sort.MARK and here.text in ("=", "!=", "<>", "<", "<=", ">", ">="):
            self._next += 1
            operator = "!=" if here.text == "<>" else here.text
            return Comparison(path=path, operator=operator, literal=self._literal())
        if self._took("LIKE"):
            pattern = self.here
            if pattern.sort is not Sort.TEXT:
                raise self._unexpected()
            self._next += 1
            return Like(path=path, pattern=pattern.text)
        if self._took("INCLUDES"):
            return Members(path=path, texts=self._in_brackets(self._text))
        if self._took("EXCLUDES"):
            return Members(path=path, texts=self._in_brackets(self._text), wanted=False)
        wanted = not self._took("NOT")
        if not self._took("IN"):
            raise self._unexpected()
        if self._after(0) == "(" and self._tokens[self._next + 1].word == "SELECT":
            self._next += 1
            inner = self.query(inner=True)
            self._expect(")")
            return Joined(path=path, query=inner, wanted=wanted)
        return Among(path=path, literals=self._in_brackets(self._literal), wanted=wanted)

    # -- names and literals

    def path(self) -> Path:
        here = self.here
        if here.sort is not Sort.WORD or here.word in _RESERVED or ":" in here.text:
            raise self._unexpected()
        self._next += 1
        return Path(names=tuple(here.text.split(".")), at=here.at)

    def _name(self) -> str:
        path = self.path()
        if len(path.names) > 1:
            raise SoqlError(MALFORMED, f"unexpected token: '{path}'", path.at)
        return path.names[0]

    def _text(self) -> Text:
        here = self.here
        if here.sort is not Sort.TEXT:
            raise self._unexpected()
        self._next += 1
        return Text(value=plain(here.text))

    def _literal(self) -> Literal:
        here = self.here
        if here.sort is Sort.TEXT:
            return self._text()
        found = literal(here)
        if found is None:
            raise self._unexpected()
        self._next += 1
        return found

    # -- steps

    @property
    def here(self) -> Token:
        return self._tokens[self._next]

    def _after(self, steps: int) -> str:
        """The mark that many tokens on, "" where there is none."""
        at = self._next + steps
        found = self._tokens[at] if at < len(self._tokens) else self._tokens[-1]
        return found.text if found.sort is Sort.MARK else ""

    def _took(self, what: str) -> bool:
        """Step over a word or mark if it is next."""
        here = self.here
        if here.word == what or (here.sort is Sort.MARK and here.text == what):
            self._next += 1
            return True
        return False

    def _expect(self, what: str) -> None:
        if not self._took(what):
            raise SoqlError(MALFORMED, f"expecting '{what.lower()}', found '{self.here.text}'", self.here.at)

    def _listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        found = [read()]
        while self._took(","):
            found.append(read())
        return tuple(found)

    def _in_brackets(self, read: Callable[[], T]) -> tuple[T, ...]:
        self._expect("(")
        found = self._listed(read)
        self._expect(")")
        return found

    def _unexpected(self) -> SoqlError:
        return SoqlError(MALFORMED, f"unexpected token: '{self.here.text}'", self.here.at)
