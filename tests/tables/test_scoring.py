"""A scored row says exactly what the engine says of its facts, in whatever order the rows come."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain import reasons as texts
from icp_sync.domain import words
from icp_sync.domain.choosing import Team
from icp_sync.domain.compile import Compiled, compile_profile
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.facts import FactValue, choice
from icp_sync.domain.profile import NamedList, Profile, Route, Target
from icp_sync.domain.routing import Held, decide
from icp_sync.profile_file import load_all
from icp_sync.tables import scoring
from icp_sync.tables.cells import Cells
from icp_sync.tables.columns import columns_of
from icp_sync.tables.reading import Table
from icp_sync.tables.scored_file import score_file
from icp_sync.tables.scoring import HEADER, OUT_OF_SCOPE, Scorer
from icp_sync.tables.writing import writer
from tests.bench import export
from tests.domain.cases import BY_FACT, NOW, facts, mostly_known, profiles, some_facts

Row = dict[str, FactValue]
PROFILES = Path(__file__).parents[2] / "config" / "profiles"
TOLD = (*BY_FACT, "population", "domain")

populations = st.sampled_from(["prospect", "customer", "person"]).map(choice)
rows = st.builds(
    lambda known, population: known | ({"population": population} if population else {}),
    st.one_of(some_facts(), mostly_known()),
    st.one_of(st.none(), populations),
)


def said(compiled: list[Compiled], known: Row, account_id: str = "") -> list[str]:
    """The cells of one row by the engine alone."""
    evaluation = evaluate(compiled, known, None, NOW)
    if not evaluation.in_scope:
        return ["", "", "", "", "", "", OUT_OF_SCOPE, "", "none"]
    return [
        evaluation.tier,
        str(evaluation.score),
        str(evaluation.low),
        str(evaluation.high),
        evaluation.certainty,
        "; ".join(sorted(flag.name for flag in evaluation.shown.flags_true)),
        texts.reasons(evaluation, known, apart=" "),
        words.missing_text(evaluation, known),
        decide(account_id, evaluation, known, held=Held(), team=Team(), now=NOW).lane,
    ]


def scored(compiled: list[Compiled], several: list[Row], told: tuple[str, ...] = TOLD) -> list[list[str]]:
    stream = StringIO(newline="")
    lines = writer(stream, HEADER)
    scorer = Scorer(compiled, NOW, told, lines)
    for known in several:
        lines.line(scorer.line("", known))
    tally = scorer.finish()
    assert tally.rows == len(several)
    return list(csv.reader(StringIO(stream.getvalue(), newline="")))[1:]


@settings(max_examples=60)
@given(
    st.lists(profiles(), min_size=1, max_size=2),
    st.lists(rows, min_size=1, max_size=8),
    st.integers(1, 3),
)
def test_every_cell_is_the_engines_own(made: list[Profile], several: list[Row], remembered: int) -> None:
    compiled = [compile_profile(replace(p, name=f"p{i}")) for i, p in enumerate(made)]
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("_REMEMBERED", "_PARTS", "_HEADS"):
            patch.setattr(scoring, limit, remembered)  # so that everything is forgotten and made again
        found = scored(compiled, several + several[::-1])
    assert found == [said(compiled, known) for known in several + several[::-1]]


def test_rows_that_answer_alike_still_quote_their_own_facts() -> None:
    compiled = [compile_profile(one.profile) for one in load_all([PROFILES / "b2b-saas-mid-market.yaml"])]
    several = [facts(employees=n, technologies={"hubspot"}) for n in (3, 4, 3, 9)]
    found = scored(compiled, several, ("employees", "technologies"))
    assert found == [said(compiled, known) for known in several]
    assert ["4 employees, under 50" in cells[6] for cells in found] == [False, True, False, False]


def test_a_route_by_name_or_list_is_asked_for_every_row() -> None:
    compiled = []
    for one in load_all([PROFILES / "b2b-saas-mid-market.yaml"]):
        named = NamedList(name="ours", owners={"acme.com": "ada@example.com"})
        listed = Route(
            target=Target(lane="success", named="ours"),
            tiers=("A", "B", "C", "D", "Needs data", "Not ICP"),
            even_if_provisional=True,
        )
        compiled.append(compile_profile(replace(one.profile, named={"ours": named}, routes=(listed,))))
    several = [facts(domain="acme.com"), facts(domain="beta.io"), facts(domain="acme.com")]
    found = scored(compiled, several)
    assert found == [said(compiled, known) for known in several]
    assert found[0][8] == found[2][8] != found[1][8]


def test_a_long_export_is_scored_as_the_engine_would_row_by_row(tmp_path: Path) -> None:
    table = Table(export.write(tmp_path / "export.csv", 2_000))
    columns = columns_of(table)
    compiled = [compile_profile(one.profile) for one in load_all([PROFILES / "b2b-saas-mid-market.yaml"])]
    stream = StringIO(newline="")
    done = score_file(table, columns, compiled, stream, currency="USD", types={}, now=NOW)
    header, *found = csv.reader(StringIO(stream.getvalue(), newline=""))
    assert header == [*table.header, *HEADER]
    cells_of = Cells(columns, currency="USD")
    tiers: Counter[str] = Counter()
    for (row, cells, _), line in zip(table, found, strict=True):
        known, _ = cells_of.read(row, cells)
        assert line == [*cells, *said(compiled, known)]
        tiers[line[len(cells)]] += 1
    assert done.tally.tiers == tiers
    assert done.tally.provisional == sum(line[-5] == "provisional" for line in found)


def test_our_columns_never_take_a_name_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "again.csv"
    path.write_text("domain,Employees,ICP tier,ICP lane (scored)\nacme.com,5,B,\n")
    compiled = [compile_profile(one.profile) for one in load_all([PROFILES / "listed-companies.yaml"])]
    table, stream = Table(path), StringIO(newline="")
    done = score_file(table, columns_of(table), compiled, stream, currency="", types={}, now=NOW)
    assert done.header[0] == "ICP tier (scored 2)"
    assert len(set(next(csv.reader(StringIO(stream.getvalue()))))) == 4 + len(HEADER)
