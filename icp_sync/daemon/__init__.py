"""The long-running worker: one process that triggers streams, answers health checks and stops cleanly.

What a cycle does is `sync`'s business; here is only when it runs, and what a failure of one stream means
for itself (it waits longer) and for the others (nothing).
"""

from icp_sync.daemon.scheduling import Daemon
from icp_sync.daemon.stopping import Stopping

__all__ = ["Daemon", "Stopping"]
