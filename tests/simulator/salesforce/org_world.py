"""A small org behind a real port, with a plain HTTP client: what goes over the wire, nothing hidden."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import requests

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.salesforce.api import LONGEST_BODY, Api
from icp_sync.simulator.salesforce.limits import DailyLimit
from icp_sync.simulator.salesforce.org import SESSION, Org
from icp_sync.simulator.salesforce.schema import Choice, FieldDef
from icp_sync.simulator.salesforce.switches import Switches
from icp_sync.simulator.server import Listener
from icp_sync.simulator.store import Source

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
DATA = "/services/data/v66.0"
ROWS = f"{DATA}/composite/sobjects"
ACCOUNTS = f"{DATA}/sobjects/Account"
QUIET = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}
PERSON = Source("UI", user_id=None)
OURS = (
    FieldDef(name="ICP_Score__c", label="ICP Score", type="double", precision=5, scale=2, custom=True),
    FieldDef(
        name="ICP_Tier__c",
        label="ICP Tier",
        type="picklist",
        restricted=True,
        custom=True,
        choices=(*(Choice(value=v, label=v) for v in "ABCD"), Choice(value="Old", label="Old", active=False)),
    ),
    FieldDef(
        name="ICP_Flags__c",
        label="ICP Flags",
        type="multipicklist",
        restricted=True,
        custom=True,
        choices=tuple(Choice(value=v, label=v) for v in ("Agency", "B2C", "Competitor")),
    ),
    FieldDef(name="ICP_Reasons__c", label="ICP Reasons", type="textarea", length=100, custom=True),
    FieldDef(name="ICP_Scored_At__c", label="ICP Scored At", type="datetime", custom=True),
    FieldDef(name="ICP_Day__c", label="ICP Day", type="date", custom=True),
    FieldDef(name="ICP_Hold__c", label="ICP Hold", type="boolean", custom=True, nillable=False),
    FieldDef(name="ICP_Key__c", label="ICP Key", type="string", length=40, custom=True, unique=True),
)


class World:
    """One org whose clock stands still, and a client signed in as the integration's user."""

    def __init__(self, org, url):
        self.org = org
        self.url = url
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {SESSION}"

    # -- over HTTP

    def call(self, method, path, **how):
        if not path.startswith("/"):
            path = f"{DATA}/{path}"
        return self.http.request(method, self.url + path, timeout=20, **how)

    def json(self, method, path, body=None, headers=None, **how):
        answer = self.call(method, path, json=body, headers=QUIET if headers is None else headers, **how)
        return answer.status_code, answer.json() if answer.content else None

    def make(self, kind="Account", **values):
        """A new record's id."""
        if kind == "Account":
            values.setdefault("Name", "Acme")
        status, body = self.json("POST", f"sobjects/{kind}", values)
        assert status == 201, body
        return body["id"]

    def shown(self, record_id, *fields, kind="Account"):
        """The values of a record, without its attributes."""
        query = {"fields": ",".join(fields)} if fields else {}
        status, body = self.json("GET", f"sobjects/{kind}/{record_id}", params=query)
        assert status == 200, body
        body.pop("attributes")
        return body

    def update(self, *rows, headers=None, **more):
        """Collections PATCH of (id, values) pairs."""
        records = [{"attributes": {"type": "Account"}, "id": i, **values} for i, values in rows]
        return self.json("PATCH", ROWS, {"records": records, **more}, headers=headers)

    def refused(self, record_id, **values):
        """Code, message and fields of the one error a row gets."""
        status, body = self.update((record_id, values))
        assert status == 200, body
        [row] = body
        assert row["success"] is False
        [error] = row["errors"]
        return error["statusCode"], error["message"], error["fields"]

    # -- behind its back

    def pass_by(self, seconds):
        self.org.clock.advance(seconds)

    def record(self, record_id, kind="account"):
        sobject = self.org.objects[kind]
        return sobject.store.records[sobject.number(record_id)]

    def edit(self, record_id, late=0.0, **values):
        """A person edits an account; `late`: seconds until the transaction commits."""
        with self.org.lock:
            self.org.accounts.write(self.record(record_id), values, PERSON, late=int(late * 1000))

    def place_of(self, record_id):
        return ("account", self.org.accounts.number(record_id))

    def person(self, email):
        return self.org.user(email).id

    def grant(self, *names, on="account"):
        """Let the integration's user read and change custom fields."""
        for name in names:
            self.org.rights.visible_fields.add((on, name.lower()))


@contextmanager
def an_org(**switches):
    """What people may do with which object is looked at only when a test asks for it."""
    turned = Switches(**{"object_rights": False, **switches})
    clock = Clock(NOON)
    clock.freeze(NOON)
    org = Org(clock=clock, switches=turned, limits=DailyLimit("off", turned), seed=1)
    for one in OURS:
        org.accounts.add_field(one)
    listener = Listener(
        "127.0.0.1", 0, Api(org, lambda seconds: None).answer, longest=LONGEST_BODY, chunked=True
    )
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    world = World(org, f"http://127.0.0.1:{listener.port}")
    world.grant(*(one.name for one in OURS))
    try:
        yield world
    finally:
        listener.end()


def with_record_type(world, **picklists):
    """A record type that offers only these values of these fields."""
    return world.org.add_record_type(
        "Partner", "Partner", {n.lower(): frozenset(v) for n, v in picklists.items()}
    )


def read_only(field):
    return replace(field, createable=False, updateable=False)
