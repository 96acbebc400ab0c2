"""How long what an undo put back is held back, said the same way wherever it matters."""

UNTIL = "until inputs, profile or engine change"
