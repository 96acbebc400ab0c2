"""What became of accounts: who belongs to which cohort, what was known before it was decided, what leaks."""
