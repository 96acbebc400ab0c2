"""What goes wrong, where and when: the cells of the matrix, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way in which an exchange goes wrong. hubspot, salesforce: the simulator's kind of it, "" where that
    CRM has none. seconds: how long it takes. landed: the call is carried out and its reply is lost, so that a
    value may be written once more. only: part of the endpoints it can befall."""

    name: str
    hubspot: str = ""
    salesforce: str = ""
    seconds: float | None = None
    landed: bool = False
    only: str = ""

    def kind(self, place: str) -> str:
        return self.hubspot if place == "hubspot" else self.salesforce

    def befalls(self, place: str, endpoint: str) -> bool:
        return bool(self.kind(place)) and self.only in endpoint


def _same(name: str, kind: str, **more: object) -> Fault:
    return Fault(name=name, hubspot=kind, salesforce=kind, **more)  # type: ignore[arg-type]


SILENCE = 0.6
"""Seconds of no answer; longer than the worker listens."""

FAULTS = (
    _same("refused connection", "refused", seconds=0.05),
    _same("reset", "reset"),
    _same("timeout before effect", "timeout", seconds=SILENCE),
    _same("timeout after effect", "timeout_after_apply", seconds=SILENCE, landed=True),
    _same("reset after effect", "reset_after_apply", landed=True),
    Fault(name="429", hubspot="429"),
    _same("429 with Retry-After", "429_retry_after", seconds=2),
    _same("daily limit", "429_daily"),
    Fault(name="401", hubspot="401", salesforce="401_session"),
    Fault(name="401 expired", hubspot="401_expired", salesforce="401_html"),
    Fault(name="403 quota", salesforce="concurrent_limit"),
    _same("403 scope", "403"),
    _same("500", "500"),
    _same("502 html", "502_html"),
    _same("503", "503"),
    _same("504", "504"),
    _same("truncated JSON", "truncated", landed=True),
    _same("gzip error", "gzip_garbage", landed=True),
    _same("200 and an error", "error_200"),
    _same("200 and no results", "empty_results"),
    _same("200 and nothing", "empty_200"),
    Fault(name="200 and a page", salesforce="html_200"),
    Fault(name="207 mixed", hubspot="207_mixed", salesforce="207_mixed", only="batch"),
    _same("404", "404"),
    _same("409", "409"),
    _same("412", "412"),
    _same("423 locked", "423"),
    Fault(name="477 moving", hubspot="477", salesforce="477", seconds=2),
    Fault(name="query timeout", salesforce="query_timeout", only="query"),
    Fault(name="cursor lost", salesforce="invalid_locator", only="query"),
    Fault(name="half a CSV", salesforce="short_csv", only="esults"),
    Fault(name="CSV cut in a row", salesforce="truncated_csv", only="esults"),
    _same("slow drip", "drip", seconds=0.05),
)
ONCE, LASTING = 1, 1_000_000
"""How often a fault strikes: once, or for the rest of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault at one call of an endpoint. nth: which of the day's, counted from 1."""

    place: str
    endpoint: str
    fault: Fault
    nth: int
    times: int

    def __str__(self) -> str:
        lasts = "once" if self.times == ONCE else "from then on"
        return f"{self.place}: {self.fault.name} at {self.endpoint} #{self.nth} {lasts}"


def whens(calls: int) -> list[int]:
    """The first, a middle and the last of so many calls."""
    return sorted({1, (calls + 1) // 2, calls})


def cells(place: str, calls: Mapping[str, int]) -> Iterator[Cell]:
    """All of them. calls: endpoint → how often a day calls it."""
    for endpoint, count in sorted(calls.items()):
        for fault in FAULTS:
            if fault.befalls(place, endpoint):
                for nth in whens(count):
                    for times in (ONCE, LASTING):
                        yield Cell(place=place, endpoint=endpoint, fault=fault, nth=nth, times=times)


def each_once(calls: Mapping[str, Mapping[str, int]]) -> list[Cell]:
    """A few cells with every fault and every endpoint in at least one; calls, durations and places in turn.

    calls: place → endpoint → how often a day calls it. An endpoint that two places have counts once.
    """
    every = [cell for place, counts in calls.items() for cell in cells(place, counts)]
    faults, endpoints = {c.fault.name for c in every}, {c.endpoint for c in every}
    chosen: list[Cell] = []
    places = list(calls)
    while faults or endpoints:
        turn = len(chosen)

        def gain(cell: Cell, turn: int = turn) -> tuple[int, bool, bool, int]:
            news = (cell.fault.name in faults) + (cell.endpoint in endpoints)
            lasts, here = (ONCE, LASTING)[turn % 2], places[turn % len(places)]
            return news, cell.place == here, cell.times == lasts, cell.nth if turn % 3 else -cell.nth

        best = max(every, key=gain)
        chosen.append(best)
        faults.discard(best.fault.name)
        endpoints.discard(best.endpoint)
    return chosen
