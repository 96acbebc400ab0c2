"""The official Python client, used the way its own documentation does, against the simulator.

Takes ICP_SIM_URL and ICP_SIM_TOKEN, ends with "N checks passed", and with status 1 on the first surprise.
"""

import os
import sys
from datetime import datetime

from hubspot import HubSpot
from hubspot.crm import companies, owners, properties

passed = 0


def check(what, held):
    global passed
    if not held:
        sys.exit(f"surprise: {what}")
    passed += 1


def refused(call, *arguments, error, **named):
    """The ApiException a call is refused with."""
    try:
        call(*arguments, **named)
    except error as refusal:
        return refusal
    return sys.exit(f"surprise: {call.__name__} was not refused")


client = HubSpot(access_token=os.environ["ICP_SIM_TOKEN"], host=os.environ["ICP_SIM_URL"])
basic, batch = client.crm.companies.basic_api, client.crm.companies.batch_api

# every company, page by page
everyone = client.crm.companies.get_all(properties=["name", "domain", "industry"])
check("get_all finds companies", len(everyone) > 100)
check("no company comes twice", len({company.id for company in everyone}) == len(everyone))
check("companies have names", all(company.properties["name"] for company in everyone))
check("dates are dates", isinstance(everyone[0].created_at, datetime))
first = basic.get_page(limit=3, archived=False)
check("a page has its size", len(first.results) == 3)
second = basic.get_page(limit=3, after=first.paging.next.after)
check("the next page goes on", int(second.results[0].id) > int(first.results[-1].id))

# search, page by page
search = client.crm.companies.search_api
wanted = companies.PublicObjectSearchRequest(
    filter_groups=[{"filters": [{"propertyName": "lifecyclestage", "operator": "EQ", "value": "lead"}]}],
    sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
    properties=["lifecyclestage"],
    limit=20,
)
found = []
while True:
    page = search.do_search(wanted)
    found += page.results
    if page.paging is None:
        break
    wanted.after = page.paging.next.after
check("search pages add up to its total", len(found) == page.total > 0)
check("search finds what was asked for", {c.properties["lifecyclestage"] for c in found} == {"lead"})

# one company's life
made = basic.create(
    companies.SimplePublicObjectInputForCreate(properties={"name": "Acme", "domain": "acme.example"})
)
check("a new company has an id", made.id.isdigit())
read = basic.get_by_id(made.id, properties=["name", "city"], properties_with_history=["name"])
check("it can be read", read.properties["name"] == "Acme" and read.properties["city"] is None)
check(
    "its history names an integration", read.properties_with_history["name"][0].source_type == "INTEGRATION"
)
changed = basic.update(made.id, companies.SimplePublicObjectInput(properties={"city": "Oslo"}))
check("it can be changed", changed.properties["city"] == "Oslo" and changed.updated_at >= made.updated_at)
basic.archive(made.id)
gone = refused(basic.get_by_id, made.id, error=companies.ApiException)
check("an archived company is not found", gone.status == 404 and '"status":"error"' in gone.body)
check("it is among the archived", made.id in {c.id for c in basic.get_page(limit=100, archived=True).results})

# batches
ids = [company.id for company in everyone[:5]]
answer = batch.read(
    companies.BatchReadInputSimplePublicObjectId(
        inputs=[{"id": i} for i in ids], properties=["name"], properties_with_history=[]
    )
)
check("batch read finds all", {c.id for c in answer.results} == set(ids) and answer.status == "COMPLETE")
partly = batch.read(
    companies.BatchReadInputSimplePublicObjectId(
        inputs=[{"id": ids[0]}, {"id": "1"}], properties=["name"], properties_with_history=[]
    )
)
check(
    "batch read of an unknown id is a 207",
    partly.num_errors == 1 and partly.errors[0].context["ids"] == ["1"],
)
written = batch.update(
    companies.BatchInputSimplePublicObjectBatchInput(
        inputs=[{"id": i, "properties": {"city": "Bergen"}} for i in ids]
    )
)
check("batch update writes all", all(c.properties["city"] == "Bergen" for c in written.results))
missed = batch.update(
    companies.BatchInputSimplePublicObjectBatchInput(
        inputs=[
            {"id": ids[0], "properties": {"city": "Oslo"}, "objectWriteTraceId": "a"},
            {"id": "1", "properties": {"city": "Oslo"}, "objectWriteTraceId": "b"},
        ]
    )
)
check(
    "an unknown id fails alone", len(missed.results) == 1 and missed.errors[0].category == "OBJECT_NOT_FOUND"
)
check("its trace comes back", missed.errors[0].context["objectWriteTraceId"] == ["b"])
invalid = refused(
    basic.update,
    ids[0],
    companies.SimplePublicObjectInput(properties={"industry": "Technology"}),
    error=companies.ApiException,
)
check("an invalid option is a 400", invalid.status == 400 and "INVALID_OPTION" in invalid.body)

# properties and owners
core = client.crm.properties.core_api
names = {p.name for p in core.get_all("companies").results}
check("standard properties are there", {"name", "domain", "industry", "hubspot_owner_id"} <= names)
created = core.create(
    "companies",
    properties.PropertyCreate(
        name="naive_tier",
        label="Naive tier",
        type="enumeration",
        field_type="select",
        group_name="companyinformation",
        options=[{"label": "A", "value": "A", "displayOrder": 0, "hidden": False}],
    ),
)
check("a property can be made", created.name == "naive_tier" and created.options[0].value == "A")
twice = refused(
    core.create,
    "companies",
    {
        "name": "naive_tier",
        "label": "x",
        "type": "string",
        "fieldType": "text",
        "groupName": "companyinformation",
    },
    error=properties.ApiException,
)
check("but not twice", twice.status == 409)
people = client.crm.owners.owners_api.get_page(limit=100, archived=False)
check("there are owners", len(people.results) >= 6 and all(o.id for o in people.results))
nobody = refused(client.crm.owners.owners_api.get_by_id, 1, error=owners.ApiException)
check("an unknown owner is not found", nobody.status == 404)

print(f"{passed} checks passed")
