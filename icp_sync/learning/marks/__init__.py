"""Every question asked of every case, and what marks the good ones."""
