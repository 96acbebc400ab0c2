"""The contacts of companies: who is tied to them, and the job titles. Reads nothing else of a person.

Two kinds of calls: associations of 1,000 companies at once, 500 contacts of each a page, and job titles of
100 contacts at once ("Associations v4" and "Contacts", HubSpot's API documentation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor

from icp_sync.crm.hubspot.associations import AT_ONCE, NOBODY, ties, without
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import BATCH, Json, results
from icp_sync.crm.hubspot.replies import Complaint, complaints
from icp_sync.crm.hubspot.values import MERGED, merged_ids, properties_of
from icp_sync.crm.windows import id_order
from icp_sync.errors import UnavailableError
from icp_sync.ports import Related

MOST_TITLES = 1_000
"""Contacts of one company whose titles are read; of the others only their number counts."""

TITLE = "jobtitle"


def contacts(client: Client, executor: Executor, ids: Sequence[str]) -> dict[str, tuple[Related, ...]]:
    """Company id → its contacts in order of id; a company of which HubSpot said nothing is left out.

    Contacts that are no more, archived or merged into another, are not among them.
    """
    tied = _tied(client, list(dict.fromkeys(ids)))
    asked = dict.fromkeys(contact for found in tied.values() for contact in found[:MOST_TITLES])
    known, gone = _titles(client, executor, list(asked))
    found = {}
    for company, contact_ids in tied.items():
        people = {
            person.id: person
            for contact in contact_ids
            if contact not in gone
            for person in [known.get(contact) or Related(id=contact)]
        }
        found[company] = tuple(people[id] for id in sorted(people, key=id_order))
    return found


def _tied(client: Client, companies: Sequence[str]) -> dict[str, list[str]]:
    """Company → ids of its contacts, all pages of them."""
    tied: dict[str, list[str]] = {}
    pending: list[Json] = [{"id": company} for company in companies]
    while pending:
        batch, pending = pending[:AT_ONCE], pending[AT_ONCE:]
        page = client.contacts_of(batch)
        told = set()
        for found in ties(page):
            before = tied.setdefault(found.id, [])
            known = set(before)
            fresh = [id for id in dict.fromkeys(found.to) if id not in known]
            before += fresh
            told.add(found.id)
            if found.after:
                if not fresh:
                    raise UnavailableError("HubSpot's associations answered a page without a new contact")
                pending.append({"id": found.id, "after": found.after})
        untold = [str(one["id"]) for one in batch if str(one["id"]) not in told]
        nobody = without(page, untold, told=bool(told))
        for one in batch:
            company = str(one["id"])
            if company in told:
                continue
            if company in nobody and "after" not in one:
                tied[company] = []
            else:  # nothing was learned, or only a part
                tied.pop(company, None)
    return tied


def _titles(client: Client, executor: Executor, ids: Sequence[str]) -> tuple[Mapping[str, Related], set[str]]:
    """Contact id → the contact it stands for, and the ids that are no more."""
    batches = [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
    known: dict[str, Related] = {}
    gone: set[str] = set()
    for page in executor.map(lambda batch: client.contacts(batch, [TITLE, MERGED]), batches):
        for record in results(page):
            person = Related(id=str(record["id"]), title=(properties_of(record).get(TITLE) or "").strip())
            known |= dict.fromkeys((person.id, *merged_ids(record)), person)
        gone |= _not_found(complaints(page))
    return known, gone - known.keys()


def _not_found(told: Iterable[Complaint]) -> set[str]:
    return {id for complaint in told if complaint.code in NOBODY for id in complaint.ids}
