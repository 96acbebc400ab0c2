"""The contacts of accounts: who works there, and the job titles. Reads nothing else of a person.

A contact has one account of its own ("Contact", Object Reference); further ones it is only related to are
left aside. A query shows what is shared with us, so a contact may be missing and nothing says so.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contact.htm
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import account_id, long_id
from icp_sync.crm.salesforce.replies import codes, named_fields
from icp_sync.crm.salesforce.rights import is_missing_right
from icp_sync.errors import AuthError, RequestError
from icp_sync.ports import Related

TITLE = "Title"


def contacts(client: Client, executor: Executor, ids: Sequence[str]) -> dict[str, tuple[Related, ...]]:
    """Account id → its contacts in order of id, () where it has none or is gone. Raises AuthError naming the
    right that is missing; titles that are hidden from us are blank."""
    found: dict[str, dict[str, Related]] = {id: {} for id in ids}
    known = {whole: id for id in found if (whole := account_id(id))}
    chunks = list(soql.chunks(list(known)))
    for rows in executor.map(lambda chunk: _rows(client, chunk), chunks):
        for row in rows:
            account = known.get(long_id(str(row.get("AccountId") or "")), "")
            contact = long_id(str(row.get("Id") or ""))
            if account and contact:
                title = str(row.get(TITLE) or "").strip()
                found[account][contact] = Related(id=contact, title=title)
    return {account: tuple(people[id] for id in sorted(people)) for account, people in found.items()}


def _rows(client: Client, accounts: Sequence[str]) -> list[Json]:
    try:
        return _read(client, ("Id", TITLE, "AccountId"), accounts)
    except RequestError as error:
        if TITLE not in named_fields(codes(error)):
            raise _unreadable(error) from error
    try:
        return _read(client, ("Id", "AccountId"), accounts)
    except RequestError as error:
        raise _unreadable(error) from error


def _read(client: Client, fields: Sequence[str], accounts: Sequence[str]) -> list[Json]:
    statement = soql.select(fields, "Contact", [soql.among("AccountId", accounts)])
    return [row for page in client.query(statement) for row in page]


def _unreadable(error: RequestError) -> Exception:
    """The error to raise: a matter of rights where it is one. An object we may not read is none for us."""
    if not is_missing_right(error):
        return error
    return AuthError(
        "the integration user may not read contacts",
        next_step="give its permission set Read on Contact and on Contact.AccountId, then icp-sync check",
    )
