"""Facts of some 1,800 listed companies, from the `pytickersymbols` package (MIT; facts from Wikipedia).

Free and offline: the data is in the package. A company is found by its registrable domain alone, never by
a domain that two companies give or that hosts many. The package's own `country` names a stock exchange
as often as a seat, so the country is read from the headquarters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any, cast

from icp_sync.domain.facts import FactValue, Signal, choice
from icp_sync.enrichers.lifetimes import seconds
from icp_sync.enrichers.public_strings import (
    Place,
    Refused,
    Stated,
    employees,
    founded,
    headquarters,
    revenue,
    websites,
)
from icp_sync.errors import ConfigError
from icp_sync.normalize import domains, industries
from icp_sync.ports import Answer, Hit, Miss, Request

_UNDATED = 0.8  # confidence of a value whose text names no year
_INSIDE = 0.8  # confidence of an industry that merely holds the label
_LOADING = Lock()


@dataclass(frozen=True, slots=True)
class _Companies:
    """Records by domain, and the domains several companies claim."""

    by_domain: Mapping[str, Mapping[str, Any]]
    ambiguous: Mapping[str, tuple[str, ...]]


class PublicCompanies:
    """The enricher. `ttl_days`, `miss_ttl_days`: how long an answer, or a clean miss, stays valid."""

    facts = frozenset(
        ("employees", "revenue", "founded", "country", "city", "industry", "sector", "ownership")
    )
    price = 0.0

    def __init__(
        self, name: str = "public_companies", *, ttl_days: float = 90.0, miss_ttl_days: float = 30.0
    ) -> None:
        _load_package()
        self.name = name
        self.ttl = seconds("ttl_days", ttl_days)
        self.miss_ttl = seconds("miss_ttl_days", miss_ttl_days)

    @property
    def ambiguous(self) -> Mapping[str, tuple[str, ...]]:
        """Domains that several companies give as theirs → their names; nobody is matched by them."""
        return self._loaded().ambiguous

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer a request, in order. The domain may come as any spelling of a host."""
        by_domain, now = self._loaded().by_domain, time.time()
        answers: list[Answer] = []
        for request in requests:
            company = by_domain.get(domains.registrable(request.domain))
            answers.append(Miss() if company is None else _hit(company, self.name, now))
        return answers

    def _loaded(self) -> _Companies:
        with _LOADING:
            return _everybody()


@cache
def _everybody() -> _Companies:
    """Read once, however many connections ask."""
    return _index(_load_package()().get_all_stocks())


def _load_package() -> Callable[[], Any]:
    try:
        from pytickersymbols import PyTickerSymbols  # here: only who asks for this enricher needs it
    except ImportError as error:
        raise ConfigError(
            "the enricher 'public_companies' needs the package pytickersymbols",
            next_step="pip install 'icp-sync[demo]'",
        ) from error
    return cast(Callable[[], Any], PyTickerSymbols)


def _index(companies: Iterable[Mapping[str, Any]]) -> _Companies:
    claims: dict[str, dict[str, Mapping[str, Any]]] = {}
    for company in companies:
        page = str(_said(company, "wikipedia_url") or company.get("name"))
        claimed = websites(_said(company, "website"))
        for domain in () if isinstance(claimed, Refused) else claimed:
            claims.setdefault(domain, {}).setdefault(page, company)
    return _Companies(
        {domain: next(iter(pages.values())) for domain, pages in claims.items() if len(pages) == 1},
        {
            domain: tuple(str(company.get("name")) for company in pages.values())
            for domain, pages in claims.items()
            if len(pages) > 1
        },
    )


def _said(company: Mapping[str, Any], key: str) -> str:
    """A raw text of the record; "" where it says nothing (numbers come as int now and then)."""
    value = (company.get("metadata") or {}).get(key)
    return "" if value is None else str(value)


class _Answering:
    """One company's signals and refusals being collected."""

    def __init__(self, source: str, now: float) -> None:
        self._source, self._now = source, now
        self.signals: list[Signal] = []
        self.unread: dict[str, str] = {}

    def says(
        self, fact: str, value: FactValue, raw: str, year: int | None = None, confidence: float = 1.0
    ) -> None:
        self.signals.append(
            Signal(
                fact=fact,
                value=value,
                source=self._source,
                observed_at=self._now if year is None else min(_end_of(year), self._now),
                confidence=confidence,
                raw=raw,
            )
        )

    def reads(self, fact: str, raw: str, read: Stated | Refused, *, dated: bool = True) -> None:
        if isinstance(read, Refused):
            self.unread[fact] = f"{raw} ({read.reason})"
        else:
            self.says(fact, read.value, raw, read.year, 1.0 if read.year or not dated else _UNDATED)


def _hit(company: Mapping[str, Any], source: str, now: float) -> Hit:
    answer = _Answering(source, now)
    place = _place(company, answer)
    if raw := _said(company, "employees"):
        answer.reads("employees", raw, employees(raw))
    if raw := _said(company, "revenue"):
        answer.reads("revenue", raw, revenue(raw, place.country))
    if raw := _said(company, "founded"):
        answer.reads("founded", raw, founded(raw), dated=False)
    _industry(company, answer)
    answer.says("ownership", choice("public"), "listed on a stock exchange")
    return Hit(signals=tuple(answer.signals), unread=answer.unread)


def _place(company: Mapping[str, Any], answer: _Answering) -> Place:
    raw = _said(company, "headquarters")
    if not raw:
        return Place()
    read = headquarters(raw)
    if isinstance(read, Refused):
        answer.unread["country"] = f"{raw} ({read.reason})"
        return Place()
    answer.says("country", choice(read.country), raw)
    if read.city:
        answer.says("city", choice(read.city), raw)
    return read


def _industry(company: Mapping[str, Any], answer: _Answering) -> None:
    labels = [str(label) for label in company.get("industries") or ()]
    if not labels:
        return
    raw, read = " | ".join(labels), industries.together(labels, "pytickersymbols")
    for fact, value, grade in (
        ("industry", read.value, read.grade),
        ("sector", read.sector, read.sector_grade),
    ):
        if value:
            answer.says(
                fact, choice(value), raw, confidence=1.0 if grade is industries.Grade.EXACT else _INSIDE
            )
        else:
            answer.unread[fact] = f"{raw} ({grade})"


def _end_of(year: int) -> float:
    return datetime(year + 1, 1, 1, tzinfo=UTC).timestamp() - 1
