"""HubSpot's calls as plain data: the official client for addresses and bodies, our transport for the wire.

The client's public `api_factory` hook gets one object per API, kept for good, whose connection pool is
replaced by a thin adapter onto the shared `Transport`: one pool, one retry policy, limits and metrics in
one place, dated paths. (Left alone it opens a connection per call, has no timeout, and repeats a GET that
was answered 429 three times unseen.) Replies stay raw JSON: its models cost ten times the parsing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from hubspot import HubSpot as OfficialClient
from pydantic import SecretStr

from icp_sync.crm.hubspot import paths
from icp_sync.crm.hubspot.replies import HubSpotDialect
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.http import Reply, Transport, UncertainError
from icp_sync.quota import Quota

Json = dict[str, Any]

BATCH = 100
SEARCH_PAGE = 200
LIST_PAGE = 100
COMPANIES, CONTACTS, DEALS = "companies", "contacts", "deals"

_RAW = {"_preload_content": False}


class _Pool:
    """What the official client takes for its urllib3 pool."""

    def __init__(self, transport: Transport, version: str) -> None:
        self._transport = transport
        self._version = version

    def request(
        self,
        method: str,
        url: str,
        *,
        fields: Sequence[tuple[str, object]] | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> Reply:
        path = url.removeprefix(self._transport.base_url)
        return self._transport.send(
            method,
            paths.dated(path, self._version),
            endpoint=paths.endpoint(method, path.partition("?")[0]),
            params=list(fields or ()),
            body=body,
            headers=headers,
        )


class Records:
    """The reads there are of one type of records. api: the official client's module for it."""

    def __init__(self, api: Any, now: Callable[[], float]) -> None:
        self.now = now
        self._basic = api.basic_api
        self._batches = api.batch_api
        self._searches = api.search_api

    def search(self, request: Json) -> Json:
        return _object(self._searches.do_search(request, **_RAW))

    def batch_read(self, ids: Sequence[str], properties: Sequence[str]) -> Json:
        """At most 100 ids. Missing ones are among `errors` (HTTP 207), or absent."""
        request = {"inputs": [{"id": id} for id in ids], "properties": list(properties)}
        return _object(self._batches.read(request, **_RAW))

    def list_page(self, properties: Sequence[str], *, after: str = "", archived: bool = False) -> Json:
        """Up to 100 records in id order; `after` is an id."""
        cursor = {"after": after} if after else {}
        return _object(
            self._basic.get_page(
                limit=LIST_PAGE, properties=list(properties), archived=archived, **cursor, **_RAW
            )
        )

    def one(self, id: str, properties: Sequence[str]) -> Json | None:
        """One record, None when there is none. A merged-away id answers with its survivor."""
        return _or_none(lambda: self._basic.get_by_id(id, properties=list(properties), **_RAW))


class Client:
    """One portal's API. Every method raises what `Transport.send` raises, or UnavailableError for JSON of
    an unforeseen shape."""

    def __init__(
        self,
        *,
        token: SecretStr,
        base_url: str,
        version: str,
        quota: Quota,
        name: str,
        stop: threading.Event,
        connections: int,
        patience: float,
    ) -> None:
        self.dialect = HubSpotDialect()
        self._asked = False
        self.transport = Transport(
            base_url,
            token=token,
            name=name,
            quota=quota,
            dialect=self.dialect,
            stop=stop,
            connections=connections,
            patience=patience,
        )
        self._pool = _Pool(self.transport, version)
        sdk = OfficialClient(host=self.transport.base_url, api_factory=self._api)
        self._sdk = sdk
        self.companies = Records(sdk.crm.companies, self.now)
        self._batches = sdk.crm.companies.batch_api
        self._properties = sdk.crm.properties.core_api
        self._groups = sdk.crm.properties.groups_api
        self._owners = sdk.crm.owners.owners_api

    def _api(self, package: Any, name: str, config: Mapping[str, object]) -> Any:
        configuration = package.Configuration()
        configuration.host = config["host"]
        api_client = package.ApiClient(configuration=configuration)
        api_client.rest_client.pool_manager = self._pool
        return getattr(package, name)(api_client=api_client)

    # Companies

    def search(self, request: Json) -> Json:
        return self.companies.search(request)

    def batch_read(self, ids: Sequence[str], properties: Sequence[str]) -> Json:
        return self.companies.batch_read(ids, properties)

    def batch_update(self, inputs: Sequence[Json]) -> Json:
        """At most 100 inputs with distinct ids. Raises UncertainError when the fate is unknown."""
        reply = self._batches.update({"inputs": list(inputs)}, **_RAW)
        try:
            return _object(reply)
        except UnavailableError as error:
            raise UncertainError(str(error)) from error

    def list_page(self, properties: Sequence[str], *, after: str = "", archived: bool = False) -> Json:
        return self.companies.list_page(properties, after=after, archived=archived)

    def company(self, id: str, properties: Sequence[str]) -> Json | None:
        return self.companies.one(id, properties)

    # Contacts and deals, whose APIs are loaded by those who read them

    @cached_property
    def _associations(self) -> Any:
        return self._sdk.crm.associations.v4.batch_api

    @cached_property
    def _contacts(self) -> Any:
        return self._sdk.crm.contacts.batch_api

    def contacts_of(self, inputs: Sequence[Json]) -> Json:
        """The contacts of at most 1,000 companies: inputs of `id` and, for a further page, `after`."""
        return _object(self._associations.get_page(COMPANIES, CONTACTS, {"inputs": list(inputs)}, **_RAW))

    def contacts(self, ids: Sequence[str], properties: Sequence[str]) -> Json:
        """At most 100 contacts. Missing ones are among `errors` (HTTP 207), or absent."""
        request = {"inputs": [{"id": id} for id in ids], "properties": list(properties)}
        return _object(self._contacts.read(request, **_RAW))

    @cached_property
    def deals(self) -> Records:
        return Records(self._sdk.crm.deals, self.now)

    def companies_of(self, inputs: Sequence[Json]) -> Json:
        """The companies of at most 1,000 deals: inputs of `id` and, for a further page, `after`."""
        return _object(self._associations.get_page(DEALS, COMPANIES, {"inputs": list(inputs)}, **_RAW))

    def pipelines(self) -> Json:
        """Every pipeline of deals with its stages."""
        return _object(self._sdk.crm.pipelines.pipelines_api.get_all(DEALS, **_RAW))

    # Properties

    def properties(self, *, archived: bool = False) -> list[Json]:
        found = _object(self._properties.get_all(COMPANIES, archived=archived, **_RAW)).get("results")
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    def property(self, name: str) -> Json | None:
        return _or_none(lambda: self._properties.get_by_name(COMPANIES, name, **_RAW))

    def create_property(self, definition: Json) -> Json:
        return _object(self._properties.create(COMPANIES, definition, **_RAW))

    def change_property(self, name: str, changes: Json) -> Json:
        return _object(self._properties.update(COMPANIES, name, changes, **_RAW))

    def group(self, name: str) -> Json | None:
        return _or_none(lambda: self._groups.get_by_name(COMPANIES, name, **_RAW))

    def create_group(self, definition: Json) -> Json:
        return _object(self._groups.create(COMPANIES, definition, **_RAW))

    # The portal

    def owners(self, *, after: str = "", archived: bool = False) -> Json:
        cursor = {"after": after} if after else {}
        return _object(self._owners.get_page(limit=100, archived=archived, **cursor, **_RAW))

    def account(self) -> Json:
        return _object(self._pool.request("GET", paths.ACCOUNT))

    def property_limits(self) -> Json:
        """How many custom properties each object type may have and has."""
        return _object(self._pool.request("GET", paths.PROPERTY_LIMITS))

    def now(self) -> float:
        """HubSpot's clock, UTC epoch seconds; asks for it once when nothing was heard yet."""
        if not self.transport.clock.heard and not self._asked:
            self.account()
            self._asked = True
        return self.transport.now()


def next_after(page: Mapping[str, Any]) -> str:
    """The cursor of the next page, "" on the last."""
    paging = page.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return "" if after is None else str(after)


def results(page: Mapping[str, Any]) -> list[Json]:
    """The records of a page or batch; whatever has no id is left out."""
    found = page.get("results")
    if not isinstance(found, list):
        return []
    return [record for record in found if isinstance(record, dict) and record.get("id") is not None]


def _object(reply: Reply) -> Json:
    if not isinstance(reply.data, dict):
        raise UnavailableError(f"HubSpot answered {type(reply.data).__name__} where an object was due")
    return reply.data


def _or_none(call: Any) -> Json | None:
    try:
        return _object(call())
    except RequestError as error:
        if error.status == 404:
            return None
        raise
