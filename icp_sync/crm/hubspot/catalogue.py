"""The portal's company properties, and which of our outputs they can carry right now.

An output whose property or option was taken away is disabled, loudly and alone, and comes back by itself
once the portal has it again. Knows definitions, not values or records.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from icp_sync.crm.carrying import Carrying
from icp_sync.crm.hubspot.client import Client, Json
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log

TTL = 900.0
SUSPICION = 5.0
UNSEEN = 2.0
"""Seconds for which the list may not show a definition just made (0.25–0.7 s were recorded)."""

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
        self._suspected_at = float("-inf")
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

    def suspect(self, wanted: Mapping[str, Iterable[str]]) -> frozenset[str]:
        """HubSpot refused these fields with these wire values: which of them can it not carry any more?

        Reads the properties again, disables what is gone, read-only or lacks an option, and returns the
        disabled ones among `wanted`.
        """
        with self._lock:
            for field, values in wanted.items():
                self._needed[field] = self._needed.get(field, frozenset()) | frozenset(values)
                self._made.pop(self.properties[field], None)
            if not self._look_again():
                self._judge()
            return frozenset(wanted) & frozenset(self.disabled)

    def unnamed(self) -> None:
        """A record just read does not name all we asked for: look whether the portal still has it.

        Raises nothing: a field a record does not name is no field of it, whatever the portal says.
        """
        try:
            with self._lock:
                self._look_again()
        except (UnavailableError, AuthError, RequestError) as error:
            _log.warning("could not read the properties again", connection=self._name, error=str(error))

    def _look_again(self) -> bool:
        """Read the properties, unless that was done just now: one look serves many batches at once."""
        if self._clock() - self._suspected_at <= SUSPICION:
            return False
        self.refresh()
        self._suspected_at = self._clock()
        return True

    def _judge(self) -> None:
        found = {field: self._definitions.get(name) for field, name in self.properties.items()}
        reasons = {
            field: unfit(self.properties[field], definition, self._needed.get(field, ()))
            for field, definition in found.items()
        }
        self._carrying.judge(reasons, [field for field, definition in found.items() if definition])


def unfit(name: str, definition: Json | None, values: Iterable[str]) -> str:
    """Why a property cannot take these wire values, "" when it can."""
    if definition is None:
        return f"the portal has no property {name}"
    if read_only(definition):
        return f"{name} is read-only"
    options = closed_options(definition)
    if options is None:
        return ""
    missing = sorted({part for value in values for part in value.split(";") if part} - options)
    return f"{name} has no option {', '.join(missing)}" if missing else ""


def read_only(definition: Json) -> bool:
    """Whether HubSpot refuses values for it: calculated, or marked so."""
    marks = definition.get("modificationMetadata")
    return bool(definition.get("calculated")) or (
        isinstance(marks, dict) and bool(marks.get("readOnlyValue"))
    )


def closed_options(definition: Json) -> frozenset[str] | None:
    """The only values a property takes, None where any is fine (owners are options kept elsewhere)."""
    if definition.get("type") != "enumeration" or definition.get("externalOptions"):
        return None
    options = definition.get("options")
    found = options if isinstance(options, list) else []
    return frozenset(str(option.get("value")) for option in found if isinstance(option, dict))
