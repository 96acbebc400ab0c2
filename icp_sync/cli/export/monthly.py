"""A file for every month that is over and has none yet; none is ever written twice."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.export.months import Month
    from icp_sync.reporting.opened import Opened


def every_month(at: Opened, folder: Path, form: str) -> dict[str, object]:
    """Write what is missing of the months that are over. form: "csv" or "parquet"."""
    from icp_sync.cli.export.months import months
    from icp_sync.cli.moments import kept_since

    now = time.time()
    kept = kept_since(at, now)
    written, there, lost = [], [], []
    for month in months(_begun(at), now):
        file = folder / f"evaluations-{at.name}-{month.name}.{form}"
        if file.exists():
            there.append(month.name)
        elif month.end < kept:
            lost.append(month.name)
        else:
            written.append(_month(at, month, file))
    return {"folder": str(folder), "written": written, "there": there, "not_covered": lost}


def _begun(at: Opened) -> float:
    """When this connection began to think. Raises ConfigError where it has not."""
    begun = [one.activated_at for one in at.journal.versions()]
    first = at.journal.evaluated_since()
    if first is None or not begun:
        raise ConfigError(f"connection {at.name} has evaluated nothing yet", next_step="icp-sync run --once")
    return min(first, *begun)


def _month(at: Opened, month: Month, file: Path) -> dict[str, object]:
    from icp_sync.cli.export.writing import version_at, write_past

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be made: {error.strerror or error}"
        raise ConfigError([Problem(where=str(file.parent), what=what)]) from error
    version = version_at(at.journal, month.end) or min(one.version for one in at.journal.versions())
    return {"month": month.name, **write_past(at, file, version, month.end)}
