"""Who reads: we, and the incremental loops a user would write with the CRMs' own clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubspot import HubSpot
from hubspot.crm.companies import ApiException

from icp_sync.ports import Page, Stream
from icp_sync.settings import load
from icp_sync.sync.cycle import Parts, Scope, cycle
from icp_sync.wiring import wire
from tests.bench.bare_loops import salesforce
from tests.bench.places import Served, prepared, settings_of
from tests.bench.sections.adversarial.scenes import MOST_SECONDS, Read, Reader

BEGINNING = "2000-01-01T00:00:00.000Z"


class Ours:
    """A backfill first, then polls and trailing passes, as a worker makes them; it scores and writes."""

    name = "icp-sync"
    own_clock = False

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._streams = [Stream.BACKFILL, Stream.POLL, Stream.TRAILING]

    def read(self) -> Read:
        emitted: list[str] = []
        until = time.monotonic() + MOST_SECONDS

        def seen(page: Page) -> Iterable[Page]:
            emitted.extend(page.ids)
            return (page,)

        scope = Scope(split=seen, going=lambda: time.monotonic() < until)
        for stream in self._streams:
            cycle(stream, self._parts, scope)
        self._streams = [Stream.POLL, Stream.TRAILING]
        return Read(emitted=tuple(emitted), ended=scope.going())


@contextmanager
def ours(crm: Served, folder: Path) -> Iterator[Reader]:
    """Our own fields made, our profile active."""
    wired = wire(load(prepared(settings_of(crm, folder))))
    try:
        wired.crm.identity()
        yield Ours(wired.parts)
    finally:
        wired.journal.close()


@dataclass(kw_only=True)
class Loop:
    """A loop that asks for what is newer than the newest it has seen, and remembers that.

    found: id and stamp of everything newer than a stamp."""

    name: str
    found: Callable[[str], Iterator[tuple[str, str]]]
    cursor: str = BEGINNING
    own_clock: bool = False

    def read(self) -> Read:
        emitted: list[str] = []
        until = time.monotonic() + MOST_SECONDS
        newest = self.cursor
        try:
            for id, stamp in self.found(self.cursor):
                emitted.append(id)
                newest = max(newest, stamp)
                if time.monotonic() > until:
                    return Read(emitted=tuple(emitted), ended=False)
        except ApiException as refused:
            return Read(emitted=tuple(emitted), refused=f"a {refused.status}")
        self.cursor = newest
        return Read(emitted=tuple(emitted))


@contextmanager
def bare(crm: Served, folder: Path) -> Iterator[Reader]:
    """The loop with the CRM's client."""
    if crm.crm == "hubspot":
        yield Loop(name="hubspot-api-client, search newer than the last", found=_searched(crm))
    else:
        yield Loop(name="simple-salesforce, SystemModstamp > the last", found=_queried(crm))


def _searched(crm: Served) -> Callable[[str], Iterator[tuple[str, str]]]:
    client = HubSpot(access_token=crm.token, host=crm.url)

    def found(cursor: str) -> Iterator[tuple[str, str]]:
        newer = {"propertyName": "hs_lastmodifieddate", "operator": "GT", "value": cursor}
        asked: dict[str, Any] = {
            "filterGroups": [{"filters": [newer]}],
            "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
            "properties": ["name", "hs_lastmodifieddate"],
            "limit": 100,
        }
        while True:
            page = client.crm.companies.search_api.do_search(asked)
            for company in page.results:
                yield company.id, company.properties["hs_lastmodifieddate"]
            if page.paging is None:
                return
            asked["after"] = page.paging.next.after

    return found


def _queried(crm: Served) -> Callable[[str], Iterator[tuple[str, str]]]:
    client = salesforce(crm.url, crm.token)

    def found(cursor: str) -> Iterator[tuple[str, str]]:
        newer = f"SELECT Id, SystemModstamp FROM Account WHERE SystemModstamp > {cursor}"
        for row in client.query_all_iter(f"{newer} ORDER BY SystemModstamp"):
            yield row["Id"], row["SystemModstamp"].replace("+0000", "Z")

    return found
