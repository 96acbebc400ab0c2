"""A query's names as fields of an org, as one user may see them.

A field that is not there and a field hidden by field-level security are refused in the same words.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_understanding.htm
"""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.org import Org, SObject, User
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError
from icp_sync.simulator.salesforce.soql.tree import Path

MOST_STEPS = 5
"""Parents of parents a path may climb."""

INVALID_FIELD = "INVALID_FIELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reference followed: the object that holds it, its field there, and the object it leads to."""

    holder: SObject
    field: FieldDef
    parent: SObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A field, and how to come to the record that has it."""

    steps: tuple[Step, ...]
    sobject: SObject
    field: FieldDef
    at: int

    @property
    def path(self) -> str:
        return ".".join([*(step.field.relationship for step in self.steps), self.field.name])


class Binder:
    """Finds the fields one query names. `sobject`: the object it is about."""

    def __init__(self, org: Org, user: User, name: str, at: int) -> None:
        self.org = org
        self.user = user
        self.at = at
        try:
            self.sobject = org.object_for(user, name)
        except Refusal as refusal:
            raise SoqlError("INVALID_TYPE", refusal.message, at) from None

    def place(self, path: Path) -> Place:
        """Raises SoqlError INVALID_FIELD."""
        sobject, steps = self.sobject, []
        if len(path.names) - 1 > MOST_STEPS:
            raise SoqlError(MALFORMED, f"a path may climb at most {MOST_STEPS} relationships", path.at)
        for name in path.names[:-1]:
            step = self._step(sobject, name, path)
            steps.append(step)
            sobject = step.parent
        field = sobject.field(path.names[-1])
        if field is None or not self.org.readable(self.user, sobject, field):
            raise SoqlError(INVALID_FIELD, _no_column(path.names[-1], sobject.name), path.at)
        return Place(steps=tuple(steps), sobject=sobject, field=field, at=path.at)

    def filtered(self, path: Path) -> Place:
        place = self.place(path)
        if not place.field.filterable:
            raise SoqlError(
                INVALID_FIELD, f"field '{place.field.name}' can not be filtered in a query call", path.at
            )
        return place

    def sorted(self, path: Path) -> Place:
        return self._by(path, "sorted")

    def grouped(self, path: Path) -> Place:
        return self._by(path, "grouped")

    def _by(self, path: Path, how: str) -> Place:
        """Neither long text nor multi-select picklists have an order."""
        place = self.place(path)
        if not place.field.filterable or place.field.type == "multipicklist":
            raise SoqlError(
                MALFORMED, f"field '{place.field.name}' can not be {how} in a query call", path.at
            )
        return place

    def _step(self, sobject: SObject, name: str, path: Path) -> Step:
        lowered = name.lower()
        for field in sobject.fields.values():
            if field.relationship.lower() == lowered and self.org.readable(self.user, sobject, field):
                return Step(holder=sobject, field=field, parent=self.org.object(field.reference_to))
        what = (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            "relationship, be sure to append the '__r' after the custom relationship name. Please reference "
            "your WSDL or the describe call for the appropriate names."
        )
        raise SoqlError(INVALID_FIELD, what, path.at)


def _no_column(name: str, entity: str) -> str:
    return (
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure "
        "to append the '__c' after the custom field name. Please reference your WSDL or the describe call "
        "for the appropriate names."
    )
