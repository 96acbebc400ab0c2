"""How long a value that somebody typed over one of ours is theirs, by who typed it."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from icp_sync.settings.parts import Part, duration

FOREVER = "forever"


def _held(raw: Any) -> float:
    text = raw.strip().lower() if isinstance(raw, str) else raw
    if text == FOREVER:
        return inf
    if text == "0" or (isinstance(text, int | float) and not isinstance(text, bool) and text == 0):
        return 0.0
    try:
        return duration(text)
    except ValueError:
        raise ValueError("a duration such as 90d, 0 to take such edits back at once, or forever") from None


HeldFor = Annotated[float, BeforeValidator(_held)]
"""A duration, 0, or `forever`; seconds once read, infinity for the latter."""

_USUAL = duration("90d")


class Editors(Part):
    """How long an edit of one of our fields is held, by the class of its editor."""

    person: HeldFor = Field(_USUAL, description="Somebody in the CRM's own pages.")
    workflow: HeldFor = Field(_USUAL, description="A workflow, flow or process of the CRM.")
    import_: HeldFor = Field(_USUAL, alias="import", description="A file somebody imported.")
    app: HeldFor = Field(_USUAL, description="Another program.")
    unknown: HeldFor = Field(_USUAL, description="Whoever it was, where the CRM does not tell.")

    @property
    def seconds(self) -> Mapping[str, float]:
        """Class of editor → seconds, "" for the unknown one."""
        return {
            "person": self.person,
            "workflow": self.workflow,
            "import": self.import_,
            "app": self.app,
            "": self.unknown,
        }
