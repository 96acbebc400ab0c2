"""Few customers: their traits as a hypothesis, and what to ask them."""
