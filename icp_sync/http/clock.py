"""The other side's clock, and the dates HTTP writes."""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

from icp_sync.observe import log

SKEW_SECONDS = 300.0

_log = log("http")


class ServerClock:
    """The other side's clock, learned from its `Date` headers and carried by our monotonic one.

    Our wall clock may be wrong or be set while we run; the monotonic one can at worst stand still in a
    suspended machine. The estimate is never ahead of the other side.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._offset: float | None = None
        self._skewed = False

    def now(self) -> float:
        """UTC epoch seconds; our own clock until the first reply."""
        return time.time() if self._offset is None else time.monotonic() + self._offset

    @property
    def heard(self) -> bool:
        return self._offset is not None

    def learn(self, date: str | None, sent: float, received: float) -> None:
        """`sent` and `received` are monotonic. `Date` has whole seconds and lies between the two."""
        stamp = http_date(date)
        if stamp is None:
            return
        lowest, highest = stamp - received, stamp + 1 - sent
        if self._offset is None or not lowest <= self._offset <= highest:
            self._offset = lowest
        skew = time.time() - self.now()
        if abs(skew) > SKEW_SECONDS and not self._skewed:
            _log.warning("our clock is off, using the server's", connection=self._name, seconds=round(skew))
        self._skewed = abs(skew) > SKEW_SECONDS


def http_date(text: str | None) -> float | None:
    """UTC epoch seconds of an HTTP date, None when it is missing or malformed."""
    try:
        parsed = parsedate_to_datetime(text) if text else None
        return None if parsed is None else parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
