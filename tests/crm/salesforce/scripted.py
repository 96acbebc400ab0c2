"""An org that answers as a test tells it to, for replies no org gives on demand. In memory, over `responses`.

It knows accounts, users and one describe; a script says which rows, or which whole requests, it refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from pydantic import SecretStr

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.ids import numbered
from icp_sync.crm.salesforce.login import Credentials, Login
from icp_sync.crm.salesforce.roster import roster
from icp_sync.crm.salesforce.values import Values
from icp_sync.crm.salesforce.writes.jobs import Jobs
from icp_sync.crm.salesforce.writes.writing import BULK_FROM, Writer
from icp_sync.domain.plan import Outcome, Write
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.quota import Quota

URL = "https://acme.my.salesforce.com"
DATA = f"{URL}/services/data/v66.0"
NOW = 1_795_341_600.0
"""22 November 2026, 10:00 UTC."""

PROPERTIES = {
    "tier": "ICP_Tier__c",
    "fit_score": "ICP_Fit_Score__c",
    "reasons": "ICP_Reasons__c",
    "lane": "ICP_Lane__c",
    "target_account": "Target__c",
    "tier_changed_at": "ICP_Changed__c",
    "owner": "OwnerId",
}
ADA, BOB, NOBODY = (numbered("005", n) for n in (1, 2, 3))
USERS = [
    {"Id": ADA, "Email": "ada@sales.example", "Name": "Ada", "IsActive": True, "UserType": "Standard"},
    {"Id": BOB, "Email": "bob@sales.example", "Name": "Bob", "IsActive": False, "UserType": "Standard"},
    {"Id": NOBODY, "Email": "nobody@sales.example", "Name": "No", "IsActive": True, "UserType": "Standard"},
]
Answer = tuple[int, object]
LOCKED = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}


def error(code: str, message: str = "no", *fields: str) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


def row(code: str, message: str = "no", *fields: str) -> dict[str, Any]:
    return {"statusCode": code, "message": message, "fields": list(fields)}


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "updateable": True, "length": 0, **more}


class Scripted:
    """refuse: account id → errors its next writes meet, one list a write. whole: answers the next collections
    get instead of being carried out. lost: how many of the next collections are carried out unanswered.
    owners: answers the next single writes get."""

    def __init__(self, server: responses.RequestsMock, count: int = 0) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.deleted: dict[str, str] = {}
        self.fields = [
            field("Id", "id", updateable=False),
            field("ICP_Tier__c", "picklist", restrictedPicklist=True, picklistValues=values("ABCD")),
            field("ICP_Fit_Score__c", "double"),
            field("ICP_Reasons__c", "textarea", length=40),
            field(
                "ICP_Lane__c", "picklist", restrictedPicklist=True, picklistValues=values(["sales", "none"])
            ),
            field("Target__c", "boolean"),
            field("ICP_Changed__c", "datetime"),
            field("OwnerId", "reference"),
        ]
        self.refuse: dict[str, list[Sequence[Mapping[str, Any]]]] = {}
        self.whole: list[Answer] = []
        self.owners: list[Answer] = []
        self.retrieves: list[Answer] = []
        self.meanwhile: dict[str, Any] = {}  # what somebody types right after the next look
        self.now = NOW
        self.requests: list[tuple[str, str, Any, Mapping[str, str]]] = []
        self.waits: list[float] = []
        self.ids = [self.create(n + 1) for n in range(count)]
        server.add_callback("POST", f"{URL}/services/oauth2/token", self._token)
        self.jobs: Callable[[str, str, Any], Answer] = lambda method, path, body: (404, error("NOT_FOUND"))
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            server.add_callback(method, re.compile(re.escape(DATA) + "/.*"), self._call, content_type=None)

    def create(self, number: int, **held: Any) -> str:
        id = numbered("001", number)
        stamp = "2026-11-22T09:00:00.000+0000"
        self.accounts[id] = {
            "Id": id,
            "OwnerId": NOBODY,
            "LastModifiedDate": stamp,
            "Target__c": False,
            **held,
        }
        return id

    def sent(self, what: str) -> list[Any]:
        return [body for method, path, body, _ in self.requests if f"{method} {path}" == what]

    def client(self) -> Client:
        credentials = Credentials(consumer_key="k", consumer_secret=SecretStr("s"), my_domain="acme.my")
        login = Login(credentials, base_url=URL)

        def sleep(seconds: float) -> bool:
            self.waits.append(seconds)
            return False

        return Client(login=login, base_url=URL, quota=Quota({}), sleep=sleep, patience=0.0)

    def writer(self, *, jobs: Jobs | None = None, bulk_from: int = BULK_FROM) -> Writer:
        client = self.client()
        catalogue = Catalogue(client, PROPERTIES, name="t")
        vacant = ["nobody@sales.example"]
        values = Values(roster(client), SALESFORCE_DEFAULTS, catalogue, vacant_owners=vacant)
        return Writer(client, catalogue, values, jobs=jobs, bulk_from=bulk_from)

    def write(self, *writes: Write) -> dict[str, Outcome]:
        found = {outcome.account_id: outcome for outcome in self.writer().write(writes)}
        assert len(found) == len({write.account_id for write in writes})
        return found

    # The other side

    def _token(self, request: Any) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"access_token": "00D!x", "instance_url": URL})

    def _call(self, request: Any) -> tuple[int, dict[str, str], str]:
        address = urlsplit(request.url)
        path = address.path.removeprefix(urlsplit(DATA).path).strip("/")
        if request.headers.get("Content-Type") == "text/csv":
            body = request.body.decode()
        else:
            body = json.loads(request.body) if request.body else parse_qs(address.query)
        self.requests.append((request.method, path, body, dict(request.headers)))
        status, answer = self._answer(request.method, path, body, request.headers)
        headers = {"Date": formatdate(self.now, usegmt=True)}
        if isinstance(answer, str):
            return status, {**headers, "Content-Type": "text/csv; charset=UTF-8"}, answer
        headers["Content-Type"] = "application/json;charset=UTF-8"
        return status, headers, "" if answer is None else json.dumps(answer)

    def _answer(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        if path == "sobjects/Account/describe":
            return 200, {"fields": self.fields}
        if path == "composite/sobjects/Account":
            return self._retrieve(body)
        if path == "composite/sobjects":
            return self._update(body["records"])
        if path.startswith("sobjects/Account/"):
            return self._one(path.rpartition("/")[2], body, headers)
        if path.startswith("jobs/"):
            return self.jobs(method, path.removeprefix("jobs/ingest").strip("/"), body)
        if path.startswith("query"):
            return self._query(body["q"][0])
        return (200, {"a": {}}) if path == "limits" else (404, error("NOT_FOUND"))

    def _retrieve(self, body: Mapping[str, Any]) -> Answer:
        if self.retrieves:
            return self.retrieves.pop(0)
        known = {entry["name"] for entry in self.fields} | {"LastModifiedDate"}
        for name in body["fields"]:
            if name not in known:
                return 400, error("INVALID_FIELD", f"No such column '{name}' on sobject of type Account")
        found = [self.accounts.get(id) for id in body["ids"]]
        shown = [{n: one.get(n) for n in body["fields"]} if one else None for one in found]
        for id, typed in list(self.meanwhile.items()):
            self.accounts[id].update(typed)
        self.meanwhile = {}
        return 200, shown

    def _update(self, records: Sequence[Mapping[str, Any]]) -> Answer:
        if self.whole:
            return self.whole.pop(0)
        return 200, [self._row(record) for record in records]

    def _row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        id = record["id"]
        errors = self.refuse[id].pop(0) if self.refuse.get(id) else ()
        if id not in self.accounts:
            errors = [row("ENTITY_IS_DELETED", "entity is deleted")]
        if errors:
            return {"success": False, "errors": list(errors)}
        self.accounts[id].update({n: v for n, v in record.items() if n not in ("id", "attributes")})
        return {"id": id, "success": True, "errors": []}

    def _one(self, id: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        if self.owners:
            return self.owners.pop(0)
        self.accounts[id].update(body)
        return 204, None

    def _query(self, soql: str) -> Answer:
        if "FROM User" in soql:
            return 200, {"done": True, "records": USERS}
        rows = [
            {"Id": id, "IsDeleted": id in self.deleted, "MasterRecordId": self.deleted.get(id) or None}
            for id in re.findall(r"'(\w+)'", soql)
            if id in self.deleted or id in self.accounts
        ]
        return 200, {"done": True, "records": rows}


def values(known: Sequence[str]) -> list[dict[str, Any]]:
    return [{"value": value, "label": value, "active": True} for value in known]
