"""`icp-sync facts discover | check`: what the CRM's fields hold, and whether the facts map fits them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.facts.fields import Measured
    from icp_sync.cli.facts.proposals import Proposal
    from icp_sync.normalize.facts_map import FactSource
    from icp_sync.ports import CrmField
    from icp_sync.wiring import Wired

Sample = Annotated[
    int, typer.Option("--sample", min=1, max=10_000, metavar="N", help="Accounts whose values are looked at.")
]
Pattern = Annotated[
    str, typer.Option("--fields", metavar="PATTERN", help="Only fields whose name or label fits: *fund*.")
]
Source = Annotated[
    Path | None, typer.Argument(metavar="[FILE.csv]", help="Look at a file's columns, not at the CRM.")
]


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="facts",
        help="The CRM's fields as facts: discover, check.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    family.command("discover")(discover)
    family.command("check")(check)
    app.add_typer(family)


def discover(
    file: Source = None,
    fields: Pattern = "",
    sample: Sample = 500,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """List every field with its fill rate and what it feeds.

    Proposes a map for those that feed nothing and look like a known fact. With FILE.csv it needs neither
    settings nor a CRM.
    """
    from icp_sync.cli.facts.fields import of_file

    if file is not None:
        columns, rows, sources = of_file(file, sample)
        wanted = _wanted(columns, fields)
        _report(wanted, rows, _feeds(sources), sources, as_json=as_json, file=file)
        return
    from icp_sync.cli.opening import wired

    with wired(config, connection) as (_, parts):
        wanted = _wanted(parts.crm.fields(), fields)
        rows = list(parts.crm.sample([f.name for f in wanted if not f.archived], sample))
        _report(
            wanted, rows, _fed_here(parts), parts.facts_map.sources, as_json=as_json, connection=parts.name
        )


def _wanted(fields: Sequence[CrmField], pattern: str) -> list[CrmField]:
    """The fields that fit. Raises ConfigError when none does."""
    from icp_sync.cli.facts.fields import matching

    found = matching(fields, pattern) if pattern else list(fields)
    if not found:
        what = f"none of {len(fields):,} fields has this in its name or label"
        raise ConfigError([Problem(where=f"--fields '{pattern[:80]}'", what=what)])
    return found


def _feeds(sources: Iterable[FactSource]) -> dict[str, list[str]]:
    """Field → the facts it feeds."""
    found: dict[str, list[str]] = {}
    for source in sources:
        found.setdefault(source.property, []).append(source.fact)
    return found


def _fed_here(parts: Wired) -> dict[str, list[str]]:
    """Field → what it feeds on this connection, what we write ourselves among it."""
    found = _feeds(parts.facts_map.sources)
    for name, written in parts.settings.field_properties.items():
        found.setdefault(written, []).append(f"(our {name})")
    return found


def _report(
    fields: Sequence[CrmField],
    rows: Sequence[Mapping[str, str | None]],
    feeds: Mapping[str, Sequence[str]],
    sources: Sequence[FactSource],
    *,
    as_json: bool,
    connection: str = "",
    file: Path | None = None,
) -> None:
    from icp_sync.cli.facts.fields import measured
    from icp_sync.cli.facts.proposals import propose, ranks_of
    from icp_sync.cli.rendering import document

    found = measured(fields, rows)
    ranks = ranks_of(sources)
    unfed = [one for one in found if one.field.name not in feeds]
    proposals = {p.source.property: p for one in unfed if (p := propose(one, ranks)) is not None}
    if as_json:
        document(
            {
                "connection": connection,
                "file": str(file) if file else "",
                "sampled": len(rows),
                "fields": [_field_json(one, feeds, proposals) for one in found],
                "paste": _paste(proposals.values(), connection, file),
            }
        )
        return
    _show(found, feeds, proposals, len(rows), connection, file)


def _field_json(
    one: Measured, feeds: Mapping[str, Sequence[str]], proposals: Mapping[str, Proposal]
) -> dict[str, object]:
    field = one.field
    proposal = proposals.get(field.name)
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "kind": field.kind.value,
        "archived": field.archived,
        "may_be_read": one.there and not field.archived,
        "filled": one.filled,
        "examples": list(one.examples),
        "feeds": list(feeds.get(field.name, ())),
        "proposed": proposal.to_json() if proposal else None,
    }


def _show(
    found: Sequence[Measured],
    feeds: Mapping[str, Sequence[str]],
    proposals: Mapping[str, Proposal],
    sampled: int,
    connection: str,
    file: Path | None,
) -> None:
    from icp_sync.cli.rendering import Screen
    from icp_sync.reporting.text import counted

    screen = Screen.here()
    rows = []
    for one in sorted(found, key=lambda one: (one.field.archived, -(one.filled or 0.0), one.field.name)):
        proposal = proposals.get(one.field.name)
        told = ", ".join(feeds.get(one.field.name, ())) or (f"→ {proposal.source.fact}?" if proposal else "")
        rows.append((one.field.name, one.field.kind.value.replace("_", "/"), _filled(one), told, _holds(one)))
    screen.table(["field", "type", "filled", "feeds", "label: examples"], rows, right=(2,))
    fed = sum(one.field.name in feeds for one in found)
    screen.say()
    screen.say(
        f"{counted(len(found), 'field')}, {fed:,} fed, {counted(len(proposals), 'proposal')}; "
        f"fill rates over {counted(sampled, 'account')}."
    )
    if not sampled:
        screen.say("There was no account to look at: what is proposed goes by names and types alone.")
    if proposals:
        where = f"the columns of {file}" if file else "the facts map; paste what is right into the settings"
        screen.heading(f"Proposed for {where}")
        screen.say(_paste(proposals.values(), connection, file))


def _filled(one: Measured) -> str:
    if one.field.archived:
        return "archived"
    if not one.there:
        return "not readable"
    return "" if one.filled is None else f"{one.filled:.0%}"


def _holds(one: Measured) -> str:
    """ "Number of Employees: 51; 620"."""
    from icp_sync.reporting.text import short

    label = short(one.field.label, 30)
    examples = "; ".join(one.examples)
    return f"{label}: {examples}" if label and examples else label or examples


def _paste(proposals: Iterable[Proposal], connection: str, file: Path | None) -> str:
    """Ready to paste: lines of the settings, or options of a command that reads the file."""
    if file is None:
        return "\n\n".join(proposal.toml(connection) for proposal in proposals)
    maps = [f"--map {quote(f'{p.source.property}={p.source.fact}')}" for p in proposals]
    return " ".join(["icp-sync score", quote(str(file)), *maps]) if maps else ""


def check(
    sample: Sample = 500, config: Config = None, connection: ConnectionName = None, as_json: AsJson = False
) -> None:
    """Hold the facts map against the CRM.

    Fields that are missing, archived or of the wrong type, values that cannot be read, money without a
    currency, facts the profile asks for that nothing feeds. Exit code 2 when anything must be corrected.
    """
    from icp_sync.cli.check import show
    from icp_sync.cli.facts.checks import examined
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document

    with wired(config, connection) as (_, parts):
        found = examined(parts, sample)
    if as_json:
        document(found.to_json())
    else:
        show(Screen.here(), found)
    if found.exit_code:
        raise typer.Exit(found.exit_code)
