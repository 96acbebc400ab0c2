"""The checker and what is checked with it: processes killed, a large undo beside the daemon, a long run."""
