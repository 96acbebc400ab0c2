"""`icp-sync init`: a commented profile and settings of one's own, from three answers or flags."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from datetime import date

    from icp_sync.profile_file.feeding import Supply

CRMS: Mapping[str, str] = {"hubspot": "HubSpot", "salesforce": "Salesforce"}
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")  # what an environment variable can name
_LONGEST_NAME = 32
PROFILES = Path("config", "profiles")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to begin with. name: of the portal. folder: what `config/` is made in."""

    crm: str
    industry: str
    name: str
    currency: str
    folder: Path

    @property
    def profile(self) -> str:
        return f"{self.name}-{self.industry}"


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    crm: Annotated[
        str | None, typer.Option("--crm", metavar="hubspot|salesforce", help="The CRM you have.")
    ] = None,
    industry: Annotated[
        str | None,
        typer.Option(
            "--industry",
            metavar="NAME",
            help="Whom you sell to: saas, gtm, ecommerce, manufacturing, healthcare, logistics.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="A short name for the portal.  [main]")
    ] = None,
    connection: Annotated[
        str | None,
        typer.Option(
            "--connection", metavar="NAME", help="Add a portal of this name to the settings there are."
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            "--extends",
            metavar="PROFILE.yaml",
            help="With --connection: say only what differs from this one.",
        ),
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Of every amount.  [USD]")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="PATH", help="Where to make config/.  [here]")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; take what stands in brackets.")
    ] = False,
) -> None:
    """Begin: write a commented profile and settings, and say the next three commands.

    Asks what no option says. Overwrites nothing.
    """
    from datetime import UTC, datetime

    from icp_sync.cli.init.files import write_new

    _refuse_both(connection, name, base, industry)
    said = {"crm": crm, "industry": industry, "name": connection or name, "currency": currency}
    said["dir"] = (
        "." if folder is None and connection is not None else None if folder is None else str(folder)
    )
    if base is not None:
        said = {key: text for key, text in said.items() if key not in ("industry", "currency")}
    wish = _wish(said, ask=not yes and _terminal())
    today = datetime.now(UTC).date()
    if connection is not None:
        from icp_sync.cli.init import adding

        added = adding.added(wish, base, today)
        write_new(added)
        adding.show(wish, list(added))
        return
    files = written(wish, today)
    write_new({wish.folder / path: text for path, text in files.items()})
    _show(wish, list(files))


def _refuse_both(connection: str | None, name: str | None, base: Path | None, industry: str | None) -> None:
    problems = []
    if connection is not None and name is not None:
        problems.append(Problem(where="--name", what="--connection says the name already"))
    if base is not None and connection is None:
        problems.append(
            Problem(where="--extends", what="is for a further portal", hint="say --connection NAME")
        )
    if base is not None and industry is not None:
        problems.append(Problem(where="--industry", what="--extends says what the profile begins with"))
    if problems:
        raise ConfigError(problems, next_step="icp-sync init --help")


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _wish(said: Mapping[str, str | None], *, ask: bool) -> Wish:
    """The wish from options, questions and defaults; what has no key in `said` is not wished for.

    Raises ConfigError with every option that is wrong.
    """
    from icp_sync.profile_file.starters import STARTERS

    industries = {key: f"{starter.title}: {starter.about}" for key, starter in STARTERS.items()}
    questions: dict[str, tuple[str, str, Callable[[str], str]]] = {
        "crm": ("Which CRM do you have?", "", lambda text: _one_of(text, CRMS)),
        "industry": ("Whom do you sell to?", "", lambda text: _one_of(text, industries)),
        "name": ("A short name for the portal or org", "main", _portal_name),
        "currency": ("Currency of every amount", "USD", _code),
        "dir": ("Where to make the folder config", ".", str.strip),
    }
    menus = {"crm": CRMS, "industry": industries}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for key, (question, default, read) in questions.items():
        if key not in said:
            continue
        given = said[key]
        if given is None and ask:
            found[key] = _ask(question, default, read, menus.get(key, {}))
        elif given is None and not default:
            hint = f"one of {', '.join(menus[key])}"
            problems.append(Problem(where=f"--{key}", what="is missing, and nobody can be asked", hint=hint))
        else:
            try:
                found[key] = read(default if given is None else given)
            except ValueError as error:
                problems.append(Problem(where=f"--{key}", what=str(error)))
    if problems:
        raise ConfigError(problems, next_step="icp-sync init --help")
    return Wish(
        crm=found["crm"],
        industry=found.get("industry", ""),
        name=found["name"],
        currency=found.get("currency", ""),
        folder=Path(found["dir"]),
    )


def _ask(question: str, default: str, read: Callable[[str], str], menu: Mapping[str, str]) -> str:
    """Ask until the answer can be used; a number chooses from the menu."""
    from icp_sync.cli.rendering import Screen

    screen = Screen.here()
    screen.say(question if menu else "")
    for number, (key, text) in enumerate(menu.items(), start=1):
        screen.say(f"  {number}  {key:14}{text}")
    while True:
        try:
            answer = input("> " if menu else f"{question} [{default}]: ").strip()
        except EOFError:
            raise typer.Abort from None
        if menu and answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(menu):
            return list(menu)[int(answer) - 1]
        try:
            return read(answer or default)
        except ValueError as error:
            screen.say(f"{error}")


def _one_of(text: str, menu: Mapping[str, str]) -> str:
    word = text.strip().lower()
    if word not in menu:
        raise ValueError(f"'{text[:40]}' is none of {', '.join(menu)}")
    return word


def _portal_name(text: str) -> str:
    word = text.strip()
    if not _NAME.fullmatch(word) or len(word) > _LONGEST_NAME:
        raise ValueError(
            f"'{word[:40]}' is no name: lower-case letters and digits, joined by single underscores, "
            f"at most {_LONGEST_NAME}"
        )
    return word


def _code(text: str) -> str:
    word = text.strip().upper()
    if not _CURRENCY.fullmatch(word):
        raise ValueError(f"'{text[:40]}' is no currency: three letters, for example USD or EUR")
    return word


def written(wish: Wish, today: date) -> dict[Path, str]:
    """The files of a wish, by their path below its folder: the profile and settings."""
    from icp_sync.cli.init.files import settings_text

    path, text, lines = begun_profile(wish, today)
    return {
        path: text,
        Path("config", "icp-sync.toml"): settings_text(wish.crm, wish.name, path, lines, today),
    }


def begun_profile(wish: Wish, today: date) -> tuple[Path, str, list[list[str]]]:
    """A profile of the industry: its path below the folder, its text, and the lines of settings that a field
    of the portal's own could feed what is missing by."""
    from icp_sync.profile_file import parse
    from icp_sync.profile_file.feeding import lacking, mapping
    from icp_sync.profile_file.starters import STARTERS, begun

    supply = supply_of(wish.crm)
    path = PROFILES / f"{wish.profile}.yaml"
    text = begun(
        STARTERS[wish.industry],
        name=wish.profile,
        currency=wish.currency,
        supply=supply,
        connection=wish.name,
        today=today,
    )
    missing = lacking(parse(text, str(path)), set(supply.fields))
    own = [one.fact for one in missing if not supply.bringing((one.fact,))]
    return path, text, [mapping(fact, wish.name, currency=wish.currency, crm=supply.crm) for fact in own]


def supply_of(crm: str) -> Supply:
    """What can feed facts with this CRM: its standard fields, and the enrichers that are shipped."""
    from icp_sync.enrichers.contacts import Contacts
    from icp_sync.enrichers.public_companies import PublicCompanies
    from icp_sync.profile_file.feeding import Supply
    from icp_sync.wiring import DEFAULTS

    enrichers = {"contacts": Contacts.facts, "public_companies": PublicCompanies.facts}
    return Supply.of(CRMS[crm], DEFAULTS[crm].sources, enrichers)


def _show(wish: Wish, files: list[Path]) -> None:
    from icp_sync.cli.init.files import secret_of
    from icp_sync.cli.rendering import Screen
    from icp_sync.profile_file.starters import WRITTEN_FOR

    screen = Screen.here()
    profile = files[0]
    screen.say("Written:")
    for path in files:
        screen.say(f"  {wish.folder / path}")
    if wish.currency != WRITTEN_FOR:
        screen.say(
            f"The profile's amounts were set for {WRITTEN_FOR}: check each of them in {wish.currency}."
        )
    steps = [f"export {secret_of(wish.crm, wish.name)}", "icp-sync check", "icp-sync profile check"]
    if wish.crm == "salesforce":
        steps.insert(0, f"fill in my_domain and consumer_key in {files[1]}")
    here = "" if wish.folder == Path(".") else f", in {wish.folder}"
    screen.say()
    screen.say(f"Next{here}:")
    for step in steps:
        screen.say(f"  {step}")
    screen.say(f"\nOr try it on a CSV export first: icp-sync score export.csv --profile {profile}")
