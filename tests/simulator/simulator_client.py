"""A plain HTTP client for the simulator's tests: what goes over the wire, nothing hidden."""

import requests

COMPANIES = "/crm/v3/objects/companies"
DATED = "/crm/objects/2026-09/companies"
PROPERTIES = "/crm/v3/properties/companies"


class Client:
    """Calls one simulator with one token. `call` gives the raw answer, the verbs status and JSON."""

    def __init__(self, crm, token=None):
        self.crm = crm
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token or crm.token}"

    def call(self, method, path, **how):
        return self.session.request(method, self.crm.url + path, timeout=20, **how)

    def json(self, method, path, body=None, **how):
        answer = self.call(method, path, json=body, **how)
        return answer.status_code, answer.json() if answer.content else None

    def get(self, path, **query):
        return self.json("GET", path, params=query)

    def post(self, path, body=None):
        return self.json("POST", path, body)

    def patch(self, path, body):
        return self.json("PATCH", path, body)

    def delete(self, path):
        return self.json("DELETE", path)

    # -- short forms of what most tests need

    def make(self, **properties):
        """A new company's id."""
        status, body = self.post(COMPANIES, {"properties": properties})
        assert status == 201, body
        return body["id"]

    def company(self, company_id, *properties):
        return self.get(f"{COMPANIES}/{company_id}", properties=",".join(properties))[1]["properties"]

    def update(self, *inputs, path=COMPANIES):
        """batch/update of (id, properties) or (id, properties, trace) tuples."""
        return self.post(f"{path}/batch/update", {"inputs": [batch_input(*one) for one in inputs]})

    def search(self, *filters, **more):
        groups = [{"filters": [dict(f) for f in filters]}] if filters else []
        return self.post(f"{COMPANIES}/search", {"filterGroups": groups, "limit": 200, **more})

    def found(self, *filters, **more):
        """The ids a search finds on its first page."""
        status, body = self.search(*filters, **more)
        assert status == 200, body
        return [hit["id"] for hit in body["results"]]


def batch_input(company_id, properties, trace=None):
    one = {"id": company_id, "properties": properties}
    return one if trace is None else {**one, "objectWriteTraceId": trace}


def where(name, operator, value=None, **more):
    """One search filter."""
    given = {"propertyName": name, "operator": operator, **more}
    return given if value is None else {**given, "value": value}
