"""The portal's company properties, and which of our outputs they can carry right now.

An output whose property or option was taken away is disabled, loudly and alone, and comes back by itself
once the portal has it again. Knows definitions, not values or records.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from icp_sync.crm.carrying import Carrying
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.definitions import unfit
from icp_sync.crm.hubspot.records import Json
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log

TTL = 900.0
SUSPICION = 5.0
UNSEEN = 2.0
"""Seconds for which the list may not show a definition just made (0.25–0.7 s were recorded)."""

LAGS = (0.4, 0.8)
"""Pauses before looking again when HubSpot refuses what its list of properties says it has."""

_log = log("hubspot")


class Catalogue:
    """properties: logical field → property name, as configured. clock: monotonic seconds."""

    def __init__(
        self,
        client: Client,
        properties: Mapping[str, str],
        *,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._carrying = Carrying(properties, name=name, log=_log)
        self._client = client
        self._name = name
        self._clock = clock
        self._definitions: dict[str, Json] = {}
        self._needed: dict[str, frozenset[str]] = {}  # options found missing when we wrote them
        self._read_at = float("-inf")
        self._looked_at = float("-inf")  # when the last look began
        self._made: dict[str, tuple[Json, float]] = {}
        self._lock = threading.RLock()

    @property
    def properties(self) -> Mapping[str, str]:
        """Logical field → the CRM's name for it, as configured."""
        return self._carrying.properties

    @property
    def disabled(self) -> Mapping[str, str]:
        """Outputs that cannot be carried at the moment, with the reason."""
        return self._carrying.disabled

    def definitions(self) -> Mapping[str, Json]:
        """Property name → definition, at most 15 minutes old."""
        with self._lock:
            if self._clock() - self._read_at > TTL:
                self.refresh()
            return self._definitions

    def refresh(self, *, judge: bool = True) -> None:
        """Read the properties again and judge every output anew, unless they are about to be made."""
        read = {str(entry.get("name")): entry for entry in self._client.properties()}
        with self._lock:
            now = self._clock()
            self._made = {name: made for name, made in self._made.items() if now - made[1] <= UNSEEN}
            self._definitions = {name: entry for name, entry in read.items() if not entry.get("archived")}
            self._definitions |= {name: entry for name, (entry, _) in self._made.items()}
            self._read_at = now
            if judge:
                self._judge()

    def remember(self, definitions: Iterable[Json]) -> None:
        """Definitions just made or changed, which the list may not show yet."""
        with self._lock:
            for entry in definitions:
                self._made[str(entry.get("name"))] = entry, self._clock()
                self._definitions[str(entry.get("name"))] = entry
            self._judge()

    def carried(self) -> Mapping[str, str]:
        """Logical field → property, for the outputs that exist and are not disabled."""
        self.definitions()
        with self._lock:
            return self._carrying.carried()

    def forget(self, names: Iterable[str]) -> None:
        """Definitions just taken away, which the list may still show; nobody is to be told of that."""
        with self._lock:
            for name in names:
                self._made.pop(name, None)
                self._definitions.pop(name, None)

    def suspect(
        self, wanted: Mapping[str, Iterable[str]], *, since: float, certain: bool = False
    ) -> frozenset[str]:
        """HubSpot refused these fields with these wire values: which of them can it not carry any more?

        Reads the properties again, disables what is gone, read-only, of another type or lacks an option, and
        returns the disabled ones among `wanted`. since: when (on `now`) what it refused was sent; one look
        serves all that was sent before it. certain: HubSpot said that the portal has changed, so a list that
        says otherwise is looked at again.
        """
        with self._lock:
            for field, values in wanted.items():
                self._needed[field] = self._needed.get(field, frozenset()) | frozenset(values)
                self._made.pop(self.properties[field], None)
            if self._looked_at > since:
                self._judge()
            else:
                self._look()
                for pause in LAGS if certain else ():
                    if not frozenset(wanted).isdisjoint(self.disabled):
                        break
                    self._client.transport.wait(pause)
                    self._look()
            return frozenset(wanted) & frozenset(self.disabled)

    def now(self) -> float:
        """The clock of `suspect`, monotonic seconds."""
        return self._clock()

    def unnamed(self) -> None:
        """A record just read does not name all we asked for: look whether the portal still has it.

        Raises nothing: a field a record does not name is no field of it, whatever the portal says.
        """
        try:
            with self._lock:
                if self._clock() - self._looked_at > SUSPICION:
                    self._look()
        except (UnavailableError, AuthError, RequestError) as error:
            _log.warning("could not read the properties again", connection=self._name, error=str(error))

    def _look(self) -> None:
        began = self._clock()
        self.refresh()
        self._looked_at = began

    def _judge(self) -> None:
        found = {field: self._definitions.get(name) for field, name in self.properties.items()}
        reasons = {
            field: unfit(field, self.properties[field], definition, self._needed.get(field, ()))
            for field, definition in found.items()
        }
        self._carrying.judge(reasons, [field for field, definition in found.items() if definition])
