"""simple-salesforce, used the way its own documentation does, against the simulator.

Takes ICP_SIM_URL, ICP_SIM_TOKEN, ICP_SIM_KEY and ICP_SIM_SECRET, ends with "N checks passed", and with
status 1 on the first surprise. The library writes https:// into every address; an adapter undoes that.
"""

import os
import sys
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

URL = os.environ["ICP_SIM_URL"]
passed = 0


class ToSimulator(HTTPAdapter):
    """Sends to the simulator whatever host was meant."""

    def send(self, request, **how):
        parts = urlsplit(request.url)
        request.url = URL + parts.path + (f"?{parts.query}" if parts.query else "")
        return super().send(request, **how)


def session():
    made = requests.Session()
    made.mount("https://", ToSimulator())
    return made


def check(what, held):
    global passed
    if not held:
        print(f"surprise: {what}", file=sys.stderr)
        sys.exit(1)
    passed += 1


def refused(what, kind, call):
    try:
        call()
    except kind as error:
        return error
    print(f"surprise: {what} was not refused", file=sys.stderr)
    sys.exit(1)


app = {
    "consumer_key": os.environ["ICP_SIM_KEY"],
    "consumer_secret": os.environ["ICP_SIM_SECRET"],
    "domain": "simulator.my",
    "version": "66.0",
}
sf = Salesforce(session=session(), **app)
check("a login brings a session", sf.session_id)
refused(
    "a wrong secret",
    SalesforceAuthenticationFailed,
    lambda: Salesforce(session=session(), **{**app, "consumer_secret": "wrong"}),
)

described = sf.Account.describe()
check("Account is described", described["keyPrefix"] == "001")
check("the limits are told", sf.limits()["DailyApiRequests"]["Remaining"] > 0)

every = list(sf.query_all_iter("SELECT Id, Name, Owner.Email FROM Account ORDER BY Id"))
check("query_all brings every account", len(every) == len({row["Id"] for row in every}) == 250)
check("a parent's field is nested", all("@" in row["Owner"]["Email"] for row in every))
counted = sf.query("SELECT COUNT() FROM Account")["totalSize"]
check("a count agrees with the rows", counted == 250)
wrong = refused(
    "a field nobody has", SalesforceMalformedRequest, lambda: sf.query("SELECT Shoe_Size__c FROM Account")
)
check("an unknown field is named", wrong.content[0]["errorCode"] == "INVALID_FIELD")

made = sf.Account.create({"Name": "Acme"})
check("a new account has an id", made["success"] and made["id"].startswith("001"))
check("an update answers 204", sf.Account.update(made["id"], {"NumberOfEmployees": 120}) == 204)
check("what was written can be read", sf.Account.get(made["id"])["NumberOfEmployees"] == 120)

ids = [row["Id"] for row in every[:100]]
results = sf.restful(
    "composite/sobjects",
    method="PATCH",
    json={
        "allOrNone": False,
        "records": [
            {"attributes": {"type": "Account"}, "id": id, "Description": "x" * (32_001 if n == 3 else 9)}
            for n, id in enumerate(ids)
        ],
    },
)
check("a collection answers in order", [n for n, one in enumerate(results) if not one["success"]] == [3])

(text,) = list(sf.bulk2.Account.query("SELECT Id, Name FROM Account", wait=0.1))
check("a bulk query brings every account", len(text.strip().splitlines()) == 252)
rows = [{"Id": id, "Site": "here"} for id in ids[:10]]
(told,) = sf.bulk2.Account.update(records=rows, wait=0.1)
check("a bulk update lands", told["numberRecordsTotal"] == told["numberRecordsProcessed"] == 10)
check("and can be read", sf.Account.get(ids[0])["Site"] == "here")

sf.Account.delete(made["id"])
gone = sf.query(f"SELECT Id, IsDeleted FROM Account WHERE Id = '{made['id']}'", include_deleted=True)
check("queryAll shows the deleted", gone["records"][0]["IsDeleted"])
stranger = Salesforce(session_id="00D!none", instance_url=URL, session=session(), version="66.0")
refused("a stranger", SalesforceExpiredSession, lambda: stranger.query("SELECT Id FROM Account"))

print(f"{passed} checks passed")
