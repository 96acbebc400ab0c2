"""`profile backtest` and `profile promote`: proven on what was decided since, refused, or overruled aloud."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from icp_sync.domain.facts import choice
from icp_sync.learning.cases import Case, Cohort
from tests.cli.conftest import Place, command
from tests.learning.planted import DAY, END, planted
from tests.learning.planted_file import columns, write_accounts
from tests.learning.proved import HYPOTHESIS, learned, middle, sealed_as

PROFILE = """
profile: planted
currency: USD
criteria:
  - {name: Software, layer: firmographic, fact: industry, any_of: [COMPUTER_SOFTWARE, INTERNET], weight: 25}
  - {name: HubSpot, layer: technographic, fact: technologies, any_of: [hubspot], weight: 25}
  - {name: 100 people, layer: firmographic, fact: employees, at_least: 100, weight: 25}
  - {name: 8M, layer: firmographic, fact: revenue, at_least: 8M USD, weight: 25}
tiers: {A: 75, B: 50, C: 25, D: 0, min_coverage: 0%}
"""
IDLE = """
profile: idle
currency: USD
criteria:
  - {name: Country, layer: firmographic, fact: country, any_of: [US, GB], weight: 60}
  - {name: Owners, layer: firmographic, fact: ownership, any_of: [private], weight: 40}
"""
FACTS = ("industry", "technologies", "employees", "revenue", "country", "ownership")
MAP = [part for fact, said in columns(FACTS).items() for part in ("--map", f"{fact}={said}")]


def told(effect: float, seed: int = 5) -> tuple[Case, ...]:
    """Six hundred companies with a few of their facts, decided within the last two years."""
    later = (time.time() - END) // DAY * DAY
    return tuple(
        replace(
            case,
            facts={name: value for name, value in case.facts.items() if name in FACTS},
            begun=case.begun + later,
            decided=case.decided + later,
        )
        for case in planted(600, seed, effect=effect, flipped=0.0, base=0.3).cases
    )


@pytest.fixture(scope="module")
def strong(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """An export in which the facts tell the outcome, and from when on half of it was decided."""
    found = told(3.0)
    return write_accounts(tmp_path_factory.mktemp("strong") / "accounts.csv", found), middle(found)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in which nothing tells the outcome."""
    return write_accounts(tmp_path_factory.mktemp("idle") / "accounts.csv", told(1.0))


def written(place: Place, text: str, name: str = "planted") -> str:
    path = place.folder / f"{name}.yaml"
    path.write_text(sealed_as(text))
    return str(path)


def on(export: Path) -> list[str]:
    return ["--accounts", str(export), "--currency", "USD", *MAP]


def audit(place: Place) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = place.json("audit")["entries"]
    return entries


def test_a_proven_profile_becomes_active_and_the_audit_keeps_its_figures(
    place: Place, strong: tuple[Path, float]
) -> None:
    export, until = strong
    file = written(place, PROFILE + learned(until))
    shown = place.run("profile", "promote", file, *on(export), "--note", "spring").stdout
    for said in (
        "planted: learned from",
        "companies somebody chose to sell to",
        "tossing a coin, as no profile is active",
        "the best single field: ",
        "20 profiles learned from shuffled labels",
        "Proven: it ranks better than all three",
        "Active: version 1 (planted).",
        "a paced backfill is requested",
    ):
        assert said in shown
    [entry] = audit(place)
    assert entry["what"] == "profile promote"
    detail = entry["detail"]
    assert (detail["before"], detail["version"]) == (0, 1)
    assert (detail["files"], detail["note"]) == (["planted.yaml"], "spring")
    assert detail["auc"][0] > 0.5
    assert detail["cases"] > 150
    assert len(detail["against"]) == 3
    assert "forced" not in detail
    again = place.run("profile", "promote", file, *on(export)).stdout
    assert "These files are the active version 1 already; nothing changed." in again
    other = written(place, IDLE, "idle")
    assert place.json("profile", "activate", other)["version"] == 2
    back = place.json("profile", "activate", file)
    assert (back["version"], back["changed"]) == (3, True)
    assert [e["what"] for e in audit(place)] == ["profile promote", "profile activate", "profile activate"]


def test_an_unproven_profile_is_refused_and_nothing_changes(
    place: Place, idle: Path, strong: tuple[Path, float]
) -> None:
    file = written(place, PROFILE + learned(strong[1]))
    result = command("profile", "promote", file, *on(idle), "--json", "--config", str(place.config))
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert (document["passed"], document["promoted"]) == (False, False)
    assert document["reasons"]
    assert document["enough"]
    assert document["cohorts"]["cases"] > 500
    assert "planted is not promoted, and nothing was changed: not shown to rank better" in result.stderr
    assert document["enough"] in result.stderr
    hopeless = document["enough"].startswith("No number")
    step = "icp-sync learn, for another profile" if hopeless else "icp-sync learn, once more is decided"
    assert f"next: {step}; or repeat with --force" in result.stderr
    [entry] = audit(place)
    assert (entry["what"], entry["detail"]["reasons"]) == ("profile promote refused", document["reasons"])
    assert place.json("profile", "activate", written(place, IDLE, "idle"))["version"] == 1


def test_who_overrules_the_gate_is_in_the_audit_with_the_reasons(
    place: Place, idle: Path, strong: tuple[Path, float]
) -> None:
    file = written(place, PROFILE + learned(strong[1]))
    done = place.json("profile", "promote", file, *on(idle), "--force")
    assert (done["promoted"], done["passed"], done["version"]) == (True, False, 1)
    [entry] = audit(place)
    assert entry["what"] == "profile promote"
    assert entry["detail"]["forced"] is True
    assert entry["detail"]["overruled"] == done["reasons"]


def test_a_hypothesis_is_never_promoted_by_itself(place: Place, strong: tuple[Path, float]) -> None:
    file = written(place, PROFILE + HYPOTHESIS)
    refused = place.run("profile", "promote", file, *on(strong[0]), code=3)
    assert "planted is a hypothesis, unproven" in refused.stderr
    assert [entry["what"] for entry in audit(place)] == ["profile promote refused"]


def test_activating_what_was_learned_and_never_promoted_is_refused(
    place: Place, strong: tuple[Path, float]
) -> None:
    file = written(place, PROFILE + learned(strong[1]))
    refused = place.run("profile", "activate", file, code=3)
    assert "planted: learned from outcomes, and never promoted as it stands" in refused.stderr
    assert f"next: icp-sync profile promote {file}, or repeat with --force" in refused.stderr
    assert audit(place) == []
    forced = place.json("profile", "activate", file, "--force")
    assert (forced["version"], forced["changed"]) == (1, True)
    [entry] = audit(place)
    assert (entry["what"], entry["detail"]["unproven"]) == ("profile activate", ["planted"])
    assert place.json("profile", "activate", file)["changed"] is False


def test_a_promoted_profile_that_was_edited_has_to_be_proven_again(
    place: Place, strong: tuple[Path, float]
) -> None:
    file = written(place, PROFILE + learned(strong[1]))
    place.run("profile", "promote", file, *on(strong[0]))
    written(place, PROFILE.replace("at_least: 100", "at_least: 90") + learned(strong[1]))
    assert "never promoted as it stands" in place.run("profile", "activate", file, code=3).stderr


def test_a_backtest_needs_no_settings_and_changes_nothing(
    tmp_path: Path, strong: tuple[Path, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "planted.yaml"
    file.write_text(sealed_as(PROFILE + learned(strong[1])))
    shown = command("profile", "backtest", str(file), *on(strong[0]))
    assert shown.exit_code == 0, shown.output
    assert f"Nothing was changed. next: icp-sync profile promote {file}" in shown.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["planted.yaml"]


def test_a_profile_written_by_hand_is_tried_on_everything_and_called_hindsight(
    place: Place, strong: tuple[Path, float]
) -> None:
    file = written(place, PROFILE)
    shown = place.run("profile", "backtest", file, *on(strong[0])).stdout
    assert "the figures are hindsight, not proof" in shown
    assert "Not proven:" in shown
    assert "perhaps knowing these outcomes" in shown
    document = place.json("profile", "backtest", file, *on(strong[0]))
    assert document["backtest"]["hindsight"] is True
    assert document["learned_until"] is None
    assert document["backtest"]["n"] == document["cohorts"]["told"]
    assert [row["tier"] for row in document["backtest"]["tiers"]][:4] == ["A", "B", "C", "D"]
    assert all(band["expected"] is None for band in document["backtest"]["calibration"])


def test_what_gives_the_outcome_away_is_hidden_and_who_asks_for_it_is_told(
    place: Place, strong: tuple[Path, float], tmp_path: Path
) -> None:
    became = {True: choice("customer"), False: choice("lead")}
    known = [replace(case, facts={**case.facts, "lifecycle": became[case.won]}) for case in told(3.0)]
    export = write_accounts(tmp_path / "leaking.csv", known)
    asks = "  - {name: Customer, layer: buying, fact: lifecycle, any_of: [customer], weight: 300}\n"
    file = written(place, PROFILE.replace("tiers:", f"{asks}tiers:") + learned(strong[1]))
    document = place.json("profile", "backtest", file, *on(export))
    assert document["unseen"] == {"planted": ["lifecycle"]}
    assert {"lifecycle", "population"} <= document["hidden"].keys()
    shown = place.run("profile", "backtest", file, *on(export)).stdout
    assert "! planted asks about lifecycle: hidden here" in shown


def test_nothing_decided_since_it_was_learned_is_said(place: Place, strong: tuple[Path, float]) -> None:
    file = written(place, PROFILE + learned(time.time() + 400 * DAY))
    refused = place.run("profile", "promote", file, *on(strong[0]), code=2)
    assert "no case was decided since 20" in refused.stderr
    assert "next: icp-sync learn" in refused.stderr


def test_a_learned_entry_that_was_edited_proves_nothing(place: Place, strong: tuple[Path, float]) -> None:
    export, until = strong
    file = Path(written(place, PROFILE + learned(until)))
    text = file.read_text()
    day = text.split("until: ")[1][:10]
    file.write_text(text.replace(day, f"{int(day[:4]) - 1}{day[4:]}"))
    shown = place.run("profile", "check", str(file)).stdout
    assert "the 'learned' entry was edited" in shown
    refused = place.run("profile", "promote", str(file), *on(export), code=3)
    assert "the 'learned' entry of planted was edited" in refused.stderr
    assert "the figures are hindsight, not proof" in refused.stdout
    assert place.json("profile", "promote", str(file), *on(export), "--force")["promoted"] is True


def test_questions_edited_since_are_judged_as_they_are_and_no_rate_was_foretold_of_them(
    place: Place, strong: tuple[Path, float]
) -> None:
    file = Path(written(place, PROFILE + learned(strong[1])))
    as_learned = place.json("profile", "backtest", str(file), *on(strong[0]))
    assert as_learned["edited"] == []
    assert as_learned["backtest"]["brier"] is not None
    file.write_text(file.read_text().replace("at_least: 100", "at_least: 90"))
    assert "edited since it was learned" in place.run("profile", "check", str(file)).stdout
    shown = place.run("profile", "backtest", str(file), *on(strong[0])).stdout
    assert "! planted: edited since it was learned" in shown
    document = place.json("profile", "backtest", str(file), *on(strong[0]))
    assert document["edited"] == ["planted"]
    assert document["learned_until"] == as_learned["learned_until"]
    assert document["backtest"]["brier"] is None
    assert document["backtest"]["hindsight"] is False


@pytest.mark.parametrize("name", ["planted", "renamed"])
def test_taking_the_learned_entry_out_is_said_and_kept_in_the_audit(
    place: Place, idle: Path, strong: tuple[Path, float], name: str
) -> None:
    place.run("profile", "promote", written(place, PROFILE + learned(strong[1])), *on(idle), code=3)
    bare = written(place, PROFILE.replace("profile: planted", f"profile: {name}"), name)
    done = place.json("profile", "activate", bare)
    [said] = done["resembling"]
    assert said.startswith(f"{name} asks the same questions as planted, which was learned and refused on 20")
    assert audit(place)[-1]["detail"]["resembling"] == [said]
    assert place.json("profile", "activate", written(place, IDLE, "idle"))["resembling"] == []
    other = PROFILE.replace("profile: planted", f"profile: {name}").replace("at_least: 100", "at_least: 90")
    shown = place.run("profile", "activate", written(place, other, "other")).stdout
    assert ("! planted asks mostly the same questions as planted" in shown) is (name == "planted")


@pytest.fixture
def suspect(tmp_path: Path) -> Path:
    """An export in which who owns a company tells so well that the sale may have caused it."""
    marked = [
        replace(case, facts={**case.facts, "ownership": choice("public")})
        if (at % 5 < 3 if case.won else at % 20 == 0)
        else replace(case, facts={**case.facts, "ownership": choice("private")})
        for at, case in enumerate(told(3.0))
    ]
    return write_accounts(tmp_path / "suspect.csv", marked)


def test_learn_gives_the_line_for_the_settings_where_somebodys_word_is_all_that_is_wanting(
    place: Place, suspect: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new.yaml"
    shown = place.run("learn", *on(suspect), "--out", str(out)).stdout
    line = 'known_before = ["ownership"] under [connections.main.learning] in the settings'
    answer = shown.splitlines()[0]
    assert "it would not be promoted as it stands" in answer
    assert answer.count(line) == 1
    assert answer.count("known_before") == 1
    assert shown.rstrip().endswith(f"next: {line}; then icp-sync profile promote {out}")
    with place.config.open("a") as settings:
        settings.write('\n[connections.main.learning]\nknown_before = ["ownership"]\n')
    assert place.json("profile", "promote", str(out), *on(suspect))["passed"] is True


def test_learn_without_settings_says_that_the_line_needs_a_file_of_them(
    suspect: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(command("learn", *on(suspect), "--json").stdout)
    assert document["next"].startswith('known_before = ["ownership"] under [connections.main.learning]')
    assert document["next"].endswith("(there is no file yet: icp-sync init)")


def test_learn_sends_nobody_to_promote_what_would_be_refused(
    place: Place, strong: tuple[Path, float], tmp_path: Path
) -> None:
    out, again = tmp_path / "new.yaml", tmp_path / "again.yaml"
    place.run("learn", *on(strong[0]), "--out", str(out))
    place.run("profile", "promote", str(out), *on(strong[0]))
    shown = place.run("learn", *on(strong[0]), "--out", str(again)).stdout
    assert "it would not be promoted as it stands" in shown
    assert shown.rstrip().endswith("next: icp-sync learn, once more is decided")
    refused = place.run("profile", "promote", str(again), *on(strong[0]), code=3).stderr
    assert "next: icp-sync learn, for another profile; or repeat with --force" in refused


def test_learn_and_backtest_prove_alike_whatever_currency_the_profile_is_in(
    place: Place, strong: tuple[Path, float], tmp_path: Path
) -> None:
    base, out = Path(written(place, IDLE.replace("USD", "JPY"), "base")), tmp_path / "new.yaml"
    learnt = place.json("learn", *on(strong[0]), "--base", str(base), "--out", str(out))["proof"]
    tried = place.json("profile", "backtest", str(out), *on(strong[0]))
    assert "currency: JPY" in out.read_text()
    for what in ("comparisons", "suspected", "backtest", "passed", "reasons"):
        assert learnt[what] == tried[what]


def test_what_was_set_aside_is_told_and_cases_are_counted_under_the_goal_of_the_profile(
    place: Place, tmp_path: Path
) -> None:
    found = told(3.0)
    joined = [replace(case, domain="acme-holding.com") if at < 4 else case for at, case in enumerate(found)]
    export = write_accounts(tmp_path / "groups.csv", joined)
    file = written(place, PROFILE + learned(time.time() - 500 * DAY, goal="best"))
    document = place.json("profile", "backtest", file, *on(export))
    assert "group" in document["set_aside"]
    assert (document["goal"], document["cohorts"]["goal"]) == ("best", "best")
    told_of = " ".join(place.run("profile", "backtest", file, *on(export)).stdout.split())
    assert document["set_aside"][1:] in told_of
    promoted = place.json("profile", "promote", file, *on(export), "--force")
    assert promoted["cohorts"]["goal"] == "best"


def test_a_fact_the_sale_may_have_caused_is_refused_until_somebody_vouches_for_it(
    place: Place, strong: tuple[Path, float], suspect: Path
) -> None:
    export = suspect
    asks = "  - {name: Owners, layer: firmographic, fact: ownership, any_of: [public], weight: 25}\n"
    file = written(place, PROFILE.replace("tiers:", f"{asks}tiers:") + learned(strong[1]))
    refused = place.run("profile", "promote", file, *on(export), code=3)
    assert "planted asks about what may come from the sale: 'ownership: " in refused.stderr
    assert "could the sale have caused this? Enough would be" in refused.stderr
    line = 'known_before = ["ownership"] under [connections.main.learning] in the settings'
    assert f"next: {line}; or repeat with --force" in refused.stderr
    document = place.json("profile", "backtest", file, *on(export))
    assert list(document["suspected"]) == ["ownership"]
    with place.config.open("a") as settings:
        settings.write("\n[connections.main.learning]\n")
        settings.write('known_before = ["ownership", "partner_of", "lifecycle"]\n')
    vouched = place.json("profile", "promote", file, *on(export))
    assert (vouched["passed"], vouched["suspected"]) == (True, {})
    notes = vouched["cohorts"]["notes"]
    assert "learning.known_before names partner_of, which is known of no account here" in notes
    assert any("names lifecycle, which follows the deal and is never learned from" in note for note in notes)


def test_what_became_of_customers_can_be_joined(
    place: Place, strong: tuple[Path, float], tmp_path: Path
) -> None:
    joined = tmp_path / "left.csv"
    ids = [case.id for case in told(3.0) if case.won and case.cohort is not Cohort.CHURNED][:20]
    joined.write_text("Record ID,Left on\n" + "".join(f"{one},2026-06-01\n" for one in ids))
    left = ["--join", str(joined), "--map", "Left on=churned_on"]
    file = written(place, PROFILE + learned(strong[1]))
    before, after = (
        place.json("profile", "backtest", file, *on(strong[0]), *more)["cohorts"]["cohorts"]["churned"]
        for more in ([], left)
    )
    assert after == (before or 0) + 20


def test_what_learn_wrote_is_known_again_without_its_entry(
    place: Place, strong: tuple[Path, float], tmp_path: Path
) -> None:
    place.json("profile", "activate", written(place, IDLE, "idle"))
    out = tmp_path / "new.yaml"
    place.run("learn", *on(strong[0]), "--out", str(out))
    assert audit(place)[-1]["what"] == "profile learned"
    assert place.json("profile", "check", str(out))["ok"] is True
    kept = [line for line in out.read_text().split("\n") if "expected: {" not in line]
    at = next(index for index, line in enumerate(kept) if line.startswith("learned: {"))
    bare = tmp_path / "bare.yaml"
    bare.write_text("\n".join([*kept[:at], *(line for line in kept[at + 1 :] if "goal: won" not in line)]))
    [said] = place.json("profile", "activate", str(bare))["resembling"]
    assert "the same questions as learned, which was learned and written on 20" in said
