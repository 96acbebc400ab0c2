"""Associations read in batches: from companies to their contacts.

Up to 1,000 companies a request, 500 contacts of each a page. A company without any is an error entry of a
207, and so is one that does not exist.
https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_right

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
from icp_sync.simulator.hubspot.portal import COMPANIES, CONTACTS, OBJECT_TYPES
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

MOST = 1_000
PAGE = 500
TIED, PRIMARY = 280, 2
"""Type ids from a company to a contact: tied at all, and the company is the contact's primary one."""


def batch_read(call: Call) -> Reply:
    """The contacts of each company, page by page; each company that has none is named in an error."""
    _refuse_others(*call.rest)
    results: list[Json] = []
    errors: list[Json] = []
    for company_id, after in _inputs(call.json()).items():
        company = call.portal.store.get(record_id(company_id))
        tied = _tied(call, company) if company is not None else []
        if company is None or not tied:
            errors.append(_none(company_id))
            continue
        start = bisect_right(tied, _last(after)) if after else 0
        page = tied[start : start + PAGE]
        result: Json = {"from": {"id": company_id}, "to": [_entry(call, company, i) for i in page]}
        if start + PAGE < len(tied):
            cursor = b64encode(f"0-1-{page[-1]}".encode()).decode()
            result["paging"] = {"next": {"after": cursor, "link": f"?after={cursor}"}}
        results.append(result)
    return reply(call, results, errors)


def _refuse_others(origin: str, target: str) -> None:
    """Only one pair of types is served; of the others a token may not see, or there are none."""
    for kind in (origin, target):
        if kind not in OBJECT_TYPES and kind not in ("deals", "tickets"):
            raise Refusal(400, error(f"Unable to infer object type from: {kind}"))
    if (OBJECT_TYPES.get(origin), OBJECT_TYPES.get(target)) != (COMPANIES, CONTACTS):
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


def _tied(call: Call, company: Record) -> list[int]:
    tied = call.portal.ties.of(company.id)
    if call.portal.switches.stale_associations:
        return tied
    return [i for i in tied if call.portal.contacts.store.get(i) is not None]


def _last(cursor: str) -> int:
    try:
        last = record_id(b64decode(cursor, validate=True).decode().rpartition("-")[2])
    except ValueError:
        last = -1
    if last < 0:
        raise invalid(f"Invalid paging cursor: {cursor[:40]}")
    return last


def _entry(call: Call, company: Record, contact: int) -> Json:
    """The documentation writes ids as numbers, the specification of the dated versions as text."""
    types: list[Json] = [{"category": "HUBSPOT_DEFINED", "typeId": TIED, "label": None}]
    if call.portal.ties.companies_of(contact)[:1] == [company.id]:
        types.append({"category": "HUBSPOT_DEFINED", "typeId": PRIMARY, "label": "Primary"})
    return {"toObjectId": contact if call.version == "v4" else str(contact), "associationTypes": types}


def _none(company_id: str) -> Json:
    context: Json = {
        "fromObjectId": [company_id],
        "fromObjectType": ["company"],
        "toObjectType": ["contact"],
    }
    message = f"No contact is associated with company {company_id}."
    return batch_error(
        "OBJECT_NOT_FOUND", message, context, subCategory="crm.associations.NO_ASSOCIATIONS_FOUND"
    )
