"""The company and the property a probe makes, and their removal. Touches nothing that is called otherwise.

What an earlier probe left behind, because it was killed, goes first: the company by the id the journal knows,
or by search, which may lag; the property by being used again and removed at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.replies import complaints
from icp_sync.crm.probing import DOMAIN, LEFT, NAME, Calls, OutOfCallsError, Seen, plainly
from icp_sync.errors import AuthError, ConfigError, IcpSyncError, Problem, UnavailableError

PROPERTY = "icp_sync_probe"
LABEL = "icp-sync probe (delete me)"
COMPANIES = "/crm/v3/objects/companies"
PROPERTIES = "/crm/v3/properties/companies"
GROUP = "companyinformation"
"""A group every portal has ("Properties" guide of the CRM API)."""

LOOKED_AT = 10
"""Records looked at for what earlier probes left."""
TRIES = 3
AGAIN = 1.0
"""Seconds until a property just made can be written to: definitions are read back 0.25 to 0.7 s late."""


class Scratch:
    """One company with one property, and the values it was given. gone: known ids of earlier probes under
    which there is nothing of a probe any more: somebody removed it, or made it theirs."""

    def __init__(self, client: Client, calls: Calls) -> None:
        self._client = client
        self._calls = calls
        self._property = False
        self._unsure = False
        self.id = ""
        self.removed: list[str] = []
        self.gone: list[str] = []
        self.left: list[str] = []

    # Before

    def clear(self, known: Sequence[str]) -> None:
        """Remove what earlier probes left, as far as it can be found."""
        request = {
            "filterGroups": [{"filters": [{"propertyName": "domain", "operator": "EQ", "value": DOMAIN}]}],
            "properties": ["name", "domain"],
            "limit": LEFT,
        }
        self._calls.tidying = True
        found = self._calls("POST", f"{COMPANIES}/search", json=request)
        listed = found.at("results")
        hits = [str(one.get("id")) for one in (listed if isinstance(listed, list) else [])]
        for id in list(dict.fromkeys([*reversed(known), *hits]))[:LOOKED_AT]:
            if not id.isdecimal() or len(self.removed) >= LEFT:
                continue
            there = self._calls("GET", f"{COMPANIES}/{id}?properties=name,domain")
            if there.status == 404 or (there.good and not _ours(there)):
                self.gone.append(id)
            elif _ours(there):
                self._remove(id)
        self._calls.tidying = False

    def make(self) -> None:
        """The property, then the company. Raises ConfigError where something of others is in the way."""
        definition = {
            "name": PROPERTY,
            "label": LABEL,
            "type": "number",
            "fieldType": "number",
            "groupName": GROUP,
            "description": "Made by icp-sync check --probe, which removes it again.",
        }
        self._property = True  # also where its reply is lost
        made = self._calls("POST", PROPERTIES, json=definition)
        if made.status == 409:
            there = self._calls("GET", f"{PROPERTIES}/{PROPERTY}")
            if (there.at("label"), there.at("type")) != (LABEL, "number"):
                self._property = False
                what = "the portal has a property of that name that no probe made"
                raise ConfigError([Problem(where=f"property {PROPERTY}", what=what, hint="rename it")])
        elif not made.good:
            self._property = False
            raise UnavailableError(f"HubSpot did not make the scratch property: {made.said()}")
        made = self._made({"name": NAME, "domain": DOMAIN})
        if required := _required(made):
            self._calls.tidying = True  # what a portal requires differs, and is none of the questions
            values = {name: self._some_value(name) for name in required}
            self._calls.tidying = False
            made = self._made({**values, "name": NAME, "domain": DOMAIN})
        if not made.good or not made.at("id"):
            raise UnavailableError(f"HubSpot did not make the scratch company: {made.said()}")
        self.id = str(made.at("id"))

    def _made(self, values: dict[str, str]) -> Seen:
        """A company is asked for; where no reply comes it may be there, and nobody knows its id."""
        self._unsure = True
        made = self._calls("POST", COMPANIES, json={"properties": values})
        self._unsure = False
        return made

    def _some_value(self, name: str) -> str:
        """A value a property takes: the first option, or a number, or a word."""
        known = self._calls("GET", f"{PROPERTIES}/{name}")
        options = known.at("options")
        first = options[0] if isinstance(options, list) and options else {}
        if isinstance(first, dict) and first.get("value"):
            return str(first["value"])
        return {"number": "1", "date": "2020-01-01", "datetime": "2020-01-01T00:00:00Z"}.get(
            str(known.at("type")), "probe"
        )

    # Meanwhile

    def write(self, value: str) -> Seen:
        """The property's value, as our own writes go out: a batch of one with a trace id."""
        entry = {"id": self.id, "objectWriteTraceId": self.id, "properties": {PROPERTY: value}}
        return self._calls("POST", f"{COMPANIES}/batch/update", json={"inputs": [entry]})

    def write_at_last(self, value: str) -> Seen:
        """The same where the property may not have been there yet."""
        for _ in range(TRIES - 1):
            seen = self.write(value)
            if seen.good or "EXIST" not in seen.said(2_000):
                return seen
            self._client.transport.wait(AGAIN)
        return self.write(value)

    def stamp(self) -> str:
        """The hs_lastmodifieddate it shows now, "" where it shows none."""
        seen = self._calls("GET", f"{COMPANIES}/{self.id}?properties=hs_lastmodifieddate")
        return str(seen.at("properties", "hs_lastmodifieddate") or "")

    # Afterwards

    def remove(self) -> None:
        """Both, as far as possible; what stays is noted in `left`. Raises nothing the other side does."""
        self._calls.tidying = True
        if self._unsure:
            self._look_for_it()
        if self.id:
            self._remove(self.id)
        if self._property:
            self._gone(f"{PROPERTIES}/{PROPERTY}", f"property {PROPERTY}")

    def _look_for_it(self) -> None:
        """The company whose making was not answered, by search: the index shows it a little later, or never
        where it was not made."""
        filters = [
            {"propertyName": "domain", "operator": "EQ", "value": DOMAIN},
            {"propertyName": "name", "operator": "EQ", "value": NAME},
        ]
        for _ in range(TRIES):
            self._client.transport.wait(AGAIN)
            try:
                asked = {"filterGroups": [{"filters": filters}], "limit": 1}
                listed = self._calls("POST", f"{COMPANIES}/search", json=asked).at("results")
            except (AuthError, UnavailableError, OutOfCallsError):
                break
            if isinstance(listed, list) and listed and isinstance(listed[0], dict):
                self.id = str(listed[0].get("id"))
                return
        self.left.append(f"company {NAME!r}, if it was made: nobody said, and search does not show it yet")

    def _remove(self, id: str) -> None:
        if self._gone(f"{COMPANIES}/{id}", f"company {id}"):
            self.removed.append(id)

    def _gone(self, path: str, what: str) -> bool:
        try:
            seen = self._calls("DELETE", path)
        except (AuthError, UnavailableError, OutOfCallsError) as error:
            why = plainly(error) if isinstance(error, IcpSyncError) else "no call was left for it"
            self.left.append(f"{what}: {why}")
            return False
        if seen.good or seen.status == 404:
            return True
        self.left.append(f"{what}: {seen.said()}")
        return False


def _required(made: Seen) -> list[str]:
    """The properties without which a portal takes no new company."""
    if made.good:
        return []
    wanted = (one for one in complaints(made.data) if one.code == "MISSING_REQUIRED_PROPERTY")
    return sorted({name for one in wanted for name in one.properties})


def _ours(seen: Seen) -> bool:
    """Whether a record was made by a probe: by its name and its domain, both."""
    return (seen.at("properties", "name"), seen.at("properties", "domain")) == (NAME, DOMAIN)
