"""Under which leases a call is made: asked once more right before it leaves, after every wait.

As the priority, this belongs to the code that is running: whatever a cycle sends under its lease, in its
thread or in those that carry its context, is sent only while the lease is its own. What waited for a slot may
have waited for long, and a process may have been paused meanwhile. Knows no lease and no journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_checks: ContextVar[tuple[Callable[[], None], ...]] = ContextVar("icp_sync_fences", default=())


@contextmanager
def fenced(check: Callable[[], None]) -> Iterator[None]:
    """Every call made inside is preceded by `check`, and not sent where that raises; nested, by both."""
    token = _checks.set((*_checks.get(), check))
    try:
        yield
    finally:
        _checks.reset(token)


def still_ours() -> None:
    """Raises what forbids sending: LostLeaseError, or UnavailableError where nobody can tell."""
    for check in _checks.get():
        check()
