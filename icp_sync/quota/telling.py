"""Telling somebody once when the end of the day's calls stops us, and once when it does no more."""

from __future__ import annotations

from icp_sync.errors import UnavailableError
from icp_sync.observe import log
from icp_sync.quota.keeping import Keeping
from icp_sync.quota.ledger import Granted, Refused

_log = log("quota")


class Telling:
    """An alert that cannot be kept now is tried again with the next call, while it is still so."""

    def __init__(self, kept: Keeping, connection: str) -> None:
        self._kept, self._connection = kept, connection
        self._unsaid: str | None = None

    def tell(self, given: Granted | Refused, now: float, *, short: bool) -> None:
        """What was answered to a call. short: whether the day's calls are known to have ended."""
        text = self._unsaid
        if isinstance(given, Refused) and given.first:
            text = f"{given.why}; calls go on in {given.until - now:.0f} s at the latest"
            _log.warning("the day's calls are used up", connection=self._connection, error=text)
        elif isinstance(given, Granted) and given.again:
            text = ""
            _log.info("there are calls again", connection=self._connection)
        if text is None:
            return
        try:
            if bool(text) is short:  # otherwise another process has said the contrary meanwhile
                self._kept.alert(text, now)
            self._unsaid = None
        except UnavailableError as error:
            self._unsaid = text
            _log.warning("an alert waits to be kept", connection=self._connection, error=str(error))
