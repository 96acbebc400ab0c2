"""Where text of others enters the program, each as one call: it reads the text, or says that it cannot.

A place returns what it made of the text, `UNKNOWN` for nothing, or raises one of the errors its own
docstring promises. Anything else is a finding.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import category

from icp_sync.crm.canonical import canonical_text, instant, is_number
from icp_sync.crm.hubspot.filters import SHAPES as HUBSPOT_SHAPES
from icp_sync.crm.hubspot.filters import search_filter
from icp_sync.crm.hubspot.replies import HubSpotDialect, complaints, missing_scopes, usage
from icp_sync.crm.hubspot.values import Values, merged_ids, stamp_of
from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce import soql as statements
from icp_sync.crm.salesforce.columns import text_of
from icp_sync.crm.salesforce.filters import SHAPES as SALESFORCE_SHAPES
from icp_sync.crm.salesforce.filters import soql
from icp_sync.crm.salesforce.ids import account_id
from icp_sync.crm.salesforce.replies import SalesforceDialect
from icp_sync.crm.salesforce.values import UnfitError, _instant, _number, _yes_no
from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.facts import CATALOGUE, Interval
from icp_sync.domain.override import override_from_json
from icp_sync.domain.profile import Criterion, Profile
from icp_sync.domain.seal import SealKey, read_seal
from icp_sync.domain.standing import FieldType
from icp_sync.enrichers import public_headcounts, public_places, public_revenues, public_words
from icp_sync.errors import ConfigError
from icp_sync.http import ForbiddenAddressError, http_date
from icp_sync.http.addresses import target
from icp_sync.http.outage import place as place_of
from icp_sync.http.wire import retry_after
from icp_sync.normalize import countries, dates, domains, industries, money, numbers, sizes, titles
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS, FactsMap
from icp_sync.normalize.property_filters import statements_of
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.observe import redact
from icp_sync.profile_file import parse
from icp_sync.reporting.text import clean, short
from icp_sync.roster_file import cells
from icp_sync.settings import load
from icp_sync.sync.plan_file.document import read_plan
from icp_sync.tables.accounts import read_accounts
from icp_sync.tables.columns import parse_map
from icp_sync.tables.writing import writer
from icp_sync.wiring.seals import seal_key
from tests.normalize.selections import ground

UNKNOWN = None
PROFILE = """profile: p
currency: USD
criteria:
  - {name: size, layer: firmographic, fact: employees, between: [50, 500], weight: 10}
tiers: {A: 80, B: 60, C: 40, D: 0}
"""


@dataclass(frozen=True)
class Place:
    """One way in. may: the errors that are an answer."""

    name: str
    push: Callable[[str], object]
    may: tuple[type[Exception], ...] = ()

    def outcome(self, value: str) -> str:
        """ "read", "unknown" or "error"; raises what is none of them."""
        try:
            got = self.push(value)
        except self.may as error:
            said = str(error)
            assert 0 < len(said) < 20_000, "an error without words, or without end"
            return "error"
        for one in got if isinstance(got, tuple | list) else (got,):
            assert not isinstance(one, Interval) or (one.low <= one.high), f"an impossible interval: {one}"
            assert not isinstance(one, float) or not math.isnan(one), "no number"
        return "read" if got not in (UNKNOWN, "", (), []) else "unknown"


def everything() -> Iterator[Place]:
    """Every place there is."""
    yield from _normalisers()
    yield from _connectors()
    yield from _replies()
    yield from _files()
    yield from _words()
    yield from _filters()


def _normalisers() -> Iterator[Place]:
    plain: Mapping[str, Callable[[str], object]] = {
        "country": countries.code,
        "date": dates.instant,
        "domain": domains.registrable,
        "industry of HubSpot": industries.from_hubspot,
        "industry of LinkedIn": lambda text: industries.from_label(text, "linkedin"),
        "money": money.amount,
        "money in USD": lambda text: money.amount(text, "USD"),
        "number": numbers.plain_number,
        "headcount": sizes.headcount,
        "job title": titles.roles,
        "public headcount": public_headcounts.employees,
        "public founding year": public_places.founded,
        "public headquarters": public_places.headquarters,
        "public revenue": lambda text: public_revenues.revenue(text, "US"),
        "public words": public_words.words,
    }
    yield from (Place(name, push) for name, push in plain.items())


def _connectors() -> Iterator[Place]:
    def facts(source: FactsMap) -> Callable[[str], object]:
        def push(text: str) -> object:
            signals, unread = source.read(
                dict.fromkeys(source.properties, text), observed_at=0.0, account_currency="USD"
            )
            assert all(isinstance(raw, str) and len(raw) <= 1_001 for raw in unread.values())
            return [signal.value for signal in signals]

        return push

    hubspot = Values(Roster(lambda: ()), HUBSPOT_DEFAULTS)

    def company(text: str) -> object:
        names = [*HUBSPOT_DEFAULTS.properties, "hs_lastmodifieddate", "hubspot_owner_id", "icp_tier", "name"]
        record = {"id": text, "updatedAt": text, "properties": dict.fromkeys(names, text)}
        carried = {"tier": "icp_tier", "fit_score": "icp_tier", "tier_changed_at": "icp_tier"}
        [account] = hubspot.accounts([(record, 0)], {**carried, "owner": "hubspot_owner_id"}, currency="USD")
        stamp_of(record)
        return sorted(merged_ids({"properties": {"hs_merged_object_ids": text}})) + list(
            account.live.values()
        )

    yield Place("facts of HubSpot", facts(HUBSPOT_DEFAULTS))
    yield Place("facts of Salesforce", facts(SALESFORCE_DEFAULTS))
    yield Place("a company of HubSpot", company)
    for kind in FieldType:
        yield Place(f"canonical {kind.value}", lambda text, kind=kind: canonical_text(kind, text))  # type: ignore[misc]
    for name in ("double", "datetime", "boolean", "id", "string"):
        yield Place(f"Salesforce {name} read", text_of(name))
    yield Place("Salesforce number written", lambda text: _number(text, whole=False), (UnfitError,))
    yield Place("Salesforce instant written", lambda text: _instant(text, whole_days=True), (UnfitError,))
    yield Place("Salesforce checkbox written", _yes_no, (UnfitError,))
    yield Place("Salesforce id", account_id)
    yield Place("instant", instant)
    yield Place("is it a number", is_number)
    key = SealKey(installation="a", key=b"k" * 32)
    yield Place("seal", lambda text: read_seal(text, key).problem)
    yield Place(
        "override kept", lambda text: override_from_json({"tier": text, "since": text, "until": text})
    )


def _replies() -> Iterator[Place]:
    def body(text: str) -> object:
        inner = {"message": text, "category": text, "code": text, "context": {text: [text], "scopes": text}}
        return {**inner, "errors": [inner, text, None], "policyName": text, "errorType": text}

    yield Place("errors of HubSpot", lambda text: complaints(body(text)))
    yield Place("scopes of HubSpot", lambda text: missing_scopes(body(text)))
    yield Place("usage of HubSpot", lambda text: usage(body(text)))
    yield Place("message of HubSpot", lambda text: HubSpotDialect().message(body(text)))
    yield Place(
        "message of Salesforce",
        lambda text: SalesforceDialect().message(
            [{"errorCode": text, "message": text, "fields": [text]}, text]
        ),
    )
    yield Place("date header", http_date)
    yield Place("Retry-After", lambda text: retry_after(text, 0.0))
    yield Place("address in an error", place_of)
    yield Place("website", target, (ForbiddenAddressError,))
    yield Place("redaction", redact)


def _files() -> Iterator[Place]:
    folder = TemporaryDirectory()
    path = Path(folder.name) / "file"
    kept = [folder]  # until the last place has gone

    def written(read: Callable[[Path], object]) -> Callable[[str], object]:
        def push(text: str) -> object:
            assert kept
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            return read(path)

        return push

    def table(text: str) -> object:
        with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
            csv.writer(stream, escapechar="\\").writerows([["id", "domain", "employees"], ["1", text, text]])
        return [account.id for account in read_accounts(path)]

    def owned(text: str) -> object:
        row = [json.dumps(text)] * 2
        path.write_text(f"domain,owner\n{row[0]},{row[1]}\n", encoding="utf-8", errors="surrogatepass")
        return list(read_accounts(path, columns={"owner": "owner"}))

    may = (ConfigError,)
    yield Place("profile, whole", lambda text: parse(text, "p.yaml"), may)
    yield Place("profile, plain value", lambda text: parse(PROFILE + f"note: {text}\n", "p.yaml"), may)
    quoted = PROFILE.replace("employees, between: [50, 500]", "country, any_of: [%s]")
    yield Place("profile, quoted value", lambda text: parse(quoted % json.dumps(text), "p.yaml"), may)
    yield Place("profile, number", lambda text: parse(PROFILE.replace("10}", text + "}"), "p.yaml"), may)
    yield Place("accounts, whole", written(read_accounts), may)
    yield Place("accounts, cell", table, may)
    yield Place("accounts, owner", owned, may)
    yield Place("plan file", written(read_plan), may)
    yield Place("seal key", written(seal_key), may)
    yield Place("settings file", written(lambda file: load(file, {}, dotenv=Path("/nonexistent"))), may)


def _words() -> Iterator[Place]:
    may = (ConfigError,)

    def variable(name: str) -> Callable[[str], object]:
        given = {
            "ICP_SYNC_CONNECTIONS__MAIN__TOKEN": "pat-na1-x",
            "ICP_SYNC_CONNECTIONS__MAIN__PROFILES": "p.yaml",
        }
        return lambda text: (
            load(Path("/dev/null"), {**given, f"ICP_SYNC_{name}": text}, dotenv=Path("/none")).log.level
        )

    for name in (
        *("JOURNAL", "LOG__LEVEL", "HEALTH__PORT", "CONNECTIONS", "CONNECTIONS__MAIN__TOKEN"),
        *("CONNECTIONS__MAIN__BASE_URL", "CONNECTIONS__MAIN__PROFILES", "CONNECTIONS__MAIN__SCHEDULE__POLL"),
        *(
            "CONNECTIONS__MAIN__SALESFORCE",
            "CONNECTIONS__MAIN__SALESFORCE__MY_DOMAIN",
            "CONNECTIONS__MAIN__ENRICHERS",
        ),
    ):
        yield Place(
            f"setting {name}", variable(name), (ConfigError, *(() if name != "CONFIG" else (OSError,)))
        )
    yield Place("column map", lambda text: parse_map([text]), may)
    for called, cell in {
        "email": cells.email,
        "weight": cells.weight,
        "cap": cells.cap,
        "priority": cells.priority,
        "first day": cells.first_day,
        "last day": cells.after_last_day,
        "formula": cells.refuse_formula,
    }.items():
        yield Place(f"cell: {called}", cell, (ValueError,))
    for fact in ("employees", "revenue", "country", "technologies"):
        ask = lambda text, fact=fact: cells.question(fact, CATALOGUE[fact], text, "USD")  # noqa: E731
        yield Place(f"cell: territory by {fact}", ask, (ValueError,))
    yield Place("terminal", _shown)
    yield Place("spreadsheet", _exported)


def _shown(text: str) -> str:
    """What a terminal gets holds nothing it would obey."""
    shown = clean(text)
    assert not any(category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in shown), (
        "a terminal would obey this"
    )
    assert len(short(text, 40)) <= 40
    return shown


def _exported(text: str) -> str:
    """What a spreadsheet gets is no formula, and comes back whole."""
    out = io.StringIO()
    writer(out, ["a", "b"]).row([text, "end"])
    rows = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert [row[1] for row in rows] == ["b", "end"], "the cell broke its row"
    risky = rows[1][0][:1] in {"=", "+", "@", "\t", "\r"}
    assert not risky or not any(letter.isalpha() or letter in "=@!" for letter in rows[1][0]), "a formula"
    return rows[1][0]


def _filters() -> Iterator[Place]:
    def asking(text: str) -> Profile:
        when = AnyOf(fact="city", values=frozenset({text}))
        gate = Criterion(name="gate", layer="firmographic", when=when, required=True)
        return Profile(name="p", currency="USD", criteria=(gate,), people=True)

    def in_soql(text: str) -> object:
        on = ground(cased=False, facts_map=SALESFORCE_DEFAULTS, shapes=SALESFORCE_SHAPES, most=2_000)
        said = soql(statements_of([asking(text)], on), SALESFORCE_SHAPES).text
        assert re.fullmatch(r"[\w .=!<>(),]*", _outside(said), re.ASCII), "a value left its quotes"
        return said

    def in_hubspot(text: str) -> object:
        on = ground(cased=True, facts_map=HUBSPOT_DEFAULTS, shapes=HUBSPOT_SHAPES, most=2_000)
        return json.loads(search_filter(statements_of([asking(text)], on), HUBSPOT_SHAPES).text)

    def in_a_list(text: str) -> object:
        said = statements.among("Id", [text])
        assert _outside(said) == "Id IN ()", "a value left its quotes"
        return said

    yield Place("SOQL, filter", in_soql, (ConfigError,))
    yield Place("SOQL, list of ids", in_a_list)
    yield Place("HubSpot, filter", in_hubspot, (ConfigError,))


def _outside(statement: str) -> str:
    """What of a statement stands outside of quotes, read as SOQL reads it."""
    outside, quoted, at = [], False, 0
    while at < len(statement):
        letter = statement[at]
        if quoted and letter == "\\":
            at += 1
        elif letter == "'":
            quoted = not quoted
        elif not quoted:
            outside.append(letter)
        at += 1
    assert not quoted, "a quote without its end"
    return "".join(outside)


def tally(outcomes: Iterator[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Outcomes counted by place."""
    counted: dict[str, dict[str, int]] = {}
    for place, outcome in outcomes:
        row = counted.setdefault(place, {"read": 0, "unknown": 0, "error": 0})
        row[outcome] += 1
    return counted


Finding = tuple[str, str, BaseException]


def run(values: tuple[str, ...]) -> tuple[dict[str, dict[str, int]], list[Finding]]:
    """Every value at every place: the counts, and what went wrong (place, value, error)."""
    findings: list[Finding] = []

    def outcomes() -> Iterator[tuple[str, str]]:
        for place in everything():
            for value in values:
                try:
                    yield place.name, place.outcome(value)
                except Exception as error:  # whatever it is, it is the finding
                    findings.append((place.name, value, error))

    return tally(outcomes()), findings


def shown(value: str) -> str:
    return ascii(value)[:60]
