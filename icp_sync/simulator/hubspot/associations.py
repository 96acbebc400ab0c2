"""Associations read in batches: from companies to their contacts and tasks, from deals to their companies.

Up to 1,000 records a request, 500 counterparts of each a page. A record without any is an error entry of a
207, and so is one that does not exist.
https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from icp_sync.simulator.hubspot.batch import reply
from icp_sync.simulator.hubspot.call import Call, text_of, token_of
from icp_sync.simulator.hubspot.errors import (
    Json,
    Refusal,
    batch_error,
    error,
    invalid,
    missing_scopes,
    wrong_type,
)
from icp_sync.simulator.hubspot.objects import record_id
from icp_sync.simulator.hubspot.portal import (
    COMPANIES,
    CONTACTS,
    DEALS,
    OBJECT_TYPES,
    SINGULAR,
    TASKS,
    TYPE_IDS,
    Portal,
)
from icp_sync.simulator.server import Reply

MOST = 1_000
PAGE = 500
PAIRS: Mapping[tuple[str, str], tuple[int, int]] = {
    (COMPANIES, CONTACTS): (280, 2),
    (DEALS, COMPANIES): (341, 5),
    (COMPANIES, TASKS): (191, 191),
}
"""Type ids of each pair served: tied at all, and the company is the primary one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """What one record is tied to, by ascending id; `primary` are those tied to each other in that way."""

    ids: list[int]
    primary: frozenset[int]


def contacts_of_companies(call: Call) -> Reply:
    """The contacts of each company, page by page; each company that has none is named in an error."""
    _refuse_others(*call.rest)
    return _batch_read(call, COMPANIES, CONTACTS, _contacts)


def companies_of_deals(call: Call) -> Reply:
    """The companies of each deal; each deal that has none is named in an error."""
    return _batch_read(call, DEALS, COMPANIES, _companies)


def tasks_of_companies(call: Call) -> Reply:
    """The tasks of each company, open and done; each company that has none is named in an error."""
    return _batch_read(call, COMPANIES, TASKS, _tasks)


def _batch_read(call: Call, origin: str, target: str, read: Callable[[Portal, str], Tied]) -> Reply:
    results: list[Json] = []
    errors: list[Json] = []
    for from_id, after in _inputs(call.json()).items():
        found = read(call.portal, from_id)
        if not found.ids:
            errors.append(_none(from_id, SINGULAR[origin], SINGULAR[target]))
            continue
        start = bisect_right(found.ids, _last(after)) if after else 0
        page = found.ids[start : start + PAGE]
        entries = [_entry(call, id, PAIRS[origin, target], primary=id in found.primary) for id in page]
        result: Json = {"from": {"id": from_id}, "to": entries}
        if start + PAGE < len(found.ids):
            cursor = b64encode(f"{TYPE_IDS[target]}-{page[-1]}".encode()).decode()
            result["paging"] = {"next": {"after": cursor, "link": f"?after={cursor}"}}
        results.append(result)
    return reply(call, results, errors)


def _contacts(portal: Portal, company_id: str) -> Tied:
    company = portal.store.get(record_id(company_id))
    ids = portal.ties.of(company.id) if company is not None else []
    if not portal.switches.stale_associations:
        ids = [i for i in ids if portal.contacts.store.get(i) is not None]
    primary = (i for i in ids if company is not None and portal.ties.companies_of(i)[:1] == [company.id])
    return Tied(ids=ids, primary=frozenset(primary))


def _tasks(portal: Portal, company_id: str) -> Tied:
    company = portal.store.survivor(record_id(company_id))
    ids = portal.errands.of(company.id) if company is not None else []
    live = [i for i in ids if portal.tasks.store.get(i) is not None]
    return Tied(ids=live, primary=frozenset())


def _companies(portal: Portal, deal_id: str) -> Tied:
    deal = portal.deals.store.get(record_id(deal_id))
    if deal is None:
        return Tied(ids=[], primary=frozenset())
    read = portal.sales.named if portal.switches.stale_associations else portal.sales.companies_of
    ids = read(deal.id)
    return Tied(ids=sorted(ids), primary=frozenset(ids[:1]))


def _refuse_others(origin: str, target: str) -> None:
    """Few pairs of types are served; of the others a token may not see, or there are none."""
    for kind in (origin, target):
        if kind not in OBJECT_TYPES and kind != "tickets":
            raise Refusal(400, error(f"Unable to infer object type from: {kind}"))
    if (origin, target) != (COMPANIES, CONTACTS):
        raise missing_scopes([f"crm.objects.{target}.read"])


def _inputs(body: Json) -> dict[str, str]:
    """Company id → cursor, "" for the first page."""
    given = body.get("inputs")
    if not isinstance(given, list):
        raise wrong_type(
            "java.util.ArrayList<com.hubspot.PublicFetchAssociationsBatchRequest>", token_of(given)
        )
    if len(given) > MOST:
        raise invalid(
            f"The maximum number of inputs supported in a batch is {MOST}. "
            "Please reduce the number of items and try again"
        )
    inputs = {}
    for item in given:
        if not isinstance(item, dict):
            raise wrong_type("com.hubspot.PublicFetchAssociationsBatchRequest", token_of(item))
        inputs[text_of(item.get("id"))] = text_of(item.get("after"))
    return inputs


def _last(cursor: str) -> int:
    try:
        last = record_id(b64decode(cursor, validate=True).decode().rpartition("-")[2])
    except ValueError:
        last = -1
    if last < 0:
        raise invalid(f"Invalid paging cursor: {cursor[:40]}")
    return last


def _entry(call: Call, to_id: int, types: tuple[int, int], *, primary: bool) -> Json:
    """The documentation writes ids as numbers, the specification of the dated versions as text."""
    told: list[Json] = [{"category": "HUBSPOT_DEFINED", "typeId": types[0], "label": None}]
    if primary:
        told.append({"category": "HUBSPOT_DEFINED", "typeId": types[1], "label": "Primary"})
    return {"toObjectId": to_id if call.version == "v4" else str(to_id), "associationTypes": told}


def _none(from_id: str, origin: str, target: str) -> Json:
    context: Json = {
        "fromObjectId": [from_id],
        "fromObjectType": [origin],
        "toObjectType": [target],
    }
    message = f"No {target} is associated with {origin} {from_id}."
    return batch_error(
        "OBJECT_NOT_FOUND", message, context, subCategory="crm.associations.NO_ASSOCIATIONS_FOUND"
    )
