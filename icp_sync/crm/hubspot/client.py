"""HubSpot's calls as plain data: the official client for addresses and bodies, our transport for the wire.

The client's public `api_factory` hook gets one object per API, kept for good, whose connection pool is
replaced by a thin adapter onto the shared `Transport`: one pool, one retry policy, limits and metrics in
one place, dated paths. (Left alone it opens a connection per call, has no timeout, and repeats a GET that
was answered 429 three times unseen.) Replies stay raw JSON: its models cost ten times the parsing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from hubspot import HubSpot as OfficialClient
from pydantic import SecretStr

from icp_sync.crm.hubspot import paths
from icp_sync.crm.hubspot.records import LISTS, RAW, Json, Records, object_of, or_none, unless_gone
from icp_sync.crm.hubspot.replies import HubSpotDialect
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import Endpoint, Reply, Transport, UncertainError
from icp_sync.quota import DAILY, Quota

ASK_AGAIN = 900.0
"""Seconds after which HubSpot is asked how much of the day's calls is used, where no header says so."""
COMPANIES, CONTACTS, DEALS, TASKS = "companies", "contacts", "deals", "tasks"

UPDATE = "/crm/v3/objects/companies/batch/update"
_USAGE = ("usageLimit", "currentUsage")


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
            params=urlencode(list(fields or ()), safe=","),
            body=body,
            headers=headers,
        )


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
        at_once: int = 0,
    ) -> None:
        self.dialect = HubSpotDialect()
        self._asked = False
        self._usage_again = 0.0
        self.transport = Transport(
            base_url,
            token=token,
            name=name,
            quota=quota,
            dialect=self.dialect,
            stop=stop,
            connections=connections,
            patience=patience,
            at_once=at_once,
        )
        self._version = version
        self._pool = _Pool(self.transport, version)
        sdk = OfficialClient(host=self.transport.base_url, api_factory=self._api)
        self._sdk = sdk
        self.companies = Records(sdk.crm.companies, self.now)
        self._properties = sdk.crm.properties.core_api
        self._groups = sdk.crm.properties.groups_api
        self._owners = sdk.crm.owners.owners_api

    def _api(self, package: Any, name: str, config: Mapping[str, object]) -> Any:
        configuration = package.Configuration()
        configuration.host = config["host"]
        api_client = package.ApiClient(configuration=configuration)
        api_client.rest_client.pool_manager = self._pool
        api_client.sanitize_for_serialization = _plain
        return getattr(package, name)(api_client=api_client)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        version: str = "",
        endpoint: Endpoint | None = None,
    ) -> Reply:
        """Any call by its v3 path. version: instead of the connection's. endpoint: what kind of call it is,
        by default as `paths.endpoint` has it."""
        kind = endpoint or paths.endpoint(method, path.partition("?")[0])
        where = paths.dated(path, version or self._version)
        return self.transport.send(method, where, endpoint=kind, json=json)

    # Companies

    def search(self, request: Json) -> Json:
        return self.companies.search(request)

    def batch_read(self, ids: Sequence[str], properties: Sequence[str]) -> Json:
        return self.companies.batch_read(ids, properties)

    def batch_update(self, inputs: Sequence[Json]) -> Json:
        """At most 100 inputs with distinct ids. Raises UncertainError when the fate is unknown.

        Not by the official client, which takes five times as long to spell out so large a body.
        """
        return _certain(self.call("POST", UPDATE, json={"inputs": list(inputs)}))

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
        return object_of(self._associations.get_page(COMPANIES, CONTACTS, {"inputs": list(inputs)}, **RAW))

    def contacts(self, ids: Sequence[str], properties: Sequence[str]) -> Json:
        """At most 100 contacts. Missing ones are among `errors` (HTTP 207), or absent."""
        request = {"inputs": [{"id": id} for id in ids], "properties": list(properties)}
        return object_of(self._contacts.read(request, **RAW))

    @cached_property
    def deals(self) -> Records:
        return Records(self._sdk.crm.deals, self.now)

    def update_deals(self, inputs: Sequence[Json]) -> Json:
        """At most 100 inputs with distinct ids. Raises UncertainError when the fate is unknown."""
        return _certain(self._sdk.crm.deals.batch_api.update({"inputs": list(inputs)}, **RAW))

    def companies_of(self, inputs: Sequence[Json]) -> Json:
        """The companies of at most 1,000 deals: inputs of `id` and, for a further page, `after`."""
        return object_of(self._associations.get_page(DEALS, COMPANIES, {"inputs": list(inputs)}, **RAW))

    def pipelines(self) -> Json:
        """Every pipeline of deals with its stages."""
        return object_of(self._sdk.crm.pipelines.pipelines_api.get_all(DEALS, **RAW))

    @cached_property
    def _tasks(self) -> Any:
        return self._sdk.crm.objects.tasks

    def tasks_of(self, inputs: Sequence[Json]) -> Json:
        """The tasks of at most 1,000 companies: inputs of `id` and, for a further page, `after`."""
        return object_of(self._associations.get_page(COMPANIES, TASKS, {"inputs": list(inputs)}, **RAW))

    def tasks(self, ids: Sequence[str], properties: Sequence[str]) -> Json:
        """At most 100 tasks. Missing ones are among `errors` (HTTP 207), or absent."""
        request = {"inputs": [{"id": id} for id in ids], "properties": list(properties)}
        return object_of(self._tasks.batch_api.read(request, **RAW))

    def create_task(self, properties: Json, associations: Sequence[Json]) -> Json:
        """Raises UncertainError when the fate is unknown."""
        made = {"properties": properties, "associations": list(associations)}
        return _certain(self._tasks.basic_api.create(made, **RAW))

    def change_task(self, id: str, properties: Json) -> Json:
        """Raises UncertainError when the fate is unknown."""
        return _certain(self._tasks.basic_api.update(id, {"properties": properties}, **RAW))

    # Properties; of: the type of records they belong to

    def properties(self, *, archived: bool = False, of: str = COMPANIES) -> list[Json]:
        found = object_of(self._properties.get_all(of, archived=archived, **RAW)).get("results")
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    def property(self, name: str, *, of: str = COMPANIES) -> Json | None:
        return or_none(lambda: self._properties.get_by_name(of, name, **RAW))

    def create_property(self, definition: Json, *, of: str = COMPANIES) -> Json:
        return object_of(self._properties.create(of, definition, **RAW))

    def change_property(self, name: str, changes: Json, *, of: str = COMPANIES) -> Json:
        return object_of(self._properties.update(of, name, changes, **RAW))

    def archive_property(self, name: str, *, of: str = COMPANIES) -> None:
        """Archive a property, also one that is archived already. Raises RequestError for one in use."""
        unless_gone(lambda: self._properties.archive(of, name, **RAW))

    def group(self, name: str, *, of: str = COMPANIES) -> Json | None:
        return or_none(lambda: self._groups.get_by_name(of, name, **RAW))

    def create_group(self, definition: Json, *, of: str = COMPANIES) -> Json:
        return object_of(self._groups.create(of, definition, **RAW))

    def archive_group(self, name: str, *, of: str = COMPANIES) -> None:
        """Archive a group, also an archived one. Raises RequestError while properties are in it."""
        unless_gone(lambda: self._groups.archive(of, name, **RAW))

    def lists(self, *, offset: int = 0) -> Json:
        """A page of all lists, without their filters; `hasMore` and `offset` lead to the next."""
        request = {"offset": offset, "count": LISTS, "additionalProperties": []}
        return object_of(self._lists.do_search(request, **RAW))

    def list_filters(self, ids: Sequence[str]) -> Json:
        """At most 100 lists with what they filter by."""
        return object_of(self._lists.get_all(list_ids=list(ids), include_filters=True, **RAW))

    def list_named(self, name: str, type_id: str) -> Json | None:
        """The list of that name and kind of records with what it filters by, None when there is none."""
        found = or_none(
            lambda: self._lists.get_by_name(
                list_name=name, object_type_id=type_id, include_filters=True, **RAW
            )
        )
        return None if found is None else _list_in(found, "list")

    def create_list(self, definition: Json) -> Json:
        """A new list. Raises RequestError for a name that is taken, or where the plan allows no more."""
        return _list_in(object_of(self._lists.create(definition, **RAW)), "list")

    def change_list_filters(self, id: str, branch: Json) -> Json:
        reply = self._lists.update_list_filters(id, {"filterBranch": branch}, **RAW)
        return _list_in(object_of(reply), "updatedList")

    def delete_list(self, id: str) -> None:
        """Delete a list, also one that is gone already. HubSpot can restore it for a while."""
        unless_gone(lambda: self._lists.remove(id, **RAW))

    @cached_property
    def _lists(self) -> Any:
        return self._sdk.crm.lists.lists_api

    # The portal

    def owners(self, *, after: str = "", archived: bool = False) -> Json:
        cursor = {"after": after} if after else {}
        return object_of(self._owners.get_page(limit=100, archived=archived, **cursor, **RAW))

    def account(self) -> Json:
        return object_of(self._pool.request("GET", paths.ACCOUNT))

    def learn_usage(self) -> None:
        """Ask how many of the day's calls are used, where no reply has said so for a while.

        Source: "Retrieve private app usage", account information API. Not every token may ask; none has to.
        """
        quota = self.transport.quota
        if not quota.silent(ASK_AGAIN) or self.transport.now() < self._usage_again:
            return
        self._usage_again = self.transport.now() + ASK_AGAIN
        try:
            found = object_of(self._pool.request("GET", paths.DAILY_USAGE)).get("results")
        except (RequestError, AuthError):
            return
        for one in found if isinstance(found, list) else ():
            limit, used = (one.get(name) if isinstance(one, dict) else None for name in _USAGE)
            if isinstance(limit, int) and isinstance(used, int) and limit > 0:
                ends_in = self.dialect.day_left(self.transport.now())
                quota.observe(DAILY, limit=limit, remaining=max(0, limit - used), resets_in=ends_in)
                return

    def property_limits(self) -> Json:
        """How many custom properties each object type may have and has."""
        return object_of(self._pool.request("GET", paths.PROPERTY_LIMITS))

    def now(self) -> float:
        """HubSpot's clock, UTC epoch seconds; asks for it once when nothing was heard yet."""
        if not self.transport.clock.heard and not self._asked:
            self.account()
            self._asked = True
        return self.transport.now()


def _list_in(reply: Json, key: str) -> Json:
    found = reply.get(key)
    if not isinstance(found, dict) or found.get("listId") is None:
        raise UnavailableError(f"HubSpot answered no {key} where one was due")
    return found


def _plain(value: object) -> object:
    """What is sent is plain JSON already; the client would walk through every value of a batch."""
    return value


def _certain(reply: Reply) -> Json:
    """The answer to a write. Raises UncertainError for one that does not say what became of it."""
    try:
        return object_of(reply)
    except UnavailableError as error:
        raise UncertainError(str(error)) from error
