"""Mutation testing of icp_sync/domain: `python -m tests.sabotage.mutants [FILE …]`, all files without one.

Prints, per file, how many mutants there are, how many the tests of `tests/domain` kill and which survive, and
fails below 90 %. Mutants that cannot be told from the program stand in `equivalent.toml`, each with its
reason; they are counted apart. `--only-survivors LIST` looks again at those a former run left alive.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import icp_sync.domain

HERE = Path(__file__).parent
DOMAIN = Path(next(iter(icp_sync.domain.__path__)))
ROOT = HERE.parents[1]
ENOUGH = 0.90
BESIDE = {
    "spelling": ["tests/normalize/test_titles.py"],
    "currency": ["tests/normalize/test_money.py"],
    "filtering_text": ["tests/normalize/test_property_filters.py"],
    "filtering_boxes": ["tests/normalize/test_property_filters.py"],
    "filtering_clauses": ["tests/normalize/test_property_filters.py"],
    "supply": ["tests/profile_file/test_feeding.py"],
    "goals": ["tests/roster_file/test_people.py"],
}
"""Tests beyond `tests/domain` that speak for a file of the domain."""


@dataclass(slots=True)
class Tally:
    """What became of a file's mutants."""

    killed: int = 0
    equivalent: int = 0
    survivors: list[dict] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.killed + self.equivalent + len(self.survivors)

    @property
    def share(self) -> float:
        """Killed, of those that can be."""
        return self.killed / max(self.killed + len(self.survivors), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", help="names below icp_sync/domain, without .py")
    parser.add_argument("--only-survivors", type=Path, help="a list of an earlier run")
    parser.add_argument(
        "--tests", nargs="+", help="instead of tests/domain: quicker, for a look at survivors"
    )
    parser.add_argument("--into", type=Path, help="where what becomes of each is written, to go on later")
    asked = parser.parse_args(arguments)
    names = asked.files or sorted(p.stem for p in DOMAIN.glob("*.py") if p.stem != "__init__")
    only = _survivors(_lines(asked.only_survivors)) if asked.only_survivors else None
    with tempfile.TemporaryDirectory() as folder:
        into = asked.into or Path(folder) / "fates.jsonl"
        done = run(names, into, only, asked.tests)
    tallies = tallied(_lines(into) if asked.into else done)
    print(table(tallies))
    return 0 if tallies and overall(tallies).share >= ENOUGH else 1


def run(
    names: Sequence[str],
    into: Path,
    only: Iterable[str] | None = None,
    tests: Sequence[str] | None = None,
) -> list[dict]:
    """Run the mutants of these files; what became of each, also written to `into`, a JSON line each."""
    files = {f"icp_sync.domain.{name}": str(DOMAIN / f"{name}.py") for name in names}
    known = [] if only is not None else [f for f in _lines(into) if f.get("file") in files]
    order = {
        "files": files,
        "into": str(into),
        "only": sorted(only) if only is not None else None,
        "done": [[files[f["file"]], f["line"], f["column"], f["name"]] for f in known],
    }
    beside = sorted({test for name in names for test in BESIDE.get(name, ())})
    tests = tests or ["tests/domain", *beside]
    command = [sys.executable, "-m", "pytest", "-p", "tests.sabotage.mutant_run", *tests]
    before = len(_lines(into))
    env = {**os.environ, "ICP_SYNC_MUTANTS": json.dumps(order)}
    told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    done = _lines(into)[before:]
    if not done:
        raise SystemExit(told.stdout[-4000:] + told.stderr[-4000:])
    return done


def tallied(fates: Iterable[Mapping]) -> dict[str, Tally]:
    """Per file, from what was written down. The last word on a mutant counts."""
    equal = {(e["file"], e["name"]) for e in equivalents()}
    last = {(f["file"], f["line"], f.get("column", 0), f["name"]): f for f in fates if "file" in f}
    found: dict[str, Tally] = {}
    for (module, _, _, name), fate in last.items():
        short = module.rpartition(".")[2]
        tally = found.setdefault(short, Tally())
        if fate["fate"].startswith("killed"):
            tally.killed += 1
        elif (short, name) in equal:
            tally.equivalent += 1
        else:
            tally.survivors.append(dict(fate))
    return found


def overall(tallies: Mapping[str, Tally]) -> Tally:
    return Tally(
        killed=sum(t.killed for t in tallies.values()),
        equivalent=sum(t.equivalent for t in tallies.values()),
        survivors=[s for t in tallies.values() for s in t.survivors],
    )


def table(tallies: Mapping[str, Tally]) -> str:
    rows = [*sorted(tallies.items()), ("all", overall(tallies))]
    text = [f"{'file':22}{'mutants':>8}{'killed':>8}{'equal':>7}{'alive':>7}{'share':>8}"]
    for name, t in rows:
        text.append(f"{name:22}{t.total:8}{t.killed:8}{t.equivalent:7}{len(t.survivors):7}{t.share:8.1%}")
    for name, t in sorted(tallies.items()):
        text += [f"alive  {name}:{s['line']}  {s['name']}  ({s['fate']})" for s in t.survivors]
    return "\n".join(text)


def equivalents() -> list[dict[str, str]]:
    return list(tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8")).get("mutant", []))


def _survivors(fates: Iterable[Mapping]) -> set[str]:
    return {s["name"] for t in tallied(fates).values() for s in t.survivors}


def _lines(path: Path) -> list[dict]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    sys.exit(main())
