"""Many workers on one journal: the streams of all connections as tasks of Procrastinate, in its PostgreSQL.

The queue only says who looks at what next. That nothing is done twice or lost rests on the journal's leases
and fences, as in one process; a task that vanishes is missed by the timetable, and begun again.
"""

from icp_sync.cluster.worker import Worker

__all__ = ["Worker"]
