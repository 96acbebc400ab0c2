"""Accounts a processor second: our compiled profile beside other rule engines, with equal scores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.places import measured
from tests.bench.sections.peers.places import Peer, programs
from tests.bench.sections.scoring.accounts import plain_accounts
from tests.bench.sections.scoring.languages import LANGUAGES
from tests.bench.sections.scoring.ours import profile
from tests.bench.sections.size import Size
from tests.bench.table import Row, in_turn

HERE = Path(__file__).parent
_OURS = (sys.executable, "-m", "tests.bench.sections.scoring.ours")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """work: its function of `engine_work.py`. language: what the profile is translated to. fastest: of all
    that were measured, so that it is the one to beat."""

    name: str
    version: str
    work: str
    language: str
    accounts: int
    note: str = ""
    fastest: bool = False

    @property
    def called(self) -> str:
        return f"{self.name} {self.version}" + (f", {self.note}" if self.note else "")

    def command(self) -> list[str]:
        """What runs it, in its environment, which is made where it is not there yet."""
        python = programs(Peer(name=self.name, version=self.version, crm="")) / "python"
        return [str(python), str(HERE / "engine_work.py"), self.work]


def engines() -> list[Engine]:
    """Those to compare with: the fastest, with PEERS=1 all of them."""
    told = tomllib.loads((HERE / "engines.toml").read_text(encoding="utf-8"))["engine"]
    return [one for one in (Engine(**entry) for entry in told) if one.fastest or os.environ.get("PEERS")]


def engine_rows(folder: Path, size: Size) -> list[Row]:
    """A row for each; one that cannot be installed here has none."""
    rows = []
    for engine in engines():
        try:
            command = engine.command()
        except subprocess.CalledProcessError as error:
            print(f"{engine.called} cannot be installed here: {error}", file=sys.stderr)
            continue
        rows.append(_row(engine, command, folder, size))
    return rows


def _row(engine: Engine, command: Sequence[str], folder: Path, size: Size) -> Row:
    count = min(engine.accounts, size.scored)
    accounts, expression = folder / f"{count}.json", folder / f"{engine.work}.json"
    accounts.write_text(json.dumps(list(plain_accounts(profile(), count))), encoding="utf-8")
    expression.write_text(json.dumps(LANGUAGES[engine.language](profile())), encoding="utf-8")
    digests: dict[str, str] = {}
    ours, theirs = in_turn(
        size.rounds,
        partial(rate, [*_OURS, str(accounts)], count, digests, "ours"),
        partial(rate, [*command, str(expression), str(accounts)], count, digests, "theirs"),
    )
    if digests["ours"] != digests["theirs"]:
        raise RuntimeError(f"{engine.called} makes other scores of {count:,} accounts")
    return Row(
        key="scoring.fastest" if engine.fastest else f"scoring.{engine.work}",
        what=f"15 criteria with range and verdicts, against {engine.called}",
        unit="accounts/s",
        ours=ours,
        beside=theirs,
        goal="> 1" if engine.fastest else "",
        met=ours > theirs if engine.fastest else None,
        note=f"{count:,} accounts, scores equal",
    )


def rate(command: Sequence[str], count: int, digests: dict[str, str], name: str) -> float:
    """Accounts a second of processor time. The digest of its scores is noted under its name."""
    found: Mapping[str, float | str] = json.loads(measured(command).out)
    digests[name] = str(found["digest"])
    return count / float(found["seconds"])
