"""A few of the best customers: what they share, a draft that admits what it is, and questions to ask them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from typer.testing import Result

from icp_sync.domain.conditions import facts_of
from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Interval, Members, choice, number, yes_no
from icp_sync.domain.profile import LAYERS
from icp_sync.enrichers import load
from icp_sync.errors import ConfigError
from icp_sync.learning.cases import Book, Case, Cohort
from icp_sync.learning.few.describe import best_of, describe, draft_text, once
from icp_sync.learning.few.interview import QUESTIONS, Customer, settings_lines, write
from icp_sync.learning.few.named import named
from icp_sync.ports import Hit, Miss, Request
from icp_sync.profile_file import parse
from icp_sync.settings import load as load_settings
from icp_sync.tables.reading import Table
from icp_sync.tables.writing import whole
from tests.cli.conftest import command
from tests.cli.test_learn import on_a_terminal

BEST = 14


def company(random: Random, best: bool) -> dict[str, FactValue]:
    """The best are mostly mid-sized and on HubSpot; their country is anybody's."""
    size = random.uniform(60, 400) if best and random.random() < 0.9 else random.lognormvariate(3.5, 2)
    tools = {"gmail", *(["hubspot"] if random.random() < (0.8 if best else 0.15) else [])}
    return {
        "employees": number(round(size) + 1),
        "technologies": Members(frozenset(tools), False),
        "country": choice(random.choice(["US", "DE", "GB", "FR"])),
        "industry": choice(random.choice(["COMPUTER_SOFTWARE", "RETAIL", "BANKING"])),
    }


def case(id: str, best: bool, facts: dict[str, FactValue], value: float | None) -> Case:
    return Case(
        id=id,
        name=f"Company {id}",
        domain=f"c{id}.example",
        facts=facts,
        begun=0.0,
        decided=1.0,
        won=best,
        cohort=Cohort.BEST if best else Cohort.LOST,
        value=value,
    )


def book(n: int = 600, seed: int = 3, **more: FactValue) -> Book:
    """The first fourteen of n companies are the best customers; `more` is known of them alone."""
    random = Random(seed)
    crowd, cases = {}, []
    for at in range(n):
        best, id = at < BEST, str(at)
        crowd[id] = {**company(random, best), "domain": choice(f"c{at}.example"), **(more if best else {})}
        if at < 100:
            cases.append(case(id, best, crowd[id], 1000.0 - at if best else None))
    return Book(cases=tuple(cases), crowd=crowd, types=CATALOGUE)


IDS = [str(at) for at in range(BEST)]


def test_what_the_best_share_comes_first_with_its_share_its_interval_and_the_base() -> None:
    found = describe(book(), IDS)
    assert found.said.startswith("14 companies: a hypothesis, unproven.")
    first = found.strongest(2)
    assert {trait.fact for trait in first} == {"employees", "technologies"}
    hubspot = next(trait for trait in found.traits if trait.words == "technologies: hubspot")
    assert hubspot.known == BEST
    assert hubspot.low < hubspot.share == hubspot.hits / BEST < hubspot.high
    assert 0.1 < hubspot.base < 0.2
    assert [trait.p for trait in found.traits] == sorted(trait.p for trait in found.traits)


def test_the_draft_has_equal_points_and_only_what_marks_them() -> None:
    draft = describe(book(seed=4), IDS).draft
    assert draft is not None
    assert sum(step.points for step in draft.steps) == 100
    assert max(s.points for s in draft.steps) - min(s.points for s in draft.steps) <= 1
    assert [step.layer for step in draft.steps] == ["firmographic", "technographic"]
    assert draft.steps[1].name == "Runs HubSpot"


def test_the_draft_reads_back_as_a_profile_that_says_it_is_a_hypothesis() -> None:
    shown = replace(book(seed=4), left_out={"lifecycle": "the stage follows the deal"})
    text = draft_text(describe(shown, IDS), shown, name="a-few")
    profile = parse(text, "a-few.yaml")
    assert profile.learned is not None
    assert (profile.learned.hypothesis, profile.learned.cases) == (True, BEST)
    assert [criterion.name for criterion in profile.criteria] == ["50 employees or more", "Runs HubSpot"]
    assert sum(criterion.weight for criterion in profile.criteria) == 100
    assert "# 10 of the 14 of them we know it of (71%, may be" in text
    assert "the stage follows the deal" in text


def test_where_nothing_marks_them_nothing_is_drafted() -> None:
    shown = book(seed=5)
    assert draft_text(describe(shown, [str(at) for at in range(100, 114)]), shown, name="a-few") == ""


def test_companies_like_all_others_give_no_draft() -> None:
    alike = [str(at) for at in range(100, 100 + BEST)]
    assert describe(book(seed=5), alike).draft is None


def test_what_comes_with_being_a_customer_is_named_and_kept_out_of_the_draft() -> None:
    shown = book(keywords=Members(frozenset(["ours"]), False), residency=yes_no(True), news=choice("won"))
    found = describe(shown, IDS)
    assert any("news" in note for note in found.notes)
    assert all(trait.doubt for trait in found.traits if trait.fact == "news")
    assert found.draft is not None
    assert "news" not in {fact for step in found.draft.steps for fact in facts_of(step.condition)}


def test_our_own_product_among_the_technologies_does_not_hide_the_others() -> None:
    shown = book()
    crowd = {
        id: {**facts, "technologies": Members(tools.known | {"ours"}, False)}
        if id in IDS and isinstance(tools := facts["technologies"], Members)
        else facts
        for id, facts in shown.crowd.items()
    }
    found = describe(replace(shown, crowd=crowd), IDS)
    doubts = {trait.words: bool(trait.doubt) for trait in found.traits if trait.fact == "technologies"}
    assert doubts["technologies: ours"]
    assert not doubts["technologies: hubspot"]
    assert found.draft is not None
    assert "Runs HubSpot" in [step.name for step in found.draft.steps]


def test_a_trait_that_lost_companies_share_as_well_names_them() -> None:
    shared = book()
    lost = {case.id for case in shared.cases if case.cohort is Cohort.LOST}
    crowd = {
        id: {**facts, "ownership": choice("private" if id in lost or id in IDS else "public")}
        for id, facts in shared.crowd.items()
    }
    found = describe(Book(cases=shared.cases, crowd=crowd, types=CATALOGUE), IDS)
    private = next(trait for trait in found.traits if trait.words == "ownership: private")
    assert private.also == (Cohort.LOST,)
    assert not private.marks


def test_the_best_are_those_worth_most_who_have_not_left() -> None:
    known = book()
    assert best_of(known, 3) == ["0", "1", "2"]
    left = replace(known.cases[0], cohort=Cohort.CHURNED)
    assert best_of(replace(known, cases=(left, *known.cases[1:])), 2) == ["1", "2"]


@pytest.mark.parametrize(
    "text",
    [
        "Company Domain Name\nc1.example\nhttps://www.c2.example/about\nnobody.example\n",
        "c1.example\nc2.example\nnobody.example\n",
        "Customer\nCompany 1\nc2.example\nWho?\n",
        "Record ID,Company name\n1,Company 7\n,Company 2\n,Nobody\n",
    ],
)
def test_a_list_of_customers_may_be_ids_domains_or_names_with_or_without_a_header(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "best.csv"
    path.write_text(text)
    ids, notes = named(path, book())
    assert ids == ["1", "2"]
    assert "1 row means no account" in notes[0]


def test_a_list_that_names_nobody_says_whom_it_named(tmp_path: Path) -> None:
    path = tmp_path / "best.csv"
    path.write_text("domain\nother.example\n")
    with pytest.raises(ConfigError, match=r"names none of the 600 accounts: 'other\.example'"):
        named(path, book())


ANSWERS = {
    "pain": ("Manual work; late reports", Members(frozenset(["manual work", "late reports"]), False)),
    "decided_by": ("VP Sales", choice("vp sales")),
    "people_in_decision": ("4", number(4)),
    "cycle_days": ("45", number(45)),
    "technologies": ("HubSpot;Slack", Members(frozenset(["hubspot", "slack"]), False)),
    "outbound_role": ("yes", yes_no(True)),
    "alternatives": ("doing nothing", Members(frozenset(["doing nothing"]), False)),
}


def test_answers_filled_in_become_facts_through_the_csv_enricher(tmp_path: Path) -> None:
    path = tmp_path / "interviews.csv"
    with whole(path) as stream:
        write(
            stream,
            [Customer("acme.example", "Acme, Inc."), Customer("", "No domain"), Customer("b.example", "B")],
        )
    table = Table(path)
    (_, cells, _), (_, other, _) = list(table)
    assert (cells[:2], other[:2]) == (["acme.example", "Acme, Inc."], ["b.example", "B"])
    filled = dict(zip(table.header, cells, strict=True))
    for question in QUESTIONS:
        filled[question.column] = ANSWERS[question.fact][0] if question.fact in ANSWERS else ""
    with whole(path) as stream:
        stream.write(",".join(f'"{name}"' for name in table.header) + "\n")
        stream.write(",".join(f'"{cell}"' for cell in filled.values()) + "\n")
    settings = tomllib.loads(settings_lines(str(path), "eu-west.main"))["connections"]["eu-west.main"]
    (enricher,) = load(settings["enrichers"])
    hit, miss = enricher.answer(
        [Request(account_id="1", domain="acme.example"), Request(account_id="2", domain="other.example")]
    )
    assert isinstance(hit, Hit)
    assert isinstance(miss, Miss)
    assert {s.fact: s.value for s in hit.signals} == {fact: value for fact, (_, value) in ANSWERS.items()}
    assert dict(hit.unread) == {}
    types = {**CATALOGUE, **settings["custom_facts"]}
    assert {s.fact for s in hit.signals} <= types.keys()


def test_the_lines_for_the_settings_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "interviews.csv"
    with whole(path) as stream:
        write(stream, [Customer("acme.example", "Acme")])
    config = tmp_path / "icp-sync.toml"
    own = f'[connections.main]\ntoken = "a-token"\nprofiles = ["{tmp_path}/a.yaml"]\n\n'
    config.write_text(own + settings_lines(str(path), "main"))
    _, connection = load_settings(config).connection("main")
    assert connection.custom_facts["pain"] is FactType.SET
    (enricher,) = load(connection.enrichers)
    assert enricher.facts == {question.fact for question in QUESTIONS}


def test_the_questions_cover_every_layer_and_each_declares_its_fact_once() -> None:
    assert {question.layer for question in QUESTIONS} == set(LAYERS)
    assert len({question.fact for question in QUESTIONS}) == len(QUESTIONS)
    lines = settings_lines("a.csv", "main", declared=["pain"])
    declared = tomllib.loads(lines)["connections"]["main"]["custom_facts"]
    assert "pain" not in declared
    assert "technologies" not in declared
    assert declared["cycle_days"] == "number"


def test_a_path_with_quotes_and_backslashes_stays_one_path() -> None:
    path = 'C:\\new\\"best".csv'
    assert tomllib.loads(settings_lines(path, "main"))["connections"]["main"]["enrichers"][0]["path"] == path


def test_of_a_group_of_companies_one_is_described_and_the_rest_are_none_of_the_others() -> None:
    whole = book()
    grouped = replace(
        whole, cases=tuple(replace(one, group="9" if one.id in IDS[:5] else "") for one in whole.cases)
    )
    found, said = once(grouped)
    assert said.startswith("5 cases are of groups of companies")  # the account above is one of them
    assert best_of(found) == ["0", "5", "6", "7", "8", "10", "11", "12", "13"]
    assert describe(found, best_of(found)).base == 600 - BEST
    assert once(whole) == (whole, "")


def test_the_command_counts_a_group_once_and_says_so(tmp_path: Path) -> None:
    path = export(tmp_path)
    head, *rows = path.read_text().splitlines()
    owned = [f"{row},{'Holding' if row.split(',')[0] in IDS[:4] else 'n/a'}" for row in rows]
    path.write_text("\n".join([f"{head},Parent Account", *owned]) + "\n")
    told = run("--accounts", str(path), "--describe", "--json")
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert document["best"] == ["0", *IDS[4:]]
    assert document["others"] == 600 - BEST
    assert document["cohorts"]["accounts"] == 600
    assert any("the largest is 'Holding', with 4 cases" in note for note in document["notes"])


def export(folder: Path, seed: int = 4) -> Path:
    """The book as a CSV export that says what became of its companies."""
    lines = [
        "Record ID,Company name,Company Domain Name,Number of Employees,Web Technologies,Outcome,Close Date"
    ]
    for id, facts in book(seed=seed).crowd.items():
        size, tools = facts["employees"], facts["technologies"]
        assert isinstance(size, Interval)
        assert isinstance(tools, Members)
        outcome = "won" if id in IDS else "lost" if int(id) < 100 else ""
        named = f"{id},Company {id},c{id}.example,{size.low:.0f},{';'.join(sorted(tools.known))}"
        lines.append(f"{named},{outcome},{'2026-03-05' if outcome else ''}")
    path = folder / "accounts.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_describes_drafts_and_asks_without_a_crm(tmp_path: Path) -> None:
    typed = [sys.executable, "-m", "icp_sync", "learn", "--accounts", str(export(tmp_path)), "--describe"]
    typed += ["--name", "a-few", "--out", "draft.yaml", "--interview", "ask.csv"]
    done = subprocess.run(typed, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "14 companies: a hypothesis, unproven." in done.stdout
    assert "technologies: hubspot" in done.stdout
    assert "[connections.main.custom_facts]" in done.stdout
    profile = parse((tmp_path / "draft.yaml").read_text(), "draft.yaml")
    assert profile.learned is not None
    assert profile.learned.hypothesis
    assert len(list(Table(tmp_path / "ask.csv"))) == 10
    assert "It has a row for 10 customers, the best 10: with more, answers repeat themselves." in done.stdout
    assert "Every criterion has as many points on purpose" in done.stdout
    assert "every criterion has as many points on purpose" in " ".join(
        line.lstrip("# ") for line in (tmp_path / "draft.yaml").read_text().splitlines()
    )


def test_the_settings_of_an_interview_can_be_copied_from_a_narrow_terminal(tmp_path: Path) -> None:
    lines = on_a_terminal(
        tmp_path, 80, "--accounts", str(export(tmp_path)), "--describe", "--interview", "ask.csv"
    )
    begin = lines.index("[connections.main.custom_facts]")
    copied = tomllib.loads("\n".join(lines[begin:]))["connections"]["main"]
    assert copied["enrichers"][0]["path"] == "ask.csv"
    assert len(copied["enrichers"][0]["facts"]) == len(QUESTIONS)


def test_who_is_described_is_counted_and_where_nothing_is_drafted_nothing_is_said_to_be_written(
    tmp_path: Path,
) -> None:
    accounts = export(tmp_path)
    said = run("--accounts", str(accounts), "--describe").output
    assert re.search(r"- described are (\d+ of the cohort '[^']+' and )?\d+ .*, all there are; --best", said)
    alike = tmp_path / "best.csv"
    alike.write_text("\n".join(f"c{id}.example" for id in range(100, 114)) + "\n")
    out = tmp_path / "draft.yaml"
    named_too = run("--accounts", str(accounts), "--describe", "--best", str(alike), "--out", str(out)).output
    assert f"described are the 14 customers that {alike} names" in named_too
    assert f"Not written: {out}, as there is no draft." in named_too
    assert not out.exists()


def run(*arguments: str) -> Result:
    return command("learn", *arguments)


def test_the_command_describes_named_customers_as_one_document(tmp_path: Path) -> None:
    (tmp_path / "best.csv").write_text("\n".join(f"c{id}.example" for id in IDS[:8]) + "\n")
    told = run(
        "--accounts", str(export(tmp_path)), "--describe", "--best", str(tmp_path / "best.csv"), "--json"
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert document["best"] == IDS[:8]
    assert document["hypothesis"] is True
    assert document["cohorts"]["accounts"] == 600
    assert document["traits"][0]["low"] <= document["traits"][0]["share"] <= document["traits"][0]["high"]


def test_too_few_customers_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "best.csv").write_text("c1.example\n")
    told = run("--accounts", str(export(tmp_path)), "--describe", "--best", str(tmp_path / "best.csv"))
    assert told.exit_code == 2
    assert "names 1 customer to describe, and 5 are the fewest" in told.output
    assert "--best FILE.csv" in told.output


def test_answers_somebody_filled_in_are_never_written_over(tmp_path: Path) -> None:
    answers = tmp_path / "ask.csv"
    answers.write_text("somebody's answers")
    told = run("--accounts", str(export(tmp_path)), "--describe", "--interview", str(answers))
    assert told.exit_code == 2
    assert "perhaps with answers" in told.output
    assert answers.read_text() == "somebody's answers"
