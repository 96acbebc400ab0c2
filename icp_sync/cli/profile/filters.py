"""`icp-sync profile filter`: the accounts a profile may fit, in English, HubSpot's filters, SOQL or SQL."""

from __future__ import annotations

import math
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.filtering_clauses import Statement, Written
    from icp_sync.domain.profile import Profile
    from icp_sync.normalize.facts_map import FactsMap
    from icp_sync.normalize.property_values import Ground, Shape


class Target(StrEnum):
    ENGLISH = "english"
    HUBSPOT = "hubspot"
    SOQL = "soql"
    SQL = "sql"


def register(family: typer.Typer) -> None:
    family.command("filter")(filter_)


def filter_(
    files: Files = None,
    to: Annotated[Target, typer.Option("--to", help="In which words.")] = Target.ENGLISH,
    table: Annotated[str, typer.Option("--table", metavar="NAME", help="The table, in SQL.")] = "accounts",
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME=FORM[:OPTION,…]",
            help="How the CRM stores a property: number, date, datetime, text, choice, choices or yes_no, "
            "and all its options; repeatable.",
        ),
    ] = None,
    currency: Annotated[
        str, typer.Option("--currency", metavar="CODE", help="The currency of the CRM's plain amounts.")
    ] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Say which accounts a profile may fit.

    In scope, no gate certainly unmet, no exclude flag certainly true; what does not fit is named.
    """
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.domain.filtering_clauses import assumptions, clauses_of, notes

    profiles, facts_map, elsewhere = _grounds(files, config, connection, to)
    now = math.floor(time.time())
    if to is Target.ENGLISH:
        said = {p.name: [clause.sentence for clause in clauses_of(p)] for p in profiles}
        if as_json:
            document({"to": to, "profiles": said})
        else:
            _show_english(Screen.here(), said)
        return
    ground = _ground(facts_map, elsewhere, field or [], _currency(currency), now, to)
    statements, written = _best(profiles, ground, to, table)
    remarks = [*notes(statements), *_remarks(profiles, to, now)]
    if as_json:
        document(_json(to, written, assumptions(statements), remarks))
    else:
        _show(Screen.here(), to, written, assumptions(statements), remarks)


def _grounds(
    files: list[Path] | None, config: Path | None, connection: str | None, to: Target
) -> tuple[list[Profile], FactsMap, dict[str, tuple[str, ...]]]:
    """Profiles, the facts map of the target's CRM, and which facts other sources feed too."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.cli.rendering import note
    from icp_sync.domain.facts import CATALOGUE
    from icp_sync.enrichers import load
    from icp_sync.normalize.salesforce_fields import COUNTED, everywhere
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import DEFAULTS, facts_of

    elsewhere: dict[str, tuple[str, ...]] = {}
    try:
        _, chosen = read_settings(config, offline=True, only=connection).connection(connection)
        crm, (facts_map, types) = chosen.crm, facts_of(chosen)
        for enricher in load(chosen.enrichers):
            for fact in sorted(enricher.facts):
                elsewhere[fact] = (*elsewhere.get(fact, ()), enricher.name)
        paths = files or list(chosen.profiles)
    except ConfigError as error:
        if not files or config is not None or connection is not None:
            raise
        if to is not Target.ENGLISH:
            note(f"no usable settings here ({error.problems[0].what}); taking the CRM's standard properties")
        crm, paths, types, facts_map = "hubspot", files, CATALOGUE, DEFAULTS["hubspot"]
    meant = {Target.HUBSPOT: "hubspot", Target.SOQL: "salesforce"}.get(to, crm)
    if meant != crm:  # the connection's own fields are another CRM's
        facts_map = DEFAULTS[meant]
    if meant == "salesforce":
        facts_map, elsewhere = everywhere(facts_map), {**COUNTED, **elsewhere}
    return [one.profile for one in load_all(paths, types=types)], facts_map, elsewhere


def _ground(
    facts_map: FactsMap,
    elsewhere: Mapping[str, tuple[str, ...]],
    fields: Sequence[str],
    currency: str,
    now: float,
    to: Target,
) -> Ground:
    from icp_sync.crm.hubspot.filters import SHAPES as HUBSPOT
    from icp_sync.crm.salesforce.filters import SHAPES as SALESFORCE
    from icp_sync.normalize.property_values import Ground

    shapes = dict(SALESFORCE if to is Target.SOQL else HUBSPOT) | _shapes(fields)
    return Ground(
        facts_map=facts_map,
        shapes=shapes,
        cased=to is Target.HUBSPOT,
        currency=currency,
        now=now,
        elsewhere=elsewhere,
        most=60 if to is Target.HUBSPOT else 2_000,
    )


def _shapes(fields: Sequence[str]) -> dict[str, Shape]:
    """The forms stated by `--field`. Raises ConfigError with every one that cannot be read."""
    from icp_sync.normalize.property_values import Form, Shape

    found: dict[str, Shape] = {}
    problems = []
    for given in fields:
        name, _, said = given.partition("=")
        form, _, listed = said.partition(":")
        options = tuple(filter(None, (option.strip() for option in listed.split(","))))
        if not name.strip() or form.strip() not in list(Form):
            what, hint = (
                "must be a property and its form",
                f"such as my_field=number; one of {', '.join(Form)}",
            )
            problems.append(Problem(where=f"--field '{given[:80]}'", what=what, hint=hint))
            continue
        found[name.strip()] = Shape(form=Form(form.strip()), options=options, complete=bool(options))
    if problems:
        raise ConfigError(problems)
    return found


def _currency(given: str) -> str:
    code = given.strip().upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise ConfigError(
            [Problem(where=f"--currency '{given[:20]}'", what="must be a code of three letters", hint="USD")]
        )
    return code


def _best(
    profiles: Sequence[Profile], ground: Ground, to: Target, table: str
) -> tuple[tuple[Statement, ...], Written]:
    """The filter that leaves out least; on a tie the one that takes less for granted."""
    from icp_sync.normalize.property_filters import statements_both_ways

    made = [(one, _written(one, ground, to, table)) for one in statements_both_ways(profiles, ground)]
    return min(made, key=lambda pair: len(pair[1].omitted))


def _written(statements: tuple[Statement, ...], ground: Ground, to: Target, table: str) -> Written:
    from icp_sync.crm.hubspot.filters import search_filter
    from icp_sync.crm.salesforce.filters import soql
    from icp_sync.domain.filtering_text import Sql, sql
    from icp_sync.normalize.property_values import Form

    if to is Target.HUBSPOT:
        return search_filter(statements, ground.shapes)
    if to is Target.SOQL:
        return soql(statements, ground.shapes)
    shapes = ground.shapes
    dates = {n: s.form is Form.DATE for n, s in shapes.items() if s.form in (Form.DATE, Form.DATETIME)}
    counted = frozenset(n for n, s in shapes.items() if s.counts)
    return sql(statements, Sql(dates, counted), table)


def _remarks(profiles: Sequence[Profile], to: Target, now: float) -> list[str]:
    """What to know before using it."""
    from icp_sync.domain.conditions import Within, leaves
    from icp_sync.domain.filtering_clauses import clauses_of
    from icp_sync.domain.standing import instant_text

    said = []
    whens = [clause.when for p in profiles for clause in clauses_of(p)]
    if any(isinstance(leaf, Within) for when in whens for leaf in leaves(when)):
        said.append(f"ages are counted back from {instant_text(now)}; make the filter anew to move them")
    if to is Target.SQL:
        said.append("columns hold numbers as numbers, instants as ISO 8601 text in UTC with milliseconds")
    return said


def _json(to: Target, written: Written, assumed: Sequence[str], remarks: Sequence[str]) -> dict[str, object]:
    import json

    return {
        "to": to,
        "filter": json.loads(written.text) if to is Target.HUBSPOT else written.text,
        "filters": written.filters,
        "exact": not written.omitted,
        "everybody": written.everybody,
        "nobody": written.nobody,
        "left_out": [
            {"profile": one.profile, "clause": one.clause, "reason": one.reason} for one in written.omitted
        ],
        "assumed": list(assumed),
        "notes": list(remarks),
    }


def _show_english(screen: Screen, said: Mapping[str, Sequence[str]]) -> None:
    for number, (name, sentences) in enumerate(said.items()):
        screen.say(f"{'or ' if number else ''}{name}")
        for sentence in sentences or ["Every account."]:
            screen.say(f"  {sentence}")


def _show(
    screen: Screen, to: Target, written: Written, assumed: Sequence[str], remarks: Sequence[str]
) -> None:
    from icp_sync.crm.hubspot.filters import clicked
    from icp_sync.reporting.text import counted

    screen.say(written.text)
    if to is Target.HUBSPOT and not written.everybody:
        screen.heading("By hand")
        for line in clicked(written.text):
            screen.say(line)
    screen.say()
    if written.everybody:
        screen.say("This is every account: nothing of the profile can be filtered by.")
    if written.nobody:
        screen.say("This is no account: the clauses contradict each other.")
    screen.say(f"{counted(written.filters, 'filter')}, {counted(len(written.omitted), 'clause')} left out.")
    if written.omitted:
        several = len({one.profile for one in written.omitted}) > 1
        for one in written.omitted:
            screen.say(f"left out: {f'{one.profile}, ' if several else ''}{one.clause} ({one.reason})")
    for assumption in assumed:
        screen.say(f"taken for granted: {assumption}")
    for remark in remarks:
        screen.say(f"note: {remark}")
