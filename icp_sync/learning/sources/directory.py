"""Which account a row of another file means: by record id, else by registrable domain, else by exact name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from icp_sync.normalize.domains import registrable

NAMED = 3
_SEVERAL = re.compile(r"[;,|\s]+")
_SALESFORCE = re.compile(r"(?=.*[A-Za-z])([A-Za-z0-9]{15})[A-Za-z0-9]{3}")
_AS_NUMBER = re.compile(r"(\d+)\.0+")


_RUINED = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d+")
RUINED_HINT = (
    "a spreadsheet has cut its ids short: export again and leave the file as it is, or import it there with "
    "the column as text"
)


def ruined(text: str) -> bool:
    """Whether an id is what a spreadsheet makes of a long number: "3E+10"."""
    return bool(_RUINED.fullmatch(text))


class Named(Protocol):
    """An account as far as it can be recognised. domain: registrable, "" for none."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str: ...


@dataclass(slots=True)
class Unmatched:
    """Rows that mean no account, or several: how many, and the first few as they name it. ruined: one has an
    id that a spreadsheet cut short."""

    count: int = 0
    named: list[str] = field(default_factory=list)
    ruined: bool = False

    def add(self, ids: str, domain: str, name: str) -> None:
        self.count += 1
        self.ruined = self.ruined or ruined(ids)
        said = f"'{(name or domain or ids or 'nobody')[:40]}'"
        if len(self.named) < NAMED and said not in self.named:
            self.named.append(said)

    @property
    def listed(self) -> str:
        """ "'Acme', 'Initech' and 12 more"."""
        more = self.count - len(self.named)
        return ", ".join(self.named) + (f" and {more:,} more" if more else "")


class Directory:
    """Every account there is, found by what other files call it."""

    def __init__(self, accounts: Iterable[Named]) -> None:
        self._ids: dict[str, str] = {}
        self._domains: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = {}
        for account in accounts:
            self._ids.setdefault(_key(account.id), account.id)
            if account.domain:
                self._domains.setdefault(account.domain, set()).add(account.id)
            if account.name:
                self._names.setdefault(account.name.casefold(), set()).add(account.id)

    def find(self, ids: str, domain: str, name: str) -> str:
        """The id of the account that is meant, "" where there is none or more than one.

        ids: one record id or several, of which the first that is known counts. domain: any web address.
        """
        if ids:
            for each in (ids, *_SEVERAL.split(ids)):
                if found := self._ids.get(_key(each)):
                    return found
        by_domain = (self._domains, registrable(domain) if domain else "")
        for known, key in (by_domain, (self._names, name.casefold())):
            if key and len(meant := known.get(key, ())) == 1:
                return next(iter(meant))
        return ""


def _key(text: str) -> str:
    """One spelling of an id: Salesforce's 18 characters are its 15 and a check (Salesforce help, "Record
    IDs"); a spreadsheet writes 17 as 17.0."""
    if found := _SALESFORCE.fullmatch(text):
        return found[1]
    found = _AS_NUMBER.fullmatch(text)
    return found[1] if found else text
