"""Reading SOQL: what is understood, what is refused, in which words and at which place."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.simulator.salesforce.soql.grammar import parse
from icp_sync.simulator.salesforce.soql.tokens import LONGEST_STATEMENT, LONGEST_TEXT, SoqlError
from icp_sync.simulator.salesforce.soql.tree import (
    Aggregate,
    Among,
    And,
    Column,
    Comparison,
    Condition,
    Day,
    Flag,
    Instant,
    Joined,
    Like,
    Members,
    Not,
    Null,
    Number,
    Or,
    Ordering,
    Path,
    Period,
    Query,
    Text,
)


def where(condition: str) -> Condition:
    found = parse(f"SELECT Id FROM Account WHERE {condition}").where
    assert found is not None
    return found


def literal(text: str) -> object:
    found = where(f"X = {text}")
    assert isinstance(found, Comparison)
    return found.literal


def refusal(statement: str) -> tuple[str, str]:
    with pytest.raises(SoqlError) as caught:
        parse(statement)
    return caught.value.code, caught.value.said(statement)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("'Acme'", Text(value="Acme")),
        (r"'O\'Neil \\ \"x\" \n\t'", Text(value='O\'Neil \\ "x" \n\t')),
        (r"'\u00e9'", Text(value="é")),
        (r"'100\%'", Text(value="100%")),
        ("''", Text(value="")),
        ("5", Number(value=Decimal(5))),
        ("-0.5", Number(value=Decimal("-0.5"))),
        ("1e6", Number(value=Decimal("1e6"))),
        ("USD5000.50", Number(value=Decimal("5000.50"), currency="USD")),
        ("null", Null()),
        ("TRUE", Flag(value=True)),
        ("false", Flag(value=False)),
        ("2026-11-22", Day(value=date(2026, 11, 22))),
        ("2026-11-22T10:00:00Z", Instant(value=datetime(2026, 11, 22, 10, tzinfo=UTC))),
        ("2026-11-22T10:00:00.250+02:00", Instant(value=datetime(2026, 11, 22, 8, 0, 0, 250_000, UTC))),
        ("2026-11-22T10:00:00-0130", Instant(value=datetime(2026, 11, 22, 11, 30, tzinfo=UTC))),
        ("today", Period(name="TODAY")),
        ("LAST_N_DAYS:30", Period(name="LAST_N_DAYS", count=30)),
    ],
)
def test_a_literal_means_what_the_reference_says(text, meant):
    assert literal(text) == meant


def test_a_whole_query_becomes_a_tree():
    found = parse(
        "select Id, Owner.Name from Account where Name like 'a%' and (X__c includes ('a;b', 'c') or "
        "(not Y = null)) order by Name desc nulls last, Id limit 5 offset 2"
    )
    assert found == Query(
        columns=(Column(path=Path(names=("Id",))), Column(path=Path(names=("Owner", "Name")))),
        sobject="Account",
        where=And(
            parts=(
                Like(path=Path(names=("Name",)), pattern="a%"),
                Or(
                    parts=(
                        Members(path=Path(names=("X__c",)), texts=(Text(value="a;b"), Text(value="c"))),
                        Not(part=Comparison(path=Path(names=("Y",)), operator="=", literal=Null())),
                    )
                ),
            )
        ),
        order=(
            Ordering(path=Path(names=("Name",)), descending=True, nulls_last=True),
            Ordering(path=Path(names=("Id",))),
        ),
        limit=5,
        offset=2,
    )


def test_counting_and_grouping_are_understood():
    assert parse("SELECT COUNT() FROM Account").columns == ()
    found = parse("SELECT Industry kind, COUNT(Id) n, MAX(CreatedDate) FROM Account GROUP BY Industry")
    assert found.columns == (
        Column(path=Path(names=("Industry",)), alias="kind"),
        Aggregate(function="COUNT", path=Path(names=("Id",)), alias="n"),
        Aggregate(function="MAX", path=Path(names=("CreatedDate",))),
    )
    assert found.group == (Path(names=("Industry",)),)
    assert found.aggregated


def test_a_semi_join_is_a_query_in_a_condition():
    found = where("Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsWon = TRUE)")
    assert isinstance(found, Joined)
    assert not found.wanted
    assert found.query.sobject == "Opportunity"


def test_the_objects_own_name_and_its_alias_are_taken_off_a_path():
    found = parse("SELECT a.Id, Account.Name, a.Owner.Name FROM Account a WHERE a.Name = 'x' ORDER BY a.Id")
    assert [str(column) for column in found.columns] == ["Id", "Name", "Owner.Name"]
    assert str(found.where) == "Name = 'x'"
    assert str(found.order[0].path) == "Id"


def test_and_and_or_are_not_mixed_without_brackets():
    code, message = refusal("SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3")
    assert code == "MALFORMED_QUERY"
    assert "ERROR at Row:1:Column:46" in message
    assert "unexpected token: 'OR'" in message
    assert isinstance(where("(A = 1 AND B = 2) OR C = 3"), Or)


def test_not_stands_alone_or_in_brackets():
    assert isinstance(where("NOT A = 1"), Not)
    assert isinstance(where("A = 1 AND (NOT B = 2)"), And)
    assert "unexpected token: 'NOT'" in refusal("SELECT Id FROM Account WHERE A = 1 AND NOT B = 2")[1]


def test_a_refusal_shows_the_row_the_column_and_the_place():
    _, message = refusal("SELECT Id\nFROM Account\nWHERE Name == 'x'")
    assert message == "\nWHERE Name == 'x'\n            ^\nERROR at Row:3:Column:13\nunexpected token: '='"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("", "expecting 'select', found '<EOF>'"),
        ("SELECT Id", "expecting 'from'"),
        ("SELECT Id, FROM Account", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Account WHERE", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = ", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = Acme", "unexpected token: 'Acme'"),
        ("SELECT Id FROM Account WHERE Name = 'Acme", "unexpected end of a quoted text"),
        ("SELECT Id FROM Account WHERE Name = 'O'Neil'", "unexpected end of a quoted text"),
        (r"SELECT Id FROM Account WHERE Name = '\x'", "Illegal character sequence"),
        ("SELECT Id FROM Account WHERE Name = 'a\nb'", "Illegal character sequence"),
        ('SELECT Id FROM Account WHERE Name = "Acme"', "unexpected token: '\"'"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-13-01' OR A > 2026-13-01", "Invalid value"),
        ("SELECT Id FROM Account WHERE A > 2026-11-22T25:00:00Z", "Invalid value"),
        ("SELECT Id FROM Account WHERE A > 2026-11-22T10:00:00", "unexpected token"),
        ("SELECT Id FROM Account WHERE A IN ()", "unexpected token: ')'"),
        ("SELECT Id FROM Account WHERE A IN 'x'", "expecting '('"),
        ("SELECT Id FROM Account WHERE A NOT LIKE 'x'", "unexpected token: 'LIKE'"),
        ("SELECT Id FROM Account WHERE A = 1 B = 2", "unexpected token: 'B'"),
        ("SELECT Id FROM Account WHERE (A = 1", "expecting ')'"),
        ("SELECT Id FROM Account WHERE LAST_N_DAYS:3 = A", "unexpected token"),
        ("SELECT Id FROM Account WHERE A = LAST_N_DAYS", "unexpected token"),
        ("SELECT Id FROM Account ORDER Name", "expecting 'by'"),
        ("SELECT Id FROM Account ORDER BY Name NULLS", "expecting 'first'"),
        ("SELECT Id FROM Account LIMIT -1", "unexpected token: '-1'"),
        ("SELECT Id FROM Account LIMIT many", "unexpected token: 'many'"),
        ("SELECT Id FROM Account LIMIT 5 WHERE A = 1", "unexpected token: 'WHERE'"),
        ("SELECT Id FROM Account;", "unexpected token: ';'"),
        ("SELECT Id FROM Account, Contact", "unexpected token: ','"),
        ("SELECT * FROM Account", "unexpected token: '*'"),
        ("SELECT (SELECT Id FROM Contacts) FROM Account", "unexpected token: '('"),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "unexpected token: 'FIELDS'"),
        ("SELECT Id FROM Account ALL ROWS", "ALL ROWS not allowed in this context"),
        ("DELETE FROM Account", "expecting 'select'"),
        ("SELECT Id FROM Account WHERE " + "(" * 200 + "A = 1" + ")" * 200, "nested too deeply"),
    ],
)
def test_what_is_no_query_is_malformed(statement, said):
    code, message = refusal(statement)
    assert code == "MALFORMED_QUERY"
    assert said in message


def test_the_offset_has_an_end():
    assert parse("SELECT Id FROM Account OFFSET 2000").offset == 2_000
    code, message = refusal("SELECT Id FROM Account OFFSET 2001")
    assert code == "NUMBER_OUTSIDE_VALID_RANGE"
    assert "2000" in message


def test_texts_and_statements_have_a_longest_length():
    longest = "x" * LONGEST_TEXT
    assert literal(f"'{longest}'") == Text(value=longest)
    assert str(LONGEST_TEXT) in refusal(f"SELECT Id FROM Account WHERE A = '{longest}x'")[1]
    statement = "SELECT Id FROM Account WHERE A IN ('x'"
    filler = ", 'y'" * ((LONGEST_STATEMENT - len(statement)) // 5 + 1)
    assert str(LONGEST_STATEMENT) in refusal(f"{statement}{filler})")[1]


# -- what is written can be read again

_names = st.sampled_from(["Id", "Name", "ICP_Tier__c", "AnnualRevenue", "A1"])
_paths = st.builds(
    lambda parents, name: Path(names=(*parents, name)),
    st.lists(st.sampled_from(["Owner", "Parent", "X__r"]), max_size=2),
    _names,
)
_texts = st.builds(Text, value=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8))
_numbers = st.builds(
    Number,
    value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3),
)
_moments = st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(3999, 1, 1)).map(
    lambda at: Instant(value=at.replace(microsecond=0, tzinfo=UTC))
)
_periods = st.sampled_from([Period(name="TODAY"), Period(name="NEXT_N_WEEKS", count=3)])
_literals = st.one_of(
    _texts,
    _numbers,
    st.builds(Flag, value=st.booleans()),
    st.just(Null()),
    st.builds(Day, value=st.dates(min_value=date(1700, 1, 1), max_value=date(3999, 1, 1))),
    _moments,
    _periods,
)
_patterns = st.lists(st.sampled_from(["a", "%", "_", r"\%", r"\_", r"\'", r"\\", "ß", " "]), max_size=5).map(
    "".join
)
_leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        Comparison,
        path=_paths,
        operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        literal=_literals,
    ),
    st.builds(Like, path=_paths, pattern=_patterns),
    st.builds(
        Among,
        path=_paths,
        literals=st.lists(_literals, min_size=1, max_size=3).map(tuple),
        wanted=st.booleans(),
    ),
    st.builds(
        Members, path=_paths, texts=st.lists(_texts, min_size=1, max_size=3).map(tuple), wanted=st.booleans()
    ),
)
_several = {"min_size": 2, "max_size": 3}
_conditions: st.SearchStrategy[Condition] = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, **_several).map(lambda parts: And(parts=tuple(parts))),
        st.lists(inner, **_several).map(lambda parts: Or(parts=tuple(parts))),
        st.builds(Not, part=inner),
    ),
    max_leaves=6,
)
_orderings = st.builds(Ordering, path=_paths, descending=st.booleans(), nulls_last=st.booleans())
_columns = st.one_of(
    st.builds(Column, path=_paths, alias=st.sampled_from(["", "n"])),
    st.builds(
        Aggregate,
        function=st.sampled_from(["COUNT", "MAX", "MIN", "COUNT_DISTINCT"]),
        path=_paths,
        alias=st.sampled_from(["", "expr"]),
    ),
)
_queries = st.builds(
    Query,
    columns=st.lists(_columns, max_size=3).map(tuple),
    sobject=st.sampled_from(["Account", "Thing__c"]),
    where=st.none() | _conditions,
    group=st.lists(_paths, max_size=2).map(tuple),
    order=st.lists(_orderings, max_size=2).map(tuple),
    limit=st.none() | st.integers(0, 50_000),
    offset=st.none() | st.integers(0, 2_000),
)


@settings(max_examples=150, deadline=None)
@given(_queries)
def test_a_tree_written_as_soql_reads_as_the_same_tree(query):
    assert parse(str(query)) == query


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "SELECT",
                "Id",
                "FROM",
                "Account",
                "WHERE",
                "(",
                ")",
                "AND",
                "OR",
                "NOT",
                "=",
                "'x'",
                "IN",
                ",",
                "1",
            ]
        )
        | st.text(max_size=4),
        max_size=14,
    )
)
def test_whatever_it_is_given_it_reads_or_refuses(words):
    statement = " ".join(words)
    try:
        found = parse(statement)
    except SoqlError as wrong:
        assert wrong.said(statement)  # noqa: PT017 - either outcome is right
    else:
        assert parse(str(found)) == found
