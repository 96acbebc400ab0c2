"""Page layouts and Lightning record pages in the Tooling API: listed by query, read and written one by one.

https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_layout.htm
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_flexipage.htm
"""

from __future__ import annotations

import copy

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal, not_found
from icp_sync.simulator.salesforce.layouts import Layout, Unfit, changed, page_metadata
from icp_sync.simulator.salesforce.metadata.deploy import check_right
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record, Source

_ROOT = Source("PLATFORM")
_LAYOUT = (
    FieldDef(name="Id", label="Layout ID", type="id", length=18),
    FieldDef(name="Name", label="Name", type="string", length=80),
    FieldDef(name="TableEnumOrId", label="Entity", type="picklist", length=40),
    FieldDef(name="NamespacePrefix", label="Namespace Prefix", type="string", length=15),
    FieldDef(name="LayoutType", label="Layout Type", type="picklist", length=40),
)
_PAGE = (
    FieldDef(name="Id", label="Lightning Page ID", type="id", length=18),
    FieldDef(name="MasterLabel", label="Label", type="string", length=80),
    FieldDef(name="EntityDefinitionId", label="Entity", type="string", length=255),
    FieldDef(name="Type", label="Type", type="picklist", length=40),
)


def objects(org: Org, view: Org) -> dict[str, SObject]:
    """Layouts and record pages as objects to query."""
    layouts = SObject(view, "Layout", "Layout", "00h", _LAYOUT)
    for one in org.layouts:
        values = {"Name": one.name, "TableEnumOrId": "Account", "LayoutType": "Standard"}
        _placed(org, layouts, one.number, values | {"NamespacePrefix": one.namespace})
    pages = SObject(view, "FlexiPage", "Lightning Page", "0M0", _PAGE)
    for page in org.pages:
        values = {"MasterLabel": page.label, "EntityDefinitionId": "Account", "Type": "RecordPage"}
        _placed(org, pages, page.number, values)
    found = {one.key: one for one in (layouts, pages)}
    for sobject in found.values():
        sobject.index.catch_up(org.clock.now_ms())
    return found


def _placed(org: Org, sobject: SObject, number: int, values: dict[str, str]) -> None:
    sobject.store.place(Record(number, org.accounts.changed_at, values, _ROOT))


def read_layout(call: Call) -> Reply:
    check_right(call.org, call.user)
    layout = _found(call)
    where = f"{call.root}/tooling/sobjects/Layout/{layout.id}"
    return Reply(
        body={
            "attributes": {"type": "Layout", "url": where},
            "Id": layout.id,
            "Name": layout.name,
            "TableEnumOrId": "Account",
            "NamespacePrefix": layout.namespace or None,
            "LayoutType": "Standard",
            "FullName": layout.full_name,
            "Metadata": copy.deepcopy(layout.metadata),
        }
    )


def write_layout(call: Call) -> Reply:
    """204. The body: `{"Metadata": {…}}`, the whole layout; what it leaves out is gone."""
    check_right(call.org, call.user)
    layout = _found(call)
    try:
        changed(layout, call.json().get("Metadata"), call.org.accounts.fields)
    except Unfit as wrong:
        raise Refusal(400, wrong.code, wrong.message) from None
    return Reply(status=204)


def read_page(call: Call) -> Reply:
    check_right(call.org, call.user)
    page = next((one for one in call.org.pages if one.id == ids.long(call.rest[0])), None)
    if page is None:
        raise not_found()
    where = f"{call.root}/tooling/sobjects/FlexiPage/{page.id}"
    body = {"attributes": {"type": "FlexiPage", "url": where}, "Id": page.id, "MasterLabel": page.label}
    return Reply(body=body | {"Metadata": page_metadata(page)})


def _found(call: Call) -> Layout:
    layout = next((one for one in call.org.layouts if one.id == ids.long(call.rest[0])), None)
    if layout is None:
        raise not_found()
    return layout


ROUTES = (
    Route(method="GET", pattern="tooling/sobjects/Layout/*", run=read_layout),
    Route(method="PATCH", pattern="tooling/sobjects/Layout/*", run=write_layout),
    Route(method="GET", pattern="tooling/sobjects/FlexiPage/*", run=read_page),
)
