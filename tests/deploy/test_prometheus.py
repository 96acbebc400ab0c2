"""Alert rules and dashboard: every expression is one, every metric is there, and everything is explained."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
from ruamel.yaml import YAML

from icp_sync.observe import registry
from icp_sync.settings.parts import duration

ROOT = Path(__file__).parents[2]
README = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
RULES = [
    rule
    for group in YAML(typ="safe").load((ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
BOARD = json.loads((ROOT / "deploy/grafana/icp-sync.json").read_text("utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


@cache
def metrics() -> dict[str, tuple[str, ...]]:
    """Every metric of the program as Prometheus names it, with its labels."""
    for file in (ROOT / "icp_sync").rglob("*.py"):
        if "registry=registry" in file.read_text(encoding="utf-8"):
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    found = {}
    for collector in registry._collector_to_names:
        for metric in collector.describe():
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            found[name] = tuple(getattr(collector, "_labelnames", ()))
    return found


def selectors(expr: Any) -> Iterator[promql.VectorSelector]:
    """Every metric an expression selects, with what it asks of its labels."""
    if isinstance(expr, promql.VectorSelector):
        yield expr
    elif isinstance(expr, promql.MatrixSelector):
        yield expr.vector_selector
    for name in ("lhs", "rhs", "expr", "param"):
        if (inner := getattr(expr, name, None)) is not None:
            yield from selectors(inner)
    for argument in getattr(expr, "args", ()) or ():
        yield from selectors(argument)


def expressions() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and the expression."""
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for shown in BOARD["annotations"]["list"]:
        yield shown["name"], shown["expr"]


@pytest.mark.parametrize(("where", "expr"), list(expressions()))
def test_every_expression_selects_metrics_that_are_there_by_labels_they_have(where: str, expr: str) -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    found = list(selectors(promql.parse(expr)))
    assert found, where
    for selector in found:
        if selector.name in recorded:
            continue
        name = selector.name
        if name not in metrics():
            name = _SUFFIX.sub("", name)
        assert name in metrics(), f"{where}: there is no metric {selector.name}"
        asked = {matcher.name for matcher in selector.matchers.matchers} - {"le"}
        assert asked <= set(metrics()[name]), f"{where}: {name} has no label {asked - set(metrics()[name])}"


def test_an_expression_that_is_none_would_be_found() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql.parse("sum by (")
    assert [s.name for s in selectors(promql.parse("rate(x_total[5m]) > 2 * sum by (a) (y)"))] == [
        "x_total",
        "y",
    ]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert duration(rule.get("for", "1s")) <= 7200
    told = rule["annotations"]
    assert set(told) == {"summary", "description", "runbook"}
    assert "Next: " in told["description"]
    assert told["runbook"] == f"deploy/README.md#{name.lower()}"
    paragraph = re.search(rf"^### {name}\n(.+?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert paragraph, f"deploy/README.md has no paragraph for {name}"
    assert len(paragraph[1]) > 80
    kept = set(re.findall(r"\$labels\.(\w+)", told["summary"] + told["description"]))
    assert kept <= labels_of(promql.parse(rule["expr"])), f"{name} names labels its expression does not keep"


def labels_of(expr: Any) -> set[str]:
    """The labels the outcome of an expression has, as far as our rules go."""
    if isinstance(expr, promql.AggregateExpr):
        return set(expr.modifier.labels) if expr.modifier else set()
    if isinstance(expr, promql.Call):
        return set() if expr.func.name == "absent" else set().union(*map(labels_of, expr.args))
    if isinstance(expr, promql.BinaryExpr):
        return labels_of(expr.lhs) | (labels_of(expr.rhs) if not labels_of(expr.lhs) else set())
    if isinstance(expr, promql.MatrixSelector):
        return labels_of(expr.vector_selector)
    if isinstance(expr, promql.VectorSelector):
        return set(metrics().get(expr.name, ("connection",)))
    inner = getattr(expr, "expr", None)
    return labels_of(inner) if inner is not None else set()


def test_no_paragraph_is_about_an_alert_that_is_not_there() -> None:
    section = README.partition("\n## What to do for each alert\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", section, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


def test_what_an_alert_says_to_type_exists() -> None:
    """Commands of alerts and of their paragraphs."""
    section = README.partition("\n## What to do for each alert\n")[2].partition("\n## ")[0]
    said = section + " ".join(rule["annotations"]["description"] for rule in ALERTS)
    shown = subprocess.run(
        [sys.executable, "-m", "icp_sync", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for command in set(re.findall(r"icp-sync ([a-z]+)", said)):
        assert re.search(rf"\b{command}\b", shown.stdout), f"there is no command {command}"


# The dashboard


def test_every_panel_has_a_unit_and_a_sentence_about_it() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in PANELS:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            by_itself = "build_info" in target["expr"] or "journal_bytes" in target["expr"]
            assert by_itself or 'connection=~"$connection"' in target["expr"], panel["title"]


def test_panels_do_not_lie_over_one_another_and_fit_the_width() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_it_can_be_imported_for_any_prometheus_and_any_connection() -> None:
    variables = {one["name"]: one for one in BOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["connection"]["includeAll"] is True
    asked = re.fullmatch(r"label_values\((\w+), connection\)", variables["connection"]["definition"])
    assert asked
    assert asked[1] in metrics()
    assert "id" not in BOARD, "an id would take the place of another dashboard"


# The documentation


def test_every_metric_is_documented_and_none_that_is_not_there() -> None:
    table = set(re.findall(r"^\| `(icp_sync_\w+)` \|", README, re.MULTILINE))
    assert table == set(metrics())


def test_every_alert_of_the_journal_is_documented() -> None:
    from icp_sync.daemon.portal import HALTED
    from icp_sync.daemon.streams import DOWN
    from icp_sync.journal import QUOTA_ALERT
    from icp_sync.learning.drift.watch import ALERT as DRIFT
    from icp_sync.sync.alarms import BUDGET, REFUSED, SEAL, WAITING
    from icp_sync.sync.cycle import MISSED_ALERT
    from icp_sync.sync.guarding import ABSENT, HELD
    from icp_sync.sync.waves import ALERT as BACKFILL

    for name in (HALTED, QUOTA_ALERT, REFUSED, SEAL, WAITING, MISSED_ALERT, BACKFILL):
        assert f"| `{name}` |" in README, name
    for prefix in (DOWN, DRIFT, BUDGET, ABSENT, HELD.partition("{")[0]):
        assert re.search(rf"^\| `{re.escape(prefix)}[A-Z]+` \|", README, re.MULTILINE), prefix
