"""How each question is put to a portal, and what its replies say. Compares nothing with what is expected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.history import PROGRAMS
from icp_sync.crm.hubspot.probing.questions import (
    BATCH_207,
    CONDITIONAL,
    INDEX_LAG,
    RETRY_AFTER,
    SAME_VALUE,
    SOURCE,
    TEN_THOUSAND,
)
from icp_sync.crm.hubspot.probing.scratch import COMPANIES, PROPERTY, Scratch
from icp_sync.crm.hubspot.replies import complaints
from icp_sync.crm.probing import DOMAIN, NAME, Board, Calls, Wanted
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import Endpoint

SAMPLES = 3
FIRST_LOOK, MOST_LOOKS = 0.5, 12
"""Seconds before a second look at the index, twice as long each time; looks of all samples together."""
STRICT = "2026-09"
"""The first version that enforces a portal's rules on writes ("CRM API write validation enforcement")."""
RULE = "MISSING_CONDITIONAL_REQUIRED_PROPERTY"
AT_ONCE = 10
"""Searches that run into the limit of five a second of the whole account."""

_HASTY = Endpoint(name="search", buckets=("burst",), idempotent=True)


class Asking:
    """One portal's questions, in an order in which each finds what the one before left."""

    def __init__(self, client: Client, calls: Calls, board: Board, scratch: Scratch, wanted: Wanted) -> None:
        self._client = client
        self._calls = calls
        self._board = board
        self._scratch = scratch
        self._wanted = wanted
        self._looks = 0

    def steps(self) -> Sequence[tuple[str, Callable[[], None]]]:
        return (
            (INDEX_LAG, self._index_lag),
            (SAME_VALUE, self._same_value),
            (BATCH_207, self._batch_207),
            (TEN_THOUSAND, self._ten_thousand),
            (SOURCE, self._source),
            (CONDITIONAL, self._conditional),
            (RETRY_AFTER, self._retry_after),
        )

    # The index

    def _index_lag(self) -> None:
        """The time from a write to a search that shows it, between the last look in vain and the first."""
        samples: list[tuple[float, float]] = []
        for number in range(1, SAMPLES + 1):
            seen = self._scratch.write_at_last(str(number))
            if not seen.good:
                self._board.open(INDEX_LAG, f"the property could not be written: {seen.said()}")
                return
            hidden, shown = self._until_shown(str(number))
            if shown is None and (hidden >= self._wanted.overlap or not samples):
                self._unshown(samples, hidden)
                return
            if shown is None:
                break  # no look was left
            samples.append((hidden, shown))
        told = ", ".join(_between(one) for one in samples)
        longest = max(shown for _, shown in samples)
        self._board.saw(
            INDEX_LAG, longest <= self._wanted.overlap, f"{told} after the write", seconds=samples
        )

    def _unshown(self, samples: Sequence[tuple[float, float]], hidden: float) -> None:
        if hidden >= self._wanted.overlap:
            said = f"not there {hidden:.1f} s after the write; overlap is {self._wanted.overlap:.0f} s"
            self._board.saw(INDEX_LAG, False, said, seconds=[*samples, (hidden, None)])
            return
        why = f"not there {hidden:.1f} s after the write, and no look was left"
        self._board.open(INDEX_LAG, why, seconds=[*samples, (hidden, None)])

    def _until_shown(self, value: str) -> tuple[float, float | None]:
        """Seconds after which it was not there yet, and after which it was; None for never."""
        hidden, began = 0.0, time.monotonic()
        for pause in self._pauses():
            self._client.transport.wait(pause)
            asked = time.monotonic() - began
            if self._is_shown(value):
                return hidden, time.monotonic() - began
            hidden = asked
            if hidden >= self._wanted.overlap:
                break
        return hidden, None

    def _pauses(self) -> Iterator[float]:
        """At once, then twice as long each time, the last at the end of the overlap."""
        pause, waited = 0.0, 0.0
        while self._looks < MOST_LOOKS:
            self._looks += 1
            yield pause
            waited += pause
            pause = min(max(FIRST_LOOK, 2 * pause), max(0.05, self._wanted.overlap - waited))

    def _is_shown(self, value: str) -> bool:
        filters = [
            {"propertyName": "hs_object_id", "operator": "EQ", "value": self._scratch.id},
            {"propertyName": PROPERTY, "operator": "EQ", "value": value},
        ]
        request = {"filterGroups": [{"filters": filters}], "limit": 1}
        return bool(self._calls("POST", f"{COMPANIES}/search", json=request).at("results"))

    # Writes

    def _same_value(self) -> None:
        """HubSpot stamps a record again 0.3 to 0.5 s after a change; only then does a stamp say anything."""
        self._scratch.write_at_last("7")
        self._client.transport.wait(self._wanted.settles)
        before = self._scratch.stamp()
        self._client.transport.wait(self._wanted.settles)
        if (again := self._scratch.stamp()) != before or not before:
            self._board.open(SAME_VALUE, f"the stamp moves by itself: {before or 'none'}, then {again}")
            return
        seen = self._scratch.write("7")
        self._client.transport.wait(self._wanted.settles)
        after = self._scratch.stamp()
        if not seen.good:
            self._board.open(SAME_VALUE, f"the write was refused: {seen.said()}")
            return
        moved = after != before
        told = f"from {_clock(before)} to {_clock(after)}" if moved else f"still {_clock(before)}"
        self._board.saw(SAME_VALUE, moved, told, before=before, after=after)

    def _batch_207(self) -> None:
        seen = self._scratch.write("no number")
        errors = seen.at("errors") or []
        named = any(self._scratch.id in one.ids for one in complaints({"errors": errors}))
        detail = {"status": seen.status, "body": seen.said(1_000)}
        if seen.status == 400:
            self._board.saw(BATCH_207, False, "HTTP 400 for the batch as a whole", **detail)
        elif seen.good and errors:
            whose = "with" if named else "without"
            told = f"HTTP {seen.status} with an error in it, {whose} our trace id"
            self._board.saw(BATCH_207, True, told, **detail)
        else:
            self._board.open(BATCH_207, f"HTTP {seen.status}: {seen.said()}", **detail)

    def _conditional(self) -> None:
        """First a write of our own property alone, then one of what the record has: its name and domain."""
        alone = self._strictly({PROPERTY: "8"})
        if RULE in alone:
            self._board.saw(CONDITIONAL, True, f"refused on {STRICT}: {alone}")
            return
        touching = self._strictly({"name": NAME, "domain": DOMAIN})
        if RULE in touching:
            self._board.saw(CONDITIONAL, False, f"only a write that touches them is refused: {touching}")
            return
        why = "no such rule here concerns the scratch company"
        if alone or touching:
            why = f"{STRICT} refused the write for another reason: {alone or touching}"
        self._board.open(CONDITIONAL, why, to_settle=_HOW_TO_MAKE_A_RULE)

    def _strictly(self, values: Mapping[str, str]) -> str:
        """What the strict version has against these values, "" for nothing."""
        path, body = f"{COMPANIES}/{self._scratch.id}", {"properties": dict(values)}
        seen = self._calls("PATCH", path, json=body, version=STRICT)
        return "" if seen.good else seen.said(2_000)

    # Reads

    def _ten_thousand(self) -> None:
        """Of a search for our own record alone: what is refused is the place it asks for."""
        own = {"propertyName": "hs_object_id", "operator": "EQ", "value": self._scratch.id}
        request = {"filterGroups": [{"filters": [own]}], "limit": 200, "after": "9900"}
        seen = self._calls("POST", f"{COMPANIES}/search", json=request)
        refused = seen.status == 400 and seen.at("category") == "VALIDATION_ERROR"
        said = str(seen.at("message") or seen.said())
        self._board.saw(TEN_THOUSAND, refused, f"HTTP {seen.status}: {said}", body=seen.said(1_000))

    def _source(self) -> None:
        request = {
            "inputs": [{"id": self._scratch.id}],
            "properties": [PROPERTY],
            "propertiesWithHistory": [PROPERTY],
        }
        seen = self._calls("POST", f"{COMPANIES}/batch/read", json=request)
        newest = _newest(seen.at("results"))
        if newest is None:
            self._board.open(SOURCE, f"no history yet: {seen.said()}")
            return
        kind, id = str(newest.get("sourceType") or ""), str(newest.get("sourceId") or "")
        told = f"sourceType {kind or 'none'}, sourceId {id or 'none'}"
        self._board.saw(SOURCE, kind in PROGRAMS and bool(id), told, version=newest)

    # Limits

    def _retry_after(self) -> None:
        heard = self._client.dialect.heard
        if self._wanted.provoke and not heard:
            self._hurry()
        if not heard:
            why = "no 429 came"
            if not self._wanted.provoke:
                why = "no 429 came; --provoke brings one about, at the cost of a few of everybody's searches"
            self._board.open(RETRY_AFTER, why)
            return
        waits = [one for one in heard if one is not None]
        said = f"Retry-After {waits[0]:.0f} s" if waits else "no Retry-After"
        told = f"{len(heard)} times 429, {said}"
        self._board.saw(RETRY_AFTER, bool(waits), told, retry_after=list(heard))

    def _hurry(self) -> None:
        """Search faster than the whole account may, for our own record; refused ones come through later."""
        own = {"propertyName": "hs_object_id", "operator": "EQ", "value": self._scratch.id}
        request = {"filterGroups": [{"filters": [own]}], "limit": 1}

        def search(_: int) -> None:
            try:
                self._client.call("POST", f"{COMPANIES}/search", json=request, endpoint=_HASTY)
            except (AuthError, RequestError, UnavailableError):
                return  # what is of interest was heard on the way

        self._calls.spend(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(search, range(AT_ONCE)))


_HOW_TO_MAKE_A_RULE = (
    f"in a test portal, require Industry where the company's name is {NAME!r}, probe, and take the rule away"
)


def _newest(listed: object) -> Mapping[str, object] | None:
    """The newest version of our property in a batch read with history."""
    for record in listed if isinstance(listed, list) else ():
        past = record.get("propertiesWithHistory") if isinstance(record, dict) else None
        versions = past.get(PROPERTY) if isinstance(past, dict) else None
        for version in versions if isinstance(versions, list) else ():
            if isinstance(version, dict):
                return version
    return None


def _between(sample: tuple[float, float]) -> str:
    hidden, shown = sample
    return f"{hidden:.1f} to {shown:.1f} s" if hidden else f"under {max(shown, 0.1):.1f} s"


def _clock(stamp: str) -> str:
    """The time of a day in an ISO instant."""
    return stamp.partition("T")[2].removesuffix("Z") or stamp
