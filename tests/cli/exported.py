"""A small profile and the CSV export it is tried on, for the commands that need no CRM."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import Result

from tests.cli.conftest import command

PROFILE = """
profile: size
currency: USD
scope: {score: {fact: country, none_of: [AQ]}}
criteria:
  - {name: Right size, layer: firmographic, fact: employees, between: [50, 500], weight: 60}
  - {name: Right place, layer: firmographic, fact: country, any_of: [US], weight: 20}
  - {name: Right stack, layer: technographic, fact: technologies, any_of: [hubspot], weight: 20}
flags:
  - {name: Agency, when: {fact: industry, any_of: [MARKETING_AND_ADVERTISING]}, effect: exclude}
  - {name: Partner, when: {fact: account_type, any_of: [partner]}, effect: mark}
examples: {acme.com: A, agency.com: Not ICP, big.com: C}
"""
HEADER = (
    "Record ID,Company name,Company Domain Name,Number of Employees,Country/Region,Industry,"
    "Web Technologies,Lifecycle Stage,Type,Company owner email\n"
)
ROWS = """1,Acme Inc,https://www.acme.com/en,120,United States,Computer Software,hubspot,lead,,ada@example.com
2,Agency,agency.com,80,United States,Marketing and Advertising,hubspot,lead,,
3,Big,big.com,900,United States,Computer Software,hubspot,lead,,
4,Acme Corp,ACME.com,150,United States,Computer Software,hubspot,lead,,ben@example.com
5,Kunde,kunde.de,90,Germany,Computer Software,hubspot,customer,,
6,Friend,friend.com,90,United States,Computer Software,hubspot,lead,Partner,
7,Nobody,,90,United States,Computer Software,hubspot,lead,,
8,=1+1,evil.com,90,United States,Computer Software,hubspot,lead,,
9,Pole,pole.com,90,AQ,Computer Software,hubspot,lead,,
10,Vague,vague.com,51-900,United States,,,lead,,
"""


@dataclass(frozen=True)
class Export:
    """A folder with `profile.yaml` and `accounts.csv`; commands run there need nothing else."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, profile: str = PROFILE, rows: str = ROWS) -> Export:
        (folder / "accounts.csv").write_text(HEADER + rows, encoding="utf-8")
        made = cls(folder)
        made.profile(profile)
        return made

    @property
    def csv(self) -> str:
        return str(self.folder / "accounts.csv")

    def profile(self, text: str = PROFILE, name: str = "profile") -> str:
        """The path of a profile file with this text."""
        path = self.folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, *arguments: str, code: int = 0) -> Result:
        """The command with `--on` this export; its exit code must be `code`."""
        result = command(*arguments, "--on", self.csv)
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)
