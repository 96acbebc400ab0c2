"""`icp-sync profile test`: the profile's own examples, each judged on what is known of that company."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.grounds import Columns, Currency, On
from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.cli.profile.diff import AsMarkdown

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.subjects import Subject
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.profile import Profile

PASSED, FAILED, MISSING, AMBIGUOUS = "pass", "FAIL", "not found", "ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One example. got: the evaluation in words; why: what stands between it and what was expected.

    accounts: id (and row) of every account with the domain.
    """

    domain: str
    profile: str
    expected: str
    result: str
    got: str = ""
    why: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "domain": self.domain,
            "profile": self.profile,
            "expected": self.expected,
            "result": self.result,
            "got": self.got,
            "why": list(self.why),
            "accounts": list(self.accounts),
        }


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


def judge(profiles: Sequence[Profile], accounts: Mapping[str, Sequence[Subject]], now: float) -> list[Tried]:
    """Every example of every profile under all of them. accounts: registrable domain → who has it."""
    from icp_sync.domain.compile import compile_profile

    compiled = [compile_profile(p) for p in profiles]
    return [
        _judge_one(domain, profile.name, expected, accounts.get(domain, ()), compiled, now)
        for profile in profiles
        for domain, expected in profile.examples.items()
    ]


def _judge_one(
    domain: str,
    profile: str,
    expected: str,
    found: Sequence[Subject],
    compiled: Sequence[Compiled],
    now: float,
) -> Tried:
    """One example. Companies that share a domain must all have the same tier, and are named anyway."""
    from icp_sync.domain.evaluation import evaluate
    from icp_sync.domain.expectation import obstacles, said_as
    from icp_sync.domain.movement import standing

    evaluations = [evaluate(compiled, subject.facts, None, now) for subject in found]
    tiers = {standing(e) for e in evaluations}
    names = tuple(subject.where for subject in found)
    why: tuple[str, ...] = ()
    several = (f"the domain is on {len(found)} accounts: {', '.join(names)}",) if len(found) > 1 else ()
    if not found:
        result, got, why = MISSING, "", ("no account has this domain",)
    elif len(tiers) > 1:
        got = ", ".join(f"{n}: {said_as(e)}" for n, e in zip(names, evaluations, strict=True))
        result, why = AMBIGUOUS, ("they differ, so the example says nothing",)
    else:
        got = said_as(evaluations[0])
        result = PASSED if tiers == {expected} else FAILED
        why = tuple(obstacles(evaluations[0], found[0].facts, expected))
    return Tried(
        domain=domain,
        profile=profile,
        expected=expected,
        result=result,
        got=got,
        why=several + why,
        accounts=names,
    )


def show(screen: Screen, tried: Sequence[Tried], source: str) -> None:
    """The examples for people: a table, then every one that is not as expected."""
    from icp_sync.cli.text import short

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
    from icp_sync.cli.text import counted

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
