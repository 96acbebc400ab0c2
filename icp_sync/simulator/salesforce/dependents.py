"""What else in an org uses a custom field: flows, reports, layouts, code. They are names here, nothing runs.

The dependency API does not tell of reports, and takes few kinds of questions; a deployment that deletes a
field in use is refused, whatever was asked before.
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_metadatacomponentdependency.htm
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.field_kinds import LOCKED, text
from icp_sync.simulator.salesforce.ids import shown
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED
from icp_sync.simulator.salesforce.soql.tree import And, Column, Comparison, Condition, Or, Query

NAME = "MetadataComponentDependency"
UNTOLD = "Report"
MOST_ROWS = 2_000
COLUMNS = tuple(
    text(name=f"{side}MetadataComponent{part}", label=f"{side}{part}", length=255, **LOCKED)
    for side in ("", "Ref")
    for part in ("Id", "Name", "Namespace", "Type")
)
_PREFIXES = {"Flow": "300", "Layout": "00h", "Report": "00O", "ApexClass": "01p", "ValidationRule": "03d"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """Something that uses a custom field of an object (both in lower case). refuses: whether the field stays
    for its sake; otherwise it lets go of it."""

    field: str
    type: str
    name: str
    refuses: bool = True
    object: str = "account"

    def values(self, number: int, field_id: str) -> dict[str, str]:
        """Its row."""
        return row(shown(_PREFIXES.get(self.type, "0ZZ"), number), self.type, self.name, field_id, self.field)


def row(id: str, kind: str, name: str, field_id: str, field: str) -> dict[str, str]:
    """One component that uses a custom field."""
    return {
        "MetadataComponentId": id,
        "MetadataComponentName": name,
        "MetadataComponentType": kind,
        "RefMetadataComponentId": field_id,
        "RefMetadataComponentName": field.removesuffix("__c"),
        "RefMetadataComponentType": "CustomField",
    }


def check(query: Query) -> None:
    """Whether the dependency API takes such a question. Raises Refusal."""
    counted = not query.columns or any(not isinstance(one, Column) for one in query.columns)
    odd = next((one for one in _parts(query.where) if not _plain(one)), None)
    if counted or query.order or query.group or query.offset is not None or odd is not None:
        what = "it takes =, !=, AND and OR only; it is neither counted, ordered nor gone through in pages"
        raise Refusal(400, MALFORMED, f"{NAME}: {what}")


def _parts(where: Condition | None) -> Iterator[Condition]:
    if isinstance(where, And | Or):
        for part in where.parts:
            yield from _parts(part)
    elif where is not None:
        yield where


def _plain(part: Condition) -> bool:
    if not isinstance(part, Comparison) or part.operator not in ("=", "!="):
        return False
    return not part.path.names[-1].lower().endswith("componentname")
