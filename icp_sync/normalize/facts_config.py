"""Facts-map entries of a configuration file → fact sources, or every problem with them at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize.facts_map import FactSource
from icp_sync.normalize.kinds import FACT_TYPES, Kind

_KEYS = ("property", "fact", "kind", "currency", "rank", "separator", "values", "complete", "ignore")
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_HIGHEST_RANK = 999
_OWN_KINDS = {"country": Kind.COUNTRY, "industry": Kind.INDUSTRY, "domain": Kind.DOMAIN, "name": Kind.TEXT}
_KIND_OF = {
    FactType.NUMBER: Kind.NUMBER,
    FactType.MONEY: Kind.MONEY,
    FactType.DATE: Kind.DATE,
    FactType.CHOICE: Kind.CHOICE,
    FactType.SET: Kind.SET,
    FactType.YES_NO: Kind.YES_NO,
}


def kind_of(fact: str) -> Kind | None:
    """The kind a catalogue fact is read as unless an entry says otherwise; None for other facts."""
    return _OWN_KINDS.get(fact) or (_KIND_OF[CATALOGUE[fact]] if fact in CATALOGUE else None)


def sources(
    entries: Sequence[Mapping[str, object]], base: Sequence[FactSource], *, where: str = "facts"
) -> tuple[FactSource, ...]:
    """`base` after the entries. Raises ConfigError with every problem; `where` names the list in them."""
    problems: list[Problem] = []
    found: dict[tuple[str, str], FactSource] = {(s.property, s.fact): s for s in base}
    stated: set[tuple[str, str]] = set()
    for index, entry in enumerate(entries):
        reader = _Entry(entry, f"{where}[{index}]", problems)
        if reader.ignored():
            found = {key: s for key, s in found.items() if key[0] != entry.get("property") or key in stated}
            continue
        source = reader.source()
        if source is None:
            continue
        key = (source.property, source.fact)
        if key in stated:
            reader.wrong("property", f"'{source.property}' feeds '{source.fact}' twice", "keep one entry")
        stated.add(key)
        found[key] = source
    if problems:
        raise ConfigError(problems)
    return tuple(found.values())


class _Entry:
    """One entry being read; what is wrong with it lands in the shared list."""

    def __init__(self, entry: Mapping[str, object], where: str, problems: list[Problem]) -> None:
        self._entry = entry if isinstance(entry, Mapping) else {}
        self._where, self._problems = where, problems
        if not isinstance(entry, Mapping):
            problems.append(Problem(where=where, what="must be a table of keys"))
        for key in self._entry:
            if key not in _KEYS:
                self.wrong(str(key), "unknown key", suggestion(str(key), _KEYS))

    def wrong(self, key: str, what: str, hint: str = "") -> None:
        self._problems.append(Problem(where=f"{self._where}.{key}", what=what, hint=hint))

    def ignored(self) -> bool:
        flag = self._entry.get("ignore", False)
        if not isinstance(flag, bool):
            self.wrong("ignore", "must be true or false")
        return flag is True

    def source(self) -> FactSource | None:
        """The source, or None once something is wrong with it."""
        before = len(self._problems)
        name, fact = self._name("property"), self._fact()
        kind = self._kind(fact)
        source = FactSource(
            property=name,
            fact=fact,
            kind=kind,
            currency=self._currency(kind),
            rank=self._rank(),
            separator=self._separator(kind),
            values=self._values(),
            complete=self._complete(kind),
        )
        return source if len(self._problems) == before and self._entry else None

    def _name(self, key: str) -> str:
        value = self._entry.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if self._entry:
            self.wrong(key, "must be a name" if key in self._entry else "is missing")
        return ""

    def _fact(self) -> str:
        fact = self._name("fact")
        if fact and not _FACT_NAME.fullmatch(fact):
            self.wrong("fact", f"'{fact}' must be lower-case letters, digits and _")
        return fact

    def _kind(self, fact: str) -> Kind:
        own = kind_of(fact)
        stated = self._entry.get("kind")
        if stated is None:
            if own is None and fact:
                hint = suggestion(fact, CATALOGUE) or f"kind: one of {', '.join(Kind)}"
                self.wrong("kind", f"is missing: '{fact}' is not a fact we know", hint)
            return own or Kind.TEXT
        if not isinstance(stated, str) or stated not in list(Kind):
            self.wrong("kind", f"must be one of {', '.join(Kind)}", suggestion(str(stated), list(Kind)))
            return Kind.TEXT
        kind = Kind(stated)
        if fact in CATALOGUE and FACT_TYPES[kind] is not CATALOGUE[fact] and not _lifecycle(fact, kind):
            self.wrong("kind", f"'{kind}' does not give a {CATALOGUE[fact]}, which '{fact}' is", f"use {own}")
        return kind

    def _currency(self, kind: Kind) -> str:
        value = self._entry.get("currency", "")
        if not isinstance(value, str) or not (value in ("", "account") or _CURRENCY.fullmatch(value)):
            self.wrong("currency", "must be account, a code such as USD, or empty")
            return ""
        if value and kind is not Kind.MONEY:
            self.wrong("currency", f"only money has a currency, and this is read as {kind}", "remove it")
        return value

    def _rank(self) -> int:
        value = self._entry.get("rank", 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HIGHEST_RANK:
            self.wrong("rank", f"must be a whole number from 0 to {_HIGHEST_RANK}", "the lowest rank wins")
            return 0
        return value

    def _separator(self, kind: Kind) -> str:
        value = self._entry.get("separator", ";")
        if not isinstance(value, str) or not value or (value.isspace() and value != "\n"):
            self.wrong("separator", "must be one or more characters, not blanks")
            return ";"
        if "separator" in self._entry and kind is not Kind.SET:
            self.wrong("separator", f"only sets are split, and this is read as {kind}", "kind: set")
        return value

    def _values(self) -> Mapping[str, str]:
        value = self._entry.get("values", {})
        if not isinstance(value, Mapping):
            self.wrong("values", "must map what the CRM says to what it means")
            return {}
        for raw, means in value.items():
            if not isinstance(raw, str) or not isinstance(means, str):
                self.wrong("values", f"'{raw}' must map text to text", "put both in quotes")
        return {str(raw).strip().lower(): str(means).strip() for raw, means in value.items()}

    def _complete(self, kind: Kind) -> bool:
        value = self._entry.get("complete", False)
        if not isinstance(value, bool):
            self.wrong("complete", "must be true or false")
        elif value and kind is not Kind.SET:
            self.wrong("complete", f"only sets can be incomplete, and this is read as {kind}", "remove it")
        return value is True


def _lifecycle(fact: str, kind: Kind) -> bool:
    """A lifecycle may hold a stage and what it makes of the company, so it may be read as a set."""
    return fact == "lifecycle" and kind is Kind.SET


def suggestion(word: str, known: Collection[str]) -> str:
    """ "did you mean …?", or "" when nothing is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{near[0]}'?" if near else ""
