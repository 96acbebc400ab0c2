"""Alembic's side of the schema; run by `icp_sync.journal.database`, never by hand."""
