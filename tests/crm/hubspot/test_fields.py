"""A portal's properties as fields, however many and odd, and samples of what they hold."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from icp_sync.errors import AuthError
from icp_sync.ports import CrmField, FieldKind
from icp_sync.simulator.hubspot.catalogue import Property
from tests.crm.hubspot.world import Portal, connect


def told(portal: Portal, **how: object) -> CrmField:
    """A property as it is told."""
    portal.simulator.portal.catalogue.put(Property(name="mine", custom=True, **{"label": "Mine", **how}))  # type: ignore[arg-type]
    return next(field for field in portal.crm.fields() if field.name == "mine")


@pytest.mark.parametrize(
    ("type_", "widget", "extra", "kind"),
    [
        ("string", "textarea", {}, FieldKind.TEXT),
        ("string", "file", {}, FieldKind.OTHER),
        ("phone_number", "phonenumber", {}, FieldKind.TEXT),
        ("number", "number", {}, FieldKind.NUMBER),
        ("number", "number", {"showCurrencySymbol": True}, FieldKind.MONEY),
        ("number", "number", {"numberDisplayHint": "currency"}, FieldKind.MONEY),
        ("date", "date", {}, FieldKind.DATE),
        ("datetime", "date", {}, FieldKind.DATE),
        ("bool", "booleancheckbox", {}, FieldKind.YES_NO),
        ("enumeration", "booleancheckbox", {}, FieldKind.YES_NO),
        ("enumeration", "select", {}, FieldKind.CHOICE),
        ("enumeration", "checkbox", {}, FieldKind.CHOICES),
        ("json", "text", {}, FieldKind.OTHER),
    ],
)
def test_a_property_is_a_field_of_its_kind(
    portal: Portal, type_: str, widget: str, extra: dict[str, object], kind: FieldKind
) -> None:
    field = told(portal, type=type_, field_type=widget, extra=extra)
    assert (field.kind, field.separator) == (kind, ";" if kind is FieldKind.CHOICES else "")


def test_a_property_without_a_label_or_that_links_to_owners_is_still_a_field(portal: Portal) -> None:
    assert told(portal, type="string", field_type="text", label="").label == ""
    linked = told(portal, type="enumeration", field_type="select", external_options=True)
    assert linked.kind is FieldKind.OTHER


def test_a_portal_with_a_thousand_properties_is_sampled_in_batches(portal: Portal) -> None:
    catalogue = portal.simulator.portal.catalogue
    for n in range(1_000):
        catalogue.put(Property(name=f"p{n:04}", label="", type="string", field_type="text", custom=True))
    ids = portal.create_many(130)
    portal.simulator.admin("POST edit", id=ids[0], properties={"p0000": "first", "p0999": "last"})
    portal.advance(10)
    names = [field.name for field in portal.crm.fields()]
    assert len(names) > 1_000
    portal.simulator.admin("DELETE stats")
    rows = portal.crm.sample(names, 500)
    assert len(rows) == 130
    assert (rows[0]["p0000"], rows[0]["p0999"]) == ("first", "last")
    assert set(names) == set(rows[0])
    made = portal.simulator.admin("GET stats")["requests"]
    assert isinstance(made, dict)
    assert made["POST batch/read"] == 2 * -(-len(names) // 250)


def test_without_the_schema_scope_it_is_named(portal: Portal) -> None:
    portal.simulator.admin("POST tokens", token="small", scopes=["crm.objects.owners.read"])
    crm = connect(portal.simulator, token=SecretStr("small"))
    with pytest.raises(AuthError, match=r"crm\.schemas\.companies\.read"):
        crm.fields()
    crm.close()
