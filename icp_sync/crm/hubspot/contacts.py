"""The contacts of companies: who is tied to them, and the job titles. Reads nothing else of a person.

Two kinds of calls: associations of 1,000 companies at once, 500 contacts of each a page, and job titles of
100 contacts at once ("Associations v4" and "Contacts", HubSpot's API documentation). A company without any
is told by an error entry NO_ASSOCIATIONS_FOUND in a 207.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor

from icp_sync.crm.hubspot.client import BATCH, Client, Json, next_after, results
from icp_sync.crm.hubspot.replies import Complaint, complaints
from icp_sync.crm.hubspot.values import MERGED, merged_ids, properties_of
from icp_sync.crm.windows import id_order
from icp_sync.errors import UnavailableError
from icp_sync.ports import Related

COMPANIES_AT_ONCE = 1_000
MOST_TITLES = 1_000
"""Contacts of one company whose titles are read; of the others only their number counts."""

TITLE = "jobtitle"
_NOBODY = ("crm.associations.NO_ASSOCIATIONS_FOUND", "OBJECT_NOT_FOUND")


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
        batch, pending = pending[:COMPANIES_AT_ONCE], pending[COMPANIES_AT_ONCE:]
        page = client.contacts_of(batch)
        told = set()
        for company, contact_ids, after in _pages(page):
            before = tied.setdefault(company, [])
            known = set(before)
            fresh = [id for id in dict.fromkeys(contact_ids) if id not in known]
            before += fresh
            told.add(company)
            if after:
                if not fresh:
                    raise UnavailableError("HubSpot's associations answered a page without a new contact")
                pending.append({"id": company, "after": after})
        untold = [str(one["id"]) for one in batch if str(one["id"]) not in told]
        nobody = _without(page, untold, told=bool(told))
        for one in batch:
            company = str(one["id"])
            if company in told:
                continue
            if company in nobody and "after" not in one:
                tied[company] = []
            else:  # nothing was learned, or only a part
                tied.pop(company, None)
    return tied


def _pages(page: Json) -> Iterator[tuple[str, list[str], str]]:
    """Company, ids of contacts and cursor of each result."""
    found = page.get("results")
    for result in found if isinstance(found, list) else []:
        origin = result.get("from") if isinstance(result, dict) else None
        if not isinstance(origin, dict) or origin.get("id") is None:
            continue
        to = result.get("to")
        ids = [
            str(entry["toObjectId"])
            for entry in (to if isinstance(to, list) else [])
            if isinstance(entry, dict) and entry.get("toObjectId") is not None
        ]
        yield str(origin["id"]), ids, next_after(result)


def _without(page: Json, untold: Sequence[str], *, told: bool) -> set[str]:
    """Which of the companies without a result have no contact for certain.

    Those an error says so of; and, in a reply that speaks of others, those it passes over in silence.
    """
    nobody: set[str] = set()
    failed: set[str] = set()
    vague = False
    for complaint in complaints(page):
        (nobody if complaint.code in _NOBODY else failed).update(complaint.ids)
        vague |= not complaint.ids
    if (told or nobody) and not vague:
        nobody |= set(untold) - failed
    return nobody & set(untold)


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
    return {id for complaint in told if complaint.code in _NOBODY for id in complaint.ids}
