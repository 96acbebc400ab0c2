"""How a profile does on what came later, and whether that is enough to promote it."""
