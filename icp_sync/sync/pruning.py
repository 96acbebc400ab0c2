"""When what is older than is kept goes: once a day, by whichever cycle comes first. Must not know tables.

A sweep of a large portal may take days, or never come to its end; so the trailing pass sees to it too. A
lease says that the day is not over: it is nobody's to give back, it runs out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from icp_sync.observe import log
from icp_sync.ports import Stream

if TYPE_CHECKING:
    from icp_sync.sync.cycle import Parts

PRUNING = "pruning"
"""Under this name the journal leases the day."""
EVERY = 86_400.0 - 600.0
"""Seconds from one to the next."""
FOR = 30.0
"""Seconds after which a pass that has more to do goes on with it the next time."""


def prune(stream: Stream, parts: Parts, *, moves: bool, going: Callable[[], bool]) -> None:
    """After a whole sweep, and after the first trailing pass of a day. moves: whether a worker made it."""
    journal = parts.journal
    swept = stream is Stream.SWEEP and moves and journal.position(stream.value).finished
    if not swept and not (stream is Stream.TRAILING and moves):
        return
    began = parts.clock()
    lease = journal.lease(PRUNING, holder=parts.holder, now=began, ttl=EVERY)
    if lease is None and not swept:
        return

    def on() -> bool:
        return going() and (swept or parts.clock() < began + FOR)

    pruned = journal.prune(parts.keep, now=began, going=on).to_json()
    if lease is not None and not on():
        journal.release_lease(lease)
    if any(pruned.values()):
        log("pruning").info("history older than is kept was removed", connection=journal.connection, **pruned)
