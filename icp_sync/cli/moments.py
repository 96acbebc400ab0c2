"""Where these stood before."""

from icp_sync.reporting.moments import kept_since, moment

__all__ = ["kept_since", "moment"]
