"""List views: what one may say, and what it shows. The rows of ListView hold each view's metadata.

Columns and filters are named as the interface names them: ACCOUNT.NAME for a standard field, a custom field
by its API name. https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listview.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from icp_sync.simulator.salesforce.metadata.access import Fields
from icp_sync.simulator.salesforce.metadata.conditions import Condition, Logic, condition, logic
from icp_sync.simulator.salesforce.metadata.fields import BAD_NAME, is_name
from icp_sync.simulator.salesforce.metadata.shapes import Body
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.schema import FieldDef

LONGEST_LABEL, LONGEST_NAME, MOST_COLUMNS, MOST_FILTERS = 39, 80, 15, 10
_USERS = {
    "CORE.USERS.ALIAS": "Owner.Alias",
    "CORE.USERS.FULL_NAME": "Owner.Name",
    "CORE.USERS.FIRST_NAME": "Owner.FirstName",
    "CORE.USERS.LAST_NAME": "Owner.LastName",
    "CREATEDBY_USER.ALIAS": "CreatedBy.Alias",
    "UPDATEDBY_USER.ALIAS": "LastModifiedBy.Alias",
}
_ACCOUNT = {
    "ACCOUNT.NAME": "Name",
    "ACCOUNT.ACCOUNT_NUMBER": "AccountNumber",
    "ACCOUNT.SITE": "Site",
    "ACCOUNT.ADDRESS1_STREET": "BillingStreet",
    "ACCOUNT.ADDRESS1_CITY": "BillingCity",
    "ACCOUNT.ADDRESS1_STATE": "BillingState",
    "ACCOUNT.ADDRESS1_ZIP": "BillingPostalCode",
    "ACCOUNT.ADDRESS1_COUNTRY": "BillingCountry",
    "ACCOUNT.ADDRESS2_CITY": "ShippingCity",
    "ACCOUNT.ADDRESS2_STATE": "ShippingState",
    "ACCOUNT.ADDRESS2_COUNTRY": "ShippingCountry",
    "ACCOUNT.PHONE1": "Phone",
    "ACCOUNT.PHONE2": "Fax",
    "ACCOUNT.URL": "Website",
    "ACCOUNT.TYPE": "Type",
    "ACCOUNT.INDUSTRY": "Industry",
    "ACCOUNT.EMPLOYEES": "NumberOfEmployees",
    "ACCOUNT.SALES": "AnnualRevenue",
    "ACCOUNT.OWNERSHIP": "Ownership",
    "ACCOUNT.TICKER": "TickerSymbol",
    "ACCOUNT.RATING": "Rating",
    "ACCOUNT.SIC": "Sic",
    "ACCOUNT.SOURCE": "AccountSource",
    "ACCOUNT.CREATED_DATE": "CreatedDate",
    "ACCOUNT.LAST_UPDATE": "LastModifiedDate",
    "ACCOUNT.LAST_ACTIVITY": "LastActivityDate",
}
_CONTACT = {
    "FULL_NAME": "Name",
    "ACCOUNT.NAME": "Account.Name",
    "CONTACT.TITLE": "Title",
    "CONTACT.DEPARTMENT": "Department",
    "CONTACT.EMAIL": "Email",
    "CONTACT.PHONE1": "Phone",
    "CONTACT.CREATED_DATE": "CreatedDate",
    "CONTACT.LAST_UPDATE": "LastModifiedDate",
}
TOKENS: Mapping[str, Mapping[str, str]] = {"account": _ACCOUNT | _USERS, "contact": _CONTACT | _USERS}
"""By object: the interface's name of a standard column to the field, or the way to it, in SOQL."""
PATHS = {
    "Owner": ("OwnerId", "user"),
    "CreatedBy": ("CreatedById", "user"),
    "LastModifiedBy": ("LastModifiedById", "user"),
    "Account": ("AccountId", "account"),
}
"""The first part of a way: the reference it follows, and the object it comes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its way in SOQL, and the field at the end of it."""

    path: str
    field: FieldDef


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list view that has been understood. scope: Everything, Mine, …"""

    name: str
    label: str
    scope: str
    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    logic: Logic


def view_of(entity: str, body: Body, fields: Fields, *, prefixed: bool = False) -> View:
    """A list view of an object, understood against the fields there are. Raises Problem.

    fields: every object's, by lower-case names. prefixed: whether a custom column must be written
    `Account.X__c`; otherwise its bare name does as well.
    """
    name, label = str(body["fullName"]), str(body["label"])
    if not is_name(name, LONGEST_NAME):
        raise Problem(BAD_NAME.format("List View Unique Name"))
    if not label or len(label) > LONGEST_LABEL:
        raise Problem(f"List view label: between 1 and {LONGEST_LABEL} characters, was {len(label)}")
    columns = cast("list[str]", body["columns"])
    filters = cast("list[Body]", body["filters"])
    if body["filterScope"] not in ("Everything", "Mine"):
        raise Problem(f"Filter scope {body['filterScope']} is not available for {entity} in this simulator")
    if len(columns) > MOST_COLUMNS or len(filters) > MOST_FILTERS:
        raise Problem(f"At most {MOST_COLUMNS} columns and {MOST_FILTERS} filters")
    if len({column.lower() for column in columns}) < len(columns):
        raise Problem("Duplicate list view column")
    found = _Names(entity, fields, prefixed)
    conditions = []
    for one in filters:
        column = found.column(str(one["field"]), "filter")
        asked = condition(column.field, str(one["operation"]), str(one.get("value", "")))
        conditions.append(replace(asked, path=column.path))
    return View(
        name=name,
        label=label,
        scope=str(body["filterScope"]),
        columns=tuple(found.column(column, "column") for column in columns),
        conditions=tuple(conditions),
        logic=logic(str(body.get("booleanFilter", "")), len(conditions)),
    )


def mentions(body: Body, field: str) -> Iterator[str]:
    """Where a view's metadata names a custom field: "columns", "filters". field: "icp_tier__c"."""
    if any(_bare(column) == field for column in cast("list[str]", body["columns"])):
        yield "columns"
    if any(_bare(str(one["field"])) == field for one in cast("list[Body]", body["filters"])):
        yield "filters"


def without(body: Body, field: str) -> Body:
    """The view without a column."""
    return body | {"columns": [c for c in cast("list[str]", body["columns"]) if _bare(c) != field]}


def _bare(name: str) -> str:
    return name.rpartition(".")[2].lower()


class _Names:
    """Finds what a column or a filter of one object means."""

    def __init__(self, entity: str, fields: Fields, prefixed: bool) -> None:
        self._entity = entity
        self._fields = fields
        self._prefixed = prefixed

    def column(self, name: str, role: str) -> Column:
        """Raises Problem for a name that means nothing."""
        path = TOKENS.get(self._entity.lower(), {}).get(name.upper()) or self._custom(name)
        field = self._field(path) if path else None
        if field is None:
            raise Problem(f"Could not resolve list view {role}: {name}")
        return Column(path=path, field=field)

    def _custom(self, name: str) -> str:
        """A custom field's own name, written with its object or without; "" for what is none."""
        entity, _, own = name.rpartition(".")
        if (self._prefixed and not entity) or entity.lower() not in ("", self._entity.lower()):
            return ""
        field = self._fields[self._entity.lower()].get(own.lower())
        return field.name if field is not None and field.custom else ""

    def _field(self, path: str) -> FieldDef | None:
        relation, _, own = path.rpartition(".")
        _, holder = PATHS.get(relation, ("", self._entity.lower()))
        return self._fields[holder].get(own.lower())
