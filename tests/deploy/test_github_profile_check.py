"""The workflow people copy: it asks for little, and its own shell steps run in a real repository."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

FILE = Path(__file__).parents[2] / "deploy" / "github-profile-check.yml"
PROFILE = """
profile: size
currency: USD
criteria:
  - {name: Right size, layer: firmographic, fact: employees, between: [50, 500], weight: 3}
  - {name: Right place, layer: firmographic, fact: country, any_of: [US], weight: 1}
flags:
  - {name: Agency, when: {fact: industry, any_of: [MARKETING_AND_ADVERTISING]}, effect: exclude}
examples: {acme.com: A, agency.com: Not ICP}
"""
ACCOUNTS = """Record ID,Company name,Company Domain Name,Number of Employees,Country/Region,Industry
1,Acme,acme.com,120,United States,Computer Software
2,Agency,agency.com,80,United States,Marketing and Advertising
3,Big,big.com,900,United States,Computer Software
"""


def workflow() -> Any:
    return YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))


def steps() -> list[Any]:
    return list(workflow()["jobs"]["profile"]["steps"])


@dataclass(frozen=True)
class Repository:
    """A git repository with a base commit, where a pull request's checkout lies."""

    folder: Path
    base: str

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def judged(self, folder: Path) -> tuple[str, int]:
        """What the workflow's own shell steps make of the checkout: the comment, and the verdict's code."""
        summary, output = folder / "summary.md", folder / "output.txt"
        (folder / "temp").mkdir()
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PROFILES": "config/profiles/size.yaml",
            "ACCOUNTS": "config/accounts.csv",
            "BASE": self.base,
            "RUNNER_TEMP": str(folder / "temp"),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(output),
        }
        code = 0
        for step in steps():
            if step.get("run") is None or step["name"] == "Install":
                continue
            status = (
                dict(line.split("=", 1) for line in output.read_text().split()) if output.exists() else {}
            )
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.folder,
                env=environment | {"STATUS": status.get("status", "")},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0 or step["name"] == "Verdict", done.stderr
            code = done.returncode
        comment = (folder / "temp" / "icp-profile" / "comment.md").read_text(encoding="utf-8")
        assert summary.read_text(encoding="utf-8") == comment
        return comment, code


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "checkout"
    (folder / "config" / "profiles").mkdir(parents=True)
    (folder / "config" / "profiles" / "size.yaml").write_text(PROFILE)
    (folder / "config" / "accounts.csv").write_text(ACCOUNTS)
    made = Repository(folder, "")
    made.git("init", "--quiet")
    made.git("add", ".")
    made.git("commit", "--quiet", "-m", "base")
    return Repository(folder, made.git("rev-parse", "HEAD"))


def test_it_asks_for_no_more_than_reading_and_one_comment() -> None:
    told = workflow()
    assert told["permissions"] == {"contents": "read"}
    assert told["jobs"]["profile"]["permissions"] == {"contents": "read", "pull-requests": "write"}


def test_it_is_safe_for_forks() -> None:
    told = workflow()
    assert set(told["on"]) == {"pull_request"}
    assert "secrets." not in FILE.read_text()
    [checkout] = [s for s in steps() if s.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["persist-credentials"] is False
    [comment] = [s for s in steps() if s.get("uses", "").startswith("actions/github-script@")]
    assert "head.repo.full_name == github.repository" in comment["if"]


def test_no_text_of_the_pull_request_is_pasted_into_a_script() -> None:
    scripts = [s.get("run", "") + s.get("with", {}).get("script", "") for s in steps()]
    assert [script for script in scripts if "${{" in script] == []


def test_actions_are_pinned_to_a_major_version() -> None:
    used = [s["uses"] for s in steps() if "uses" in s]
    assert len(used) == 3
    assert [u for u in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", u)] == []


def test_a_change_is_reported_with_its_movers_and_passes(repository: Repository, tmp_path: Path) -> None:
    profile = repository.folder / "config" / "profiles" / "size.yaml"
    profile.write_text(PROFILE.replace("[50, 500]", "[50, 1000]"))
    comment, code = repository.judged(tmp_path)
    assert code == 0
    assert comment.startswith("<!-- icp-sync profile check -->\n### Profile check: passed\n")
    assert "### Profile test: passed" in comment
    assert "**1 would move**" in comment
    assert "| 3 | Big | D | A | Right size:" in comment


def test_a_broken_example_fails_the_check_and_says_why(repository: Repository, tmp_path: Path) -> None:
    profile = repository.folder / "config" / "profiles" / "size.yaml"
    profile.write_text(PROFILE.replace("[50, 500]", "[200, 500]"))
    comment, code = repository.judged(tmp_path)
    assert code == 1
    assert "### Profile test: failed" in comment
    assert "| FAIL | acme.com | A | D (25) |" in comment
    assert "120 employees, under 200" in comment


def test_a_mistake_in_the_profile_is_shown_with_its_line(repository: Repository, tmp_path: Path) -> None:
    profile = repository.folder / "config" / "profiles" / "size.yaml"
    profile.write_text(PROFILE.replace("country", "cuntry"))
    comment, code = repository.judged(tmp_path)
    assert code == 1
    assert "### Profile check: failed" in comment
    assert "size.yaml:6:" in comment


def test_a_new_profile_has_nothing_to_be_compared_with_and_missing_accounts_are_said(
    repository: Repository, tmp_path: Path
) -> None:
    nothing = repository.git("hash-object", "-wt", "tree", "/dev/null")
    base = repository.git("commit-tree", "-m", "empty", nothing)
    (repository.folder / "config" / "accounts.csv").unlink()
    comment, code = Repository(repository.folder, base).judged(tmp_path)
    assert code == 1
    assert "nothing to compare with" in comment
    assert "    error: config/accounts.csv: cannot be read" in comment
