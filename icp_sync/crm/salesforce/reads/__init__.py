"""Accounts and what belongs to them: found, read in full, as pages."""
