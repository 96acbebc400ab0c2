"""How often what a CRM refuses is tried again."""

from __future__ import annotations

from pydantic import Field

from icp_sync.settings.parts import Part


class Retries(Part):
    """The delay grows from a minute to six hours; a change of the record itself is a new try at once."""

    dead_after: int = Field(
        8, ge=1, le=1_000, description="Refusals of one account after which it waits for `icp-sync retry`."
    )
