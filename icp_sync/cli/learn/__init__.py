"""`icp-sync learn`: a profile from what became of deals, or the answer that there is not enough evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName

if TYPE_CHECKING:
    from icp_sync.learning.cases import Book
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.learn import Wish

Accounts = Annotated[
    Path | None, typer.Option("--accounts", metavar="FILE.csv", help="An export of accounts, not the CRM.")
]
Deals = Annotated[
    Path | None, typer.Option("--deals", metavar="FILE.csv", help="An export of deals, beside --accounts.")
]
Join = Annotated[
    Path | None,
    typer.Option("--join", metavar="FILE.csv", help="Churn date, worth, renewals, NPS by id or domain."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FACT", help="What a column holds, or =ignore; repeatable."),
]
Currency = Annotated[
    str, typer.Option("--currency", metavar="CODE", help="Of amounts that do not say theirs, such as USD.")
]


def register(app: typer.Typer) -> None:
    app.command()(learn)


def learn(
    accounts: Accounts = None,
    deals: Deals = None,
    join: Join = None,
    columns: Columns = None,
    currency: Currency = "",
    goal: Annotated[
        str, typer.Option("--goal", metavar="won|best", help="Won and kept, or the best cohort.  [settings]")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="Learn from before, prove on since.  [at 70 %]")
    ] = "",
    capacity: Annotated[
        int | None, typer.Option("--capacity", min=1, metavar="N", help="Accounts of tier A you can carry.")
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="FILE", help="Whose scope, must-haves, flags and routes are kept."),
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Of the new profile.")] = "learned",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.yaml", help="Where the profile is written.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option("--scores", metavar="FILE.csv", help="Every later account as it was judged."),
    ] = None,
    describe: Annotated[
        bool, typer.Option("--describe", help="Few customers: their traits, and a draft as a hypothesis.")
    ] = False,
    best: Annotated[
        Path | None, typer.Option("--best", metavar="FILE.csv", help="With --describe: which customers.")
    ] = None,
    interview: Annotated[
        Path | None,
        typer.Option("--interview", metavar="FILE.csv", help="With --describe: questions to ask them."),
    ] = None,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Learn a profile from what became of deals, and prove it on later ones.

    Reads the CRM, or CSV exports without any. It may answer "not enough evidence".
    """
    from icp_sync.cli.learn.asked import Asked
    from icp_sync.cli.learn.sources import book_for, noted, standing

    asked = Asked(
        goal=goal,
        until=until,
        name=name,
        capacity=capacity,
        base=base,
        out=out,
        scores=scores,
        describe=describe,
        best=best,
        interview=interview,
        read=(accounts, deals, join),
    )
    asked.refuse_unfit()
    book, definitions = book_for(config, connection, accounts, deals, columns or (), currency, join=join)
    if describe:
        from icp_sync.cli.learn.describe import described

        described(
            book,
            definitions,
            best=best,
            interview=interview,
            out=out,
            name=name,
            connection=connection or "",
            as_json=as_json,
        )
        return
    active, text = standing(config, connection, offline=accounts is not None)
    wish = asked.wish(definitions.goal, active, text)
    _walk(book, replace(definitions, goal=wish.goal), wish, out=out, scores=scores, as_json=as_json)
    if out is not None:
        noted(out, config, connection)


def _walk(
    book: Book, definitions: Definitions, wish: Wish, *, out: Path | None, scores: Path | None, as_json: bool
) -> None:
    """Learn, write what was learned, and tell; exit 1 where there is not enough evidence."""
    from icp_sync.cli.learn import telling
    from icp_sync.cli.learn.asked import write
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.learning.learn import learn

    done = learn(book, wish)
    written = write(done, out, scores)
    if as_json:
        document(telling.to_json(book, definitions, done, written))
    else:
        telling.show(Screen.here(), book, definitions, done, written)
    if done.enough:
        raise typer.Exit(1)
