"""What marks the good ones, as a terminal shows it: points, flags, and what gets none and why."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from icp_sync.cli.learn.marking import show_marks
from icp_sync.cli.rendering import Screen
from icp_sync.domain.conditions import AnyOf, Between, Condition, NoneOf
from icp_sync.learning.card.exclusions import Exclusion
from icp_sync.learning.card.naming import name_of
from icp_sync.learning.card.scorecard import Scorecard, Step
from icp_sync.learning.cases import Cohort
from icp_sync.learning.marks.attributes import Attribute, Findings, Mark, Missing
from icp_sync.learning.marks.coded import Question

FIVE = ("BANKING", "DAIRY", "FARMING", "FISHERY", "RETAIL")


def mark(words: str, adjusted: float, *also: Cohort, when: Condition | None = None) -> Mark:
    asked = when or AnyOf(fact="industry", values=frozenset([words]))
    return Mark(
        question=Question(fact="industry", when=asked, words=words, answers=b""),
        hits=30, n=60, other_hits=10, other_n=90,
        rate=0.5, low=0.38, high=0.62, lift=1.9, odds=8.0,
        p=adjusted / 10, adjusted=adjusted, found=adjusted <= 0.1 and not also, also=also,
    )  # fmt: skip


def attribute(fact: str, *marks: Mark, found: bool = True) -> Attribute:
    missing = Missing(0.2, 0.3, 0.5, 0.9, False)
    return Attribute(
        fact=fact, p=0.001, adjusted=0.01 if found else 0.5, found=found, marks=marks,
        omnibus=None, trend=None, known=150, n=150, missing=missing,
    )  # fmt: skip


def findings(*attributes: Attribute) -> Findings:
    return Findings(n=150, good=40, base=40 / 150, attributes=attributes, tried=70, rate=0.1)


def shown(found: Findings, card: Scorecard | None, width: int = 100) -> str:
    stream = io.StringIO()
    show_marks(Screen(Console(file=stream, width=width, highlight=False)), found, card)
    return stream.getvalue()


def step(condition: Condition, unknown: float = 0.26) -> Step:
    return Step(
        condition=condition, name=name_of(condition), layer="firmographic", points=50, unknown=unknown
    )


def test_every_found_mark_of_an_anti_cohort_is_named_once_and_what_was_not_found_is_not() -> None:
    found = findings(
        attribute(
            "industry",
            mark("banking", 0.01, Cohort.CHURNED),
            mark("banking", 0.02, Cohort.CHURNED),
            mark("dairy", 0.05, Cohort.CHURNED),
            mark("retail", 0.03, Cohort.CHURNED, Cohort.LOST),
            mark("fishery", 0.2, Cohort.CHURNED),
            mark("farming", 0.01),
        ),
        attribute("country", mark("DE", 0.01, Cohort.CHURNED), found=False),
    )
    said = [line for line in shown(found, None).splitlines() if line.startswith("No points")]
    assert said == [
        "No points, as they mark the churned just as well: banking; dairy.",
        "No points, as they mark the churned and the lost just as well: retail.",
    ]


def test_what_got_points_is_not_said_to_have_none() -> None:
    large = Between(fact="employees", low=50.0)
    found = findings(attribute("employees", mark("employees at least 50", 0.01, Cohort.CHURNED, when=large)))
    assert "No points" in shown(found, Scorecard(steps=()))
    assert "No points" not in shown(found, Scorecard(steps=(step(large),)))


def test_an_unknown_answer_shows_the_points_it_gives() -> None:
    row = shown(findings(), Scorecard(steps=(step(AnyOf(fact="country", values=frozenset(["DE"]))),)))
    (line,) = [line for line in row.splitlines() if "Based in Germany" in line]
    assert line.split()[3:5] == ["50", "13"]


def test_a_name_that_hides_something_is_said_in_full_below_the_table() -> None:
    asked = AnyOf(fact="industry", values=frozenset(FIVE))
    assert "2 more" in name_of(asked)
    card = Scorecard(steps=(step(asked),))
    wide = shown(findings(), card, width=120)
    assert "Banking, dairy, farming, fishery or retail" in wide
    assert "more" not in wide
    narrow = shown(findings(), card, width=80)
    (line,) = [line for line in narrow.splitlines() if line.startswith("Banking")]
    assert "¹" in line
    assert "\n¹ Banking, dairy, farming, fishery or retail\n" in narrow


def test_must_haves_and_flags_say_what_they_do_to_how_many_and_how_many_of_these_were_good() -> None:
    out = Exclusion(
        condition=NoneOf(fact="country", values=frozenset(["DE"])), name="Not based in Germany",
        layer="firmographic", effect="exclude", n=61, known=150,
        hits=2, rate=0.03, low=0.01, high=0.11, base=0.27,
    )  # fmt: skip
    small = Between(fact="employees", high=10.0, high_open=True)
    within = AnyOf(fact="country", values=frozenset(["DE"]))
    card = Scorecard(
        steps=(),
        gates=(replace(out, condition=within, name=name_of(within), effect="gate"),),
        flags=(out, replace(out, condition=small, name=name_of(small), effect="cap", cap="C")),
    )
    rows = {line.split("  ")[0]: " ".join(line.split()) for line in shown(findings(), card).splitlines()}
    assert rows["without: Based in Germany"].endswith("Germany Not ICP · 61 3% 1%–11% 0.11")
    assert rows["flag: Not based in Germany"].endswith("Germany Not ICP · 61 3% 1%–11% 0.11")
    assert rows["flag: Under 10 employees"].endswith("employees C at most · 61 3% 1%–11% 0.11")
