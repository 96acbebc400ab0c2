"""What every CRM says alike of what looks like ours. Knows no CRM."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from icp_sync.errors import ConfigError, Problem

EARLIER = "made under earlier settings; set right, it filters by what is there now"
TAKE_OVER = "icp-sync bind --take-over says that it is ours"
FOREIGN = (
    "it is as ours, and this journal did not make it: another installation did, or an earlier journal "
    f"({TAKE_OVER})"
)
OTHER_NAME = "outputs.views_prefix gives ours other names"


class Whose(Enum):
    """Whose a view is, by what it asks."""

    OURS = "as we make it"
    EARLIER = "as we made it under earlier settings"
    FOREIGN = "as we make it, and not made by us as far as anybody can tell"
    THEIRS = "somebody's own, or changed by people"


def provision_first(names: Sequence[str]) -> ConfigError:
    """That none of the fields that views filter by is there."""
    what = f"none of the fields that views filter by is there yet ({', '.join(names)})"
    hint = "icp-sync provision --apply"
    return ConfigError([Problem(where="views", what=what, hint=hint)], next_step=hint)
