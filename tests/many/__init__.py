"""Many portals in one worker, one of them ill: what the others notice of it."""
