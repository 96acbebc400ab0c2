"""A lease kept while the work under it waits: for a bulk job, for many owners to be written one by one.

A process that is stopped keeps nothing, and one that lost its lease learns it before its next request, or at
its next commit: the fence decides there, not this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal, Lease
from icp_sync.observe import log
from icp_sync.quota import fenced

_TIMES = 4  # renewals in the life of a lease


@contextmanager
def kept(lease: Lease, journal: Journal, clock: Callable[[], float], seconds: float) -> Iterator[None]:
    """Renew the lease for so many seconds, again and again, until the block ends. Nothing is sent inside that
    is not preceded by a look whether the lease is still ours."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(seconds / _TIMES):
            try:
                journal.renew(lease, now=clock(), ttl=seconds)
            except LostLeaseError as error:
                log("cycle").warning("a lease is kept no longer", lease=lease.stream, error=str(error))
                return
            except Exception as error:  # a journal locked or away for a moment: there are further tries
                log("cycle").warning("a lease could not be renewed", lease=lease.stream, error=str(error))

    keeper = threading.Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        with fenced(partial(journal.check_fence, lease)):
            yield
    finally:
        done.set()
        keeper.join()
