"""Our section of a page layout: what it holds, whether a layout has it, the layout with it and without. Pure.

A layout comes as the Tooling API shows it and goes back whole, so everything but our section is passed on as
it came. A field can stand on a layout only once: what people have placed already stays where they want it.
Layout, Metadata API Developer Guide:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_layouts.htm
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icp_sync.domain.standing import FIELDS
from icp_sync.ports import Blueprint

LABEL = "ICP fit"

LEFT = ("tier", "priority", "fit_score", "certainty", "lane", "tier_changed_at", "tier_override")
RIGHT = ("reasons", "flags", "missing_facts", "tier_override_reason", "tier_override_until")
"""What a rep looks at, column by column: the verdict, and why."""

STYLE = "TwoColumnsTopToBottom"
FEWEST = 3
"""Fields a section of another name must hold to be known as ours."""
_SAID = frozenset({"behavior", "emptySpace", "field"})
"""What an item of our own may say; pages, links, charts and components are somebody's work."""

Json = dict[str, Any]


def columns(fields: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The API names in each column of our section."""
    left, right = ([fields[name] for name in half if name in fields] for half in (LEFT, RIGHT))
    return tuple(left), tuple(right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What our section is on one connection.

    fields: logical field → API name, of what it is to show. made: API names in lower case that make a section
    ours: those of fields this installation made, now or under earlier settings. label: as we call it.
    """

    fields: Mapping[str, str]
    made: frozenset[str]
    label: str = LABEL

    def shown_by(self, section: Json) -> bool:
        """Whether a section holds something of ours and nothing else, not even a link or a component."""
        items = list(_items(section))
        bare = all(_SAID.issuperset(key for key, value in item.items() if value) for item in items)
        names = [name.lower() for name in _fields(section)]
        return bare and bool(names) and self.made.issuperset(names)


def of(blueprint: Blueprint, missing: Collection[str] = ()) -> Own:
    """Our section under a blueprint. missing: lower-case names of fields that are not there."""
    named = {name: target for name, target in blueprint.fields.items() if target.lower() not in missing}
    mine = (target for target in named.values() if blueprint.mine(target))
    earlier = (name for name in blueprint.made if name.endswith("__c") and "." not in name)
    made = frozenset(name.lower() for name in (*mine, *earlier))
    return Own(fields=named, made=made, label=f"{blueprint.mark} fit")


def shows(layout: Mapping[str, Any], own: Own) -> str:
    """Whose the section of our name on a layout is: "ours", "theirs", or "" where there is none.

    One that holds fields of ours and nothing else is ours; people who have put anything else into it have
    made it theirs, and an empty one was never ours. One that people call otherwise is ours while it holds
    what we put in, in our order.
    """
    if ours(layout, own) is not None:
        return "ours"
    return "theirs" if any(one.get("label") == own.label for one in _sections(layout)) else ""


def ours(layout: Mapping[str, Any], own: Own) -> Json | None:
    """Our section, None where there is none."""
    for one in _sections(layout):
        if own.shown_by(one) and (one.get("label") == own.label or _as_made(one, layout, own)):
            return one
    return None


def _as_made(section: Json, layout: Mapping[str, Any], own: Own) -> bool:
    """Whether it holds, column by column, what we would put into it: more than people do by accident."""
    elsewhere = {name.lower() for one in _sections(layout) if one is not section for name in _fields(one)}
    wanted = [[name for name in half if name.lower() not in elsewhere] for half in columns(own.fields)]
    held = [list(_fields({"layoutColumns": [column]})) for column in _list(section.get("layoutColumns"))]
    return held == wanted and sum(map(len, held)) >= FEWEST


def outdated(section: Json, own: Own) -> bool:
    """Whether our section shows what we no longer write."""
    current = {target.lower() for target in own.fields.values()}
    return any(name.lower() not in current for name in _fields(section))


def called(section: Json, own: Own) -> str:
    """What people call our section, "" for our own name."""
    label = str(section.get("label") or "")
    return "" if label == own.label else label


def placed(layout: Mapping[str, Any]) -> frozenset[str]:
    """The fields a layout shows anywhere, in lower case."""
    return frozenset(name.lower() for one in _sections(layout) for name in _fields(one))


def lacking(layout: Mapping[str, Any], own: Own) -> tuple[str, ...]:
    """What of our section a layout does not show anywhere."""
    there = placed(layout)
    return tuple(name for half in columns(own.fields) for name in half if name.lower() not in there)


def added(layout: Mapping[str, Any], own: Own) -> Json:
    """The layout with our section behind its first one."""
    sections = list(_sections(layout))
    return {**layout, "layoutSections": [*sections[:1], _section(layout, own), *sections[1:]]}


def renewed(layout: Mapping[str, Any], own: Own) -> Json:
    """The layout with our section in its old place, under its old name, showing what we write now."""
    found = ours(layout, own)
    if found is None:
        return dict(layout)
    section = {**_section(removed(layout, own), own), "label": found.get("label")}
    made = [section if one is found else one for one in _sections(layout)]
    return {**layout, "layoutSections": made}


def removed(layout: Mapping[str, Any], own: Own) -> Json:
    """The layout without our section."""
    found = ours(layout, own)
    return {**layout, "layoutSections": [one for one in _sections(layout) if one is not found]}


def same_beside(before: Mapping[str, Any], after: Mapping[str, Any], own: Own) -> bool:
    """Whether two looks at a layout differ in nothing but our section."""
    return bool(_told(removed(before, own)) == _told(removed(after, own)))


def _section(layout: Mapping[str, Any], own: Own) -> Json:
    there = placed(layout)
    return {
        "customLabel": True,
        "detailHeading": True,
        "editHeading": True,
        "label": own.label,
        "layoutColumns": [
            {"layoutItems": [_item(name, own.fields) for name in half if name.lower() not in there]}
            for half in columns(own.fields)
        ],
        "style": STYLE,
    }


def _item(name: str, fields: Mapping[str, str]) -> Json:
    theirs = {fields[one] for one, known in FIELDS.items() if known.theirs and one in fields}
    return {"behavior": "Edit" if name in theirs else "Readonly", "field": name}


def _sections(layout: Mapping[str, Any]) -> Sequence[Json]:
    found = layout.get("layoutSections")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _fields(section: Mapping[str, Any]) -> Iterator[str]:
    for item in _items(section):
        if isinstance(item.get("field"), str):
            yield item["field"]


def _items(section: Mapping[str, Any]) -> Iterator[Json]:
    for column in _list(section.get("layoutColumns")):
        yield from _list(column.get("layoutItems"))


def _list(found: object) -> list[Json]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _told(value: Any) -> Any:
    """A value less what is blank: a key that is null is the same as one that is not there."""
    if isinstance(value, dict):
        return {key: _told(inner) for key, inner in value.items() if inner not in (None, [], {})}
    return [_told(inner) for inner in value] if isinstance(value, list) else value
