"""A selection of accounts as HubSpot's search API takes it, and as a person clicks it together.

HubSpot's search takes at most 5 groups of at most 6 filters, 18 in all, in a body of 3,000 characters; groups
are alternatives, the filters of a group must all hold, and no filter matches a property without a value
except NOT_HAS_PROPERTY. https://developers.hubspot.com/docs/api-reference/search/guide
Whether NOT_IN matches a property without a value is said differently in different places, so no filter here
depends on it: either a group of its own lets the blank ones in, or HAS_PROPERTY keeps them out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import ceil, floor

from icp_sync.domain.filtering import EVERYBODY, Formula, Is, Lists, Numbers, Values, Words, inside, rewritten
from icp_sync.domain.filtering_boxes import Box, Limits, covered, fitted, simple_boxes
from icp_sync.domain.filtering_clauses import Omission, Stated, Statement, Written, omissions, whole
from icp_sync.domain.standing import number_text
from icp_sync.normalize import industries
from icp_sync.normalize.property_values import Form, Shape

SEARCH_LIMITS = Limits(groups=5, in_group=6, in_all=18, characters=2_700)
"""HubSpot's own, with 300 characters of the body left for what else a search says."""

Filter = dict[str, object]


def _all(form: Form, names: str) -> dict[str, Shape]:
    return {name: Shape(form=form) for name in names.split()}


SHAPES: Mapping[str, Shape] = {
    **_all(
        Form.TEXT,
        "name domain website country hs_country_code state city founded_year total_money_raised "
        "hs_employee_range hs_revenue_range hs_keywords",
    ),
    **_all(
        Form.NUMBER,
        "numberofemployees annualrevenue total_revenue hs_num_open_deals num_associated_deals "
        "num_associated_contacts hs_num_child_companies",
    ),
    **_all(
        Form.DATETIME,
        "createdate hs_lastmodifieddate notes_last_updated notes_last_contacted closedate "
        "recent_deal_close_date first_deal_created_date hs_last_sales_activity_timestamp",
    ),
    "is_public": Shape(form=Form.YES_NO),
    "hs_is_target_account": Shape(form=Form.YES_NO),
    "industry": Shape(form=Form.CHOICE, options=industries.names()),
    "type": Shape(form=Form.CHOICE, options=("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER")),
    "lifecyclestage": Shape(
        form=Form.CHOICE,
        options=(
            *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity"),
            *("customer", "evangelist", "other"),
        ),
    ),
    "hs_lead_status": Shape(
        form=Form.CHOICE,
        options=(
            *("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT"),
            *("CONNECTED", "BAD_TIMING"),
        ),
    ),
    "web_technologies": Shape(form=Form.CHOICES),
}
"""How HubSpot stores its own company properties (HubSpot's default company properties, knowledge base)."""


def search_filter(statements: Sequence[Statement], shapes: Mapping[str, Shape]) -> Written:
    """The `filterGroups` of a search for these accounts, or for the smallest superset found.

    The text is one JSON object, `{"filterGroups": […]}`, to which `properties`, `limit` and the rest of a
    search may be added. Every clause that had to be widened to fit is among the omissions.
    """
    plain = tuple(tuple(_without_lists(one) for one in statement) for statement in statements)
    formula = whole(plain)
    exact = simple_boxes(formula)
    found = fitted(
        exact,
        SEARCH_LIMITS,
        lambda box, boxes: len(_filters(box, boxes, shapes)),
        lambda boxes: _json(groups_of(boxes, shapes)),
    )
    groups = groups_of(found, shapes) if found else [{"filters": [_IMPOSSIBLE]}]
    omitted = (*omissions(plain), *_widened(found, plain, formula))
    return Written(
        text=_json(groups),
        filters=sum(len(group["filters"]) for group in groups),
        omitted=tuple(dict.fromkeys(omitted)),
        everybody=not groups,
        nobody=not found,
    )


_IMPOSSIBLE: Filter = {"propertyName": "hs_object_id", "operator": "LT", "value": "0"}


def groups_of(boxes: Sequence[Box], shapes: Mapping[str, Shape]) -> list[dict[str, list[Filter]]]:
    """Boxes as filter groups; none where a box holds every account."""
    if any(not box for box in boxes):
        return []
    return [{"filters": _filters(box, boxes, shapes)} for box in boxes]


def _without_lists(one: Stated) -> Stated:
    """A property of several options is compared as a whole, or member by member: only what is safe both ways
    remains, which is barring one that holds nothing else."""
    reasons = list(one.reasons)

    def plainly(test: Lists) -> Formula:
        reasons.append(f"HubSpot's search does not look into {test.property} for certain")
        if test.wanted:
            return EVERYBODY
        return Is(property=test.property, values=Words(words=test.words, inverted=True, blank=True))

    formula = rewritten(one.formula, plainly)
    return Stated(
        clause=one.clause,
        formula=formula,
        reasons=tuple(dict.fromkeys(reasons)),
        assumed=one.assumed,
        notes=one.notes,
    )


def _widened(found: Sequence[Box], statements: Sequence[Statement], formula: Formula) -> list[Omission]:
    """The clauses that some group does not keep, where the limits forced it."""
    loose = [box for box in found if not covered(box, formula)]
    most = SEARCH_LIMITS
    reason = f"a search takes {most.groups} groups, {most.in_all} filters and 3,000 characters"
    if not loose:
        return []
    return [
        one.omission(f"kept in part only: {reason}")
        for statement in statements
        for one in statement
        if any(not covered(box, one.formula) for box in loose)
    ]


def _filters(box: Box, boxes: Sequence[Box], shapes: Mapping[str, Shape]) -> list[Filter]:
    found: list[Filter] = []
    for name, values in box.items():
        found += _plain(name, values, shapes.get(name))
        if (
            isinstance(values, Words)
            and values.inverted
            and values.words
            and not _blank_too(box, name, boxes)
        ):
            found.append({"propertyName": name, "operator": "HAS_PROPERTY"})
    return found


def _blank_too(box: Box, name: str, boxes: Sequence[Box]) -> bool:
    """Whether another group lets in the same accounts with this property blank."""
    return any(
        all(
            values.blank if key == name else key in box and inside(box[key], values)
            for key, values in other.items()
        )
        for other in boxes
        if other is not box
    )


def _plain(name: str, values: Values, shape: Shape | None) -> list[Filter]:
    """The filters of one simple set, but for the blank ones of a NOT_IN."""
    if values.blank:
        return [{"propertyName": name, "operator": "NOT_HAS_PROPERTY"}]
    if isinstance(values, Numbers):
        return _span(name, values, shape)
    if values.inverted and not values.words:
        return [{"propertyName": name, "operator": "HAS_PROPERTY"}]
    asks = "NOT_IN" if values.inverted else "IN"
    return [{"propertyName": name, "operator": asks, "values": sorted(values.words)}]


def _span(name: str, values: Numbers, shape: Shape | None) -> list[Filter]:
    span = values.spans[0]
    instants = shape is not None and shape.form is not Form.NUMBER
    low, low_open = _bound(span.low, span.low_open, instants, floor)
    high, high_open = _bound(span.high, span.high_open, instants, ceil)
    if low and high and not low_open and not high_open:
        if low == high and not instants:
            return [{"propertyName": name, "operator": "EQ", "value": low}]
        return [{"propertyName": name, "operator": "BETWEEN", "value": low, "highValue": high}]
    found: list[Filter] = []
    if low:
        found.append({"propertyName": name, "operator": "GT" if low_open else "GTE", "value": low})
    if high:
        found.append({"propertyName": name, "operator": "LT" if high_open else "LTE", "value": high})
    return found or [{"propertyName": name, "operator": "HAS_PROPERTY"}]


def _bound(value: float, is_open: bool, instants: bool, outward: object) -> tuple[str, bool]:
    """A bound as HubSpot writes it, "" for none: instants in epoch milliseconds, never 0, at which the search
    fails."""
    if abs(value) == float("inf"):
        return "", False
    if not instants:
        return number_text(value), is_open
    exact = value * 1000
    near = round(exact)
    if abs(exact - near) > 1e-3:
        near, is_open = (floor(exact) if outward is floor else ceil(exact)), False
    if near == 0:
        near, is_open = (-1 if outward is floor else 1), False
    return str(near), is_open


def _json(groups: Sequence[object]) -> str:
    return json.dumps({"filterGroups": groups}, ensure_ascii=False, separators=(",", ":"))


_CLICKS = {
    "IN": "is any of {}",
    "NOT_IN": "is none of {}",
    "HAS_PROPERTY": "is known",
    "NOT_HAS_PROPERTY": "is unknown",
    "EQ": "is equal to {}",
    "BETWEEN": "is between {} and {}",
    "GT": "is greater than {}",
    "GTE": "is greater than or equal to {}",
    "LT": "is less than {}",
    "LTE": "is less than or equal to {}",
}


def clicked(text: str) -> list[str]:
    """The groups as lines for a person who builds the filter by hand; "or" stands between them."""
    lines = []
    for number, group in enumerate(json.loads(text)["filterGroups"]):
        lines.append("Group" if not number else "or group")
        lines += [f"  {one['propertyName']} {_click(one)}" for one in group["filters"]]
    return lines


def _click(one: Mapping[str, object]) -> str:
    listed = one.get("values")
    values = [", ".join(map(str, listed))] if isinstance(listed, list) else []
    values += [str(one[key]) for key in ("value", "highValue") if key in one]
    return _CLICKS[str(one["operator"])].format(*values)
