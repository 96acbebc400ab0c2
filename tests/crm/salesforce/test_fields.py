"""The org's fields as fields of a CRM, and samples from all over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.crm.salesforce.reads.fields import fields, sample
from icp_sync.crm.salesforce.reads.opportunities import Opportunities
from icp_sync.ports import FieldKind
from tests.crm.salesforce.reads import Reads, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


def counted(reads: Reads) -> Opportunities:
    return Opportunities(reads.client, wanted=True, name="test")


def taken(reads: Reads, names: list[str], limit: int) -> list[dict[str, str | None]]:
    return [
        dict(row)
        for row in sample(reads.client, reads.catalogue, counted(reads), reads.executor, names, limit)
    ]


def test_every_type_has_a_kind_and_picklists_their_values(reads: Reads) -> None:
    told = {one.name: one for one in fields(reads.client, reads.catalogue, counted(reads))}
    kinds = {
        "Name": FieldKind.TEXT,
        "Website": FieldKind.TEXT,
        "NumberOfEmployees": FieldKind.NUMBER,
        "AnnualRevenue": FieldKind.MONEY,
        "LastActivityDate": FieldKind.DATE,
        "CreatedDate": FieldKind.DATE,
        "Industry": FieldKind.CHOICE,
        "IsDeleted": FieldKind.YES_NO,
        "OwnerId": FieldKind.OTHER,
    }
    assert {name: told[name].kind for name in kinds} == kinds
    assert told["Tier__c"].options == ("A", "B", "Not ICP")
    assert told["Name"].separator == ""


def test_several_choices_are_split_by_a_semicolon(reads: Reads) -> None:
    reads.admin("POST fields", define={"name": "Stack__c", "type": "multipicklist", "values": ["x", "y"]})
    (told,) = [one for one in fields(reads.client, reads.catalogue, counted(reads)) if one.name == "Stack__c"]
    assert (told.kind, told.separator, told.options) == (FieldKind.CHOICES, ";", ("x", "y"))


def test_a_field_that_is_hidden_is_not_told(reads: Reads) -> None:
    reads.admin("POST fields", hide=["Industry"])
    assert "Industry" not in {one.name for one in fields(reads.client, reads.catalogue, counted(reads))}


def test_a_sample_names_fields_as_they_were_asked_for_and_only_those(reads: Reads) -> None:
    reads.create(Name="Acme", NumberOfEmployees="12", Description="a\nb")
    (row,) = taken(reads, ["name", "NumberOfEmployees", "Description", "Nothing__c", "BillingAddress"], 5)
    assert row == {"name": "Acme", "NumberOfEmployees": "12", "Description": "a\nb"}


def test_more_fields_than_one_call_names_are_all_read(reads: Reads) -> None:
    many = [{"name": f"Own{at}__c", "type": "string", "length": 20} for at in range(230)]
    reads.admin("POST fields", define=many)
    reads.create(2, Own0__c="first", Own229__c="last")
    rows = taken(reads, [str(one["name"]) for one in many], 2)
    assert [(row["Own0__c"], row["Own229__c"], len(row)) for row in rows] == [("first", "last", 230)] * 2


@pytest.mark.parametrize("count", [240, 2_500])
@pytest.mark.parametrize("limit", [1, 15, 60])
def test_a_sample_is_spread_over_the_ids_and_the_same_each_time(reads: Reads, count: int, limit: int) -> None:
    half = count // 2
    reads.create(half, BillingCity="first")
    reads.create(half, BillingCity="second")
    rows = taken(reads, ["BillingCity"], limit)
    assert len(rows) == limit
    assert taken(reads, ["BillingCity"], limit) == rows
    if limit > 1:
        assert 0.3 < sum(row["BillingCity"] == "second" for row in rows) / limit < 0.7


def test_no_sample_is_asked_for_and_none_is_given(reads: Reads) -> None:
    reads.create()
    assert taken(reads, ["Name"], 0) == []
