"""`icp-sync profile diff A B`: who moves tier between two profiles, and what in them moves each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.grounds import ACTIVE, Columns, Currency, On
from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds
    from icp_sync.cli.profile.rehearsal import Rehearsal
    from icp_sync.cli.rendering import Screen
    from icp_sync.domain.profile import Profile

SIDE = "A profile file, several with commas between them, or 'active' for the journal's."

AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Markdown, for a pull request comment.")]


def register(family: typer.Typer) -> None:
    family.command("diff")(diff)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=SIDE)],
    after: Annotated[str, typer.Argument(metavar="B", help=SIDE)],
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many movers to name.")] = 20,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
    markdown: AsMarkdown = False,
) -> None:
    """Compare two profiles on the same accounts: who moves tier, and by what."""
    from icp_sync.cli.grounds import grounds, nothing_there
    from icp_sync.cli.profile.in_parts import compared
    from icp_sync.cli.rendering import Screen, document

    with grounds(on, config, connection, columns=columns, currency=currency) as here:
        version, old = _side(here, before)
        _, new = _side(here, after)
        result = compared(here, old, new, version=version, limit=limit)
        here.tell()
        if not result.accounts:
            raise nothing_there(here.source)
    if as_json:
        document(result.to_json())
    elif markdown:
        print(to_markdown(result))
    else:
        show(Screen.here(), result, before, after)


def _side(here: Grounds, text: str) -> tuple[int, tuple[Profile, ...]]:
    """The version it is active as (0 for files), and its profiles."""
    if text == ACTIVE:
        return here.active()
    files = [Path(part.strip()) for part in text.split(",") if part.strip()]
    if not files:
        raise ConfigError("a side of the comparison is empty", next_step="icp-sync profile diff --help")
    return 0, here.profiles(files)


def show(screen: Screen, result: Rehearsal, before: str, after: str) -> None:
    """The comparison for people."""
    from icp_sync.cli.profile.rehearsal import show_moves

    screen.say(f"{before} (now) and {after} (then), on {result.source}.")
    if not result.changes:
        screen.say("Nothing that decides a tier differs between them.")
    show_moves(screen, result)


def to_markdown(result: Rehearsal) -> str:
    """The comparison as a section of a comment."""
    from icp_sync.cli.profile import markdown
    from icp_sync.cli.profile.migration import matrix
    from icp_sync.reporting.text import counted, short

    names = ", ".join(dict.fromkeys((*result.before, *result.after)))
    parts = [f"### Profile diff: {markdown.text(names)}"]
    scope = f" {result.entering:,} come into scope, {result.leaving:,} leave it."
    parts.append(
        f"Of {counted(result.accounts, 'account')}, **{result.moved:,} would move**."
        + (scope if result.entering or result.leaving else "")
    )
    if not result.changes:
        return "\n\n".join([*parts, "Nothing that decides a tier differs."]) + "\n"
    heads, rows = matrix(result.moves)
    parts.append(markdown.table(heads, rows, right=range(1, len(heads))))
    if result.ranked():
        movers = [(name, up, down) for name, (up, down) in result.ranked()]
        parts.append(markdown.table(["moved by", "up", "down"], movers, right=(1, 2)))
    changes = "\n".join(f"- {markdown.text(short(change, 400))}" for change in result.changes)
    parts.append(markdown.folded(counted(len(result.changes), "difference"), changes))
    if result.examples:
        listed = [(e.id, short(e.name, 60), e.before, e.after, short(e.by, 200)) for e in result.examples]
        body = markdown.table(["id", "name", "now", "then", "by"], listed)
        parts.append(markdown.folded(f"{len(result.examples):,} of {result.moved:,} movers", body))
    return "\n\n".join(parts) + "\n"
