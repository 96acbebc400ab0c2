"""Where these stood before."""

from icp_sync.reporting.subjects import Subject, in_journal, in_table, parents_in, stored

__all__ = ["Subject", "in_journal", "in_table", "parents_in", "stored"]
