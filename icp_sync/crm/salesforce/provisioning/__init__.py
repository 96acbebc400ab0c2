"""Making our fields in an org, and finding out what we may do there."""
