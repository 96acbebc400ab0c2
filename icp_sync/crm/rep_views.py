"""What every CRM says alike of reps' views. Knows no CRM."""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.errors import ConfigError, Problem

EARLIER = "made under earlier settings; it filters by what is there now from here on"
FOREIGN = (
    "it filters as ours would, and this journal did not make it: another installation did, or an earlier "
    "journal (icp-sync bind --take-over says that it is ours; outputs.views_prefix gives ours other names)"
)


def provision_first(names: Sequence[str]) -> ConfigError:
    """That none of the fields that views filter by is there."""
    what = f"none of the fields that views filter by is there yet ({', '.join(names)})"
    hint = "icp-sync provision --apply"
    return ConfigError([Problem(where="views", what=what, hint=hint)], next_step=hint)
