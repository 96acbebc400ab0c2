"""The views reps get as components of metadata: list views, and formula fields that give contacts a tier.

A contact knows its account's tier by a formula, so that a list view of contacts can filter by it. Formulas
cannot reach long texts, so contacts have no reasons. Pure; knows no org.
ListView and CustomField in the Metadata API Developer Guide; relative dates: "Date Formats and Date Literals"
in the SOQL and SOSL Reference; formulas: "Formula Field Limits and Restrictions" in Salesforce Help.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listview.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.crm.salesforce.provisioning import metadata
from icp_sync.crm.salesforce.provisioning.metadata import ACCOUNT, PICKLISTS, Component, Element
from icp_sync.crm.salesforce.provisioning.permission_sets import Grants
from icp_sync.domain.standing import FIELDS, STATES, FieldType
from icp_sync.domain.views import MARK, View, carried

CONTACT = "Contact"

SHARED = ("tier", "fit_score", "priority", "lane")
"""The outputs contacts take over from their account."""

DESCRIPTION = "Of the account, worked out by a formula; icp_sync writes it there."
"""By which a formula field of contacts is known as ours."""

_EXTRA = {"tier_changed": ("previous_tier", "tier_changed_at")}
_ACCOUNT_COLUMNS = ("fit_score", "tier", "priority")
_CONTACT_HEAD = ("FULL_NAME", "CONTACT.TITLE", "ACCOUNT.NAME")
_OWNER = "CORE.USERS.ALIAS"
_PATHS = {
    ("accounts", "ACCOUNT.NAME"): "Name",
    ("accounts", _OWNER): "Owner.Alias",
    ("contacts", "FULL_NAME"): "Name",
    ("contacts", "CONTACT.TITLE"): "Title",
    ("contacts", "ACCOUNT.NAME"): "Account.Name",
    ("contacts", _OWNER): "Owner.Alias",
}
"""What a describe calls the columns that metadata names by a token of the list's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list view of ours asks: one field (API name), equal to one of these values."""

    field: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        """As metadata writes the values: commas part them, so one with a comma is quoted."""
        return ",".join(f'"{value}"' if "," in value else value for value in self.values)


def shared(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Logical field → API name on contacts, the same as on accounts."""
    return {name: fields[name] for name in SHARED if name in fields}


def sobject(view: View) -> str:
    return ACCOUNT if view.of == "accounts" else CONTACT


def filters(view: View, fields: Mapping[str, str]) -> Filter | None:
    """The filter of a view, None where the connection does not carry what it asks for."""
    known = fields if view.of == "accounts" else shared(fields)
    if view.field not in known:
        return None
    return Filter(field=known[view.field], values=values(view))


def values(view: View) -> tuple[str, ...]:
    """What a view asks its field for."""
    return view.values or (f"LAST_N_DAYS:{view.within_days}",)


def column_paths(view: View, fields: Mapping[str, str]) -> list[str]:
    """The columns of a view as a describe names them: by the way to the field."""
    return [_PATHS.get((view.of, name), name) for name in _columns(view, fields, "")]


def developer_name(view: View) -> str:
    """The API name of a list view of ours. Those of tiers are older than the others, and keep theirs."""
    if of_state(view):
        return _older_name(view.mark, view.values[0])
    return "_".join([view.mark, *(word.capitalize() for word in view.key.split("_"))])


def label(view: View) -> str:
    if not of_state(view):
        return view.title[: metadata.LONGEST_LABEL - 1]
    state = view.values[0]
    return f"{view.mark} tier {state}" if len(state) == 1 else view.title


def list_view(
    view: View, fields: Mapping[str, str], *, prefixed: bool = False, called: str = "", name: str = ""
) -> Component | None:
    """A view as a component, None where the connection does not carry what it asks for.

    prefixed: write `Account.X__c`, which other orgs want. called, name: its label and API name, where people
    have given it others.
    """
    asked = filters(view, fields)
    if asked is None:
        return None
    target = sobject(view)
    before = f"{target}." if prefixed else ""
    wanted: tuple[Element, ...] = (
        ("field", f"{before}{asked.field}"),
        ("operation", "equals"),
        ("value", asked.text),
    )
    body: list[Element] = [("columns", column) for column in _columns(view, fields, before)]
    body += [("filterScope", "Everything"), ("filters", wanted), ("label", called or label(view))]
    return Component(kind="ListView", name=name or developer_name(view), body=tuple(body), sobject=target)


def formula_field(name: str, target: str) -> Component:
    """The field of contacts that shows what an output of their account is. target: its API name on both."""
    known = FIELDS[name]
    body: dict[str, Element] = {
        tag: (tag, text)
        for tag, text in (
            ("description", DESCRIPTION),
            ("externalId", "false"),
            ("formula", formula(name, target)),
            ("formulaTreatBlanksAs", "BlankAsBlank"),
            ("label", known.label[: metadata.LONGEST_LABEL]),
            ("required", "false"),
            ("type", "Number" if known.type is FieldType.NUMBER else "Text"),
            ("unique", "false"),
        )
    }
    if known.type is FieldType.NUMBER:
        body |= {"precision": ("precision", "18"), "scale": ("scale", "2")}
    return Component(
        kind="CustomField", name=target, body=tuple(body[tag] for tag in sorted(body)), sobject=CONTACT
    )


def formula(name: str, target: str) -> str:
    """A picklist is text by its API name, which no new label changes."""
    path = f"{ACCOUNT}.{target}"
    return f"TEXT({path})" if FIELDS[name].type in PICKLISTS else path


def contact_grants(fields: Mapping[str, str]) -> Grants:
    """What both permission sets give of contacts: to read our formulas."""
    return Grants(fields={f"{CONTACT}.{target}": False for target in shared(fields).values()}, objects={})


def components(fields: Mapping[str, str], mark: str = MARK) -> Sequence[Component]:
    """Everything reps' views need that metadata can carry: formula fields, then list views."""
    views: Iterable[Component | None] = (list_view(view, fields) for view in carried(fields, mark))
    return [
        *(formula_field(name, target) for name, target in shared(fields).items()),
        *(view for view in views if view is not None),
    ]


def together(
    made: Sequence[Component], of_reps: Sequence[Component], fields: Mapping[str, str]
) -> list[Component]:
    """Both, each once; a permission set that is made shows the fields of contacts, too."""
    grants = sorted(contact_grants(fields).fields)
    more: list[Element] = [
        ("fieldPermissions", (("editable", "false"), ("field", name), ("readable", "true")))
        for name in grants
    ]
    held = {one.full_name for one in made}
    return [
        *(_showing(one, more) if one.kind == "PermissionSet" else one for one in made),
        *(one for one in of_reps if one.full_name not in held),
    ]


def _showing(permission_set: Component, more: Sequence[Element]) -> Component:
    """Elements of one tag must stand together."""
    body = permission_set.body
    last = max((at for at, (tag, _) in enumerate(body) if tag == "fieldPermissions"), default=0)
    return replace(permission_set, body=(*body[: last + 1], *more, *body[last + 1 :]))


def _columns(view: View, fields: Mapping[str, str], before: str) -> list[str]:
    if view.of == "contacts":
        mine = shared(fields)
        return [*_CONTACT_HEAD, *(f"{before}{mine[name]}" for name in SHARED if name in mine), _OWNER]
    named = [name for name in (*_ACCOUNT_COLUMNS, *_EXTRA.get(view.key, ())) if name in fields]
    last = [f"{before}{fields['lane']}"] if "lane" in fields else []
    return ["ACCOUNT.NAME", *(f"{before}{fields[name]}" for name in named), _OWNER, *last]


def of_state(view: View) -> bool:
    """Whether provisioning has always made this one, for a tier or state of accounts."""
    return view.of == "accounts" and view.field == "tier" and view.values[0] in STATES


def _older_name(mark: str, state: str) -> str:
    return f"{mark}_Tier_{state}" if len(state) == 1 else f"{mark}_{state.replace(' ', '_')}"
