"""`facts discover` and `facts check` against a portal with fields of its own, and on a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.catalogue import Property, options
from tests.cli.conftest import Place, command

LAND = ("Germany", "France", "USA", "Peru", "Deutschland")


def define(
    crm: Simulator, name: str, label: str = "", kind: str = "string", widget: str = "text", **more: object
) -> None:
    crm.portal.catalogue.put(
        Property(name=name, label=label, type=kind, field_type=widget, custom=True, **more)  # type: ignore[arg-type]
    )


def fill(crm: Simulator, **values: tuple[str, ...]) -> None:
    """Give every company values, taken in turn."""
    for n, id in enumerate(crm.portal.store.live):
        record = crm.portal.store.records[id]
        record.props = {**record.props, **{name: said[n % len(said)] for name, said in values.items()}}


@pytest.fixture(scope="module")
def portal() -> Iterator[Simulator]:
    """A portal with typical fields of its own. Tests only read it."""
    with Simulator(accounts=60, seed=4, index_lag=0.0, contacts=True) as crm:
        define(crm, "headcount_band", "Company size")
        define(crm, "arr", "ARR (USD)", "number", "number")
        define(crm, "total_revenue_won", "Total Revenue", "number", "number")
        define(crm, "desk", "")
        define(crm, "mail", "Whom to write to")
        define(crm, "seat", "Seat of the holding")
        define(
            crm,
            "hiring",
            "Open positions",
            "enumeration",
            "checkbox",
            options=options((("sdr", "S"), ("ae", "A"))),
        )
        define(crm, "attic", "Country of old", archived_at=5)
        fill(
            crm,
            headcount_band=("1-10", "11-50", "51-200", "51-200", "many"),
            arr=("1200000", "81000000"),
            total_revenue_won=("5", "6"),
            desk=("+49 30 1234567", "(212) 555-0100 ext 7"),
            mail=("ask anna@people.example first",),
            seat=LAND,
            hiring=("sdr;ae", "ae"),
        )
        yield crm


@pytest.fixture
def there(portal: Simulator, tmp_path: Path) -> Place:
    return Place(tmp_path, portal).write()


def more(property: str, fact: str, **keys: object) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["[[connections.main.facts]]", f'property = "{property}"', f'fact = "{fact}"', *lines])


# Discover


def test_every_field_is_listed_with_its_fill_rate_and_what_it_feeds(there: Place) -> None:
    told = there.json("facts", "discover")
    fields = {field["name"]: field for field in told["fields"]}
    assert len(fields) == len(there.crm.portal.catalogue.all)
    assert told["sampled"] == 60
    held = there.crm.portal.store.records.values()
    share = sum(bool(record.props.get("numberofemployees")) for record in held) / 60
    assert fields["numberofemployees"]["filled"] == pytest.approx(share)
    assert fields["numberofemployees"]["feeds"] == ["employees"]
    assert fields["seat"]["feeds"] == []
    assert len(fields["seat"]["examples"]) == 3
    assert (fields["attic"]["archived"], fields["attic"]["filled"]) == (True, None)


def test_fields_that_look_like_facts_are_proposed_and_those_that_do_not_are_not(there: Place) -> None:
    told = there.json("facts", "discover")
    proposed = {f["name"]: f["proposed"]["fact"] for f in told["fields"] if f["proposed"]}
    assert proposed == {
        "headcount_band": "employees",
        "arr": "revenue",
        "seat": "country",
        "hiring": "open_roles",
    }


def test_what_is_proposed_can_be_pasted_and_then_passes_the_check(there: Place) -> None:
    paste = there.json("facts", "discover")["paste"]
    assert tomllib.loads(paste)["connections"]["main"]["facts"][0]["property"]
    there.write(more=paste)
    found = there.json("facts", "check")
    assert found["errors"] == 0
    told = there.json("facts", "discover")
    assert not any(field["proposed"] for field in told["fields"])


def test_no_email_address_and_no_phone_number_is_ever_shown(there: Place) -> None:
    text = there.run("facts", "discover").stdout + there.run("facts", "discover", "--json").stdout
    assert "(email)" in text
    assert "(phone)" in text
    for secret in ("anna@", "1234567", "555-0100"):
        assert secret not in text


def test_a_pattern_keeps_what_fits_in_name_or_label(there: Place) -> None:
    for pattern in ("*size", "company size", "HEADCOUNT"):
        told = there.json("facts", "discover", "--fields", pattern)
        assert [field["name"] for field in told["fields"]] == ["headcount_band"]
    assert "none of" in there.run("facts", "discover", "--fields", "shoes", code=2).output


def test_the_sample_may_be_smaller(there: Place) -> None:
    assert there.json("facts", "discover", "--sample", "20")["sampled"] == 20


def test_a_portal_without_accounts_is_judged_by_names_and_types(tmp_path: Path) -> None:
    with Simulator(accounts=0) as crm:
        define(crm, "staff_count", "Employee count", "number", "number")
        place = Place(tmp_path, crm).write()
        told = place.json("facts", "discover")
        assert (told["sampled"], {f["filled"] for f in told["fields"]}) == (0, {None})
        assert 'property = "staff_count"' in told["paste"]
        assert "no account to look at" in place.run("facts", "discover").stdout
        assert place.json("facts", "check")["errors"] == 0


def test_a_field_that_is_defined_and_never_named_by_an_account_may_not_be_read(there: Place) -> None:
    from icp_sync.cli.facts.fields import measured
    from icp_sync.ports import CrmField, FieldKind

    secret = CrmField(name="secret", label="", kind=FieldKind.TEXT, type="string")
    (one,) = measured([secret], [{"name": "Acme"}])
    assert (one.there, one.filled) == (False, None)


def test_a_thousand_fields_without_labels_are_no_trouble(tmp_path: Path) -> None:
    with Simulator(accounts=20, index_lag=0.0) as crm:
        for n in range(1_000):
            define(crm, f"custom_{n:04}")
        place = Place(tmp_path, crm).write()
        assert len(place.json("facts", "discover")["fields"]) > 1_000


def test_without_the_scope_the_command_names_it_and_ends_with_two(portal: Simulator, tmp_path: Path) -> None:
    portal.admin("POST tokens", token="pat-na1-small", scopes=["crm.objects.owners.read"])
    place = Place(tmp_path, portal).write(token="pat-na1-small")
    for verb in ("discover", "check"):
        assert "crm.schemas.companies.read" in place.run("facts", verb, code=2).output


# A file


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "ex port.csv"
    path.write_text(
        "Firma;Größe;Umsatz 2025;Kontakt;Direktwahl;Industry vertical\n"
        "Acme;51-200;1,5 Mio EUR;a@people.example;030 1234567;Banking\n"
        "Beta;11-50;200000;b@people.example;;Retail\n"
        "Gamma;;;;+49 30 765 4321;Insurance\n",
        encoding="utf-8",
    )
    return path


def test_the_columns_of_a_file_are_discovered_without_settings_or_crm(export: Path) -> None:
    told = json.loads(command("facts", "discover", str(export), "--json").stdout)
    fields = {field["name"]: field for field in told["fields"]}
    assert fields["Firma"]["feeds"] == ["name"]
    assert fields["Größe"]["filled"] == pytest.approx(2 / 3)
    assert {n: f["proposed"]["fact"] for n, f in fields.items() if f["proposed"]} == {
        "Umsatz 2025": "revenue",
        "Industry vertical": "industry",
    }
    assert "--map 'Umsatz 2025=revenue'" in told["paste"]
    assert "@" not in command("facts", "discover", str(export)).stdout
    assert "1234567" not in command("facts", "discover", str(export)).stdout


def test_a_file_whose_columns_feed_nothing_yet_is_still_discovered(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("Staff size now,x\n51-200,1\n11-50,2\n")
    told = json.loads(command("facts", "discover", str(path), "--json").stdout)
    assert [f["proposed"]["fact"] for f in told["fields"] if f["proposed"]] == ["employees"]


@pytest.mark.parametrize("text", [None, "", "a,a\n1,2\n"])
def test_a_file_that_is_no_table_ends_with_two(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "bad.csv"
    if text is not None:
        path.write_text(text)
    result = command("facts", "discover", str(path))
    assert result.exit_code == 2
    assert "bad.csv" in result.output


def test_a_file_without_rows_has_columns_and_no_values(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("name,size\n")
    told = json.loads(command("facts", "discover", str(path), "--json").stdout)
    assert (told["sampled"], len(told["fields"])) == (0, 2)


# Check


def problems(there: Place, more: str, code: int) -> dict[str, tuple[str, str, str]]:
    """Entry → severity, what is wrong, what to do."""
    there.write(more=more)
    found = there.json("facts", "check", code=code)
    return {p["where"]: (p["severity"], p["what"], p["next"]) for p in found["problems"]}


@pytest.mark.parametrize(
    ("entry", "what", "hint"),
    [
        (more("headcount_bnd", "employees"), "no such field", "did you mean 'headcount_band'?"),
        (more("company_size", "employees"), "no such field", "did you mean 'headcount_band'?"),
        (more("attic", "keywords"), "archived", "restore it"),
        (
            more("closedate", "revenue"),
            "a field of type datetime/date cannot be read as money",
            "another field",
        ),
        (more("hiring", "funding_stage"), "cannot be read as choice", "kind: set"),
        (more("arr", "country"), "cannot be read as country", "another field"),
        (more("mail", "web_visits"), "60 of 60 values cannot be read: (email)", "another kind than number?"),
        (
            more("industry", "lead_status", **{"values.foo": "new"}),
            "none of its values is an option",
            "options:",
        ),
        (more("icp_fit_score", "web_visits"), "no such field", ""),
    ],
)
def test_an_entry_that_cannot_work_is_an_error(there: Place, entry: str, what: str, hint: str) -> None:
    (said,) = [p for p in problems(there, entry, 2).values() if p[0] == "error"]
    assert what in said[1]
    assert hint in said[2]


def test_a_field_we_write_ourselves_is_no_fact(settled: Place, tmp_path: Path) -> None:
    place = Place(tmp_path, settled.crm).write(more=more("icp_fit_score", "web_visits"))
    found = place.json("facts", "check", code=2)
    assert [p["what"] for p in found["problems"] if p["severity"] == "error"] == [
        "we write this field ourselves: it would feed on its own result"
    ]


def test_a_few_unreadable_values_are_a_warning_with_examples(there: Place) -> None:
    severity, what, _ = problems(there, more("headcount_band", "employees", rank=2), 0)[
        "headcount_band → employees"
    ]
    assert (severity, what) == ("warning", "12 of 60 values cannot be read: many")


def test_money_without_a_currency_is_a_warning(there: Place) -> None:
    said = problems(there, more("arr", "revenue", rank=2), 0)["arr → revenue"]
    assert said[:2] == ("warning", "60 of 60 amounts have no currency: near a threshold they are unknown")
    assert "arr → revenue" not in problems(there, more("arr", "revenue", rank=2, currency="USD"), 0)


def test_standard_fields_a_portal_lacks_are_warnings_only(tmp_path: Path) -> None:
    with Simulator(accounts=3, index_lag=0.0) as crm:
        del crm.portal.catalogue.all["hs_employee_range"]
        found = Place(tmp_path, crm).write().json("facts", "check")
    assert {p["severity"] for p in found["problems"]} == {"warning"}
    assert "hs_employee_range → employees" in {p["where"] for p in found["problems"]}


def test_facts_the_profile_asks_for_that_nothing_feeds_are_named(there: Place, tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text(
        """
profile: people
currency: USD
criteria:
  - {name: Has a VP Sales, layer: buying, fact: contact_titles, any_of: [vp sales], weight: 60}
  - {name: In the US, layer: firmographic, fact: country, any_of: [US], weight: 40}
  - {name: Prospect, layer: buying, fact: population, any_of: [prospect], required: true}
"""
    )
    there.write(profile=profile)
    found = there.json("facts", "check")
    asked = [p for p in found["problems"] if p["where"] == "profile people"]
    assert [p["what"] for p in asked] == ["nothing feeds 'contact_titles', which 'Has a VP Sales' asks for"]
    there.write(profile=profile, more='[[connections.main.enrichers]]\nuse = "contacts"')
    found = there.json("facts", "check")
    assert not [p for p in found["problems"] if p["where"] == "profile people"]
    assert found["passed"]["contacts"] == "may be read"


def test_contacts_that_may_not_be_read_are_an_error_naming_the_scope(
    portal: Simulator, tmp_path: Path
) -> None:
    scopes = ["crm.objects.companies.read", "crm.schemas.companies.read", "crm.objects.owners.read"]
    portal.admin("POST tokens", token="pat-na1-nobody", scopes=scopes)
    place = Place(tmp_path, portal).write(
        token="pat-na1-nobody", more='[[connections.main.enrichers]]\nuse = "contacts"'
    )
    found = place.json("facts", "check", code=2)
    (error,) = [p for p in found["problems"] if p["severity"] == "error"]
    assert "crm.objects.contacts.read" in error["what"]


def test_what_is_fine_is_said_and_fits_a_page(there: Place) -> None:
    text = there.run("facts", "check").stdout
    assert "ok  facts map: " in text
    assert "60 accounts sampled" in text
