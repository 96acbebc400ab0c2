"""Page layouts and Lightning record pages: what they hold, and what may be sent back as one.

A layout is read whole and written whole. One whose feed has components beside it is refused as it was read.
Layout, Metadata API Developer Guide and Tooling API:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_layouts.htm
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_layout.htm
The refusal: https://github.com/jetstreamapp/jetstream/issues/919
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from icp_sync.simulator.salesforce.ids import shown
from icp_sync.simulator.salesforce.schema import FieldDef

Json = dict[str, object]
_STYLES = {
    "OneColumn": 1,
    "TwoColumnsLeftToRight": 2,
    "TwoColumnsTopToBottom": 2,
    "CustomLinks": 3,
}
_BEHAVIORS = ("Edit", "Readonly", "Required")
_WORDS = (
    "customButtons customConsoleComponents emailDefault excludeButtons feedLayout headers layoutSections "
    "miniLayout multilineLayoutFields platformActionList quickActionList relatedContent relatedLists "
    "relatedObjects runAssignmentRulesDefault showEmailCheckbox showHighlightsPanel "
    "showInteractionLogPanel showKnowledgeComponent showRunAssignmentRulesCheckbox showSolutionSection "
    "showSubmitAndAttachButton summaryLayout"
)
_PARTS = frozenset(_WORDS.split())
_NEEDED = "Name"


class Unfit(Exception):
    """What is wrong with a layout that was sent. `code`: as the API calls it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(slots=True, kw_only=True)
class Layout:
    """A page layout of accounts. metadata: as the Tooling API shows it."""

    number: int
    name: str
    metadata: Json
    namespace: str = ""

    @property
    def id(self) -> str:
        return shown("00h", self.number)

    @property
    def full_name(self) -> str:
        return f"Account-{self.namespace + '__' if self.namespace else ''}{self.name.replace('/', '%2F')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """A Lightning record page of accounts. dynamic: whether it shows fields of its own (Dynamic Forms) and
    not those of the page layout."""

    number: int
    label: str
    dynamic: bool

    @property
    def id(self) -> str:
        return shown("0M0", self.number)


def usual(number: int, name: str, *, fields: Iterable[str] = (), feed: bool = False) -> Layout:
    """A layout as an org has it: three sections, buttons and related lists, and these fields at the end of
    the first. feed: whether it is one of those whose feed has components beside it."""
    columns = [["OwnerId", "Name", "ParentId", *fields], ["Phone", "Website", "Industry"]]
    metadata: Json = dict.fromkeys(sorted(_PARTS))
    beside = {"autocollapsePublisher": False, "rightComponents": [{"componentType": "Following"}]}
    metadata |= {
        "layoutSections": [
            section("Account Information", columns, custom=False),
            section("Address Information", [["BillingAddress"], ["ShippingAddress"]], custom=False),
            section("Description Information", [["Description"]], custom=False, style="OneColumn"),
        ],
        "excludeButtons": ["Submit"],
        "relatedLists": [{"fields": ["FULL_NAME", "CONTACT.TITLE"], "relatedList": "RelatedContactList"}],
        "feedLayout": beside if feed else None,
        "emailDefault": False,
        "showEmailCheckbox": False,
        "showHighlightsPanel": False,
    }
    return Layout(number=number, name=name, metadata=metadata)


def section(
    label: str, columns: Sequence[Sequence[str]], *, custom: bool, style: str = "TwoColumnsTopToBottom"
) -> Json:
    """A section with these fields, column by column."""
    return {
        "customLabel": custom,
        "detailHeading": custom,
        "editHeading": True,
        "label": label,
        "layoutColumns": [
            {"layoutItems": [_item(name) for name in column], "reserved": None} for column in columns
        ],
        "style": style,
    }


def _item(name: str) -> Json:
    return {"behavior": "Required" if name == _NEEDED else "Edit", "field": name, "emptySpace": None}


def changed(layout: Layout, given: object, known: Mapping[str, FieldDef]) -> None:
    """Put what was sent in place of what a layout was. Raises Unfit. known: the object's fields."""
    if layout.namespace:
        raise Unfit("INSUFFICIENT_ACCESS", "Cannot modify managed object")
    if not isinstance(given, dict):
        raise Unfit("JSON_PARSER_ERROR", "Cannot deserialize instance of complexvalue: Metadata")
    if unknown := sorted(set(given) - _PARTS):
        raise Unfit("JSON_PARSER_ERROR", f"No such column '{unknown[0]}' on sobject of type Layout")
    feed = given.get("feedLayout")
    if isinstance(feed, dict) and feed.get("rightComponents"):
        word = (
            "Cannot deserialize instance of complexvalue from VALUE_STRING value Following or request may be"
        )
        raise Unfit("JSON_PARSER_ERROR", f"{word} missing a required field at [line:1, column:2871]")
    names = [name for one in _sections(given) for name in _checked(one, known)]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise Unfit("FIELD_INTEGRITY_EXCEPTION", f"Duplicate field {double} in layout")
    if _NEEDED.lower() not in names:
        raise Unfit(
            "FIELD_INTEGRITY_EXCEPTION", f"Layout must contain an item for required layout field: {_NEEDED}"
        )
    layout.metadata = dict.fromkeys(sorted(_PARTS)) | copy.deepcopy(given)


def _sections(given: Mapping[str, object]) -> list[Json]:
    found = given.get("layoutSections") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unfit("JSON_PARSER_ERROR", "Cannot deserialize instance of complexvalue: layoutSections")
    return found


def _checked(one: Json, known: Mapping[str, FieldDef]) -> Iterator[str]:
    """The lower-case fields of a section. Raises Unfit."""
    style, columns = str(one.get("style")), one.get("layoutColumns") or []
    if style not in _STYLES:
        raise Unfit(
            "FIELD_INTEGRITY_EXCEPTION", f"Required fields are missing: [style] in {one.get('label')}"
        )
    if not isinstance(columns, list) or len(columns) != _STYLES[style]:
        raise Unfit("FIELD_INTEGRITY_EXCEPTION", f"A section of style {style} has {_STYLES[style]} column(s)")
    for column in columns:
        items = column.get("layoutItems") if isinstance(column, dict) else None
        for item in items or []:
            name = str(item.get("field") or "") if isinstance(item, dict) else ""
            if not name:
                continue  # an empty space, a button, a component
            if name.lower() not in known and name not in _COMPOUND:
                raise Unfit(
                    "FIELD_INTEGRITY_EXCEPTION", f"In field: field - no CustomField named {name} found"
                )
            if item.get("behavior") not in _BEHAVIORS:
                raise Unfit("FIELD_INTEGRITY_EXCEPTION", f"Field:{name} must have a behavior")
            if item.get("behavior") != "Readonly" and known.get(name.lower(), _WRITABLE).calculated:
                raise Unfit("FIELD_INTEGRITY_EXCEPTION", f"Field:{name} must be Readonly")
            yield name.lower()


_COMPOUND = ("BillingAddress", "ShippingAddress")
_WRITABLE = FieldDef(name="", label="", type="string")


def uses(layout: Layout) -> frozenset[str]:
    """The fields a layout shows, in lower case."""
    return frozenset(
        str(item.get("field")).lower()
        for one in _sections(layout.metadata)
        for item in _items(one)
        if item.get("field")
    )


def shown_sections(layout: Layout) -> list[list[object]]:
    """A layout's sections in order, each with its label and its fields."""
    return [
        [one.get("label"), [item["field"] for item in _items(one) if item.get("field")]]
        for one in _sections(layout.metadata)
    ]


def _items(one: Json) -> list[Json]:
    columns = cast("list[Json]", one.get("layoutColumns") or [])
    return [item for column in columns for item in cast("list[Json]", column.get("layoutItems") or [])]


def forget_field(layouts: Iterable[Layout], name: str) -> None:
    """A field is gone, and drops off every layout; the section it stood in stays."""
    for layout in layouts:
        for one in _sections(layout.metadata):
            for column in cast("list[Json]", one.get("layoutColumns") or []):
                items = cast("list[Json]", column.get("layoutItems") or [])
                kept = [item for item in items if str(item.get("field")).lower() != name.lower()]
                column["layoutItems"] = kept


def page_metadata(page: RecordPage) -> Json:
    """A record page as the Tooling API shows its metadata, as far as it matters here."""
    item: Json = {"componentInstance": {"componentName": "force:detailPanel"}, "fieldInstance": None}
    if page.dynamic:
        item = {
            "componentInstance": None,
            "fieldInstance": {"fieldItem": "Record.Name", "identifier": "RecordNameField"},
        }
    return {
        "masterLabel": page.label,
        "type": "RecordPage",
        "sobjectType": "Account",
        "flexiPageRegions": [{"name": "main", "type": "Region", "itemInstances": [item]}],
    }
