"""Our section of a page layout: what it holds, whether a layout has it, the layout with it and without. Pure.

A layout comes as the Tooling API shows it and goes back whole, so everything but our section is passed on as
it came. A field can stand on a layout only once: what people have placed already stays where they want it.
Layout, Metadata API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_layouts.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from icp_sync.domain.standing import FIELDS

LABEL = "ICP fit"

LEFT = ("tier", "priority", "fit_score", "certainty", "lane", "tier_changed_at", "tier_override")
RIGHT = ("reasons", "flags", "missing_facts", "tier_override_reason", "tier_override_until")
"""What a rep looks at, column by column: the verdict, and why."""

STYLE = "TwoColumnsTopToBottom"

Json = dict[str, Any]


def columns(fields: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The API names in each column of our section."""
    left, right = ([fields[name] for name in half if name in fields] for half in (LEFT, RIGHT))
    return tuple(left), tuple(right)


def shows(layout: Mapping[str, Any], fields: Mapping[str, str]) -> str:
    """Whose the section of our name on a layout is: "ours", "theirs", or "" where there is none.

    One that holds no field but ours is ours; people who have put others into it have made it theirs.
    """
    found = _named(layout)
    if found is None:
        return ""
    mine = {target.lower() for target in fields.values()}
    return "ours" if all(name.lower() in mine for name in _fields(found)) else "theirs"


def placed(layout: Mapping[str, Any]) -> frozenset[str]:
    """The fields a layout shows anywhere, in lower case."""
    return frozenset(name.lower() for one in _sections(layout) for name in _fields(one))


def lacking(layout: Mapping[str, Any], fields: Mapping[str, str]) -> tuple[str, ...]:
    """What of our section a layout does not show anywhere."""
    there = placed(layout)
    return tuple(name for half in columns(fields) for name in half if name.lower() not in there)


def added(layout: Mapping[str, Any], fields: Mapping[str, str]) -> Json:
    """The layout with our section behind its first one."""
    there = placed(layout)
    section: Json = {
        "customLabel": True,
        "detailHeading": True,
        "editHeading": True,
        "label": LABEL,
        "layoutColumns": [
            {"layoutItems": [_item(name, fields) for name in half if name.lower() not in there]}
            for half in columns(fields)
        ],
        "style": STYLE,
    }
    sections = list(_sections(layout))
    return {**layout, "layoutSections": [*sections[:1], section, *sections[1:]]}


def has(layout: Mapping[str, Any]) -> bool:
    """Whether a layout has a section of our name."""
    return _named(layout) is not None


def removed(layout: Mapping[str, Any]) -> Json:
    """The layout without our section."""
    found = _named(layout)
    return {**layout, "layoutSections": [one for one in _sections(layout) if one is not found]}


def same_beside(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two looks at a layout differ in nothing but a section of our name."""
    return bool(_told(removed(before)) == _told(removed(after)))


def _item(name: str, fields: Mapping[str, str]) -> Json:
    theirs = {fields[one] for one, known in FIELDS.items() if known.theirs and one in fields}
    return {"behavior": "Edit" if name in theirs else "Readonly", "field": name}


def _named(layout: Mapping[str, Any]) -> Json | None:
    return next((one for one in _sections(layout) if one.get("label") == LABEL), None)


def _sections(layout: Mapping[str, Any]) -> Sequence[Json]:
    found = layout.get("layoutSections")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _fields(section: Mapping[str, Any]) -> Iterator[str]:
    for column in _list(section.get("layoutColumns")):
        for item in _list(column.get("layoutItems")):
            if isinstance(item.get("field"), str):
                yield item["field"]


def _list(found: object) -> list[Json]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _told(value: Any) -> Any:
    """A value less what is blank: a key that is null is the same as one that is not there."""
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items() if inner not in (None, [], {})}
    return [_told(inner) for inner in value] if isinstance(value, list) else value
