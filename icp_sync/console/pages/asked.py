"""What somebody handed to the worker, as a page shows it."""

from __future__ import annotations

from typing import Any

from icp_sync.journal import Asked

OPEN = ("waiting", "running")


def asked_of(asked: Asked | None) -> dict[str, Any] | None:
    """A request with what came of it. said: why it failed, or waits, in words."""
    if asked is None:
        return None
    result = dict(asked.result)
    waits = str(asked.progress.get("waits", ""))
    return {
        "id": asked.id,
        "kind": asked.kind,
        "by": asked.by,
        "at": asked.at,
        "state": asked.state,
        "open": asked.state in OPEN,
        "updated_at": asked.updated_at,
        "progress": {
            name: n for name, n in asked.progress.items() if isinstance(n, int) and not isinstance(n, bool)
        },
        "said": str(result.get("error", "")) if asked.state != "done" else "",
        "step": str(result.get("next_step", "")),
        "waits": waits if asked.state in OPEN else "",
        "result": result if asked.state == "done" else None,
    }
