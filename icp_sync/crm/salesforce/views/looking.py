"""What an org has of reps' views, by asking. Decides nothing, changes nothing.

List views are found as rows, their filters by describing each. "List View Describe" in the REST API Developer
Guide and SoqlWhereCondition in the SOAP API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_listviewdescribe.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesoqllistview_soqlwherecondition.htm
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.provisioning import access, set_up
from icp_sync.crm.salesforce.provisioning.access import Held
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION, READERS
from icp_sync.crm.salesforce.soql import among, literal, select
from icp_sync.crm.salesforce.views import components, sections
from icp_sync.crm.salesforce.views.components import CONTACT, SHARED, Filter, shared
from icp_sync.crm.salesforce.views.sections import Own
from icp_sync.crm.whose import FOREIGN, Whose
from icp_sync.domain.views import View
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.ports import Blueprint

MAKING_SECONDS = 60.0
"""Within so long of its creation a list view is still being made, not changed by people."""

LONGEST = 300
"""Characters of a refusal that are told."""

T = TypeVar("T")
_WHERE = re.compile(r"\bWHERE\b(.*?)(?:\bORDER BY\b|$)", re.IGNORECASE | re.DOTALL)
_TO_LABEL = re.compile(r"tolabel\((.*)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A question Salesforce refused. `why`: in its words."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list view of the org. name: its API name, label: what people read. changed: whether anybody has
    changed it since it was made."""

    id: str
    sobject: str
    name: str
    label: str
    changed: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.sobject}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A field of contacts with a name of ours. why_not: why it is none that we made, "" when it is."""

    id: str
    target: str
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page layout of accounts, whole."""

    id: str
    name: str
    metadata: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """An org as far as reps' views matter.

    views: every list view of accounts and contacts we see. formulas: API name (lower case) → the field of
    contacts that bears it. missing: lower-case names of account fields of ours that are not there. sets: our
    permission sets by name. layouts: page layouts that can be changed. dynamic: Lightning record pages that
    show fields of their own in place of a layout's.
    """

    views: tuple[Listed, ...] | Unread
    formulas: Mapping[str, Formula] | Unread
    missing: frozenset[str]
    sets: Mapping[str, Held | Unread | None]
    layouts: tuple[Page, ...] | Unread
    dynamic: tuple[str, ...] | Unread


def look(client: Client, blueprint: Blueprint) -> Setup:
    """Ask the org for everything reps' views depend on."""
    fields = blueprint.fields
    return Setup(
        views=told(lambda: listed(client)),
        formulas=told(lambda: formulas(client, blueprint)),
        missing=_missing(client, fields),
        sets={name: told(partial(access.held, client, name)) for name in (INTEGRATION, READERS)},
        layouts=told(lambda: layouts(client)),
        dynamic=told(lambda: _dynamic(client)),
    )


def told(ask: Callable[[], T]) -> T | Unread:
    try:
        return ask()
    except (AuthError, RequestError) as error:
        return Unread(why=f"it could not be read: {' '.join(str(error).split())[:LONGEST]}")


def listed(client: Client) -> tuple[Listed, ...]:
    """The list views of accounts and contacts we see, none of a package."""
    columns = ["Id", "DeveloperName", "Name", "SobjectType", "CreatedDate", "LastModifiedDate"]
    where = [among("SobjectType", (ACCOUNT, CONTACT)), "NamespacePrefix = null"]
    return tuple(
        Listed(
            id=str(row["Id"]),
            sobject=str(row["SobjectType"]),
            name=str(row["DeveloperName"]),
            label=str(row.get("Name") or ""),
            changed=changed(row),
        )
        for row in access.rows(client, select(columns, "ListView", where))
    )


def changed(row: Mapping[str, object]) -> bool:
    """Whether a list view was changed after it was made. row: with CreatedDate and LastModifiedDate."""
    made, last = (instant(str(row.get(name) or "")) for name in ("CreatedDate", "LastModifiedDate"))
    return made is None or last is None or last - made > MAKING_SECONDS


def described(client: Client, view: Listed) -> Json | Unread:
    """A list view as describing it tells."""
    path = f"sobjects/{view.sobject}/listviews/{view.id}/describe"
    found = told(lambda: client.call("GET", path).data)
    if isinstance(found, Unread) or not isinstance(found, dict):
        return found if isinstance(found, Unread) else Unread(why="its filter was not told")
    return found


def whose(found: Json, view: View, blueprint: Blueprint, *, known: bool) -> Whose:
    """By what a described list view asks, whatever it is called. known: whether the journal has its id."""
    now = components.filters(view, blueprint.fields)
    if now is not None and same(found, now):
        return Whose.OURS if known or blueprint.mine(now.field) else Whose.FOREIGN
    values = components.values(view)
    earlier = (Filter(field=name, values=values) for name in blueprint.made if name.endswith("__c"))
    return Whose.EARLIER if any(same(found, one) for one in earlier) else Whose.THEIRS


def asked(found: Json) -> str:
    """What a described list view asks, in Salesforce's words, for who may want it back."""
    where = _WHERE.search(str(found.get("query") or ""))
    return " ".join(where[1].split())[:LONGEST] if where is not None else "for everything"


def as_made(found: Json, view: View, blueprint: Blueprint) -> bool:
    """Whether a described list view has our filter, and our columns in our order."""
    now = components.filters(view, blueprint.fields)
    listed = found.get("columns")
    shown = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    held = [str(one.get("fieldNameOrPath")) for one in shown if not one.get("hidden")]
    return now is not None and same(found, now) and held == components.column_paths(view, blueprint.fields)


def same(described: Mapping[str, Any], wanted: Filter) -> bool:
    """Whether a described list view asks for this and nothing else: as its condition has it, or its query."""
    if str(described.get("scope") or "everything").lower() != "everything":
        return False
    condition = described.get("whereCondition")
    if isinstance(condition, dict) and _same(condition, wanted):
        return True
    where = _WHERE.search(str(described.get("query") or ""))
    return where is not None and _bare(where[1]) in _clauses(wanted)


def _clauses(wanted: Filter) -> Iterator[str]:
    """The ways a query can say it, without blanks and capitals."""
    literals = [value if "LAST_N_DAYS" in value else literal(value) for value in wanted.values]
    if len(literals) == 1:
        yield _bare(f"{wanted.field}={literals[0]}")
        yield _bare(f"({wanted.field}={literals[0]})")
    yield _bare(f"{wanted.field}in({','.join(literals)})")


def _bare(text: str) -> str:
    return "".join(text.split()).lower()


def _same(condition: Mapping[str, Any], wanted: Filter) -> bool:
    field = str(condition.get("field") or "")
    field = _TO_LABEL.sub(r"\1", field).rpartition(".")[2]
    values = condition.get("values")
    held = {str(one).strip("'\"").lower() for one in values} if isinstance(values, list) else set()
    return (
        field.lower() == wanted.field.lower()
        and str(condition.get("operator")).lower() in ("equals", "in")
        and held == {value.lower() for value in wanted.values}
    )


def formulas(client: Client, blueprint: Blueprint) -> Mapping[str, Formula]:
    """The fields of contacts that bear a name of ours, now or under earlier settings, by lower-case name."""
    wanted = {target: name for name, target in shared(blueprint.fields).items()}
    made = {name for name in blueprint.made if name.endswith("__c") and "." not in name}
    names = [*wanted, *sorted(made - wanted.keys())]
    ids = set_up.custom(client, names, CONTACT) if names else {}
    found = {}
    for target in names:
        if (id := ids.get(target.lower())) is not None:
            setup = set_up.metadata(client, id)
            meant = [wanted[target]] if target in wanted else list(SHARED)
            reasons = [_not_ours(name, target, setup, blueprint) for name in meant]
            if target in wanted or "" in reasons:
                why = "" if "" in reasons else reasons[0]
                found[target.lower()] = Formula(id=id, target=target, why_not=why)
    return found


def _not_ours(name: str, target: str, setup: Json | None, blueprint: Blueprint) -> str:
    if setup is None:
        return "how it was set up could not be read"
    if not blueprint.mine(target):
        return FOREIGN
    wanted = components.formula(name, target)
    if "".join(str(setup.get("formula") or "").split()).lower() != wanted.lower():
        return f"it exists and is not the formula {wanted}"
    if setup.get("description") != components.DESCRIPTION:
        return "it has not the description we give it, so it may be somebody else's"
    return ""


def _missing(client: Client, fields: Mapping[str, str]) -> frozenset[str]:
    """Fields of ours that are not there; none where nobody can say."""
    there = told(lambda: set_up.custom(client, fields.values())) if fields else {}
    if isinstance(there, Unread):
        return frozenset()
    return frozenset(target.lower() for target in fields.values()) - set(there)


def layouts(client: Client) -> tuple[Page, ...]:
    """The page layouts of accounts, none of a package: those cannot be changed."""
    where = [f"TableEnumOrId = '{ACCOUNT}'", "NamespacePrefix = null"]
    rows = _tooling(client, select(["Id", "Name"], "Layout", where))
    return tuple(layout(client, str(row["Id"]), str(row.get("Name") or "")) for row in rows)


def layout(client: Client, id: str, name: str) -> Page:
    """One page layout as it is now. Raises UnavailableError where it comes without what it holds."""
    found = client.call("GET", f"tooling/sobjects/Layout/{long_id(id)}").data
    metadata = found.get("Metadata") if isinstance(found, dict) else None
    if not isinstance(metadata, dict):
        raise UnavailableError(f"Salesforce did not say what the page layout {name} holds")
    return Page(id=id, name=name, metadata=metadata)


def with_section(client: Client, own: Own) -> tuple[Page, ...]:
    """The layouts that have our section."""
    return tuple(page for page in layouts(client) if sections.shows(page.metadata, own) == "ours")


def _dynamic(client: Client) -> tuple[str, ...]:
    """The record pages of accounts with fields of their own (Dynamic Forms)."""
    where = [f"EntityDefinitionId = '{ACCOUNT}'", "Type = 'RecordPage'"]
    rows = _tooling(client, select(["Id", "MasterLabel"], "FlexiPage", where))
    found = []
    for row in rows:
        page = client.call("GET", f"tooling/sobjects/FlexiPage/{long_id(str(row['Id']))}").data
        if isinstance(page, dict) and any(_field_instances(page.get("Metadata"))):
            found.append(str(row.get("MasterLabel") or row["Id"]))
    return tuple(found)


def _field_instances(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        if value.get("fieldInstance"):
            yield value
        for inner in value.values():
            yield from _field_instances(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _field_instances(inner)


def _tooling(client: Client, soql: str) -> Sequence[Json]:
    reply = client.call("GET", "tooling/query", params={"q": soql}).data
    rows = reply.get("records") if isinstance(reply, dict) else None
    if not isinstance(rows, list):
        raise UnavailableError("Salesforce answered a query without rows")
    return [row for row in rows if isinstance(row, dict) and row.get("Id")]
