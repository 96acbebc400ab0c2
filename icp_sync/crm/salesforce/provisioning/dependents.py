"""What else in an org uses our fields: asked of the dependency API, and learned from refused deletions.

The API is a preview that some orgs do not have, and it does not tell of reports.
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_metadatacomponentdependency.htm
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning.belongings import Belonging
from icp_sync.crm.salesforce.provisioning.deploying import Failure
from icp_sync.crm.salesforce.soql import literal
from icp_sync.errors import AuthError, RequestError

AT_ONCE = 40
"""Fields asked about in one query: it takes no lists, and an address has its limit."""

_OURS = ("PermissionSet", "Profile")
"""Kinds that only grant rights to a field, and let go of it with the field."""

_USED = "referenced elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """Something that uses one of our fields. `what`: "Flow Assign owners"; `field`: its API name."""

    what: str
    field: str


def dependents(
    client: Client, fields: Sequence[Belonging], views: Collection[str]
) -> tuple[list[Dependent], str]:
    """What uses these fields beside ourselves, and why that could not be asked, "" when it could.

    views: the ids of our own list views.
    """
    by_id = {one.id[:15]: one.what for one in fields}
    ids = [id for one in fields if (id := long_id(one.id))]
    found: list[Dependent] = []
    try:
        for at in range(0, len(ids), AT_ONCE):
            found += _asked(client, ids[at : at + AT_ONCE], by_id, {view[:15] for view in views})
    except (AuthError, RequestError) as error:
        return [], " ".join(str(error).split())
    return sorted(set(found), key=lambda one: (one.what, one.field)), ""


def _asked(
    client: Client, ids: Sequence[str], by_id: Mapping[str, str], views: Collection[str]
) -> list[Dependent]:
    columns = ["Id", "Name", "Type"]
    shown = ", ".join(f"MetadataComponent{one}" for one in columns)
    where = " OR ".join(f"RefMetadataComponentId = {literal(id)}" for id in ids)
    soql = f"SELECT {shown}, RefMetadataComponentId FROM MetadataComponentDependency WHERE {where}"  # noqa: S608
    reply = client.call("GET", "tooling/query", params={"q": soql}).data
    rows = reply.get("records") if isinstance(reply, dict) else None
    return [
        Dependent(
            what=f"{row.get('MetadataComponentType')} {row.get('MetadataComponentName')}",
            field=by_id.get(str(row.get("RefMetadataComponentId"))[:15], "a field of ours"),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
        and row.get("MetadataComponentType") not in _OURS
        and str(row.get("MetadataComponentId"))[:15] not in views
    ]


def named(failure: Failure) -> Dependent | None:
    """What a refused deletion names as using the field, None where it was refused for something else."""
    if _USED not in failure.problem:
        return None
    what = failure.problem.rpartition(" : ")[2].strip().rstrip(".")
    kind, dash, name = what.partition(" - ")
    return Dependent(what=f"{kind} {name}" if dash else what, field=failure.name.removeprefix("Account."))
