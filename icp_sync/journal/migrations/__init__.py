"""Alembic's side of the schema; run by `icp_sync.journal.migrating`, never by hand.

Workers of the version before go on while a migration runs, and beside the schema it leads to. So each one
from 0008 on names as `beside` the oldest revision whose program may do that, and keeps to what
`tests/journal/test_migration_rules.py` holds:

- A table that was there before may be large. It gets new columns, without a default or with a constant one;
  never a NOT NULL without a default, since the version before inserts rows without the column.
- No column of it changes its type or name, nothing is dropped that the version before still reads: what a
  release stops using goes in the next one, or later.
- No row of it is written, no index of it built, no constraint checked. Values for new columns are made by the
  program, a page at a time, while it works. A new index needs CONCURRENTLY, outside the transaction.
- New tables are free, with their indexes.
"""
