"""A profile with a list, a territory table and pools, beside accounts that fit it: as files or a journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import Result

from icp_sync.domain.account import Owner
from icp_sync.domain.facts import value_to_json
from icp_sync.journal import Journal, Settled
from tests.cli.conftest import command
from tests.domain.cases import facts
from tests.journal.journal_builders import Worker

PROFILE = """
profile: team
currency: USD
criteria:
  - {name: Size, layer: firmographic, fact: employees, at_least: 50, weight: 10}
scope:
  score: {not: {fact: country, any_of: [BR]}}
tiers: {A: 80, B: 60, C: 40, D: 0}
pools:
  inbound:
    members:
      - {email: ann@sales.example, weight: 2}
      - {email: bob@sales.example, weight: 1, cap: 300}
      - {email: cyd@sales.example, weight: 1}
routes:
  - {to: {named: strategic.csv, lane: sales}}
  - {when: {tier: [A, B]}, to: {territory: territories.csv, lane: sales}}
  - {when: {all: [{tier: [A, B]}, {fact: country, any_of: [FR]}]}, to: {pool: inbound, lane: sales}}
  - {else: {lane: nurture}}
"""
TERRITORIES = """territory,owner,pool,country,employees,priority,effective_to
US small,ann@sales.example,,US,<500,,
US large,bob@sales.example,,US,500+,,
EMEA,,inbound,DE;GB,,,
Old DE,dan@sales.example,,DE,,-1,2020-12-31
Never,eve@sales.example,,DE,,5,
"""
STRATEGIC = "domain,owner\nacme.com,eve@sales.example\nnowhere.example,eve@sales.example\n"


def email(name: str) -> str:
    return f"{name}@sales.example"


@dataclass(frozen=True)
class Desk:
    """One folder with a profile and its tables; `run` judges by `accounts.csv` in it."""

    folder: Path

    def write(self, **files: str) -> Desk:
        texts = {"territories": TERRITORIES, "strategic": STRATEGIC} | files
        for name, text in texts.items():
            (self.folder / f"{name}.csv").write_text(text)
        return self

    @property
    def profile(self) -> Path:
        return self.folder / "team.yaml"

    def accounts(self, *rows: str) -> Desk:
        (self.folder / "accounts.csv").write_text(
            "\n".join(["id,name,domain,country,employees,lifecycle,open deals", *rows])
        )
        return self

    def run(self, *arguments: str, code: int = 0) -> Result:
        on = ("--on", str(self.folder / "accounts.csv"))
        result = command("routes", arguments[0], str(self.profile), *on, *arguments[1:])
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)


def desk(folder: Path, profile: str = PROFILE) -> Desk:
    made = Desk(folder)
    made.profile.write_text(profile)
    return made.write()


def journal(
    path: Path, owned: Mapping[str, tuple[str, Mapping[str, object]]], people: Mapping[str, bool]
) -> None:
    """A journal as the engine would leave it: id → (owner, facts), and the CRM's owners, email → active."""
    opened = Journal.open(f"sqlite:///{path}", "main")
    opened.set_owners(
        [Owner(id=str(n), email=who, active=active) for n, (who, active) in enumerate(people.items())],
        now=1.0,
    )
    settled = [
        Settled(
            account_id=account_id,
            name=f"Company {account_id}",
            domain=f"c{account_id}.com",
            owner=owner,
            in_scope=True,
            tier="A",
            evidence={"facts": {n: [value_to_json(v), "crm:x"] for n, v in facts(**known).items()}},
        )
        for account_id, (owner, known) in owned.items()
    ]
    Worker(opened).commit(*settled)
    opened.close()
