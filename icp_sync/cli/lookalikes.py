"""`icp-sync lookalikes ID|DOMAIN`: the accounts most like one, and in what they are."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.grounds import Columns, Currency, Judges, On
from icp_sync.cli.options import Account, AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds
    from icp_sync.cli.rendering import Screen
    from icp_sync.cli.subjects import Subject
    from icp_sync.domain.evaluation import Evaluation
    from icp_sync.domain.likeness import Likeness
    from icp_sync.domain.profile import Profile

NAMED = 3
MANY = 20
"""Accounts that match the text and are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """One account beside the one asked about. alike, different: facts in words, with their values."""

    subject: Subject
    tier: str
    likeness: Likeness
    alike: tuple[str, ...]
    different: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.subject.id,
            "name": self.subject.name,
            "domain": self.subject.domain,
            "owner": self.subject.owner,
            "tier": self.tier,
            "likeness": round(self.likeness.score, 3),
            "comparable": round(self.likeness.comparable, 3),
            "facts": {name: round(score, 3) for name, score in self.likeness.facts},
            "alike": list(self.alike),
            "different": list(self.different),
        }


def register(app: typer.Typer) -> None:
    app.command()(lookalikes)


def lookalikes(
    account: Account,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many to name.")] = 20,
    profile: Judges = None,
    on: On = None,
    columns: Columns = None,
    currency: Currency = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """The accounts most like one, in what the profile asks about."""
    from icp_sync.cli.grounds import grounds
    from icp_sync.cli.rendering import Screen, document

    with grounds(on, config, connection, columns=columns, currency=currency) as here:
        profiles = here.profiles(profile)
        subject = one_subject(here, account)
        found = search(here, profiles, subject, limit)
        source = here.source
    if as_json:
        document(
            {
                "source": source,
                "account": {"id": subject.id, "name": subject.name, "domain": subject.domain},
                "lookalikes": [one.to_json() for one in found],
            }
        )
    else:
        show(Screen.here(), subject, found, source)


def one_subject(here: Grounds, text: str) -> Subject:
    """The account this id, domain, web address or whole name means.

    Raises ConfigError when there is none, or several.
    """
    if here.table is None:
        from icp_sync.cli.opening import one_account

        subject = here.account(one_account(here.journal, text))
        found = [subject] if subject else []
    else:
        found = _matching(here, text)
    if len(found) == 1:
        return found[0]
    where = f"account '{text[:80]}'"
    if not found:
        what = f"{here.source} holds no evaluated account with this id, domain or name"
        raise ConfigError([Problem(where=where, what=what)])
    listed = ", ".join(f"{s.where} {s.name}" for s in found[:MANY])
    what = f"{len(found)} accounts match: {listed}"
    raise ConfigError([Problem(where=where, what=what, hint="name one by its id")])


def _matching(here: Grounds, text: str) -> list[Subject]:
    """Rows with this id, else with this domain or whole name."""
    from icp_sync.normalize.domains import registrable

    exact, domain = text.strip(), registrable(text)
    name = exact.casefold()
    found = [
        s
        for s in here.accounts()
        if exact and (s.id == exact or s.name.casefold() == name or (domain and s.domain == domain))
    ]
    return [s for s in found if s.id == exact] or found


def search(here: Grounds, profiles: Sequence[Profile], subject: Subject, limit: int) -> list[Lookalike]:
    """The accounts most like `subject`, best first; none of its own domain, group or family.

    Compared by the profile that fits the subject best.
    """
    from icp_sync.domain.compile import compile_profile
    from icp_sync.domain.facts import FactType
    from icp_sync.domain.likeness import likeness, yardstick

    compiled, now = [compile_profile(p) for p in profiles], time.time()
    judged = here.evaluate(compiled, subject, now)
    dates = [name for name, kind in here.types.items() if kind is FactType.DATE]
    by = yardstick(judged.shown.profile, dates)

    def candidates() -> Iterator[tuple[float, int, Subject, Likeness]]:
        for at, other in enumerate(here.accounts()):
            if not _related(subject, other):
                alike = likeness(subject.facts, other.facts, by)
                if alike.rank > 0:
                    yield alike.rank, -at, other, alike

    best = heapq.nlargest(limit, candidates(), key=lambda c: c[:2])
    return [
        _lookalike(subject, other, alike, here.evaluate(compiled, other, now)) for _, _, other, alike in best
    ]


def _related(one: Subject, other: Subject) -> bool:
    """Whether the two are the same account, or belong to one domain, parent or group."""
    return (
        one.id == other.id
        or bool(one.domain and one.domain == other.domain)
        or bool(one.group and one.group == other.group)
        or one.parent == other.id
        or other.parent == one.id
        or bool(one.parent and one.parent == other.parent)
    )


def _lookalike(subject: Subject, other: Subject, alike: Likeness, evaluation: Evaluation) -> Lookalike:
    from icp_sync.domain.movement import standing
    from icp_sync.domain.words import fact_text

    return Lookalike(
        subject=other,
        tier=standing(evaluation),
        likeness=alike,
        alike=tuple(f"{fact_text(name)} {_value(name, other)}" for name in alike.alike),
        different=tuple(
            f"{fact_text(name)} {_value(name, other)}, not {_value(name, subject)}"
            for name in alike.different
        ),
    )


def _value(fact: str, subject: Subject) -> str:
    from icp_sync.domain.words import value_text

    return value_text(fact, subject.facts[fact])


def show(screen: Screen, subject: Subject, found: Sequence[Lookalike], source: str) -> None:
    """A table, then in what each is alike and different."""
    from icp_sync.reporting.text import short

    name = subject.name or subject.domain or subject.id
    if not found:
        screen.say(f"Nothing in {source} can be compared with {name}: too little is known of it.")
        return
    screen.say(f"Most like {name}, of the accounts in {source}:")
    rows = [
        (
            one.subject.id,
            short(one.subject.name, 24),
            short(one.subject.domain, 20),
            one.tier,
            f"{one.likeness.score:.0%}",
            f"{one.likeness.comparable:.0%}",
        )
        for one in found
    ]
    screen.table(["id", "name", "domain", "tier", "alike", "compared"], rows, right=(4, 5))
    screen.heading("In what")
    for one in found:
        parts = [f"alike: {'; '.join(one.alike[:NAMED])}"] if one.alike else []
        parts += [f"different: {'; '.join(one.different[:NAMED])}"] if one.different else []
        screen.say(f"{short(one.subject.name or one.subject.id, 40)}. {short('. '.join(parts), 240)}")
    screen.say()
    screen.say("compared: the share of the profile's weight that is known of both; the list counts both.")
