"""One page layout, written: read anew, changed in our section alone, and looked at again.

A layout is sent back whole, so what somebody else did to it since our read would be lost: the read is made
just before. Layouts with a feed are refused as they were read, by some releases of the Tooling API:
https://github.com/jetstreamapp/jetstream/issues/919
"""

from __future__ import annotations

from collections.abc import Callable

from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.views import looking, sections
from icp_sync.crm.salesforce.views.looking import Page
from icp_sync.crm.salesforce.views.sections import Own
from icp_sync.errors import AuthError, RequestError

Change = Callable[[Json], "Json | str"]
"""What a layout's metadata becomes, or why it stays as it is; "" when it is as it should be."""


def written(client: Client, page: Page, own: Own, change: Change) -> str:
    """Change a layout; why that could not be done, or what else it did, "" when all is well."""
    try:
        before = looking.layout(client, page.id, page.name)
        wanted = change(before.metadata)
        if isinstance(wanted, str):
            return wanted
        client.call("PATCH", f"tooling/sobjects/Layout/{long_id(page.id)}", json={"Metadata": wanted})
        after = looking.layout(client, page.id, page.name)
    except (AuthError, RequestError) as error:
        return f"Salesforce does not take it: {' '.join(str(error).split())}"
    if not sections.same_beside(before.metadata, after.metadata, own):
        return "Salesforce changed more than our section: compare it with the setup audit trail"
    return ""
