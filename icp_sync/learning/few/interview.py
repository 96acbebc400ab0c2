"""What to ask the best customers, and how their answers become facts: a CSV file to fill in, and the lines
of the settings that let the `csv` enricher read it.

The file is one row a customer and one column a question; each column's name begins with the fact that its
answers become. Knows the questions and the enricher's keys, and reads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TextIO

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.tables.writing import writer

FEWEST, MOST = 5, 10
"""Customers worth asking; with more, the answers repeat themselves."""
KEY = "domain"
FIRST = (KEY, "company")
"""The columns that say whose answers a row holds. `company` is for people and feeds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question. fact: what its answers become; several answers to a set are parted by semicolons."""

    fact: str
    layer: str
    type: FactType
    text: str

    @property
    def column(self) -> str:
        return f"{self.fact}: {self.text}"


QUESTIONS = (
    Asked(
        fact="pain",
        layer="pain",
        type=FactType.SET,
        text="In your own words, which problems did you want to be rid of? (a few words each; by ;)",
    ),
    Asked(
        fact="use_case",
        layer="pain",
        type=FactType.CHOICE,
        text="What do you use us for most? (a few words)",
    ),
    Asked(
        fact="reason_to_stay",
        layer="pain",
        type=FactType.SET,
        text="Why do you stay, what would you miss? (a few words each; by ;)",
    ),
    Asked(
        fact="buying_trigger",
        layer="behavioral",
        type=FactType.SET,
        text="What had happened when you began to look? (new round, new boss, audit, growth; by ;)",
    ),
    Asked(
        fact="alternatives",
        layer="buying",
        type=FactType.SET,
        text="What else did you consider, doing nothing included? (names; by ;)",
    ),
    Asked(
        fact="decided_by",
        layer="buying",
        type=FactType.CHOICE,
        text="Who decided in the end? (job title)",
    ),
    Asked(
        fact="people_in_decision",
        layer="buying",
        type=FactType.NUMBER,
        text="How many people had a say? (a number)",
    ),
    Asked(
        fact="cycle_days",
        layer="buying",
        type=FactType.NUMBER,
        text="How many days from the first talk to the signature? (a number)",
    ),
    Asked(
        fact="technologies",
        layer="technographic",
        type=FactType.SET,
        text="What else do you run that we work with? (product names; by ;)",
    ),
    Asked(
        fact="missing_tools",
        layer="technographic",
        type=FactType.SET,
        text="What did you not have yet, or replace? (product names; by ;)",
    ),
    Asked(
        fact="outbound_role",
        layer="operational",
        type=FactType.YES_NO,
        text="Does somebody sell by calling or writing first? (yes or no)",
    ),
    Asked(
        fact="team_size",
        layer="operational",
        type=FactType.NUMBER,
        text="How many people worked in the team that uses us when you signed? (a number)",
    ),
    Asked(
        fact="tries_new_tools",
        layer="psychographic",
        type=FactType.CHOICE,
        text="How early do you try new tools? (early, middle or late)",
    ),
    Asked(
        fact="sells_to",
        layer="firmographic",
        type=FactType.SET,
        text="To whom do you sell? (companies, consumers, public sector; by ;)",
    ),
)
"""Every layer of a profile in a conversation of half an hour."""


class Customer(NamedTuple):
    """Whom to ask. domain: registrable; who has none cannot be found again by the enricher."""

    domain: str
    name: str


def write(stream: TextIO, customers: Iterable[Customer]) -> None:
    """The file to fill in: a header, and a row a customer that has a domain."""
    rows = writer(stream, [*FIRST, *(asked.column for asked in QUESTIONS)])
    for customer in customers:
        if customer.domain:
            rows.row([customer.domain, customer.name, *[None] * len(QUESTIONS)])


def settings_lines(path: str, connection: str, *, declared: Sequence[str] = ()) -> str:
    """The lines of the settings file that make facts of the answers at `path`.

    declared: custom facts the connection has already, which may not be declared twice.
    """
    own = [asked for asked in QUESTIONS if asked.fact not in CATALOGUE and asked.fact not in declared]
    lines = [f"[connections.{_key(connection)}.custom_facts]"] if own else []
    lines += [f'{asked.fact} = "{asked.type}"' for asked in own]
    lines += [
        "",
        f"[[connections.{_key(connection)}.enrichers]]",
        'use = "csv"',
        'name = "interviews"',
        f"path = {_text(path)}",
        f'key = "{KEY}"',
        "",
        f"[connections.{_key(connection)}.enrichers.facts]",
    ]
    lines += [
        f'{_text(asked.column)} = {{ fact = "{asked.fact}", kind = "{asked.type}" }}' for asked in QUESTIONS
    ]
    return "\n".join(lines).lstrip("\n") + "\n"


def _key(name: str) -> str:
    """A bare TOML key where it can be one."""
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else _text(name)


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f")
