"""A whole simulated Salesforce behind its port, whose clock stands still, and a plain client of it."""

from contextlib import contextmanager

import requests

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
DATA = "/services/data/v66.0"
TOKEN = "/services/oauth2/token"


class Client:
    """Calls one simulator with one session. `call` gives the raw answer, `json` status and JSON."""

    def __init__(self, crm, session=None):
        self.crm = crm
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {session or crm.token}"

    def call(self, method, path, **how):
        path = path if path.startswith("/") else f"{DATA}/{path}"
        return self.http.request(method, self.crm.url + path, timeout=20, **how)

    def json(self, method, path, body=None, **how):
        answer = self.call(method, path, json=body, **how)
        return answer.status_code, answer.json() if answer.content else None

    def query(self, soql):
        """The rows of a query, without their attributes."""
        status, body = self.json("GET", "query", params={"q": soql})
        assert status == 200, body
        return [{k: v for k, v in row.items() if k != "attributes"} for row in body["records"]]

    def describe(self, name="Account"):
        """The fields of an object by name."""
        status, body = self.json("GET", f"sobjects/{name}/describe")
        assert status == 200, body
        return {field["name"]: field for field in body["fields"]}


@contextmanager
def served(*, object_rights=False, **how):
    """A running simulator, empty unless told otherwise, where everybody may do everything."""
    with Simulator(**{"crm": "salesforce", "accounts": 0, "start_clock": NOON, **how}) as crm:
        crm.admin("POST clock", freeze=True, at=NOON)
        crm.admin("POST settings", object_rights=object_rights)
        yield crm


def sign_in(crm, basic=True, **form):
    """The answer of the token endpoint to the app's own credentials."""
    data = {"grant_type": "client_credentials", **form}
    if not basic:
        data |= {"client_id": CONSUMER_KEY, "client_secret": CONSUMER_SECRET}
    return requests.post(
        crm.url + TOKEN, data=data, auth=(CONSUMER_KEY, CONSUMER_SECRET) if basic else None, timeout=20
    )
