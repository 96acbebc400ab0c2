"""The org's Account fields as we may see them, and which of our outputs they can carry right now.

An output whose field or picklist value was taken away is disabled, loudly and alone, and comes back by
itself once the org has it again. A describe shows a field only to who may read it, so "missing" and "hidden
by field-level security" look the same, and a query that names such a field fails as a whole. Knows
definitions, not values or records.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from icp_sync.crm.carrying import Carrying
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.replies import codes, named_fields
from icp_sync.domain.standing import FIELDS
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log

TTL = 900.0
SUSPICION = 5.0

_log = log("salesforce")


class Catalogue:
    """properties: logical field → API name, as configured. clock: monotonic seconds."""

    def __init__(
        self,
        client: Client,
        properties: Mapping[str, str],
        *,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._carrying = Carrying(properties, name=name, log=_log, next_step="icp-sync check")
        self._client = client
        self._name = name
        self._clock = clock
        self._described: Json = {}
        self._definitions: dict[str, Json] = {}
        self._by_lower: dict[str, Json] = {}
        self._barred: dict[str, float] = {}  # shown by describe, refused by queries: lower-case name → since
        self._needed: dict[str, frozenset[str]] = {}  # values found missing when we wrote them
        self._said: frozenset[str] = frozenset()  # what was reported as missing
        self._read_at = float("-inf")
        self._looked_at = float("-inf")
        self._suspected: dict[tuple[str, str], float] = {}  # (output, value) → when it last was
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
        """API name → its entry of describe, at most 15 minutes old."""
        with self._lock:
            self._fresh()
            return self._definitions

    def definition(self, name: str) -> Json | None:
        """One field's entry, whatever the case of its name; None for one that no query may name."""
        with self._lock:
            self._fresh()
            return None if name.lower() in self._barred else self._by_lower.get(name.lower())

    def record_types(self) -> tuple[Json, ...]:
        """The `recordTypeInfos` of describe, the master record type among them."""
        with self._lock:
            self._fresh()
            found = self._described.get("recordTypeInfos")
        return tuple(one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))

    def refresh(self, *, judge: bool = True) -> None:
        """Describe again and judge every output anew, unless they are about to be made."""
        described = self._client.describe()
        found = described.get("fields")
        entries = [one for one in (found if isinstance(found, list) else []) if isinstance(one, dict)]
        with self._lock:
            now = self._clock()
            self._described = described
            self._definitions = {str(one["name"]): one for one in entries if one.get("name")}
            self._by_lower = {name.lower(): one for name, one in self._definitions.items()}
            self._barred = {name: since for name, since in self._barred.items() if now - since <= TTL}
            self._read_at = now
            if judge:
                self._judge()

    def carried(self) -> Mapping[str, str]:
        """Logical field → API name, for the outputs that exist and are not disabled."""
        with self._lock:
            self._fresh()
            return self._carrying.carried()

    def suspect(self, wanted: Mapping[str, Iterable[object]]) -> frozenset[str]:
        """Salesforce refused these fields with these values: which of them can it not carry any more?

        Describes again, disables what is gone, not editable or lacks a value, and returns the disabled ones
        among `wanted`.
        """
        with self._lock:
            suspects = {(field, "") for field in wanted}
            for field, values in wanted.items():
                texts = {str(value) for value in values if value is not None}
                self._needed[field] = self._needed.get(field, frozenset()) | texts
                suspects |= {(field, text) for text in texts}
            # One look serves many calls at once; what was not suspected then deserves its own.
            since = self._clock() - SUSPICION
            known = {one for one, at in self._suspected.items() if at >= since}
            if suspects <= known:
                self._judge()
            else:
                self._look_again(anyhow=True)
                self._suspected = dict.fromkeys(known | suspects, self._clock())
            return frozenset(wanted) & frozenset(self.disabled)

    def unnamed(self) -> None:
        """A record just read does not name all we asked for: look whether the org still shows it.

        Raises nothing: a field a record does not name is no field of it, whatever the org says.
        """
        try:
            with self._lock:
                self._look_again()
        except (UnavailableError, AuthError, RequestError) as error:
            _log.warning("could not describe accounts again", connection=self._name, error=str(error))

    def refused(self, error: RequestError, names: Iterable[str]) -> bool:
        """A read of these fields was refused. Whether it is worth asking anew, without those to blame.

        Describe says what is gone; what it still shows and a read may not name is left out for 15 minutes.
        """
        complaints = [one for one in codes(error) if one.code == "INVALID_FIELD"]
        if not complaints:
            return False
        asked = {name.lower(): name for name in names}
        with self._lock:
            looked = self._look_again()
            blamed = {name.lower() for name in named_fields(complaints)} & asked.keys()
            if not looked and any(self._usable(name) for name in blamed):
                self._look_again(anyhow=True)
            if still := {name for name in blamed if self._usable(name)}:
                self._barred |= dict.fromkeys(still, self._clock())
                self._judge()
            lost = sorted(name for name in asked.values() if not self._usable(name))
        if lost:
            _log.error("reading on without fields", connection=self._name, fields=lost)
        return bool(lost)

    def report_missing(self, names: Iterable[str]) -> None:
        """Say which fields that feed facts are left out, once until that changes."""
        missing = frozenset(names)
        with self._lock:
            news, self._said = missing - self._said, missing
        if news:
            _log.info(
                "fields this org has not, or hides from us, tell nothing",
                connection=self._name,
                fields=sorted(news),
            )

    def _fresh(self) -> None:
        if self._clock() - self._read_at > TTL:
            self.refresh()

    def _look_again(self, *, anyhow: bool = False) -> bool:
        """Describe, unless that was done just now: one look serves many calls at once."""
        if not anyhow and self._clock() - self._looked_at <= SUSPICION:
            return False
        self.refresh()
        self._looked_at = self._clock()
        return True

    def _judge(self) -> None:
        found = {field: self._usable(name) for field, name in self.properties.items()}
        reasons = {
            field: unfit(
                self.properties[field], definition, self._needed.get(field, ()), theirs=_is_theirs(field)
            )
            for field, definition in found.items()
        }
        self._carrying.judge(reasons, [field for field, definition in found.items() if definition])

    def _usable(self, name: str) -> Json | None:
        return None if name.lower() in self._barred else self._by_lower.get(name.lower())


def _is_theirs(field: str) -> bool:
    return field in FIELDS and FIELDS[field].theirs


def unfit(name: str, definition: Json | None, values: Iterable[str], *, theirs: bool = False) -> str:
    """Why a field cannot take these values, "" when it can. theirs: it is only read."""
    if definition is None:
        return (
            f"the org shows us no field {name}: it is missing, or no permission set of ours lets us read it"
        )
    if theirs:
        return ""
    if not definition.get("updateable"):
        return f"we may not edit {name}"
    options = closed_options(definition)
    if options is None:
        return ""
    missing = sorted({part for value in values for part in value.split(";") if part} - options)
    return f"{name} has no value {', '.join(missing)}" if missing else ""


def closed_options(definition: Json) -> frozenset[str] | None:
    """The only values a field takes, None where any text is fine: only restricted picklists insist."""
    if definition.get("type") not in ("picklist", "multipicklist") or not definition.get(
        "restrictedPicklist"
    ):
        return None
    found = definition.get("picklistValues")
    return frozenset(
        str(one.get("value"))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and one.get("active")
    )
