"""Which endpoint a path means, in both path families.

`/crm/v3/objects/companies/…` and `/crm/objects/2026-09/companies/…` are the same endpoint; a trailing slash
does not matter. https://developers.hubspot.com/docs/guides/api/overview
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from icp_sync.simulator.hubspot import (
    account,
    associations,
    batch,
    lists,
    objects,
    properties,
    search,
    tasks,
)
from icp_sync.simulator.hubspot.call import Call
from icp_sync.simulator.hubspot.errors import Refusal, error, method_not_allowed, missing_scopes, not_found
from icp_sync.simulator.hubspot.portal import COMPANIES, CONTACTS, DEALS, OBJECT_TYPES, TASKS
from icp_sync.simulator.server import Reply

DATED = ("2026-03", "2026-09")
READ = ("crm.objects.companies.read",)
WRITE = ("crm.objects.companies.write",)
SCHEMA_READ = ("crm.schemas.companies.read", "crm.objects.companies.read")
SCHEMA_WRITE = ("crm.schemas.companies.write",)
CONTACTS_READ = ("crm.objects.contacts.read",)
CONTACTS_WRITE = ("crm.objects.contacts.write",)
DEALS_READ = ("crm.objects.deals.read",)
DEALS_WRITE = ("crm.objects.deals.write",)
DEAL_SCHEMA_READ = ("crm.schemas.deals.read", "crm.objects.deals.read")
DEAL_SCHEMA_WRITE = ("crm.schemas.deals.write",)
OWNERS = ("crm.objects.owners.read",)
LISTS_READ = ("crm.lists.read",)
LISTS_WRITE = ("crm.lists.write",)
_OTHER_TYPES = {**OBJECT_TYPES, "tickets": "tickets", "ticket": "tickets", "0-5": "tickets"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint. `label` names it in statistics and faults; any one of `scopes` is enough.

    exempt: does not count into the ten-secondly limit. search: counts into the secondly one.
    """

    label: str
    run: Callable[[Call], Reply]
    scopes: tuple[str, ...] = ()
    exempt: bool = False
    search: bool = False


Table = Mapping[tuple[str, ...], Mapping[str, Endpoint]]


def _table(*rows: tuple[str, Callable[[Call], Reply], tuple[str, ...]]) -> Table:
    """Rows of "METHOD pattern"; `*` in a pattern is a variable part."""
    table: dict[tuple[str, ...], dict[str, Endpoint]] = {}
    for text, run, scopes in rows:
        method, _, pattern = text.partition(" ")
        searching = pattern.endswith("/search") and not pattern.startswith("lists")
        endpoint = Endpoint(
            label=_label(method, pattern),
            run=run,
            scopes=scopes,
            exempt=searching or pattern.startswith("associations/"),  # x-hubspot-rate-limit-exemptions
            search=searching,
        )
        table.setdefault(tuple(pattern.split("/")), {})[method] = endpoint
    return table


def _label(method: str, pattern: str) -> str:
    if pattern.startswith("associations/"):
        return f"{method} associations/batch/read"
    short = (
        pattern.removeprefix("companies/") if "/batch" in pattern or pattern.endswith("search") else pattern
    )
    return f"{method} {short.replace('*', '{id}')}"


ENDPOINTS = _table(
    ("GET companies", objects.list_page, READ),
    ("POST companies", objects.create, WRITE),
    ("GET companies/*", objects.read, READ),
    ("PATCH companies/*", objects.update, WRITE),
    ("DELETE companies/*", objects.archive, WRITE),
    ("POST companies/search", search.search, READ),
    ("POST companies/merge", objects.merge, WRITE),
    ("POST companies/batch/read", batch.read, READ),
    ("POST companies/batch/create", batch.create, WRITE),
    ("POST companies/batch/update", batch.update, WRITE),
    ("POST companies/batch/upsert", batch.upsert, WRITE),
    ("POST companies/batch/archive", batch.archive, WRITE),
    ("GET contacts", objects.list_page, CONTACTS_READ),
    ("GET contacts/*", objects.read, CONTACTS_READ),
    ("POST contacts/search", search.search, CONTACTS_READ),
    ("POST contacts/batch/read", batch.read, CONTACTS_READ),
    ("GET deals", objects.list_page, DEALS_READ),
    ("GET deals/*", objects.read, DEALS_READ),
    ("POST deals/search", search.search, DEALS_READ),
    ("PATCH deals/*", objects.update, DEALS_WRITE),
    ("POST deals/batch/read", batch.read, DEALS_READ),
    ("POST deals/batch/update", batch.update, DEALS_WRITE),
    ("GET tasks", objects.list_page, CONTACTS_READ),
    ("POST tasks", tasks.create, CONTACTS_WRITE),
    ("GET tasks/*", objects.read, CONTACTS_READ),
    ("PATCH tasks/*", objects.update, CONTACTS_WRITE),
    ("DELETE tasks/*", objects.archive, CONTACTS_WRITE),
    ("POST tasks/search", search.search, CONTACTS_READ),
    ("POST tasks/batch/read", batch.read, CONTACTS_READ),
    ("GET pipelines/deals", account.list_pipelines, DEALS_READ),
    ("POST associations/deals/companies/batch/read", associations.companies_of_deals, DEALS_READ),
    ("POST associations/companies/tasks/batch/read", associations.tasks_of_companies, CONTACTS_READ),
    ("POST associations/*/*/batch/read", associations.contacts_of_companies, CONTACTS_READ),
    ("GET properties", properties.list_all, SCHEMA_READ),
    ("POST properties", properties.create, SCHEMA_WRITE),
    ("GET properties/*", properties.read, SCHEMA_READ),
    ("PATCH properties/*", properties.update, SCHEMA_WRITE),
    ("DELETE properties/*", properties.archive, SCHEMA_WRITE),
    ("POST properties/batch/read", properties.batch_read, SCHEMA_READ),
    ("POST properties/batch/create", properties.batch_create, SCHEMA_WRITE),
    ("POST properties/batch/archive", properties.batch_archive, SCHEMA_WRITE),
    ("GET properties/groups", properties.list_groups, SCHEMA_READ),
    ("POST properties/groups", properties.create_group, SCHEMA_WRITE),
    ("GET properties/groups/*", properties.read_group, SCHEMA_READ),
    ("PATCH properties/groups/*", properties.update_group, SCHEMA_WRITE),
    ("DELETE properties/groups/*", properties.archive_group, SCHEMA_WRITE),
    ("GET deal-properties", properties.list_all, DEAL_SCHEMA_READ),
    ("POST deal-properties", properties.create, DEAL_SCHEMA_WRITE),
    ("GET deal-properties/*", properties.read, DEAL_SCHEMA_READ),
    ("PATCH deal-properties/*", properties.update, DEAL_SCHEMA_WRITE),
    ("DELETE deal-properties/*", properties.archive, DEAL_SCHEMA_WRITE),
    ("GET deal-properties/groups", properties.list_groups, DEAL_SCHEMA_READ),
    ("POST deal-properties/groups", properties.create_group, DEAL_SCHEMA_WRITE),
    ("GET deal-properties/groups/*", properties.read_group, DEAL_SCHEMA_READ),
    ("DELETE deal-properties/groups/*", properties.archive_group, DEAL_SCHEMA_WRITE),
    ("GET lists", lists.read_many, LISTS_READ),
    ("POST lists", lists.create, LISTS_WRITE),
    ("POST lists/search", lists.search, LISTS_READ),
    ("GET lists/object-type-id/*/name/*", lists.read_by_name, LISTS_READ),
    ("GET lists/*", lists.read, LISTS_READ),
    ("DELETE lists/*", lists.delete, LISTS_WRITE),
    ("PUT lists/*/restore", lists.restore, LISTS_WRITE),
    ("PUT lists/*/update-list-filters", lists.update_filters, LISTS_WRITE),
    ("PUT lists/*/update-list-name", lists.update_name, LISTS_WRITE),
    ("GET lists/*/memberships", lists.memberships, LISTS_READ),
    ("GET owners", account.list_owners, OWNERS),
    ("GET owners/*", account.read_owner, OWNERS),
    ("GET limits/custom-properties", properties.limits, READ + SCHEMA_READ),
    ("GET account-info/details", account.details, ()),
    ("GET account-info/api-usage/daily/private-apps", account.daily_usage, ()),
)
_FIXED = {"search", "merge", "batch", "groups"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes, or why it goes nowhere."""

    endpoint: Endpoint | None = None
    kind: str = COMPANIES
    version: str = ""
    rest: tuple[str, ...] = ()
    refusal: Refusal | None = None

    def label(self, method: str) -> str:
        return self.endpoint.label if self.endpoint is not None else f"{method} (unknown)"


def find(method: str, segments: tuple[str, ...]) -> Target:
    """The endpoint a path means; unknown paths, types and methods come back with their refusal."""
    located = _locate(segments)
    if located is None:
        return Target(refusal=not_found())
    version, area, rest = located
    if area in ("objects", "properties", "pipelines"):
        if not rest:
            return Target(refusal=not_found())
        return _of_type(method, version, area, rest[0], rest[1:])
    if area == "associations":
        rest = tuple(OBJECT_TYPES.get(part, part) for part in rest)
    return _match(method, version, (area, *rest))


def _of_type(method: str, version: str, area: str, name: str, rest: tuple[str, ...]) -> Target:
    """The endpoint for one type of records."""
    kind = OBJECT_TYPES.get(name, "")
    if kind == COMPANIES and area != "pipelines":
        return _match(method, version, (kind, *rest) if area == "objects" else (area, *rest))
    served = {"objects": (CONTACTS, DEALS, TASKS), "pipelines": (DEALS,), "properties": (DEALS,)}
    if kind in served.get(area, ()):
        pattern = {"objects": (kind, *rest), "properties": ("deal-properties", *rest)}
        target = _match(method, version, pattern.get(area, (area, kind, *rest)))
        if target.endpoint is not None:
            return replace(target, kind=kind)
    return Target(version=version, refusal=_other_type(name, method, area))


def _locate(segments: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]] | None:
    """Version, area and the rest of a path in either family."""
    match segments:
        case ("crm", "v3" as version, area, *rest) if area != "associations":
            return version, area, tuple(rest)
        case ("crm", "v4" as version, "associations" as area, *rest):
            return version, area, tuple(rest)
        case ("crm", area, version, *rest) if version in DATED:
            return version, area, tuple(rest)
        case ("account-info", version, *rest) if version in (*DATED, "v3"):
            return version, "account-info", tuple(rest)
    return None


def _match(method: str, version: str, pattern: tuple[str, ...]) -> Target:
    for known, methods in ENDPOINTS.items():
        if len(known) != len(pattern):
            continue
        if all(a == b or (a == "*" and b not in _FIXED) for a, b in zip(known, pattern, strict=True)):
            endpoint = methods.get(method)
            rest = tuple(b for a, b in zip(known, pattern, strict=True) if a == "*")
            if endpoint is None:
                return Target(version=version, refusal=method_not_allowed())
            return Target(endpoint=endpoint, version=version, rest=rest)
    return Target(version=version, refusal=not_found())


def _other_type(kind: str, method: str, area: str) -> Refusal:
    """Types the portal has but no token here may see, and types nobody has."""
    name = _OTHER_TYPES.get(kind)
    if name is None:
        return Refusal(400, error(f"Unable to infer object type from: {kind}"))
    access = "read" if method == "GET" else "write"
    return missing_scopes([f"crm.{'schemas' if area == 'properties' else 'objects'}.{name}.{access}"])
