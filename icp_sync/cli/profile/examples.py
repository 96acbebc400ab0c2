"""`icp-sync profile test`: the profile's own examples, each judged on what is known of that company."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.grounds import Columns, Currency, On
from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.cli.profile.diff import AsMarkdown
from icp_sync.reporting.examples import AMBIGUOUS, FAILED, MISSING, PASSED, Tried, judge

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen


def register(family: typer.Typer) -> None:
    family.command("test")(try_examples)


def try_examples(
    files: Files = None,
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="An example nobody knows the company of only counts.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
    markdown: AsMarkdown = False,
) -> None:
    """Judge the profile's examples: does each company get the tier you expect?

    Exits 1 when one does not.
    """
    from icp_sync.cli.grounds import grounds
    from icp_sync.cli.rendering import Screen, document, note

    with grounds(on, config, connection, columns=columns, currency=currency) as here:
        profiles = here.profiles(files)
        tried = judge(profiles, here.of_domains({d for p in profiles for d in p.examples}), time.time())
        here.tell()
        source = here.source
    if not tried:
        note("warning: there are no examples; give the profile some, such as `examples: {acme.com: A}`")
    bad = [t for t in tried if t.result != PASSED and not (allow_missing and t.result == MISSING)]
    if as_json:
        counts = {r: sum(t.result == r for t in tried) for r in (PASSED, FAILED, MISSING, AMBIGUOUS)}
        document({"source": source, "ok": not bad, **counts, "examples": [t.to_json() for t in tried]})
    elif markdown:
        print(to_markdown(tried, ok=not bad))
    else:
        show(Screen.here(), tried, source)
    if bad:
        raise typer.Exit(1)


def show(screen: Screen, tried: Sequence[Tried], source: str) -> None:
    """The examples for people: a table, then every one that is not as expected."""
    from icp_sync.reporting.text import short

    if tried:
        rows = [(t.result, short(t.domain, 30), t.expected, short(t.got, 32)) for t in tried]
        screen.table(["result", "domain", "expected", "is"], rows)
    for t in tried:
        if t.why:
            screen.heading(f"{t.domain}: expected {t.expected}" + (f", is {t.got}" if t.got else ""))
            for reason in t.why:
                screen.say(f"  {reason}")
    if tried:
        screen.say()
    screen.say(f"{_counted(tried)}, judged by {source}." if tried else "There are no examples to judge.")


def _counted(tried: Sequence[Tried]) -> str:
    from icp_sync.reporting.text import counted

    passed = sum(t.result == PASSED for t in tried)
    said = [f"{counted(len(tried), 'example')}: {passed:,} as expected"]
    for result, words in ((FAILED, "not"), (AMBIGUOUS, "ambiguous"), (MISSING, "not found")):
        if n := sum(t.result == result for t in tried):
            said.append(f"{n:,} {words}")
    return ", ".join(said)


def to_markdown(tried: Sequence[Tried], *, ok: bool) -> str:
    """The examples as a section of a comment."""
    from icp_sync.cli.profile import markdown

    said = f"{_counted(tried)}." if tried else "The profile has no examples."
    parts = [f"### Profile test: {'passed' if ok else 'failed'}", said]
    rows = [(t.result, t.domain, t.expected, t.got, "; ".join(t.why)) for t in tried if t.result != PASSED]
    if rows:
        parts.append(markdown.table(["result", "domain", "expected", "is", "why"], rows))
    passed = [(t.domain, t.got) for t in tried if t.result == PASSED]
    if passed:
        body = markdown.table(["domain", "is"], passed)
        parts.append(markdown.folded(f"{len(passed):,} as expected", body))
    return "\n\n".join(parts) + "\n"
