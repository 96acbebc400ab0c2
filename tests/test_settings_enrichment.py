"""How a connection buys: waterfalls, budgets and prices as settings; what is wrong is named at its place."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from icp_sync.domain.buying import AS_USUAL, Buy, Buying, Rule, Stop
from icp_sync.enrichers import load as load_enrichers
from icp_sync.errors import ConfigError
from icp_sync.settings import Connection, load
from icp_sync.wiring import buying_of, enrichers_of

FIRST = """
[connections.main]
token = "pat-eu1-0badcafe"
profiles = ["a.yaml"]
"""


def connection(tmp_path: Path, text: str) -> Connection:
    path = tmp_path / "x.toml"
    path.write_text(FIRST + text, encoding="utf-8")
    return load(path, {}).connections["main"]


def wired(tmp_path: Path, text: str) -> Buying:
    chosen = connection(tmp_path, text)
    return buying_of(chosen, load_enrichers(chosen.enrichers))


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        wired(tmp_path, text)
    return "\n".join(map(str, caught.value.problems))


def test_said_nothing_it_buys_by_value_without_limits(tmp_path: Path) -> None:
    assert connection(tmp_path, "").enrichment.buying == AS_USUAL


def test_everything_said_reaches_the_core(tmp_path: Path) -> None:
    chosen = connection(
        tmp_path,
        """
        [[connections.main.enrichers]]
        use = "public_companies"
        budget_day = 5
        [[connections.main.enrichers]]
        use = "contacts"
        name = "people"
        budget_month = 7.5
        [connections.main.enrichment]
        mode = "everything"
        retry_unknown_after = "2h"
        [connections.main.enrichment.budgets]
        account = 1
        run = 2
        month = 4
        [connections.main.enrichment.facts.employees]
        order = ["people", "public_companies"]
        stop = "all"
        floor = 0.6
        ttl = "30d"
        [connections.main.enrichment.facts.revenue]
        floor = "25%"
        """,
    )
    buying = buying_of(chosen, load_enrichers(chosen.enrichers))
    assert (buying.mode, buying.retry_unknown_after) == (Buy.EVERYTHING, 7_200.0)
    assert buying.rule("employees") == Rule(
        order=("people", "public_companies"), stop=Stop.ALL, floor=0.6, ttl=30 * 86_400.0
    )
    assert buying.rule("revenue") == Rule(floor=0.25)
    assert buying.rule("industry") == Rule()
    budgets = buying.budgets
    assert (budgets.account, budgets.run, budgets.day, budgets.month) == (1.0, 2.0, inf, 4.0)
    assert budgets.vendors == {"public_companies": (5.0, inf), "people": (inf, 7.5)}


def test_an_order_may_be_names_with_commas_between_them_in_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FIRST, encoding="utf-8")
    prefix = "ICP_SYNC_CONNECTIONS__MAIN__ENRICHMENT__"
    loaded = load(path, {f"{prefix}FACTS__REVENUE__ORDER": "a, b", f"{prefix}BUDGETS__DAY": "12.5"})
    said = loaded.connections["main"].enrichment
    assert said.buying.rule("revenue").order == ("a", "b")
    assert said.buying.budgets.day == 12.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('facts.employes.stop = "all"', "there is no fact 'employes'; did you mean 'employees'?"),
        ("facts.employees.floor = 1.5", "a share is wanted"),
        ("facts.employees.floor = true", "a share is wanted"),
        ("facts.employees.flor = 0.5", "unknown setting (did you mean"),
        ("facts.employees.ttl = 30", "a duration is wanted"),
        ('facts.employees.stop = "never"', "'first' or 'all'"),
        ("budgets.day = 0", "should be greater than 0"),
        ("budgets.month = -3", "should be greater than 0"),
        ("budgets.run = inf", "finite"),
        ("budgets.account = nan", "finite"),
        ('mode = "cheap"', "'value', 'everything' or 'nothing'"),
        ('retry_unknown_after = "soon"', "a duration is wanted"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, f"[connections.main.enrichment]\n{text}\n")
    assert said in found
    assert "connections.main.enrichment" in found


@pytest.mark.parametrize("text", ["price = -1", 'price = "cheap"', "budget_day = 0", "budget_month = true"])
def test_credits_of_an_entry_are_numbers(tmp_path: Path, text: str) -> None:
    entry = f'[[connections.main.enrichers]]\nuse = "public_companies"\n{text}\n'
    found = problems(tmp_path, entry)
    assert f"number 1: {text.split()[0]} is credits" in found


def test_an_order_names_enrichers_that_are_there(tmp_path: Path) -> None:
    entries = '[[connections.main.enrichers]]\nuse = "public_companies"\n'
    rule = '[connections.main.enrichment.facts.employees]\norder = ["public_company", "apollo"]\n'
    found = problems(tmp_path, entries + rule)
    assert "did you mean 'public_companies'?" in found
    assert "enrichment.facts.employees.order: no enricher is called 'apollo'" in found


def test_a_price_goes_to_whoever_takes_one_and_overrides_it_elsewhere() -> None:
    [public] = load_enrichers([{"use": "public_companies", "price": 2, "budget_day": 10}])
    assert public.price == 2.0
    here = "tests.test_settings_enrichment"
    taking, fixed = load_enrichers([{"use": f"{here}:Taking", "price": 3}, {"use": f"{here}:Plain"}])
    assert (taking.price, fixed.price) == (30.0, 1.0)
    with pytest.raises(ConfigError, match="the price of fixed is fixed"):
        load_enrichers([{"use": f"{here}:Fixed", "price": 3}])


def test_a_vendors_key_is_never_shown(tmp_path: Path) -> None:
    entries = '[[connections.main.enrichers]]\nuse = "apollo"\nkey = "hunter2"\napi_token = "hunter3"\n'
    csv = '[[connections.main.enrichers]]\nuse = "csv"\nkey = "website"\n'
    chosen = connection(tmp_path, entries + csv)
    assert "hunter" not in str(chosen.enrichers) + repr(chosen)
    assert chosen.enrichers[1]["key"] == "website"  # a column's name


def test_keys_of_vendors_come_from_the_environment_or_a_secret_file(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    entries = (
        '[[connections.main.enrichers]]\nuse = "apollo"\n[[connections.main.enrichers]]\nuse = "zoominfo"\n'
    )
    path.write_text(FIRST + entries + 'name = "zi"\n', encoding="utf-8")
    files = tmp_path / "secrets"
    files.mkdir()
    (files / "connections__main__secrets__zi__client_secret").write_text("hunter3\n")
    prefix = "ICP_SYNC_CONNECTIONS__MAIN__SECRETS__"
    environ = {f"{prefix}APOLLO__KEY": "012e3", "ICP_SYNC_SECRETS": str(files)}
    chosen = load(path, environ).connections["main"]
    apollo, zoominfo = chosen.enrichers
    assert apollo["key"].get_secret_value() == "012e3"
    assert zoominfo["client_secret"].get_secret_value() == "hunter3"
    assert "hunter3" not in repr(chosen) + str(chosen.enrichers)
    with pytest.raises(ConfigError, match="'apolo', which is no enricher; is 'apollo' meant"):
        load(path, {f"{prefix}APOLO__KEY": "x"})
    path.write_text(FIRST + entries + 'client_secret = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="zoominfo: client_secret is given here and among the secrets"):
        load(path, {f"{prefix}ZOOMINFO__CLIENT_SECRET": "x"})


def manifest(tmp_path: Path, vendor: str) -> str:
    path = tmp_path / f"{vendor}.yaml"
    path.write_text(f'vendor: "{vendor}"  # ours\ntitle: T\n', encoding="utf-8")
    return f'[[connections.main.enrichers]]\nuse = "rest"\nmanifest = "{path}"\n'


def test_two_manifests_of_ones_own_have_a_key_each_by_their_vendors_names(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FIRST + manifest(tmp_path, "north-wind") + manifest(tmp_path, "southwind"))
    prefix = "ICP_SYNC_CONNECTIONS__MAIN__SECRETS__"
    environ = {f"{prefix}NORTH_WIND__KEY": "n", f"{prefix}SOUTHWIND__KEY": "s"}
    north, south = load(path, environ).connections["main"].enrichers
    assert (north["key"].get_secret_value(), south["key"].get_secret_value()) == ("n", "s")
    with pytest.raises(ConfigError, match="secrets are given for 'rest', which is no enricher"):
        load(path, {f"{prefix}REST__KEY": "n"})


@pytest.mark.parametrize("other", ["", 'name = "northwind"\n'])
def test_two_sources_of_one_name_are_refused(tmp_path: Path, other: str) -> None:
    entries = manifest(tmp_path, "northwind") + (manifest(tmp_path, "southwind" if other else "northwind"))
    with pytest.raises(ConfigError, match="numbers 1 and 2 are both called 'northwind'; give each a `name`"):
        connection(tmp_path, entries + other)


def test_a_key_that_is_missing_is_named_with_its_vendor_and_the_variable_it_belongs_into(
    tmp_path: Path,
) -> None:
    chosen = connection(tmp_path, '[[connections.main.enrichers]]\nuse = "zoominfo"\nname = "zi"\n')
    with pytest.raises(ConfigError) as caught:
        enrichers_of(chosen, "main")
    said = [str(problem) for problem in caught.value.problems]
    assert any(
        "(zi): is missing (put it into ICP_SYNC_CONNECTIONS__MAIN__SECRETS__ZI__CLIENT_ID" in one
        for one in said
    )
    assert any("connections__main__secrets__zi__client_secret" in one for one in said)


def test_a_misspelt_generic_key_is_told_the_generic_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean 'budget_day'"):
        load_enrichers([{"use": "public_companies", "budget_dya": 3}])


class Plain:
    """A source with a price of its own."""

    facts = frozenset({"employees"})
    price, ttl, miss_ttl, name = 1.0, 1.0, 1.0, "plain"

    def answer(self, requests: object) -> list[object]:
        return []


class Taking(Plain):
    """One that makes something of the price it is given."""

    def __init__(self, price: float = 1.0) -> None:
        self.price, self.name = 10.0 * price, "taking"


class Fixed(Plain):
    """One whose price nobody changes."""

    name = "fixed"

    @property
    def price(self) -> float:  # type: ignore[override]
        return 1.0
