"""What a query finds: operators, blanks, names, rights, order and groups; the same as plain Python."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.salesforce.limits import DailyLimit
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.soql.evaluate import Selection, select
from icp_sync.simulator.salesforce.soql.grammar import parse
from icp_sync.simulator.salesforce.soql.ordering import CHUNK
from icp_sync.simulator.salesforce.soql.tokens import SoqlError
from icp_sync.simulator.salesforce.soql.tree import (
    Among,
    And,
    Comparison,
    Condition,
    Day,
    Instant,
    Like,
    Members,
    Not,
    Null,
    Number,
    Or,
    Path,
    Query,
    Text,
)
from icp_sync.simulator.salesforce.switches import Switches
from icp_sync.simulator.store import Record, Source

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z, a Saturday
SEED = Source("PLATFORM", user_id=0)
MODELS = FieldDef(name="Models__c", label="Models", type="multipicklist", custom=True)
NOTES = FieldDef(name="Notes__c", label="Notes", type="textarea", length=4_000, custom=True, filterable=False)
FOUNDED = FieldDef(name="Founded__c", label="Founded", type="date", custom=True)


class World:
    """An org with a clock that stands still, and short ways to fill and to ask it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.freeze(NOON)
        switches = Switches()
        self.org = Org(clock=self.clock, switches=switches, limits=DailyLimit("off", switches), seed=1)
        for field in (MODELS, NOTES, FOUNDED):
            self.org.accounts.add_field(field)

    def account(self, at: int | None = None, **values: str) -> str:
        record = self.org.accounts.create({"Name": "x", **values}, SEED, at=at)
        return self.org.accounts.id_of(record)

    def made(self, sobject: str, **values: str) -> str:
        found = self.org.object(sobject)
        return found.id_of(found.create(values, SEED))

    def run(self, statement: str, *, deleted: bool = False, humble: bool = False) -> Selection:
        user = self.org.integration if humble else self.org.admin
        return select(self.org, user, parse(statement), deleted=deleted)

    def names(self, condition: str, more: str = "ORDER BY Id") -> str:
        """The names of the accounts a condition finds, joined."""
        found = self.run(f"SELECT Name FROM Account WHERE {condition} {more}")
        return " ".join(record.props["Name"] for record in found.records)

    def groups(self, statement: str) -> list[dict[str, object]]:
        return [dict(group) for group in self.run(statement).groups or []]

    def refusal(self, statement: str, *, humble: bool = False) -> tuple[str, str]:
        with pytest.raises(SoqlError) as caught:
            self.run(statement, humble=humble)
        return caught.value.code, caught.value.what


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Industry = 'banking'", "a b"),
        ("Industry != 'Banking'", "c d"),
        ("Industry = null", "d"),
        ("Industry = ''", "d"),
        ("Industry != null", "a b c"),
        ("Industry IN ('retail', 'BANKING')", "a b c"),
        ("Industry NOT IN ('Banking')", "c d"),
        ("Industry NOT IN ('Banking', null)", "c"),
        ("Industry IN (null)", "d"),
        ("Industry > 'Banking'", "c"),
        ("Industry LIKE '%a%'", "a b c"),
        ("Industry LIKE 'b_nking'", "a b"),
        ("NOT Industry LIKE 'b%'", "c d"),
        ("NumberOfEmployees = 50", "a"),
        ("NumberOfEmployees != 50", "b c d"),
        ("NumberOfEmployees < 100", "a"),
        ("NumberOfEmployees >= 50", "a b c"),
        ("NumberOfEmployees IN (50, 500)", "a b"),
        ("AnnualRevenue > USD1000000", "b"),
        ("AnnualRevenue <= 1e6", "a"),
        ("Models__c INCLUDES ('SaaS')", "a b"),
        ("Models__c INCLUDES ('saas;b2b', 'agency')", "b c"),
        ("Models__c EXCLUDES ('saas')", "c d"),
        ("Founded__c = 2020-02-29", "a"),
        ("Founded__c > 2020-02-29", "b"),
        ("Founded__c = TODAY", "b"),
        ("Founded__c = LAST_N_DAYS:3", "b"),
        ("Founded__c < LAST_YEAR", "a"),
        ("Founded__c != TODAY", "a c d"),
        ("IsDeleted = FALSE", "a b c d"),
        ("IsDeleted = null", "a b c d"),
        ("IsDeleted != null", ""),
        ("(Industry = 'Retail' OR NumberOfEmployees < 100) AND Name != 'c'", "a"),
    ],
)
def test_an_operator_finds_what_the_reference_says(world, condition, found):
    world.account(
        Name="a",
        Industry="Banking",
        NumberOfEmployees="50",
        AnnualRevenue="1000000",
        Models__c="SaaS",
        Founded__c="2020-02-29",
    )
    world.account(
        Name="b",
        Industry="BANKING",
        NumberOfEmployees="500",
        AnnualRevenue="1000000.5",
        Models__c="B2B;SaaS",
        Founded__c="2026-11-21",
    )
    world.account(Name="c", Industry="Retail", NumberOfEmployees="5000", Models__c="Agency")
    world.account(Name="d")
    assert world.names(condition) == found


def test_like_tells_a_sign_from_a_wildcard(world):
    for name in ("50% off", "50 percent off", "a_b", "axb", "Line\nbreak"):
        world.account(Name=name)
    assert world.names(r"Name LIKE '50\% %'") == "50% off"
    assert world.names(r"Name LIKE 'a\_b'") == "a_b"
    assert world.names("Name LIKE 'a_b'") == "a_b axb"
    assert world.names("Name LIKE 'line%'") == "Line\nbreak"
    assert world.names("Name LIKE '50'") == ""


def test_instants_are_compared_by_the_whole_second(world):
    at = int(NOON * 1000)
    world.account(Name="early", at=at - 1)
    world.account(Name="same", at=at + 900)
    world.account(Name="late", at=at + 1_000)
    assert world.names("SystemModstamp = 2026-11-21T12:00:00Z") == "same"
    assert world.names("SystemModstamp = 2026-11-21T12:00:00.999Z") == "same"
    assert world.names("SystemModstamp > 2026-11-21T12:00:00Z") == "late"
    assert world.names("SystemModstamp < 2026-11-21T14:00:00+02:00") == "early"
    window = "SystemModstamp >= 2026-11-21T12:00:00Z AND SystemModstamp <= 2026-11-21T12:00:00Z"
    assert world.names(window) == "same"
    assert world.names("CreatedDate = TODAY AND Name != 'late'") == "early same"
    assert world.names("CreatedDate >= TOMORROW") == ""


def test_ids_are_compared_on_their_first_fifteen_characters_and_with_their_case(world):
    ids = [world.account(Name=f"n{n}") for n in range(4)]
    assert world.names(f"Id = '{ids[1]}'") == "n1"
    assert world.names(f"Id = '{ids[1][:15]}'") == "n1"
    assert world.names(f"Id > '{ids[1]}'") == "n2 n3"
    assert world.names(f"Id >= '{ids[1]}' AND Id < '{ids[3][:15]}'") == "n1 n2"
    assert world.names(f"Id IN ('{ids[3]}', '{ids[0][:15]}')") == "n0 n3"
    assert world.names(f"Id != '{ids[0]}'") == "n1 n2 n3"
    assert world.names("Id = null") == ""
    assert world.names("Id != null") == "n0 n1 n2 n3"
    swapped = ids[1][:15].swapcase()
    assert world.names(f"Id = '{swapped}'") == ""


def test_a_parents_field_is_reached_through_its_relationship(world):
    boss = world.org.users[next(n for n, u in world.org.users.items() if u.email and u.active)]
    parent = world.account(Name="parent", Industry="Retail", OwnerId=boss.id)
    world.account(Name="child", ParentId=parent, OwnerId=boss.id)
    world.account(Name="orphan")
    assert world.names("Parent.Industry = 'retail'") == "child"
    assert world.names("Parent.Name = null") == "parent orphan"
    assert world.names(f"Parent.Owner.Email = '{boss.email}'") == "child"
    assert world.names(f"Owner.Email = '{boss.email.upper()}'") == "parent child"
    assert world.names("Parent.IsDeleted = FALSE") == "parent child orphan"


def test_a_semi_join_selects_by_another_objects_records(world):
    won, lost, none = (world.account(Name=name) for name in ("won", "lost", "none"))
    world.made("Opportunity", AccountId=won, Name="o", StageName="Closed Won")
    world.made("Opportunity", AccountId=lost, Name="o", StageName="Closed Lost")
    world.made("Opportunity", Name="nobody's", StageName="Closed Won")
    assert world.names("Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = TRUE)") == "won"
    assert world.names("Id NOT IN (SELECT AccountId FROM Opportunity)") == "none"
    assert world.names(f"Id IN (SELECT AccountId FROM Opportunity) AND Id != '{won}'") == "lost"
    assert none


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("Id IN (SELECT Name FROM Opportunity)", "must be an id or a reference"),
        ("Name IN (SELECT AccountId FROM Opportunity)", "left operand"),
        ("Id IN (SELECT Id FROM Account)", "same object type"),
        ("Id IN (SELECT AccountId FROM Opportunity LIMIT 1)", "only a WHERE clause"),
        ("Id IN (SELECT COUNT(Id) FROM Opportunity)", "only a WHERE clause"),
        ("Name = 'x' OR Id IN (SELECT AccountId FROM Opportunity)", "'OR' operator"),
        (
            "Id IN (SELECT AccountId FROM Opportunity WHERE AccountId IN (SELECT AccountId FROM Contact))",
            "Nesting",
        ),
        (
            " AND ".join(["Id IN (SELECT AccountId FROM Opportunity)"] * 3),
            "Maximum 2",
        ),
    ],
)
def test_a_semi_join_is_refused_where_it_may_not_be(world, condition, said):
    assert said in world.refusal(f"SELECT Id FROM Account WHERE {condition}")[1]


@pytest.mark.parametrize(
    ("statement", "code", "said"),
    [
        ("SELECT Id FROM Acount", "INVALID_TYPE", "sObject type 'Acount' is not supported"),
        ("SELECT Nope__c FROM Account", "INVALID_FIELD", "No such column 'Nope__c' on entity 'Account'"),
        ("SELECT Id FROM Account WHERE Nope = 1", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Id FROM Account ORDER BY Nope", "INVALID_FIELD", "No such column 'Nope'"),
        ("SELECT Owner.Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'User'"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id, Name, id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions"),
        ("SELECT Id FROM Account WHERE Notes__c = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account WHERE Description LIKE 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT Id FROM Account ORDER BY Models__c", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT COUNT(Id) FROM Account GROUP BY Notes__c", "MALFORMED_QUERY", "can not be grouped"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped"),
        ("SELECT COUNT(Id) FROM Account ORDER BY Name", "MALFORMED_QUERY", "must be grouped"),
        ("SELECT COUNT() FROM Account ORDER BY Name", "MALFORMED_QUERY", "cannot be ordered"),
        ("SELECT COUNT(Id) n, COUNT(Name) n FROM Account", "MALFORMED_QUERY", "duplicate alias"),
        ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "aggregate operator SUM"),
        ("SELECT MAX(IsDeleted) FROM Account", "MALFORMED_QUERY", "aggregate operator MAX"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD", "should not be enclosed"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees > 5.5", "INVALID_FIELD", "must be of type int"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees > 1e12", "INVALID_FIELD", "must be of type int"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees > USD5", "INVALID_FIELD", "no currency field"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "type dateTime"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "should not"),
        ("SELECT Id FROM Account WHERE Founded__c > 2026-01-01T00:00:00Z", "INVALID_FIELD", "type date"),
        ("SELECT Id FROM Account WHERE Name = TODAY", "INVALID_FIELD", "date literal TODAY"),
        ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_YEARS:9999", "MALFORMED_QUERY", "Invalid value"),
        ("SELECT Id FROM Account WHERE CreatedDate IN (TODAY)", "MALFORMED_QUERY", "date literal"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD", "type boolean"),
        ("SELECT Id FROM Account WHERE IsDeleted > FALSE", "INVALID_QUERY_FILTER_OPERATOR", "boolean"),
        (
            "SELECT Id FROM Account WHERE Id = 'acme'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: acme",
        ),
        (
            "SELECT Id FROM Account WHERE OwnerId IN ('x')",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: x",
        ),
        ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "id field"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees LIKE '5'", "INVALID_QUERY_FILTER_OPERATOR", "LIKE"),
        ("SELECT Id FROM Account WHERE Models__c IN ('x')", "INVALID_QUERY_FILTER_OPERATOR", "IN"),
        ("SELECT Id FROM Account WHERE Industry INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "INCLUDES"),
        ("SELECT Id FROM Account WHERE Industry EXCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR", "EXCLUDES"),
        ("SELECT Id FROM Account WHERE Name > null", "MALFORMED_QUERY", "null"),
    ],
)
def test_what_the_fields_do_not_bear_is_refused(world, statement, code, said):
    found, message = world.refusal(statement)
    assert found == code
    assert said in message


def test_a_field_hidden_by_field_level_security_is_refused_as_if_it_were_not_there(world):
    world.account(Name="a", Models__c="x")
    assert world.run("SELECT Models__c FROM Account").total == 1
    for statement in (
        "SELECT Models__c FROM Account",
        "SELECT Id FROM Account WHERE Models__c = null",
        "SELECT COUNT(Models__c) FROM Account",
    ):
        code, said = world.refusal(statement, humble=True)
        assert code == "INVALID_FIELD"
        assert said == world.refusal("SELECT Nope__c FROM Account")[1].replace("Nope__c", "Models__c")


def test_records_a_user_may_not_see_are_not_found(world):
    kept, hidden = world.account(Name="kept"), world.account(Name="hidden")
    world.org.hidden.add(("account", world.org.accounts.number(hidden)))
    assert kept
    assert world.run("SELECT Id FROM Account", humble=True).total == 1
    assert world.run("SELECT COUNT() FROM Account", humble=True).total == 1
    assert world.run("SELECT COUNT() FROM Account").total == 2


def test_order_takes_several_keys_and_puts_blanks_where_it_is_told(world):
    for name, industry, size in (
        ("a", "Retail", "5"),
        ("B", "", "7"),
        ("c", "banking", "50"),
        ("D", "Retail", ""),
        ("e", "Banking", "500"),
    ):
        world.account(Name=name, Industry=industry, NumberOfEmployees=size)
    assert world.names("Id != null", "ORDER BY Name DESC") == "e D c B a"
    assert world.names("Id != null", "ORDER BY Industry, NumberOfEmployees DESC") == "B e c D a"
    assert world.names("Id != null", "ORDER BY Industry DESC NULLS LAST, Name") == "a D c e B"
    assert world.names("Id != null", "ORDER BY NumberOfEmployees NULLS LAST LIMIT 2 OFFSET 1") == "B c"
    assert world.names("Id != null", "ORDER BY Id DESC LIMIT 2") == "e D"


def test_without_an_order_records_come_in_none_a_client_could_use(world):
    ids = [world.account() for _ in range(3 * CHUNK)]
    found = [world.org.accounts.id_of(r) for r in world.run("SELECT Id FROM Account").records]
    assert sorted(found) == ids
    assert found != ids


def test_records_are_counted_and_grouped(world):
    for name, industry, revenue in (
        ("a", "Retail", "10"),
        ("b", "retail", "30"),
        ("c", "Banking", ""),
        ("d", "", "5"),
    ):
        world.account(Name=name, Industry=industry, AnnualRevenue=revenue)
    assert world.run("SELECT COUNT() FROM Account WHERE Industry != null").total == 3
    assert world.groups(
        "SELECT COUNT(Id), COUNT(Industry) filled, COUNT_DISTINCT(Industry) FROM Account"
    ) == [{"expr0": 4, "filled": 3, "expr1": 2}]
    statement = (
        "SELECT Industry, COUNT(Id) n, SUM(AnnualRevenue) s, AVG(AnnualRevenue) m, MAX(AnnualRevenue) top, "
        "MIN(Name) first FROM Account GROUP BY Industry ORDER BY Industry DESC NULLS LAST"
    )
    assert world.groups(statement) == [
        {"Industry": "Retail", "n": 2, "s": 40.0, "m": 20.0, "top": 30.0, "first": "a"},
        {"Industry": "Banking", "n": 1, "s": None, "m": None, "top": None, "first": "c"},
        {"Industry": None, "n": 1, "s": 5.0, "m": 5.0, "top": 5.0, "first": "d"},
    ]
    assert world.groups(
        "SELECT Industry FROM Account GROUP BY Industry ORDER BY Industry LIMIT 1 OFFSET 1"
    ) == [{"Industry": "Banking"}]
    assert world.groups("SELECT MAX(SystemModstamp) FROM Account") == [
        {"expr0": "2026-11-21T12:00:00.000+0000"}
    ]
    assert world.groups("SELECT COUNT(Id) FROM Account WHERE Name = 'nobody'") == [{"expr0": 0}]


def test_deleted_and_merged_records_are_found_only_when_asked_for(world):
    accounts = world.org.accounts
    kept, gone, merged = (world.account(Name=name) for name in ("kept", "gone", "merged"))
    accounts.archive(accounts.record(gone))
    accounts.merge(accounts.record(kept), accounts.record(merged))
    assert world.names("Id != null") == "kept"
    found = world.run("SELECT Name FROM Account WHERE IsDeleted = TRUE ORDER BY Id", deleted=True)
    assert [record.props["Name"] for record in found.records] == ["gone", "merged"]
    statement = f"SELECT Id FROM Account WHERE MasterRecordId = '{kept}'"
    assert [accounts.id_of(record) for record in world.run(statement, deleted=True).records] == [merged]


def test_an_open_transaction_is_not_seen_until_it_commits(world):
    accounts = world.org.accounts
    known = world.account(Name="before")
    accounts.write(accounts.record(known), {"Name": "after"}, SEED, late=60_000)
    accounts.create({"Name": "new"}, SEED, late=60_000)
    assert world.names("Id != null") == "before"
    assert world.names("Name = 'after'") == ""
    world.clock.advance(61)
    world.org.tick()
    assert world.names("Id != null") == "after new"


# -- the same as plain Python over random records and random trees

TEXTS = ("", "acme", "Acme", "ACME Inc", "beta_1", "50%", "ß'x\\", "new\nline")
NUMBERS = ("", "0", "5", "5.5", "-3", "1000000")
WHOLE = ("", "0", "5", "7", "-3")
SETS = ("", "SaaS", "SaaS;B2B", "agency", "B2B;Agency")
DAYS = ("", "2026-11-20", "2026-11-21", "2020-02-29")
STAMPS = tuple(int(NOON * 1000) + offset for offset in (-1_000, -1, 0, 999, 1_000))
Row = Mapping[str, str]


@st.composite
def rows(draw: st.DrawFn) -> tuple[Row, int]:
    values = {
        "Site": draw(st.sampled_from(TEXTS)),
        "AnnualRevenue": draw(st.sampled_from(NUMBERS)),
        "NumberOfEmployees": draw(st.sampled_from(WHOLE)),
        "Models__c": draw(st.sampled_from(SETS)),
        "Founded__c": draw(st.sampled_from(DAYS)),
    }
    return values, draw(st.sampled_from(STAMPS))


def _path(name: str) -> Path:
    return Path(names=(name,))


_SIGNS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
_ORDERED: Mapping[str, st.SearchStrategy[object]] = {
    "Site": st.sampled_from(TEXTS[1:]).map(lambda text: Text(value=text)),
    "AnnualRevenue": st.sampled_from(NUMBERS[1:]).map(lambda text: Number(value=Decimal(text))),
    "NumberOfEmployees": st.sampled_from(WHOLE[1:]).map(lambda text: Number(value=Decimal(text))),
    "Founded__c": st.sampled_from(DAYS[1:]).map(lambda text: Day(value=date.fromisoformat(text))),
    "SystemModstamp": st.sampled_from(STAMPS).map(
        lambda ms: Instant(value=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms))
    ),
}


@st.composite
def single_tests(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from(["compare", "compare", "blank", "among", "like", "members"]))
    if kind == "members":
        some = draw(st.lists(st.sampled_from(["saas", "B2B", "saas;b2b", "agency"]), min_size=1, max_size=2))
        texts = tuple(Text(value=text) for text in some)
        return Members(path=_path("Models__c"), texts=texts, wanted=draw(st.booleans()))
    if kind == "like":
        pattern = draw(st.sampled_from(["acme%", "%", "", "_cme", r"50\%", r"beta\__", "%x%", "new%line"]))
        return Like(path=_path("Site"), pattern=pattern)
    name = draw(st.sampled_from(sorted(_ORDERED)))
    if kind == "blank":
        return Comparison(path=_path(name), operator=draw(st.sampled_from(["=", "!="])), literal=Null())
    literals = _ORDERED[name]
    if kind == "among":
        some = draw(st.lists(literals | st.just(Null()), min_size=1, max_size=3))
        return Among(path=_path(name), literals=tuple(some), wanted=draw(st.booleans()))
    return Comparison(path=_path(name), operator=draw(_SIGNS), literal=draw(literals))


trees: st.SearchStrategy[Condition] = st.recursive(
    single_tests(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(parts=tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(parts=tuple(parts))),
        inner.map(lambda part: Not(part=part)),
    ),
    max_leaves=5,
)


def holds(condition: Condition, row: Row, stamp: int) -> bool:
    """What the reference says of a condition, as plainly as it can be written."""
    match condition:
        case And(parts=parts):
            return all(holds(part, row, stamp) for part in parts)
        case Or(parts=parts):
            return any(holds(part, row, stamp) for part in parts)
        case Not(part=part):
            return not holds(part, row, stamp)
        case Members(texts=texts, wanted=wanted):
            held = set(row["Models__c"].lower().split(";"))
            return any(set(t.value.lower().split(";")) <= held for t in texts) is wanted
        case Like(pattern=pattern):
            shape = {"acme%": "acme.*", "%": ".+", "": "(?!)", "_cme": ".cme", r"50\%": "50%"}
            shape |= {r"beta\__": "beta_.", "%x%": ".*x.*", "new%line": "new.*line"}
            return re.fullmatch(shape[pattern], row["Site"].lower(), re.DOTALL) is not None
        case Among(path=path, literals=literals, wanted=wanted):
            return (value_of(path, row, stamp) in [literal_of(one) for one in literals]) is wanted
        case Comparison(path=path, operator=sign, literal=literal):
            left, right = value_of(path, row, stamp), literal_of(literal)
            if sign in ("=", "!="):
                return (left == right) is (sign == "=")
            if left is None:
                return False
            below, same = left < right, left == right  # type: ignore[operator]
            return {"<": below, "<=": below or same, ">": not below and not same, ">=": not below}[sign]
    raise AssertionError(condition)


def value_of(path: Path, row: Row, stamp: int) -> object:
    name = str(path)
    if name == "SystemModstamp":
        return stamp // 1_000
    text = row[name]
    if text == "":
        return None
    return Decimal(text) if name in ("AnnualRevenue", "NumberOfEmployees") else text.lower()


def literal_of(literal: object) -> object:
    match literal:
        case Text(value=text):
            return text.lower()
        case Number(value=number):
            return number
        case Day(value=day):
            return day.isoformat()
        case Instant(value=at):
            return int(at.timestamp())
    return None


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows(), min_size=1, max_size=8), st.lists(trees, min_size=1, max_size=4))
def test_a_query_finds_what_plain_python_finds(some, conditions):
    world = SHARED
    accounts = world.org.accounts
    before = {record.id for record in _everybody(world)}
    made = [(row, stamp, accounts.create({"Name": "x", **row}, SEED, at=stamp).id) for row, stamp in some]
    for condition in conditions:
        query = Query(columns=parse("SELECT Id FROM Account").columns, sobject="Account", where=condition)
        found = {record.id for record in select(world.org, world.org.admin, query).records} - before
        assert found == {number for row, stamp, number in made if holds(condition, row, stamp)}, condition
        by_id = parse(f"SELECT Id FROM Account WHERE {condition} ORDER BY Id LIMIT 40000")
        ordered = [record.id for record in select(world.org, world.org.admin, by_id).records]
        assert ordered == sorted(ordered)
        assert set(ordered) - before == found


def _everybody(world: World) -> Sequence[Record]:
    return list(world.org.accounts.rows(world.org.admin))


SHARED = World()
